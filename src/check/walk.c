/* SPDX-License-Identifier: MIT */
#include "check/walk.h"

#include <string.h>

#define LONGEST 4096

struct walk {
	char done[LONGEST]; /* without links; "" is the root directory */
	char rest[LONGEST];
	int links;
	bool silent; /* something on the way did not answer: no use to ask on */
};

static int start(struct pit_root *root, const char *path, struct walk *w)
{
	const char *cwd;
	int rc, len;

	w->done[0] = '\0';
	w->links = 0;
	w->silent = false;
	if (*path == '/') {
		len = snprintf(w->rest, sizeof(w->rest), "%s", path);
	} else {
		rc = pit_root_link(root, &cwd, "/proc/self/cwd");
		if (rc)
			return rc;
		len = snprintf(w->rest, sizeof(w->rest), "%s/%s", cwd, path);
	}
	return len < (int)sizeof(w->rest) ? 0 : -ENAMETOOLONG;
}

/* Moves the first component of `rest` into `ret`; false when there is none. */
static bool next(struct walk *w, char *ret)
{
	char *from = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(from, "/");

	memcpy(ret, from, len);
	ret[len] = '\0';
	memmove(w->rest, from + len, strlen(from + len) + 1);
	return len > 0;
}

static void go_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	if (slash)
		*slash = '\0';
}

static int follow(struct walk *w, const char *target)
{
	char behind[LONGEST];

	if (++w->links > PIT_WALK_LINKS_MAX)
		return -ELOOP;
	memcpy(behind, w->rest, sizeof(behind));
	if (snprintf(w->rest, sizeof(w->rest), "%s/%s", target, behind) >= (int)sizeof(w->rest))
		return -ENAMETOOLONG;
	if (*target == '/')
		w->done[0] = '\0';
	return 0;
}

static int step(struct pit_root *root, struct walk *w, const char *name, pit_walk_fn fn, void *arg)
{
	char path[LONGEST];
	const char *target = NULL;
	int rc;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		go_up(w);
		return 0;
	}
	if (snprintf(path, sizeof(path), "%s/%s", w->done, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	rc = w->silent ? -ETIMEDOUT : pit_root_link(root, &target, "%s", path);
	w->silent |= rc == -ETIMEDOUT;
	if (rc)
		target = NULL;
	rc = fn ? fn(path, target, arg) : 0;
	if (rc)
		return rc;
	if (target)
		return follow(w, target);
	memcpy(w->done, path, sizeof(path));
	return 0;
}

int pit_walk(struct pit_root *root, const char *path, pit_walk_fn fn, void *arg, char *ret, size_t size)
{
	struct walk w;
	char name[LONGEST];
	int rc = start(root, path, &w);

	if (!rc && fn)
		rc = fn("/", NULL, arg);
	while (!rc && next(&w, name))
		rc = step(root, &w, name, fn, arg);
	if (!rc && ret && snprintf(ret, size, "%s", *w.done ? w.done : "/") >= (int)size)
		rc = -ENAMETOOLONG;
	return rc;
}
