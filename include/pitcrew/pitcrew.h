/* SPDX-License-Identifier: MIT
 *
 * libpitcrew: feeds a job that trains or serves AI models. feed.h loads samples, checkpoint.h saves state so that a
 * crash cannot harm it, weights.h reads weights. All three use the fastest way of I/O that this machine, file system
 * and sandbox allow, and tell which one that is.
 *
 * Functions return 0 (or a count) or a negative errno; the last parameter is an error object of the caller, or NULL.
 * Outputs named `ret` are written on success only. Structures named ..._want ask for something: set `size` to sizeof
 * the structure and leave what does not matter 0, which stands for the default. An object is used by one thread at a
 * time unless its header says otherwise. The library never prints, never exits, installs no signal handler.
 */
#ifndef PITCREW_PITCREW_H
#define PITCREW_PITCREW_H

#include "pitcrew/checkpoint.h"
#include "pitcrew/error.h"
#include "pitcrew/feed.h"
#include "pitcrew/io.h"
#include "pitcrew/tensor.h"
#include "pitcrew/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

const char *pit_version(void); /* "0.1.0" */

#ifdef __cplusplus
}
#endif

#endif
