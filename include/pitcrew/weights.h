/* SPDX-License-Identifier: MIT
 *
 * Reads safetensors files: strictly (every rule of the format, no duplicate keys, nothing before or behind), and at the
 * speed of the disk.
 */
#ifndef PITCREW_WEIGHTS_H
#define PITCREW_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pitcrew/error.h"
#include "pitcrew/io.h"
#include "pitcrew/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pit_weights;

/* Opens a .safetensors file, a sharded model (its model.safetensors.index.json), or a directory that holds either, or
 * several .safetensors files. Reads headers only. Errors name the file and the broken rule: -EBADMSG for a file that
 * breaks the format, -EINVAL for an index that does not fit its shards (one is missing) and for a tensor in two files,
 * -EOPNOTSUPP for what is no regular file. */
int pit_weights_open(const char *path, struct pit_weights **ret, struct pit_error *err);
void pit_weights_close(struct pit_weights *w); /* NULL is fine; arenas stay valid */

/* Tensors in the order of files (sorted by name) and of offsets. */
size_t pit_weights_count(const struct pit_weights *w);
const struct pit_tensor *pit_weights_tensor(const struct pit_weights *w,
					    size_t i); /* NULL beyond the last; valid as long as `w` */
int64_t pit_weights_find(const struct pit_weights *w, const char *name); /* number of the tensor; -ENOENT */
uint64_t pit_weights_bytes(const struct pit_weights *w);                 /* of all tensors' data */

size_t pit_weights_files(const struct pit_weights *w);
const char *pit_weights_file(const struct pit_weights *w, size_t file); /* its path; NULL beyond the last */
size_t pit_weights_file_of(const struct pit_weights *w, size_t i);      /* the file of tensor i */
uint64_t pit_weights_offset(const struct pit_weights *w, size_t i);     /* of tensor i in its file */

/* A file's `__metadata__`: key number n and its value; -ENOENT beyond the last. */
int pit_weights_metadata(const struct pit_weights *w, size_t file, size_t n, const char **ret_key,
			 const char **ret_value);
const char *pit_weights_metadata_of(const struct pit_weights *w, size_t file, const char *key); /* NULL: none */

/* Reads one tensor, or `len` bytes of it from `from`, into memory of the caller. -EIO when the file got shorter since.
 */
int pit_weights_read(struct pit_weights *w, size_t i, uint64_t from, void *data, uint64_t len, struct pit_error *err);

struct pit_weights_want {
	size_t size; /* sizeof(struct pit_weights_want) */
	struct pit_io_want io;
	const size_t *only; /* numbers of the tensors wanted; NULL: all */
	size_t only_count;
	bool verify; /* compare XXH3 checksums where the file has them; -EBADMSG names the tensor that differs */
	/* Called now and then by the calling thread with the bytes read so far; a return other than 0 stops with
	 * -ECANCELED. */
	int (*progress)(void *arg, uint64_t done, uint64_t all);
	void *arg;
};

struct pit_arena;

/* Reads all of it (or `only`) into one piece of memory, with few large requests at once. Children that are forked
 * meanwhile do not get that memory; those forked later do. -EIO when a file was cut, written to, replaced or removed
 * since it was opened. */
int pit_weights_load(struct pit_weights *w, const struct pit_weights_want *want, struct pit_arena **ret,
		     struct pit_error *err);
void *pit_arena_data(
	const struct pit_arena *a,
	size_t i); /* tensor number i of the weights, aligned to at least 64 bytes when not empty; NULL: not loaded */
uint64_t pit_arena_bytes(const struct pit_arena *a); /* memory that it takes */
const struct pit_ladder *pit_arena_ladder(const struct pit_arena *a);
void pit_arena_free(struct pit_arena *a); /* NULL is fine */

struct pit_verify_result {
	uint64_t tensors, checked, bytes; /* tensors without a checksum are not checked */
	uint64_t damaged; /* tensors whose bytes differ from their checksum, and headers that differ from theirs */
	char first[256];  /* name of the first damaged one, "__metadata__" for a header; "" */
};

/* Reads everything and compares checksums. 0 when nothing is damaged (look at `checked`: a file may have none);
 * -EBADMSG with the result filled in when something is. */
int pit_weights_verify(struct pit_weights *w, const struct pit_weights_want *want, struct pit_verify_result *ret,
		       struct pit_error *err);

#ifdef __cplusplus
}
#endif

#endif
