/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/leaf.h"

int pit_leaves_open(struct pit_root *root, const struct pit_leaf_limits *job, struct pit_leaves **ret,
		    struct pit_strv *notes, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_leaves_add(struct pit_leaves *l, const char *name, const struct pit_leaf_limits *limits, struct pit_strv *notes,
		   int *ret_fd, struct pit_error *err)
{
	return -ENOSYS;
}

const char *pit_leaves_path(const struct pit_leaves *l)
{
	return NULL;
}

int pit_leaves_memory(struct pit_leaves *l, const char *name, struct pit_leaf_memory *ret)
{
	return -ENOSYS;
}

int pit_leaves_file(struct pit_leaves *l, const char *name, const char *file, int flags)
{
	return -ENOSYS;
}

int pit_leaves_count(struct pit_leaves *l, const char *name)
{
	return -ENOSYS;
}

int pit_leaves_kill(struct pit_leaves *l, const char *name)
{
	return -ENOSYS;
}

int pit_leaves_close(struct pit_leaves *l, int ms)
{
	return -ENOSYS;
}
