/* SPDX-License-Identifier: MIT
 *
 * Slurm's NodeName line of this host against the machine.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/offenders.h"
#include "check/slurm.h"

int pit_slurm_host_load(struct pit_facts *f, struct pit_slurm_host *ret, struct pit_error *err)
{
	const struct pit_platform *platform;
	int rc = pit_slurm_conf_load(pit_facts_root(f), "slurm.conf", &ret->conf, err);

	if (!rc)
		rc = pit_facts_platform(f, &platform, err);
	if (rc)
		return rc;
	if (!platform->hostname[0])
		return pit_fail(err, ENOENT, "the name of this host is not known");
	ret->node = pit_slurm_node(&ret->conf, platform->hostname);
	if (!ret->node)
		return pit_fail(err, ENOENT, "%s has no NodeName line for %s: no compute node", ret->conf.path,
				platform->hostname);
	return 0;
}

/* A number of the node's line. 0, -ENOENT not set, -EBADMSG not a number. */
static int number_of(const struct pit_slurm_host *h, const char *key, uint64_t *ret)
{
	const char *value = pit_slurm_node_get(&h->conf, h->node, key);

	if (!value)
		return -ENOENT;
	return pit_parse_u64(value, ret) ? -EBADMSG : 0;
}

static uint64_t number_or(const struct pit_slurm_host *h, const char *key, uint64_t otherwise)
{
	uint64_t value;

	return number_of(h, key, &value) || value > UINT16_MAX ? otherwise : value;
}

/* 0: the line does not say. */
static uint64_t sockets_of(const struct pit_slurm_host *h)
{
	uint64_t sockets = number_or(h, "Sockets", 0), boards = number_or(h, "Boards", 1);

	return sockets ? sockets : boards * number_or(h, "SocketsPerBoard", boards > 1 ? 1 : 0);
}

uint64_t pit_slurm_host_cores(const struct pit_slurm_host *h)
{
	uint64_t sockets = sockets_of(h), per_socket = number_or(h, "CoresPerSocket", 0);

	return per_socket ? per_socket * (sockets ? sockets : 1) : 0;
}

static void name_node(const struct pit_slurm_host *h, struct pit_finding *out, const char *key)
{
	const char *value = pit_slurm_node_get(&h->conf, h->node, key);
	char where[320];

	snprintf(where, sizeof(where), "%s:%d", h->node->file, h->node->line);
	if (value)
		pit_evidence(out, where, "%s=%s", key, value);
	pit_origin(out, "%s", where);
}

/* A number of the line against the machine's; unknown ones are left out. */
static void compare(const struct pit_slurm_host *h, struct pit_offenders *p, struct pit_finding *out, const char *key,
		    uint64_t real)
{
	uint64_t value;
	int rc = number_of(h, key, &value);

	if (rc == -EBADMSG)
		pit_problem(p, out, h->node->file, "%s is not a number", key);
	else if (!rc && real && value != real)
		pit_problem(p, out, h->node->file, "%s=%" PRIu64 ", the machine has %" PRIu64, key, value, real);
}

uint64_t pit_slurm_host_cpus(const struct pit_slurm_host *h)
{
	uint64_t cpus = number_or(h, "CPUs", number_or(h, "Procs", 0));

	return cpus ? cpus : pit_slurm_host_cores(h) * number_or(h, "ThreadsPerCore", 1);
}

int pit_slurm_node_cpus_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			      struct pit_error *err)
{
	pit_auto_slurm_host struct pit_slurm_host h = {0};
	struct pit_offenders p = {0};
	const struct pit_topo *topo;
	const char *parameters;
	uint64_t cpus, promised;
	int rc = pit_slurm_host_load(f, &h, err);

	if (!rc)
		rc = pit_facts_topo(f, &topo, err);
	if (rc)
		return rc;
	cpus = (uint64_t)topo->cpus.count;
	promised = pit_slurm_host_cpus(&h);
	parameters = pit_slurm_get(&h.conf, "SlurmdParameters", NULL);
	name_node(&h, out, "NodeName");
	if (promised && promised != cpus)
		pit_problem(&p, out, h.node->file, "promises %" PRIu64 " CPUs, %" PRIu64 " are online", promised, cpus);
	if (topo->cores > 0 && cpus % (uint64_t)topo->cores == 0)
		compare(&h, &p, out, "ThreadsPerCore", cpus / (uint64_t)topo->cores);
	if (topo->packages > 0 && !pit_slurm_list_has(parameters, "l3cache_as_socket") &&
	    !pit_slurm_list_has(parameters, "numa_node_as_socket"))
		compare(&h, &p, out, "Sockets", (uint64_t)topo->packages);
	pit_want(out, "the machine's own counts (slurmd -C)");
	if (!promised)
		return pit_bad(out, "neither CPUs nor Sockets and CoresPerSocket: 1 CPU");
	if (p.count)
		return pit_judge(out, promised > cpus ? PIT_FAIL : PIT_WARN, PIT_RISK, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%" PRIu64 " CPUs", promised);
}

/* RealMemory and the machine's memory in MiB. */
static int load_memory(struct pit_facts *f, const struct pit_slurm_host *h, uint64_t *ret_promised, uint64_t *ret_total,
		       struct pit_error *err)
{
	struct pit_text meminfo;
	int rc = pit_root_read(pit_facts_root(f), &meminfo, "/proc/meminfo");

	if (!rc)
		rc = pit_kv_u64(meminfo.data, "MemTotal", ret_total);
	if (rc)
		return pit_fail(err, -rc, "MemTotal in /proc/meminfo");
	*ret_total /= 1024;
	*ret_promised = 1;
	rc = number_of(h, "RealMemory", ret_promised);
	return rc == -EBADMSG ? pit_fail(err, EBADMSG, "RealMemory is not a number") : 0;
}

int pit_slurm_real_memory_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				struct pit_error *err)
{
	pit_auto_slurm_host struct pit_slurm_host h = {0};
	uint64_t promised, total;
	int rc = pit_slurm_host_load(f, &h, err);

	if (!rc)
		rc = load_memory(f, &h, &promised, &total, err);
	if (rc)
		return rc;
	name_node(&h, out, "RealMemory");
	pit_evidence(out, "/proc/meminfo", "MemTotal %" PRIu64 " MiB", total);
	pit_want(out, "80 to 100%% of %" PRIu64 " MiB", total);
	if (promised > total)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "RealMemory=%" PRIu64 ", more than the %" PRIu64 " MiB here",
				 promised, total);
	if (promised == 1)
		return pit_bad(out, "RealMemory unset: 1 MiB");
	if (promised < total / 5 * 4)
		return pit_bad(out, "RealMemory=%" PRIu64 " of %" PRIu64 " MiB", promised, total);
	return pit_pass(out, "%" PRIu64 " of %" PRIu64 " MiB", promised, total);
}

int pit_slurm_mem_spec_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	const unsigned share = 98; /* percent of MemTotal that jobs may take together */
	pit_auto_slurm_host struct pit_slurm_host h = {0};
	uint64_t promised, total, spec = 0;
	int rc = pit_slurm_host_load(f, &h, err);

	if (!rc)
		rc = load_memory(f, &h, &promised, &total, err);
	if (rc)
		return rc;
	if (number_of(&h, "MemSpecLimit", &spec) == -EBADMSG)
		return pit_fail(err, EBADMSG, "MemSpecLimit is not a number");
	name_node(&h, out, "RealMemory");
	pit_evidence(out, "/proc/meminfo", "MemTotal %" PRIu64 " MiB", total);
	pit_want(out, "at least %u%% of memory kept from jobs", 100 - share);
	promised -= spec < promised ? spec : promised;
	if (promised * 100 > total * share)
		return pit_bad(out, "jobs may take %" PRIu64 " of %" PRIu64 " MiB", promised, total);
	return pit_pass(out, "%" PRIu64 " MiB kept from jobs", total - promised);
}
