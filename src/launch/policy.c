/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/policy.h"

const char *const pit_bind_names[] = {"auto", "node", "exclusive", "l3", "socket", "none", NULL};
const char *const pit_mem_names[] = {"auto", "prefer", "bind", "interleave", "local", "none", NULL};
const char *const pit_spill_names[] = {"nearest", "none", NULL};
const char *const pit_gpu_view_names[] = {"auto", "all", "own", NULL};
