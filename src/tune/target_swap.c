/* SPDX-License-Identifier: MIT */
#include "tune/target.h"

const struct pit_target pit_target_swap = {.name = "swap"};
