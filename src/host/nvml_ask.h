/* SPDX-License-Identifier: MIT
 *
 * One question to NVML through a helper process. Private to host/nvml*.c and its test.
 */
#ifndef PIT_HOST_NVML_ASK_H
#define PIT_HOST_NVML_ASK_H

#include <stdio.h>

#include <jansson.h>

#include "base/buf.h"
#include "host/nvml_abi.h"
#include "pitcrew/error.h"

struct pit_nvml_ask {
	const char *library; /* path; NULL: where it usually is */
	int start_ms;        /* deadline for the library to load and to name the GPUs */
	int gpu_ms;          /* deadline for each GPU after that: a GPU without persistence mode wakes up first */
	int total_ms;
};
extern const struct pit_nvml_ask pit_nvml_usual;

/* Appends the JSON text that nvml.c describes. A library that is missing or refuses is an answer too: {"error":N} with
 * an NVML code. When a GPU does not answer in time, or the library crashes on it, the answer ends with the GPUs before
 * it and the key "incomplete" says why. -ETIMEDOUT: not even the start was done in time. The helper never outlives the
 * call, except stuck in the kernel, and then it holds none of our files open. */
int pit_nvml_ask(const struct pit_nvml_ask *ask, struct pit_buf *out, struct pit_error *err);

/* Asks in this process: writes one JSON object a line, first the library's, then each GPU's. */
void pit_nvml_query(const char *library, FILE *out);

/* What one GPU says; `library` is from dlopen. */
json_t *pit_nvml_query_gpu(void *library, unsigned index);

/* Adds to the GPU's "mig" how it is divided. */
void pit_nvml_query_mig(void *library, pit_nvml_handle gpu, json_t *all);

/* Adds to a GPU's "mig" its "layout" and its "profiles" (nvml.c). */
void pit_nvml_query_layout(void *library, pit_nvml_handle gpu, json_t *mig);

/* Divides the GPU as `layout` says ("3g.40gb@0 2g.20gb@4"): all instances go, then these come. An NVML code. */
int pit_nvml_divide(void *library, pit_nvml_handle gpu, const char *layout);

/* The library, as dlopen gives it; NULL none. */
void *pit_nvml_open(const char *library);

/* The function `name`, else the older `other` (may be NULL), as `type`; NULL when the library has neither. */
void *pit_nvml_symbol(void *library, const char *name, const char *other);

#endif
