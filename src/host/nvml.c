#include "host/nvml.h"
int pit_nvml_load(struct pit_root *root, json_t **ret, struct pit_error *err)
{
	return -ENOSYS;
}
