/* SPDX-License-Identifier: MIT */
#include "check/network.h"

#include <inttypes.h>
#include <string.h>

#include "check/offenders.h"
#include "host/clock_sync.h"

int pit_net_clock(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	struct pit_clock_sync clock;
	int rc = pit_clock_sync(pit_facts_root(facts), &clock, err);

	if (rc)
		return rc;
	pit_want(out, "synchronized");
	pit_evidence(out, "adjtimex", "%s, error at most %.1f ms, offset %.3f ms",
		     clock.synchronized ? "synchronized" : "STA_UNSYNC is set", (double)clock.max_error_us / 1000,
		     (double)clock.offset_us / 1000);
	if (!clock.synchronized && !pit_root_exists(pit_facts_root(facts), "/run/systemd/system"))
		pit_command(out, "timedatectl set-ntp true");
	if (!clock.synchronized)
		return pit_bad(out, "not synchronized");
	return pit_pass(out, "synchronized, error at most %.1f ms", (double)clock.max_error_us / 1000);
}

/* Who steers a clock; phc2sys and ptp4l belong together, and chronyd may follow them. */
static const struct {
	const char *comm;
	bool ptp;
} keepers[] = {
	{.comm = "chronyd"},
	{.comm = "ntpd"},
	{.comm = "ntpd-rs"},
	{.comm = "ntp-daemon"},
	{.comm = "openntpd"},
	{.comm = "systemd-timesyn"}, /* the kernel cuts names at 15 */
	{.comm = "ptp4l", .ptp = true},
	{.comm = "phc2sys", .ptp = true},
	{.comm = "timemaster", .ptp = true},
	{.comm = "VBoxService", .ptp = true},
	{.comm = "vmtoolsd", .ptp = true},
};

static const char *find_keeper(const struct pit_proc *p, bool *ret_ptp)
{
	for (size_t i = 0; i < PIT_COUNT(keepers); i++) {
		if (strcmp(p->comm, keepers[i].comm) != 0)
			continue;
		*ret_ptp = keepers[i].ptp;
		return keepers[i].comm;
	}
	return NULL;
}

int pit_net_time_daemon(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_offenders found = {0};
	const struct pit_procs *procs;
	const char *last = NULL;
	size_t ntp = 0;
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < procs->count; i++) {
		bool ptp = false;
		const char *comm = find_keeper(&procs->item[i], &ptp);

		/* A daemon may have helpers of its own name. */
		if (!comm || (last && !strcmp(comm, last)))
			continue;
		last = comm;
		ntp += !ptp;
		pit_offenders_add(&found, "%s", comm);
		pit_evidence(out, "process", "%s runs as %d", comm, procs->item[i].pid);
	}
	pit_want(out, "exactly one time service");
	if (!found.count && procs->hidden)
		return pit_skip(out, "the processes of others are hidden");
	if (!found.count)
		return pit_bad(out, "none runs");
	if (ntp > 1)
		return pit_bad(out, "%s", pit_offenders_text(&found));
	return pit_pass(out, "%s", pit_offenders_text(&found));
}
