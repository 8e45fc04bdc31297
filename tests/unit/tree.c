/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ftw.h>
#include <sys/stat.h>

#include "tree.h"

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void write_file(const char *dir, const struct tree_file *file)
{
	char full[4096];
	pit_auto_fclose FILE *f = NULL;

	snprintf(full, sizeof(full), "%s%s", dir, file->path);
	make_parents(full);
	if (!strncmp(file->text, "-> ", 3)) {
		assert_int_equal(symlink(file->text + 3, full), 0);
		return;
	}
	f = fopen(full, "we");
	assert_non_null(f);
	fputs(file->text, f);
}

struct tree tree_open(const struct tree_file *files)
{
	struct tree t = {.dir = "/tmp/pitcrew-tree.XXXXXX"};

	assert_non_null(mkdtemp(t.dir));
	for (; files->path; files++)
		write_file(t.dir, files);
	assert_int_equal(pit_root_open(t.dir, &t.root, NULL), 0);
	(void)pit_mounts_load(t.root, &t.mounts, NULL);
	return t;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void tree_close(struct tree *t)
{
	pit_mounts_free(&t->mounts);
	pit_root_close(t->root);
	nftw(t->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

struct pit_cgroup *tree_cgroup(const struct tree *t, int pid)
{
	struct pit_cgroup *g = NULL;

	assert_int_equal(pit_cgroup_load(t->root, &t->mounts, pid, &g, NULL), 0);
	return g;
}

const char *tree_cases(const char *name, char *ret, size_t size)
{
	const char *cases = getenv("PITCREW_CASES"), *tests = getenv("PITCREW_TESTS");

	if (cases)
		snprintf(ret, size, "%s/%s", cases, name);
	else
		snprintf(ret, size, "%s/../../shared/cases/%s", tests ? tests : "tests", name);
	if (!access(ret, R_OK))
		return ret;
	print_message("SKIP: %s is not there\n", ret);
	return NULL;
}

char *tree_slurp(const char *fmt, ...)
{
	pit_auto_fclose FILE *f = NULL;
	char path[4096], *text = NULL;
	size_t size = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	f = fopen(path, "re");
	if (f && getdelim(&text, &size, '\0', f) < 0)
		*(text ? text : (text = malloc(1))) = '\0';
	return text;
}
