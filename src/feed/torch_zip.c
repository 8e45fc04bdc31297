/* SPDX-License-Identifier: MIT */
#include "feed/torch_zip.h"

#include <endian.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "feed/safetensors_names.h"
#include "feed/utf8.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

enum { END = 22, END64 = 56, LOCATOR = 20, CENTRAL = 46, LOCAL = 30 };
enum { FLAG_ENCRYPTED = 1, FLAG_SIZES_BEHIND = 8, FLAG_STRONG = 64, FLAG_MASKED = 8192 };

struct reader {
	pit_zip_read_fn read;
	void *arg;
	uint64_t size;
	uint64_t count, at, bytes; /* of the directory */
	uint64_t *headers;         /* offset of each file's own header */
	struct pit_error *err;
};

static uint16_t u16(const uint8_t *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof(n));
	return le16toh(n);
}

static uint32_t u32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return le32toh(n);
}

static uint64_t u64(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return le64toh(n);
}

void pit_zip_free(struct pit_zip *z)
{
	free(z->entries);
	free(z->names);
	free(z->sorted);
	*z = (struct pit_zip){0};
}

/* ---- the end of the archive ---- */

/* Each number of the old record is that of the new one, or says that it does not fit. */
static bool agree(const uint8_t *end, const uint8_t *end64)
{
	return (u16(end + 10) == UINT16_MAX || u16(end + 10) == u64(end64 + 32)) &&
	       (u32(end + 12) == UINT32_MAX || u32(end + 12) == u64(end64 + 40)) &&
	       (u32(end + 16) == UINT32_MAX || u32(end + 16) == u64(end64 + 48));
}

static int read_end64(struct reader *r, const uint8_t *end, uint64_t at, uint64_t locator)
{
	uint8_t b[END64];
	int rc;

	if (at > locator || locator - at != END64)
		return pit_fail(r->err, EBADMSG, "the zip64 record of the end does not lie before its locator");
	rc = r->read(r->arg, at, b, sizeof(b), r->err);
	if (rc)
		return rc;
	if (u32(b) != 0x06064b50 || u64(b + 4) != END64 - 12 || u64(b + 24) != u64(b + 32) || !agree(end, b))
		return pit_fail(r->err, EBADMSG, "the zip64 record of the end is damaged");
	if (u32(b + 16) || u32(b + 20))
		return pit_fail(r->err, ENOTSUP, "a zip archive in several parts");
	r->count = u64(b + 32);
	r->bytes = u64(b + 40);
	r->at = u64(b + 48);
	return r->at <= at && at - r->at == r->bytes
		       ? 0
		       : pit_fail(r->err, EBADMSG, "the directory does not end where the zip64 record begins");
}

static int read_end(struct reader *r)
{
	uint8_t b[LOCATOR + END] = {0};
	size_t len = r->size < sizeof(b) ? (size_t)r->size : sizeof(b);
	const uint8_t *locator = b, *end = b + LOCATOR;
	int rc;

	if (len < END)
		return pit_fail(r->err, EBADMSG, "%" PRIu64 " bytes are too few for a zip archive", r->size);
	rc = r->read(r->arg, r->size - len, b + sizeof(b) - len, len, r->err);
	if (rc)
		return rc;
	if (u32(end) != 0x06054b50 || u16(end + 20))
		return pit_fail(r->err, EBADMSG,
				"the end record of a zip archive is missing: it was cut, or something "
				"follows");
	if (u32(locator) == 0x07064b50)
		return u32(locator + 4) || u32(locator + 16) != 1
			       ? pit_fail(r->err, ENOTSUP, "a zip archive in several parts")
			       : read_end64(r, end, u64(locator + 8), r->size - sizeof(b));
	if (u16(end + 4) || u16(end + 6) || u16(end + 8) != u16(end + 10))
		return pit_fail(r->err, ENOTSUP, "a zip archive in several parts");
	r->count = u16(end + 10);
	r->bytes = u32(end + 12);
	r->at = u32(end + 16);
	return r->at + r->bytes == r->size - END
		       ? 0
		       : pit_fail(r->err, EBADMSG, "the directory does not end where the end record begins");
}

/* ---- the directory ---- */

/* The next 8 bytes of the zip64 field when `*n` does not fit its old place. */
static bool take64(const uint8_t **p, const uint8_t *end, uint64_t *n)
{
	if (*n != UINT32_MAX)
		return true;
	if (end - *p < 8)
		return false;
	*n = u64(*p);
	*p += 8;
	return true;
}

/* Sizes and offset that do not fit 32 bits stand in an extra field. */
static bool read_extra(const uint8_t *p, size_t len, uint64_t *bytes, uint64_t *packed, uint64_t *header)
{
	bool seen = false;

	while (len >= 4) {
		size_t n = u16(p + 2);
		const uint8_t *field = p + 4, *end = field + n;

		if (n > len - 4)
			return false;
		if (u16(p) == 1) {
			if (seen || !take64(&field, end, bytes) || !take64(&field, end, packed) ||
			    !take64(&field, end, header))
				return false;
			seen = true;
		}
		p = end;
		len -= 4 + n;
	}
	return !len && (seen || (*bytes != UINT32_MAX && *packed != UINT32_MAX && *header != UINT32_MAX));
}

static int check_kind(const struct reader *r, const uint8_t *p, const char *name)
{
	if (u16(p + 8) & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED))
		return pit_fail(r->err, ENOTSUP, "'%s' in it is encrypted", SHOW(name));
	if (u16(p + 34))
		return pit_fail(r->err, ENOTSUP, "a zip archive in several parts");
	return 0;
}

/* One row, of which `left` bytes are there; gives its length. */
static int64_t read_row(struct reader *r, const uint8_t *p, uint64_t left, char *name, struct pit_zip_entry *e,
			uint64_t *header)
{
	size_t name_len, extra;
	uint64_t plain, len;
	int rc;

	if (left < CENTRAL || u32(p) != 0x02014b50)
		return pit_fail(r->err, EBADMSG, "the directory of the archive is damaged");
	name_len = u16(p + 28);
	extra = u16(p + 30);
	len = CENTRAL + name_len + extra + u16(p + 32);
	if (len > left || !name_len || memchr(p + CENTRAL, '\0', name_len) ||
	    pit_utf8_valid((const char *)p + CENTRAL, name_len) != name_len)
		return pit_fail(r->err, EBADMSG, "the directory of the archive has a damaged name");
	memcpy(name, p + CENTRAL, name_len);
	name[name_len] = '\0';
	*e = (struct pit_zip_entry){.name = name, .crc = u32(p + 16), .packed = u16(p + 10) != 0};
	e->bytes = u32(p + 20);
	plain = u32(p + 24);
	*header = u32(p + 42);
	rc = check_kind(r, p, name);
	if (rc)
		return rc;
	if (!read_extra(p + CENTRAL + name_len, extra, &plain, &e->bytes, header) || (!e->packed && plain != e->bytes))
		return pit_fail(r->err, EBADMSG, "the sizes of '%s' in it are damaged", SHOW(name));
	return (int64_t)len;
}

static int read_rows(struct reader *r, const uint8_t *rows, struct pit_zip *z)
{
	const uint8_t *p = rows;
	char *name = z->names;

	for (size_t i = 0; i < r->count; i++) {
		int64_t len = read_row(r, p, r->bytes - (uint64_t)(p - rows), name, &z->entries[i], &r->headers[i]);

		if (len < 0)
			return (int)len;
		p += len;
		name += strlen(name) + 1;
		z->count++;
	}
	return (uint64_t)(p - rows) == r->bytes
		       ? 0
		       : pit_fail(r->err, EBADMSG, "the directory of the archive has more than it counts");
}

/* ---- files ---- */

static int read_file(const struct reader *r, struct pit_zip_entry *e, uint64_t header)
{
	size_t name_len = strlen(e->name);
	pit_auto_free uint8_t *b = malloc(LOCAL + name_len);
	int rc;

	if (!b)
		return pit_fail(r->err, ENOMEM, "out of memory");
	if (header > r->at || r->at - header < LOCAL + name_len)
		return pit_fail(r->err, EBADMSG, "'%s' in it lies outside of the archive", SHOW(e->name));
	rc = r->read(r->arg, header, b, LOCAL + name_len, r->err);
	if (rc)
		return rc;
	if (u32(b) != 0x04034b50 || u16(b + 26) != name_len || memcmp(b + LOCAL, e->name, name_len) != 0 ||
	    (u16(b + 8) != 0) != e->packed)
		return pit_fail(r->err, EBADMSG, "the header of '%s' in it is not what the directory says",
				SHOW(e->name));
	if (!(u16(b + 6) & FLAG_SIZES_BEHIND) && u32(b + 18) != UINT32_MAX && u32(b + 18) != e->bytes)
		return pit_fail(r->err, EBADMSG, "the size of '%s' in it is not what the directory says",
				SHOW(e->name));
	e->offset = header + LOCAL + name_len + u16(b + 28);
	if (e->offset > r->at || r->at - e->offset < e->bytes)
		return pit_fail(r->err, EBADMSG, "'%s' in it lies outside of the archive", SHOW(e->name));
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct pit_zip_entry *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static int check_names(const struct reader *r, struct pit_zip *z)
{
	const struct pit_name *twice;

	z->sorted = reallocarray(NULL, z->count + 1, sizeof(*z->sorted));
	if (!z->sorted)
		return pit_fail(r->err, ENOMEM, "out of memory");
	for (size_t i = 0; i < z->count; i++)
		pit_name_set(&z->sorted[i], z->entries[i].name, i);
	pit_names_sort(z->sorted, z->count);
	twice = pit_names_twice(z->sorted, z->count);
	return twice ? pit_fail(r->err, EBADMSG, "'%s' is in it twice", SHOW(twice->name)) : 0;
}

static int read_files(const struct reader *r, struct pit_zip *z)
{
	int rc = 0;

	for (size_t i = 0; i < z->count && !rc; i++)
		rc = read_file(r, &z->entries[i], r->headers[i]);
	if (rc)
		return rc;
	qsort(z->entries, z->count, sizeof(*z->entries), by_offset);
	for (size_t i = 1; i < z->count; i++) {
		const struct pit_zip_entry *e = &z->entries[i], *before = e - 1;

		if (before->offset + before->bytes + LOCAL + strlen(e->name) > e->offset)
			return pit_fail(r->err, EBADMSG, "'%s' and '%s' in it overlap", SHOW(before->name),
					SHOW(e->name));
	}
	return check_names(r, z);
}

static int read_directory(struct reader *r, struct pit_zip *z)
{
	pit_auto_free uint8_t *rows = NULL;
	int rc;

	if (r->bytes > PIT_ZIP_DIRECTORY_MAX || r->count > r->bytes / CENTRAL)
		return pit_fail(r->err, EBADMSG, "the directory of the archive counts what cannot be in it");
	rows = malloc(r->bytes + 1);
	r->headers = reallocarray(NULL, r->count + 1, sizeof(*r->headers));
	z->entries = reallocarray(NULL, r->count + 1, sizeof(*z->entries));
	z->names = malloc(r->bytes + 1); /* a row has more bytes than its name and a NUL */
	if (!rows || !r->headers || !z->entries || !z->names)
		return pit_fail(r->err, ENOMEM, "no memory for a directory of %" PRIu64 " files", r->count);
	rc = r->read(r->arg, r->at, rows, r->bytes, r->err);
	if (!rc)
		rc = read_rows(r, rows, z);
	return rc ? rc : read_files(r, z);
}

int pit_zip_open(pit_zip_read_fn read, void *arg, uint64_t size, struct pit_zip *ret, struct pit_error *err)
{
	struct reader r = {.read = read, .arg = arg, .size = size, .err = err};
	struct pit_zip z = {.count = 0};
	int rc = read_end(&r);

	if (!rc)
		rc = read_directory(&r, &z);
	free(r.headers);
	if (rc)
		pit_zip_free(&z);
	else
		*ret = z;
	return rc;
}

const struct pit_zip_entry *pit_zip_find(const struct pit_zip *z, const char *name)
{
	const struct pit_name *found = pit_names_find(z->sorted, z->count, name);

	return found ? &z->entries[found->number] : NULL;
}

struct crc_table {
	uint32_t of[8][256];
};

static void make_table(struct crc_table *t)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? (c >> 1) ^ 0xedb88320U : c >> 1;
		t->of[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			t->of[k][i] = (t->of[k - 1][i] >> 8) ^ t->of[0][t->of[k - 1][i] & 255];
}

uint32_t pit_zip_crc(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	struct crc_table t;

	make_table(&t);
	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t n = u64(p) ^ crc;

		crc = 0;
		for (int k = 0; k < 8; k++)
			crc ^= t.of[7 - k][(n >> (8 * k)) & 255];
	}
	for (; len; len--, p++)
		crc = (crc >> 8) ^ t.of[0][(crc ^ *p) & 255];
	return ~crc;
}
