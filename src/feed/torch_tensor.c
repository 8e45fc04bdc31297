/* SPDX-License-Identifier: MIT */
#include "feed/torch_tensor.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int wrong(const char *what, struct pit_error *err)
{
	return pit_fail(err, EBADMSG, "has a tensor whose %s", what);
}

static bool take(const struct pit_value *list, uint64_t *out)
{
	for (size_t i = 0; i < list->list.count; i++) {
		const struct pit_value *v = list->list.items[i];

		if (v->kind != PIT_VALUE_INT || v->integer < 0)
			return false;
		out[i] = (uint64_t)v->integer;
	}
	return true;
}

/* The last element of a tensor that is not empty; false when it does not fit 64 bits. */
static bool last_of(const struct pit_torch_tensor *t, uint64_t offset, uint64_t *ret)
{
	uint64_t last = offset, step;

	for (unsigned i = 0; i < t->dims; i++)
		if (__builtin_mul_overflow(t->shape[i] - 1, t->strides[i], &step) ||
		    __builtin_add_overflow(last, step, &last))
			return false;
	*ret = last;
	return true;
}

static int check_place(struct pit_torch_tensor *t, uint64_t offset, struct pit_error *err)
{
	uint64_t last, bytes;
	bool empty = false;

	for (unsigned i = 0; i < t->dims; i++)
		empty |= !t->shape[i];
	t->count = empty ? 0 : 1;
	for (unsigned i = 0; i < t->dims; i++)
		if (__builtin_mul_overflow(t->count, t->shape[i], &t->count))
			return wrong("size overflows", err);
	if (__builtin_mul_overflow(t->count, t->element, &bytes) || bytes > INT64_MAX)
		return wrong("size overflows", err);
	if (empty)
		return 0;
	if (!last_of(t, offset, &last) || last == UINT64_MAX || __builtin_mul_overflow(last + 1, t->element, &bytes))
		return wrong("strides overflow", err);
	if (bytes > t->storage->bytes)
		return pit_fail(err, EBADMSG,
				"has a tensor that ends at byte %" PRIu64 " of storage %s, which has %" PRIu64, bytes,
				t->storage->key, t->storage->bytes);
	t->offset = offset * t->element;
	return 0;
}

int pit_torch_tensor_set(struct pit_value_memory *m, struct pit_torch_tensor *t, uint64_t offset,
			 const struct pit_value *sizes, const struct pit_value *strides, struct pit_error *err)
{
	size_t dims = sizes->list.count;
	uint64_t *numbers;

	if (dims != strides->list.count || dims > PIT_TORCH_DIMS_MAX)
		return wrong("sizes and strides are not of the same, sane number", err);
	numbers = pit_value_alloc(m, (2 * dims + 1) * sizeof(*numbers));
	if (!numbers)
		return pit_fail(err, ENOMEM, "no memory for what the pickle holds");
	if (!take(sizes, numbers) || !take(strides, numbers + dims + 1))
		return wrong("sizes or strides are no numbers from 0 on", err);
	numbers[dims] = 2;
	t->dims = (unsigned)dims;
	t->shape = numbers;
	t->strides = numbers + dims + 1;
	t->element = pit_dtype_bits(t->dtype) / 8 * (t->pairs ? 2 : 1);
	return check_place(t, offset, err);
}

bool pit_torch_tensor_is_plain(const struct pit_torch_tensor *t)
{
	uint64_t step = 1;

	for (unsigned i = t->dims; t->count && i--;) {
		if (t->shape[i] != 1 && t->strides[i] != step)
			return false;
		step *= t->shape[i];
	}
	return true;
}

uint64_t pit_torch_tensor_bytes(const struct pit_torch_tensor *t)
{
	return t->count * t->element;
}

static void copy_row(const struct pit_torch_tensor *t, const char *from, char *out, uint64_t count, uint64_t stride)
{
	uint64_t step = stride * t->element;

	if (stride == 1) {
		memcpy(out, from, count * t->element);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		memcpy(out + i * t->element, from + i * step, t->element);
}

void pit_torch_tensor_gather(const struct pit_torch_tensor *t, const void *storage, void *out)
{
	uint64_t at[PIT_TORCH_DIMS_MAX] = {0};
	unsigned rows = t->dims ? t->dims - 1 : 0;
	uint64_t count = t->dims ? t->shape[rows] : 1, stride = t->dims ? t->strides[rows] : 1;

	for (uint64_t done = 0; done < t->count; done += count) {
		uint64_t from = 0;

		for (unsigned i = 0; i < rows; i++)
			from += at[i] * t->strides[i];
		copy_row(t, (const char *)storage + t->offset + from * t->element, (char *)out + done * t->element,
			 count, stride);
		for (unsigned i = rows; i-- && ++at[i] == t->shape[i];)
			at[i] = 0;
	}
}
