/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "launch/environment.h"

#define ENV(...) ((char **)(const char *[]){__VA_ARGS__, NULL})
#define WORDS(...)                                                                                                     \
	(&(struct pit_strv){.item = ENV(__VA_ARGS__), .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)})
#define NVIDIA 0x10de
#define AMD 0x1002

/* A site with two GPUs and two ranks, one on each. */
struct world {
	struct pit_site_gpu gpu[2];
	struct pit_site_nic nic[1];
	struct pit_seat seat[2];
	struct pit_site site;
	struct pit_placement placement;
};

static void make(struct world *w, unsigned vendor, const char *first, const char *second)
{
	*w = (struct world){.nic = {{.handle = "mlx5_1", .rdma = true}}};
	for (int i = 0; i < 2; i++) {
		snprintf(w->gpu[i].visible, sizeof(w->gpu[i].visible), "%s", i ? second : first);
		w->gpu[i].vendor = vendor;
		w->seat[i] = (struct pit_seat){.threads = 4, .cores = 4, .gpu_first = i, .gpus = 1, .nic_at = -1};
	}
	w->site = (struct pit_site){.gpu = w->gpu, .gpus = 2, .nic = w->nic, .nics = 1};
	w->placement = (struct pit_placement){.seat = w->seat, .ranks = 2, .view = PIT_GPU_VIEW_ALL};
}

/* The plan of a request, which must succeed. */
static struct pit_env plan(struct world *w, struct pit_env_request r)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_env e;

	r.site = &w->site;
	r.placement = &w->placement;
	if (pit_env_plan(&r, &e, &err))
		fail_msg("%s", err.text);
	return e;
}

static const struct pit_env_item *find(const struct pit_env *e, const char *name)
{
	for (size_t i = 0; i < e->items; i++)
		if (!strcmp(e->item[i].name, name))
			return &e->item[i];
	return NULL;
}

/* `value` NULL: removed. */
static void is_set(const struct pit_env *e, const char *name, const char *value, const char *why)
{
	const struct pit_env_item *i = find(e, name);

	if (!i || i->kept)
		fail_msg("%s is not set", name);
	if (value && i->value)
		assert_string_equal(i->value, value);
	else
		assert_true(!value && !i->value);
	if (!strstr(i->why, why))
		fail_msg("%s: '%s' does not say '%s'", name, i->why, why);
}

static void is_kept(const struct pit_env *e, const char *name, const char *value, const char *why)
{
	const struct pit_env_item *i = find(e, name);

	if (!i || !i->kept)
		fail_msg("%s is not kept", name);
	if (value && i->value)
		assert_string_equal(i->value, value);
	else
		assert_true(!value && !i->value);
	if (!strstr(i->why, why))
		fail_msg("%s: '%s' does not say '%s'", name, i->why, why);
}

static void ranks_get_their_numbers(void **state)
{
	struct world w;
	struct pit_env e;

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	e = plan(&w,
		 (struct pit_env_request){.environ = ENV("RANK=9", "WORLD_SIZE=2", "TORCHELASTIC_USE_AGENT_STORE=True"),
					  .seat = 1,
					  .port = 23456,
					  .restart = 3});
	is_set(&e, "RANK", "1", "in place of '9'");
	is_set(&e, "LOCAL_RANK", "1", "this host");
	is_set(&e, "WORLD_SIZE", "2", "ranks of the job");
	assert_null(strstr(find(&e, "WORLD_SIZE")->why, "in place"));
	is_set(&e, "LOCAL_WORLD_SIZE", "2", "");
	is_set(&e, "GROUP_RANK", "0", "");
	is_set(&e, "TORCHELASTIC_RESTART_COUNT", "3", "");
	is_set(&e, "TORCHELASTIC_RUN_ID", "pitcrew", "");
	is_set(&e, "TORCHELASTIC_USE_AGENT_STORE", NULL, "store");
	is_set(&e, "MASTER_ADDR", "127.0.0.1", "");
	is_set(&e, "MASTER_PORT", "23456", "");
	is_set(&e, "OMP_NUM_THREADS", "4", "4 cores");
	is_set(&e, "PYTHONUNBUFFERED", "1", "pipe");
	pit_env_free(&e);
	pit_env_free(&e);

	e = plan(&w, (struct pit_env_request){.environ = ENV("MASTER_ADDR=here", "MASTER_PORT=1", "OMP_NUM_THREADS=7",
							     "PYTHONUNBUFFERED=0"),
					      .port = 23456});
	is_kept(&e, "MASTER_ADDR", "here", "127.0.0.1");
	is_kept(&e, "MASTER_PORT", "1", "23456");
	is_kept(&e, "OMP_NUM_THREADS", "7", "would get 4");
	is_kept(&e, "PYTHONUNBUFFERED", "0", "");
	pit_env_free(&e);
}

/* Ranks that a rank starts meet at a place of their own; without RANK the place is the user's. */
static void ranks_within_a_rank(void **state)
{
	struct world w;
	struct pit_env e;

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	e = plan(&w, (struct pit_env_request){.environ = ENV("LOCAL_RANK=0", "MASTER_ADDR=n1", "MASTER_PORT=29400",
							     "TORCHELASTIC_RUN_ID=outer", "ROLE_RANK=7",
							     "ROLE_WORLD_SIZE=8", "GROUP_WORLD_SIZE=4"),
					      .seat = 1,
					      .port = 23456});
	is_set(&e, "MASTER_ADDR", "127.0.0.1", "of the job around this one; in place of 'n1'");
	is_set(&e, "MASTER_PORT", "23456", "of the job around this one; in place of '29400'");
	is_set(&e, "TORCHELASTIC_RUN_ID", "pitcrew", "in place of 'outer'");
	is_set(&e, "ROLE_RANK", "1", "in place of '7'");
	is_set(&e, "ROLE_WORLD_SIZE", "2", "in place of '8'");
	is_set(&e, "GROUP_WORLD_SIZE", "1", "in place of '4'");
	pit_env_free(&e);

	e = plan(&w, (struct pit_env_request){.environ = ENV("RANK=0", "MASTER_PORT=29400"),
					      .set = WORDS("MASTER_PORT=5"),
					      .port = 23456});
	is_set(&e, "MASTER_PORT", "5", "--env");
	assert_null(find(&e, "ROLE_RANK"));
	pit_env_free(&e);
	assert_true(pit_env_is_rank(ENV("LOCAL_RANK=0")));
	assert_true(pit_env_is_rank(ENV("RANK=0")));
	assert_false(pit_env_is_rank(ENV("MASTER_PORT=1")));
}

/* Its command may start ranks of its own, which would mistake our numbers for theirs. */
static void one_rank_that_nobody_numbered(void **state)
{
	struct world w;
	struct pit_env e;

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	w.placement.ranks = 1;
	e = plan(&w, (struct pit_env_request){.environ = ENV("RANK=9"), .unnumbered = true, .port = 23456});
	for (const char *const *name =
		     (const char *const[]){"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
					   "TORCHELASTIC_RUN_ID", "PYTHONUNBUFFERED", NULL};
	     *name; name++)
		assert_null(find(&e, *name));
	is_set(&e, "OMP_NUM_THREADS", "4", "");
	pit_env_free(&e);
}

static void one_core_is_no_cores(void **state)
{
	struct world w;
	struct pit_env e;

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	w.seat[0].cores = w.seat[0].threads = 1;
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b")});
	assert_string_equal(find(&e, "OMP_NUM_THREADS")->why, "its 1 core");
	pit_env_free(&e);
	w.seat[0].cores = 3;
	w.seat[0].shared = true;
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b")});
	assert_string_equal(find(&e, "OMP_NUM_THREADS")->why, "its share of 3 cores that it has with other ranks");
	pit_env_free(&e);
}

static void another_launcher_is_completed(void **state)
{
	struct pit_identity id = {.local_rank = 1,
				  .local_size = 2,
				  .rank = 3,
				  .world = 4,
				  .launcher = "slurm",
				  .local_from = "SLURM_LOCALID",
				  .size_from = "SLURM_TASKS_PER_NODE",
				  .master = "n1",
				  .port = 20061};
	struct world w;
	struct pit_env e;

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	e = plan(
		&w,
		(struct pit_env_request){
			.environ = ENV("RANK=3", "WORLD_SIZE=8"), .identity = &id, .seat = 1, .port = 1, .restart = 1});
	assert_null(find(&e, "RANK"));
	is_kept(&e, "WORLD_SIZE", "8", "would get 4");
	is_set(&e, "LOCAL_RANK", "1", "SLURM_LOCALID");
	is_set(&e, "LOCAL_WORLD_SIZE", "2", "SLURM_TASKS_PER_NODE");
	is_set(&e, "MASTER_ADDR", "n1", "rank 0");
	is_set(&e, "MASTER_PORT", "20061", "the same for all ranks");
	assert_null(find(&e, "TORCHELASTIC_RUN_ID"));
	assert_null(find(&e, "PYTHONUNBUFFERED"));
	pit_env_free(&e);

	id = (struct pit_identity){.local_size = 1, .rank = -1, .world = -1, .local_from = "X"};
	e = plan(&w, (struct pit_env_request){.environ = ENV("X=0"), .identity = &id});
	is_set(&e, "LOCAL_RANK", "0", "X");
	for (const char *const *name = (const char *const[]){"RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR",
							     "MASTER_PORT", NULL};
	     *name; name++)
		assert_null(find(&e, *name));
	pit_env_free(&e);
}

static void ranks_see_their_gpus(void **state)
{
	struct world w;
	struct pit_env e;

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	e = plan(&w, (struct pit_env_request){.environ = ENV("CUDA_VISIBLE_DEVICES=1,0"), .seat = 1});
	is_set(&e, "CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b", "number 1 is this rank's; in place of '1,0'");
	assert_null(find(&e, "CUDA_DEVICE_ORDER"));
	pit_env_free(&e);

	w.placement.view = PIT_GPU_VIEW_OWN;
	e = plan(&w, (struct pit_env_request){.environ = ENV("CUDA_VISIBLE_DEVICES=GPU-b"), .seat = 1});
	is_set(&e, "CUDA_VISIBLE_DEVICES", "GPU-b", "only the GPU of this rank");
	assert_null(strstr(find(&e, "CUDA_VISIBLE_DEVICES")->why, "in place"));
	pit_env_free(&e);

	w.seat[1].gpus = 0;
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b"), .seat = 1});
	is_set(&e, "CUDA_VISIBLE_DEVICES", "", "no GPU");
	pit_env_free(&e);

	w.site.gpus = 0;
	e = plan(&w, (struct pit_env_request){.environ = ENV("CUDA_VISIBLE_DEVICES=3")});
	assert_null(find(&e, "CUDA_VISIBLE_DEVICES"));
	pit_env_free(&e);

	w.site.no_gpus = true;
	e = plan(&w, (struct pit_env_request){.environ = ENV("CUDA_VISIBLE_DEVICES=3")});
	is_set(&e, "CUDA_VISIBLE_DEVICES", "", "--gpus none; in place of '3'");
	pit_env_free(&e);

	make(&w, 0, "MIG-a", "MIG-b"); /* no vendor, but NVIDIA's names */
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b")});
	is_set(&e, "CUDA_VISIBLE_DEVICES", "MIG-a,MIG-b", "");
	pit_env_free(&e);

	make(&w, NVIDIA, "0", "1");
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b")});
	is_set(&e, "CUDA_VISIBLE_DEVICES", "0,1", "");
	is_set(&e, "CUDA_DEVICE_ORDER", "PCI_BUS_ID", "PCI");
	pit_env_free(&e);
	e = plan(&w, (struct pit_env_request){.environ = ENV("CUDA_DEVICE_ORDER=FASTEST_FIRST")});
	is_kept(&e, "CUDA_DEVICE_ORDER", "FASTEST_FIRST", "PCI_BUS_ID");
	pit_env_free(&e);

	make(&w, NVIDIA, "GPU-a", "");
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b")});
	is_kept(&e, "CUDA_VISIBLE_DEVICES", NULL, "nothing tells");
	pit_env_free(&e);
}

static void other_vendors(void **state)
{
	struct world w;
	struct pit_env e;

	make(&w, AMD, "GPU-1", "GPU-2");
	e = plan(&w, (struct pit_env_request){.environ = ENV("HIP_VISIBLE_DEVICES=1", "CUDA_VISIBLE_DEVICES=1")});
	is_set(&e, "ROCR_VISIBLE_DEVICES", "GPU-1,GPU-2", "");
	is_set(&e, "HIP_VISIBLE_DEVICES", NULL, "counted");
	is_set(&e, "CUDA_VISIBLE_DEVICES", NULL, "counted");
	assert_null(find(&e, "GPU_DEVICE_ORDINAL"));
	pit_env_free(&e);

	make(&w, AMD, "2", "3");
	e = plan(&w, (struct pit_env_request){.environ = ENV("ROCR_VISIBLE_DEVICES=0,1,2,3")});
	is_set(&e, "HIP_VISIBLE_DEVICES", "2,3", "");
	assert_null(find(&e, "ROCR_VISIBLE_DEVICES"));
	pit_env_free(&e);

	make(&w, 0x8086, "0.0", "0.1");
	w.placement.view = PIT_GPU_VIEW_OWN;
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b"), .seat = 1});
	is_set(&e, "ZE_AFFINITY_MASK", "0.1", "");
	assert_null(find(&e, "CUDA_DEVICE_ORDER"));
	pit_env_free(&e);

	make(&w, AMD, "GPU-1", "GPU-2");
	w.gpu[0].vendor = NVIDIA; /* both: CUDA_VISIBLE_DEVICES is NVIDIA's */
	e = plan(&w, (struct pit_env_request){.environ = ENV("CUDA_VISIBLE_DEVICES=1")});
	is_set(&e, "CUDA_VISIBLE_DEVICES", "GPU-1", "");
	is_set(&e, "ROCR_VISIBLE_DEVICES", "GPU-2", "");
	pit_env_free(&e);
}

static void allocator_and_mps(void **state)
{
	const struct pit_strv *preload = WORDS("LD_PRELOAD=/lib/libj.so.2", "MALLOC_CONF=narenas:8");
	struct world w;
	struct pit_env e;

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	e = plan(&w, (struct pit_env_request){.environ = ENV("LD_PRELOAD=/x.so", "MALLOC_CONF=narenas:1",
							     "CUDA_MPS_PIPE_DIRECTORY=/old"),
					      .preload = preload,
					      .mps_percent = 30,
					      .mps_dir = "/run/mps"});
	is_set(&e, "LD_PRELOAD", "/lib/libj.so.2:/x.so", "in front");
	is_kept(&e, "MALLOC_CONF", "narenas:1", "narenas:8");
	is_set(&e, "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "30", "--mps");
	is_set(&e, "CUDA_MPS_PIPE_DIRECTORY", "/run/mps", "in place of '/old'");
	pit_env_free(&e);

	e = plan(&w, (struct pit_env_request){.environ = ENV("LD_PRELOAD=/x.so /lib/libj.so.2"), .preload = preload});
	is_kept(&e, "LD_PRELOAD", "/x.so /lib/libj.so.2", "has the library");
	is_set(&e, "MALLOC_CONF", "narenas:8", "--allocator");
	pit_env_free(&e);

	/* By another path, in another version, by its name alone: it is not loaded twice. */
	for (const char *const *set = (const char *const[]){"LD_PRELOAD=/usr/lib/libj.so.2", "LD_PRELOAD=/a.so:libj.so",
							    "LD_PRELOAD=libj_minimal.so.4 b.so", NULL};
	     *set; set++) {
		e = plan(&w, (struct pit_env_request){.environ = ENV(*set), .preload = preload});
		is_kept(&e, "LD_PRELOAD", *set + strlen("LD_PRELOAD="), "has the library");
		pit_env_free(&e);
	}

	e = plan(&w, (struct pit_env_request){.environ = ENV("LD_PRELOAD=/lib/libjx.so.2"),
					      .preload = preload,
					      .set = WORDS("LD_PRELOAD=/y.so", "MALLOC_CONF=a:b")});
	is_set(&e, "LD_PRELOAD", "/lib/libj.so.2:/y.so", "in front");
	is_set(&e, "MALLOC_CONF", "a:b", "--env");
	pit_env_free(&e);

	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b")});
	assert_null(find(&e, "LD_PRELOAD"));
	assert_null(find(&e, "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"));
	pit_env_free(&e);
}

static void words_of_env(void **state)
{
	static const char *const bad[] = {"", "=x", "-", "-A=b", "A B=c", "A\n=c", "RANK=1", "-LOCAL_RANK", "RANK"};
	struct world w;
	struct pit_env e = {.items = 77};

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	for (size_t i = 0; i < PIT_COUNT(bad); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_env_request r = {.environ = ENV("A=b"), .site = &w.site, .placement = &w.placement};
		struct pit_strv set = {.item = (char **)&bad[i], .count = 1};

		r.set = &set;
		assert_int_equal(pit_env_plan(&r, &e, &err), -EINVAL);
		assert_non_null(strstr(err.text, "--env"));
		assert_int_equal(e.items, 77);
	}
	e = plan(&w,
		 (struct pit_env_request){.environ = ENV("OLD=1", "OMP_NUM_THREADS=3", "CUDA_VISIBLE_DEVICES=0"),
					  .set = WORDS("NEW=a=b", "-OLD", "OMP_NUM_THREADS=9", "CUDA_VISIBLE_DEVICES",
						       "WORLD_SIZE=5", "NEW=last", "PYTHONUNBUFFERED")});
	is_set(&e, "NEW", "last", "--env");
	is_set(&e, "OLD", NULL, "--env");
	is_set(&e, "OMP_NUM_THREADS", "9", "--env");
	is_kept(&e, "CUDA_VISIBLE_DEVICES", "0", "--env");
	is_set(&e, "WORLD_SIZE", "5", "--env");
	is_kept(&e, "PYTHONUNBUFFERED", NULL, "--env");
	pit_env_free(&e);

	w.placement.ranks = 1; /* one rank may have any number */
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b"), .set = WORDS("RANK=5")});
	is_set(&e, "RANK", "5", "--env");
	pit_env_free(&e);
}

static void cards_are_told(void **state)
{
	struct world w;
	struct pit_env e;

	make(&w, NVIDIA, "GPU-a", "GPU-b");
	w.seat[0].nic_at = 0;
	e = plan(&w, (struct pit_env_request){.environ = ENV("NCCL_IB_HCA=mlx5_0", "UCX_NET_DEVICES=mlx5_1:1")});
	is_kept(&e, "NCCL_IB_HCA", "mlx5_0", "leaves out mlx5_1");
	assert_null(find(&e, "UCX_NET_DEVICES"));
	pit_env_free(&e);
	e = plan(&w, (struct pit_env_request){.environ = ENV("A=b")});
	assert_null(find(&e, "NCCL_IB_HCA"));
	pit_env_free(&e);
}

static void blocks(void **state)
{
	struct pit_env_item items[] = {
		{.name = (char *)"SET", .value = (char *)"new"},
		{.name = (char *)"GONE"},
		{.name = (char *)"KEPT", .value = (char *)"ours", .kept = true},
		{.name = (char *)"ADDED", .value = (char *)"a=b"},
		{.name = (char *)"ABSENT", .kept = true},
	};
	struct pit_env e = {.item = items, .items = PIT_COUNT(items)};
	static const char *const want[] = {"PATH=first", "SET=new", "KEPT=theirs", "odd", "=x", "ADDED=a=b"};
	char **block = pit_env_block(ENV("PATH=first", "SET=old", "GONE=1", "PATH=second", "KEPT=theirs", "SET=older",
					 "GONE=2", "odd", "=x"),
				     &e);

	assert_non_null(block);
	for (size_t i = 0; i < PIT_COUNT(want); i++)
		assert_string_equal(block[i], want[i]);
	assert_null(block[PIT_COUNT(want)]);
	pit_env_block_free(block);

	e.items = 0;
	block = pit_env_block(NULL, &e);
	assert_non_null(block);
	assert_null(block[0]);
	pit_env_block_free(block);
	pit_env_block_free(NULL);
}

static void tells_rebinders(void **state)
{
	static const struct {
		const char *variable;
		const char *says; /* NULL: nothing */
	} rows[] = {
		{"KMP_AFFINITY=granularity=fine,compact,1,0", "OpenMP of Intel"},
		{"KMP_AFFINITY=disabled", NULL},
		{"GOMP_CPU_AFFINITY=0-3", "GCC"},
		{"GOMP_CPU_AFFINITY=", NULL},
		{"OMP_PLACES={0:4}", "the same for all ranks"},
		{"OMP_PLACES=cores", NULL},
		{"OMP_PROC_BIND=close", "share CPUs"},
		{"OMP_PROC_BIND=FALSE", NULL},
		{"I_MPI_PIN=1", "MPI_Init"},
		{"I_MPI_PIN=off", NULL},
		{"SLURM_CPU_BIND=quiet,mask_cpu:0xF,0xF0", "--cpu-bind=none"},
		{"SLURM_CPU_BIND=quiet,mask_cpu:0xFF", NULL}, /* what the step has, with --cpu-bind=none, too */
		{"SLURM_CPU_BIND=quiet,none", NULL},
		{"TLLM_NUMA_AWARE_WORKER_AFFINITY=1", "TensorRT-LLM"},
		{"TLLM_NUMA_AWARE_WORKER_AFFINITY=0", NULL},
		{"VLLM_CPU_OMP_THREADS_BIND=auto", "vLLM"},
		{"VLLM_CPU_OMP_THREADS_BIND=nobind", NULL},
		{"SGLANG_SET_CPU_AFFINITY=1", "SGLang"},
		{"PATH=/bin", NULL},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_strv said = {.count = 0};

		assert_int_equal(pit_env_rebinders(ENV(rows[i].variable), &said), 0);
		if (said.count != (rows[i].says ? 1 : 0))
			fail_msg("%s: %zu sentences", rows[i].variable, said.count);
		if (rows[i].says && !strstr(said.item[0], rows[i].says))
			fail_msg("%s: '%s'", rows[i].variable, said.item[0]);
		if (rows[i].says)
			assert_memory_equal(said.item[0], rows[i].variable, strcspn(rows[i].variable, "="));
		pit_strv_free(&said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_get_their_numbers),
		cmocka_unit_test(ranks_within_a_rank),
		cmocka_unit_test(one_core_is_no_cores),
		cmocka_unit_test(one_rank_that_nobody_numbered),
		cmocka_unit_test(another_launcher_is_completed),
		cmocka_unit_test(ranks_see_their_gpus),
		cmocka_unit_test(other_vendors),
		cmocka_unit_test(allocator_and_mps),
		cmocka_unit_test(words_of_env),
		cmocka_unit_test(cards_are_told),
		cmocka_unit_test(blocks),
		cmocka_unit_test(tells_rebinders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
