/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/pattern.h"
#include "tune/resolve_parts.h"

#define SYSCTLS "/proc/sys"

struct walk {
	struct pit_root *root;
	const char *which;
	struct pit_strv *found;
	int blind; /* the first error of a directory that could not be looked at; 0 none */
};

/* True when `which` chooses `name`, which the part `pattern` of a path found. */
static bool is_chosen(const char *which, const char *pattern, const char *name)
{
	size_t before = strcspn(pattern, "*"), after = strlen(pattern) - before - 1, len = strlen(name);
	char star[256];

	if (!which || pit_fits(which, name))
		return true;
	if (len < before + after)
		return false;
	snprintf(star, sizeof(star), "%.*s", (int)(len - before - after), name + before);
	return pit_fits(which, star);
}

static int finish(struct walk *w, const char *path)
{
	int rc = pit_root_exists(w->root, "%s", path);

	if (!rc)
		return pit_strv_add(w->found, path);
	if (pit_root_state(rc) != PIT_STATE_ABSENT && !w->blind)
		w->blind = rc;
	return 0;
}

static int descend(struct walk *w, const char *path, const char *rest, bool first);

/* Each name in `dir` that `part` fits, and what lies below. */
static int fan_out(struct walk *w, const char *dir, const char *part, const char *rest, bool first)
{
	const struct pit_strv *names;
	char path[4096];
	int rc = pit_root_list(w->root, &names, "%s", dir);

	if (rc) {
		if (pit_root_state(rc) != PIT_STATE_ABSENT && !w->blind)
			w->blind = rc;
		return 0;
	}
	for (size_t i = 0; i < names->count && !rc; i++) {
		if (!pit_fits(part, names->item[i]) || (first && !is_chosen(w->which, part, names->item[i])))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, names->item[i]) < (int)sizeof(path))
			rc = descend(w, path, rest, false);
	}
	return rc;
}

/* Goes on below `path` with what is left of the pattern, "" or from a slash on. `first`: no '*' was met yet. */
static int descend(struct walk *w, const char *path, const char *rest, bool first)
{
	const char *star = strchr(rest, '*'), *slash;
	char dir[4096], part[256];

	if (!star) {
		snprintf(dir, sizeof(dir), "%s%s", path, rest);
		return finish(w, dir);
	}
	for (slash = star; *slash != '/'; slash--)
		;
	snprintf(dir, sizeof(dir), "%s%.*s", path, (int)(slash - rest), rest);
	snprintf(part, sizeof(part), "%.*s", (int)strcspn(slash + 1, "/"), slash + 1);
	return fan_out(w, dir, part, slash + 1 + strcspn(slash + 1, "/"), first);
}

/* "." and "/" change places, in place. */
static void swap_separators(char *text)
{
	for (; *text; text++)
		*text = *text == '.' ? '/' : *text == '/' ? '.' : *text;
}

static int to_keys(struct pit_strv *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		char *key = strdup(paths->item[i] + strlen(SYSCTLS "/"));

		if (!key)
			return -ENOMEM;
		swap_separators(key);
		free(paths->item[i]);
		paths->item[i] = key;
	}
	return 0;
}

int pit_pattern_expand(struct pit_root *root, enum pit_target_kind target, const char *pattern, const char *which,
		       struct pit_strv *ret, struct pit_error *err)
{
	pit_auto_strv struct pit_strv found = {0};
	struct walk w = {.root = root, .which = which, .found = &found};
	bool sysctl = target == PIT_TARGET_SYSCTL;
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s%s", sysctl ? "/" : "", pattern);
	if (sysctl)
		swap_separators(path + 1);
	rc = descend(&w, sysctl ? SYSCTLS : "", path, true);
	if (!rc && sysctl)
		rc = to_keys(&found);
	if (rc)
		return pit_fail(err, -rc, "out of memory");
	if (!found.count && w.blind)
		return pit_fail(err, -w.blind, "%s: %s", pattern, pit_state_name(pit_root_state(w.blind)));
	*ret = found;
	found = (struct pit_strv){0};
	return 0;
}
