#include "host/sysctl_origin.h"
int pit_sysctl_origin(struct pit_root *root, const char *key, const char *live, char *ret, size_t size)
{
	return -ENOENT;
}
int pit_sysfs_origin(struct pit_root *root, const char *path, const char *c, char *ret, size_t size)
{
	return -ENOENT;
}
