#include "host/kmsg.h"
int pit_kmsg_load(struct pit_root *root, struct pit_kmsg *ret, struct pit_error *err)
{
	return -ENOSYS;
}
void pit_kmsg_free(struct pit_kmsg *k)
{
}
