/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "feed/source_body.h"

struct pit_source *pit_source_ref(struct pit_source *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void pit_source_close(struct pit_source *s)
{
	int saved = errno;

	if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	pit_file_list_free(&s->files);
	pit_names_free(&s->keys);
	pit_strmap_free(&s->key_map, NULL);
	pit_names_free(&s->names);
	free(s->sums);
	free(s->parts);
	free(s->first);
	free(s->shards);
	free(s->columns);
	free(s);
	errno = saved;
}

/* What to do with the files of each kind, once they are listed. */
static pit_source_fill *const fills[] = {
	[PIT_SOURCE_FILES] = pit_source_fill_files,
	[PIT_SOURCE_MANIFEST] = pit_source_fill_manifest,
	[PIT_SOURCE_TAR] = pit_source_fill_tar,
	[PIT_SOURCE_RECORDS] = pit_source_fill_records,
	[PIT_SOURCE_SAFETENSORS] = pit_source_fill_safetensors,
};

static int fill(struct pit_source *s, const struct pit_source_want *want, const struct pit_source_extra *extra,
		struct pit_error *err)
{
	int rc = pit_source_list(want, extra, &s->kind, &s->files, err);

	if (!rc)
		rc = fills[s->kind](s, want, extra, err);
	if (!rc && !s->count)
		rc = pit_fail(err, ENOENT, "no samples in %s%s", want->paths[0], want->path_count > 1 ? " ..." : "");
	return rc ? rc : pit_source_finish(s, err);
}

int pit_source_open(const struct pit_source_want *want, struct pit_source **ret, struct pit_error *err)
{
	const struct pit_source_extra none = {0};

	return pit_source_open_with(want, &none, ret, err);
}

int pit_source_open_with(const struct pit_source_want *want, const struct pit_source_extra *extra,
			 struct pit_source **ret, struct pit_error *err)
{
	struct pit_source *s;
	int rc;

	if (want->size != sizeof(*want))
		return pit_fail(err, EINVAL, "struct pit_source_want: size %zu, not %zu", want->size, sizeof(*want));
	if ((unsigned)want->kind >= PIT_COUNT(fills))
		return pit_fail(err, EINVAL, "no such kind of source: %d", (int)want->kind);
	if (!want->path_count)
		return pit_fail(err, EINVAL, "no path of a source");
	s = calloc(1, sizeof(*s));
	if (!s)
		return pit_fail(err, ENOMEM, "out of memory");
	atomic_init(&s->refs, 1);
	s->kind = want->kind;
	s->files.dir = -1;
	rc = fill(s, want, extra, err);
	if (rc) {
		pit_source_close(s);
		return rc;
	}
	*ret = s;
	return 0;
}

uint64_t pit_source_count(const struct pit_source *s)
{
	return s->count;
}

uint64_t pit_source_bytes(const struct pit_source *s)
{
	return s->bytes;
}

uint64_t pit_source_fingerprint(const struct pit_source *s)
{
	return s->fingerprint;
}

uint64_t pit_source_version(const struct pit_source *s)
{
	return s->fingerprint + s->files.times;
}

enum pit_source_kind pit_source_kind_of(const struct pit_source *s)
{
	return s->kind;
}

const struct pit_shard_index_report *pit_source_index(const struct pit_source *s)
{
	return &s->index;
}

const char *pit_source_name(const struct pit_source *s, uint64_t sample)
{
	if (sample >= s->count)
		return NULL;
	if (s->form == PIT_FORM_WHOLE)
		return pit_names_get(&s->files.names, sample);
	return s->form == PIT_FORM_PARTS ? pit_names_get(&s->names, sample) : "";
}

static const struct pit_source_shard *shard_of(const struct pit_source *s, uint64_t sample)
{
	size_t low = 0, high = s->shard_count;

	while (high - low > 1) { /* the last shard that begins at the sample or before */
		size_t middle = low + (high - low) / 2;

		if (s->shards[middle].first <= sample)
			low = middle;
		else
			high = middle;
	}
	return &s->shards[low];
}

unsigned pit_source_parts(const struct pit_source *s, uint64_t sample)
{
	if (s->form == PIT_FORM_WHOLE)
		return 1;
	if (s->form == PIT_FORM_ROWS)
		return shard_of(s, sample)->columns;
	return (unsigned)(s->first[sample + 1] - s->first[sample]);
}

static void row_extent(const struct pit_source *s, uint64_t sample, unsigned part, struct pit_extent *ret)
{
	const struct pit_source_shard *shard = shard_of(s, sample);
	const struct pit_source_column *c = &s->columns[shard->column + part];

	*ret = (struct pit_extent){.file = c->file,
				   .key = c->key,
				   .offset = c->offset + (sample - shard->first) * c->stride,
				   .len = c->stride};
}

void pit_source_extent(const struct pit_source *s, uint64_t sample, unsigned part, struct pit_extent *ret)
{
	uint64_t n = sample;

	if (s->form == PIT_FORM_ROWS) {
		row_extent(s, sample, part, ret);
		return;
	}
	if (s->form == PIT_FORM_WHOLE) {
		*ret = (struct pit_extent){.file = (uint32_t)sample, .len = s->files.size[sample]};
	} else {
		const struct pit_source_part *p = &s->parts[n = s->first[sample] + part];

		*ret = (struct pit_extent){.file = p->file, .key = p->key, .offset = p->offset, .len = p->len};
	}
	if (n < s->sum_room) {
		ret->sum = s->sums[n];
		ret->has_sum = s->sums[n] != 0;
	}
}

uint32_t pit_source_files(const struct pit_source *s)
{
	return (uint32_t)s->files.names.count;
}

const char *pit_source_show(const struct pit_source *s, uint32_t file, char *out, size_t size)
{
	return pit_file_list_show(&s->files, file, out, size);
}

const char *pit_source_file(const struct pit_source *s, uint32_t file)
{
	return pit_names_get(&s->files.names, file);
}

int pit_source_dir(const struct pit_source *s)
{
	return s->files.dir;
}

bool pit_source_whole(const struct pit_source *s)
{
	return s->form == PIT_FORM_WHOLE;
}

const char *pit_source_key(const struct pit_source *s, uint32_t key)
{
	return pit_names_get(&s->keys, key);
}
