/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/path.h"
#include "feed/weights_file.h"

#define INDEX ".safetensors.index.json"
#define USUAL_INDEX "model.safetensors.index.json"

static int order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_index(const char *path, struct pit_buf *ret, struct pit_error *err)
{
	struct pit_weights_file f = {.path = (char *)path};
	pit_auto_close int fd = -1;
	int rc = pit_weights_file_open(path, &fd, &f.st, err);

	if (rc)
		return rc;
	if (f.st.st_size > PIT_SAFETENSORS_HEADER_MAX)
		return pit_fail(err, EINVAL, "%s has %lld bytes; an index may have %d", path, (long long)f.st.st_size,
				PIT_SAFETENSORS_HEADER_MAX);
	if (pit_buf_reserve(ret, (size_t)f.st.st_size))
		return pit_fail(err, ENOMEM, "no memory for %s", path);
	rc = pit_weights_file_read(&f, fd, 0, ret->data, (uint64_t)f.st.st_size, err);
	if (!rc)
		ret->len = (size_t)f.st.st_size;
	return rc;
}

/* The files of an index, which lie beside it. */
static int list_index(const char *path, struct pit_strv *files, struct pit_buf *index, struct pit_error *err)
{
	pit_auto_strv struct pit_strv names = {0};
	int dir = (int)(pit_base_name(path) - path);
	int rc = read_index(path, index, err);

	if (rc)
		return rc;
	rc = pit_weights_index_files(index, &names, err);
	for (size_t i = 0; i < names.count && !rc; i++)
		if (pit_strv_addf(files, "%.*s%s", dir, path, names.item[i]))
			rc = pit_fail(err, ENOMEM, "out of memory");
	return pit_wrap(err, rc, "%s", path);
}

struct held { /* what a directory holds */
	struct pit_strv files, indexes;
};

static void held_free(struct held *h)
{
	pit_strv_free(&h->files);
	pit_strv_free(&h->indexes);
}

static int look(const char *path, struct held *h, struct pit_error *err)
{
	pit_auto_closedir DIR *dir = opendir(path);
	const struct dirent *d;
	int rc = 0;

	if (!dir)
		return pit_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	while (!rc && (errno = 0, d = readdir(dir))) {
		if (pit_ends_with(d->d_name, ".safetensors") && *d->d_name != '.')
			rc = pit_strv_addf(&h->files, "%s/%s", path, d->d_name);
		else if (pit_ends_with(d->d_name, INDEX) && *d->d_name != '.')
			rc = pit_strv_addf(&h->indexes, "%s/%s", path, d->d_name);
	}
	if (rc)
		return pit_fail(err, ENOMEM, "out of memory");
	return errno ? pit_fail(err, errno, "cannot read %s: %s", path, strerror(errno)) : 0;
}

/* The one index, or of several the one with the usual name. */
static const char *choose(const struct pit_strv *indexes)
{
	for (size_t i = 0; i < indexes->count; i++)
		if (indexes->count == 1 || !strcmp(pit_base_name(indexes->item[i]), USUAL_INDEX))
			return indexes->item[i];
	return NULL;
}

static int list_dir(const char *path, struct pit_strv *files, struct pit_buf *index, struct pit_error *err)
{
	PIT_CLEANUP(held_free) struct held h = {.files = {0}};
	int rc = look(path, &h, err);

	if (rc)
		return rc;
	if (choose(&h.indexes))
		return list_index(choose(&h.indexes), files, index, err);
	if (h.indexes.count)
		return pit_fail(err, EINVAL, "%s holds %zu indexes (*" INDEX "), none called " USUAL_INDEX ": name one",
				path, h.indexes.count);
	if (!h.files.count)
		return pit_fail(err, ENOENT, "%s holds no .safetensors file", path);
	qsort(h.files.item, h.files.count, sizeof(*h.files.item), order);
	*files = h.files;
	h.files = (struct pit_strv){0};
	return 0;
}

int pit_weights_list(const char *path, struct pit_strv *files, struct pit_buf *index, struct pit_error *err)
{
	struct stat st;

	if (stat(path, &st))
		return pit_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return list_dir(path, files, index, err);
	if (pit_ends_with(path, ".json"))
		return list_index(path, files, index, err);
	return pit_strv_add(files, path) ? pit_fail(err, ENOMEM, "out of memory") : 0;
}
