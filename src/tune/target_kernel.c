/* SPDX-License-Identifier: MIT */
#include "tune/target.h"

const struct pit_target pit_target_sysctl = {.name = "sysctl"};

const struct pit_target pit_target_kernel = {.name = "kernel"};

const struct pit_target pit_target_dirty = {.name = "dirty"};
