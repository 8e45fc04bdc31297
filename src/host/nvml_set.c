/* SPDX-License-Identifier: MIT */
#include "host/nvml_set.h"

int pit_nvml_item(struct pit_root *root, const char *uuid, const char *item, struct pit_buf *out, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_nvml_set(const char *uuid, const char *item, const char *value, struct pit_error *err)
{
	return -ENOSYS;
}
