/* SPDX-License-Identifier: MIT
 *
 * Past the page cache or through it: what the disk can, what the caller wants, and where both leave a choice, what
 * measuring says (docs/decisions/0012).
 */
#ifndef PIT_FEED_LOADER_MODE_H
#define PIT_FEED_LOADER_MODE_H

#include <stdbool.h>
#include <stdint.h>

#include "feed/disk.h"
#include "feed/loader_files.h"
#include "feed/source.h"

struct pit_mode {
	const char *name; /* as on the ladder */
	struct pit_disk disk;
	bool direct, dontcache;
	unsigned users;          /* batches that read so */
	uint32_t align;          /* of reads */
	struct pit_files *files; /* opened that way; NULL when files are opened for each read */
	uint64_t bytes, ns;      /* of the trial */
};

struct pit_modes {
	struct pit_mode mode[2];
	unsigned count; /* 2: a trial is under way */
	unsigned now;
	unsigned turn; /* batches of the trial so far */
	int64_t since; /* when the last of them was complete */
	unsigned last; /* mode of that one, and 1; 0: none */
};

/* Looks at the first files of the source. `fits`: its bytes are few beside the memory that is available. */
int pit_modes_open(const struct pit_source *s, enum pit_io_cache want, bool by_path, bool fits, struct pit_modes *ret,
		   struct pit_ladder *l, struct pit_error *err);
void pit_modes_close(struct pit_modes *m);

/* The mode of the next batch, and that the batch has no more to read. The files of a mode that has lost are closed with
 * its last batch. */
struct pit_mode *pit_modes_next(struct pit_modes *m);
void pit_modes_put(struct pit_modes *m, struct pit_mode *mode);

/* Ends the trial before it begins: the first mode is taken. */
void pit_modes_settle(struct pit_modes *m);

/* A batch of `mode` with `bytes` from disk is complete at `now`. True once, when the trial has ended and `l` was told.
 */
bool pit_modes_note(struct pit_modes *m, struct pit_mode *mode, uint64_t bytes, int64_t now, struct pit_ladder *l);

#endif
