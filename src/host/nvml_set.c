/* SPDX-License-Identifier: MIT */
#include "host/nvml_set.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "host/nvml.h"
#include "host/nvml_abi.h"
#include "host/nvml_ask.h"
#include "host/try.h"

/* Switching MIG resets the GPU, which takes seconds. */
#define SET_MS 60000

struct item {
	const char *name;
	int (*get)(const json_t *gpu, struct pit_buf *out);            /* 0 or -EOPNOTSUPP */
	int (*set)(void *lib, pit_nvml_handle gpu, const char *value); /* an NVML code */
};

typedef int (*set_u32)(pit_nvml_handle, unsigned);
typedef int (*set_two)(pit_nvml_handle, unsigned, unsigned);

static int64_t number(const json_t *gpu, const char *group, const char *key)
{
	const json_t *value = json_object_get(group ? json_object_get(gpu, group) : gpu, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static int put_switch(int64_t value, struct pit_buf *out)
{
	if (value < 0)
		return -EOPNOTSUPP;
	pit_buf_puts(out, value ? "on" : "off");
	return 0;
}

static int call_u32(void *lib, const char *function, pit_nvml_handle gpu, unsigned value)
{
	set_u32 set = (set_u32)pit_nvml_symbol(lib, function, NULL);

	return set ? set(gpu, value) : PIT_NVML_NOT_SUPPORTED;
}

static int call_switch(void *lib, const char *function, pit_nvml_handle gpu, const char *value)
{
	bool on;

	return pit_parse_bool(value, &on) ? PIT_NVML_INVALID : call_u32(lib, function, gpu, on);
}

static int get_persistence(const json_t *gpu, struct pit_buf *out)
{
	return put_switch(number(gpu, NULL, "persistence"), out);
}

static int set_persistence(void *lib, pit_nvml_handle gpu, const char *value)
{
	return call_switch(lib, "nvmlDeviceSetPersistenceMode", gpu, value);
}

/* NVML counts milliwatts. */
static int get_power(const json_t *gpu, struct pit_buf *out)
{
	int64_t limit = number(gpu, "power", "limit");

	if (limit < 0)
		return -EOPNOTSUPP;
	pit_buf_printf(out, "%.10g", (double)limit / 1000);
	return 0;
}

static int set_power(void *lib, pit_nvml_handle gpu, const char *value)
{
	double watts;

	if (pit_parse_double(value, &watts) || !(watts > 0 && watts < 1e6))
		return PIT_NVML_INVALID;
	return call_u32(lib, "nvmlDeviceSetPowerManagementLimit", gpu, (unsigned)lround(watts * 1000));
}

static int get_clocks(const json_t *gpu, struct pit_buf *out)
{
	int64_t mem = number(gpu, "clocks", "mem_app"), sm = number(gpu, "clocks", "sm_app");

	if (mem < 0 || sm < 0)
		return -EOPNOTSUPP;
	pit_buf_printf(out, "%d %d", (int)mem, (int)sm);
	return 0;
}

static int set_clocks(void *lib, pit_nvml_handle gpu, const char *value)
{
	set_two set = (set_two)pit_nvml_symbol(lib, "nvmlDeviceSetApplicationsClocks", NULL);
	pit_auto_strv struct pit_strv words = {0};
	uint64_t mem, sm;

	if (pit_strv_split(&words, value, " "))
		return PIT_NVML_UNKNOWN;
	if (words.count != 2 || pit_parse_u64(words.item[0], &mem) || pit_parse_u64(words.item[1], &sm) ||
	    mem > UINT_MAX || sm > UINT_MAX)
		return PIT_NVML_INVALID;
	return set ? set(gpu, (unsigned)mem, (unsigned)sm) : PIT_NVML_NOT_SUPPORTED;
}

static const char *const compute_modes[] = {"default", "exclusive-thread", "prohibited", "exclusive-process"};

static int get_compute(const json_t *gpu, struct pit_buf *out)
{
	int64_t mode = number(gpu, NULL, "compute_mode");

	if (mode < 0 || mode >= (int64_t)PIT_COUNT(compute_modes))
		return -EOPNOTSUPP;
	pit_buf_puts(out, compute_modes[mode]);
	return 0;
}

static int set_compute(void *lib, pit_nvml_handle gpu, const char *value)
{
	for (unsigned i = 0; i < PIT_COUNT(compute_modes); i++)
		if (!strcmp(value, compute_modes[i]))
			return call_u32(lib, "nvmlDeviceSetComputeMode", gpu, i);
	return PIT_NVML_INVALID;
}

static int get_ecc(const json_t *gpu, struct pit_buf *out)
{
	return put_switch(number(gpu, "ecc", "pending"), out);
}

static int set_ecc(void *lib, pit_nvml_handle gpu, const char *value)
{
	return call_switch(lib, "nvmlDeviceSetEccMode", gpu, value);
}

static int get_mig(const json_t *gpu, struct pit_buf *out)
{
	return put_switch(number(gpu, "mig", "pending"), out);
}

/* A mode that only waits for a reset is set: `activation` tells why it waits. */
static int set_mig(void *lib, pit_nvml_handle gpu, const char *value)
{
	int (*set)(pit_nvml_handle, unsigned, int *) =
		(int (*)(pit_nvml_handle, unsigned, int *))pit_nvml_symbol(lib, "nvmlDeviceSetMigMode", NULL);
	int activation = PIT_NVML_OK;
	bool on;

	if (pit_parse_bool(value, &on))
		return PIT_NVML_INVALID;
	return set ? set(gpu, on, &activation) : PIT_NVML_NOT_SUPPORTED;
}

static int get_layout(const json_t *gpu, struct pit_buf *out)
{
	const json_t *layout = json_object_get(json_object_get(gpu, "mig"), "layout");

	if (!json_is_string(layout))
		return -EOPNOTSUPP;
	pit_buf_puts(out, *json_string_value(layout) ? json_string_value(layout) : "none");
	return 0;
}

static int set_layout(void *lib, pit_nvml_handle gpu, const char *value)
{
	return pit_nvml_divide(lib, gpu, strcmp(value, "none") ? value : "");
}

static const struct item items[] = {
	{.name = "persistence", .get = get_persistence, .set = set_persistence},
	{.name = "power-limit", .get = get_power, .set = set_power},
	{.name = "clocks", .get = get_clocks, .set = set_clocks},
	{.name = "compute-mode", .get = get_compute, .set = set_compute},
	{.name = "ecc", .get = get_ecc, .set = set_ecc},
	{.name = "mig", .get = get_mig, .set = set_mig},
	{.name = "mig-layout", .get = get_layout, .set = set_layout},
};

static const struct item *find(const char *name)
{
	for (size_t i = 0; i < PIT_COUNT(items); i++)
		if (!strcmp(items[i].name, name))
			return &items[i];
	return NULL;
}

int pit_nvml_item_of(const json_t *gpu, const char *name, struct pit_buf *out)
{
	const struct item *item = find(name);

	return item ? item->get(gpu, out) : -EOPNOTSUPP;
}

int pit_nvml_item(struct pit_root *root, const char *uuid, const char *name, struct pit_buf *out, struct pit_error *err)
{
	const json_t *gpu;
	json_t *all;
	size_t i;
	int rc = pit_nvml_load(root, &all, err);

	if (rc)
		return rc;
	rc = pit_fail(err, ENODEV, "there is no GPU %s", uuid);
	json_array_foreach(json_object_get(all, "gpus"), i, gpu)
	{
		const char *its = json_string_value(json_object_get(gpu, "uuid"));

		if (!its || strcmp(its, uuid))
			continue;
		rc = pit_nvml_item_of(gpu, name, out);
		if (rc)
			rc = pit_fail(err, -rc, "GPU %s does not tell its %s", uuid, name);
		break;
	}
	json_decref(all);
	return rc;
}

struct order {
	const char *uuid, *item, *value;
};

static int call(void *lib, const struct order *o)
{
	int (*init)(void) = (int (*)(void))pit_nvml_symbol(lib, "nvmlInit_v2", "nvmlInit");
	int (*by_uuid)(const char *, pit_nvml_handle *) =
		(int (*)(const char *, pit_nvml_handle *))pit_nvml_symbol(lib, "nvmlDeviceGetHandleByUUID", NULL);
	const struct item *item = find(o->item);
	pit_nvml_handle gpu;
	int code = init ? init() : PIT_NVML_NO_LIBRARY;

	if (code == PIT_NVML_OK)
		code = by_uuid ? by_uuid(o->uuid, &gpu) : PIT_NVML_NOT_SUPPORTED;
	if (code != PIT_NVML_OK)
		return code;
	return item ? item->set(lib, gpu, o->value) : PIT_NVML_NOT_SUPPORTED;
}

/* In the helper: the NVML code as text. */
static int make(const char *name, void *arg, struct pit_buf *out)
{
	void *lib = pit_nvml_open(NULL);

	pit_buf_printf(out, "%d", lib ? call(lib, arg) : PIT_NVML_NO_LIBRARY);
	return 0;
}

static const struct {
	int code, error;
	const char *text;
} refusals[] = {
	{PIT_NVML_INVALID, EINVAL, "the GPU does not accept this value"},
	{PIT_NVML_NOT_SUPPORTED, EOPNOTSUPP, "this GPU or its driver has no such setting"},
	{PIT_NVML_NO_PERMISSION, EPERM, "no permission; it needs root on the host"},
	{PIT_NVML_TIMEOUT, ETIMEDOUT, "the driver timed out"},
	{PIT_NVML_NO_LIBRARY, ENODEV, "libnvidia-ml.so.1 is not installed"},
	{PIT_NVML_NO_DRIVER, ENODEV, "the NVIDIA kernel driver is not loaded"},
	{PIT_NVML_LOST, ENODEV, "the GPU is lost"},
	{PIT_NVML_RESET_REQUIRED, EIO, "the GPU needs a reset first"},
	{PIT_NVML_IN_USE, EBUSY, "the GPU is in use; end its processes first"},
	{PIT_NVML_NO_ROOM, ENOSPC, "there is no room for this instance"},
};

static int refused(const struct order *o, int code, struct pit_error *err)
{
	for (size_t i = 0; i < PIT_COUNT(refusals); i++)
		if (refusals[i].code == code)
			return pit_fail(err, refusals[i].error, "cannot set %s of GPU %s to \"%s\": %s", o->item,
					o->uuid, o->value, refusals[i].text);
	return pit_fail(err, EIO, "cannot set %s of GPU %s to \"%s\": NVML error %d", o->item, o->uuid, o->value, code);
}

int pit_nvml_set(const char *uuid, const char *item, const char *value, struct pit_error *err)
{
	struct order o = {.uuid = uuid, .item = item, .value = value};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	int64_t code;
	int rc = pit_try(SET_MS, make, "nvml-set", &o, &out);

	if (rc == -ETIMEDOUT)
		return pit_fail(err, ETIMEDOUT, "NVML did not set %s of GPU %s within %d s", item, uuid, SET_MS / 1000);
	if (!rc)
		rc = pit_parse_i64(out.data, &code);
	if (rc)
		return pit_fail(err, EIO, "the NVML library crashed when it set %s of GPU %s", item, uuid);
	return code == PIT_NVML_OK ? 0 : refused(&o, (int)code, err);
}
