/* SPDX-License-Identifier: MIT
 *
 * How a GPU in MIG mode is divided.
 */
#include <string.h>

#include "host/nvml_abi.h"
#include "host/nvml_ask.h"

typedef int (*number_fn)(pit_nvml_handle, unsigned *);

static void add_number(void *lib, pit_nvml_handle gpu, const char *function, json_t *to, const char *key)
{
	number_fn ask = (number_fn)pit_nvml_symbol(lib, function, NULL);
	unsigned value;

	if (ask && ask(gpu, &value) == PIT_NVML_OK)
		json_object_set_new(to, key, json_integer(value));
}

static void add_text(void *lib, pit_nvml_handle gpu, const char *function, json_t *to, const char *key)
{
	int (*ask)(pit_nvml_handle, char *, unsigned) =
		(int (*)(pit_nvml_handle, char *, unsigned))pit_nvml_symbol(lib, function, NULL);
	char text[96] = "";

	if (ask && ask(gpu, text, sizeof(text)) == PIT_NVML_OK && text[0])
		json_object_set_new(to, key, json_string(text));
}

static json_t *describe(void *lib, pit_nvml_handle mig)
{
	int (*ask)(pit_nvml_handle, struct pit_nvml_attributes *) =
		(int (*)(pit_nvml_handle, struct pit_nvml_attributes *))pit_nvml_symbol(
			lib, "nvmlDeviceGetAttributes_v2", "nvmlDeviceGetAttributes");
	struct pit_nvml_attributes a;
	json_t *one = json_object();

	add_text(lib, mig, "nvmlDeviceGetUUID", one, "uuid");
	add_text(lib, mig, "nvmlDeviceGetName", one, "name");
	add_number(lib, mig, "nvmlDeviceGetGpuInstanceId", one, "gi");
	add_number(lib, mig, "nvmlDeviceGetComputeInstanceId", one, "ci");
	if (ask && ask(mig, &a) == PIT_NVML_OK) {
		json_object_set_new(one, "slices", json_integer(a.gpu_slices));
		json_object_set_new(one, "memory_mb", json_integer((json_int_t)a.memory_mb));
	}
	return one;
}

static void add_devices(void *lib, pit_nvml_handle gpu, json_t *mig)
{
	int (*ask)(pit_nvml_handle, unsigned, pit_nvml_handle *) =
		(int (*)(pit_nvml_handle, unsigned, pit_nvml_handle *))pit_nvml_symbol(
			lib, "nvmlDeviceGetMigDeviceHandleByIndex", NULL);
	json_int_t max = json_integer_value(json_object_get(mig, "max"));
	json_t *all = json_array();

	for (unsigned i = 0; ask && i < 64 && (json_int_t)i < max; i++) {
		pit_nvml_handle one = NULL;

		if (ask(gpu, i, &one) == PIT_NVML_OK)
			json_array_append_new(all, describe(lib, one));
	}
	json_object_set_new(mig, "devices", all);
}

/* GPU instances by profile, also those without a compute instance, and how many more of the first profile (one slice)
 * would fit. Both may need root. */
static void count_instances(void *lib, pit_nvml_handle gpu, json_t *mig)
{
	int (*profile)(pit_nvml_handle, unsigned, struct pit_nvml_slice_profile *) =
		(int (*)(pit_nvml_handle, unsigned, struct pit_nvml_slice_profile *))pit_nvml_symbol(
			lib, "nvmlDeviceGetGpuInstanceProfileInfo", NULL);
	int (*list)(pit_nvml_handle, unsigned, void **, unsigned *) = (int (*)(
		pit_nvml_handle, unsigned, void **, unsigned *))pit_nvml_symbol(lib, "nvmlDeviceGetGpuInstances", NULL);
	int (*left)(pit_nvml_handle, unsigned, unsigned *) =
		(int (*)(pit_nvml_handle, unsigned, unsigned *))pit_nvml_symbol(
			lib, "nvmlDeviceGetGpuInstanceRemainingCapacity", NULL);
	json_int_t found = 0;
	bool known = false;

	for (unsigned p = 0; profile && p < PIT_NVML_SLICE_PROFILES; p++) {
		struct pit_nvml_slice_profile info;
		void *instances[64];
		unsigned count = PIT_COUNT(instances), more;

		if (profile(gpu, p, &info) != PIT_NVML_OK || info.instances > PIT_COUNT(instances))
			continue;
		if (p == 0 && left && left(gpu, info.id, &more) == PIT_NVML_OK)
			json_object_set_new(mig, "free", json_integer(more));
		if (!list || list(gpu, info.id, instances, &count) != PIT_NVML_OK)
			continue;
		known = true;
		found += count;
	}
	if (known)
		json_object_set_new(mig, "instances", json_integer(found));
}

void pit_nvml_query_mig(void *library, pit_nvml_handle gpu, json_t *all)
{
	json_t *mig = json_object_get(all, "mig");

	if (json_integer_value(json_object_get(mig, "current")) != 1)
		return;
	add_number(library, gpu, "nvmlDeviceGetMaxMigDeviceCount", mig, "max");
	add_devices(library, gpu, mig);
	count_instances(library, gpu, mig);
	pit_nvml_query_layout(library, gpu, mig);
}
