/* SPDX-License-Identifier: MIT
 *
 * What a source consists of, for the files that fill it. Samples lie in one of three forms, each as small as its kind
 * allows: whole files (16 bytes and a name each), parts of files (32 bytes and a name each), rows at equal distance
 * (bytes for each file only).
 */
#ifndef PIT_FEED_SOURCE_BODY_H
#define PIT_FEED_SOURCE_BODY_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/strmap.h"
#include "feed/source.h"

/* Many names, one behind the other in one piece of memory. All-zero is none. */
struct pit_names {
	char *text;
	size_t len, text_room;
	uint64_t *at; /* where in `text` each begins */
	size_t count, room;
};

int pit_names_add(struct pit_names *n, const char *name, size_t len); /* 0 or -ENOMEM */
const char *pit_names_get(const struct pit_names *n, size_t i);
void pit_names_cut(struct pit_names *n, size_t count); /* drops what follows the first `count` */
void pit_names_free(struct pit_names *n);
#define pit_auto_names PIT_CLEANUP(pit_names_free)

/* Files below directory `dir`, sorted by the bytes of their names. */
struct pit_file_list {
	int dir;
	char *top; /* what `dir` is called, ending in '/', or ""; NULL is "" */
	struct pit_names names;
	/* Where file i was named, for pit_file_list_show() while a manifest is read: "train.tsv: line 3: ". NULL:
	 * nowhere */
	void (*place)(const void *arg, size_t i, struct pit_buf *out);
	const void *place_arg;
	uint64_t *size; /* of each, in bytes */
	uint64_t times; /* a hash of names and times of modification */
};
void pit_file_list_free(struct pit_file_list *l);

/* The whole path of file i for a person. Returns `out`. */
const char *pit_file_list_show(const struct pit_file_list *l, size_t i, char *out, size_t size);

enum pit_source_form {
	PIT_FORM_WHOLE, /* sample i is file i */
	PIT_FORM_PARTS,
	PIT_FORM_ROWS,
};

struct pit_source_part {
	uint32_t file, key;
	uint64_t offset, len;
};

struct pit_source_column { /* of rows: row r of the shard lies at offset + r * stride */
	uint32_t file, key;
	uint64_t offset, stride;
};

struct pit_source_shard {
	uint64_t first;           /* number of its first sample */
	uint32_t column, columns; /* its columns: the first, and how many */
};

struct pit_source {
	atomic_uint refs;
	enum pit_source_kind kind;
	enum pit_source_form form;
	uint64_t count, bytes, fingerprint;
	struct pit_file_list files;
	struct pit_names keys;     /* [0] is "" */
	struct pit_strmap key_map; /* to number + 1 */
	struct pit_shard_index_report index;

	uint64_t *sums; /* `sum_room` of them: for each whole file or part its XXH3; 0 is none. beyond: none */
	size_t sum_room;

	struct pit_names names; /* of samples of parts; whole files have the file's name */
	struct pit_source_part *parts;
	size_t part_count, part_room;
	uint64_t *first; /* the first part of sample i, and, behind the last, the number of parts */
	size_t first_room;

	struct pit_source_shard *shards;
	size_t shard_count, shard_room;
	struct pit_source_column *columns;
	size_t column_count, column_room;
};

/* The array with room for at least one item more than `count`; NULL when memory ran out (it is as it was then). */
void *pit_source_room(void *array, size_t count, size_t *room, size_t item);

int pit_source_add_key(struct pit_source *s, const char *key, uint32_t *ret); /* the number of that key; 0 or -ENOMEM */

/* A new sample of parts, and parts of the sample added last; `sum` 0 is none. 0 or -ENOMEM. */
int pit_source_add_sample(struct pit_source *s, const char *name, size_t len);
int pit_source_add_part(struct pit_source *s, const struct pit_source_part *p, uint64_t sum);

/* The checksum of part (or whole file) i, which may be the first that has one. 0 or -ENOMEM. */
int pit_source_set_sum(struct pit_source *s, uint64_t i, uint64_t sum);

/* A new shard of `rows` rows, and columns of the shard added last. 0, -ENOMEM, -EOVERFLOW. */
int pit_source_add_shard(struct pit_source *s, uint64_t rows);
int pit_source_add_column(struct pit_source *s, const struct pit_source_column *c);

/* When all samples are there: counts their bytes, computes the fingerprint. -EOVERFLOW. */
int pit_source_finish(struct pit_source *s, struct pit_error *err);

/* Lists the files that `want` names; kind's own suffix is used when it names none. Decides PIT_SOURCE_AUTO. */
int pit_source_list(const struct pit_source_want *want, const struct pit_source_extra *extra,
		    enum pit_source_kind *kind, struct pit_file_list *ret, struct pit_error *err);

/* True when the failure `rc` of file i is one that `extra` wants to be told of, which is done. */
bool pit_source_tell(const struct pit_source_extra *extra, int rc, const struct pit_file_list *l, size_t i,
		     const struct pit_error *why);

/* Fill `s` from its list of files. */
typedef int pit_source_fill(struct pit_source *s, const struct pit_source_want *want,
			    const struct pit_source_extra *extra, struct pit_error *err);
pit_source_fill pit_source_fill_files, pit_source_fill_manifest, pit_source_fill_tar, pit_source_fill_records,
	pit_source_fill_safetensors;

#endif
