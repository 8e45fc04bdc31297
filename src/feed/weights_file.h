/* SPDX-License-Identifier: MIT
 *
 * What weights consist of: files with their headers, and the tensors of all of them.
 */
#ifndef PIT_FEED_WEIGHTS_FILE_H
#define PIT_FEED_WEIGHTS_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/strv.h"
#include "feed/safetensors.h"
#include "feed/safetensors_names.h"
#include "pitcrew/weights.h"

struct pit_weights_file {
	char *path;
	int fd;         /* -1: opened again for each use */
	struct stat st; /* when the header was read: the file must stay the same */
	struct pit_safetensors header;
	size_t first; /* number of its first tensor */
	bool has_sum; /* of the header; `bad_sum`: a checksum is missing or is none */
	uint64_t sum;
};

enum pit_sum { PIT_SUM_NONE, PIT_SUM_GIVEN, PIT_SUM_UNREADABLE };

struct pit_weights {
	struct pit_weights_file *files;
	size_t file_count;
	struct pit_weights_tensor {
		const struct pit_safetensors_entry *entry;
		uint32_t file;
		uint8_t has_sum; /* enum pit_sum */
		uint64_t sum;    /* XXH3-64 of the data */
	} * tensors;
	size_t count;
	uint64_t bytes;
	struct pit_name *names; /* of all tensors, sorted */
};

/* Opens a file for reading and gives what it is now; -errno with a sentence. Never hangs at a pipe. */
int pit_weights_file_open(const char *path, int *ret_fd, struct stat *ret_st, struct pit_error *err);

/* Opens the file and parses its header into a new, empty `f`, which pit_weights_file_free() frees on failure, too. */
int pit_weights_file_load(const char *path, struct pit_weights_file *f, struct pit_error *err);
void pit_weights_file_free(struct pit_weights_file *f);

/* The file's descriptor, and whether to close it; -EIO when the file is not the one any more whose header was read. */
int pit_weights_file_fd(const struct pit_weights_file *f, bool *ret_close, struct pit_error *err);
int pit_weights_file_same(const struct pit_weights_file *f, int fd, struct pit_error *err);

/* Reads exactly `len` bytes; -EIO when the file ends before. */
int pit_weights_file_read(const struct pit_weights_file *f, int fd, uint64_t offset, void *data, uint64_t len,
			  struct pit_error *err);

/* The files that `path` names, in order; for an index its text, too, in `index` (empty without one). */
int pit_weights_list(const char *path, struct pit_strv *files, struct pit_buf *index, struct pit_error *err);

/* Whether each tensor lies in the shard that the index says, and each of the shards' tensors is in it. -EINVAL. */
int pit_weights_check_index(const struct pit_weights *w, const struct pit_buf *index, struct pit_error *err);

/* Files named by an index. */
int pit_weights_index_files(const struct pit_buf *index, struct pit_strv *ret, struct pit_error *err);

/* Takes the checksums out of the files' metadata. */
void pit_weights_sums(struct pit_weights *w);

/* The header's own checksum, computed of what is in the file now. -EBADMSG when it differs or is missing where tensors
 * have some. */
int pit_weights_check_header(const struct pit_weights *w, size_t file, struct pit_error *err);

#endif
