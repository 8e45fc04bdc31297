/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/idset.h"
#include "check/nvidia.h"
#include "check/env.h"
#include "check/env_names.h"
#include "check/offenders.h"

static const struct {
	const char *text;
	size_t gpus, left;
	const char *problem; /* a part; NULL none */
} visible[] = {
	{"0", 2, 1, NULL},
	{"0,1", 2, 2, NULL},
	{"0, 1", 2, 2, NULL},
	{"1,0", 0, 2, NULL},
	{"7", 0, 1, NULL},
	{"2", 2, 0, "beyond the 2 GPUs"},
	{"0,2,1", 2, 1, "beyond the 2 GPUs"},
	{"0,0", 2, 1, "twice"},
	{"", 2, 0, "hides all"},
	{"-1", 2, 0, "hides all"},
	{"NoDevFiles", 2, 0, "hides all"},
	{"0,-1,1", 2, 1, "'-1' is no device"},
	{"0,,1", 2, 1, "'' is no device"},
	{"0;1", 2, 0, "'0;1' is no device"},
	{"GPU-aaaa", 2, 1, NULL},
	{"GPU-AAAA,GPU-bbbb", 2, 2, NULL},
	{"GPU-ffff", 2, 0, "no device GPU-ffff"},
	{"GPU-", 2, 0, "fits 2 devices"},
	{"0,GPU-bbbb", 2, 1, "mixed"},
	{"MIG-cccc", 2, 1, NULL},
	{"MIG-GPU-aaaa/1/0", 2, 1, NULL},
	{"MIG-cccc,MIG-dddd", 2, 1, "one MIG device"},
	{"99999999999999999999", 2, 0, "is no device"},
};

static void reads_visible_devices(void **state)
{
	pit_auto_strv struct pit_strv uuids = {0};

	pit_strv_split(&uuids, "GPU-aaaa1111 GPU-bbbb2222 MIG-cccc3333 MIG-dddd4444", " ");
	for (size_t i = 0; i < PIT_COUNT(visible); i++) {
		pit_auto_buf struct pit_buf problem = PIT_BUF_INIT;
		size_t left = pit_env_visible(visible[i].text, visible[i].gpus, &uuids, &problem);
		bool same = visible[i].problem ? strstr(problem.data, visible[i].problem) != NULL : !problem.len;

		if (left != visible[i].left || !same)
			fail_msg("'%s' gives %zu, '%s'", visible[i].text, left, problem.data);
	}
}

static const struct {
	int (*parse)(const char *, struct pit_idset *);
	const char *text;
	int rc;
	const char *cpus;
} lists[] = {
	{pit_env_gomp_cpus, "0-3", 0, "0-3"},
	{pit_env_gomp_cpus, "0 3 1-2 4-15:2", 0, "0-4,6,8,10,12,14"},
	{pit_env_gomp_cpus, "0,2, 4", 0, "0,2,4"},
	{pit_env_gomp_cpus, "", -ENOENT, NULL},
	{pit_env_gomp_cpus, "3-1", -EINVAL, NULL},
	{pit_env_gomp_cpus, "0-", -EINVAL, NULL},
	{pit_env_gomp_cpus, "0-9:0", -EINVAL, NULL},
	{pit_env_gomp_cpus, "a", -EINVAL, NULL},
	{pit_env_gomp_cpus, "0-99999999999999", -EINVAL, NULL},
	{pit_env_kmp_cpus, "granularity=fine,compact,1,0", -ENOENT, NULL},
	{pit_env_kmp_cpus, "explicit,proclist=[0,1-3,{8,9}],verbose", 0, "0-3,8-9"},
	{pit_env_kmp_cpus, "explicit,proclist=[0-6:2]", 0, "0,2,4,6"},
	{pit_env_kmp_cpus, "explicit,proclist=[x]", -EINVAL, NULL},
	{pit_env_omp_places, "cores", -ENOENT, NULL},
	{pit_env_omp_places, "threads(8)", -ENOENT, NULL},
	{pit_env_omp_places, "{0:4},{4:4}", 0, "0-7"},
	{pit_env_omp_places, "{0,1}:4:2", 0, "0-7"},
	{pit_env_omp_places, "{0:4:2}", 0, "0,2,4,6"},
	{pit_env_omp_places, "{0", -EINVAL, NULL},
	{pit_env_omp_places, "{a}", -EINVAL, NULL},
	{pit_env_omp_places, "{0}x", -EINVAL, NULL},
	{pit_env_omp_places, "{}", -ENOENT, NULL},
	{pit_env_omp_places, "0-3", -EINVAL, NULL},
	{pit_env_omp_places, "{0:60000}:60000", -EINVAL, NULL},
	{pit_env_gomp_cpus, "0-65535 65536", -EINVAL, NULL},
};

static void reads_cpu_lists(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(lists); i++) {
		pit_auto_idset struct pit_idset cpus = {0};
		char text[64];
		int rc = lists[i].parse(lists[i].text, &cpus);

		if (rc != lists[i].rc)
			fail_msg("'%s' gives %d", lists[i].text, rc);
		if (!rc)
			assert_string_equal(pit_idset_format(&cpus, text, sizeof(text)), lists[i].cpus);
	}
}

static const struct {
	const char *text, *problem;
} confs[] =
	{
		{"expandable_segments:True", NULL},
		{"max_split_size_mb:512,garbage_collection_threshold:0.8", NULL},
		{"roundup_power2_divisions:[256:1,512:2,1024:4,>:8],backend:native", NULL},
		{"backend:cudaMallocAsync", NULL},
		{"max_split_size_mb:128, expandable_segments:True", NULL},
		{"expandable_segments:1", "no value"},
		{"expandable_segments", "no key:value"},
		{"max_split_size_mb:20", "above 20"},
		{"max_split_size_mb:lots", "no value"},
		{"garbage_collection_threshold:80", "no value"},
		{"backend:jemalloc", "no value"},
		{"nonsense:1", "unknown option"},
		{",", "no key:value"},
		{"[[[[", "no key:value"},
		{"backend:cudaMallocAsync,expandable_segments:True", "no effect"},
},
  mallocs[] = {
	  {"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0", NULL},
	  {"narenas:4", NULL},
	  {"narenas", "no key:value"},
	  {"narenas:", "no key:value"},
	  {"narena:4", "unknown option"},
	  {",", "no key:value"},
	  {":x", "unknown option"},
};

static void reads_allocator_options(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(confs) + PIT_COUNT(mallocs); i++) {
		bool torch = i < PIT_COUNT(confs);
		const char *text = torch ? confs[i].text : mallocs[i - PIT_COUNT(confs)].text;
		const char *expected = torch ? confs[i].problem : mallocs[i - PIT_COUNT(confs)].problem;
		pit_auto_buf struct pit_buf problem = PIT_BUF_INIT;

		(torch ? pit_env_alloc_conf : pit_env_malloc_conf)(text, &problem);
		if (expected ? !strstr(problem.data, expected) : problem.len != 0)
			fail_msg("'%s' gives '%s'", text, problem.data);
	}
}

static void reads_library_versions(void **state)
{
	char version[32];

	assert_int_equal(pit_nvidia_file_version("/usr/lib/libcuda.so.550.54.15", version, sizeof(version)), 0);
	assert_string_equal(version, "550.54.15");
	assert_int_equal(pit_nvidia_file_version("libcuda.so.1", version, sizeof(version)), -ENOENT);
	assert_int_equal(pit_nvidia_file_version("libcuda.so", version, sizeof(version)), -ENOENT);
	assert_int_equal(pit_nvidia_file_version("libcuda.so.550.x", version, sizeof(version)), -ENOENT);
}

static void keeps_no_secrets(void **state)
{
	static const char *const kept[] = {"PATH", "CUDA_HOME", "NCCL_DEBUG", "OMP_NUM_THREADS", "MASTER_ADDR"};
	static const char *const dropped[] = {
		"AWS_SECRET_ACCESS_KEY",  "HF_TOKEN",       "WANDB_API_KEY", "PATHX", "SSH_AUTH_SOCK",
		"HUGGING_FACE_HUB_TOKEN", "MASTER_ADDRESS", "RANKS"};

	for (size_t i = 0; i < PIT_COUNT(kept); i++)
		assert_true(pit_env_is_kept(kept[i], strlen(kept[i])));
	for (size_t i = 0; i < PIT_COUNT(dropped); i++)
		assert_false(pit_env_is_kept(dropped[i], strlen(dropped[i])));
}

static const struct {
	const char *source, *problem, *evidence;
} problems[] = {
	{"NCCL_NET", "NCCL_NET=Socket: RDMA is not used", "Socket: RDMA is not used"},
	{"NCCL_TOPO_FILE", "NCCL_TOPO_FILE: no file /x", "no file /x"},
	{"OMP_PROC_BIND", "OMP_PROC_BIND binds all", "binds all"},
	{"RANK", "RANKS=4", "RANKS=4"},
	{"LOCAL_RANK", "RANK=4 with WORLD_SIZE=2", "RANK=4 with WORLD_SIZE=2"},
	{"/dev", "no /dev/nvidia-uvm", "no /dev/nvidia-uvm"},
};

static void names_the_source_once(void **state)
{
	static const struct pit_check row = {.id = "x.y"};

	for (size_t i = 0; i < PIT_COUNT(problems); i++) {
		struct pit_finding finding = {.check = &row};
		struct pit_offenders p = {0};

		pit_problem(&p, &finding, problems[i].source, "%s", problems[i].problem);
		assert_string_equal(pit_offenders_text(&p), problems[i].problem);
		assert_int_equal(finding.evidences, 1);
		assert_string_equal(finding.evidence[0].source, problems[i].source);
		assert_string_equal(finding.evidence[0].text, problems[i].evidence);
		pit_finding_clear(&finding);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_visible_devices),   cmocka_unit_test(reads_cpu_lists),
		cmocka_unit_test(reads_allocator_options), cmocka_unit_test(reads_library_versions),
		cmocka_unit_test(keeps_no_secrets),        cmocka_unit_test(names_the_source_once),
	};

	return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
