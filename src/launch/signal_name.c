/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "launch/exit_report.h"

/* Second names; the first ones are libc's. */
static const struct {
	const char *name;
	int signal;
} aliases[] = {{.name = "IO", .signal = SIGIO}, {.name = "IOT", .signal = SIGIOT}, {.name = "CLD", .signal = SIGCHLD}};

char *pit_signal_name(int signal, char *out, size_t size)
{
	const char *name = sigabbrev_np(signal);

	if (name)
		snprintf(out, size, "SIG%s", name);
	else if (signal == SIGRTMIN)
		snprintf(out, size, "SIGRTMIN");
	else if (signal > SIGRTMIN && signal <= SIGRTMAX)
		snprintf(out, size, "SIGRTMIN+%d", signal - SIGRTMIN);
	else
		snprintf(out, size, "signal %d", signal);
	return out;
}

/* What follows "RTMIN" or "RTMAX": nothing, or a sign and digits. */
static int parse_offset(const char *text, int *ret)
{
	int64_t offset = 0;
	int rc;

	if (*text && *text != '+' && *text != '-')
		return -EINVAL;
	rc = *text ? pit_parse_i64(text, &offset) : 0;
	if (rc || offset < -64 || offset > 64)
		return -EINVAL;
	*ret = (int)offset;
	return 0;
}

static int parse_realtime(const char *text, int *ret)
{
	bool least = !strncasecmp(text, "RTMIN", 5);
	int offset, signal;

	if ((!least && strncasecmp(text, "RTMAX", 5) != 0) || parse_offset(text + 5, &offset))
		return -EINVAL;
	signal = (least ? SIGRTMIN : SIGRTMAX) + offset;
	if (signal < SIGRTMIN || signal > SIGRTMAX)
		return -EINVAL;
	*ret = signal;
	return 0;
}

static int parse_number(const char *text, int *ret)
{
	uint64_t signal;

	if (pit_parse_u64(text, &signal) || !signal || signal > (uint64_t)SIGRTMAX ||
	    (!sigabbrev_np((int)signal) && signal < (uint64_t)SIGRTMIN))
		return -EINVAL;
	*ret = (int)signal;
	return 0;
}

static int parse_name(const char *text, int *ret)
{
	for (int signal = 1; signal < SIGRTMIN; signal++) {
		const char *name = sigabbrev_np(signal);

		if (name && !strcasecmp(name, text)) {
			*ret = signal;
			return 0;
		}
	}
	for (size_t i = 0; i < PIT_COUNT(aliases); i++)
		if (!strcasecmp(aliases[i].name, text)) {
			*ret = aliases[i].signal;
			return 0;
		}
	return -EINVAL;
}

int pit_signal_parse(const char *text, int *ret)
{
	if (!parse_number(text, ret))
		return 0;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	return parse_name(text, ret) ? parse_realtime(text, ret) : 0;
}
