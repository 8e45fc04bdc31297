/* SPDX-License-Identifier: MIT */
#include "base/parse.h"
#include "check/log_rows.h"

#include <string.h>

#include "check/counters.h"

#define SHOWN 3

static bool matches(const struct pit_log_want *want, const char *message)
{
	for (size_t i = 0; i < PIT_COUNT(want->none) && want->none[i]; i++)
		if (strstr(message, want->none[i]))
			return false;
	for (size_t i = 0; i < PIT_COUNT(want->any) && want->any[i]; i++)
		if (strstr(message, want->any[i]))
			return true;
	return false;
}

double pit_log_age(struct pit_facts *facts, int64_t usec)
{
	double up;

	if (usec < 0 || pit_uptime(facts, &up, NULL))
		return -1;
	return up > (double)usec / 1e6 ? up - (double)usec / 1e6 : 0;
}

static void show(const struct pit_kmsg *log, const struct pit_kmsg_line *line, struct pit_finding *out)
{
	if (line->usec >= 0)
		pit_evidence(out, log->source, "[%.6f] %.200s", (double)line->usec / 1e6, line->text);
	else
		pit_evidence(out, log->source, "%.200s", line->text);
}

/* Indices of the last SHOWN matches, oldest first; returns how many match in all. */
static size_t find(const struct pit_log_want *want, const struct pit_kmsg *log, size_t last[SHOWN])
{
	size_t found = 0;

	for (size_t i = 0; i < log->count; i++) {
		if (!matches(want, log->item[i].text))
			continue;
		if (found >= SHOWN)
			memmove(last, last + 1, (SHOWN - 1) * sizeof(*last));
		last[found < SHOWN ? found : SHOWN - 1] = i;
		found++;
	}
	return found;
}

int pit_probe_log(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	const struct pit_log_want *want = row->arg;
	const struct pit_kmsg *log;
	size_t last[SHOWN], found, shown;
	double age;
	char text[32];
	int rc = pit_facts_kmsg(facts, &log, err);

	if (rc)
		return rc;
	pit_want(out, "no %s in the kernel log", want->one);
	found = find(want, log, last);
	if (!found)
		return pit_pass(out, "none in the kernel log");
	shown = found < SHOWN ? found : SHOWN;
	for (size_t i = 0; i < shown; i++)
		show(log, &log->item[last[i]], out);
	age = pit_log_age(facts, log->item[last[shown - 1]].usec);
	if (age < 0)
		return pit_judge(out, PIT_WARN, PIT_RISK, "%zu %s", found, found > 1 ? want->many : want->one);
	pit_format_age(age, text, sizeof(text));
	return pit_judge(out, age <= PIT_LOG_RECENT ? row->otherwise : PIT_WARN,
			 age <= PIT_LOG_RECENT && !want->calm ? PIT_HURTING : PIT_RISK, "%zu %s, last %s ago", found,
			 found > 1 ? want->many : want->one, text);
}
