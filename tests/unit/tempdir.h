/* SPDX-License-Identifier: MIT
 *
 * Small recorded machines for unit tests: a temporary directory and files in it.
 */
#ifndef PIT_TESTS_TEMPDIR_H
#define PIT_TESTS_TEMPDIR_H

#include <ftw.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void test_tree_new(char *dir, size_t size)
{
	snprintf(dir, size, "/tmp/pitcrew-test-XXXXXX");
	if (!mkdtemp(dir))
		abort();
}

/* Makes the directories above the last component of DIR/PATH, whose name it writes to `full`. */
static inline void test_tree_parents(const char *dir, const char *path, char *full, size_t size)
{
	snprintf(full, size, "%s%s", dir, path);
	for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
}

static inline void test_tree_file(const char *dir, const char *path, const char *text)
{
	char full[4096];
	FILE *f;

	test_tree_parents(dir, path, full, sizeof(full));
	f = fopen(full, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

static inline void test_tree_link(const char *dir, const char *path, const char *target)
{
	char full[4096];

	test_tree_parents(dir, path, full, sizeof(full));
	if (symlink(target, full))
		abort();
}

static inline int test_tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void test_tree_remove(const char *dir)
{
	nftw(dir, test_tree_remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

#endif
