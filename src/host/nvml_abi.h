/* SPDX-License-Identifier: MIT
 *
 * The part of NVML's binary interface that pitcrew calls, in our own words. Values and layouts: NVIDIA's NVML API
 * reference, https://docs.nvidia.com/deploy/nvml-api/. Every function returns one of the codes below; a library may
 * lack any of them.
 */
#ifndef PIT_HOST_NVML_ABI_H
#define PIT_HOST_NVML_ABI_H

typedef struct pit_nvml_gpu *pit_nvml_handle;

enum pit_nvml_code {
	PIT_NVML_OK = 0,
	PIT_NVML_INVALID = 2,
	PIT_NVML_NOT_SUPPORTED = 3,
	PIT_NVML_NO_PERMISSION = 4,
	PIT_NVML_TOO_SMALL = 7,
	PIT_NVML_NO_DRIVER = 9,
	PIT_NVML_TIMEOUT = 10,
	PIT_NVML_IRQ = 11,
	PIT_NVML_NO_LIBRARY = 12,
	PIT_NVML_BAD_INFOROM = 14,
	PIT_NVML_LOST = 15,
	PIT_NVML_RESET_REQUIRED = 16,
	PIT_NVML_BLOCKED = 17, /* by the operating system or a cgroup */
	PIT_NVML_MISMATCH = 18,
	PIT_NVML_IN_USE = 19,
	PIT_NVML_NO_ROOM = 23, /* insufficient resources */
	PIT_NVML_NO_GPU = 28,
	PIT_NVML_UNKNOWN = 999,
};

enum { PIT_NVML_CLOCK_SM = 1, PIT_NVML_CLOCK_MEM = 2 };
enum { PIT_NVML_SHUTDOWN = 0, PIT_NVML_SLOWDOWN = 1, PIT_NVML_MEM_MAX = 2, PIT_NVML_GPU_MAX = 3 };
enum { PIT_NVML_CORRECTED = 0, PIT_NVML_UNCORRECTED = 1 };
enum { PIT_NVML_VOLATILE = 0, PIT_NVML_AGGREGATE = 1 };
enum { PIT_NVML_SRAM = 7 };

/* Fields of nvmlDeviceGetFieldValues. */
enum {
	PIT_NVML_FIELD_RETIRED_SBE = 29,
	PIT_NVML_FIELD_RETIRED_DBE = 30,
	PIT_NVML_FIELD_RETIRED_PENDING = 31,
	PIT_NVML_FIELD_CRC_FLIT = 38,
	PIT_NVML_FIELD_CRC_DATA = 45,
	PIT_NVML_FIELD_REPLAY = 52,
	PIT_NVML_FIELD_RECOVERY = 59,
	PIT_NVML_FIELD_MEMORY_TEMP = 82,
	PIT_NVML_FIELD_LINK_COUNT = 91,
	PIT_NVML_FIELD_RECOVERY_ACTION = 230,
};

struct pit_nvml_pci {
	char legacy[16];
	unsigned domain, bus, device, ids, subsystem;
	char id[32]; /* "00000000:65:00.0" */
};

struct pit_nvml_memory {
	unsigned version;
	unsigned long long total, reserved, free, used;
};
#define PIT_NVML_MEMORY_VERSION (sizeof(struct pit_nvml_memory) | 2u << 24)

struct pit_nvml_memory_v1 {
	unsigned long long total, free, used;
};

struct pit_nvml_utilization {
	unsigned gpu, memory; /* percent */
};

struct pit_nvml_process {
	unsigned pid;
	unsigned long long memory; /* bytes; all ones unknown */
	unsigned gpu_instance, compute_instance;
};

struct pit_nvml_field {
	unsigned id, scope;
	long long timestamp, latency;
	int type; /* enum below */
	int code;
	union {
		double real;
		unsigned u32;
		unsigned long ulong;
		unsigned long long u64;
		long long i64;
		int i32;
		unsigned short u16;
	} value;
};
enum {
	PIT_NVML_REAL,
	PIT_NVML_U32,
	PIT_NVML_ULONG,
	PIT_NVML_U64,
	PIT_NVML_I64,
	PIT_NVML_I32,
	PIT_NVML_U16,
};

struct pit_nvml_fabric {
	unsigned version;
	unsigned char cluster[16];
	int status;
	unsigned clique;
	unsigned char state;
	unsigned health;       /* mask */
	unsigned char summary; /* version 3 */
};
#define PIT_NVML_FABRIC_V2_SIZE 36
#define PIT_NVML_FABRIC_VERSION(v) (((v) == 3 ? sizeof(struct pit_nvml_fabric) : PIT_NVML_FABRIC_V2_SIZE) | (v) << 24)

struct pit_nvml_slice_profile {
	unsigned id, p2p, slices, instances, processors, copy, decoders, encoders, jpeg, ofa;
	unsigned long long memory_mb;
};
#define PIT_NVML_SLICE_PROFILES 0x12

/* The same with the profile's name, "MIG 1g.10gb" or "1g.10gb". */
struct pit_nvml_named_profile {
	unsigned version;
	unsigned id, p2p, slices, instances, processors, copy, decoders, encoders, jpeg, ofa;
	unsigned long long memory_mb;
	char name[96];
};
#define PIT_NVML_NAMED_PROFILE_VERSION (sizeof(struct pit_nvml_named_profile) | 2u << 24)

struct pit_nvml_placement {
	unsigned start, size; /* memory slices */
};

struct pit_nvml_instance_info {
	pit_nvml_handle gpu;
	unsigned id, profile;
	struct pit_nvml_placement placement;
};

struct pit_nvml_compute_profile {
	unsigned id, slices, instances, processors, copy, decoders, encoders, jpeg, ofa;
};
#define PIT_NVML_COMPUTE_PROFILES 9

struct pit_nvml_attributes {
	unsigned processors, copy, decoders, encoders, jpeg, ofa, gpu_slices, compute_slices;
	unsigned long long memory_mb;
};

_Static_assert(sizeof(struct pit_nvml_pci) == 68, "nvmlPciInfo_t");
_Static_assert(sizeof(struct pit_nvml_memory) == 40, "nvmlMemory_v2_t");
_Static_assert(sizeof(struct pit_nvml_process) == 24, "nvmlProcessInfo_v2_t");
_Static_assert(sizeof(struct pit_nvml_field) == 40, "nvmlFieldValue_t");
_Static_assert(sizeof(struct pit_nvml_fabric) == 40, "nvmlGpuFabricInfo_v3_t");
_Static_assert(sizeof(struct pit_nvml_slice_profile) == 48, "nvmlGpuInstanceProfileInfo_t");
_Static_assert(sizeof(struct pit_nvml_named_profile) == 152, "nvmlGpuInstanceProfileInfo_v2_t");
_Static_assert(sizeof(struct pit_nvml_instance_info) == 24, "nvmlGpuInstanceInfo_t");
_Static_assert(sizeof(struct pit_nvml_compute_profile) == 36, "nvmlComputeInstanceProfileInfo_t");
_Static_assert(sizeof(struct pit_nvml_attributes) == 40, "nvmlDeviceAttributes_t");

#endif
