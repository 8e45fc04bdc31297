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
		bool whole; /* all of the file */
		uint64_t offset, len, sum;
	} * ranges;
	size_t count, room;
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

static int add_line(struct lines *l, const char *manifest, const struct pit_manifest_line *line)
{
	struct range *ranges = pit_source_room(l->ranges, l->count, &l->room, sizeof(*ranges));
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT;
	struct range r = {.whole = !line->has_range};

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
	char name[200];
	int rc = pit_shard_index_read(manifests->dir, path, SIZE_MAX, &text);

	if (rc)
		return pit_fail(err, -rc, "%s: %s", pit_utf8_show(path, name, sizeof(name)), strerror(-rc));
	lines = (struct pit_manifest_lines){.at = text.data, .end = text.data + text.len};
	while (!rc && pit_manifest_lines_next(&lines, &line, &why))
		if (add_line(l, path, &line))
			rc = pit_fail(err, ENOMEM, "out of memory");
	if (why)
		rc = pit_fail(err, EINVAL, "%s: line %" PRIu64 ": %s", pit_utf8_show(path, name, sizeof(name)),
			      lines.number, why);
	return rc;
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

/* Checks ranges against their files; those that `extra` was told of go. Tells whether sample i is all of file i. */
static int check_ranges(struct lines *l, const struct pit_source_extra *extra, bool *ret_whole, struct pit_error *err)
{
	bool whole = l->count == l->list.names.count;
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct range *r = &l->ranges[i];
		const char *file = pit_names_get(&l->list.names, r->file);
		struct pit_error why = PIT_ERROR_INIT;
		char name[200];
		int rc = l->list.size[r->file] == PIT_FILE_MISSING ? -ENOENT : check_range(l, r, &why);

		if (!rc) {
			whole = whole && r->file == i && !r->offset && r->len == l->list.size[i];
			l->ranges[kept++] = *r;
			continue;
		}
		whole = false;
		if (rc != -ENOENT && !pit_source_tell(extra, rc, file, &why))
			return pit_fail(err, -rc, "%s: %s", pit_utf8_show(file, name, sizeof(name)), why.text);
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

/* The listed files take the place of the manifests. */
int pit_source_fill_manifest(struct pit_source *s, const struct pit_source_want *want,
			     const struct pit_source_extra *extra, struct pit_error *err)
{
	struct lines l = {.list = {.dir = -1}};
	bool whole = false;
	int rc = 0;

	for (size_t i = 0; i < s->files.names.count && !rc; i++)
		rc = read_manifest(&l, &s->files, i, err);
	l.list.dir = pit_take_fd(&s->files.dir);
	if (!rc)
		rc = pit_file_list_measure(&l.list, true, extra, err);
	if (!rc)
		rc = check_ranges(&l, extra, &whole, err);
	pit_file_list_free(&s->files);
	s->files = l.list;
	if (!rc)
		rc = add_samples(s, &l, whole, err);
	pit_strmap_free(&l.files, NULL);
	free(l.ranges);
	return rc;
}
