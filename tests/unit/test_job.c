/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job_world.h"
#include "launch/job_parts.h"
#include "launch/leaf.h"
#include "topo_tree.h"

/* Limits. */

static const char limits_text[] = "Limit                     Soft Limit           Hard Limit           Units     \n"
				  "Max open files            1024                 524288               files     \n"
				  "Max locked memory         8388608              unlimited            bytes     \n";

static struct pit_job plan_limits(const char *text, uint64_t memlock)
{
	static struct pit_job_options options;
	struct tree t = tree_open((struct tree_file[]){{"/proc/self/limits", text}, {NULL, NULL}});
	struct pit_job j = {.options = &options};

	options = (struct pit_job_options){.memlock = memlock};
	pit_job_plan_limits(t.root, &j);
	tree_close(&t);
	return j;
}

static void raises_limits_as_far_as_it_may(void **state)
{
	struct pit_job j = plan_limits(limits_text, 0);

	assert_int_equal(j.limits, 2);
	assert_int_equal(j.limit[0].resource, RLIMIT_MEMLOCK);
	assert_true(j.limit[0].value.rlim_cur == RLIM64_INFINITY && j.limit[0].value.rlim_max == RLIM64_INFINITY);
	assert_int_equal(j.limit[0].was.rlim_cur, 8388608);
	assert_int_equal(j.limit[1].resource, RLIMIT_NOFILE);
	assert_int_equal(j.limit[1].value.rlim_cur, PIT_JOB_NOFILE);
	assert_int_equal(j.limit[1].value.rlim_max, 524288);
}

static void raises_open_files_no_higher_than_the_hard_limit(void **state)
{
	struct pit_job j = plan_limits("Max open files   1024   4096   files\n", 0);

	assert_int_equal(j.limits, 1);
	assert_int_equal(j.limit[0].value.rlim_cur, 4096);
}

static void leaves_limits_that_are_right_or_unknown(void **state)
{
	assert_int_equal(plan_limits("", 0).limits, 0);
	assert_int_equal(plan_limits("Max open files   1048576   1048576   files\n"
				     "Max locked memory   unlimited   unlimited   bytes\n",
				     0)
				 .limits,
			 0);
}

static void takes_the_lock_limit_asked_for(void **state)
{
	struct pit_job less = plan_limits("Max locked memory   8388608   16777216   bytes\n", 4096);
	struct pit_job more = plan_limits("Max locked memory   8388608   16777216   bytes\n", PIT_UNLIMITED);

	assert_int_equal(less.limit[0].value.rlim_cur, 4096);
	assert_int_equal(less.limit[0].value.rlim_max, 16777216);
	assert_true(more.limit[0].value.rlim_cur == RLIM64_INFINITY && more.limit[0].value.rlim_max == RLIM64_INFINITY);
}

/* --io */

static const struct tree_file disks[] = {
	{"/.pitcrew/missing", ""},
	{"/.pitcrew/stat/%2Fdev%2Fnvme0n1", "60660 0 6 0 1 5 1112396529664 0\n"},   /* 259:0 */
	{"/.pitcrew/stat/%2Fdev%2Fnvme0n1p2", "60660 0 6 0 1 5 1112396529666 0\n"}, /* 259:2 */
	{"/.pitcrew/stat/%2Fdev%2Fnull", "20666 0 0 0 1 5 4294967299 0\n"},
	{"/sys/devices/pci/nvme0n1/dev", "259:0\n"},
	{"/sys/devices/pci/nvme0n1/nvme0n1p2/partition", "2\n"},
	{"/sys/devices/pci/nvme0n1/nvme0n1p2/dev", "259:2\n"},
	{"/sys/dev/block/259:0", "-> ../../devices/pci/nvme0n1"},
	{"/sys/dev/block/259:2", "-> ../../devices/pci/nvme0n1/nvme0n1p2"},
	{NULL, NULL},
};

static int plan_io(const char *word, struct pit_job *j, struct pit_error *err)
{
	static struct pit_job_options options;
	struct tree t = tree_open(disks);
	int rc;

	pit_strv_free(&options.io);
	if (word)
		pit_strv_add(&options.io, word);
	*j = (struct pit_job){.options = &options};
	rc = pit_job_plan_io(t.root, j, err);
	tree_close(&t);
	return rc;
}

static void names_disks_by_number_and_limits_in_bytes(void **state)
{
	static const struct {
		const char *word, *line;
	} rows[] = {
		{"/dev/nvme0n1 rbps=1G wiops=500", "259:0 rbps=1073741824 wiops=500"},
		{"/dev/nvme0n1p2  wbps=max", "259:0 wbps=max"},
		{"8:16 rbps=100k", "8:16 rbps=102400"},
		{"/dev/elsewhere rbps=1", "/dev/elsewhere rbps=1"}, /* a recording */
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_job j;

		assert_int_equal(plan_io(rows[i].word, &j, &err), 0);
		assert_int_equal(j.io_max.count, 1);
		assert_string_equal(j.io_max.item[0], rows[i].line);
		pit_strv_free(&j.io_max);
	}
}

static void refuses_what_is_no_disk(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_job j;

	assert_int_equal(plan_io("/dev/null rbps=1", &j, &err), -ENOTBLK);
	assert_non_null(strstr(err.text, "/dev/null is not a disk"));
	assert_int_equal(plan_io("8:0 nonsense", &j, &err), -EINVAL);
	assert_int_equal(plan_io("idle", &j, &err), 0);
	assert_int_equal(j.io_max.count, 0);
	assert_int_equal(plan_io(NULL, &j, &err), 0);
}

/* What spawn is given. */

static void fills_in_what_spawn_needs(void **state)
{
	char *const argv[] = {(char[]){"true"}, NULL};
	struct world w = {.options = {.argv = argv,
				      .nice_set = true,
				      .nice = 5,
				      .sched_set = true,
				      .policy = SCHED_FIFO,
				      .priority = 50,
				      .oom_set = true,
				      .oom_score_adj = 500,
				      .strict = true,
				      .dir = "/tmp"}};
	char *const block[] = {NULL};
	struct pit_spawn s;

	pit_strv_add(&w.options.io, "8:0 rbps=1");
	pit_strv_add(&w.options.io, "best-effort:3");
	world_make(&w, &(struct world_shape){.nodes = 2, .cores = 2, .threads = 2, .ranks = 2});
	w.job.limit[w.job.limits++] = (struct pit_job_limit){.resource = RLIMIT_NOFILE, .value = {10, 20}};
	w.job.mem = PIT_MEM_BIND;
	pit_job_spawn(&w.job, 1, block, &s);
	assert_ptr_equal(s.argv, argv);
	assert_ptr_equal(s.environ, block);
	assert_true(pit_idset_equal(s.cpus, &w.job.placement.seat[1].cpus));
	assert_true(pit_idset_equal(s.mems, &w.job.placement.seat[1].mems));
	assert_int_equal(s.mem, PIT_MEM_BIND);
	assert_int_equal(s.limits, 1);
	assert_int_equal(s.limit[0].resource, RLIMIT_NOFILE);
	assert_int_equal(s.limit[0].value.rlim_cur, 10);
	assert_true(s.nice_set && s.nice == 5 && s.sched_set && s.policy == SCHED_FIFO && s.priority == 50);
	assert_true(s.oom_set && s.oom_score_adj == 500 && s.strict && !strcmp(s.dir, "/tmp"));
	assert_true(s.io_set && s.io_class == 2 && s.io_level == 3);
	assert_int_equal(s.death, SIGKILL);
	assert_true(!s.session && s.terminal == -1 && s.cgroup == -1);
	assert_true(s.stdio[0] == -1 && s.stdio[1] == -1 && s.stdio[2] == -1);
	world_free(&w);
	pit_strv_free(&w.options.io);
}

/* GPUs of one rank, or of all. */

static bool gpus_are_own(const char *ours, const char *theirs, int ranks, size_t gpus)
{
	char *block[] = {(char *)ours, NULL};
	struct pit_text launcher = {.data = theirs, .len = theirs ? strlen(theirs) : 0};

	return pit_job_gpus_are_own(block, theirs ? &launcher : NULL, ranks, gpus);
}

static void tells_gpus_of_one_rank_from_those_of_all(void **state)
{
	/* srun --gpus-per-task=1: nothing is seen of slurmstepd */
	assert_true(gpus_are_own("CUDA_VISIBLE_DEVICES=3", NULL, 4, 1));
	/* mpirun, and a wrapper that chose one */
	assert_true(gpus_are_own("CUDA_VISIBLE_DEVICES=3", "PATH=/bin", 4, 1));
	assert_true(gpus_are_own("CUDA_VISIBLE_DEVICES=3", "CUDA_VISIBLE_DEVICES=0,1,2,3", 4, 1));
	/* torchrun with four ranks on each of two GPUs */
	assert_false(gpus_are_own("CUDA_VISIBLE_DEVICES=0,1", "CUDA_VISIBLE_DEVICES=0,1", 8, 2));
	/* one for each */
	assert_false(gpus_are_own("CUDA_VISIBLE_DEVICES=0,1,2,3", NULL, 4, 4));
	/* not narrowed at all, several ranks on each */
	assert_false(gpus_are_own("PATH=/bin", NULL, 8, 2));
	assert_false(gpus_are_own("CUDA_VISIBLE_DEVICES=", NULL, 8, 2));
	/* Slurm says it: four for each of two */
	assert_true(gpus_are_own("SLURM_GPUS_PER_TASK=4", NULL, 2, 4));
	assert_true(gpus_are_own("SLURM_GPUS_PER_TASK=h100:4", NULL, 2, 4));
	assert_false(gpus_are_own("SLURM_GPUS_PER_TASK=4", NULL, 2, 8));
	/* alone on its host, or without GPUs */
	assert_false(gpus_are_own("CUDA_VISIBLE_DEVICES=3", NULL, 1, 1));
	assert_false(gpus_are_own("CUDA_VISIBLE_DEVICES=3", NULL, 4, 0));
}

/* CPUs of one rank: a child that is bound to one has less than this program, which is its launcher. */

#define VARIABLE "PITCREW_TEST_RANK_THAT_NOBODY_SETS"

static int narrowed_in_child(bool bind)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct pit_job_options options = {.rank_from = VARIABLE};
		struct pit_job j = {.options = &options, .alone = true, .environ = (char *[]){NULL}};
		struct pit_root *root = NULL;
		cpu_set_t one;

		alarm(30);
		j.identity.local_size = 2;
		CPU_ZERO(&one);
		for (int cpu = 0; bind && cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++) {
			CPU_SET(cpu, &one);
			if (sched_setaffinity(0, sizeof(one), &one))
				CPU_CLR(cpu, &one);
		}
		if (pit_root_open(NULL, &root, NULL))
			_exit(99);
		_exit(pit_job_narrow(root, &j).cpus);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void knows_cpus_that_only_this_rank_has(void **state)
{
	cpu_set_t all;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	if (CPU_COUNT(&all) < 2)
		skip();
	assert_int_equal(narrowed_in_child(true), 1);
}

/* The same few CPUs for all, as under `taskset -c 0 torchrun`, are to be divided. */
static void divides_cpus_that_the_launcher_has_too(void **state)
{
	assert_int_equal(narrowed_in_child(false), 0);
}

/* Whole plans, on a recorded machine. */

static const struct tree_file with_gpus[] = {
	{.path = "/.pitcrew/missing", .text = ""},
	{.path = "/.pitcrew/fact/affinity", .text = "0-7"},
	{.path = "/.pitcrew/fact/nvml",
	 .text = "{\"driver\":\"550\",\"gpus\":["
		 "{\"index\":0,\"uuid\":\"GPU-0000\",\"pci\":\"0000:01:00.0\",\"name\":\"NVIDIA H100\"},"
		 "{\"index\":1,\"uuid\":\"GPU-1111\",\"pci\":\"0000:81:00.0\",\"name\":\"NVIDIA H100\"}]}"},
	{.path = PCI "0000:01:00.0/class", .text = "0x030200\n"},
	{.path = PCI "0000:01:00.0/vendor", .text = "0x10de\n"},
	{.path = PCI "0000:01:00.0/device", .text = "0x2330\n"},
	{.path = PCI "0000:01:00.0/numa_node", .text = "1\n"},
	{.path = PCI "0000:81:00.0/class", .text = "0x030200\n"},
	{.path = PCI "0000:81:00.0/vendor", .text = "0x10de\n"},
	{.path = PCI "0000:81:00.0/device", .text = "0x2330\n"},
	{.path = PCI "0000:81:00.0/numa_node", .text = "0\n"},
	{.path = NULL},
};

static int plan(const struct pit_job_options *o, char **block, struct pit_job *ret, struct pit_error *err)
{
	struct loaded l = load(two_nodes, with_gpus);
	int rc = pit_job_plan(l.tree.root, o, block, ret, err);

	pit_topo_free(l.t);
	tree_close(&l.tree);
	return rc;
}

static const char *value(const struct pit_job *j, int seat, const char *name)
{
	for (size_t i = 0; i < j->env[seat].items; i++)
		if (!strcmp(j->env[seat].item[i].name, name))
			return j->env[seat].item[i].value;
	return NULL;
}

static void assert_cpus(const struct pit_job *j, int seat, const char *list)
{
	char text[64];

	assert_string_equal(pit_idset_format(&j->placement.seat[seat].cpus, text, sizeof(text)), list);
}

static void plans_a_rank_beside_each_gpu(void **state)
{
	char *const argv[] = {(char[]){"train"}, NULL};
	struct pit_job_options o = {.argv = argv, .placement = {.per_gpu = 1}};
	char *block[] = {NULL};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_job j;

	assert_int_equal(plan(&o, block, &j, &err), 0);
	assert_true(j.recorded && !j.alone && !j.peers_unknown);
	assert_ptr_equal(j.options, &o);
	assert_int_equal(j.placement.ranks, 2);
	assert_cpus(&j, 0, "4-7");
	assert_cpus(&j, 1, "0-3");
	assert_int_equal(j.mem, PIT_MEM_PREFER);
	assert_int_equal(j.mem_error, 0);
	assert_string_equal(value(&j, 1, "RANK"), "1");
	assert_string_equal(value(&j, 1, "CUDA_VISIBLE_DEVICES"), "GPU-0000,GPU-1111");
	assert_int_equal(j.port, 29500);
	assert_string_equal(value(&j, 1, "MASTER_PORT"), "29500");
	assert_null(j.program);
	assert_int_not_equal(j.program_error.code, 0);
	pit_job_free(&j);
	assert_null(j.env);
	assert_int_equal(j.placement.ranks, 0);
}

/* It may be torchrun. */
static void numbers_no_rank_that_was_not_counted(void **state)
{
	struct pit_job_options o = {.on_pressure = PIT_ON_PRESSURE_WARN};
	char *block[] = {NULL};
	struct pit_job j;

	assert_int_equal(plan(&o, block, &j, NULL), 0);
	assert_null(value(&j, 0, "RANK"));
	assert_null(value(&j, 0, "MASTER_PORT"));
	assert_int_equal(j.port, 0);
	pit_job_free(&j);
}

static void keeps_a_port_that_is_set(void **state)
{
	struct pit_job_options o = {.placement = {.ranks = 2}};
	char *block[] = {(char[]){"MASTER_PORT=1234"}, NULL};
	struct pit_job j;

	assert_int_equal(plan(&o, block, &j, NULL), 0);
	assert_int_equal(j.port, 0);
	pit_job_free(&j);
}

static void plans_alike_in_every_instance(void **state)
{
	struct pit_job_options o = {.rank_from = "LOCAL_RANK"};
	char *zero[] = {(char[]){"LOCAL_RANK=0"}, (char[]){"LOCAL_WORLD_SIZE=2"}, NULL};
	char *one[] = {(char[]){"LOCAL_RANK=1"}, (char[]){"LOCAL_WORLD_SIZE=2"}, NULL};
	struct pit_job a, b;

	assert_int_equal(plan(&o, zero, &a, NULL), 0);
	assert_int_equal(plan(&o, one, &b, NULL), 0);
	assert_true(a.alone && b.alone);
	assert_int_equal(a.own, 0);
	assert_int_equal(b.own, 1);
	for (int i = 0; i < 2; i++) {
		assert_true(pit_idset_equal(&a.placement.seat[i].cpus, &b.placement.seat[i].cpus));
		assert_true(pit_idset_equal(&a.placement.seat[i].mems, &b.placement.seat[i].mems));
		assert_int_equal(a.placement.seat[i].gpu_first, b.placement.seat[i].gpu_first);
	}
	assert_int_equal(a.env[1].items, 0);
	assert_int_not_equal(b.env[1].items, 0);
	pit_job_free(&a);
	pit_job_free(&b);
}

/* srun --gpus-per-task=1 */
static void stays_beside_the_gpu_that_it_alone_was_given(void **state)
{
	struct pit_job_options o = {.rank_from = "SLURM_LOCALID",
				    .placement = {.ranks = 4, .bind = PIT_BIND_EXCLUSIVE}};
	char *block[] = {(char[]){"SLURM_LOCALID=3"}, (char[]){"CUDA_VISIBLE_DEVICES=0"}, NULL};
	struct pit_job j;

	assert_int_equal(plan(&o, block, &j, NULL), 0);
	assert_true(j.peers_unknown);
	assert_int_equal(j.own, 3);
	assert_int_equal(j.placement.ranks, 4);
	assert_cpus(&j, 3, "4-7");
	assert_cpus(&j, 0, "");
	assert_true(j.placement.seat[3].shared);
	assert_int_equal(j.placement.seat[3].threads, 1); /* four ranks on two nodes of two cores */
	assert_string_equal(value(&j, 3, "CUDA_VISIBLE_DEVICES"), "GPU-0000");
	assert_true(pit_idset_is_empty(&j.placement.idle));
	assert_non_null(strstr(j.notes.item[0], "only its own GPUs"));
	pit_job_free(&j);
}

/* Named by --gpus they are all that there are for all. */
static void believes_a_list_of_gpus(void **state)
{
	struct pit_job_options o = {.rank_from = "SLURM_LOCALID", .gpus = "0", .placement = {.ranks = 2}};
	char *block[] = {(char[]){"SLURM_LOCALID=1"}, (char[]){"CUDA_VISIBLE_DEVICES=0"}, NULL};
	struct pit_job j;

	assert_int_equal(plan(&o, block, &j, NULL), 0);
	assert_false(j.peers_unknown);
	assert_cpus(&j, 1, "2-3,6-7"); /* half of its node, and of the other, where nobody is */
	pit_job_free(&j);
}

static void refuses_what_makes_no_sense(void **state)
{
	static const struct {
		struct pit_job_options o;
		const char *says;
	} rows[] = {
		{.o = {.placement = {.ranks = 3, .per_gpu = 1}}, .says = "disagree"},
		{.o = {.placement = {.ranks = 5}, .strict = true}, .says = "fewer cores than ranks"},
		{.o = {.gpus = "7"}, .says = "GPU 7"},
		{.o = {.rank_from = "NO_SUCH"}, .says = "NO_SUCH"},
		{.o = {.rank_from = "LOCAL_RANK", .mps = 50, .placement = {.ranks = 2}},
		 .says = "CUDA_MPS_PIPE_DIRECTORY"},
		{.o = {.rank_from = "LOCAL_RANK", .placement = {.ranks = 5000}}, .says = "too many"},
		{.o = {.gpus = "none", .mps = 50}, .says = "this job has none"},
	};
	char *block[] = {(char[]){"LOCAL_RANK=0"}, NULL};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_job j = {.own = 77};

		assert_int_equal(plan(&rows[i].o, block, &j, &err), -EINVAL);
		assert_non_null(strstr(err.text, rows[i].says));
		assert_int_equal(j.own, 77); /* written on success only */
	}
}

static void tells_a_limit_that_limits_nothing(void **state)
{
	struct pit_job_options o = {.placement = {.ranks = 2}, .cpu_max = 4};
	char *block[] = {NULL};
	struct pit_job j;

	assert_int_equal(plan(&o, block, &j, NULL), 0);
	assert_int_equal(j.mistakes.count, 0);
	pit_job_free(&j);
	o.cpu_max = 350;
	assert_int_equal(plan(&o, block, &j, NULL), 0);
	assert_int_equal(j.mistakes.count, 1);
	assert_string_equal(j.mistakes.item[0],
			    "--cpu-max=350 is more than the 4 CPUs of rank 0, and limits nothing there "
			    "(percent of one CPU: 350%)");
	pit_job_free(&j);
}

static void reports_an_allocator_that_is_missing(void **state)
{
	struct pit_job_options o = {.allocator = "jemalloc"};
	char *block[] = {NULL};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_job j;

	assert_int_equal(plan(&o, block, &j, &err), -ENOENT);
	assert_non_null(strstr(err.text, "jemalloc"));
}

/* What a restart, and a daemon that came later, change. */
static void plans_variables_anew(void **state)
{
	struct pit_job_options o = {.placement = {.ranks = 2}, .mps = 50};
	char *block[] = {NULL};
	struct pit_job j;
	struct pit_env e, *first;

	assert_int_equal(plan(&o, block, &j, NULL), 0);
	assert_string_equal(value(&j, 0, "TORCHELASTIC_RESTART_COUNT"), "0");
	assert_null(value(&j, 0, "CUDA_MPS_PIPE_DIRECTORY"));
	assert_int_equal(pit_job_env(&j, 0, 2, "/run/mps", &e, NULL), 0);
	first = j.env;
	j.env = &e;
	assert_string_equal(value(&j, 0, "TORCHELASTIC_RESTART_COUNT"), "2");
	assert_string_equal(value(&j, 0, "CUDA_MPS_PIPE_DIRECTORY"), "/run/mps");
	j.env = first;
	pit_env_free(&e);
	pit_job_free(&j);
}

/* On the live machine: the command is looked for, from --chdir where its path is relative. */

static int plan_live(const struct pit_job_options *o, struct pit_job *ret)
{
	char *block[] = {(char[]){"PATH=/usr/bin:/bin"}, NULL};
	struct pit_root *root = NULL;
	int rc;

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	rc = pit_job_plan(root, o, block, ret, NULL);
	pit_root_close(root);
	return rc;
}

static void looks_for_the_command(void **state)
{
	static const struct {
		const char *command, *dir, *option;
		const char *program; /* NULL: not found, by `error` */
		int error;
	} rows[] = {
		{.command = "sh", .program = "sh"},
		{.command = "/bin/sh", .program = "/bin/sh"},
		{.command = "bin/sh", .dir = "/", .program = "bin/sh"},
		{.command = "bin/sh", .dir = "/proc", .error = ENOENT},
		{.command = "no-such-command-anywhere", .error = ENOENT},
		{.command = "/etc/passwd", .error = EACCES},
		{.command = "sh", .option = "PATH=/proc", .error = ENOENT},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		char *const argv[] = {(char *)rows[i].command, NULL};
		struct pit_job_options o = {.argv = argv, .dir = rows[i].dir};
		struct pit_job j;

		if (rows[i].option)
			pit_strv_add(&o.env, rows[i].option);
		assert_int_equal(plan_live(&o, &j), 0);
		assert_false(j.recorded);
		assert_int_equal(j.program_error.code, rows[i].error);
		if (rows[i].program)
			assert_non_null(strstr(j.program, rows[i].program));
		else
			assert_null(j.program);
		pit_job_free(&j);
		pit_strv_free(&o.env);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raises_limits_as_far_as_it_may),
		cmocka_unit_test(raises_open_files_no_higher_than_the_hard_limit),
		cmocka_unit_test(leaves_limits_that_are_right_or_unknown),
		cmocka_unit_test(takes_the_lock_limit_asked_for),
		cmocka_unit_test(names_disks_by_number_and_limits_in_bytes),
		cmocka_unit_test(refuses_what_is_no_disk),
		cmocka_unit_test(fills_in_what_spawn_needs),
		cmocka_unit_test(tells_gpus_of_one_rank_from_those_of_all),
		cmocka_unit_test(knows_cpus_that_only_this_rank_has),
		cmocka_unit_test(divides_cpus_that_the_launcher_has_too),
		cmocka_unit_test(plans_a_rank_beside_each_gpu),
		cmocka_unit_test(numbers_no_rank_that_was_not_counted),
		cmocka_unit_test(keeps_a_port_that_is_set),
		cmocka_unit_test(plans_alike_in_every_instance),
		cmocka_unit_test(stays_beside_the_gpu_that_it_alone_was_given),
		cmocka_unit_test(believes_a_list_of_gpus),
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(tells_a_limit_that_limits_nothing),
		cmocka_unit_test(reports_an_allocator_that_is_missing),
		cmocka_unit_test(plans_variables_anew),
		cmocka_unit_test(looks_for_the_command),
	};

	return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
