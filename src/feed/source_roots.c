/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "feed/source_roots.h"

/* A file that has a name like a pattern is that file. Sorting is left to us: glob() asks the locale. */
static int expand(const char *path, struct pit_strv *out, struct pit_error *err)
{
	struct stat st;
	glob_t g = {0};
	int rc;

	if (!strpbrk(path, "*?[") || !lstat(path, &st))
		return pit_strv_add(out, path) ? pit_fail(err, ENOMEM, "out of memory") : 0;
	rc = glob(path, GLOB_NOSORT | GLOB_ERR, NULL, &g);
	if (rc == GLOB_NOMATCH)
		rc = pit_fail(err, ENOENT, "%s: no file fits this pattern", path);
	else if (rc)
		rc = pit_fail(err, rc == GLOB_NOSPACE ? ENOMEM : EACCES, "%s: cannot be expanded", path);
	for (size_t i = 0; i < g.gl_pathc && !rc; i++)
		rc = pit_strv_add(out, g.gl_pathv[i]) ? pit_fail(err, ENOMEM, "out of memory") : 0;
	globfree(&g);
	return rc;
}

static void cut_slashes(char *path)
{
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
}

/* Whole components at the start that all paths share: how many bytes. */
static size_t common_length(const struct pit_strv *paths)
{
	const char *first = paths->item[0];
	size_t len = strlen(first);

	for (size_t i = 1; i < paths->count; i++) {
		const char *other = paths->item[i];
		size_t n = 0;

		while (n < len && other[n] == first[n])
			n++;
		if (!(n == len && (!other[n] || other[n] == '/')) && !(!other[n] && first[n] == '/'))
			while (n && first[n - 1] != '/')
				n--;
		len = n;
	}
	return len;
}

/* Opens the directory that all paths have in common; gives how many bytes of them its name takes. */
static int open_common(const struct pit_strv *paths, size_t *ret_len, struct pit_error *err)
{
	size_t len = common_length(paths);

	for (;;) {
		pit_auto_free char *dir = len ? strndup(paths->item[0], len) : strdup(".");
		int fd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -ENOMEM;

		if (fd >= 0) {
			*ret_len = len;
			return fd;
		}
		if (!dir || errno != ENOTDIR || !len)
			return pit_fail(err, dir ? errno : ENOMEM, "%s: %s", dir ? dir : "", strerror(errno));
		while (len && paths->item[0][len - 1] == '/') /* a path that ends in a file */
			len--;
		while (len && paths->item[0][len - 1] != '/')
			len--;
	}
}

static int add_root(struct pit_roots *r, const char *path, const char *rest, struct pit_error *err)
{
	struct stat st;

	while (*rest == '/')
		rest++;
	if (fstatat(r->dir, *rest ? rest : ".", &st, 0))
		return pit_fail(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return pit_fail(err, EINVAL, "%s: neither a directory nor a regular file", path);
	return pit_strv_addf(&r->paths, "%s%s", rest, S_ISDIR(st.st_mode) && *rest ? "/" : "")
		       ? pit_fail(err, ENOMEM, "out of memory")
		       : 0;
}

static int name_top(struct pit_roots *r, const char *path, size_t common, struct pit_error *err)
{
	bool slash = common && path[common - 1] != '/';

	if (asprintf(&r->top, "%.*s%s", (int)common, path, slash ? "/" : "") >= 0)
		return 0;
	r->top = NULL;
	return pit_fail(err, ENOMEM, "out of memory");
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts, and drops what is named twice: also by a directory above it. */
static void make_unique(struct pit_strv *v)
{
	size_t kept = 0;

	qsort(v->item, v->count, sizeof(*v->item), by_bytes);
	for (size_t i = 0; i < v->count; i++) {
		const char *above = kept ? v->item[kept - 1] : NULL;
		size_t n = above ? strlen(above) : 0;

		if (above &&
		    (!strcmp(above, v->item[i]) || ((!n || above[n - 1] == '/') && !strncmp(above, v->item[i], n))))
			free(v->item[i]);
		else
			v->item[kept++] = v->item[i];
	}
	v->count = kept;
}

int pit_roots_open(const char *const *paths, size_t count, struct pit_roots *ret, struct pit_error *err)
{
	pit_auto_strv struct pit_strv all = {0};
	struct pit_roots r = {.dir = -1};
	size_t common = 0;
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = *paths[i] ? expand(paths[i], &all, err) : pit_fail(err, EINVAL, "an empty path");
	for (size_t i = 0; i < all.count; i++)
		cut_slashes(all.item[i]);
	if (!rc)
		rc = r.dir = open_common(&all, &common, err);
	if (rc >= 0)
		rc = name_top(&r, all.item[0], common, err);
	for (size_t i = 0; i < all.count && rc >= 0; i++)
		rc = add_root(&r, all.item[i], all.item[i] + common, err);
	if (rc < 0) {
		pit_roots_close(&r);
		return rc;
	}
	make_unique(&r.paths);
	*ret = r;
	return 0;
}

void pit_roots_close(struct pit_roots *r)
{
	pit_strv_free(&r->paths);
	free(r->top);
	r->top = NULL;
	pit_cleanup_close(&r->dir);
	r->dir = -1;
}
