/* SPDX-License-Identifier: MIT
 *
 * What placement.h promises, one promise a test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch_site.h"

#define REQUEST(...) ((struct pit_placement_request){__VA_ARGS__})

static void set_is(const struct pit_idset *set, const char *list)
{
	char got[512];

	assert_string_equal(pit_idset_format(set, got, sizeof(got)), list);
}

static bool says(const struct pit_strv *sentences, const char *part)
{
	for (size_t i = 0; i < sentences->count; i++)
		if (strstr(sentences->item[i], part))
			return true;
	return false;
}

/* Two sockets of 8 cores with two threads, L3 caches of 4 cores; CPUs 0-15 and their siblings 16-31. */
static struct pit_site two_sockets(void)
{
	return site_make((struct machine){.packages = 2, .nodes = 1, .l3s = 2, .cores = 4, .smt = 2});
}

static void a_request_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		struct pit_placement_request request;
		int gpus;
		const char *text;
	} rows[] = {
		{.request = {.ranks = 3, .per_gpu = 2},
		 .gpus = 2,
		 .text = "--ranks 3 and --per-gpu 2 (4 ranks on 2 GPUs)"},
		{.request = {.per_gpu = 2}, .text = "--per-gpu 2: this job sees no GPU (NVML)"},
		{.request = {.ranks = 4097}, .text = "4097 ranks are more than one host takes (4096)"},
		{.request = {.per_gpu = 2049}, .gpus = 2, .text = "4098 ranks are more"},
		{.request = {.ranks = -1}, .text = "negative"},
		{.request = {.per_gpu = -1}, .gpus = 1, .text = "negative"},
		{.request = {.reserve = -1}, .text = "negative"},
		{.request = {.reserve = 31},
		 .text = "--cpus-reserve 31: of 32 allowed CPUs (16 cores) none would be left"},
		{.request = {.reserve = 99}, .text = "none would be left"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		auto_site s = two_sockets();
		struct pit_placement p = {.ranks = 77};
		struct pit_error err = PIT_ERROR_INIT;

		strcpy(s.gpus_why, "NVML");
		for (int g = 0; g < rows[i].gpus; g++)
			site_add_gpu(&s, g);
		assert_int_equal(pit_placement_make(&s, &rows[i].request, &p, &err), -EINVAL);
		assert_non_null(strstr(err.text, rows[i].text));
		assert_int_equal(pit_placement_make(&s, &rows[i].request, &p, NULL), -EINVAL);
		assert_int_equal(p.ranks, 77); /* written on success only */
	}
}

static void without_cpus_there_is_no_placement(void **state)
{
	struct pit_site s = {.allowed_why = "affinity"};
	struct pit_placement p = {0};
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_placement_make(&s, &REQUEST(.ranks = 1), &p, &err), -EINVAL);
	assert_string_equal(err.text, "this job may use no CPU (affinity)");
}

static void freed_is_all_zero(void **state)
{
	auto_site s = two_sockets();
	struct pit_placement p = site_plan(&s, REQUEST(.ranks = 2, .reserve = 1)), zero = {0};

	pit_placement_free(&p);
	assert_memory_equal(&p, &zero, sizeof(p));
	pit_placement_free(&p);
}

static void ranks_come_from_the_request_or_the_gpus(void **state)
{
	auto_site s = two_sockets();
	auto_placement one = {0}, by_gpu = {0}, both = {0};

	SITE_GPUS(&s, 0, 1);
	one = site_plan(&s, REQUEST(.ranks = 0));
	assert_int_equal(one.ranks, 1);
	assert_int_equal(one.bind, PIT_BIND_EXCLUSIVE); /* its GPUs are on several nodes: all is its own */
	assert_int_equal(one.seat[0].gpus, 2);
	set_is(&one.seat[0].cpus, "0-31");
	by_gpu = site_plan(&s, REQUEST(.per_gpu = 3));
	assert_int_equal(by_gpu.ranks, 6);
	assert_int_equal(by_gpu.bind, PIT_BIND_EXCLUSIVE);
	both = site_plan(&s, REQUEST(.ranks = 2, .per_gpu = 1));
	assert_int_equal(both.ranks, 2);
}

static void one_rank_stays_beside_gpus_of_one_node(void **state)
{
	auto_site s = two_sockets();
	auto_placement p = {0};

	SITE_GPUS(&s, 1, 1);
	p = site_plan(&s, REQUEST(.ranks = 1));
	assert_int_equal(p.bind, PIT_BIND_NODE);
	assert_int_equal(p.seat[0].gpus, 2);
	assert_int_equal(p.seat[0].distance, 10);
	assert_int_equal(p.seat[0].home_at, 1);
}

static void gpus_go_to_ranks_evenly(void **state)
{
	static const struct {
		struct pit_placement_request request;
		int gpus;
		enum pit_gpu_view view;
		int first[6], count[6], sharers[6];
	} rows[] = {
		{.request = {.ranks = 1}, .gpus = 4, .view = PIT_GPU_VIEW_ALL, .count = {4}, .sharers = {1}},
		{.request = {.ranks = 4},
		 .gpus = 4,
		 .view = PIT_GPU_VIEW_ALL,
		 .first = {0, 1, 2, 3},
		 .count = {1, 1, 1, 1},
		 .sharers = {1, 1, 1, 1}},
		{.request = {.ranks = 3},
		 .gpus = 4,
		 .view = PIT_GPU_VIEW_ALL,
		 .first = {0, 1, 2},
		 .count = {1, 1, 1},
		 .sharers = {1, 1, 1}},
		{.request = {.ranks = 3, .view = PIT_GPU_VIEW_OWN},
		 .gpus = 4,
		 .view = PIT_GPU_VIEW_OWN,
		 .first = {0, 2, 3},
		 .count = {2, 1, 1},
		 .sharers = {1, 1, 1}},
		{.request = {.ranks = 5},
		 .gpus = 2,
		 .view = PIT_GPU_VIEW_OWN,
		 .first = {0, 0, 0, 1, 1},
		 .count = {1, 1, 1, 1, 1},
		 .sharers = {3, 3, 3, 2, 2}},
		{.request = {.ranks = 3}, .view = PIT_GPU_VIEW_OWN},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		auto_site s = two_sockets();
		auto_placement p = {0};

		for (int g = 0; g < rows[i].gpus; g++)
			site_add_gpu(&s, g % 2);
		p = site_plan(&s, rows[i].request);
		assert_int_equal(p.view, rows[i].view);
		for (int r = 0; r < p.ranks; r++) {
			assert_int_equal(p.seat[r].gpu_first, rows[i].first[r]);
			assert_int_equal(p.seat[r].gpus, rows[i].count[r]);
			assert_int_equal(p.seat[r].gpu_sharers, rows[i].sharers[r]);
		}
	}
}

static void a_gpu_without_rank_is_told(void **state)
{
	auto_site s = two_sockets();
	auto_placement three = {0}, two = {0}, more = {0};

	SITE_GPUS(&s, 0, 0, 1, 1);
	three = site_plan(&s, REQUEST(.ranks = 3));
	assert_true(says(&three.warnings, "GPU 0000:35:00.0 has no rank"));
	two = site_plan(&s, REQUEST(.ranks = 2));
	assert_true(says(&two.warnings, "each of the GPUs 2-3 has no rank"));
	more = site_plan(&s, REQUEST(.ranks = 8, .view = PIT_GPU_VIEW_ALL));
	assert_true(says(&more.warnings, "cuda:LOCAL_RANK does not exist for ranks from 4 on"));
}

static void mig_is_seen_by_its_owner_alone(void **state)
{
	auto_site s = two_sockets();
	auto_placement automatic = {0}, all = {0};

	SITE_GPUS(&s, 0, 0);
	s.gpu[1].mig = true;
	automatic = site_plan(&s, REQUEST(.ranks = 2));
	assert_int_equal(automatic.view, PIT_GPU_VIEW_OWN);
	all = site_plan(&s, REQUEST(.ranks = 2, .view = PIT_GPU_VIEW_ALL));
	assert_true(says(&all.warnings, "every rank would use the same one"));
}

static void the_binds_give_what_they_say(void **state)
{
	static const struct {
		enum pit_bind bind;
		const char *cpus[4], *idle;
		unsigned threads, cores;
		bool shared;
	} rows[] = {
		{.bind = PIT_BIND_NODE,
		 .cpus = {"0-7,16-23", "0-7,16-23", "0-7,16-23", "8-15,24-31"},
		 .idle = "",
		 .threads = 2,
		 .cores = 8,
		 .shared = true},
		{.bind = PIT_BIND_SOCKET,
		 .cpus = {"0-7,16-23", "0-7,16-23", "0-7,16-23", "8-15,24-31"},
		 .idle = "",
		 .threads = 2,
		 .cores = 8,
		 .shared = true},
		{.bind = PIT_BIND_EXCLUSIVE,
		 .cpus = {"0-2,16-18", "3-5,19-21", "6-7,22-23", "8-15,24-31"},
		 .idle = "",
		 .threads = 3,
		 .cores = 3},
		{.bind = PIT_BIND_L3,
		 .cpus = {"0-3,16-19", "4-7,20-23", "0-3,16-19", "8-11,24-27"},
		 .idle = "12-15,28-31",
		 .threads = 2,
		 .cores = 4,
		 .shared = true},
		{.bind = PIT_BIND_NONE, .cpus = {"", "", "", ""}, .idle = "", .threads = 4},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		auto_site s = two_sockets();
		auto_placement p = {0};

		SITE_GPUS(&s, 0, 0, 0, 1);
		p = site_plan(&s, REQUEST(.ranks = 4, .bind = rows[i].bind));
		for (int r = 0; r < 4; r++)
			set_is(&p.seat[r].cpus, rows[i].cpus[r]);
		set_is(&p.idle, rows[i].idle);
		assert_int_equal(p.bind, rows[i].bind);
		assert_int_equal(p.seat[0].threads, rows[i].threads);
		assert_int_equal(p.seat[0].cores, rows[i].cores);
		assert_int_equal(p.seat[0].shared, rows[i].shared);
		assert_int_equal(p.seat[0].home_at, 0);
		assert_int_equal(p.seat[3].home_at, 1);
	}
}

static void a_socket_may_have_several_nodes_and_a_node_several_sockets(void **state)
{
	auto_site many = site_make((struct machine){.packages = 2, .nodes = 2, .cores = 4, .smt = 1});
	auto_site one = site_make((struct machine){.packages = 1, .nodes = 1, .cores = 8, .smt = 1});
	auto_placement p = {0}, q = {0}, unknown = {0};

	SITE_GPUS(&many, 3);
	p = site_plan(&many, REQUEST(.ranks = 1, .bind = PIT_BIND_SOCKET));
	set_is(&p.seat[0].cpus, "8-15");
	assert_int_equal(p.seat[0].distance, 12);
	for (size_t i = 0; i < many.cores; i++)
		many.core[i].package = -1;
	unknown = site_plan(&many, REQUEST(.ranks = 1, .bind = PIT_BIND_SOCKET));
	set_is(&unknown.seat[0].cpus, "12-15");
	assert_true(says(&unknown.seat[0].why, "the package is not known: the node instead"));
	SITE_GPUS(&one, 0);
	one.core[7].package = 1;
	q = site_plan(&one, REQUEST(.ranks = 1, .bind = PIT_BIND_SOCKET));
	set_is(&q.seat[0].cpus, "0-7");
}

static void unknown_l3_caches_are_divided_as_cores(void **state)
{
	auto_site s = site_make((struct machine){.packages = 1, .nodes = 1, .cores = 8, .smt = 1});
	auto_placement p = site_plan(&s, REQUEST(.ranks = 2, .bind = PIT_BIND_L3));

	assert_int_equal(p.bind, PIT_BIND_EXCLUSIVE);
	set_is(&p.seat[1].cpus, "4-7");
	assert_true(says(&p.warnings, "L3 caches are not known"));
}

static void whole_caches_are_kept_while_shares_stay_even(void **state)
{
	static const struct {
		int l3s, cores, ranks;
		const char *first, *last, *why;
	} rows[] = {
		{.l3s = 8, .cores = 4, .ranks = 4, .first = "0-7", .last = "24-31", .why = "whole L3 caches"},
		{.l3s = 12, .cores = 2, .ranks = 5, .first = "0-3", .last = "19-23", .why = "L3 caches shared where"},
		{.l3s = 17, .cores = 1, .ranks = 2, .first = "0-8", .last = "9-16", .why = "whole L3 caches"},
		{.l3s = 2, .cores = 8, .ranks = 4, .first = "0-3", .last = "12-15", .why = "L3 caches shared where"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		auto_site s = site_make((struct machine){
			.packages = 1, .nodes = 1, .l3s = rows[i].l3s, .cores = rows[i].cores, .smt = 1});
		auto_placement p = site_plan(&s, REQUEST(.ranks = rows[i].ranks));

		set_is(&p.seat[0].cpus, rows[i].first);
		set_is(&p.seat[p.ranks - 1].cpus, rows[i].last);
		assert_true(says(&p.seat[0].why, rows[i].why));
	}
}

/* As many caches as ranks, but the cpuset left one core of the second. */
static void a_cache_with_few_cores_is_no_fair_share(void **state)
{
	auto_site s = site_make((struct machine){.packages = 1, .nodes = 1, .l3s = 2, .cores = 4, .smt = 1});
	auto_placement even = {0}, near = {0};

	site_allow(&s, "0-6");
	near = site_plan(&s, REQUEST(.ranks = 2));
	set_is(&near.seat[1].cpus, "4-6");
	site_allow(&s, "0-4");
	even = site_plan(&s, REQUEST(.ranks = 2));
	set_is(&even.seat[1].cpus, "3-4");
}

/* A core where interrupts are served is the one over, not a rank's fair share. */
static void a_core_with_interrupts_goes_where_more_is(void **state)
{
	auto_site s = site_make((struct machine){.packages = 1, .nodes = 1, .cores = 9, .smt = 1});
	auto_placement p = {0};

	s.core[8].irq = true;
	p = site_plan(&s, REQUEST(.ranks = 4));
	set_is(&p.seat[0].cpus, "0-1");
	set_is(&p.seat[3].cpus, "6-8");
}

static void one_thread_leaves_the_others_idle(void **state)
{
	auto_site s = two_sockets();
	auto_placement p = {0};

	SITE_GPUS(&s, 0, 1);
	site_allow(&s, "0,2-31"); /* of core 0, thread 16 is left... */
	site_allow(&s, "1-31");   /* ...and is its lowest now */
	p = site_plan(&s, REQUEST(.ranks = 2, .one_thread = true));
	set_is(&p.seat[0].cpus, "2-7,16-17");
	set_is(&p.seat[1].cpus, "8-15");
	set_is(&p.idle, "18-31");
	assert_true(says(&p.idle_why, "CPUs 18-31: further threads of cores (--smt 1)"));
	assert_int_equal(p.seat[1].threads, 8);
}

static void reserved_cpus_are_whole_cores_with_interrupts_first(void **state)
{
	static const struct {
		int reserve;
		int irq[3]; /* by core; 0 ends them */
		const char *reserved;
	} rows[] = {
		{.reserve = 1, .reserved = "0,16"},
		{.reserve = 3, .reserved = "0-1,16-17"},
		{.reserve = 2, .irq = {9}, .reserved = "9,25"},
		{.reserve = 3, .irq = {9}, .reserved = "0,9,16,25"},
		{.reserve = 2, .irq = {3, 9}, .reserved = "3,19"},
		{.reserve = 16, .reserved = "0-6,8,16-22,24"}, /* each node keeps a core */
		{.reserve = 30, .reserved = "0-14,16-30"},     /* until it cannot */
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++)
		for (int bind = PIT_BIND_AUTO; bind < PIT_BIND_NONE; bind++) {
			auto_site s = two_sockets();
			auto_placement p = {0};

			SITE_GPUS(&s, 0, 1);
			for (int k = 0; k < 3 && rows[i].irq[k]; k++)
				s.core[rows[i].irq[k]].irq = true;
			p = site_plan(&s, REQUEST(.ranks = 2, .reserve = rows[i].reserve, .bind = (enum pit_bind)bind));
			set_is(&p.reserved, rows[i].reserved);
			for (int r = 0; r < 2; r++)
				assert_false(pit_idset_intersects(&p.seat[r].cpus, &p.reserved));
		}
}

static void reserved_cpus_without_binding_are_told(void **state)
{
	auto_site s = two_sockets();
	auto_placement p = site_plan(&s, REQUEST(.ranks = 2, .reserve = 2, .bind = PIT_BIND_NONE));

	set_is(&p.reserved, "0,16");
	assert_true(says(&p.warnings, "with --bind none nothing keeps ranks off the reserved CPUs"));
	assert_int_equal(p.seat[0].threads, 7);
}

static void add_nic(struct pit_site *s, const char *handle, bool rdma, int node_at)
{
	s->nic = reallocarray(s->nic, s->nics + 1, sizeof(*s->nic));
	assert_non_null(s->nic);
	s->nic[s->nics] = (struct pit_site_nic){.rdma = rdma, .node_at = node_at};
	snprintf(s->nic[s->nics++].handle, sizeof(s->nic->handle), "%s", handle);
}

static void network_cards_are_the_gpus_or_the_nodes(void **state)
{
	auto_site s = two_sockets();
	auto_placement p = {0};

	SITE_GPUS(&s, 0, 0, 0, 1);
	add_nic(&s, "eth0", false, 0);
	add_nic(&s, "mlx5_0", true, 0);
	add_nic(&s, "mlx5_1", true, 0);
	s.gpu[0].nic_at = 2;
	strcpy(s.gpu[0].nic_why, "same PCI switch");
	p = site_plan(&s, REQUEST(.ranks = 4));
	assert_int_equal(p.seat[0].nic_at, 2);
	assert_true(says(&p.seat[0].why, "network card mlx5_1: same PCI switch"));
	assert_int_equal(p.seat[1].nic_at, 2); /* round the node's RDMA cards */
	assert_int_equal(p.seat[2].nic_at, 1);
	assert_int_equal(p.seat[3].nic_at, -1);
}

static void distance_is_from_the_gpu_to_the_farthest_cpu(void **state)
{
	auto_site s = two_sockets();
	auto_placement near = {0}, far = {0}, none = {0};

	SITE_GPUS(&s, 0);
	near = site_plan(&s, REQUEST(.ranks = 2, .spill = PIT_SPILL_NONE));
	assert_int_equal(near.seat[1].distance, 10);
	far = site_plan(&s, REQUEST(.ranks = 2));
	assert_int_equal(far.seat[1].distance, 32);
	for (size_t i = 0; i < s.nodes; i++) {
		free(s.node[i].distance);
		s.node[i].distance = NULL;
	}
	none = site_plan(&s, REQUEST(.ranks = 2));
	assert_int_equal(none.seat[1].distance, 0);
}

/* Three GPUs of a rank on one node and one on the other weigh three to one. */
static void ranks_with_more_gpus_have_more_cores(void **state)
{
	auto_site s = two_sockets();
	auto_placement p = {0};

	SITE_GPUS(&s, 0, 0, 0, 0, 1, 1, 1, 1);
	p = site_plan(&s, REQUEST(.ranks = 3, .view = PIT_GPU_VIEW_OWN));
	set_is(&p.seat[0].cpus, "0-5,16-21");
	set_is(&p.seat[1].cpus, "6-11,22-27");
	set_is(&p.seat[2].cpus, "12-15,28-31");
	set_is(&p.seat[1].mems, "0-1");
	assert_true(says(&p.seat[1].why, "memory of nodes 0-1 first, others when it is full, home 0"));
}

static void the_largest_machine_is_placed(void **state)
{
	auto_site s = site_make((struct machine){.packages = 2, .nodes = 4, .l3s = 4, .cores = 8, .smt = 2});
	auto_placement each = {0}, most = {0};

	each = site_plan(&s, REQUEST(.ranks = 512, .bind = PIT_BIND_EXCLUSIVE));
	for (int r = 0; r < 512; r++)
		assert_int_equal(pit_idset_count(&each.seat[r].cpus), 1);
	most = site_plan(&s, REQUEST(.ranks = PIT_RANKS_MAX));
	assert_int_equal(most.ranks, PIT_RANKS_MAX);
	assert_true(most.seat[PIT_RANKS_MAX - 1].shared);
}

static void names_go_with_the_enums(void **state)
{
	static const struct {
		const char *const *names;
		int last;
		const char *name;
	} rows[] = {
		{.names = pit_bind_names, .last = PIT_BIND_NONE, .name = "none"},
		{.names = pit_mem_names, .last = PIT_MEM_NONE, .name = "none"},
		{.names = pit_spill_names, .last = PIT_SPILL_NONE, .name = "none"},
		{.names = pit_gpu_view_names, .last = PIT_GPU_VIEW_OWN, .name = "own"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		assert_string_equal(rows[i].names[rows[i].last], rows[i].name);
		assert_null(rows[i].names[rows[i].last + 1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_that_makes_no_sense_is_refused),
		cmocka_unit_test(without_cpus_there_is_no_placement),
		cmocka_unit_test(freed_is_all_zero),
		cmocka_unit_test(ranks_come_from_the_request_or_the_gpus),
		cmocka_unit_test(one_rank_stays_beside_gpus_of_one_node),
		cmocka_unit_test(gpus_go_to_ranks_evenly),
		cmocka_unit_test(a_gpu_without_rank_is_told),
		cmocka_unit_test(mig_is_seen_by_its_owner_alone),
		cmocka_unit_test(the_binds_give_what_they_say),
		cmocka_unit_test(a_socket_may_have_several_nodes_and_a_node_several_sockets),
		cmocka_unit_test(unknown_l3_caches_are_divided_as_cores),
		cmocka_unit_test(whole_caches_are_kept_while_shares_stay_even),
		cmocka_unit_test(a_cache_with_few_cores_is_no_fair_share),
		cmocka_unit_test(a_core_with_interrupts_goes_where_more_is),
		cmocka_unit_test(one_thread_leaves_the_others_idle),
		cmocka_unit_test(reserved_cpus_are_whole_cores_with_interrupts_first),
		cmocka_unit_test(reserved_cpus_without_binding_are_told),
		cmocka_unit_test(network_cards_are_the_gpus_or_the_nodes),
		cmocka_unit_test(distance_is_from_the_gpu_to_the_farthest_cpu),
		cmocka_unit_test(ranks_with_more_gpus_have_more_cores),
		cmocka_unit_test(the_largest_machine_is_placed),
		cmocka_unit_test(names_go_with_the_enums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
