/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "check/env.h"

static void read_cpus(const char *text, int (*parse)(const char *, struct pit_idset *))
{
	pit_auto_idset struct pit_idset cpus = {0};

	(void)parse(text, &cpus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	pit_auto_strv struct pit_strv uuids = {0};
	pit_auto_buf struct pit_buf visible = PIT_BUF_INIT, torch = PIT_BUF_INIT, jemalloc = PIT_BUF_INIT;

	pit_strv_split(&uuids, "GPU-aaaa GPU-bbbb MIG-cccc", " ");
	(void)pit_env_visible(text, 2, &uuids, &visible);
	pit_env_alloc_conf(text, &torch);
	pit_env_malloc_conf(text, &jemalloc);
	read_cpus(text, pit_env_gomp_cpus);
	read_cpus(text, pit_env_kmp_cpus);
	read_cpus(text, pit_env_omp_places);
	free(text);
	return 0;
}
