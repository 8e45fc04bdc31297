/* SPDX-License-Identifier: MIT */
#include "tune/target.h"

const struct pit_target pit_target_gpu = {.name = "gpu"};

const struct pit_target pit_target_mps = {.name = "mps"};
