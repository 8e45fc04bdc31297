/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../tempdir.h"
#include "tree.h"

struct tree tree_open(const struct tree_file *files)
{
	struct tree t = {.root = NULL};

	tempdir_new(t.dir, sizeof(t.dir));
	for (; files->path; files++) {
		if (!strncmp(files->text, "-> ", 3))
			tempdir_link(t.dir, files->path, files->text + 3);
		else
			tempdir_file(t.dir, files->path, files->text);
	}
	assert_int_equal(pit_root_open(t.dir, &t.root, NULL), 0);
	(void)pit_mounts_load(t.root, &t.mounts, NULL);
	return t;
}

void tree_close(struct tree *t)
{
	pit_mounts_free(&t->mounts);
	pit_root_close(t->root);
	tempdir_remove(t->dir);
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
