/* SPDX-License-Identifier: MIT
 *
 * Over the FAKE library of tests/fake, which keeps what is set in a file (see test_nvml.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../tempdir.h"
#include "host/nvml_ask.h"
#include "host/nvml_set.h"

#define GPU0 "GPU-fa4e0000-0000-0000-0000-000000000000"
#define GPU1 "GPU-fa4e0000-0000-0000-0000-000000000001"

static int start(void **state)
{
	static char dir[64];
	char path[128];

	tempdir_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	setenv("FAKE_NVML_STATE", path, 1);
	setenv("FAKE_NVML", "gpus=2", 1);
	*state = dir;
	return 0;
}

static int stop(void **state)
{
	unsetenv("FAKE_NVML_STATE");
	tempdir_remove(*state);
	return 0;
}

/* What the driver says of an item now, or "-ERRNO". */
static char *now(unsigned index, const char *item, char *ret, size_t size)
{
	struct pit_nvml_ask ask = pit_nvml_usual;
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT, out = PIT_BUF_INIT;
	json_t *all;
	int rc;

	assert_int_equal(pit_nvml_ask(&ask, &text, NULL), 0);
	all = json_loads(text.data, 0, NULL);
	rc = pit_nvml_item_of(json_array_get(json_object_get(all, "gpus"), index), item, &out);
	json_decref(all);
	if (rc)
		snprintf(ret, size, "%d", rc);
	else
		snprintf(ret, size, "%s", out.data);
	return ret;
}

static const struct {
	const char *item, *before, *value;
} plain[] = {
	{"persistence", "on", "off"},
	{"power-limit", "700", "350.5"},
	{"clocks", "2619 1500", "2619 1980"},
	{"compute-mode", "default", "exclusive-process"},
	{"ecc", "on", "off"},
	{"mig", "off", "on"},
};

static void sets_and_restores(void **state)
{
	char text[64];

	for (size_t i = 0; i < PIT_COUNT(plain); i++) {
		assert_string_equal(now(1, plain[i].item, text, sizeof(text)), plain[i].before);
		assert_int_equal(pit_nvml_set(GPU1, plain[i].item, plain[i].value, NULL), 0);
		assert_string_equal(now(1, plain[i].item, text, sizeof(text)), plain[i].value);
		assert_string_equal(now(0, plain[i].item, text, sizeof(text)), plain[i].before);
		assert_int_equal(pit_nvml_set(GPU1, plain[i].item, plain[i].before, NULL), 0);
		assert_string_equal(now(1, plain[i].item, text, sizeof(text)), plain[i].before);
	}
}

static const struct {
	const char *orders, *uuid, *item, *value;
	int rc;
	const char *text;
} refusals[] = {
	{"gpus=2", GPU0, "power-limit", "900", -EINVAL, "does not accept"},
	{"gpus=2", GPU0, "power-limit", "much", -EINVAL, "\"much\""},
	{"gpus=2", GPU0, "clocks", "2619", -EINVAL, "clocks"},
	{"gpus=2", GPU0, "clocks", "4294969915 1500", -EINVAL, "clocks"},
	{"gpus=2", GPU0, "clocks", "2619 1500 1", -EINVAL, "clocks"},
	{"gpus=2", GPU0, "compute-mode", "shared", -EINVAL, "compute-mode"},
	{"gpus=2", GPU0, "fan", "on", -EOPNOTSUPP, "no such setting"},
	{"gpus=1", GPU1, "ecc", "on", -EIO, GPU1},
	{"gpus=2 refuse=4", GPU0, "ecc", "on", -EPERM, "root"},
	{"gpus=2 refuse=19", GPU0, "mig", "on", -EBUSY, "in use"},
	{"gpus=2 refuse=999", GPU0, "ecc", "on", -EIO, "NVML error 999"},
	{"gpus=2 init=9", GPU0, "ecc", "on", -ENODEV, "driver is not loaded"},
	{"gpus=2 crash=0", GPU0, "ecc", "on", -EIO, "crashed"},
	{"mig=1", GPU0, "mig-layout", "9g.999gb@0", -EINVAL, "mig-layout"},
	{"mig=1", GPU0, "mig-layout", "3g.40gb", -EINVAL, "mig-layout"},
	{"mig=1", GPU0, "mig-layout", "3g.40gb@0 4g.40gb@0", -ENOSPC, "no room"},
};

static void says_why_not(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(refusals); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		int rc;

		setenv("FAKE_NVML", refusals[i].orders, 1);
		rc = pit_nvml_set(refusals[i].uuid, refusals[i].item, refusals[i].value, &err);
		if (rc != refusals[i].rc)
			fail_msg("row %zu: %d, %s", i, rc, err.text);
		if (!strstr(err.text, refusals[i].text))
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void divides(void **state)
{
	char text[96];

	setenv("FAKE_NVML", "mig=1", 1);
	assert_string_equal(now(0, "mig-layout", text, sizeof(text)), "none");
	assert_int_equal(pit_nvml_set(GPU0, "mig-layout", "3g.40gb@4 1g.10gb@0 2g.20gb@2", NULL), 0);
	assert_string_equal(now(0, "mig-layout", text, sizeof(text)), "1g.10gb@0 2g.20gb@2 3g.40gb@4");
	assert_int_equal(pit_nvml_set(GPU0, "mig-layout", "7g.80gb@0", NULL), 0);
	assert_string_equal(now(0, "mig-layout", text, sizeof(text)), "7g.80gb@0");
	assert_int_equal(pit_nvml_set(GPU0, "mig-layout", "1g.10gb@0 2g.20gb", NULL), -EINVAL);
	assert_string_equal(now(0, "mig-layout", text, sizeof(text)), "7g.80gb@0");
	setenv("FAKE_NVML", "mig=1 busy=1", 1);
	assert_int_equal(pit_nvml_set(GPU0, "mig-layout", "none", NULL), -EBUSY);
	setenv("FAKE_NVML", "mig=1", 1);
	assert_int_equal(pit_nvml_set(GPU0, "mig-layout", "none", NULL), 0);
	assert_string_equal(now(0, "mig-layout", text, sizeof(text)), "none");
}

static void tells_what_a_gpu_lacks(void **state)
{
	char text[64];

	unsetenv("FAKE_NVML_STATE");
	assert_string_equal(now(0, "power-limit", text, sizeof(text)), "-95");
	assert_string_equal(now(0, "mig-layout", text, sizeof(text)), "-95");
	assert_string_equal(now(0, "fan", text, sizeof(text)), "-95");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sets_and_restores, start, stop),
		cmocka_unit_test_setup_teardown(says_why_not, start, stop),
		cmocka_unit_test_setup_teardown(divides, start, stop),
		cmocka_unit_test_setup_teardown(tells_what_a_gpu_lacks, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
