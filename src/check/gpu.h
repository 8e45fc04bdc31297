/* SPDX-License-Identifier: MIT
 *
 * What the GPU rows share. Private to check/gpu*.c.
 */
#ifndef PIT_CHECK_GPU_H
#define PIT_CHECK_GPU_H

#include "check/facts.h"
#include "check/nvidia.h"
#include "check/pci_list.h"

/* A number that NVML gave of one GPU; `group` NULL: the GPU's own. False: unknown. */
bool pit_gpu_number(const json_t *gpu, const char *group, const char *key, int64_t *ret);
const char *pit_gpu_text(const json_t *gpu, const char *key); /* "" unknown */

enum pit_gpu_verdict {
	PIT_GPU_UNKNOWN,
	PIT_GPU_FINE,
	PIT_GPU_BAD,    /* as the row says */
	PIT_GPU_HURTS,  /* the row's status, hurting now */
	PIT_GPU_BROKEN, /* fails, hurting now */
};

/* A row that judges each GPU by what NVML says of it alone. */
struct pit_gpu_rule {
	/* Writes what it sees into `text`. */
	enum pit_gpu_verdict (*judge)(const json_t *gpu, char *text, size_t size);
	const char *fine;    /* observed when all are fine; NULL: the text of the first */
	const char *wanted;  /* NULL none */
	const char *unknown; /* why no GPU could be judged */
};
pit_probe pit_gpu_probe; /* row->arg is the rule */

bool pit_gpu_is_wsl(struct pit_facts *facts);

/* A GPU in a laptop, which shares lanes and power with the CPU and is meant to sleep. */
bool pit_gpu_is_mobile(const json_t *gpu);

/* Shared texts of rows. */
#define PIT_GPU_NVML_REFS "https://docs.nvidia.com/deploy/nvml-api/"

#endif
