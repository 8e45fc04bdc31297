/* SPDX-License-Identifier: MIT
 *
 * What an open file of torch.save() consists of. Its storages are read as weights are, by few large requests: they are
 * weights of one file, and their names are those of torch's storages.
 */
#ifndef PIT_FEED_TORCH_PARTS_H
#define PIT_FEED_TORCH_PARTS_H

#include "base/strmap.h"
#include "feed/torch_tree.h"
#include "feed/torch_zip.h"
#include "feed/weights_file.h"

struct pit_torch_parts {
	struct pit_zip zip;
	char *top; /* directory in the archive */
	struct pit_value_memory *values;
	struct pit_torch_tree tree;
	struct pit_weights *storages; /* those that tensors lie in; `sum` is the CRC */
	uint64_t *lengths;            /* shapes of these */
	size_t *storage_of;           /* of each tensor with bytes */
	struct pit_arena *arena;
	void **copies; /* of tensors that lie in pieces */
	size_t copy_count;
};

struct pit_torch_parts *pit_torch_parts(const char *path); /* one file, not opened yet; NULL: no memory */
void pit_torch_parts_free(struct pit_torch_parts *p);

/* Finds the storage of each tensor of the tree in the archive: -EBADMSG when one is missing, or has not the bytes that
 * the pickle says. */
int pit_torch_storages(struct pit_torch_parts *p, struct pit_error *err);
size_t pit_torch_storage_find(const struct pit_torch_parts *p, const struct pit_torch_storage *s);

/* Reads them, and compares the CRCs. */
int pit_torch_parts_load(struct pit_torch_parts *p, const struct pit_io_want *io, struct pit_error *err);

#endif
