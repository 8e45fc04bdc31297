/* SPDX-License-Identifier: MIT */
#include "check/numa.h"
#include "check/devices.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/counters.h"
#include "check/offenders.h"

/* Pages per second from which traffic between nodes counts as hurting: 40 MB/s with pages of 4 KiB. */
#define PAGES_HURT 10000
/* Allocations below this many in the window say nothing about shares. */
#define WINDOW_MIN 500
/* Booting alone puts a tenth of the first pages elsewhere: below 1 GiB of them the past says nothing. */
#define PAST_MIN 262144
#define MISSES_MAX 0.05
#define OTHER_MAX 0.2
#define HINT_FAULTS_HURT 1000

int pit_numa_balancing(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const char *path = "/proc/sys/kernel/numa_balancing";
	double faults = 0;
	int64_t mode;
	int rc = pit_root_i64(pit_facts_root(facts), &mode, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_want(out, "0");
	pit_evidence(out, path, "%" PRId64, mode);
	if (!mode)
		return pit_pass(out, "0");
	pit_origin_of(facts, path, NULL, NULL, out);
	if (!pit_gpu_count(facts))
		return pit_pass(out, "%" PRId64 ", which suits work on CPUs that nobody pins", mode);
	if (pit_facts_rate(facts, "/proc/vmstat", "numa_hint_faults", &faults, NULL) == -EAGAIN)
		return -EAGAIN;
	if (faults >= HINT_FAULTS_HURT) {
		pit_evidence(out, "/proc/vmstat", "numa_hint_faults grows by %.0f per second", faults);
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%" PRId64 ", %.0f faults per second", mode, faults);
	}
	return pit_bad(out, "%" PRId64, mode);
}

/* One counter against another, since boot and in the window. */
struct share {
	uint64_t part, rest;            /* since boot */
	double part_rate, window_share; /* -1 unknown */
};

static int read_share(struct pit_facts *facts, const char *part, const char *rest, struct share *ret,
		      struct pit_error *err)
{
	const char *path = "/proc/vmstat", *first, *second;
	struct share s = {.part_rate = -1, .window_share = -1};
	uint64_t part_then, rest_then;
	double seconds, grown;
	int rc = pit_two_readings(facts, path, &first, &second, &seconds);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	rc = pit_kv_u64(first, part, &part_then);
	rc = rc ? rc : pit_kv_u64(first, rest, &rest_then);
	rc = rc ? rc : pit_kv_u64(second, part, &s.part);
	rc = rc ? rc : pit_kv_u64(second, rest, &s.rest);
	if (rc)
		return pit_fail(err, -rc, "%s and %s in %s", part, rest, path);
	s.part_rate = pit_growth(part_then, s.part, seconds);
	grown = s.part_rate + pit_growth(rest_then, s.rest, seconds);
	if (seconds > 0 && grown * seconds >= WINDOW_MIN)
		s.window_share = s.part_rate / grown;
	*ret = s;
	return 0;
}

/* The nodes' own counters, for the finding. */
static void add_node_counters(struct pit_facts *facts, const char *key, struct pit_finding *out)
{
	const struct pit_topo *topo;
	struct pit_text text;
	char path[64];
	uint64_t n;

	if (pit_facts_topo(facts, &topo, NULL))
		return;
	for (size_t i = 0; i < topo->nodes; i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/numastat", topo->node[i].id);
		if (!pit_root_read(pit_facts_root(facts), &text, "%s", path) && !pit_kv_u64(text.data, key, &n) && n)
			pit_evidence(out, path, "%s %" PRIu64, key, n);
	}
}

static int judge_share(struct pit_facts *facts, const struct share *s, double most, const char *what,
		       const char *node_key, struct pit_finding *out)
{
	double total = (double)s->part + (double)s->rest, since_boot = total > 0 ? (double)s->part / total : 0;
	char age[32];

	if (total < 1)
		return pit_skip(out, "the counters stand at 0: vm.numa_stat is off, or nothing was counted");
	pit_want(out, "at most %.0f%% of allocations", most * 100);
	pit_evidence(out, "/proc/vmstat", "%s: %" PRIu64 " of %.0f pages in %s", what, s->part, total,
		     pit_format_age(pit_uptime_or_0(facts), age, sizeof(age)));
	if (s->window_share > most && s->part_rate >= PAGES_HURT) {
		add_node_counters(facts, node_key, out);
		pit_evidence(out, "/proc/vmstat", "%s grows by %.0f pages per second", what, s->part_rate);
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%.0f pages per second, %.0f%% of allocations",
				 s->part_rate, s->window_share * 100);
	}
	if (since_boot <= most || s->part < PAST_MIN)
		return pit_pass(out, "%.1f%% since boot", since_boot * 100);
	add_node_counters(facts, node_key, out);
	return pit_bad(out, "%.0f%% since boot%s", since_boot * 100, s->part_rate == 0 ? ", none now" : "");
}

int pit_numa_misses(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	struct share s;
	int rc = read_share(facts, "numa_miss", "numa_hit", &s, err);

	return rc ? rc : judge_share(facts, &s, MISSES_MAX, "numa_miss", "numa_miss", out);
}

int pit_numa_other_node(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct share s;
	int rc = read_share(facts, "numa_other", "numa_local", &s, err);

	return rc ? rc : judge_share(facts, &s, OTHER_MAX, "numa_other", "other_node", out);
}

/* Memory of one node that an allocation can get without swapping, in kB. */
static int node_free(struct pit_root *root, int id, uint64_t *ret_total, uint64_t *ret_free)
{
	static const char *const keys[] = {"MemFree", "Active(file)", "Inactive(file)", "SReclaimable"};
	struct pit_text text;
	uint64_t sum = 0, n;
	char key[48];
	int rc = pit_root_read(root, &text, "/sys/devices/system/node/node%d/meminfo", id);

	if (rc)
		return rc;
	snprintf(key, sizeof(key), "Node %d MemTotal", id);
	rc = pit_kv_u64(text.data, key, &n);
	if (rc)
		return rc == -ENOENT ? -EBADMSG : rc;
	*ret_total = n;
	for (size_t i = 0; i < PIT_COUNT(keys); i++) {
		snprintf(key, sizeof(key), "Node %d %s", id, keys[i]);
		if (!pit_kv_u64(text.data, key, &n))
			sum += n;
		else if (!i)
			return -EBADMSG;
	}
	*ret_free = sum;
	return 0;
}

#define FULL_BELOW 0.05
#define ROOM_ABOVE 0.25

int pit_numa_node_full(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_offenders full = {0};
	const struct pit_topo *topo;
	double best = 0, share, missed = 0;
	uint64_t total, avail;
	int rc = pit_facts_topo(facts, &topo, err);

	for (size_t i = 0; !rc && i < topo->nodes; i++) {
		if (topo->node[i].kind == PIT_NODE_GPU)
			continue; /* jobs fill it on purpose, and its room is no room for others */
		rc = node_free(pit_facts_root(facts), topo->node[i].id, &total, &avail);
		if (rc)
			return pit_fail(err, -rc, "/sys/devices/system/node/node%d/meminfo", topo->node[i].id);
		share = total ? (double)avail / (double)total : -1;
		best = share > best ? share : best;
		if (share >= 0)
			pit_evidence(out, "numa node meminfo", "node %d: %" PRIu64 " of %" PRIu64 " MiB can be had",
				     topo->node[i].id, avail >> 10, total >> 10);
		if (share >= 0 && share < FULL_BELOW)
			pit_offenders_add(&full, "node %d (%.1f%% left)", topo->node[i].id, share * 100);
	}
	if (rc)
		return rc;
	pit_want(out, "no node below %.0f%% while another has %.0f%%", FULL_BELOW * 100, ROOM_ABOVE * 100);
	if (!full.count || best < ROOM_ABOVE)
		return pit_pass(out, full.count ? "all nodes are full alike" : "every node has memory left");
	if (pit_facts_rate(facts, "/proc/vmstat", "numa_miss", &missed, NULL) == -EAGAIN)
		return -EAGAIN;
	if (missed > 0)
		pit_evidence(out, "/proc/vmstat", "numa_miss grows by %.0f pages per second", missed);
	return pit_judge(out, PIT_WARN, missed >= PAGES_HURT ? PIT_HURTING : PIT_RISK, "%s, another node has %.0f%%",
			 pit_offenders_text(&full), best * 100);
}

int pit_numa_demotion(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	const char *path = "/sys/kernel/mm/numa/demotion_enabled";
	double moved = 0, kswapd = 0;
	size_t memory_only = 0;
	const struct pit_topo *topo;
	char value[16];
	bool on;
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	rc = pit_root_str(pit_facts_root(facts), value, sizeof(value), "%s", path);
	if (rc || pit_parse_bool(value, &on))
		return pit_fail(err, rc ? -rc : EBADMSG, "%s", path);
	for (size_t i = 0; i < topo->nodes; i++)
		memory_only += topo->node[i].mem_only;
	pit_want(out, "false");
	pit_evidence(out, path, "%s", value);
	if (!on || !memory_only)
		return pit_pass(out, on ? "%s, and no node of memory only" : "%s", value);
	if (pit_facts_rate(facts, "/proc/vmstat", "pgdemote_direct", &moved, NULL) == -EAGAIN ||
	    pit_facts_rate(facts, "/proc/vmstat", "pgdemote_kswapd", &kswapd, NULL) == -EAGAIN)
		return -EAGAIN;
	if (moved + kswapd < PAGES_HURT)
		return pit_bad(out, "%s", value);
	pit_evidence(out, "/proc/vmstat", "pgdemote_* grow by %.0f pages per second", moved + kswapd);
	return pit_judge(out, PIT_WARN, PIT_HURTING, "%s, %.0f pages per second move", value, moved + kswapd);
}
