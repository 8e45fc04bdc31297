/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "check/process.h"
#include "host/sysctl_origin.h"

int pit_process_again(struct pit_facts *f, int pid, struct pit_proc *ret, double *ret_seconds)
{
	struct pit_text text;
	char path[64];
	int64_t ns;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	rc = pit_root_again(pit_facts_root(f), path, &text, &ns);
	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return -ENOENT;
	if (!rc)
		rc = pit_proc_parse_stat(text.data, ret, NULL);
	if (!rc && ret_seconds)
		*ret_seconds = (double)ns / 1e9;
	return rc;
}

char *pit_process_name(const struct pit_procs *procs, int pid, char *out, size_t size)
{
	const struct pit_proc *p = pit_procs_find(procs, pid);

	if (p)
		snprintf(out, size, "%s (PID %d)", p->comm, pid);
	else
		snprintf(out, size, "PID %d", pid);
	return out;
}

char *pit_process_age(double seconds, char *out, size_t size)
{
	if (seconds < 0)
		snprintf(out, size, "unknown age");
	else if (seconds < 120)
		snprintf(out, size, "%.0f s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(out, size, "%.0f min", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(out, size, "%.0f h", seconds / 3600);
	else
		snprintf(out, size, "%.0f days", seconds / 86400);
	return out;
}

int pit_process_share(struct pit_finding *out, uint64_t used, uint64_t limit, const char *what)
{
	double percent = limit ? 100.0 * (double)used / (double)limit : 100;

	pit_want(out, "below 80%% of the limit");
	if (percent < 80)
		return pit_pass(out, "%" PRIu64 " of %" PRIu64 " %s (%.0f%%)", used, limit, what, percent);
	return pit_judge(out, percent < 95 ? PIT_WARN : PIT_FAIL, percent < 95 ? PIT_RISK : PIT_HURTING,
			 "%" PRIu64 " of %" PRIu64 " %s (%.0f%%)", used, limit, what, percent);
}

int pit_process_share_of(struct pit_facts *f, struct pit_finding *out, uint64_t used, const char *path, uint64_t limit,
			 const char *what)
{
	char text[512], value[32];
	int rc = pit_process_share(out, used, limit, what);

	snprintf(value, sizeof(value), "%" PRIu64, limit);
	if (out->status != PIT_PASS &&
	    !pit_sysctl_origin(pit_facts_root(f), path + strlen("/proc/sys/"), value, text, sizeof(text)))
		pit_origin(out, "%s", text);
	return rc;
}
