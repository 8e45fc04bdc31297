/* SPDX-License-Identifier: MIT
 *
 * Machines on which other launchers place ranks wrongly, fail, or leave cores unused; each test is named after its
 * case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch_site.h"

#define PLAN(s, ...) site_plan(s, (struct pit_placement_request){__VA_ARGS__})

/* The CPUs of each rank, in order; NULL ends them. */
static void seats_are(const struct pit_placement *p, const char *const *cpus)
{
	int r = 0;

	for (; cpus[r]; r++) {
		char got[512];

		assert_true(r < p->ranks);
		assert_string_equal(pit_idset_format(&p->seat[r].cpus, got, sizeof(got)), cpus[r]);
	}
	assert_int_equal(r, p->ranks);
}
#define SEATS(p, ...) seats_are(p, (const char *const[]){__VA_ARGS__, NULL})

static void mems_are(const struct pit_placement *p, int rank, const char *mems)
{
	char got[128];

	assert_string_equal(pit_idset_format(&p->seat[rank].mems, got, sizeof(got)), mems);
}

static bool says(const struct pit_strv *sentences, const char *part)
{
	for (size_t i = 0; i < sentences->count; i++)
		if (strstr(sentences->item[i], part))
			return true;
	return false;
}

static void numa_node_unknown(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 8, .smt = 1});
	auto_placement all = {0}, node = {0}, one = {0};

	SITE_GPUS(&s, -1, -1, -1, -1);
	all = PLAN(&s, .ranks = 4);
	SEATS(&all, "0-3", "4-7", "8-11", "12-15");
	for (int r = 0; r < 4; r++) {
		assert_int_equal(all.seat[r].home_at, -1);
		assert_int_equal(all.seat[r].distance, 0);
		assert_true(says(&all.seat[r].why, "not known"));
	}
	assert_true(says(&all.warnings, "nodes of the GPUs are not known"));
	node = PLAN(&s, .ranks = 4, .bind = PIT_BIND_NODE);
	SEATS(&node, "0-15", "0-15", "0-15", "0-15");
	s.gpu[0].node_at = s.gpu[1].node_at = 0;
	one = PLAN(&s, .ranks = 4);
	SEATS(&one, "0-3", "4-7", "8-11", "12-15");
	assert_int_equal(one.seat[0].home_at, 0);
	assert_true(says(&one.warnings, "of 2 of 4 ranks are not known"));
}

/* A virtual machine with one node: nobody needs to say where its GPUs are. */
static void numa_node_unknown_where_there_is_one(void **state)
{
	auto_site s = site_make((struct machine){.packages = 1, .nodes = 1, .cores = 8, .smt = 1});
	auto_placement p = {0};

	SITE_GPUS(&s, -1, -1);
	p = PLAN(&s, .ranks = 2);
	SEATS(&p, "0-3", "4-7");
	assert_int_equal(p.seat[0].home_at, 0);
	assert_int_equal(p.warnings.count, 0);
}

static void nodes_unknown(void **state)
{
	auto_site s = site_make((struct machine){.packages = 1, .nodes = 1, .cores = 8, .smt = 2});
	auto_placement p = {0};

	free(s.node[0].distance);
	s.nodes = 0;
	for (size_t i = 0; i < s.cores; i++)
		s.core[i].node_at = -1;
	SITE_GPUS(&s, -1, -1);
	p = PLAN(&s, .ranks = 2);
	SEATS(&p, "0-3,8-11", "4-7,12-15");
	assert_int_equal(p.seat[0].home_at, -1);
	assert_int_equal(p.mem, PIT_MEM_NONE);
}

static void cpuset_narrower(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 16, .smt = 2});
	auto_placement p = {0}, q = {0};

	SITE_GPUS(&s, 0, 0, 1, 1);
	site_allow(&s, "2-7,16-21,34-39,48-53");
	p = PLAN(&s, .ranks = 4);
	SEATS(&p, "2-4,34-36", "5-7,37-39", "16-18,48-50", "19-21,51-53");
	site_allow(&s, "16-21,48-53"); /* nothing of node 0 is left: its ranks go to the next */
	q = PLAN(&s, .ranks = 4);
	SEATS(&q, "16-17,48-49", "18-19,50-51", "20,52", "21,53");
	assert_int_equal(q.seat[0].home_at, 1);
	assert_int_equal(q.seat[0].distance, 32);
	assert_true(says(&q.seat[0].why, "which has no CPU for it: node 1 is the nearest, distance 32"));
}

static void cores_less_than_ranks(void **state)
{
	auto_site s = site_make((struct machine){.packages = 1, .nodes = 1, .cores = 1, .smt = 2});
	auto_placement two = {0}, five = {0}, l3 = {0};

	SITE_GPUS(&s, 0, 0);
	two = PLAN(&s, .ranks = 2); /* one core and two GPUs must not fail */
	SEATS(&two, "0", "1");
	assert_false(two.seat[0].shared);
	assert_int_equal(two.seat[0].threads, 1);
	assert_true(says(&two.warnings, "node 0 has 1 core (2 CPUs) for 2 ranks: ranks get single threads of a core"));
	five = PLAN(&s, .ranks = 5);
	SEATS(&five, "0-1", "0-1", "0-1", "0-1", "0-1");
	assert_true(five.seat[0].shared);
	assert_int_equal(five.seat[4].threads, 1);
	assert_true(says(&five.warnings, "ranks share CPUs"));
	l3 = PLAN(&s, .ranks = 2, .bind = PIT_BIND_L3);
	SEATS(&l3, "0", "1");
}

/* Cores of a node without ranks are used before CPUs are shared, and ranks keep a CPU near their GPU. */
static void cores_less_than_ranks_on_one_node(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 4, .smt = 1});
	auto_placement near = {0}, far = {0}, none = {0};

	SITE_GPUS(&s, 0, 0, 0, 0);
	site_allow(&s, "0-1,4-7");
	far = PLAN(&s, .ranks = 4);
	SEATS(&far, "0,4", "1,5", "6", "7");
	assert_true(says(&far.warnings, "node 0 has 2 CPUs for 4 ranks: 2 of them get CPUs of other nodes"));
	none = PLAN(&s, .ranks = 4, .spill = PIT_SPILL_NONE);
	SEATS(&none, "0", "0", "1", "1");
	assert_true(none.seat[0].shared);
	near = PLAN(&s, .ranks = 2);
	SEATS(&near, "0,4-5", "1,6-7");
}

static void smt_siblings_stay_together(void **state)
{
	static const struct {
		enum numbering numbering;
		const char *cpus[4];
	} rows[] = {
		{.numbering = BLOCKED, .cpus = {"0-1,8-9", "2-3,10-11", "4-5,12-13", "6-7,14-15"}},
		{.numbering = ADJACENT, .cpus = {"0-3", "4-7", "8-11", "12-15"}},
		{.numbering = EVEN_ODD, .cpus = {"0,2,8,10", "4,6,12,14", "1,3,9,11", "5,7,13,15"}},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		auto_site s = site_make((struct machine){
			.packages = 2, .nodes = 1, .cores = 4, .smt = 2, .numbering = rows[i].numbering});
		auto_placement p = {0};

		SITE_GPUS(&s, 0, 0, 1, 1);
		p = PLAN(&s, .ranks = 4);
		SEATS(&p, rows[i].cpus[0], rows[i].cpus[1], rows[i].cpus[2], rows[i].cpus[3]);
		assert_true(says(&p.seat[0].why, "siblings together"));
	}
}

/* A core of which one thread is allowed counts for one. */
static void partial_smt_core(void **state)
{
	auto_site s = site_make((struct machine){.packages = 1, .nodes = 1, .cores = 6, .smt = 2});
	auto_placement p = {0};

	SITE_GPUS(&s, 0, 0);
	site_allow(&s, "0-5,10-11"); /* second threads of cores 4 and 5 only */
	p = PLAN(&s, .ranks = 2);
	SEATS(&p, "0-3", "4-5,10-11");
	assert_int_equal(p.seat[0].threads, 4);
	assert_int_equal(p.seat[1].threads, 2);
}

static void gpu_less_numa_nodes(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 4, .l3s = 2, .cores = 8, .smt = 2});
	auto_placement p = {0}, none = {0};

	SITE_GPUS(&s, 1, 3, 5, 7); /* NPS4: half of the nodes have no GPU */
	p = PLAN(&s, .ranks = 4);
	SEATS(&p, "0-31,128-159", "32-63,160-191", "64-95,192-223", "96-127,224-255");
	assert_int_equal(p.seat[0].distance, 12);
	assert_true(says(&p.seat[0].why, "16 cores of node 0, where no rank is at home"));
	mems_are(&p, 0, "0-1");
	none = PLAN(&s, .ranks = 4, .spill = PIT_SPILL_NONE);
	SEATS(&none, "16-31,144-159", "48-63,176-191", "80-95,208-223", "112-127,240-255");
	assert_true(says(&none.idle_why, "CPUs 0-15,128-143: no rank is at home on node 0 (--spill none)"));
}

/* Cores come from the nearest nodes only, and even out. */
static void gpu_less_numa_node_between_two(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 2, .cores = 6, .smt = 1});
	auto_placement p = {0};

	SITE_GPUS(&s, 0, 0, 2, 3, 3);
	p = PLAN(&s, .ranks = 5);
	SEATS(&p, "0-2,6-8", "3-5,9-11", "12-17", "18-20", "21-23");
}

/* Ranks get neighbours where there are several such nodes, even if one has less. */
static void gpu_less_numa_nodes_stay_whole(void **state)
{
	auto_site s = site_make((struct machine){.packages = 1, .nodes = 4, .cores = 6, .smt = 1});
	auto_placement p = {0};

	SITE_GPUS(&s, 1, 3);
	site_allow(&s, "0-1,6-14,18-23");
	p = PLAN(&s, .ranks = 2);
	SEATS(&p, "0-1,6-11", "12-14,18-23");
}

/* Eight GPUs on every second node of NPS4, the nodes in the order in which such a machine has them. */
static void gpu_less_numa_nodes_and_gpus_in_other_order(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 4, .l3s = 4, .cores = 4, .smt = 2});
	auto_placement p = {0};

	SITE_GPUS(&s, 3, 3, 1, 1, 7, 7, 5, 5);
	p = PLAN(&s, .ranks = 8);
	SEATS(&p, "32-39,48-55,160-167,176-183", "40-47,56-63,168-175,184-191", "0-7,16-23,128-135,144-151",
	      "8-15,24-31,136-143,152-159", "96-103,112-119,224-231,240-247", "104-111,120-127,232-239,248-255",
	      "64-71,80-87,192-199,208-215", "72-79,88-95,200-207,216-223");
}

static void gpu_less_numa_nodes_without_distances(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 2, .cores = 2, .smt = 1});
	auto_placement p = {0}, q = {0};

	for (size_t i = 0; i < s.nodes; i++) {
		free(s.node[i].distance);
		s.node[i].distance = NULL;
	}
	SITE_GPUS(&s, 3, 0); /* nodes 1 and 2 are nearest to the one in their package */
	p = PLAN(&s, .ranks = 2);
	SEATS(&p, "4-7", "0-3");
	assert_int_equal(p.seat[0].distance, 0);
	site_add_gpu(&s, 1);
	q = PLAN(&s, .ranks = 3);
	SEATS(&q, "4-7", "0-1", "2-3");
}

static void memory_only_nodes(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 72, .smt = 1});
	auto_placement own = {0}, socket = {0}, spread = {0};

	for (size_t i = 0; i < 2; i++) /* as on Grace Hopper, each GPU brings nodes of its own */
		for (int k = 0; k < 8; k++)
			site_add_memory(&s, PIT_NODE_GPU, false, i, 80);
	SITE_GPUS(&s, 2, 10); /* their node is the GPU's own memory, which has no CPU */
	own = PLAN(&s, .ranks = 2);
	SEATS(&own, "0-71", "72-143");
	mems_are(&own, 0, "0");
	mems_are(&own, 1, "1");
	assert_int_equal(own.seat[1].home_at, 1);
	assert_int_equal(own.seat[1].distance, 80);
	socket = PLAN(&s, .ranks = 2, .bind = PIT_BIND_SOCKET);
	SEATS(&socket, "0-71", "72-143");
	spread = PLAN(&s, .ranks = 2, .mem = PIT_MEM_INTERLEAVE);
	mems_are(&spread, 0, "0-1");
}

static void node_without_memory(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 2, .cores = 4, .smt = 1});
	auto_placement p = {0};

	s.node[3].mem = false;
	SITE_GPUS(&s, 0, 3);
	p = PLAN(&s, .ranks = 2, .spill = PIT_SPILL_NONE, .mem = PIT_MEM_BIND);
	mems_are(&p, 1, "2");
	assert_true(says(&p.seat[1].why, "node 3 has none for programs and 2 is the nearest"));
}

static void mig_instances_of_one_gpu(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 14, .smt = 1});
	auto_placement p = {0}, one = {0};

	for (int i = 0; i < 7; i++) {
		struct pit_site_gpu *g = site_add_gpu(&s, 1);

		g->mig = true;
		g->parent = 0;
		snprintf(g->uuid, sizeof(g->uuid), "MIG-%d", i);
	}
	p = PLAN(&s, .per_gpu = 1, .spill = PIT_SPILL_NONE);
	assert_int_equal(p.view, PIT_GPU_VIEW_OWN); /* CUDA shows a process one instance only */
	SEATS(&p, "14-15", "16-17", "18-19", "20-21", "22-23", "24-25", "26-27");
	for (int r = 0; r < 7; r++) {
		assert_int_equal(p.seat[r].gpu_first, r);
		assert_int_equal(p.seat[r].gpu_sharers, 1);
	}
	one = PLAN(&s, .ranks = 1);
	assert_int_equal(one.view, PIT_GPU_VIEW_ALL);
	assert_true(says(&one.warnings, "only the first MIG instance"));
}

static void several_ranks_on_one_gpu(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 8, .smt = 2});
	auto_placement p = {0};

	SITE_GPUS(&s, 1, 0);
	p = PLAN(&s, .per_gpu = 4);
	assert_int_equal(p.ranks, 8);
	SEATS(&p, "8-9,24-25", "10-11,26-27", "12-13,28-29", "14-15,30-31", "0-1,16-17", "2-3,18-19", "4-5,20-21",
	      "6-7,22-23");
	for (int r = 0; r < 8; r++) {
		assert_int_equal(p.seat[r].gpu_first, r / 4);
		assert_int_equal(p.seat[r].gpu_sharers, 4);
	}
}

static void ranks_without_gpu(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 2, .cores = 4, .smt = 1});
	auto_site six = site_make((struct machine){.packages = 2, .nodes = 3, .cores = 2, .smt = 1});
	auto_placement few = {0}, many = {0}, uneven = {0}, four = {0};

	few = PLAN(&s, .ranks = 2); /* a package each, not two nodes of one */
	SEATS(&few, "0-7", "8-15");
	four = PLAN(&six, .ranks = 4); /* no rank in two packages */
	SEATS(&four, "0-3", "4-5", "6-9", "10-11");
	many = PLAN(&s, .ranks = 6);
	SEATS(&many, "0-1", "2-3", "4-5", "6-7", "8-11", "12-15");
	site_allow(&s, "0-3,4,8-11,12-13");
	uneven = PLAN(&s, .ranks = 5); /* 4, 1, 4 and 2 CPUs: 2, 0, 2 and 1 ranks */
	SEATS(&uneven, "0-1,4", "2-3", "8-9", "10-11", "12-13");
}

static void offline_cpus(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 4, .smt = 2});
	struct pit_idset on = {0};
	auto_placement p = {0};

	assert_int_equal(pit_idset_parse("0-1,3-7,8-9,11,13-15", &on, NULL), 0); /* core 2 and a thread of core 4 */
	site_keep(&s, &on, true);
	pit_idset_free(&on);
	SITE_GPUS(&s, 0, 1);
	p = PLAN(&s, .ranks = 2);
	SEATS(&p, "0-1,3,8-9,11", "4-7,13-15");
}

static void memory_policy(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 4, .smt = 1});
	static const struct {
		enum pit_bind bind;
		enum pit_mem asked, got;
		const char *mems;
	} rows[] = {
		{.asked = PIT_MEM_AUTO, .got = PIT_MEM_PREFER, .mems = "1"},
		{.asked = PIT_MEM_BIND, .got = PIT_MEM_BIND, .mems = "1"},
		{.asked = PIT_MEM_INTERLEAVE, .got = PIT_MEM_INTERLEAVE, .mems = "0-1"},
		{.asked = PIT_MEM_LOCAL, .got = PIT_MEM_LOCAL, .mems = ""},
		{.asked = PIT_MEM_NONE, .got = PIT_MEM_NONE, .mems = ""},
		{.bind = PIT_BIND_NONE, .asked = PIT_MEM_AUTO, .got = PIT_MEM_NONE, .mems = ""},
		{.bind = PIT_BIND_NONE, .asked = PIT_MEM_PREFER, .got = PIT_MEM_PREFER, .mems = "1"},
	};

	SITE_GPUS(&s, 0, 1);
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		auto_placement p = PLAN(&s, .ranks = 2, .bind = rows[i].bind, .mem = rows[i].asked);

		assert_int_equal(p.mem, rows[i].got);
		mems_are(&p, 1, rows[i].mems);
	}
}

/* Counting CPUs from the rank's number puts rank 0 half on the other socket here. */
static void arithmetic_fails_on_nps4(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 4, .l3s = 2, .cores = 8, .smt = 2});
	auto_placement p = {0};

	SITE_GPUS(&s, 0, 2, 4, 6);
	p = PLAN(&s, .ranks = 4, .spill = PIT_SPILL_NONE);
	SEATS(&p, "0-15,128-143", "32-47,160-175", "64-79,192-207", "96-111,224-239");
}

/* And here rank 4 would start on the first socket, and siblings be four CPUs off. */
static void arithmetic_fails_on_26_cores(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 26, .smt = 2});
	auto_placement p = {0};

	SITE_GPUS(&s, 0, 0, 0, 0, 1, 1, 1, 1);
	p = PLAN(&s, .ranks = 8);
	SEATS(&p, "0-6,52-58", "7-13,59-65", "14-19,66-71", "20-25,72-77", "26-32,78-84", "33-39,85-91", "40-45,92-97",
	      "46-51,98-103");
}

static void arithmetic_fails_when_gpus_come_in_other_order(void **state)
{
	auto_site s =
		site_make((struct machine){.packages = 2, .nodes = 1, .cores = 8, .smt = 1, .numbering = EVEN_ODD});
	auto_placement p = {0};

	SITE_GPUS(&s, 1, 1, 0, 0);
	p = PLAN(&s, .ranks = 4);
	SEATS(&p, "1,3,5,7", "9,11,13,15", "0,2,4,6", "8,10,12,14");
}

/* 2 sockets, 2 GPUs and 3 L3 caches of 3 cores on each: the k-th rank of a node has its k-th cache. */
static void a_cache_for_each_rank(void **state)
{
	auto_site s = site_make(
		(struct machine){.packages = 2, .nodes = 1, .l3s = 3, .cores = 3, .smt = 2, .numbering = ADJACENT});
	auto_placement l3 = {0}, exclusive = {0}, shared = {0};

	SITE_GPUS(&s, 0, 0, 1, 1);
	l3 = PLAN(&s, .ranks = 4, .bind = PIT_BIND_L3);
	SEATS(&l3, "0-5", "6-11", "18-23", "24-29");
	assert_true(says(&l3.idle_why, "CPUs 12-17: L3 caches of node 0 that no rank was given"));
	exclusive = PLAN(&s, .ranks = 4);
	SEATS(&exclusive, "0-9", "10-17", "18-27", "28-35");
	shared = PLAN(&s, .ranks = 16, .bind = PIT_BIND_L3);
	assert_true(shared.seat[0].shared && pit_idset_equal(&shared.seat[0].cpus, &shared.seat[3].cpus));
	assert_int_equal(shared.seat[0].threads, 1); /* 3 cores, 3 ranks: 8 ranks on 3 caches */
}

/* Only some ranks' GPUs are shown to the job: ranks are split over what is there. */
static void gpus_hidden_by_the_scheduler(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 1, .cores = 8, .smt = 1});
	auto_placement p = {0}, alone = {0};

	SITE_GPUS(&s, 1);
	p = PLAN(&s, .ranks = 2, .spill = PIT_SPILL_NONE);
	SEATS(&p, "8-11", "12-15");
	alone = PLAN(&s, .ranks = 1);
	SEATS(&alone, "8-15");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numa_node_unknown),
		cmocka_unit_test(numa_node_unknown_where_there_is_one),
		cmocka_unit_test(nodes_unknown),
		cmocka_unit_test(cpuset_narrower),
		cmocka_unit_test(cores_less_than_ranks),
		cmocka_unit_test(cores_less_than_ranks_on_one_node),
		cmocka_unit_test(smt_siblings_stay_together),
		cmocka_unit_test(partial_smt_core),
		cmocka_unit_test(gpu_less_numa_nodes),
		cmocka_unit_test(gpu_less_numa_node_between_two),
		cmocka_unit_test(gpu_less_numa_nodes_stay_whole),
		cmocka_unit_test(gpu_less_numa_nodes_and_gpus_in_other_order),
		cmocka_unit_test(gpu_less_numa_nodes_without_distances),
		cmocka_unit_test(memory_only_nodes),
		cmocka_unit_test(node_without_memory),
		cmocka_unit_test(mig_instances_of_one_gpu),
		cmocka_unit_test(several_ranks_on_one_gpu),
		cmocka_unit_test(ranks_without_gpu),
		cmocka_unit_test(offline_cpus),
		cmocka_unit_test(memory_policy),
		cmocka_unit_test(arithmetic_fails_on_nps4),
		cmocka_unit_test(arithmetic_fails_on_26_cores),
		cmocka_unit_test(arithmetic_fails_when_gpus_come_in_other_order),
		cmocka_unit_test(a_cache_for_each_rank),
		cmocka_unit_test(gpus_hidden_by_the_scheduler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
