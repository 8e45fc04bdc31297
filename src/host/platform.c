#include "host/platform.h"
int pit_platform_load(struct pit_root *root, struct pit_platform *ret)
{
	return -ENOSYS;
}
