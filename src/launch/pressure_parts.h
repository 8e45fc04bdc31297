/* SPDX-License-Identifier: MIT
 *
 * The parts that pressure.c is put together from. Private to pressure*.c and their tests.
 */
#ifndef PIT_LAUNCH_PRESSURE_PARTS_H
#define PIT_LAUNCH_PRESSURE_PARTS_H

#include "launch/pressure.h"
#include "launch/pressure_source.h"

/* Starts to watch `count` sources, which are taken over, also when it fails. */
int pit_pressure_begin(const struct pit_pressure_request *r, struct pit_pressure_source *sources, size_t count,
		       struct pit_pressure **ret, struct pit_error *err);

#define PIT_PRESSURE_SOURCES_MAX 1024

/* Finds what ends this job's memory; groups without a limit are left out. The caller closes the sources and frees
 * *ret. 0 or -ENOMEM. */
int pit_pressure_find(const struct pit_pressure_request *r, struct pit_pressure_source **ret, size_t *ret_count);

/* The rank whose processes (those in the process group of its leader) hold most; -1 unknown. `proc` is "/proc". Shared
 * memory counts once for each process that has touched it. Gives up looking for more after 50 ms. */
int pit_pressure_largest(const char *proc, const pid_t *leader, int ranks, uint64_t *ret_bytes);

/* The sentence for the news. */
void pit_pressure_say(const struct pit_pressure_source *s, const struct pit_forecast *f,
		      const struct pit_pressure_news *news, char *ret, size_t size);

#endif
