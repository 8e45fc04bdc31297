/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "feed/safetensors.h"
#include "feed/safetensors_names.h"
#include "feed/utf8.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

static void put_string(struct pit_buf *b, const char *text)
{
	pit_buf_putc(b, '"');
	for (;;) {
		size_t plain = 0;

		while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\')
			plain++;
		pit_buf_add(b, text, plain);
		text += plain;
		if (!*text)
			break;
		if (*text == '"' || *text == '\\')
			pit_buf_printf(b, "\\%c", *text);
		else
			pit_buf_printf(b, "\\u%04x", *text);
		text++;
	}
	pit_buf_putc(b, '"');
}

static int check_string(const char *what, const char *text, struct pit_error *err)
{
	if (!text)
		return pit_fail(err, EINVAL, "%s is missing", what);
	if (pit_utf8_valid(text, strlen(text)) != strlen(text))
		return pit_fail(err, EINVAL, "%s '%s' is not UTF-8", what, SHOW(text));
	return 0;
}

static int check_tensor(const struct pit_save_tensor *t, struct pit_error *err)
{
	uint64_t bytes;
	int rc = check_string("the name of a tensor", t->tensor.name, err);

	if (rc)
		return rc;
	if (!strcmp(t->tensor.name, "__metadata__"))
		return pit_fail(err, EINVAL, "no tensor may be called __metadata__");
	if (!pit_dtype_name(t->tensor.dtype))
		return pit_fail(err, EINVAL, "tensor '%s': no such dtype: %d", SHOW(t->tensor.name), t->tensor.dtype);
	rc = pit_tensor_bytes(t->tensor.dtype, t->tensor.dims, t->tensor.shape, &bytes);
	if (rc == -EOVERFLOW)
		return pit_fail(err, EINVAL, "tensor '%s': its size does not fit 64 bits", SHOW(t->tensor.name));
	if (rc)
		return pit_fail(err, EINVAL, "tensor '%s': its elements of %u bits make no whole bytes",
				SHOW(t->tensor.name), pit_dtype_bits(t->tensor.dtype));
	if (bytes != t->tensor.bytes)
		return pit_fail(err, EINVAL, "tensor '%s': shape and dtype make %" PRIu64 " bytes, not %" PRIu64,
				SHOW(t->tensor.name), bytes, t->tensor.bytes);
	return 0;
}

static int check_names(struct pit_name *names, size_t count, const char *what, struct pit_error *err)
{
	const struct pit_name *twice;

	pit_names_sort(names, count);
	twice = pit_names_twice(names, count);
	return twice ? pit_fail(err, EINVAL, "%s '%s' comes twice", what, SHOW(twice->name)) : 0;
}

static int check_tensors(const struct pit_save_tensor *tensors, size_t count, struct pit_error *err)
{
	pit_auto_free struct pit_name *names = reallocarray(NULL, count + 1, sizeof(*names));

	if (!names)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		int rc = check_tensor(&tensors[i], err);

		if (rc)
			return rc;
		pit_name_set(&names[i], tensors[i].tensor.name, i);
	}
	return check_names(names, count, "tensor", err);
}

static int check_texts(const struct pit_save_text *texts, size_t count, struct pit_error *err)
{
	pit_auto_free struct pit_name *names = reallocarray(NULL, count + 1, sizeof(*names));

	if (!names)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		int rc = check_string("a key of the metadata", texts[i].key, err);

		if (!rc)
			rc = check_string("a value of the metadata", texts[i].value, err);
		if (rc)
			return rc;
		pit_name_set(&names[i], texts[i].key, i);
	}
	return check_names(names, count, "key", err);
}

static void put_texts(struct pit_buf *b, const struct pit_save_text *texts, size_t count)
{
	pit_buf_puts(b, "\"__metadata__\":");
	for (size_t i = 0; i < count; i++) {
		pit_buf_putc(b, i ? ',' : '{');
		put_string(b, texts[i].key);
		pit_buf_putc(b, ':');
		put_string(b, texts[i].value);
	}
	pit_buf_putc(b, '}');
}

static int put_tensor(struct pit_buf *b, const struct pit_tensor *t, uint64_t *at, struct pit_error *err)
{
	uint64_t begin = *at;

	if (__builtin_add_overflow(*at, t->bytes, at))
		return pit_fail(err, EINVAL, "tensor '%s': with it the size of all does not fit 64 bits",
				SHOW(t->name));
	put_string(b, t->name);
	pit_buf_printf(b, ":{\"dtype\":\"%s\",\"shape\":[", pit_dtype_name(t->dtype));
	for (unsigned i = 0; i < t->dims; i++)
		pit_buf_printf(b, "%s%" PRIu64, i ? "," : "", t->shape[i]);
	pit_buf_printf(b, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", begin, *at);
	return 0;
}

int pit_safetensors_format(const struct pit_save_tensor *tensors, size_t count, const struct pit_save_text *texts,
			   size_t text_count, unsigned align, struct pit_buf *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
	uint64_t at = 0, n;
	int rc = check_tensors(tensors, count, err);

	if (!rc)
		rc = check_texts(texts, text_count, err);
	pit_buf_add(&b, &(uint64_t){0}, 8);
	pit_buf_putc(&b, '{');
	if (text_count && !rc)
		put_texts(&b, texts, text_count);
	for (size_t i = 0; i < count && !rc; i++) {
		if (i || text_count)
			pit_buf_putc(&b, ',');
		rc = put_tensor(&b, &tensors[i].tensor, &at, err);
	}
	pit_buf_putc(&b, '}');
	while (!b.failed && b.len % align)
		pit_buf_putc(&b, ' ');
	if (rc)
		return rc;
	if (b.failed)
		return pit_fail(err, ENOMEM, "no memory for the header of %zu tensors", count);
	if (b.len - 8 > PIT_SAFETENSORS_HEADER_MAX)
		return pit_fail(err, EINVAL, "%zu tensors make a header of %zu bytes; %d are allowed", count, b.len - 8,
				PIT_SAFETENSORS_HEADER_MAX);
	n = htole64(b.len - 8);
	memcpy(b.data, &n, sizeof(n));
	pit_buf_add(ret, b.data, b.len);
	return ret->failed ? pit_fail(err, ENOMEM, "no memory for the header of %zu tensors", count) : 0;
}
