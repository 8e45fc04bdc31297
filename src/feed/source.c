/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/source.h"
#include "pitcrew/feed.h"

struct pit_source *pit_source_ref(struct pit_source *s)
{
	return NULL;
}

unsigned pit_source_parts(const struct pit_source *s, uint64_t sample)
{
	return 0;
}

void pit_source_extent(const struct pit_source *s, uint64_t sample, unsigned part, struct pit_extent *ret)
{
}

uint32_t pit_source_files(const struct pit_source *s)
{
	return 0;
}

const char *pit_source_file(const struct pit_source *s, uint32_t file)
{
	return NULL;
}

int pit_source_dir(const struct pit_source *s)
{
	return -ENOSYS;
}

bool pit_source_whole(const struct pit_source *s)
{
	return 0;
}

const char *pit_source_key(const struct pit_source *s, uint32_t key)
{
	return NULL;
}

int pit_source_open(const struct pit_source_want *want, struct pit_source **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_source_close(struct pit_source *s)
{
}

uint64_t pit_source_count(const struct pit_source *s)
{
	return 0;
}

uint64_t pit_source_bytes(const struct pit_source *s)
{
	return 0;
}

uint64_t pit_source_fingerprint(const struct pit_source *s)
{
	return 0;
}

enum pit_source_kind pit_source_kind_of(const struct pit_source *s)
{
	return 0;
}

const char *pit_source_name(const struct pit_source *s, uint64_t sample)
{
	return NULL;
}
