/* SPDX-License-Identifier: MIT
 *
 * NVIDIA's management library, loaded at run time in a helper process under a deadline: a hung driver cannot hang us.
 * The answer is one JSON text, kept as the fact "nvml", so recorded machines have it too.
 */
#ifndef PIT_HOST_NVML_H
#define PIT_HOST_NVML_H

#include <jansson.h>

#include "host/root.h"

/* A new reference to {"driver":"550.54.15","nvml":"12.550.54.15","cuda":12040,"gpus":[{...}]}; the keys are listed in
 * nvml.c, unknown values are absent. -ENOENT no library, -ENODEV no driver or GPU, -ETIMEDOUT, -ENODATA not recorded.
 */
int pit_nvml_load(struct pit_root *root, json_t **ret, struct pit_error *err);

#endif
