/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/safetensors.h"

const char *const pit_safetensors_rules[] = {"ok", NULL};

int pit_safetensors_length(const void *prefix, uint64_t file_size, uint64_t *ret, enum pit_safetensors_rule *ret_rule,
			   struct pit_error *err)
{
	return -ENOSYS;
}

int pit_safetensors_parse(const char *json, uint64_t len, uint64_t file_size, struct pit_safetensors *ret,
			  enum pit_safetensors_rule *ret_rule, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_safetensors_free(struct pit_safetensors *s)
{
}

int pit_safetensors_format(const struct pit_save_tensor *tensors, size_t count, const struct pit_save_text *texts,
			   size_t text_count, unsigned align, struct pit_buf *ret, struct pit_error *err)
{
	return -ENOSYS;
}
