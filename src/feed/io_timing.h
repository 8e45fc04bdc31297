/* SPDX-License-Identifier: MIT
 *
 * Times one kind of request on an open file.
 */
#ifndef PIT_FEED_IO_TIMING_H
#define PIT_FEED_IO_TIMING_H

#include "feed/io.h"

struct pit_io_timing {
	bool write;
	size_t block;
	unsigned depth; /* requests at once */
	uint64_t requests, bytes;
	double seconds;  /* with one fdatasync at the end of writes */
	double p50, p99; /* seconds from submitting to the end of a request */
};

struct pit_io_field {
	struct pit_io *io;
	int fd;
	uint64_t size; /* of the file: at least one block */
	char *memory;  /* at least one block, aligned */
	size_t room;
	bool dontcache;
	uint64_t most; /* bytes at most; 0: as many as there is time for */
};

/* Reads or writes whole blocks at scattered places for about `time_ns`; each place once before any comes again. Fills
 * in all but `write` and `block` of `t`; its `depth` is lowered to what the memory has room for. */
int pit_io_time(const struct pit_io_field *f, int64_t time_ns, struct pit_io_timing *t, struct pit_error *err);

#endif
