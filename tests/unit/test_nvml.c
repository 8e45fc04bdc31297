/* SPDX-License-Identifier: MIT
 *
 * Over the FAKE library of tests/fake/nvml.c, in the directory that the environment variable PITCREW_FAKES names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "../tempdir.h"
#include "base/clock.h"
#include "host/nvml.h"
#include "host/nvml_ask.h"

static int ask_fake(const char *library, const char *orders, json_t **ret)
{
	struct pit_nvml_ask ask = {.start_ms = 400, .gpu_ms = 400, .total_ms = 4000};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", getenv("PITCREW_FAKES"), library);
	ask.library = path;
	setenv("FAKE_NVML", orders, 1);
	rc = pit_nvml_ask(&ask, &text, NULL);
	if (!rc)
		*ret = json_loads(text.data, 0, NULL);
	return rc;
}

static json_t *gpu_of(json_t *all, size_t i)
{
	return json_array_get(json_object_get(all, "gpus"), i);
}

static json_int_t number(json_t *all, const char *group, const char *key)
{
	json_t *value = json_object_get(group ? json_object_get(all, group) : all, key);

	return value ? json_integer_value(value) : -1;
}

/* On a busy machine a child takes longer to die than it is waited for. */
static void no_child_is_left(void)
{
	for (int i = 0; i < 2000 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		usleep(10000);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void tells_what_gpus_say(void **state)
{
	json_t *all = NULL, *gpu;

	assert_int_equal(ask_fake("libnvidia-ml.so.1", "gpus=2 ecc=5 remap=1", &all), 0);
	assert_string_equal(json_string_value(json_object_get(all, "driver")), "999.99.fake");
	assert_int_equal(number(all, NULL, "cuda"), 12040);
	assert_int_equal(number(all, NULL, "count"), 2);
	assert_null(json_object_get(all, "incomplete"));
	gpu = gpu_of(all, 1);
	assert_string_equal(json_string_value(json_object_get(gpu, "pci")), "10000:65:01.0");
	assert_string_equal(json_string_value(json_object_get(gpu, "cpus")), "0-3,64-67");
	assert_int_equal(number(gpu, "ecc", "uncorrected"), 5);
	assert_int_equal(number(gpu, "ecc", "corrected"), 0);
	assert_int_equal(number(gpu, "remapped", "pending"), 1);
	assert_int_equal(number(gpu, "memory", "reserved"), 1 << 28);
	assert_int_equal(number(gpu, "temperature", "slowdown"), 89);
	assert_int_equal(number(gpu, "temperature", "memory"), 52);
	assert_int_equal(number(gpu, "clocks", "mem"), 2619);
	assert_int_equal(number(gpu, NULL, "throttle"), 1);
	assert_int_equal(number(gpu, "nvlink", "active"), 3);
	assert_int_equal(number(gpu, "fabric", "state"), 3);
	assert_int_equal(number(gpu, NULL, "recovery"), 0);
	json_decref(all);
	no_child_is_left();
}

/* Functions that the library lacks, and values it does not know, are absent and never 0. */
static void leaves_out_what_is_unknown(void **state)
{
	json_t *all = NULL, *gpu, *process;

	assert_int_equal(ask_fake("libnvidia-ml.so.1", "", &all), 0);
	gpu = gpu_of(all, 0);
	process = json_array_get(json_object_get(gpu, "processes"), 0);
	assert_null(json_object_get(gpu, "node"));
	assert_null(json_object_get(gpu, "power"));
	assert_null(json_object_get(gpu, "retired"));
	assert_int_equal(number(process, NULL, "pid"), 4242);
	assert_null(json_object_get(process, "memory"));
	json_decref(all);
	assert_int_equal(ask_fake("old/libnvidia-ml.so.1", "", &all), 0);
	gpu = gpu_of(all, 0);
	assert_string_equal(json_string_value(json_object_get(gpu, "name")), "FAKE GPU");
	assert_int_equal(number(gpu, "memory", "used"), 1 << 20);
	assert_int_equal(number(gpu, "memory", "reserved"), -1);
	assert_null(json_object_get(gpu, "ecc"));
	assert_null(json_object_get(all, "cuda"));
	json_decref(all);
}

static void divides_mig(void **state)
{
	json_t *all = NULL, *mig, *one;

	assert_int_equal(ask_fake("libnvidia-ml.so.1", "mig=1", &all), 0);
	mig = json_object_get(gpu_of(all, 0), "mig");
	assert_int_equal(number(mig, NULL, "current"), 1);
	assert_int_equal(number(mig, NULL, "instances"), 2);
	assert_int_equal(number(mig, NULL, "free"), 3);
	assert_int_equal(json_array_size(json_object_get(mig, "devices")), 2);
	one = json_array_get(json_object_get(mig, "devices"), 1);
	assert_int_equal(number(one, NULL, "gi"), 8);
	assert_int_equal(number(one, NULL, "slices"), 2);
	assert_null(json_object_get(gpu_of(all, 0), "utilization"));
	json_decref(all);
}

static void keeps_refusals(void **state)
{
	json_t *all = NULL;

	assert_int_equal(ask_fake("libnvidia-ml.so.1", "init=18", &all), 0);
	assert_int_equal(number(all, NULL, "error"), 18);
	json_decref(all);
	assert_int_equal(ask_fake("no-such-library.so", "", &all), 0);
	assert_int_equal(number(all, NULL, "error"), 12);
	json_decref(all);
	assert_int_equal(ask_fake("libnvidia-ml.so.1", "gpus=3 lost=1", &all), 0);
	assert_int_equal(number(gpu_of(all, 1), NULL, "error"), 15);
	assert_string_equal(json_string_value(json_object_get(gpu_of(all, 2), "name")), "FAKE GPU");
	json_decref(all);
}

static void survives_a_hang(void **state)
{
	json_t *all = NULL;
	int64_t started = pit_now();

	assert_int_equal(ask_fake("libnvidia-ml.so.1", "hang=init", &all), -ETIMEDOUT);
	assert_null(all);
	assert_true(pit_now() - started < 2000 * PIT_MS);
	no_child_is_left();
	assert_int_equal(ask_fake("libnvidia-ml.so.1", "gpus=3 hang=1", &all), 0);
	assert_int_equal(json_array_size(json_object_get(all, "gpus")), 1);
	assert_string_equal(json_string_value(json_object_get(all, "incomplete")),
			    "GPU 1 did not answer within 400 ms");
	json_decref(all);
	no_child_is_left();
}

static void survives_a_crash(void **state)
{
	json_t *all = NULL;

	assert_int_equal(ask_fake("libnvidia-ml.so.1", "gpus=2 crash=0", &all), 0);
	assert_int_equal(json_array_size(json_object_get(all, "gpus")), 0);
	assert_string_equal(json_string_value(json_object_get(all, "incomplete")), "the library ended at GPU 0");
	json_decref(all);
	no_child_is_left();
}

static void finds_it_on_the_loader_path(void **state)
{
	struct pit_nvml_ask ask = pit_nvml_usual;
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	setenv("FAKE_NVML", "", 1);
	assert_int_equal(pit_nvml_ask(&ask, &text, NULL), 0);
	assert_non_null(strstr(text.data, "999.99.fake"));
}

static const struct {
	const char *fact;
	int rc;
} recorded[] = {
	{"{\"driver\":\"1\",\"gpus\":[]}", 0},
	{"{\"error\":18}", -ELIBBAD},
	{"{\"error\":9}", -ENODEV},
	{"{\"error\":12}", -ENOENT},
	{"{\"error\":4}", -EPERM},
	{"{\"error\":12345}", -EIO},
	{"[]", -EBADMSG},
	{"{\"driver\":", -EBADMSG},
	{"", -EBADMSG},
	{NULL, -ENODATA},
};

static void reads_recordings(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(recorded); i++) {
		char dir[64];
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_root *root = NULL;
		json_t *all = NULL;

		tempdir_new(dir, sizeof(dir));
		if (recorded[i].fact)
			tempdir_file(dir, "/.pitcrew/fact/nvml", recorded[i].fact);
		assert_int_equal(pit_root_open(dir, &root, &err), 0);
		assert_int_equal(pit_nvml_load(root, &all, &err), recorded[i].rc);
		assert_int_equal(all != NULL, recorded[i].rc == 0);
		assert_int_equal(err.text[0] != '\0', recorded[i].rc != 0);
		json_decref(all);
		pit_root_close(root);
		tempdir_remove(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_gpus_say),
		cmocka_unit_test(leaves_out_what_is_unknown),
		cmocka_unit_test(divides_mig),
		cmocka_unit_test(keeps_refusals),
		cmocka_unit_test(survives_a_hang),
		cmocka_unit_test(survives_a_crash),
		cmocka_unit_test(finds_it_on_the_loader_path),
		cmocka_unit_test(reads_recordings),
	};

	return cmocka_run_group_tests_name("nvml", tests, NULL, NULL);
}
