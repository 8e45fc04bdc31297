/* SPDX-License-Identifier: MIT
 *
 * What a pickle of torch.save() may hold: plain data, and tensors as the place where their bytes lie. All of it lives
 * in one memory, which is freed at once; values may hold each other, and themselves.
 */
#ifndef PIT_FEED_TORCH_VALUE_H
#define PIT_FEED_TORCH_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pitcrew/tensor.h"

#define PIT_TORCH_DIMS_MAX 64 /* torch's own limit */

enum pit_value_kind {
	PIT_VALUE_NONE,
	PIT_VALUE_BOOL,
	PIT_VALUE_INT,
	PIT_VALUE_BIG, /* an integer beyond 64 bits, as text */
	PIT_VALUE_FLOAT,
	PIT_VALUE_COMPLEX,
	PIT_VALUE_TEXT, /* UTF-8 */
	PIT_VALUE_BYTES,
	PIT_VALUE_LIST,
	PIT_VALUE_TUPLE,
	PIT_VALUE_SET,
	PIT_VALUE_FROZENSET,
	PIT_VALUE_DICT, /* items: key, value, key, value */
	PIT_VALUE_ORDERED,
	PIT_VALUE_GLOBAL,
	PIT_VALUE_STORAGE,
	PIT_VALUE_TENSOR,
};

struct pit_torch_global;
struct pit_value;

struct pit_torch_storage {
	const char *key; /* name of its file in the archive's data/ */
	uint64_t bytes;
	const struct pit_torch_global *type;
};

/* Checked: every element lies in the storage, and the bytes fit 63 bits. */
struct pit_torch_tensor {
	const struct pit_torch_storage *storage;
	enum pit_dtype dtype; /* of the storage's elements */
	bool pairs; /* complex numbers of 128 bits: each is two elements of F64, and the last dimension is 2 */
	bool requires_grad;
	unsigned dims;
	uint64_t offset;         /* in bytes */
	uint64_t element;        /* bytes; of both of a pair */
	const uint64_t *shape;   /* with the 2 of pairs */
	const uint64_t *strides; /* in elements of torch's, of each dimension but that 2 */
	uint64_t count;          /* of torch's elements */
};

struct pit_value {
	enum pit_value_kind kind;
	bool above; /* the walker's: it is inside of this one */
	union {
		bool truth;
		int64_t integer;
		double number;
		struct {
			double re, im;
		} complex;
		struct {
			const char *at; /* a NUL follows that is not counted; there may be others inside */
			size_t len;
		} text;
		struct {
			struct pit_value **items;
			size_t count, room;
			struct pit_value *metadata; /* of an OrderedDict; or NULL */
		} list;
		const struct pit_torch_global *global;
		struct pit_torch_storage storage;
		struct pit_torch_tensor tensor;
	};
};

struct pit_value_memory;

/* NULL when there is no more, or more than `most` bytes were asked for in all. */
struct pit_value_memory *pit_value_memory(uint64_t most);
void pit_value_memory_free(struct pit_value_memory *m);
void *pit_value_alloc(struct pit_value_memory *m, size_t bytes); /* zeros */

struct pit_value *pit_value_new(struct pit_value_memory *m, enum pit_value_kind kind);
struct pit_value *pit_value_text(struct pit_value_memory *m, enum pit_value_kind kind, const void *at, size_t len);
int pit_value_add(struct pit_value_memory *m, struct pit_value *list, struct pit_value *const *items, size_t count);

/* A text that is exactly `word`. */
bool pit_value_is(const struct pit_value *v, const char *word);

#endif
