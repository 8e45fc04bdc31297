/* SPDX-License-Identifier: MIT
 *
 * A whole safetensors file: what is accepted keeps the rules, and written again it is the same.
 */
#include "fuzz.h"
#include "base/cleanup.h"
#include "feed/safetensors.h"

static void check(const struct pit_safetensors *s, uint64_t data_bytes)
{
	uint64_t at = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct pit_safetensors_entry *e = &s->entries[i];
		uint64_t bytes = 0;

		if (e->begin != at || pit_tensor_bytes(e->tensor.dtype, e->tensor.dims, e->tensor.shape, &bytes) ||
		    bytes != e->tensor.bytes)
			abort();
		at += bytes;
	}
	if (at != data_bytes)
		abort();
}

static void write_again(const struct pit_safetensors *s, uint64_t data_bytes)
{
	pit_auto_free struct pit_save_tensor *tensors = calloc(s->count + 1, sizeof(*tensors));
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_safetensors back = {0};

	for (size_t i = 0; i < s->count; i++)
		tensors[i].tensor = s->entries[i].tensor;
	if (pit_safetensors_format(tensors, s->count, s->texts, s->text_count, 64, &out, NULL) || out.len % 64 ||
	    pit_safetensors_parse(out.data + 8, out.len - 8, out.len + data_bytes, &back, NULL, NULL) ||
	    back.count != s->count || back.text_count != s->text_count)
		abort();
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(back.entries[i].tensor.name, s->entries[i].tensor.name) != 0)
			abort();
	pit_safetensors_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum pit_safetensors_rule rule = PIT_ST_OK;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_safetensors s;
	uint64_t n;
	int rc = pit_safetensors_length(data, size, &n, &rule, &err);

	if (!rc)
		rc = pit_safetensors_parse((const char *)data + 8, n, size, &s, &rule, &err);
	if (!rc != !rule || (rc && !*err.text))
		abort();
	if (rc)
		return 0;
	check(&s, size - 8 - n);
	write_again(&s, size - 8 - n);
	pit_safetensors_free(&s);
	return 0;
}
