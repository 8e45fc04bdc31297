#include "host/cgroup.h"
int pit_cgroup_load(struct pit_root *root, const struct pit_mounts *m, int pid, struct pit_cgroup **ret,
		    struct pit_error *err)
{
	return -ENOSYS;
}
void pit_cgroup_free(struct pit_cgroup *g)
{
}
