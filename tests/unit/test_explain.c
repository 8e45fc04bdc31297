/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>

#include "job_world.h"
#include "launch/explain.h"

static char *const train[] = {(char[]){"python3"}, (char[]){"train.py"}, NULL};

static const struct world_shape shapes[] = {
	{.nodes = 1, .cores = 4, .threads = 1, .ranks = 1},
	{.nodes = 2, .cores = 2, .threads = 2, .l3s = 1, .gpus = 2, .nics = 2, .ranks = 2},
	{.nodes = 8, .cores = 16, .threads = 2, .l3s = 2, .gpus = 8, .nics = 8, .ranks = 8},
	{.nodes = 2, .cores = 64, .threads = 2, .l3s = 8, .gpus = 8, .nics = 4, .ranks = 8},
	{.nodes = 2, .cores = 96, .threads = 1, .ranks = 64},
	{.nodes = 1, .cores = 4, .threads = 2, .ranks = 12},
};

static size_t widest(const char *text)
{
	size_t most = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		most = len > most ? len : most;
		text += len + (text[len] == '\n');
	}
	return most;
}

static void explain(const struct world_shape *shape, int width, struct pit_buf *out)
{
	struct world w = {.options = {.argv = train}};
	struct pit_page page = {.width = width};

	world_make(&w, shape);
	pit_explain_text(&w.job, &page, out);
	world_free(&w);
}

static void fits_into_its_page(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(shapes); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT, wide = PIT_BUF_INIT;

		explain(&shapes[i], 0, &out);
		assert_false(out.failed);
		assert_in_range(widest(out.data), 40, 80);
		explain(&shapes[i], 120, &wide);
		assert_in_range(widest(wide.data), 40, 120);
	}
}

static bool has(const struct pit_buf *out, const char *text)
{
	return strstr(out->data, text) != NULL;
}

static void draws_nodes_caches_ranks_and_devices(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	explain(&shapes[3], 80, &out);
	assert_true(has(&out, "node 0   dram memory, CPUs 0-63,128-191\n"
			      "  cores  00000000|00000000|11111111|11111111|22222222|22222222|33333333|33333333\n"
			      "  rank 0  CPUs 0-15,128-143      16 cores  gpu 0  mlx5_0\n"));
	assert_true(has(&out, "  gpu 7  0000:88:00.0  NVIDIA H100 80GB HBM3           rank 7\n"));
	assert_true(has(&out, "  ib     0000:49:00.0  mlx5_3                          ranks 6-7\n"));
	assert_true(has(&out, "| between L3 caches"));
}

static void tells_many_ranks_once(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	explain(&shapes[4], 80, &out);
	assert_true(has(&out, "  rank 63  CPUs 189-191    3 cores\n"));
	assert_true(has(&out, "  rank 0, and in the same way ranks 1-63\n"));
	assert_false(has(&out, "  rank 1\n"));
	assert_true(has(&out, "the last digit of its rank"));
}

static void tells_of_shared_cores(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	explain(&shapes[5], 80, &out);
	assert_true(has(&out, "  cores  ****\n"));
	assert_true(has(&out, "  ranks 0,4,8  CPUs 0,4    1 core, shared\n"));
	assert_true(has(&out, "* of several ranks"));
}

static void tells_reserved_idle_and_evidence(void **state)
{
	struct world w = {.options = {.argv = train}};
	struct pit_page page = {.width = 80};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_placement *p = &w.job.placement;

	world_make(&w, &shapes[1]);
	assert_int_equal(pit_idset_parse("0,4", &p->reserved, NULL), 0);
	assert_int_equal(pit_idset_parse("1,5", &p->idle, NULL), 0);
	pit_strv_add(&p->idle_why, "no rank is at home on that node");
	pit_idset_free(&p->seat[0].cpus);
	p->seat[0].cores = 0;
	w.job.site.gpu[0].node_at = -1;
	w.job.site.gpu[0].source = PIT_NODE_FROM_NOTHING;
	pit_explain_text(&w.job, &page, &out);
	assert_true(has(&out, "  cores  -.\n"));
	assert_true(has(&out, "reserved 0,4\nidle     1,5\n         no rank is at home on that node\n"));
	assert_true(has(&out, "- for housekeeping, . nobody's"));
	assert_true(has(&out, "no node known\n  gpu 0"));
	assert_true(has(&out, "0000:18:00.0, node unknown,"));
	assert_true(has(&out, "  rank 0  not bound"));
	assert_true(has(&out, "node 1 by its bridge"));
	world_free(&w);
}

static void tells_variables_and_what_was_kept(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	explain(&shapes[1], 80, &out);
	assert_true(has(&out, "  RANK, of each rank its own\n      number of the rank\n"));
	assert_true(has(&out, "      sets    RANK=1\n"));
	assert_true(has(&out, "  MASTER_ADDR=127.0.0.1\n      all ranks are on this host\n"));
	assert_true(has(&out, "  CUDA_VISIBLE_DEVICES=GPU-89320000-d72c-4106-c12f-20bd9faed9f0,\n"
			      "      GPU-89320001-d72c-4106-c12f-20bd9faed9f0,\n"));
	assert_true(has(&out, "      rank 0: number 0 is its own\n"));
	assert_true(has(&out, "  NCCL_DEBUG=INFO (kept)\n"));
	assert_true(has(&out, "  GOMP_CPU_AFFINITY is removed\n      it would bind again\n"));
}

static void tells_limits_end_and_what_cannot_be(void **state)
{
	struct world w = {.options = {.argv = train}};
	struct pit_page page = {.width = 80};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	w.options.memory_max = UINT64_C(64) << 30;
	w.options.cpu_max = 3.5;
	w.options.ending.checkpoint_signal = SIGUSR1;
	w.options.restarts = 3;
	pit_strv_add(&w.options.io, "idle");
	world_make(&w, &shapes[1]);
	w.job.limit[w.job.limits++] =
		(struct pit_job_limit){.resource = RLIMIT_MEMLOCK,
				       .value = {.rlim_cur = RLIM64_INFINITY, .rlim_max = RLIM64_INFINITY},
				       .was = {.rlim_cur = 8 << 20, .rlim_max = RLIM64_INFINITY}};
	pit_strv_add(&w.job.notes, "memory policy prefer is refused here");
	pit_strv_add(&w.job.rebinders, "KMP_AFFINITY=compact binds threads again");
	pit_explain_text(&w.job, &page, &out);
	assert_true(has(&out, "  locked memory: unlimited, was 8 MiB\n"));
	assert_true(has(&out, "  memory: ended at 64 GiB; CPU time: 3.5 CPUs\n"));
	assert_true(has(&out, "  disk priority idle\n"));
	assert_true(has(&out, "SIGUSR1 to each rank's"));
	assert_true(has(&out, "at most 3 times\n"));
	assert_true(has(&out, "NOT AS IT COULD BE\n\n  - memory policy prefer is refused here\n"));
	assert_true(has(&out, "BIND AGAIN BY THEMSELVES\n\n  - KMP_AFFINITY=compact binds threads again\n"));
	world_free(&w);
	pit_strv_free(&w.options.io);
}

/* One that another launcher started: only its own block, under its own number. */
static void tells_of_one_rank_alone(void **state)
{
	struct world w = {.options = {.argv = train, .rank_from = "LOCAL_RANK"}};
	struct pit_page page = {.width = 80};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	world_make(&w, &shapes[1]);
	w.job.alone = true;
	w.job.own = 1;
	w.job.identity = (struct pit_identity){.local_rank = 1, .local_size = 2, .rank = 5, .world = 8};
	strcpy(w.job.identity.launcher, "torchrun");
	strcpy(w.job.identity.local_from, "LOCAL_RANK");
	pit_explain_text(&w.job, &page, &out);
	assert_true(has(&out, "job      rank 1 of 2 on this host, by LOCAL_RANK (torchrun)"));
	assert_true(has(&out, "RANK\n\n  rank 1, number 5 of the whole job\n"));
	assert_false(has(&out, "\n  rank 0\n"));
	assert_true(has(&out, "  RANK=1\n"));
	world_free(&w);
}

static void cleans_foreign_text(void **state)
{
	char *const evil[] = {(char[]){"py\033[31mthon"}, NULL};
	struct world w = {.options = {.argv = evil}};
	struct pit_page page = {.width = 80};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	world_make(&w, &shapes[1]);
	strcpy(w.job.site.gpu[0].name, "GPU\033]0;x\007");
	strcpy(w.job.site.nic[0].handle, "eth\n0");
	pit_explain_text(&w.job, &page, &out);
	assert_null(strchr(out.data, '\033'));
	assert_null(strchr(out.data, '\007'));
	assert_true(has(&out, "eth?0"));
	world_free(&w);
}

static void writes_json_that_holds_everything(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(shapes); i++) {
		struct world w = {.options = {.argv = train}};
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		json_t *top, *rank;

		world_make(&w, &shapes[i]);
		assert_int_equal(pit_explain_json(&w.job, &out), 0);
		top = json_loads(out.data, 0, NULL);
		assert_non_null(top);
		assert_int_equal(json_integer_value(json_object_get(top, "schema")), 1);
		assert_int_equal(json_array_size(json_object_get(top, "ranks")), shapes[i].ranks);
		rank = json_array_get(json_object_get(top, "ranks"), 0);
		for (const char *const *key =
			     (const char *const[]){"rank", "cpus", "mems", "node", "threads", "cores", "shared", "gpus",
						   "gpu_sharers", "nic", "distance", "why", "variables", NULL};
		     *key; key++)
			assert_non_null(json_object_get(rank, *key));
		for (const char *const *key =
			     (const char *const[]){"recorded", "command", "program", "program_error", "identity",
						   "site", "placement", "limits", "own", "port", "ending", "preload",
						   "rebinders", "site_notes", "notes", NULL};
		     *key; key++)
			assert_non_null(json_object_get(top, *key));
		assert_int_equal(json_array_size(json_object_get(json_object_get(top, "site"), "gpus")),
				 shapes[i].gpus);
		json_decref(top);
		world_free(&w);
	}
}

static void names_what_was_refused(void **state)
{
	struct world w = {.options = {.argv = train}};
	pit_auto_strv struct pit_strv out = {0};
	struct pit_spawned s = {
		.note = {{.step = PIT_STEP_MEM, .error = EPERM, .fell = PIT_MEM_LOCAL},
			 {.step = PIT_STEP_LIMIT, .error = EPERM, .detail = RLIMIT_MEMLOCK},
			 {.step = PIT_STEP_CPUS, .fell = 1}},
		.notes = 3,
	};

	world_make(&w, &shapes[1]);
	pit_explain_notes(&w.job, 1, &s, &out);
	assert_int_equal(out.count, 3);
	for (size_t i = 0; i < out.count; i++)
		assert_ptr_equal(strstr(out.item[i], "rank 1: "), out.item[i]);
	assert_non_null(strstr(out.item[0], "refused: Operation not permitted; local instead"));
	assert_non_null(strstr(out.item[1], "(locked memory) was refused"));
	assert_non_null(strstr(out.item[2], "fewer than asked for"));
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_into_its_page),
		cmocka_unit_test(draws_nodes_caches_ranks_and_devices),
		cmocka_unit_test(tells_many_ranks_once),
		cmocka_unit_test(tells_of_shared_cores),
		cmocka_unit_test(tells_reserved_idle_and_evidence),
		cmocka_unit_test(tells_variables_and_what_was_kept),
		cmocka_unit_test(tells_limits_end_and_what_cannot_be),
		cmocka_unit_test(tells_of_one_rank_alone),
		cmocka_unit_test(cleans_foreign_text),
		cmocka_unit_test(writes_json_that_holds_everything),
		cmocka_unit_test(names_what_was_refused),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
