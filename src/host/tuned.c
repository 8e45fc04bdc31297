/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "host/conf_files.h"
#include "host/origin.h"
#include "host/unit.h"

#define INCLUDES_MAX 8 /* depth; profiles in the field have three */

struct search {
	struct pit_root *root;
	const char *section, *key;
	bool (*matches)(const char *pattern, const char *key);
	struct pit_origin *ret;
	const char *active;
};

/* Splits "key = value"; false when there is no "=". */
static bool split(char *line, char **ret_value)
{
	char *equal = strchr(line, '=');
	size_t len;

	if (!equal || *line == '#' || *line == ';')
		return false;
	for (len = (size_t)(equal - line); len && (line[len - 1] == ' ' || line[len - 1] == '\t');)
		len--;
	*ret_value = equal + 1 + strspn(equal + 1, " \t");
	line[len] = '\0';
	return true;
}

static void scan(const struct search *s, const char *text, const char *file)
{
	char line[1024], now[64] = "", *value;

	for (int number = 1; pit_conf_line(&text, line, sizeof(line)); number++) {
		if (*line == '[') {
			snprintf(now, sizeof(now), "%.*s", (int)strcspn(line + 1, "]"), line + 1);
			continue;
		}
		if (strcmp(now, s->section) != 0 || !split(line, &value))
			continue;
		if (s->matches ? !s->matches(line, s->key) : strcmp(line, s->key) != 0)
			continue;
		snprintf(s->ret->file, sizeof(s->ret->file), "%s", file);
		snprintf(s->ret->value, sizeof(s->ret->value), "%s", value);
		snprintf(s->ret->profile, sizeof(s->ret->profile), "%s", s->active);
		s->ret->line = number;
	}
}

/* Finds the profile's file; /etc goes before /usr/lib. */
static int read_profile(struct pit_root *root, const char *name, struct pit_text *ret, char *file, size_t size)
{
	static const char *const dirs[] = {"/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles",
					   "/usr/lib/tuned"};
	int rc = -ENOENT;

	if (strchr(name, '/') || *name == '.')
		return -EINVAL;
	for (size_t i = 0; i < PIT_COUNT(dirs) && rc; i++) {
		snprintf(file, size, "%s/%s/tuned.conf", dirs[i], name);
		rc = pit_root_read(root, ret, "%s", file);
	}
	return rc;
}

/* Included profiles first, so that the including one has the last word. */
static void scan_profile(const struct search *s, const char *name, int depth)
{
	pit_auto_strv struct pit_strv includes = {0};
	char file[256], include[256];
	struct pit_text text;

	if (depth > INCLUDES_MAX || read_profile(s->root, name, &text, file, sizeof(file)))
		return;
	if (!pit_ini_get(text.data, "main", "include", include, sizeof(include), NULL) &&
	    !pit_strv_split(&includes, include, ", \t"))
		for (size_t i = 0; i < includes.count && i < INCLUDES_MAX; i++)
			scan_profile(s, includes.item[i], depth + 1);
	scan(s, text.data, file);
}

/* A profile is set but the daemon neither runs nor starts at boot. */
static bool is_idle(struct pit_root *root)
{
	return pit_root_exists(root, "/run/tuned/tuned.pid") && pit_unit_is_enabled(root, "tuned.service") == 0;
}

void pit_tuned_find(struct pit_root *root, const char *section, const char *key,
		    bool (*matches)(const char *pattern, const char *key), struct pit_origin *ret)
{
	pit_auto_strv struct pit_strv profiles = {0};
	char names[256];
	struct search s = {
		.root = root, .section = section, .key = key, .matches = matches, .ret = ret, .active = names};

	*ret = (struct pit_origin){0};
	if (pit_root_str(root, names, sizeof(names), "/etc/tuned/active_profile") || !*names || is_idle(root) ||
	    pit_strv_split(&profiles, names, " \t"))
		return;
	for (size_t i = 0; i < profiles.count && i < INCLUDES_MAX; i++)
		scan_profile(&s, profiles.item[i], 0);
}
