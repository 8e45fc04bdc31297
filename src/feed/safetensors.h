/* SPDX-License-Identifier: MIT
 *
 * The header of a safetensors file: foreign bytes, parsed strictly and within bounded memory. Rules as the reference
 * implementation checks them, and duplicate keys refused; where its documents and its code differ we follow the code
 * (white space around the JSON is accepted) and say so in docs/feed.md.
 */
#ifndef PIT_FEED_SAFETENSORS_H
#define PIT_FEED_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pitcrew/checkpoint.h"
#include "pitcrew/tensor.h"

#define PIT_SAFETENSORS_HEADER_MAX 100000000 /* bytes of JSON; the reference's limit */

enum pit_safetensors_rule { /* the reference's names, in its order of checking */
			    PIT_ST_OK,
			    PIT_ST_HEADER_TOO_SMALL,
			    PIT_ST_HEADER_TOO_LARGE,
			    PIT_ST_INVALID_HEADER_LENGTH,
			    PIT_ST_INVALID_HEADER, /* not UTF-8 */
			    PIT_ST_INVALID_HEADER_DESERIALIZATION,
			    PIT_ST_DUPLICATE_KEY, /* ours */
			    PIT_ST_INVALID_OFFSET,
			    PIT_ST_VALIDATION_OVERFLOW,
			    PIT_ST_MISALIGNED_SLICE,
			    PIT_ST_TENSOR_INVALID_INFO,
			    PIT_ST_METADATA_INCOMPLETE_BUFFER,
};
extern const char *const pit_safetensors_rules[]; /* "HeaderTooSmall", ...; [PIT_ST_OK] is "ok" */

struct pit_safetensors {
	uint64_t data; /* offset of the first tensor's data in the file: 8 + N */
	size_t count;
	struct pit_safetensors_entry {
		struct pit_tensor tensor;
		uint64_t begin; /* relative to `data` */
	} * entries;            /* sorted by (begin, name order of the file for empty ones) */
	size_t text_count;
	struct pit_save_text *texts; /* of __metadata__, in order of the file */
	struct pit_safetensors_memory *memory;
};

/* `prefix` is the 8 bytes at the start of a file of `file_size` bytes: the length of the JSON; checks rules 1 to 3. */
int pit_safetensors_length(const void *prefix, uint64_t file_size, uint64_t *ret, enum pit_safetensors_rule *ret_rule,
			   struct pit_error *err);

/* Parses `len` bytes of JSON (of a file of `file_size` bytes). -EBADMSG with the rule and a sentence that names the
 * tensor and the numbers; -ENOMEM. Memory: at most a fixed multiple of `len`. */
int pit_safetensors_parse(const char *json, uint64_t len, uint64_t file_size, struct pit_safetensors *ret,
			  enum pit_safetensors_rule *ret_rule, struct pit_error *err);
void pit_safetensors_free(struct pit_safetensors *s);

/* Writes the 8 bytes and the JSON for tensors that lie one behind the other as given, padded with spaces so that the
 * data begin at a multiple of `align` (a power of 2, at least 8). -EINVAL names a tensor that is wrong (bytes, name not
 * UTF-8 or "__metadata__") or twice. */
int pit_safetensors_format(const struct pit_save_tensor *tensors, size_t count, const struct pit_save_text *texts,
			   size_t text_count, unsigned align, struct pit_buf *ret, struct pit_error *err);

#endif
