/* SPDX-License-Identifier: MIT */
#include "host/conf_files.h"

#include <string.h>

#include "base/parse.h"
#include "base/path.h"

static bool has_base(const struct pit_strv *paths, const char *name)
{
	for (size_t i = 0; i < paths->count; i++)
		if (!strcmp(pit_base_name(paths->item[i]), name))
			return true;
	return false;
}

static int by_base(const void *a, const void *b)
{
	return strcmp(pit_base_name(*(char *const *)a), pit_base_name(*(char *const *)b));
}

int pit_conf_files(struct pit_root *root, const char *const *dirs, const char *suffix, struct pit_strv *ret)
{
	const struct pit_strv *names;
	int rc = 0;

	for (; *dirs && !rc; dirs++) {
		if (pit_root_list(root, &names, "%s", *dirs))
			continue;
		for (size_t i = 0; i < names->count && !rc; i++)
			if (pit_ends_with(names->item[i], suffix) && !has_base(ret, names->item[i]))
				rc = pit_strv_addf(ret, "%s/%s", *dirs, names->item[i]);
	}
	if (ret->count > 1)
		qsort(ret->item, ret->count, sizeof(*ret->item), by_base);
	return rc;
}

bool pit_conf_line(const char **text, char *line, size_t size)
{
	const char *at = *text;

	if (!*at)
		return false;
	pit_first_line(at, line, size);
	at += strcspn(at, "\n");
	*text = at + (*at == '\n');
	return true;
}
