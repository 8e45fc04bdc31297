/* SPDX-License-Identifier: MIT
 *
 * The part of the FAKE libnvidia-ml.so.1 that can be set. What is set is kept in the file that the environment variable
 * FAKE_NVML_STATE names, in lines "GPU KEY VALUE", so that the next process sees it; without one nothing can be set.
 * FAKE_NVML words: refuse=CODE (every setting is refused with it), busy=1 (MIG instances are in use).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

#define SLICES 8

/* The last value of a key; `otherwise` when there is none. */
static unsigned stored(pit_nvml_handle gpu, const char *key, unsigned otherwise)
{
	FILE *f = getenv("FAKE_NVML_STATE") ? fopen(getenv("FAKE_NVML_STATE"), "r") : NULL;
	unsigned index, value;
	char name[32];

	while (f && fscanf(f, "%u %31s %u", &index, name, &value) == 3)
		if (index == gpu->index && !strcmp(name, key))
			otherwise = value;
	if (f)
		fclose(f);
	return otherwise;
}

static int store(pit_nvml_handle gpu, const char *key, unsigned value)
{
	FILE *f = getenv("FAKE_NVML_STATE") ? fopen(getenv("FAKE_NVML_STATE"), "a") : NULL;
	unsigned refuse = fake_number("refuse", PIT_NVML_OK);

	if (f && !refuse)
		fprintf(f, "%u %s %u\n", gpu->index, key, value);
	if (f)
		fclose(f);
	return !f ? PIT_NVML_NOT_SUPPORTED : (int)refuse;
}

static int put(pit_nvml_handle gpu, const char *key, unsigned otherwise, unsigned *ret)
{
	*ret = stored(gpu, key, otherwise);
	return getenv("FAKE_NVML_STATE") ? PIT_NVML_OK : PIT_NVML_NOT_SUPPORTED;
}

API(nvmlDeviceGetHandleByUUID, const char *uuid, pit_nvml_handle *ret)
{
	unsigned index;

	if (sscanf(uuid, "GPU-fa4e0000-0000-0000-0000-%12x", &index) != 1 || index >= fake_number("gpus", 1))
		return 6;
	return nvmlDeviceGetHandleByIndex_v2(index, ret);
}

API(nvmlDeviceGetPersistenceMode, pit_nvml_handle gpu, unsigned *ret)
{
	*ret = stored(gpu, "persistence", 1);
	return PIT_NVML_OK;
}

API(nvmlDeviceSetPersistenceMode, pit_nvml_handle gpu, unsigned mode)
{
	return store(gpu, "persistence", mode);
}

API(nvmlDeviceGetPowerManagementLimit, pit_nvml_handle gpu, unsigned *ret)
{
	return put(gpu, "power", 700000, ret);
}

API(nvmlDeviceGetPowerManagementDefaultLimit, pit_nvml_handle gpu, unsigned *ret)
{
	return put(gpu, "power-default", 700000, ret);
}

API(nvmlDeviceGetPowerManagementLimitConstraints, pit_nvml_handle gpu, unsigned *min, unsigned *max)
{
	*min = 200000;
	return put(gpu, "power-max", 700000, max);
}

API(nvmlDeviceSetPowerManagementLimit, pit_nvml_handle gpu, unsigned limit)
{
	return limit < 200000 || limit > 700000 ? PIT_NVML_INVALID : store(gpu, "power", limit);
}

API(nvmlDeviceGetApplicationsClock, pit_nvml_handle gpu, int kind, unsigned *ret)
{
	return kind == PIT_NVML_CLOCK_SM ? put(gpu, "sm", 1500, ret) : put(gpu, "mem", 2619, ret);
}

API(nvmlDeviceGetDefaultApplicationsClock, pit_nvml_handle gpu, int kind, unsigned *ret)
{
	return kind == PIT_NVML_CLOCK_SM ? put(gpu, "sm-default", 1980, ret) : put(gpu, "mem-default", 2619, ret);
}

API(nvmlDeviceGetMaxClockInfo, pit_nvml_handle gpu, int kind, unsigned *ret)
{
	return kind == PIT_NVML_CLOCK_SM ? put(gpu, "sm-max", 1980, ret) : put(gpu, "mem-max", 2619, ret);
}

API(nvmlDeviceSetApplicationsClocks, pit_nvml_handle gpu, unsigned mem, unsigned sm)
{
	int code = store(gpu, "mem", mem);

	return code ? code : store(gpu, "sm", sm);
}

API(nvmlDeviceGetComputeMode, pit_nvml_handle gpu, unsigned *ret)
{
	return put(gpu, "compute", 0, ret);
}

API(nvmlDeviceSetComputeMode, pit_nvml_handle gpu, unsigned mode)
{
	return store(gpu, "compute", mode);
}

API(nvmlDeviceGetEccMode, pit_nvml_handle gpu, unsigned *current, unsigned *pending)
{
	*current = 1;
	*pending = stored(gpu, "ecc", 1);
	return PIT_NVML_OK;
}

API(nvmlDeviceSetEccMode, pit_nvml_handle gpu, unsigned mode)
{
	return store(gpu, "ecc", mode);
}

API(nvmlDeviceGetMigMode, pit_nvml_handle gpu, unsigned *current, unsigned *pending)
{
	*current = fake_number("mig", 0);
	*pending = stored(gpu, "mig", *current);
	return PIT_NVML_OK;
}

API(nvmlDeviceSetMigMode, pit_nvml_handle gpu, unsigned mode, int *activation)
{
	*activation = PIT_NVML_IN_USE;
	return store(gpu, "mig", mode);
}

/* ---- MIG instances: key "at.START" holds the profile's id, 0 none. The profiles of an 80 GB GPU. ---- */

static const struct {
	const char *name;
	unsigned id, size, starts, start[7];
} profiles[] = {
	{"MIG 1g.10gb", 19, 1, 7, {0, 1, 2, 3, 4, 5, 6}},
	{"MIG 2g.20gb", 14, 2, 3, {0, 2, 4}},
	{"MIG 3g.40gb", 9, 4, 2, {0, 4}},
	{"MIG 4g.40gb", 5, 4, 1, {0}},
	{"MIG 7g.80gb", 1, 8, 1, {0}},
};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

/* An instance's handle: GPU and first slice. */
static struct fake_instance {
	pit_nvml_handle gpu;
	unsigned start;
} instances[64][SLICES];

static unsigned held_at(pit_nvml_handle gpu, unsigned start)
{
	char key[16];

	snprintf(key, sizeof(key), "at.%u", start);
	return stored(gpu, key, 0);
}

static int hold_at(pit_nvml_handle gpu, unsigned start, unsigned id)
{
	char key[16];

	snprintf(key, sizeof(key), "at.%u", start);
	return store(gpu, key, id);
}

static unsigned size_of(unsigned id)
{
	for (size_t i = 0; i < PROFILES; i++)
		if (profiles[i].id == id)
			return profiles[i].size;
	return 0;
}

API(nvmlDeviceGetGpuInstanceProfileInfoV, pit_nvml_handle gpu, unsigned profile, struct pit_nvml_named_profile *ret)
{
	if (ret->version != PIT_NVML_NAMED_PROFILE_VERSION)
		return 25;
	if (profile >= PROFILES || !getenv("FAKE_NVML_STATE"))
		return PIT_NVML_NOT_SUPPORTED;
	ret->id = profiles[profile].id;
	ret->instances = profiles[profile].starts;
	snprintf(ret->name, sizeof(ret->name), "%s", profiles[profile].name);
	return PIT_NVML_OK;
}

API(nvmlDeviceGetGpuInstances, pit_nvml_handle gpu, unsigned id, void **list, unsigned *count)
{
	*count = 0;
	if (!getenv("FAKE_NVML_STATE"))
		*count = id == 18 ? 2 : 0;
	for (unsigned start = 0; getenv("FAKE_NVML_STATE") && start < SLICES; start++) {
		if (held_at(gpu, start) != id)
			continue;
		instances[gpu->index][start] = (struct fake_instance){.gpu = gpu, .start = start};
		list[(*count)++] = &instances[gpu->index][start];
	}
	return PIT_NVML_OK;
}

API(nvmlGpuInstanceGetInfo, struct fake_instance *gi, struct pit_nvml_instance_info *ret)
{
	unsigned id = held_at(gi->gpu, gi->start);

	*ret = (struct pit_nvml_instance_info){.gpu = gi->gpu, .id = gi->start, .profile = id};
	ret->placement = (struct pit_nvml_placement){.start = gi->start, .size = size_of(id)};
	return PIT_NVML_OK;
}

API(nvmlDeviceGetGpuInstancePossiblePlacements_v2, pit_nvml_handle gpu, unsigned id, struct pit_nvml_placement *ret,
    unsigned *count)
{
	*count = 0;
	for (size_t i = 0; i < PROFILES; i++)
		for (unsigned k = 0; profiles[i].id == id && k < profiles[i].starts; k++)
			ret[(*count)++] =
				(struct pit_nvml_placement){.start = profiles[i].start[k], .size = profiles[i].size};
	return PIT_NVML_OK;
}

API(nvmlDeviceCreateGpuInstanceWithPlacement, pit_nvml_handle gpu, unsigned id, const struct pit_nvml_placement *at,
    void **ret)
{
	if (at->size != size_of(id))
		return PIT_NVML_INVALID;
	for (unsigned start = 0; start < SLICES; start++)
		if (held_at(gpu, start) && start < at->start + at->size &&
		    at->start < start + size_of(held_at(gpu, start)))
			return PIT_NVML_NO_ROOM;
	instances[gpu->index][at->start] = (struct fake_instance){.gpu = gpu, .start = at->start};
	*ret = &instances[gpu->index][at->start];
	return hold_at(gpu, at->start, id);
}

API(nvmlGpuInstanceDestroy, struct fake_instance *gi)
{
	return fake_number("busy", 0) ? PIT_NVML_IN_USE : hold_at(gi->gpu, gi->start, 0);
}

API(nvmlGpuInstanceGetComputeInstanceProfileInfo, struct fake_instance *gi, unsigned profile, unsigned engine,
    struct pit_nvml_compute_profile *ret)
{
	*ret = (struct pit_nvml_compute_profile){.id = profile, .slices = profile + 1, .instances = 1};
	return profile < size_of(held_at(gi->gpu, gi->start)) ? PIT_NVML_OK : PIT_NVML_NOT_SUPPORTED;
}

API(nvmlGpuInstanceGetComputeInstances, struct fake_instance *gi, unsigned profile, void **list, unsigned *count)
{
	*count = 0;
	return PIT_NVML_OK;
}

API(nvmlGpuInstanceCreateComputeInstance, struct fake_instance *gi, unsigned profile, void **ret)
{
	*ret = gi;
	return profile + 1 == size_of(held_at(gi->gpu, gi->start)) ? PIT_NVML_OK : PIT_NVML_INVALID;
}

API(nvmlComputeInstanceDestroy, void *ci)
{
	return PIT_NVML_OK;
}
