/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "feed/tar.h"
#include "feed/tar_header.h"

#define BLOCK 512
#define EXTRA_MAX (1 << 20) /* bytes of a long name or pax header: a name has 4096 at most, attributes 64 KiB each */

struct scan {
	uint64_t size, at; /* of the archive; where the next header lies */
	pit_tar_read read;
	void *read_arg;
	pit_tar_found found;
	void *found_arg;
	struct pit_tar_extra next; /* what was said ahead about the next member */
	struct pit_error *err;
};

static int bad(const struct scan *s, const char *what)
{
	return pit_fail(s->err, EBADMSG, "at byte %" PRIu64 ": %s", s->at, what);
}

static int unsupported(const struct scan *s, const char *what)
{
	return pit_fail(s->err, ENOTSUP, "at byte %" PRIu64 ": %s", s->at, what);
}

/* What else a file is that begins with `block`. */
static int not_tar(const struct scan *s, const unsigned char *block)
{
	static const struct {
		const char *magic, *name;
		size_t len;
	} others[] = {
		{.magic = "\x1f\x8b", .len = 2, .name = "gzip"},
		{.magic = "\x1f\x9d", .len = 2, .name = "compress"},
		{.magic = "\x28\xb5\x2f\xfd", .len = 4, .name = "zstd"},
		{.magic = "\xfd"
			  "7zXZ",
		 .len = 5,
		 .name = "xz"},
		{.magic = "BZh", .len = 3, .name = "bzip2"},
		{.magic = "\x04\x22\x4d\x18", .len = 4, .name = "lz4"},
		{.magic = "LZIP", .len = 4, .name = "lzip"},
		{.magic = "PK\x03\x04", .len = 4, .name = "zip"},
	};

	for (size_t i = 0; i < PIT_COUNT(others); i++)
		if (!memcmp(block, others[i].magic, others[i].len))
			return pit_fail(s->err, ENOTSUP,
					"compressed by %s: samples in it cannot be found without unpacking all of it",
					others[i].name);
	return pit_fail(s->err, EBADMSG, "no tar archive");
}

/* Reads what a header of `len` bytes says about the next member. */
static int read_extra(struct scan *s, const struct pit_tar_header *h)
{
	pit_auto_free char *text = NULL;
	const char *why;
	int rc;

	if (h->size > EXTRA_MAX)
		return bad(s, "a long name or extended header of more than 1 MiB");
	text = malloc(h->size + 1);
	if (!text)
		return pit_fail(s->err, ENOMEM, "out of memory");
	rc = s->read(s->read_arg, s->at + BLOCK, text, h->size);
	if (rc)
		return rc;
	text[h->size] = '\0';
	why = h->kind == PIT_TAR_LONG_NAME ? pit_tar_long_name(text, h->size, &s->next)
					   : pit_tar_pax(text, h->size, h->kind == PIT_TAR_PAX_ALL, &s->next);
	return why ? bad(s, why) : 0;
}

static int give_file(struct scan *s, const struct pit_tar_header *h, uint64_t len)
{
	struct pit_tar_member m = {
		.name = s->next.name.len ? s->next.name.data : h->name, .offset = s->at + BLOCK, .len = len};

	if (s->next.sparse)
		return unsupported(s, "a sparse file, which is not stored as it is");
	if (!*m.name)
		return bad(s, "a file without a name");
	if (m.name[strlen(m.name) - 1] == '/')
		return 0; /* the oldest form of a directory */
	return s->found(s->found_arg, &m);
}

static int member(struct scan *s, const struct pit_tar_header *h)
{
	bool ahead = h->kind >= PIT_TAR_LONG_NAME;
	uint64_t len = h->kind == PIT_TAR_EMPTY ? 0 : !ahead && s->next.has_size ? s->next.size : h->size;
	uint64_t left = s->size - s->at - BLOCK, pad = -len % BLOCK;
	int rc = 0;

	if (h->kind == PIT_TAR_SPARSE)
		return unsupported(s, "a sparse file, which is not stored as it is");
	if (h->kind == PIT_TAR_VOLUME)
		return unsupported(s, "the rest of a file that began in another volume");
	if (len > left)
		return pit_fail(s->err, EBADMSG,
				"at byte %" PRIu64 ": a member of %" PRIu64 " bytes, but only %" PRIu64
				" follow: the archive was cut",
				s->at, len, left);
	if (h->kind == PIT_TAR_FILE)
		rc = give_file(s, h, len);
	else if (ahead && h->kind != PIT_TAR_LONG_LINK)
		rc = read_extra(s, h);
	if (!ahead)
		pit_tar_extra_clear(&s->next);
	s->at = left - len < pad ? s->size : s->at + BLOCK + len + pad;
	return rc;
}

static bool is_zero(const unsigned char *block)
{
	for (size_t i = 0; i < BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

static int scan(struct scan *s)
{
	int rc = 0;

	while (s->at < s->size && !rc) {
		unsigned char block[BLOCK] = {0};
		struct pit_tar_header h;
		uint64_t left = s->size - s->at;
		const char *why;

		rc = s->read(s->read_arg, s->at, block, left < BLOCK ? left : BLOCK);
		if (rc)
			break;
		if (left < BLOCK)
			return s->at ? bad(s, "the archive ends in the middle of a header") : not_tar(s, block);
		if (is_zero(block))
			break;
		why = pit_tar_header_parse(block, &h);
		if (why)
			return s->at ? bad(s, why) : not_tar(s, block);
		rc = member(s, &h);
	}
	return rc;
}

int pit_tar_scan(uint64_t size, pit_tar_read read, void *read_arg, pit_tar_found found, void *found_arg,
		 uint64_t *ret_end, struct pit_error *err)
{
	struct scan s = {.size = size,
			 .read = read,
			 .read_arg = read_arg,
			 .found = found,
			 .found_arg = found_arg,
			 .next = {.name = PIT_BUF_INIT},
			 .err = err};
	int rc = scan(&s);

	pit_buf_free(&s.next.name);
	if (!rc)
		*ret_end = s.at;
	return rc;
}

int pit_tar_ending(uint64_t size, uint64_t end, pit_tar_read read, void *read_arg, char ret[120])
{
	unsigned char block[BLOCK];
	int rc = 0;

	*ret = '\0';
	if (end >= size)
		snprintf(ret, 120, "no mark of its end: was it cut behind a member?");
	for (uint64_t at = end; at < size && !rc && !*ret; at += BLOCK) {
		memset(block, 0, sizeof(block));
		rc = read(read_arg, at, block, size - at < BLOCK ? size - at : BLOCK);
		if (!rc && !is_zero(block))
			snprintf(ret, 120,
				 "more behind the mark of its end, from byte %" PRIu64
				 " on: it is not read (tar -i does)",
				 at);
	}
	return rc;
}
