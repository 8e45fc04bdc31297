/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "pitcrew/weights.h"

int pit_weights_open(const char *path, struct pit_weights **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_weights_close(struct pit_weights *w)
{
}

size_t pit_weights_count(const struct pit_weights *w)
{
	return 0;
}

const struct pit_tensor *pit_weights_tensor(const struct pit_weights *w, size_t i)
{
	return NULL;
}

int64_t pit_weights_find(const struct pit_weights *w, const char *name)
{
	return -ENOSYS;
}

uint64_t pit_weights_bytes(const struct pit_weights *w)
{
	return 0;
}

size_t pit_weights_files(const struct pit_weights *w)
{
	return 0;
}

const char *pit_weights_file(const struct pit_weights *w, size_t file)
{
	return NULL;
}

size_t pit_weights_file_of(const struct pit_weights *w, size_t i)
{
	return 0;
}

uint64_t pit_weights_offset(const struct pit_weights *w, size_t i)
{
	return 0;
}

int pit_weights_metadata(const struct pit_weights *w, size_t file, size_t n, const char **ret_key,
			 const char **ret_value)
{
	return -ENOSYS;
}

const char *pit_weights_metadata_of(const struct pit_weights *w, size_t file, const char *key)
{
	return NULL;
}

int pit_weights_read(struct pit_weights *w, size_t i, uint64_t from, void *data, uint64_t len, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_weights_load(struct pit_weights *w, const struct pit_weights_want *want, struct pit_arena **ret,
		     struct pit_error *err)
{
	return -ENOSYS;
}

void *pit_arena_data(const struct pit_arena *a, size_t i)
{
	return NULL;
}

uint64_t pit_arena_bytes(const struct pit_arena *a)
{
	return 0;
}

const struct pit_ladder *pit_arena_ladder(const struct pit_arena *a)
{
	return NULL;
}

void pit_arena_free(struct pit_arena *a)
{
}

int pit_weights_verify(struct pit_weights *w, const struct pit_weights_want *want, struct pit_verify_result *ret,
		       struct pit_error *err)
{
	return -ENOSYS;
}
