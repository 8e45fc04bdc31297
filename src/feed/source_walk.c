/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/path.h"
#include "feed/source_walk.h"
#include "feed/utf8.h"

/* Files and directories of one directory, which have a '/' behind their names, so that a sort by bytes brings their
 * files in the order of whole paths. */
struct entries {
	struct pit_names names;
	const char **sorted;
};

static void entries_free(struct entries *e)
{
	pit_names_free(&e->names);
	free(e->sorted);
}

static bool is_wanted(const struct pit_walk *w, const char *name)
{
	for (size_t i = 0; i < w->suffix_count; i++) {
		size_t n = strlen(name), end = strlen(w->suffixes[i]);

		if (n >= end && !strcmp(name + n - end, w->suffixes[i]))
			return true;
	}
	return !w->suffix_count;
}

static unsigned char type_of(int dir, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type;
	return fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) ? DT_UNKNOWN : (unsigned char)IFTODT(st.st_mode);
}

static int add_entry(const struct pit_walk *w, struct entries *e, int dir, const struct dirent *d)
{
	char name[sizeof(d->d_name) + 1];
	unsigned char type;

	if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
		return 0;
	type = type_of(dir, d);
	if (type == DT_DIR) {
		int n = snprintf(name, sizeof(name), "%s/", d->d_name);

		return pit_names_add(&e->names, name, (size_t)n);
	}
	if ((type != DT_REG && type != DT_LNK) || !is_wanted(w, d->d_name))
		return 0;
	return pit_names_add(&e->names, d->d_name, strlen(d->d_name));
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int sort_entries(struct entries *e)
{
	e->sorted = reallocarray(NULL, e->names.count + 1, sizeof(*e->sorted));
	if (!e->sorted)
		return -ENOMEM;
	for (size_t i = 0; i < e->names.count; i++)
		e->sorted[i] = pit_names_get(&e->names, i);
	qsort(e->sorted, e->names.count, sizeof(*e->sorted), by_bytes);
	return 0;
}

static int cannot_list(const char *path, int code, struct pit_error *err)
{
	char shown[200];

	return pit_fail(err, code, "%s: cannot be listed: %s", pit_utf8_show(*path ? path : ".", shown, sizeof(shown)),
			strerror(code));
}

static int read_entries(const struct pit_walk *w, const char *path, bool top, struct entries *e, struct pit_error *err)
{
	int fd = TEMP_FAILURE_RETRY(
		openat(w->list->dir, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | (top ? 0 : O_NOFOLLOW)));
	pit_auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	int rc = 0;

	if (fd < 0 && errno == ENOENT && !top)
		return 0; /* removed meanwhile */
	if (!dir) {
		rc = cannot_list(path, errno, err);
		pit_cleanup_close(&fd);
		return rc;
	}
	for (errno = 0; !rc && (d = readdir(dir)); errno = 0)
		rc = add_entry(w, e, fd, d);
	if (!rc && errno)
		return cannot_list(path, errno, err);
	return rc || sort_entries(e) ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

/* `path` ends in '/' or is empty. */
static int walk(struct pit_walk *w, bool top, struct pit_error *err)
{
	struct entries e = {0};
	size_t here = w->path.len;
	int rc = read_entries(w, w->path.data, top, &e, err);

	for (size_t i = 0; i < e.names.count && !rc; i++) {
		w->path.data[w->path.len = here] = '\0';
		pit_buf_puts(&w->path, e.sorted[i]);
		if (w->path.failed)
			rc = pit_fail(err, ENOMEM, "out of memory");
		else if (w->path.data[w->path.len - 1] == '/')
			rc = walk(w, false, err);
		else if (pit_names_add(&w->list->names, w->path.data, w->path.len))
			rc = pit_fail(err, ENOMEM, "out of memory");
	}
	if (w->path.size)
		w->path.data[w->path.len = here] = '\0';
	entries_free(&e);
	return rc;
}

int pit_walk_root(struct pit_walk *w, const char *root, struct pit_error *err)
{
	size_t len = strlen(root);

	if (len && root[len - 1] != '/')
		return pit_names_add(&w->list->names, root, len) ? pit_fail(err, ENOMEM, "out of memory") : 0;
	pit_buf_clear(&w->path);
	pit_buf_puts(&w->path, root);
	return walk(w, true, err);
}
