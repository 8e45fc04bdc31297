/* SPDX-License-Identifier: MIT */
#include "base/parse.h"
#include "check/network.h"

#include <inttypes.h>
#include <string.h>

#include "check/counters.h"
#include "check/offenders.h"

/* One counter of a port: how many an hour are still healthy, and where it stops counting. */
struct limit {
	const char *dir, *name;
	double per_hour;
	uint64_t saturated; /* 0: 64 bits wide */
};

/* Widths from the InfiniBand specification's PortCounters; drivers with extended counters go beyond. */
static const struct limit errors[] = {
	{.dir = "counters", .name = "symbol_error", .per_hour = 10, .saturated = 65535},
	{.dir = "counters", .name = "link_error_recovery", .per_hour = 1, .saturated = 255},
	{.dir = "counters", .name = "port_rcv_errors", .per_hour = 10, .saturated = 65535},
	{.dir = "counters", .name = "local_link_integrity_errors", .per_hour = 1, .saturated = 15},
	{.dir = "counters", .name = "excessive_buffer_overrun_errors", .per_hour = 1, .saturated = 15},
	{.dir = "counters", .name = "port_rcv_remote_physical_errors", .per_hour = 100, .saturated = 65535},
	{.dir = "hw_counters", .name = "rx_icrc_encapsulated", .per_hour = 10},
};
static const struct limit flaps[] = {
	{.dir = "counters", .name = "link_downed", .per_hour = 5.0 / 24, .saturated = 255},
};
static const struct limit retries[] = {
	{.dir = "hw_counters", .name = "local_ack_timeout_err", .per_hour = 60},
	{.dir = "hw_counters", .name = "packet_seq_err", .per_hour = 3600},
	{.dir = "hw_counters", .name = "out_of_sequence", .per_hour = 3600},
	{.dir = "hw_counters", .name = "rnr_nak_retry_err", .per_hour = 60},
	{.dir = "hw_counters", .name = "out_of_buffer", .per_hour = 3600},
	{.dir = "counters", .name = "port_xmit_discards", .per_hour = 3600},
};

/* Fewer than this many are no pattern, however young the machine. */
#define LEAST 5

struct judge {
	const struct limit *limit;
	size_t limits;
	struct pit_facts *facts;
	struct pit_finding *out;
	double hours;
	struct pit_offenders bad;
	size_t read;
};

static void judge_counter(struct judge *j, const struct pit_port *p, const struct limit *l)
{
	char path[160], age[32];
	uint64_t n;
	bool full;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/%d/%s/%s", p->device, p->port, l->dir, l->name);
	if (pit_root_u64(pit_facts_root(j->facts), &n, "%s", path))
		return;
	j->read++;
	full = l->saturated && n == l->saturated;
	if (!full && (n < LEAST || j->hours <= 0 || (double)n <= l->per_hour * j->hours))
		return;
	pit_offenders_add(&j->bad, "%s/%d %s %" PRIu64, p->device, p->port, l->name, n);
	pit_evidence(j->out, path, "%" PRIu64 "%s, in at most %s", n, full ? " (the counter is full)" : "",
		     pit_format_age(j->hours * 3600, age, sizeof(age)));
}

static int judge_ports(const struct limit *limit, size_t limits, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct judge j = {
		.limit = limit, .limits = limits, .facts = facts, .out = out, .hours = pit_uptime_or_0(facts) / 3600};
	pit_auto_ports struct pit_ports ports = {0};
	int rc = pit_ports_load(facts, &ports, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < ports.count; i++)
		for (size_t k = 0; k < limits && !strcmp(ports.item[i].state, "ACTIVE"); k++)
			judge_counter(&j, &ports.item[i], &limit[k]);
	if (!j.read)
		return pit_skip(out, "no active port counts them");
	pit_want(out, "none, or few for the time since boot");
	if (j.bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&j.bad));
	return pit_pass(out, "few or none in %zu counters", j.read);
}

int pit_rdma_errors(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	return judge_ports(errors, PIT_COUNT(errors), facts, out, err);
}

int pit_rdma_flaps(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	return judge_ports(flaps, PIT_COUNT(flaps), facts, out, err);
}

int pit_rdma_retries(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	return judge_ports(retries, PIT_COUNT(retries), facts, out, err);
}
