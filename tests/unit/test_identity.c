/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "launch/identity.h"

#define ENV(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

static void reads_launchers(void **state)
{
	static const struct {
		const char *label, *name;
		const char *environ[12];
		int ranks;
		struct pit_identity want;
	} rows[] = {
		{.label = "torchrun",
		 .name = "LOCAL_RANK",
		 .environ = {"LOCAL_RANK=3", "LOCAL_WORLD_SIZE=8", "RANK=11", "WORLD_SIZE=16", "MASTER_ADDR=gpu1",
			     "MASTER_PORT=29500", "TORCHELASTIC_RUN_ID=x"},
		 .want = {3, 8, 11, 16, "torchrun", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "gpu1", 29500}},
		{.label = "srun, second host of three, with fewer tasks",
		 .name = "SLURM_LOCALID",
		 .environ = {"SLURM_LOCALID=2", "SLURM_STEP_TASKS_PER_NODE=4(x2),3", "SLURM_NODEID=2",
			     "SLURM_PROCID=10", "SLURM_STEP_NUM_TASKS=11", "SLURM_NTASKS=99",
			     "SLURM_STEP_NODELIST=n[07-09,12],gpu1", "SLURM_JOB_ID=1000", "SLURM_STEP_ID=2",
			     "SLURM_NTASKS_PER_NODE=4"},
		 .want = {2, 3, 10, 11, "slurm", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE", "n07", 21002}},
		{.label = "sbatch alone",
		 .name = "SLURM_LOCALID",
		 .environ = {"SLURM_LOCALID=0", "SLURM_NTASKS_PER_NODE=8", "SLURM_JOB_NODELIST=a-1"},
		 .want = {0, 8, -1, -1, "slurm", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE", "a-1", 0}},
		{.label = "a script that renames Slurm's variable",
		 .name = "LOCAL_RANK",
		 .environ = {"LOCAL_RANK=1", "SLURM_LOCALID=1", "SLURM_TASKS_PER_NODE=2", "SLURM_PROCID=3",
			     "SLURM_NTASKS=4", "SLURM_JOB_NODELIST=n[1-2]", "SLURM_NODEID=1", "SLURM_JOB_ID=1"},
		 .want = {1, 2, 3, 4, "slurm", "LOCAL_RANK", "SLURM_TASKS_PER_NODE", "n1", 20061}},
		{.label = "torchrun inside of a task of Slurm",
		 .name = "LOCAL_RANK",
		 .environ = {"LOCAL_RANK=0", "LOCAL_WORLD_SIZE=8", "SLURM_LOCALID=0", "SLURM_TASKS_PER_NODE=1",
			     "RANK=0", "WORLD_SIZE=8"},
		 .want = {0, 8, 0, 8, "environment", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "127.0.0.1", 0}},
		{.label = "own numbers in a batch script that is one task",
		 .name = "LOCAL_RANK",
		 .environ = {"LOCAL_RANK=0", "SLURM_LOCALID=0", "SLURM_TASKS_PER_NODE=1"},
		 .ranks = 4,
		 .want = {0, 4, -1, -1, "slurm", "LOCAL_RANK", "--ranks", "", 0}},
		{.label = "mpirun of Open MPI, one host",
		 .name = "OMPI_COMM_WORLD_LOCAL_RANK",
		 .environ = {"OMPI_COMM_WORLD_LOCAL_RANK=1", "OMPI_COMM_WORLD_LOCAL_SIZE=2", "OMPI_COMM_WORLD_RANK=1",
			     "OMPI_COMM_WORLD_SIZE=2", "SLURM_JOB_NODELIST=elsewhere"},
		 .want = {1, 2, 1, 2, "openmpi", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE",
			  "127.0.0.1", 0}},
		{.label = "mpiexec of MPICH, two hosts: nobody says which is first",
		 .name = "MPI_LOCALRANKID",
		 .environ = {"MPI_LOCALRANKID=1", "MPI_LOCALNRANKS=2", "PMI_RANK=3", "PMI_SIZE=4"},
		 .want = {1, 2, 3, 4, "mpich", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", "", 0}},
		{.label = "Intel's",
		 .name = "MPI_LOCALRANKID",
		 .environ = {"MPI_LOCALRANKID=0", "MPI_LOCALNRANKS=2", "I_MPI_ROOT=/opt/intel"},
		 .want = {0, 2, -1, -1, "intelmpi", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", "", 0}},
		{.label = "PALS",
		 .name = "PALS_LOCAL_RANKID",
		 .environ = {"PALS_LOCAL_RANKID=5", "PALS_LOCAL_SIZE=12", "PALS_RANKID=17", "PMI_SIZE=24"},
		 .want = {5, 12, 17, 24, "pals", "PALS_LOCAL_RANKID", "PALS_LOCAL_SIZE", "", 0}},
		{.label = "jsrun",
		 .name = "JSM_NAMESPACE_LOCAL_RANK",
		 .environ = {"JSM_NAMESPACE_LOCAL_RANK=5", "JSM_NAMESPACE_LOCAL_SIZE=6", "JSM_NAMESPACE_RANK=5",
			     "JSM_NAMESPACE_SIZE=12"},
		 .want = {5, 6, 5, 12, "jsrun", "JSM_NAMESPACE_LOCAL_RANK", "JSM_NAMESPACE_LOCAL_SIZE", "", 0}},
		{.label = "Flux says no local size",
		 .name = "FLUX_TASK_LOCAL_ID",
		 .environ = {"FLUX_TASK_LOCAL_ID=1", "FLUX_TASK_RANK=1", "FLUX_JOB_SIZE=2"},
		 .ranks = 2,
		 .want = {1, 2, 1, 2, "flux", "FLUX_TASK_LOCAL_ID", "--ranks", "127.0.0.1", 0}},
		{.label = "an indexed job of Kubernetes: one rank in each pod",
		 .name = "JOB_COMPLETION_INDEX",
		 .environ = {"JOB_COMPLETION_INDEX=5"},
		 .want = {0, 1, 5, -1, "kubernetes", "JOB_COMPLETION_INDEX", "", "", 0}},
		{.label = "a number that cannot be read, and one of ours",
		 .name = "LOCAL_RANK",
		 .environ = {"LOCAL_RANK=0", "LOCAL_WORLD_SIZE=abc"},
		 .ranks = 1,
		 .want = {0, 1, -1, -1, "environment", "LOCAL_RANK", "--ranks", "", 0}},
		{.label = "a variable of one's own",
		 .name = "MY_RANK",
		 .environ = {"MY_RANK= 3 "},
		 .ranks = 4,
		 .want = {3, 4, -1, -1, "environment", "MY_RANK", "--ranks", "", 0}},
		{.label = "jobs of Slurm that run as one",
		 .name = "SLURM_LOCALID",
		 .environ = {"SLURM_LOCALID=0", "SLURM_STEP_TASKS_PER_NODE=1", "SLURM_STEP_NODELIST=n9",
			     "SLURM_JOB_ID=7", "SLURM_HET_SIZE=2"},
		 .want = {0, 1, -1, -1, "slurm", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE", "", 0}},
		{.label = "numbers that contradict each other are unknown",
		 .name = "LOCAL_RANK",
		 .environ = {"LOCAL_RANK=0", "LOCAL_WORLD_SIZE=1", "RANK=4", "WORLD_SIZE=4"},
		 .want = {0, 1, -1, -1, "environment", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "", 0}},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_identity id;
		int rc = pit_identity_read((char **)rows[i].environ, rows[i].name, rows[i].ranks, &id, &err);

		if (rc)
			fail_msg("%s: %s", rows[i].label, err.text);
		if (id.local_rank != rows[i].want.local_rank || id.local_size != rows[i].want.local_size ||
		    id.rank != rows[i].want.rank || id.world != rows[i].want.world || id.port != rows[i].want.port)
			fail_msg("%s: %d of %d, %d of %d, port %d", rows[i].label, id.local_rank, id.local_size,
				 id.rank, id.world, id.port);
		assert_string_equal(id.launcher, rows[i].want.launcher);
		assert_string_equal(id.local_from, rows[i].want.local_from);
		assert_string_equal(id.size_from, rows[i].want.size_from);
		assert_string_equal(id.master, rows[i].want.master);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *name;
		const char *environ[5];
		int ranks;
		const char *says[3];
	} rows[] = {
		{"LOCAL_RANK", {NULL}, 0, {"LOCAL_RANK", "not set", "SLURM_LOCALID"}},
		{"LOCAL_RANK", {"LOCAL_RANK="}, 0, {"LOCAL_RANK", "empty"}},
		{"LOCAL_RANK", {"LOCAL_RANK=one"}, 0, {"LOCAL_RANK='one'"}},
		{"LOCAL_RANK", {"LOCAL_RANK=-1"}, 0, {"LOCAL_RANK='-1'"}},
		{"LOCAL_RANK", {"LOCAL_RANK=99999999999999999999"}, 0, {"LOCAL_RANK="}},
		{"LOCAL_RANK", {"LOCAL_RANK=3"}, 0, {"LOCAL_RANK=3", "give --ranks N"}},
		/* Rank 0 is not taken for the only one where the others are refused. */
		{"LOCAL_RANK", {"LOCAL_RANK=0"}, 0, {"LOCAL_RANK=0", "give --ranks N", "--ranks 1"}},
		{"LOCAL_RANK", {"LOCAL_RANK=0", "RANK=0", "WORLD_SIZE=8"}, 0, {"LOCAL_RANK=0", "give --ranks N"}},
		{"LOCAL_RANK", {"LOCAL_RANK=0", "LOCAL_WORLD_SIZE=abc"}, 0, {"LOCAL_WORLD_SIZE='abc'", "--ranks N"}},
		{"LOCAL_RANK", {"LOCAL_RANK=1", "LOCAL_WORLD_SIZE=abc"}, 0, {"LOCAL_WORLD_SIZE='abc'", "--ranks N"}},
		{"LOCAL_RANK",
		 {"LOCAL_RANK=1", "LOCAL_WORLD_SIZE=abc", "SLURM_LOCALID=1", "SLURM_TASKS_PER_NODE=2"},
		 0,
		 {"LOCAL_WORLD_SIZE='abc'"}},
		{"LOCAL_RANK", {"LOCAL_RANK=0", "LOCAL_WORLD_SIZE=0"}, 0, {"LOCAL_WORLD_SIZE='0'"}},
		/* A script in a batch job of one task that counts ranks of its own. */
		{"LOCAL_RANK",
		 {"LOCAL_RANK=0", "SLURM_LOCALID=0", "SLURM_TASKS_PER_NODE=1"},
		 0,
		 {"LOCAL_RANK=0", "give --ranks N"}},
		{"SLURM_LOCALID",
		 {"SLURM_LOCALID=0", "SLURM_STEP_TASKS_PER_NODE=2(x2", "SLURM_NODEID=0"},
		 0,
		 {"SLURM_STEP_TASKS_PER_NODE='2(x2' with SLURM_NODEID=0", "--ranks N"}},
		{"SLURM_LOCALID",
		 {"SLURM_LOCALID=0", "SLURM_TASKS_PER_NODE=2(x2)"},
		 0,
		 {"SLURM_TASKS_PER_NODE='2(x2)' with SLURM_NODEID unset"}},
		{"RANK", {"RANK=0", "WORLD_SIZE=8"}, 0, {"RANK=0", "use LOCAL_RANK"}},
		{"FLUX_TASK_LOCAL_ID", {"FLUX_TASK_LOCAL_ID=0"}, 0, {"FLUX_TASK_LOCAL_ID=0", "give --ranks N"}},
		{"LOCAL_RANK", {"LOCAL_RANK=3", "LOCAL_WORLD_SIZE=2"}, 0, {"LOCAL_RANK=3", "LOCAL_WORLD_SIZE", "2"}},
		{"LOCAL_RANK", {"LOCAL_RANK=3"}, 2, {"LOCAL_RANK=3", "--ranks", "2"}},
		{"LOCAL_RANK", {"LOCAL_RANK=1", "LOCAL_WORLD_SIZE=8"}, 4, {"--ranks 4", "LOCAL_WORLD_SIZE='8'"}},
		{"SLURM_LOCALID",
		 {"SLURM_LOCALID=0", "SLURM_TASKS_PER_NODE=2(x3)", "SLURM_NODEID=1"},
		 4,
		 {"--ranks 4", "SLURM_TASKS_PER_NODE='2(x3)'", "2 ranks"}},
		{"SLURM_PROCID",
		 {"SLURM_PROCID=9", "SLURM_TASKS_PER_NODE=8", "SLURM_LOCALID=1"},
		 8,
		 {"SLURM_PROCID=9", "use SLURM_LOCALID"}},
		{"", {NULL}, 0, {"--rank-from"}},
		{"A=B", {"A=B=1"}, 0, {"name of a variable"}},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_identity id = {.local_rank = 77};

		assert_int_equal(pit_identity_read((char **)rows[i].environ, rows[i].name, rows[i].ranks, &id, &err),
				 -EINVAL);
		assert_int_equal(id.local_rank, 77);
		for (size_t k = 0; k < 3 && rows[i].says[k]; k++)
			if (!strstr(err.text, rows[i].says[k]))
				fail_msg("row %zu: '%s' does not say '%s'", i, err.text, rows[i].says[k]);
	}
}

/* All ranks of a job must come to the same port, and neighbouring jobs to others. */
static void ports_differ(void **state)
{
	int seen[40];

	for (int job = 0; job < 10; job++)
		for (int step = 0; step < 4; step++) {
			char id[32], part[32];
			struct pit_identity i;

			snprintf(id, sizeof(id), "SLURM_JOB_ID=%d", 987654 + job);
			snprintf(part, sizeof(part), "SLURM_STEP_ID=%d", step);
			assert_int_equal(
				pit_identity_read(ENV("SLURM_LOCALID=0", id, part), "SLURM_LOCALID", 1, &i, NULL), 0);
			assert_in_range(i.port, 20000, 29999);
			seen[job * 4 + step] = i.port;
			for (int k = 0; k < job * 4 + step; k++)
				assert_int_not_equal(seen[k], i.port);
		}
}

static void reads_host_lists(void **state)
{
	static const struct {
		const char *list, *host;
	} rows[] = {
		{"n[07-09,12],gpu1", "n07"},
		{"gpu1", "gpu1"},
		{"a,b", "a"},
		{"n[3]", "n3"},
		{"r[1-2]c[04-05]x", "r1c04x"},
		{"n1.example.org,n2", "n1.example.org"},
		{"n[10,20-30]-ib", "n10-ib"},
		{"", NULL},
		{",a", NULL},
		{"n[", NULL},
		{"n[]", NULL},
		{"n[a]", NULL},
		{"n[1", NULL},
		{"n[1-", NULL},
		{"n]1", NULL},
		{"n 1", NULL},
		{"$(reboot)", NULL},
	};
	char host[256], small[4] = "xyz", longest[600];

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		int rc = pit_identity_first_host(rows[i].list, host, sizeof(host));

		if (rc != (rows[i].host ? 0 : -EINVAL))
			fail_msg("'%s' gives %d", rows[i].list, rc);
		if (rows[i].host)
			assert_string_equal(host, rows[i].host);
	}
	assert_int_equal(pit_identity_first_host("node7", small, sizeof(small)), -EINVAL);
	assert_string_equal(small, "xyz");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(pit_identity_first_host(longest, host, sizeof(host)), -EINVAL);
}

static void reads_task_lists(void **state)
{
	static const struct {
		const char *list;
		unsigned at;
		int tasks; /* 0: -EINVAL */
	} rows[] = {
		{"4(x2),3", 0, 4},
		{"4(x2),3", 1, 4},
		{"4(x2),3", 2, 3},
		{"4(x2),3", 3, 0},
		{"8", 0, 8},
		{"8", 1, 0},
		{"2,3,4", 1, 3},
		{"1(x1048576)", 1048575, 1},
		{"", 0, 0},
		{"x", 0, 0},
		{"4(x)", 0, 0},
		{"4(x2", 0, 0},
		{"4,", 1, 0},
		{"0", 0, 0},
		{"4097", 0, 0},
		{"99999999999999999999", 0, 0},
		{"4 ,3", 0, 0},
		{"4(x0)", 0, 0},
		{"4(x99999999999)", 0, 0},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		int tasks = 77, rc = pit_identity_tasks_at(rows[i].list, rows[i].at, &tasks);

		if (rc != (rows[i].tasks ? 0 : -EINVAL) || tasks != (rows[i].tasks ? rows[i].tasks : 77))
			fail_msg("'%s' at %u: %d, %d", rows[i].list, rows[i].at, rc, tasks);
	}
}

static void finds_variables(void **state)
{
	char **block = ENV("PATHS=x", "PATH=first", "PATH=second", "EMPTY=", "odd", "A=b=c");

	assert_string_equal(pit_environ_get(block, "PATH"), "first");
	assert_string_equal(pit_environ_get(block, "EMPTY"), "");
	assert_string_equal(pit_environ_get(block, "A"), "b=c");
	assert_null(pit_environ_get(block, "odd"));
	assert_null(pit_environ_get(block, "PAT"));
	assert_null(pit_environ_get(NULL, "PATH"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_launchers),  cmocka_unit_test(refuses),
		cmocka_unit_test(ports_differ),     cmocka_unit_test(reads_host_lists),
		cmocka_unit_test(reads_task_lists), cmocka_unit_test(finds_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
