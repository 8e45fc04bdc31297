/* SPDX-License-Identifier: MIT */
#include "host/unit.h"

#include <string.h>

#include "base/path.h"
#include "host/conf_files.h"

/* systemd.unit(5), first wins. */
static const char *const unit_dirs[] = {
	"/etc/systemd/system.control",
	"/run/systemd/system.control",
	"/run/systemd/transient",
	"/etc/systemd/system",
	"/run/systemd/system",
	"/run/systemd/generator",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
	"/run/systemd/generator.late",
	NULL,
};

static const char *const conf_dirs[] = {
	"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd", NULL,
};

static bool is_masked(struct pit_root *root, const char *dir, const char *name)
{
	const char *target;

	return !pit_root_link(root, &target, "%s/%s", dir, name) && !strcmp(target, "/dev/null");
}

/* "a@b.service" -> "a@.service" in `out`; false when the name is no instance. */
static bool template_of(const char *unit, char *out, size_t size)
{
	const char *at = strchr(unit, '@'), *dot = strrchr(unit, '.');

	if (!at || !dot || dot < at || at + 1 == dot)
		return false;
	snprintf(out, size, "%.*s%s", (int)(at + 1 - unit), unit, dot);
	return true;
}

/* The directory that holds the unit's file, in *ret_dir; -ENOENT none or masked. */
static int find_dir(struct pit_root *root, const char *unit, const char **ret_dir)
{
	for (const char *const *dir = unit_dirs; *dir; dir++) {
		if (is_masked(root, *dir, unit))
			return -ENOENT;
		if (pit_root_exists(root, "%s/%s", *dir, unit))
			continue;
		*ret_dir = *dir;
		return 0;
	}
	return -ENOENT;
}

/* The unit's file: where it lies and under which name (an instance's may be its template's). */
static int find_unit(struct pit_root *root, const char *unit, const char **ret_dir, char *name, size_t size)
{
	snprintf(name, size, "%s", unit);
	if (!find_dir(root, name, ret_dir))
		return 0;
	if (!template_of(unit, name, size))
		return -ENOENT;
	return find_dir(root, name, ret_dir);
}

static int add_drop_in_dirs(struct pit_strv *dirs, const char *const *bases, const char *name)
{
	int rc = 0;

	for (; *bases && !rc; bases++)
		rc = pit_strv_addf(dirs, "%s/%s.d", *bases, name);
	return rc;
}

/* Drop-in directories of all that the unit is: its names, "foo-.service" for "foo-bar.service", "service". */
static int drop_in_dirs(const struct pit_strv *names, struct pit_strv *ret)
{
	char prefix[256];
	int rc = 0;

	for (size_t i = 0; i < names->count && !rc; i++)
		rc = add_drop_in_dirs(ret, unit_dirs, names->item[i]);
	for (size_t i = 0; i < names->count && !rc; i++) {
		const char *dot = strrchr(names->item[i], '.');

		for (const char *dash = dot; !rc && dash > names->item[i]; dash--) {
			if (dash[-1] != '-' || dash == dot)
				continue;
			snprintf(prefix, sizeof(prefix), "%.*s%s", (int)(dash - names->item[i]), names->item[i], dot);
			rc = add_drop_in_dirs(ret, unit_dirs, prefix);
		}
		if (!rc && dot)
			rc = add_drop_in_dirs(ret, unit_dirs, dot + 1);
	}
	return rc;
}

/* Adds the .conf files of the directories to `files`, in the order in which they are read. */
static int add_drop_ins(struct pit_root *root, const struct pit_strv *dirs, struct pit_strv *files)
{
	pit_auto_free const char **list = calloc(dirs->count + 1, sizeof(*list));
	pit_auto_strv struct pit_strv found = {0};
	int rc;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < dirs->count; i++)
		list[i] = dirs->item[i];
	rc = pit_conf_files(root, list, ".conf", &found);
	for (size_t i = 0; i < found.count && !rc; i++)
		rc = pit_strv_add(files, found.item[i]);
	return rc;
}

/* The last assignment in the files, in the order given. */
static int last_assignment(struct pit_root *root, const struct pit_strv *files, const char *section, const char *key,
			   char *ret_value, size_t size, char *ret_where, size_t where_size)
{
	pit_auto_free char *value = calloc(1, size ? size : 1);
	const char *file = NULL;
	struct pit_text text;
	int line = 0, last = 0;

	if (!value)
		return -ENOMEM;
	for (size_t i = 0; i < files->count; i++) {
		if (pit_root_read(root, &text, "%s", files->item[i]) ||
		    pit_ini_get(text.data, section, key, value, size, &line))
			continue;
		file = files->item[i];
		last = line;
	}
	if (!file || !*value)
		return -ENOENT;
	memcpy(ret_value, value, strlen(value) + 1);
	if (ret_where)
		snprintf(ret_where, where_size, "%s:%d", file, last);
	return 0;
}

/* The unit's names: as asked for, its template, and what its file is a link to. */
static int names_of(struct pit_root *root, const char *unit, const char *dir, const char *name, struct pit_strv *ret)
{
	const char *target;
	int rc = pit_strv_add(ret, unit);

	if (!rc && strcmp(unit, name) != 0)
		rc = pit_strv_add(ret, name);
	if (!rc && !pit_root_link(root, &target, "%s/%s", dir, name) && !pit_strv_has(ret, pit_base_name(target)))
		rc = pit_strv_add(ret, pit_base_name(target));
	return rc;
}

int pit_unit_get(struct pit_root *root, const char *unit, const char *section, const char *key, char *ret_value,
		 size_t size, char *ret_where, size_t where_size)
{
	pit_auto_strv struct pit_strv names = {0}, dirs = {0}, files = {0};
	const char *dir = NULL;
	char name[256];
	int rc = find_unit(root, unit, &dir, name, sizeof(name));

	if (!rc)
		rc = names_of(root, unit, dir, name, &names);
	if (!rc)
		rc = pit_strv_addf(&files, "%s/%s", dir, name);
	if (!rc)
		rc = drop_in_dirs(&names, &dirs);
	if (!rc)
		rc = add_drop_ins(root, &dirs, &files);
	return rc ? rc : last_assignment(root, &files, section, key, ret_value, size, ret_where, where_size);
}

int pit_systemd_conf_get(struct pit_root *root, const char *name, const char *section, const char *key, char *ret_value,
			 size_t size, char *ret_where, size_t where_size)
{
	pit_auto_strv struct pit_strv dirs = {0}, files = {0};
	int rc = add_drop_in_dirs(&dirs, conf_dirs, name);

	for (const char *const *dir = conf_dirs; !rc && *dir && !files.count; dir++)
		if (!pit_root_exists(root, "%s/%s", *dir, name))
			rc = pit_strv_addf(&files, "%s/%s", *dir, name);
	if (!rc)
		rc = add_drop_ins(root, &dirs, &files);
	return rc ? rc : last_assignment(root, &files, section, key, ret_value, size, ret_where, where_size);
}

/* True when something in `dir` wants the unit. */
static bool is_wanted(struct pit_root *root, const char *dir, const char *unit)
{
	const struct pit_strv *names, *links;

	if (pit_root_list(root, &names, "%s", dir))
		return false;
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->item[i];

		if ((pit_ends_with(name, ".wants") || pit_ends_with(name, ".requires")) &&
		    !pit_root_list(root, &links, "%s/%s", dir, name) && pit_strv_has(links, unit))
			return true;
	}
	return false;
}

bool pit_unit_is_masked(struct pit_root *root, const char *unit)
{
	for (const char *const *dir = unit_dirs; *dir; dir++)
		if (is_masked(root, *dir, unit))
			return true;
	return false;
}

int pit_unit_name(struct pit_root *root, const char *unit, char *ret, size_t size)
{
	const char *dir = NULL, *target;
	char name[256];
	int rc = find_unit(root, unit, &dir, name, sizeof(name));

	if (rc)
		return rc;
	if (strcmp(unit, name) != 0 || pit_root_link(root, &target, "%s/%s", dir, name))
		target = unit; /* an instance of a template, or a file */
	snprintf(ret, size, "%s", pit_base_name(target));
	return 0;
}

int pit_unit_is_enabled(struct pit_root *root, const char *unit)
{
	pit_auto_strv struct pit_strv names = {0};
	const char *found = NULL;
	char name[256];
	int rc = 0;

	if (pit_unit_is_masked(root, unit))
		return 0;
	rc = find_unit(root, unit, &found, name, sizeof(name));
	if (!rc)
		rc = names_of(root, unit, found, name, &names);
	for (size_t i = 0; i < names.count && !rc; i++)
		for (const char *const *dir = unit_dirs; *dir && !rc; dir++)
			rc = is_wanted(root, *dir, names.item[i]);
	return rc;
}
