/* SPDX-License-Identifier: MIT
 *
 * A file of torch.save() (the zip archives of torch 1.6 and later), read without Python: nothing in it is executed.
 */
#ifndef PIT_FEED_TORCH_FILE_H
#define PIT_FEED_TORCH_FILE_H

#include <stdbool.h>

#include "pitcrew/checkpoint.h"
#include "pitcrew/weights.h"

/* All tensors of a file together may have so many bytes for each of the file: views may show a storage many times. */
#define PIT_TORCH_EXPAND_MAX 64
#define PIT_TORCH_EXPAND_FREE (UINT64_C(1) << 30)

enum pit_torch_form {
	PIT_TORCH_NONE,
	PIT_TORCH_ZIP,
	PIT_TORCH_OLD, /* what torch wrote before 1.6 */
};

/* By the first bytes; a file that cannot be read is none. */
enum pit_torch_form pit_torch_form(const char *path);

struct pit_torch {
	struct pit_save_tensor *tensors; /* in the order of the file's structure; `data` is NULL before it is loaded */
	uint64_t *offsets;               /* of each in the file; 0: it does not lie there in one piece */
	size_t count;
	uint64_t bytes;              /* of all tensors */
	size_t checked;              /* tensors whose storage has a CRC, or has no bytes */
	struct pit_save_text *texts; /* as pitcrew.checkpoint.save() of Python would write them, with the structure */
	size_t text_count;
	const char *tree; /* the structure */
	struct pit_torch_parts *parts;
};

/* Reads what is in the file but no tensor's data. -EBADMSG: damaged; -ENOTSUP: it holds something else than plain data
 * and tensors, or is of another form, which is named. */
int pit_torch_open(const char *path, struct pit_torch **ret, struct pit_error *err);
void pit_torch_close(struct pit_torch *t); /* NULL is fine */

/* Reads the data of all tensors, which lie then in C order, and compares the CRCs that the file has. Once. */
int pit_torch_load(struct pit_torch *t, const struct pit_io_want *io, struct pit_error *err);

#endif
