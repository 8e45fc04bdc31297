/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/parse.h"
#include "feed/tar_header.h"

/* POSIX.1-1988 ustar, which pax and GNU tar extend; all are bytes. */
struct block {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
		user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct block) == 512, "a tar header is a block");

/* Octal digits between blanks, ended by a blank, a NUL, or the field; or, with the highest bit set, a number of base
 * 256 (GNU, star). */
static bool number(const char *field, size_t size, uint64_t *ret)
{
	const unsigned char *p = (const unsigned char *)field;
	uint64_t n = 0;
	size_t i = 0;

	if (p[0] & 0x80) {
		if (p[0] != 0x80)
			return false; /* below 0, or far beyond 64 bits */
		for (i = 1; i < size; i++) {
			if (n >> 56)
				return false;
			n = n << 8 | p[i];
		}
		*ret = n;
		return true;
	}
	while (i < size && p[i] == ' ')
		i++;
	for (; i < size && p[i] >= '0' && p[i] <= '7'; i++)
		n = n << 3 | (uint64_t)(p[i] - '0'); /* 12 digits at most */
	for (; i < size && (p[i] == ' ' || !p[i]); i++)
		;
	*ret = n;
	return i == size || (i && !p[i - 1]); /* what is behind a NUL does not matter */
}

/* The sum of all bytes with those of the sum as blanks; old programs added them with their signs. */
static bool sum_is_right(const struct block *b)
{
	const unsigned char *p = (const unsigned char *)b;
	const size_t at = offsetof(struct block, sum);
	int64_t plain = 0, with_signs = 0;
	uint64_t wanted;

	for (size_t i = 0; i < sizeof(*b); i++) {
		bool blank = i >= at && i < at + sizeof(b->sum);

		plain += blank ? ' ' : p[i];
		with_signs += blank ? ' ' : (signed char)p[i];
	}
	return number(b->sum, sizeof(b->sum), &wanted) && ((int64_t)wanted == plain || (int64_t)wanted == with_signs);
}

static enum pit_tar_kind kind_of(char type)
{
	switch (type) {
	case '\0':
	case '0':
	case '7':
		return PIT_TAR_FILE;
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
		return PIT_TAR_EMPTY;
	case 'L':
		return PIT_TAR_LONG_NAME;
	case 'K':
		return PIT_TAR_LONG_LINK;
	case 'x':
	case 'X':
		return PIT_TAR_PAX;
	case 'g':
		return PIT_TAR_PAX_ALL;
	case 'S':
		return PIT_TAR_SPARSE;
	case 'M':
		return PIT_TAR_VOLUME;
	default:
		return PIT_TAR_OTHER;
	}
}

const char *pit_tar_header_parse(const unsigned char bytes[512], struct pit_tar_header *ret)
{
	struct block b;

	memcpy(&b, bytes, sizeof(b));
	if (!sum_is_right(&b))
		return "the checksum of a header is wrong";
	if (!number(b.size, sizeof(b.size), &ret->size))
		return "the size of a member is no number";
	ret->kind = kind_of(b.type);
	if (!memcmp(b.magic, "ustar", 6) && b.prefix[0])
		snprintf(ret->name, sizeof(ret->name), "%.155s/%.100s", b.prefix, b.name);
	else
		snprintf(ret->name, sizeof(ret->name), "%.100s", b.name);
	return NULL;
}

void pit_tar_extra_clear(struct pit_tar_extra *x)
{
	pit_buf_clear(&x->name);
	x->has_size = x->sparse = false;
}

static const char *set_name(struct pit_tar_extra *next, const char *name, size_t len)
{
	pit_buf_clear(&next->name);
	pit_buf_add(&next->name, name, len);
	return next->name.failed ? "no memory for its name" : NULL;
}

const char *pit_tar_long_name(const char *text, uint64_t len, struct pit_tar_extra *next)
{
	return set_name(next, text, strnlen(text, len));
}

static const char *pax_value(const char *key, const char *value, size_t len, bool all, struct pit_tar_extra *next)
{
	if (!strncmp(key, "GNU.sparse.", 11))
		next->sparse = true;
	if (strcmp(key, "path") && strcmp(key, "size"))
		return NULL;
	if (all)
		return "an extended header gives all files one name or size";
	if (strlen(value) != len || !len)
		return "an extended header with a NUL byte in a value, or with none";
	if (!strcmp(key, "path"))
		return set_name(next, value, len);
	next->has_size = true;
	return pit_parse_u64(value, &next->size) ? "an extended header with a size that is no number" : NULL;
}

/* One record "LENGTH KEY=VALUE\n" of `left` bytes at most; moves `at` behind it. */
static const char *pax_record(char **at, uint64_t left, bool all, struct pit_tar_extra *next)
{
	char *p = *at, *end, *equals;
	uint64_t n = 0, digits = 0;

	for (; digits < left && digits < 8 && p[digits] >= '0' && p[digits] <= '9'; digits++)
		n = n * 10 + (uint64_t)(p[digits] - '0');
	if (!digits || digits == left || p[digits] != ' ' || n > left || n < digits + 3 || p[n - 1] != '\n')
		return "an extended header with a record of a wrong length";
	end = p + n - 1;
	equals = memchr(p + digits + 1, '=', (size_t)(end - p) - digits - 1);
	if (!equals)
		return "an extended header with a record without '='";
	*equals = *end = '\0';
	*at = end + 1;
	return pax_value(p + digits + 1, equals + 1, (size_t)(end - equals) - 1, all, next);
}

const char *pit_tar_pax(char *text, uint64_t len, bool all, struct pit_tar_extra *next)
{
	const char *why = NULL, *end = text + len;

	while (!why && text < end && *text)
		why = pax_record(&text, (uint64_t)(end - text), all, next);
	return why;
}
