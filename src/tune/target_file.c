/* SPDX-License-Identifier: MIT */
#include "tune/target.h"

const struct pit_target pit_target_file = {.name = "file"};

const struct pit_target pit_target_dir = {.name = "dir"};

const struct pit_target pit_target_link = {.name = "link"};
