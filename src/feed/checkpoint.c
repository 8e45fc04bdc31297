/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "pitcrew/checkpoint.h"

int pit_checkpoint_open(const char *dir, const struct pit_checkpoint_want *want, struct pit_checkpoint **ret,
			struct pit_error *err)
{
	return -ENOSYS;
}

int pit_checkpoint_close(struct pit_checkpoint *c, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_checkpoint_put(struct pit_checkpoint *c, uint64_t step, const struct pit_save_tensor *tensors, size_t count,
		       enum pit_save_mode mode, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_checkpoint_commit(struct pit_checkpoint *c, uint64_t step, const char *state, const char *extra,
			  unsigned timeout_s, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_checkpoint_wait(struct pit_checkpoint *c, struct pit_error *err)
{
	return -ENOSYS;
}

bool pit_checkpoint_busy(const struct pit_checkpoint *c)
{
	return 0;
}

void pit_checkpoint_stats(const struct pit_checkpoint *c, struct pit_checkpoint_stats *ret)
{
}

const struct pit_ladder *pit_checkpoint_ladder(const struct pit_checkpoint *c)
{
	return NULL;
}

int pit_manifest_open(const char *dir, int64_t step, struct pit_manifest **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_manifest_close(struct pit_manifest *m)
{
}

const char *pit_manifest_path(const struct pit_manifest *m)
{
	return NULL;
}

uint64_t pit_manifest_step(const struct pit_manifest *m)
{
	return 0;
}

const char *pit_manifest_state(const struct pit_manifest *m)
{
	return NULL;
}

const char *pit_manifest_extra(const struct pit_manifest *m)
{
	return NULL;
}

size_t pit_manifest_files(const struct pit_manifest *m)
{
	return 0;
}

const char *pit_manifest_file(const struct pit_manifest *m, size_t n, uint64_t *ret_bytes)
{
	return NULL;
}

int pit_checkpoint_list(const char *dir, uint64_t **ret, size_t *ret_count, struct pit_error *err)
{
	return -ENOSYS;
}
