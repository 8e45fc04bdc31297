/* SPDX-License-Identifier: MIT */
#include "host/record.h"

#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/strmap.h"
#include "host/answer.h"
#include "host/archive.h"
#include "host/redact.h"

struct recorder {
	struct pit_archive *archive;
	struct pit_strmap written; /* member names */
	struct pit_buf missing;
	struct pit_record_summary done;
	uint64_t seed;
	bool raw;
	struct pit_error *err;
};

static bool is_new(struct recorder *r, const char *name)
{
	if (pit_strmap_get(&r->written, name))
		return false;
	return !pit_strmap_put(&r->written, name, r);
}

static int put_link(struct recorder *r, const char *path, const char *target)
{
	if (!is_new(r, path))
		return 0;
	r->done.files++;
	return pit_archive_link(r->archive, path + 1, target, r->err);
}

/* Puts `target` (absolute, or relative to the directory `prefix` ends in) in place of what `prefix` holds. */
static void follow(struct pit_buf *prefix, const char *target)
{
	char *slash = strrchr(prefix->data, '/');

	prefix->len = *target == '/' || !slash ? 0 : (size_t)(slash - prefix->data);
	if (prefix->size)
		prefix->data[prefix->len] = '\0';
	if (*target != '/')
		pit_buf_putc(prefix, '/');
	pit_buf_puts(prefix, target);
}

/* The path without ".", ".." and doubled slashes. */
static void tidy(const char *path, struct pit_buf *out)
{
	pit_auto_strv struct pit_strv parts = {0};
	size_t n = 0;

	pit_strv_split(&parts, path, "/");
	for (size_t i = 0; i < parts.count; i++) {
		char *part = parts.item[i];

		if (!strcmp(part, ".."))
			n -= n > 0;
		else if (strcmp(part, ".") != 0)
			parts.item[i] = parts.item[n], parts.item[n++] = part;
	}
	for (size_t i = 0; i < n; i++)
		pit_buf_printf(out, "/%s", parts.item[i]);
}

/* The length of the part of `path` up to its first link that is not the last component (or 0), with its target. */
static size_t first_link(const char *path, bool last_too, char *target, size_t size)
{
	char part[4096];

	for (const char *end = strchr(path + 1, '/');; end = end ? strchr(end + 1, '/') : NULL) {
		size_t len = end ? (size_t)(end - path) : strlen(path);
		ssize_t n;

		if ((!end && !last_too) || len >= sizeof(part))
			return 0;
		memcpy(part, path, len);
		part[len] = '\0';
		n = readlink(part, target, size - 1);
		if (n > 0) {
			target[n] = '\0';
			return len;
		}
		if (!end)
			return 0;
	}
}

/* Records the links on the way to `path` and leaves in `ret` where they lead: the member that is no link itself. */
static int resolve(struct recorder *r, const char *path, bool last_too, struct pit_buf *ret)
{
	char target[4096];

	tidy(path, ret);
	for (int links = 0; links < 40; links++) {
		pit_auto_buf struct pit_buf whole = PIT_BUF_INIT, prefix = PIT_BUF_INIT;
		size_t len = first_link(ret->data, last_too, target, sizeof(target));
		int rc;

		if (!len)
			return 0;
		pit_buf_add(&prefix, ret->data, len);
		rc = put_link(r, prefix.data, target);
		if (rc)
			return rc;
		follow(&prefix, target);
		pit_buf_printf(&whole, "%s%s", prefix.data, ret->data + len);
		pit_buf_clear(ret);
		tidy(whole.data, ret);
	}
	return 0;
}

static int put_bytes(struct recorder *r, const char *name, const char *path, const struct pit_text *text)
{
	pit_auto_buf struct pit_buf clean = PIT_BUF_INIT;

	if (!is_new(r, name))
		return 0;
	if (r->raw)
		pit_buf_add(&clean, text->data, text->len);
	else
		pit_redact(path, text->data, text->len, r->seed, &clean);
	if (clean.failed)
		return pit_fail(r->err, ENOMEM, "out of memory");
	r->done.files++;
	r->done.bytes += clean.len;
	return pit_archive_file(r->archive, name + (*name == '/'), clean.data, clean.len, r->err);
}

static int put_answer(const char *kind, const char *path, int answer_rc, const struct pit_text *text, void *arg)
{
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT;
	struct recorder *r = arg;
	int rc;

	if (answer_rc) {
		r->done.missing++;
		pit_buf_printf(&r->missing, "%d %s %s\n", -answer_rc, kind, path);
		return 0;
	}
	if (!strcmp(kind, pit_kind_names[PIT_KIND_FILE])) {
		rc = resolve(r, path, true, &name);
		return rc ? rc : put_bytes(r, name.data, path, text);
	}
	if (!strcmp(kind, pit_kind_names[PIT_KIND_LINK])) {
		rc = resolve(r, path, false, &name);
		return rc ? rc : put_link(r, name.data, text->data);
	}
	for (int k = 0; k < PIT_KINDS; k++)
		if (!strcmp(kind, pit_kind_names[k]))
			pit_recording_name((enum pit_kind)k, path, &name);
	return put_bytes(r, name.data, path, text);
}

static int put_all(struct recorder *r, struct pit_root *root)
{
	static const char format[] = "1\npitcrew " PITCREW_VERSION "\n";
	int rc = pit_archive_file(r->archive, ".pitcrew/format", format, sizeof(format) - 1, r->err);

	if (!rc)
		rc = pit_root_each(root, put_answer, r);
	if (!rc)
		rc = pit_archive_file(r->archive, ".pitcrew/missing", r->missing.data, r->missing.len, r->err);
	return rc;
}

int pit_record(struct pit_root *root, const char *path, bool raw, struct pit_record_summary *ret, struct pit_error *err)
{
	struct recorder r = {.missing = PIT_BUF_INIT, .raw = raw, .err = err};
	int rc;

	if (!pit_root_is_live(root))
		return pit_fail(err, EINVAL, "%s is a recording already", pit_root_name(root));
	if (getrandom(&r.seed, sizeof(r.seed), 0) != sizeof(r.seed))
		return pit_fail(err, EIO, "no random bytes to be had");
	rc = pit_archive_create(path, &r.archive, err);
	if (rc)
		return rc;
	rc = put_all(&r, root);
	if (rc)
		pit_archive_abandon(r.archive);
	else
		rc = pit_archive_finish(r.archive, err);
	if (!rc)
		*ret = r.done;
	pit_strmap_free(&r.written, NULL);
	pit_buf_free(&r.missing);
	return rc;
}
