/* SPDX-License-Identifier: MIT
 *
 * Checksums in `__metadata__`: "pitcrew.xxh3.NAME" is the XXH3-64 of a tensor's data, "pitcrew.header" that of the 8
 * bytes of length and the JSON with these 16 digits as zeros. Both are 16 lower-case hexadecimal digits.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "feed/weights_file.h"

#define TENSOR "pitcrew.xxh3."
#define HEADER "pitcrew.header"
#define DIGITS 16

static bool parse_sum(const char *text, uint64_t *ret)
{
	uint64_t sum = 0;

	if (strlen(text) != DIGITS || strspn(text, "0123456789abcdef") != DIGITS)
		return false;
	for (; *text; text++)
		sum = sum << 4 | (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
	*ret = sum;
	return true;
}

static void tensor_sum(struct pit_weights *w, size_t file, const char *name, const char *value)
{
	const struct pit_name *n = pit_names_find(w->names, w->count, name);
	struct pit_weights_tensor *t = n ? &w->tensors[n->number] : NULL;

	if (t && t->file == file)
		t->has_sum = parse_sum(value, &t->sum) ? PIT_SUM_GIVEN : PIT_SUM_UNREADABLE;
}

void pit_weights_sums(struct pit_weights *w)
{
	for (size_t i = 0; i < w->file_count; i++) {
		struct pit_weights_file *f = &w->files[i];

		for (size_t k = 0; k < f->header.text_count; k++) {
			const struct pit_save_text *t = &f->header.texts[k];

			if (!strncmp(t->key, TENSOR, strlen(TENSOR)))
				tensor_sum(w, i, t->key + strlen(TENSOR), t->value);
			else if (!strcmp(t->key, HEADER))
				f->has_sum = parse_sum(t->value, &f->sum);
		}
	}
}

static bool any_sum(const struct pit_weights *w, size_t file)
{
	const struct pit_weights_file *f = &w->files[file];

	for (size_t k = 0; k < f->header.text_count; k++)
		if (!strncmp(f->header.texts[k].key, "pitcrew.", strlen("pitcrew.")))
			return true;
	return false;
}

int pit_weights_check_header(const struct pit_weights *w, size_t file, struct pit_error *err)
{
	static const char key[] = "\"" HEADER "\":\"";
	const struct pit_weights_file *f = &w->files[file];
	pit_auto_free char *bytes = NULL;
	size_t len = f->header.data;
	bool to_close = false;
	char *digits;
	int fd, rc;

	if (!f->has_sum && any_sum(w, file))
		return pit_fail(err, EBADMSG, "%s: the header has checksums of tensors and none of itself", f->path);
	if (!f->has_sum)
		return 0;
	bytes = malloc(len);
	if (!bytes)
		return pit_fail(err, ENOMEM, "%s: no memory for a header of %zu bytes", f->path, len);
	fd = pit_weights_file_fd(f, &to_close, err);
	if (fd < 0)
		return fd;
	rc = pit_weights_file_read(f, fd, 0, bytes, len, err);
	if (to_close)
		close(fd);
	if (rc)
		return rc;
	digits = memmem(bytes, len, key, strlen(key));
	if (digits && (size_t)(bytes + len - digits) >= strlen(key) + DIGITS)
		memset(digits + strlen(key), '0', DIGITS);
	if (digits && XXH3_64bits(bytes, len) == f->sum)
		return 0;
	return pit_fail(err, EBADMSG, "%s: the header differs from its checksum", f->path);
}
