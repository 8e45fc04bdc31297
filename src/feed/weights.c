/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "feed/utf8.h"
#include "feed/weights_file.h"

#define FILES_KEPT_OPEN 128 /* of the 1024 descriptors that a process usually may have */
#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

void pit_weights_close(struct pit_weights *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->file_count; i++)
		pit_weights_file_free(&w->files[i]);
	free(w->files);
	free(w->tensors);
	free(w->names);
	free(w);
}

static void cleanup_weights(struct pit_weights **w)
{
	pit_weights_close(*w);
}

static int load_files(struct pit_weights *w, const struct pit_strv *paths, struct pit_error *err)
{
	w->files = calloc(paths->count + 1, sizeof(*w->files));
	if (!w->files)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < paths->count; i++) {
		struct pit_weights_file *f = &w->files[w->file_count++];
		int rc = pit_weights_file_load(paths->item[i], f, err);

		if (rc)
			return rc;
		f->first = w->count;
		w->count += f->header.count;
		if (i >= FILES_KEPT_OPEN) {
			close(f->fd);
			f->fd = -1;
		}
	}
	return 0;
}

static int number_tensors(struct pit_weights *w, struct pit_error *err)
{
	w->tensors = calloc(w->count + 1, sizeof(*w->tensors));
	w->names = calloc(w->count + 1, sizeof(*w->names));
	if (!w->tensors || !w->names)
		return pit_fail(err, ENOMEM, "no memory for the names of %zu tensors", w->count);
	for (size_t i = 0; i < w->file_count; i++) {
		const struct pit_weights_file *f = &w->files[i];

		for (size_t k = 0; k < f->header.count; k++) {
			size_t n = f->first + k;

			w->tensors[n] = (struct pit_weights_tensor){
				.entry = &f->header.entries[k],
				.file = (uint32_t)i,
			};
			pit_name_set(&w->names[n], f->header.entries[k].tensor.name, n);
			w->bytes += f->header.entries[k].tensor.bytes;
		}
	}
	pit_names_sort(w->names, w->count);
	return 0;
}

static int check_twice(const struct pit_weights *w, struct pit_error *err)
{
	const struct pit_name *n = pit_names_twice(w->names, w->count);

	if (!n)
		return 0;
	return pit_fail(err, EINVAL, "tensor '%s' is in %s and in %s; what ranks have saved is opened file by file",
			SHOW(n->name), w->files[w->tensors[n[0].number].file].path,
			w->files[w->tensors[n[1].number].file].path);
}

/* An index that does not fit its shards, not a model that is not there. */
static int shard_missing(const char *path, struct pit_error *err)
{
	struct pit_error why = err ? *err : (struct pit_error)PIT_ERROR_INIT;

	return pit_fail(err, EINVAL, "%s: a shard is missing: %s", path, why.text);
}

int pit_weights_open(const char *path, struct pit_weights **ret, struct pit_error *err)
{
	PIT_CLEANUP(cleanup_weights) struct pit_weights *w = calloc(1, sizeof(*w));
	pit_auto_buf struct pit_buf index = PIT_BUF_INIT;
	pit_auto_strv struct pit_strv paths = {0};
	int rc;

	if (!w)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = pit_weights_list(path, &paths, &index, err);
	if (!rc)
		rc = load_files(w, &paths, err);
	if (rc == -ENOENT && index.len)
		rc = shard_missing(path, err);
	if (!rc)
		rc = number_tensors(w, err);
	if (!rc)
		rc = check_twice(w, err);
	if (!rc && index.len)
		rc = pit_wrap(err, pit_weights_check_index(w, &index, err), "%s", path);
	if (rc)
		return rc;
	pit_weights_sums(w);
	*ret = pit_take(w);
	return 0;
}

size_t pit_weights_count(const struct pit_weights *w)
{
	return w->count;
}

const struct pit_tensor *pit_weights_tensor(const struct pit_weights *w, size_t i)
{
	return i < w->count ? &w->tensors[i].entry->tensor : NULL;
}

int64_t pit_weights_find(const struct pit_weights *w, const char *name)
{
	const struct pit_name *n = pit_names_find(w->names, w->count, name);

	return n ? (int64_t)n->number : -ENOENT;
}

uint64_t pit_weights_bytes(const struct pit_weights *w)
{
	return w->bytes;
}

size_t pit_weights_files(const struct pit_weights *w)
{
	return w->file_count;
}

const char *pit_weights_file(const struct pit_weights *w, size_t file)
{
	return file < w->file_count ? w->files[file].path : NULL;
}

size_t pit_weights_file_of(const struct pit_weights *w, size_t i)
{
	return i < w->count ? w->tensors[i].file : w->file_count;
}

uint64_t pit_weights_offset(const struct pit_weights *w, size_t i)
{
	return i < w->count ? w->files[w->tensors[i].file].header.data + w->tensors[i].entry->begin : 0;
}

int pit_weights_metadata(const struct pit_weights *w, size_t file, size_t n, const char **ret_key,
			 const char **ret_value)
{
	if (file >= w->file_count || n >= w->files[file].header.text_count)
		return -ENOENT;
	*ret_key = w->files[file].header.texts[n].key;
	*ret_value = w->files[file].header.texts[n].value;
	return 0;
}

const char *pit_weights_metadata_of(const struct pit_weights *w, size_t file, const char *key)
{
	const char *name, *value;

	for (size_t n = 0; !pit_weights_metadata(w, file, n, &name, &value); n++)
		if (!strcmp(name, key))
			return value;
	return NULL;
}

int pit_weights_read(struct pit_weights *w, size_t i, uint64_t from, void *data, uint64_t len, struct pit_error *err)
{
	const struct pit_tensor *t = pit_weights_tensor(w, i);
	const struct pit_weights_file *f;
	bool to_close = false;
	int fd, rc;

	if (!t)
		return pit_fail(err, EINVAL, "there is no tensor %zu: there are %zu", i, w->count);
	if (from > t->bytes || len > t->bytes - from)
		return pit_fail(err, EINVAL,
				"tensor '%s' has %" PRIu64 " bytes; %" PRIu64 " from %" PRIu64 " on were asked for",
				SHOW(t->name), t->bytes, len, from);
	f = &w->files[w->tensors[i].file];
	fd = pit_weights_file_fd(f, &to_close, err);
	if (fd < 0)
		return fd;
	rc = pit_weights_file_read(f, fd, pit_weights_offset(w, i) + from, data, len, err);
	if (to_close)
		close(fd);
	return pit_wrap(err, rc, "tensor '%s'", SHOW(t->name));
}
