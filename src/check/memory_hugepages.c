/* SPDX-License-Identifier: MIT
 *
 * Huge pages that are reserved: asked for, got, used, and where.
 */
#include "check/memory_hugepages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/counters.h"

#define DIR "/sys/kernel/mm/hugepages"

/* "8192", or by node "0:4096,1:4096". */
static bool parse_count(const char *text, uint64_t *ret)
{
	uint64_t sum = 0, n;

	if (!pit_parse_u64(text, ret))
		return true;
	while (*text) {
		size_t len = strcspn(text, ",");
		const char *colon = memchr(text, ':', len);
		char word[32];

		snprintf(word, sizeof(word), "%.*s", colon ? (int)(text + len - colon - 1) : 0, colon ? colon + 1 : "");
		if (pit_parse_u64(word, &n) || __builtin_add_overflow(sum, n, &sum))
			return false;
		text += len + (text[len] == ',');
	}
	*ret = sum;
	return true;
}

size_t pit_hugepages_asked(const struct pit_strv *cmdline, struct pit_hugepages_ask ret[PIT_HUGEPAGES_ASKS],
			   uint64_t *ret_default)
{
	struct pit_hugepages_ask *open = NULL;
	bool dropped = false; /* the kernel drops the count behind a size that it cannot read */
	size_t n = 0;

	*ret_default = 0;
	for (size_t i = 0; i < cmdline->count; i++) {
		const char *word = cmdline->item[i];
		uint64_t value;

		if (!strncmp(word, "default_hugepagesz=", 19) && !pit_parse_size(word + 19, &value))
			*ret_default = value;
		if (!strncmp(word, "hugepagesz=", 11)) {
			dropped = pit_parse_size(word + 11, &value) || n == PIT_HUGEPAGES_ASKS;
			open = dropped ? NULL : &ret[n++];
			if (open)
				*open = (struct pit_hugepages_ask){.size = value};
		}
		if (dropped || strncmp(word, "hugepages=", 10) != 0 || !parse_count(word + 10, &value))
			continue;
		if (!open && n < PIT_HUGEPAGES_ASKS) {
			open = &ret[n++];
			*open = (struct pit_hugepages_ask){0};
		}
		if (open && !open->counted) {
			open->count = value;
			open->counted = true;
		}
	}
	return n;
}

static int asked(struct pit_facts *facts, struct pit_hugepages_ask ret[PIT_HUGEPAGES_ASKS], size_t *ret_n,
		 uint64_t *ret_default, struct pit_error *err)
{
	const struct pit_strv *cmdline;
	int rc = pit_root_exists(pit_facts_root(facts), DIR);

	if (rc)
		return pit_fail(err, -rc, "this kernel has no huge pages to reserve");
	rc = pit_facts_cmdline(facts, &cmdline, err);
	if (!rc)
		*ret_n = pit_hugepages_asked(cmdline, ret, ret_default);
	return rc;
}

static bool is_offered(struct pit_facts *facts, uint64_t size)
{
	return !pit_root_exists(pit_facts_root(facts), DIR "/hugepages-%" PRIu64 "kB", size / 1024);
}

static int probe_sizes(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_hugepages_ask ask[PIT_HUGEPAGES_ASKS];
	uint64_t default_size, bad = 0;
	bool dangling = false;
	char size[32];
	size_t n;
	int rc = asked(facts, ask, &n, &default_size, err);

	if (rc)
		return rc;
	pit_want(out, "sizes that this kernel has, named for each count");
	for (size_t i = 0; i < n; i++) {
		if (ask[i].size && !is_offered(facts, ask[i].size))
			bad = ask[i].size;
		dangling |= !ask[i].size && !default_size && pit_page_size(facts) > 4096;
	}
	if (default_size && !is_offered(facts, default_size))
		bad = default_size;
	if (bad) {
		pit_evidence(out, "/proc/cmdline", "a huge page size of %s", pit_format_size(bad, size, sizeof(size)));
		pit_evidence(out, DIR, "this kernel, with pages of %" PRIu64 " KiB, does not have it",
			     pit_page_size(facts) / 1024);
		return pit_bad(out, "%s rejected, with the count behind it", pit_format_size(bad, size, sizeof(size)));
	}
	if (dangling)
		return pit_judge(out, PIT_WARN, PIT_RISK, "hugepages= without a size, which is 512 MiB here");
	return n ? pit_pass(out, "%zu sizes, all valid", n) : pit_pass(out, "none on the command line");
}

/* Pages of `size` (0: the default size) that there are; false unknown. */
static bool pages_of(struct pit_facts *facts, uint64_t size, uint64_t *ret)
{
	if (!size && pit_meminfo(facts, "Hugepagesize", &size, NULL))
		return false;
	return !pit_root_u64(pit_facts_root(facts), ret, DIR "/hugepages-%" PRIu64 "kB/nr_hugepages", size / 1024);
}

static int probe_short(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_hugepages_ask ask[PIT_HUGEPAGES_ASKS];
	uint64_t default_size, have, short_by = 0, wanted = 0;
	size_t n;
	int rc = asked(facts, ask, &n, &default_size, err);

	if (rc)
		return rc;
	pit_want(out, "as many as were asked for at boot");
	for (size_t i = 0; i < n; i++) {
		uint64_t size = ask[i].size ? ask[i].size : default_size;

		if (!ask[i].count || !pages_of(facts, size, &have))
			continue;
		wanted += ask[i].count;
		pit_evidence(out, DIR, "%" PRIu64 " of %" PRIu64 " pages of %" PRIu64 " kB", have, ask[i].count,
			     size / 1024);
		short_by += have < ask[i].count ? ask[i].count - have : 0;
	}
	if (short_by)
		return pit_bad(out, "%" PRIu64 " of %" PRIu64 " pages missing", short_by, wanted);
	return wanted ? pit_pass(out, "all %" PRIu64 " pages are there", wanted)
		      : pit_pass(out, "none asked for at boot");
}

struct reserved {
	uint64_t all, idle; /* bytes reserved, and those neither used nor promised to a mapping */
};

static void add_size(struct pit_root *root, const char *name, struct reserved *r, struct pit_finding *out)
{
	uint64_t kb, pages, unused, promised = 0, bytes;
	char number[32], path[128];

	if (sscanf(name, "hugepages-%31[0-9]kB", number) != 1 || pit_parse_u64(number, &kb) ||
	    pit_root_u64(root, &pages, DIR "/%s/nr_hugepages", name) || !pages ||
	    pit_root_u64(root, &unused, DIR "/%s/free_hugepages", name) || kb > UINT64_C(1) << 40 ||
	    __builtin_mul_overflow(pages, kb * 1024, &bytes))
		return;
	(void)pit_root_u64(root, &promised, DIR "/%s/resv_hugepages", name);
	unused = unused > pages ? pages : unused;
	snprintf(path, sizeof(path), DIR "/%.48s", name);
	pit_evidence(out, path, "%" PRIu64 " pages, %" PRIu64 " free, %" PRIu64 " promised", pages, unused, promised);
	r->all += bytes;
	r->idle += (unused > promised ? unused - promised : 0) * kb * 1024;
}

static int probe_unused(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *names;
	struct reserved r = {0};
	uint64_t total, left = UINT64_MAX;
	char all[32], idle[32];
	int rc = pit_root_list(root, &names, DIR);

	if (rc)
		return pit_fail(err, -rc, "this kernel has no huge pages to reserve");
	rc = pit_meminfo(facts, "MemTotal", &total, err);
	if (rc)
		return rc;
	(void)pit_meminfo(facts, "MemAvailable", &left, NULL);
	for (size_t i = 0; i < names->count; i++)
		add_size(root, names->item[i], &r, out);
	pit_want(out, "reserved pages in use, and below 80%% of memory");
	if (!r.all)
		return pit_pass(out, "none reserved");
	pit_format_size(r.all, all, sizeof(all));
	pit_format_size(r.idle, idle, sizeof(idle));
	if (r.all > total / 5 * 4 && left < total / 33)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "%s reserved, hardly anything left for the rest", all);
	if (r.idle * 2 >= r.all && r.idle >= total / 50)
		return pit_bad(out, "%s of %s reserved and unused", idle, all);
	return pit_pass(out, "%s of %s unused", idle, all);
}

/* Bytes of huge pages on a node; false when it has no such files. */
static bool pages_on_node(struct pit_root *root, int node, uint64_t *ret)
{
	const struct pit_strv *names;
	uint64_t sum = 0;

	if (pit_root_list(root, &names, "/sys/devices/system/node/node%d/hugepages", node))
		return false;
	for (size_t i = 0; i < names->count; i++) {
		uint64_t pages, kb;
		char number[32];

		if (sscanf(names->item[i], "hugepages-%31[0-9]kB", number) == 1 && !pit_parse_u64(number, &kb) &&
		    !pit_root_u64(root, &pages, "/sys/devices/system/node/node%d/hugepages/%s/nr_hugepages", node,
				  names->item[i]) &&
		    kb < UINT64_C(1) << 30 && pages < UINT64_C(1) << 30)
			sum += pages * kb * 1024;
	}
	*ret = sum;
	return true;
}

/* Nodes with CPUs only: memory of GPUs, CXL and the like takes no part. */
static int probe_nodes(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_idset struct pit_idset nodes = {0};
	uint64_t most = 0, least = UINT64_MAX, bytes;
	char a[32], b[32];
	int rc = pit_root_idset(root, &nodes, "/sys/devices/system/node/has_cpu");

	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		rc = pit_root_idset(root, &nodes, "/sys/devices/system/node/online");
	if (rc)
		return pit_fail(err, -rc, "/sys/devices/system/node/online");
	PIT_IDSET_FOREACH (node, &nodes) {
		if (!pages_on_node(root, node, &bytes))
			continue;
		most = bytes > most ? bytes : most;
		least = bytes < least ? bytes : least;
		if (bytes)
			pit_evidence(out, "/sys/devices/system/node", "node %d: %s", node,
				     pit_format_size(bytes, a, sizeof(a)));
	}
	pit_want(out, "the same on every node with CPUs");
	if (!most)
		return pit_pass(out, "none reserved");
	pit_format_size(most, a, sizeof(a));
	pit_format_size(least, b, sizeof(b));
	if (least < most - most / 10)
		return pit_bad(out, "%s on one node, %s on another", a, b);
	return pit_pass(out, "%s on each node", a);
}

const struct pit_check pit_check_memory_hugepages[] = {
	{
		.id = "memory.hugepages-size",
		.title = "Huge page sizes on the kernel command line",
		.why = "A size that this kernel's page size does not allow is rejected at boot, and the count behind it with it. "
		       "Profiles made for pages of 4 KiB fail that way on kernels with 64 KiB (1G there must be 512M).",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_sizes,
		.knob = "cmdline.hugepagesz cmdline.hugepages cmdline.default_hugepagesz",
		.remedy = "Name a size that /sys/kernel/mm/hugepages offers, and set default_hugepagesz.",
		.reboot = true,
		.source = "NVIDIA nodewright-packages#127",
		.refs = "https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
	},
	{
		.id = "memory.hugepages-short",
		.title = "Huge pages asked for and got",
		.why = "Fewer huge pages were made at boot than asked for, or somebody gave some back since. A program that counts on "
		       "them fails to start, or falls back to small pages.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_short,
		.knob = "hugepages",
		.remedy = "Ask for fewer, or reserve them early at boot.",
		.source = "kernel documentation of hugetlbpage",
		.refs = "https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
	},
	{
		.id = "memory.hugepages-unused",
		.title = "Huge pages reserved and not used",
		.why = "Reserved huge pages are taken from all other memory even when nobody maps them, and kubelet counts them as "
		       "available. Jobs then run out of memory on a machine that looks half empty.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_unused,
		.knob = "hugepages",
		.remedy = "Give back what no program maps (vm.nr_hugepages), or use transparent huge pages.",
		.source = "hotsos kernel/memory.yaml; kubernetes#137984",
		.refs = "https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
	},
	{
		.id = "memory.hugepages-nodes",
		.title = "Huge pages on each NUMA node",
		.why = "A rank on a node without huge pages gets them from another node, over the link between the sockets. It "
		       "happens when they are reserved at run time on a machine in use.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NODES,
		.probe = probe_nodes,
		.knob = "hugepages",
		.remedy = "Reserve them node by node (hugepages=0:N,1:N, or nr_hugepages under each node).",
		.source = "kernel documentation of hugetlbpage",
		.refs = "https://docs.kernel.org/admin-guide/mm/hugetlbpage.html",
	},
	{.id = NULL},
};
