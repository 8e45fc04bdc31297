/* SPDX-License-Identifier: MIT
 *
 * What I/O at a place can do: which rungs are taken there, and what they give in a few seconds.
 */
#ifndef PIT_FEED_IO_BENCH_H
#define PIT_FEED_IO_BENCH_H

#include "feed/disk.h"
#include "feed/io_timing.h"

#define PIT_BENCH_RUNS 6

struct pit_bench_want {
	const char *path; /* an existing file, which is only read; or a directory, for a nameless file in it */
	struct pit_io_want io;
	uint64_t size;   /* of that file; 0: 512 MiB. At most a quarter of what is free */
	int64_t time_ns; /* in all, about */
	bool write;      /* writes, too */
};

struct pit_bench {
	struct pit_ladder ladder;
	struct pit_disk disk;
	uint64_t size; /* of the file that was used */
	bool made;     /* by us */
	unsigned count;
	struct pit_io_timing runs[PIT_BENCH_RUNS]; /* blocks of 4 KiB, 128 KiB, 4 MiB as far as they fit */
};

/* -EINVAL for writing to an existing file. Nothing is left behind, however the process ends. */
int pit_bench_io(const struct pit_bench_want *want, struct pit_bench *ret, struct pit_error *err);

#endif
