/* SPDX-License-Identifier: MIT
 *
 * What the files of the FAKE libnvidia-ml.so.1 share.
 */
#ifndef PIT_TESTS_FAKE_H
#define PIT_TESTS_FAKE_H

#include "host/nvml_abi.h"

/* Declares and defines one function of the interface. */
#define API(name, ...)                                                                                                 \
	int name(__VA_ARGS__);                                                                                         \
	int name(__VA_ARGS__)

struct pit_nvml_gpu {
	unsigned index;
	int mig; /* device of a MIG instance */
};

/* The number behind NAME= in FAKE_NVML. */
unsigned fake_number(const char *name, unsigned otherwise);

int nvmlDeviceGetHandleByIndex_v2(unsigned index, pit_nvml_handle *ret);

#endif
