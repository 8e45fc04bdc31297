/* SPDX-License-Identifier: MIT
 *
 * What tests/bench/feed measures of libpitcrew: `tool COMMAND key=value...`, which prints one JSON object. Compiled by
 * the bench against the library of the build that it is given.
 */
#ifndef PIT_BENCH_TOOL_H
#define PIT_BENCH_TOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "pitcrew/pitcrew.h"

/* The value of `key` among the arguments; `other` when it is not there. */
const char *arg_text(const char *key, const char *other);
uint64_t arg_number(const char *key, uint64_t other); /* decimal, with K, M or G behind it */
void arg_io(struct pit_io_want *io);                  /* engine=, cache=, depth=, threads= */

/* Ends the program when rc is negative. */
void must(int rc, const struct pit_error *err, const char *what);
void *must_have(void *memory);

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

void touch_memory(void);  /* touch= bytes, and gives them back */
double cpu_seconds(void); /* of this process, all threads, user and system */
uint64_t pss_bytes(void); /* of this process; what processes share is divided among them */

void print_ladder(const struct pit_ladder *l); /* `,"ladder":"engine: io_uring, ..."`: the rungs taken */

int load_main(void);
int save_main(void);
int async_main(void);
int weights_main(void);
int evict_main(void);
int touch_main(void);

#endif
