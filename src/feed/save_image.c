/* SPDX-License-Identifier: MIT */
#include "feed/save_image.h"

#include <string.h>
#include <xxhash.h>

#include "feed/safetensors.h"

#define DIGITS 16
#define OURS "pitcrew."
#define FORMAT "pitcrew.format"
#define HEADER "pitcrew.header"
#define TENSOR "pitcrew.xxh3."

static const char zeros[] = "0000000000000000";

/* Our texts, then the caller's. */
struct texts {
	struct pit_save_text *text;
	size_t count;
	struct pit_buf keys;
};

static void free_texts(struct texts *t)
{
	free(t->text);
	pit_buf_free(&t->keys);
}

void pit_image_free(struct pit_image *im)
{
	int saved = errno;

	pit_buf_free(&im->header);
	free(im->data);
	free(im->begin);
	free(im->digits);
	*im = (struct pit_image){.header = PIT_BUF_INIT};
	errno = saved;
}

static int check_texts(const struct pit_save_text *texts, size_t count, struct pit_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!texts[i].key || !texts[i].value)
			return pit_fail(err, EINVAL, "text number %zu has no key or no value", i);
		if (!strncmp(texts[i].key, OURS, strlen(OURS)))
			return pit_fail(err, EINVAL, "text '%s': keys that begin with \"%s\" are reserved",
					texts[i].key, OURS);
	}
	return 0;
}

/* Keys lie one behind the other in a buffer that may move: their addresses are taken at the end. */
static int our_texts(const struct pit_save_tensor *tensors, size_t count, struct texts *t)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		pit_buf_puts(&t->keys, TENSOR);
		pit_buf_add(&t->keys, tensors[i].tensor.name, strlen(tensors[i].tensor.name) + 1);
	}
	if (t->keys.failed)
		return -ENOMEM;
	t->text[t->count++] = (struct pit_save_text){.key = FORMAT, .value = "1"};
	t->text[t->count++] = (struct pit_save_text){.key = HEADER, .value = zeros};
	for (size_t i = 0; i < count; i++) {
		t->text[t->count++] = (struct pit_save_text){.key = t->keys.data + at, .value = zeros};
		at += strlen(t->keys.data + at) + 1;
	}
	return 0;
}

static int make_texts(const struct pit_save_tensor *tensors, size_t count, const struct pit_save_text *texts,
		      size_t text_count, struct texts *ret, struct pit_error *err)
{
	int rc = check_texts(texts, text_count, err);

	if (rc)
		return rc;
	ret->text = calloc(count + text_count + 2, sizeof(*ret->text));
	if (!ret->text || our_texts(tensors, count, ret))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < text_count; i++)
		ret->text[ret->count++] = texts[i];
	return 0;
}

static int take_tensors(struct pit_image *im, const struct pit_save_tensor *tensors, size_t count,
			struct pit_error *err)
{
	im->count = count;
	im->data = calloc(count + 1, sizeof(*im->data));
	im->begin = calloc(count + 1, sizeof(*im->begin));
	im->digits = calloc(count + 1, sizeof(*im->digits));
	if (!im->data || !im->begin || !im->digits)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct pit_save_tensor *t = &tensors[i];

		if (!t->tensor.name)
			return pit_fail(err, EINVAL, "tensor number %zu has no name", i);
		if (!t->data && t->tensor.bytes)
			return pit_fail(err, EINVAL, "tensor '%s' has no data", t->tensor.name);
		if (__builtin_add_overflow(im->begin[i], t->tensor.bytes, &im->begin[i + 1]) ||
		    im->begin[i + 1] > INT64_MAX / 2)
			return pit_fail(err, EOVERFLOW, "tensor '%s': more bytes than a file can have", t->tensor.name);
		im->data[i] = t->data;
	}
	return 0;
}

/* The next string at `from` or behind, without its quotes; false when there is none. */
static bool next_string(const char *json, size_t len, size_t from, size_t *ret_at, size_t *ret_len)
{
	const char *quote = from < len ? memchr(json + from, '"', len - from) : NULL;
	size_t at, end;

	if (!quote)
		return false;
	at = (size_t)(quote - json) + 1;
	for (end = at; end < len && json[end] != '"'; end++)
		end += json[end] == '\\';
	if (end >= len)
		return false;
	*ret_at = at;
	*ret_len = end - at;
	return true;
}

/* Our texts come first in `__metadata__`, which comes first in the header, in the order given: each second string from
 * there on is a value. */
static int find_digits(struct pit_image *im)
{
	size_t wanted = 1 + (im->checksums ? im->count : 0), at = 8, len = 0;

	if (!next_string(im->header.data, im->header.len, at, &at, &len)) /* "__metadata__" */
		return -EINVAL;
	for (size_t i = 0; i <= wanted; i++) {
		for (unsigned key_then_value = 0; key_then_value < 2; key_then_value++)
			if (!next_string(im->header.data, im->header.len, at + len + 1, &at, &len))
				return -EINVAL;
		if (!i)
			continue; /* the format's number */
		if (len != DIGITS || memcmp(im->header.data + at, zeros, DIGITS) != 0)
			return -EINVAL;
		im->digits[i - 1] = at;
	}
	return 0;
}

int pit_image_make(const struct pit_save_tensor *tensors, size_t count, const struct pit_save_text *texts,
		   size_t text_count, bool checksums, struct pit_image *ret, struct pit_error *err)
{
	pit_auto_image struct pit_image im = {
		.header = PIT_BUF_INIT, .checksums = checksums, .staged_from = UINT64_MAX};
	struct texts all = {.keys = PIT_BUF_INIT};
	int rc = take_tensors(&im, tensors, count, err);

	if (!rc)
		rc = make_texts(tensors, checksums ? count : 0, texts, text_count, &all, err);
	if (!rc)
		rc = pit_safetensors_format(tensors, count, all.text, all.count, PIT_IMAGE_ALIGN, &im.header, err);
	free_texts(&all);
	if (rc)
		return rc;
	if (find_digits(&im))
		return pit_fail(err, EINVAL, "the header has no room for its checksums");
	*ret = im;
	im = (struct pit_image){.header = PIT_BUF_INIT};
	return 0;
}

/* The last tensor that begins at `at` or before and is not empty: all between are. */
static size_t tensor_at(const struct pit_image *im, uint64_t at)
{
	size_t low = 0, high = im->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (im->begin[middle] <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

const char *pit_image_at(const struct pit_image *im, uint64_t at, uint64_t *ret_len)
{
	uint64_t end;
	size_t i;

	if (at >= im->staged_from) {
		*ret_len = pit_image_bytes(im) - at;
		return im->staged + (at - im->staged_from);
	}
	i = tensor_at(im, at);
	end = im->begin[i + 1] < im->staged_from ? im->begin[i + 1] : im->staged_from;
	*ret_len = end - at;
	return (const char *)im->data[i] + (at - im->begin[i]);
}

void pit_image_copy(const struct pit_image *im, uint64_t at, void *to, uint64_t len)
{
	for (char *out = to; len;) {
		uint64_t n;
		const char *from = pit_image_at(im, at, &n);

		if (n > len)
			n = len;
		memcpy(out, from, n);
		out += n;
		at += n;
		len -= n;
	}
}

static void put_digits(char *to, uint64_t sum)
{
	char digits[DIGITS + 1];

	snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)sum);
	memcpy(to, digits, DIGITS);
}

void pit_image_seal(struct pit_image *im, const uint64_t *sums, uint64_t *ret_header_sum)
{
	for (size_t i = 0; im->checksums && i < im->count; i++)
		put_digits(im->header.data + im->digits[1 + i], sums[i]);
	memcpy(im->header.data + im->digits[0], zeros, DIGITS);
	*ret_header_sum = XXH3_64bits(im->header.data, im->header.len);
	put_digits(im->header.data + im->digits[0], *ret_header_sum);
}

bool pit_sum_parse(const char *text, uint64_t *ret)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < DIGITS; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			sum = sum << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			sum = sum << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret = sum;
	return true;
}
