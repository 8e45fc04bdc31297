/* SPDX-License-Identifier: MIT */
#include "tune/target.h"

const struct pit_target pit_target_service = {.name = "service"};

const struct pit_target pit_target_enabled = {.name = "enabled"};
