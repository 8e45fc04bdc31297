/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "check/process.h"

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
	char value[32];
	int rc = pit_process_share(out, used, limit, what);

	snprintf(value, sizeof(value), "%" PRIu64, limit);
	if (out->status != PIT_PASS)
		pit_origin_of(f, path, value, NULL, out);
	return rc;
}
