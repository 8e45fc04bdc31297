/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/path.h"
#include "feed/index.h"
#include "feed/manifest_lines.h"
#include "feed/source_walk.h"
#include "feed/utf8.h"

/* What the lines say, before the files have been looked at. */
struct lines {
	struct range {
		uint32_t file;
		unsigned whole : 1, /* all of the file */
			line : 31;  /* that it stands in; the largest stands for itself and all behind it */
		uint64_t offset, len, sum;
	} * ranges;
	size_t count, room;
	const struct pit_file_list *manifests;
	size_t *ends;            /* of each manifest: how many ranges it and those before it have */
	struct pit_strmap files; /* name to number + 1 */
	struct pit_file_list list;
};

static int add_file(struct lines *l, const char *name, uint32_t *ret)
{
	uintptr_t known = (uintptr_t)pit_strmap_get(&l->files, name);

	if (!known) {
		if (l->list.names.count == UINT32_MAX || pit_names_add(&l->list.names, name, strlen(name)))
			return -ENOMEM;
		known = l->list.names.count;
		if (pit_strmap_put(&l->files, name, (void *)known))
			return -ENOMEM;
	}
	*ret = (uint32_t)(known - 1);
	return 0;
}

#define LINE_MAX ((1u << 31) - 1)

static int add_line(struct lines *l, const char *manifest, uint64_t number, const struct pit_manifest_line *line)
{
	struct range *ranges = pit_source_room(l->ranges, l->count, &l->room, sizeof(*ranges));
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT;
	struct range r = {.whole = !line->has_range, .line = number < LINE_MAX ? (unsigned)number : LINE_MAX};

	if (!ranges)
		return -ENOMEM;
	l->ranges = ranges;
	if (*line->path != '/')
		pit_buf_add(&name, manifest, (size_t)(pit_base_name(manifest) - manifest));
	pit_buf_add(&name, line->path, line->path_len);
	if (name.failed || add_file(l, name.data, &r.file))
		return -ENOMEM;
	if (line->has_range) {
		r.offset = line->offset;
		r.len = line->len;
		r.sum = line->sum;
	}
	l->ranges[l->count++] = r;
	return 0;
}

static int read_manifest(struct lines *l, const struct pit_file_list *manifests, size_t i, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	const char *path = pit_names_get(&manifests->names, i), *why = NULL;
	struct pit_manifest_line line;
	struct pit_manifest_lines lines;
	char name[300];
	int rc = pit_shard_index_read(manifests->dir, path, SIZE_MAX, &text);

	if (rc)
		return pit_fail(err, -rc, "%s: %s", pit_file_list_show(manifests, i, name, sizeof(name)),
				strerror(-rc));
	lines = (struct pit_manifest_lines){.at = text.data, .end = text.data + text.len};
	while (!rc && pit_manifest_lines_next(&lines, &line, &why))
		if (add_line(l, path, lines.number, &line))
			rc = pit_fail(err, ENOMEM, "out of memory");
	if (why)
		rc = pit_fail(err, EINVAL, "%s: line %" PRIu64 ": %s",
			      pit_file_list_show(manifests, i, name, sizeof(name)), lines.number, why);
	l->ends[i] = l->count;
	return rc;
}

static void put_place(const struct lines *l, size_t range, struct pit_buf *out)
{
	char name[300];
	size_t i = 0;

	while (l->ends[i] <= range)
		i++;
	pit_buf_printf(out, "%s: line %u: ", pit_file_list_show(l->manifests, i, name, sizeof(name)),
		       (unsigned)l->ranges[range].line);
}

/* The first range of file i; each file before it has one before that. */
static void place(const void *arg, size_t i, struct pit_buf *out)
{
	const struct lines *l = arg;
	size_t range = i;

	while (range < l->count && l->ranges[range].file != i)
		range++;
	if (range < l->count)
		put_place(l, range, out);
}

static int check_range(const struct lines *l, struct range *r, struct pit_error *err)
{
	uint64_t size = l->list.size[r->file];

	if (r->whole)
		r->len = size;
	if (r->offset <= size && r->len <= size - r->offset)
		return 0;
	return pit_fail(err, EINVAL, "a sample of %" PRIu64 " bytes at %" PRIu64 ", but the file has %" PRIu64, r->len,
			r->offset, size);
}

struct at { /* this line, not the first one of its file */
	const struct lines *lines;
	size_t range;
};

static void place_range(const void *arg, size_t i, struct pit_buf *out)
{
	const struct at *at = arg;

	put_place(at->lines, at->range, out);
}

/* Tells `extra` of a range that does not fit; false when that is an error, which names file and line then. */
static bool tell_range(const struct lines *l, size_t range, int rc, const struct pit_source_extra *extra,
		       struct pit_error *why)
{
	const struct at at = {.lines = l, .range = range};
	struct pit_file_list files = l->list;
	uint32_t file = l->ranges[range].file;
	char name[300];

	files.place = place_range;
	files.place_arg = &at;
	if (pit_source_tell(extra, rc, &files, file, why))
		return true;
	pit_wrap(why, rc, "%s", pit_file_list_show(&files, file, name, sizeof(name)));
	return false;
}

/* Checks ranges against their files; those that `extra` was told of go. Tells whether sample i is all of file i. */
static int check_ranges(struct lines *l, const struct pit_source_extra *extra, bool *ret_whole, struct pit_error *err)
{
	bool whole = l->count == l->list.names.count;
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct range *r = &l->ranges[i];
		struct pit_error why = PIT_ERROR_INIT;
		int rc = l->list.size[r->file] == PIT_FILE_MISSING ? -ENOENT : check_range(l, r, &why);

		if (!rc) {
			whole = whole && r->file == i && !r->offset && r->len == l->list.size[i];
			l->ranges[kept++] = *r;
			continue;
		}
		whole = false;
		if (rc != -ENOENT && !tell_range(l, i, rc, extra, &why))
			return pit_fail(err, -rc, "%s", why.text);
	}
	l->count = kept;
	*ret_whole = whole;
	return 0;
}

static int add_sample(struct pit_source *s, const struct range *r)
{
	const struct pit_source_part p = {.file = r->file, .offset = r->offset, .len = r->len};
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT;

	pit_buf_puts(&name, pit_source_file(s, r->file));
	if (r->offset || r->len != s->files.size[r->file])
		pit_buf_printf(&name, "@%" PRIu64, r->offset);
	if (name.failed || pit_source_add_sample(s, name.data, name.len))
		return -ENOMEM;
	return pit_source_add_part(s, &p, r->sum);
}

static int add_samples(struct pit_source *s, const struct lines *l, bool whole, struct pit_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < l->count && !rc; i++)
		rc = whole ? pit_source_set_sum(s, i, l->ranges[i].sum) : add_sample(s, &l->ranges[i]);
	if (whole) {
		s->form = PIT_FORM_WHOLE;
		s->count = l->count;
	}
	return rc ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static int read_lines(struct lines *l, const struct pit_source_extra *extra, bool *ret_whole, struct pit_error *err)
{
	int rc = l->ends ? 0 : pit_fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; i < l->manifests->names.count && !rc; i++)
		rc = read_manifest(l, l->manifests, i, err);
	if (rc)
		return rc;
	l->list.dir = l->manifests->dir; /* shared for now */
	l->list.top = l->manifests->top;
	l->list.place = place;
	l->list.place_arg = l;
	rc = pit_file_list_measure(&l->list, true, extra, err);
	return rc ? rc : check_ranges(l, extra, ret_whole, err);
}

/* The listed files take the place of the manifests. */
int pit_source_fill_manifest(struct pit_source *s, const struct pit_source_want *want,
			     const struct pit_source_extra *extra, struct pit_error *err)
{
	struct lines l = {.list = {.dir = -1}, .manifests = &s->files};
	bool whole = false;
	int rc;

	l.ends = calloc(s->files.names.count + 1, sizeof(*l.ends));
	rc = read_lines(&l, extra, &whole, err);
	l.list.dir = pit_take_fd(&s->files.dir);
	l.list.top = pit_take(s->files.top);
	l.list.place = NULL;
	pit_file_list_free(&s->files);
	s->files = l.list;
	if (!rc)
		rc = add_samples(s, &l, whole, err);
	pit_strmap_free(&l.files, NULL);
	free(l.ranges);
	free(l.ends);
	return rc;
}
