/* SPDX-License-Identifier: MIT
 *
 * A FAKE libnvidia-ml.so.1 for tests: no driver, no GPU. It answers with NVML's binary interface what the environment
 * variable FAKE_NVML tells it to, blank-separated:
 *
 *	gpus=N		how many GPUs (1)
 *	init=CODE	nvmlInit returns CODE
 *	hang=init	nvmlInit never returns;  hang=N  GPU N never answers;  crash=N  the library crashes at GPU N
 *	lost=N		GPU N answers with code 15
 *	ecc=N		N uncorrected errors;  remap=1  a row waits for its remapping
 *	mig=1		MIG mode with two instances and three slices left
 *	throttle=N	bit mask
 *	bus=N,N,...	PCI bus of each GPU, in domain 0 and as its only device
 *
 * Compiled with FAKE_OLD it lacks all but a few functions, as an old library does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"

static struct pit_nvml_gpu gpus[64];

static const char *word(const char *name)
{
	const char *at = getenv("FAKE_NVML");
	size_t len = strlen(name);

	for (; at && *at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL)
		if (!strncmp(at, name, len) && at[len] == '=')
			return at + len + 1;
	return NULL;
}

unsigned fake_number(const char *name, unsigned otherwise)
{
	const char *text = word(name);

	return text ? (unsigned)strtoul(text, NULL, 0) : otherwise;
}

static int is_told(const char *name, unsigned index)
{
	const char *text = word(name);

	return text && *text >= '0' && *text <= '9' && strtoul(text, NULL, 0) == index;
}

/* The Nth number of a list; `otherwise` where there is none. */
static unsigned nth_number(const char *name, unsigned n, unsigned otherwise)
{
	const char *text = word(name);

	for (; text && n; n--) {
		text += strcspn(text, ", ");
		text = *text == ',' ? text + 1 : NULL;
	}
	return text ? (unsigned)strtoul(text, NULL, 0) : otherwise;
}

static void hang(void)
{
	for (;;)
		pause();
}

static int put(char *to, unsigned size, const char *text)
{
	snprintf(to, size, "%s", text);
	return PIT_NVML_OK;
}

static int put_number(unsigned *to, unsigned value)
{
	*to = value;
	return PIT_NVML_OK;
}

API(nvmlInit_v2, void)
{
	if (word("hang") && !strncmp(word("hang"), "init", 4))
		hang();
	return (int)fake_number("init", PIT_NVML_OK);
}

API(nvmlSystemGetDriverVersion, char *to, unsigned size)
{
	return put(to, size, "999.99.fake");
}

API(nvmlDeviceGetCount_v2, unsigned *ret)
{
	return put_number(ret, fake_number("gpus", 1));
}

API(nvmlDeviceGetHandleByIndex_v2, unsigned index, pit_nvml_handle *ret)
{
	if (is_told("hang", index))
		hang();
	if (is_told("crash", index))
		raise(SIGSEGV);
	if (is_told("lost", index))
		return PIT_NVML_LOST;
	gpus[index].index = index;
	*ret = &gpus[index];
	return PIT_NVML_OK;
}

API(nvmlDeviceGetName, pit_nvml_handle gpu, char *to, unsigned size)
{
	return put(to, size, gpu->mig ? "FAKE GPU MIG 1g.10gb" : "FAKE GPU");
}

API(nvmlDeviceGetPciInfo_v3, pit_nvml_handle gpu, struct pit_nvml_pci *ret)
{
	*ret = (struct pit_nvml_pci){.domain = gpu->index == 1 ? 0x10000 : 0, .bus = 0x65, .device = gpu->index};
	if (word("bus"))
		*ret = (struct pit_nvml_pci){.bus = nth_number("bus", gpu->index, 0)};
	return PIT_NVML_OK;
}

API(nvmlDeviceGetMemoryInfo, pit_nvml_handle gpu, struct pit_nvml_memory_v1 *ret)
{
	*ret = (struct pit_nvml_memory_v1){.total = 1ull << 34, .used = 1ull << 20, .free = 1ull << 33};
	return PIT_NVML_OK;
}

#ifndef FAKE_OLD
static struct pit_nvml_gpu migs[2] = {{.index = 0, .mig = 1}, {.index = 1, .mig = 1}};

API(nvmlSystemGetNVMLVersion, char *to, unsigned size)
{
	return put(to, size, "12.999.99.fake");
}

API(nvmlSystemGetCudaDriverVersion_v2, int *ret)
{
	*ret = 12040;
	return PIT_NVML_OK;
}

API(nvmlDeviceGetUUID, pit_nvml_handle gpu, char *to, unsigned size)
{
	snprintf(to, size, "%s-fa4e0000-0000-0000-0000-%012x", gpu->mig ? "MIG" : "GPU", gpu->index);
	return PIT_NVML_OK;
}

API(nvmlDeviceGetMinorNumber, pit_nvml_handle gpu, unsigned *ret)
{
	return put_number(ret, gpu->index);
}

API(nvmlDeviceGetNumaNodeId, pit_nvml_handle gpu, unsigned *ret)
{
	return put_number(ret, ~0u);
}

API(nvmlDeviceGetCpuAffinity, pit_nvml_handle gpu, unsigned words, unsigned long *ret)
{
	memset(ret, 0, words * sizeof(*ret));
	ret[0] = 0xf;
	ret[1] = 0xf;
	return PIT_NVML_OK;
}

API(nvmlDeviceGetMemoryInfo_v2, pit_nvml_handle gpu, struct pit_nvml_memory *ret)
{
	if (ret->version != PIT_NVML_MEMORY_VERSION)
		return 25;
	*ret = (struct pit_nvml_memory){
		.total = 1ull << 36, .reserved = 1ull << 28, .used = 1ull << 30, .free = 1ull << 35};
	return PIT_NVML_OK;
}

API(nvmlDeviceGetTotalEccErrors, pit_nvml_handle gpu, int type, int counter, unsigned long long *ret)
{
	*ret = type == PIT_NVML_UNCORRECTED ? fake_number("ecc", 0) : 0;
	return PIT_NVML_OK;
}

API(nvmlDeviceGetRemappedRows, pit_nvml_handle gpu, unsigned *c, unsigned *u, unsigned *pending, unsigned *failure)
{
	*c = *failure = 0;
	*u = *pending = fake_number("remap", 0);
	return PIT_NVML_OK;
}

API(nvmlDeviceGetTemperature, pit_nvml_handle gpu, int sensor, unsigned *ret)
{
	return put_number(ret, 41);
}

API(nvmlDeviceGetTemperatureThreshold, pit_nvml_handle gpu, int kind, unsigned *ret)
{
	return put_number(ret, 90 - (unsigned)kind);
}

API(nvmlDeviceGetClockInfo, pit_nvml_handle gpu, int kind, unsigned *ret)
{
	return put_number(ret, kind == PIT_NVML_CLOCK_SM ? 345 : 2619);
}

API(nvmlDeviceGetCurrentClocksThrottleReasons, pit_nvml_handle gpu, unsigned long long *ret)
{
	*ret = fake_number("throttle", 1);
	return PIT_NVML_OK;
}

API(nvmlDeviceGetUtilizationRates, pit_nvml_handle gpu, struct pit_nvml_utilization *ret)
{
	*ret = (struct pit_nvml_utilization){.gpu = 7, .memory = 3};
	return fake_number("mig", 0) ? PIT_NVML_NOT_SUPPORTED : PIT_NVML_OK;
}

API(nvmlDeviceGetFieldValues, pit_nvml_handle gpu, int count, struct pit_nvml_field *f)
{
	for (int i = 0; i < count; i++) {
		int known = f[i].id == PIT_NVML_FIELD_RECOVERY_ACTION || f[i].id == PIT_NVML_FIELD_MEMORY_TEMP;

		f[i].code = known ? PIT_NVML_OK : PIT_NVML_NOT_SUPPORTED;
		f[i].type = PIT_NVML_U32;
		f[i].value.u32 = f[i].id == PIT_NVML_FIELD_MEMORY_TEMP ? 52 : 0;
	}
	return PIT_NVML_OK;
}

API(nvmlDeviceGetNvLinkState, pit_nvml_handle gpu, unsigned link, unsigned *ret)
{
	*ret = link != 3;
	return link < 4 ? PIT_NVML_OK : 2;
}

API(nvmlDeviceGetGpuFabricInfoV, pit_nvml_handle gpu, struct pit_nvml_fabric *ret)
{
	if (ret->version != PIT_NVML_FABRIC_VERSION(2))
		return 25;
	ret->state = 3;
	return PIT_NVML_OK;
}

API(nvmlDeviceGetComputeRunningProcesses_v3, pit_nvml_handle gpu, unsigned *count, struct pit_nvml_process *list)
{
	if (*count < 1)
		return PIT_NVML_TOO_SMALL;
	*count = 1;
	list[0] = (struct pit_nvml_process){.pid = 4242, .memory = ~0ull};
	return PIT_NVML_OK;
}

API(nvmlDeviceGetMaxMigDeviceCount, pit_nvml_handle gpu, unsigned *ret)
{
	return put_number(ret, 7);
}

API(nvmlDeviceGetMigDeviceHandleByIndex, pit_nvml_handle gpu, unsigned index, pit_nvml_handle *ret)
{
	if (index >= 2)
		return 6;
	*ret = &migs[index];
	return PIT_NVML_OK;
}

API(nvmlDeviceGetGpuInstanceId, pit_nvml_handle gpu, unsigned *ret)
{
	return gpu->mig ? put_number(ret, 7 + gpu->index) : PIT_NVML_NOT_SUPPORTED;
}

API(nvmlDeviceGetAttributes_v2, pit_nvml_handle gpu, struct pit_nvml_attributes *ret)
{
	*ret = (struct pit_nvml_attributes){.gpu_slices = 2, .compute_slices = 2, .memory_mb = 20096};
	return PIT_NVML_OK;
}

API(nvmlDeviceGetGpuInstanceProfileInfo, pit_nvml_handle gpu, unsigned profile, struct pit_nvml_slice_profile *ret)
{
	*ret = (struct pit_nvml_slice_profile){.id = 19 - profile, .slices = profile + 1, .instances = 7};
	return profile < 2 ? PIT_NVML_OK : PIT_NVML_NOT_SUPPORTED;
}

API(nvmlDeviceGetGpuInstanceRemainingCapacity, pit_nvml_handle gpu, unsigned profile, unsigned *ret)
{
	return put_number(ret, 3);
}
#endif
