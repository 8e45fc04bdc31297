/* SPDX-License-Identifier: MIT
 *
 * Faults of files that a disk, a kernel or a full memory may bring about: calls of libc that work on files below one
 * directory fail or come up short, at random by a seed. Linked into a test program, where these functions rule it, or
 * preloaded, where PIT_FAULTS does: "below=DIR,seed=N,rate=PER_MILLE,kinds=short+eintr+eagain+eio+enospc+enomem".
 *
 * The calls stand in front of libc's by their names. Threads of a test that must not be hit say so.
 */
#ifndef PIT_FAKE_IO_FAULTS_H
#define PIT_FAKE_IO_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum io_fault {
	IO_FAULT_SHORT, /* fewer bytes than asked for, never none */
	IO_FAULT_EINTR,
	IO_FAULT_EAGAIN,
	IO_FAULT_EIO, /* read, write, fsync */
	IO_FAULT_ENOSPC,
	IO_FAULT_ENOMEM,
	IO_FAULTS,
};
extern const char *const io_fault_names[IO_FAULTS];

/* `kinds`: bits 1 << enum io_fault; 0 ends it. `below` is a real path. */
void io_faults_set(const char *below, uint64_t seed, unsigned per_mille, unsigned kinds);
void io_faults_spare(bool spared);       /* the calling thread */
uint64_t io_faults_count(enum io_fault); /* injected so far, in all */

/* One random decision of the same kind for other places: true when `fault` is to come now, which is counted. */
bool io_faults_roll(enum io_fault fault);
uint64_t io_faults_random(void);

/* Calls `at` before each call that changes what is below the directory, with its name and a running number; NULL ends
 * it. The calls themselves go on. */
typedef void (*io_faults_step)(void *arg, unsigned number, const char *name);
void io_faults_watch(const char *below, io_faults_step at, void *arg);

#endif
