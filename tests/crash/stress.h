/* SPDX-License-Identifier: MIT
 *
 * Loader, checkpoints and weights, used in random ways while the disk below them fails: whatever comes, no wrong byte
 * is handed out, what was saved stays, and everything ends.
 */
#ifndef PIT_CRASH_STRESS_H
#define PIT_CRASH_STRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pitcrew/pitcrew.h"

struct stress {
	char dir[512]; /* all files are below */
	uint64_t seed, round;
	uint64_t dice;
	bool hostile;      /* faults that no program can hide: EIO, ENOSPC, ENOMEM, files that change */
	bool threads_only; /* valgrind knows no io_uring */
	unsigned long long samples, failed_samples, saves, failed_saves, loads, failed_loads, wrong;
};

/* Random numbers of the thread that runs the rounds: the same for the same seed. */
uint64_t stress_roll(struct stress *s, uint64_t below);
bool stress_chance(struct stress *s, unsigned percent);

/* Says what is wrong, with seed and round, and counts it. */
void stress_wrong(struct stress *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void stress_io(struct stress *s, struct pit_io_want *io); /* any engine, cache and depth */
void stress_faults(struct stress *s, bool on);            /* benign ones, and hostile ones in hostile rounds */

void stress_load(struct stress *s);
void stress_save(struct stress *s);
void stress_checkpoint(struct stress *s);
void stress_weights(struct stress *s);

#endif
