/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "feed/index.h"
#include "feed/source_body.h"

struct head {
	char magic[8];
	uint64_t bytes, hash, size, mtime, count;
};
#define HASHED offsetof(struct head, size)

static const char magic[8] = "PITIDX\0\1";

void pit_shard_index_free(struct pit_shard_index *x)
{
	int saved = errno;

	free(x->members);
	pit_buf_free(&x->names);
	*x = (struct pit_shard_index){.names = PIT_BUF_INIT};
	errno = saved;
}

int pit_shard_index_add(struct pit_shard_index *x, const char *name, uint64_t offset, uint64_t len)
{
	struct pit_member *members = pit_source_room(x->members, x->count, &x->room, sizeof(*members));

	if (!members)
		return -ENOMEM;
	x->members = members;
	members[x->count++] = (struct pit_member){.offset = offset, .len = len, .name = x->names.len};
	pit_buf_add(&x->names, name, strlen(name) + 1);
	return x->names.failed ? -ENOMEM : 0;
}

/* In the file all names are behind the shard's, which takes `shift` bytes. */
static void put_member(struct pit_buf *out, const struct pit_member *m, uint64_t shift)
{
	const uint64_t fields[] = {htole64(m->offset), htole64(m->len), htole64(m->sum), htole64(m->name + shift)};

	pit_buf_add(out, fields, sizeof(fields));
}

void pit_shard_index_format(const struct pit_shard_index *x, const struct pit_shard_index_stamp *stamp,
			    struct pit_buf *out)
{
	size_t begin = out->len, shift = strlen(stamp->name) + 1;
	struct head h = {
		.size = htole64(stamp->size), .mtime = htole64((uint64_t)stamp->mtime_ns), .count = htole64(x->count)};

	memcpy(h.magic, magic, sizeof(magic));
	h.bytes = htole64(sizeof(h) + x->count * sizeof(struct pit_member) + shift + x->names.len);
	pit_buf_add(out, &h, sizeof(h));
	for (size_t i = 0; i < x->count; i++)
		put_member(out, &x->members[i], shift);
	pit_buf_add(out, stamp->name, shift);
	pit_buf_add(out, x->names.data, x->names.len);
	if (out->failed)
		return;
	h.hash = htole64(XXH3_64bits(out->data + begin + HASHED, out->len - begin - HASHED));
	memcpy(out->data + begin, &h, sizeof(h));
}

/* Reads members from `at`, whose names are in place. A right hash is no proof that the numbers are right. */
static int parse_members(const char *at, uint64_t count, const struct pit_shard_index_stamp *stamp,
			 struct pit_shard_index *x)
{
	uint64_t shift = strlen(stamp->name) + 1;

	x->sums = true;
	x->members = reallocarray(NULL, count ? count : 1, sizeof(*x->members));
	if (!x->members)
		return -ENOMEM;
	x->room = count ? count : 1;
	for (; x->count < count; x->count++) {
		struct pit_member *m = &x->members[x->count];
		uint64_t fields[4];

		memcpy(fields, at + x->count * sizeof(fields), sizeof(fields));
		*m = (struct pit_member){.offset = le64toh(fields[0]),
					 .len = le64toh(fields[1]),
					 .sum = le64toh(fields[2]),
					 .name = le64toh(fields[3]) - shift};
		if (m->offset > stamp->size || m->len > stamp->size - m->offset || m->name >= x->names.len)
			return -EBADMSG;
		if (m->len && !m->sum)
			x->sums = false;
	}
	return 0;
}

static int parse_body(const char *bytes, const struct head *h, const struct pit_shard_index_stamp *stamp,
		      struct pit_shard_index *x)
{
	uint64_t left = le64toh(h->bytes) - sizeof(*h), count = le64toh(h->count);
	size_t shift = strlen(stamp->name) + 1;
	const char *names;

	if (count > left / sizeof(struct pit_member))
		return -EBADMSG;
	left -= count * sizeof(struct pit_member);
	names = bytes + sizeof(*h) + count * sizeof(struct pit_member);
	if (!left || names[left - 1])
		return -EBADMSG;
	if (le64toh(h->size) != stamp->size || (int64_t)le64toh(h->mtime) != stamp->mtime_ns ||
	    strcmp(names, stamp->name))
		return -ESTALE;
	pit_buf_add(&x->names, names + shift, left - shift);
	if (x->names.failed)
		return -ENOMEM;
	return parse_members(bytes + sizeof(*h), count, stamp, x);
}

size_t pit_shard_index_section(const void *bytes, size_t len)
{
	struct head h;

	if (len < sizeof(h))
		return 0;
	memcpy(&h, bytes, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) || le64toh(h.bytes) > len || le64toh(h.bytes) < sizeof(h))
		return 0;
	return le64toh(h.bytes);
}

int pit_shard_index_parse(const void *bytes, size_t len, const struct pit_shard_index_stamp *stamp,
			  struct pit_shard_index *ret)
{
	struct pit_shard_index x = {.names = PIT_BUF_INIT};
	struct head h;
	int rc;

	len = pit_shard_index_section(bytes, len);
	if (!len)
		return -EBADMSG;
	memcpy(&h, bytes, sizeof(h));
	if (XXH3_64bits((const char *)bytes + HASHED, len - HASHED) != le64toh(h.hash))
		return -EBADMSG;
	rc = parse_body(bytes, &h, stamp, &x);
	if (rc)
		pit_shard_index_free(&x);
	else
		*ret = x;
	return rc;
}
