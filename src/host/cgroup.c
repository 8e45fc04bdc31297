/* SPDX-License-Identifier: MIT */
#include "host/cgroup.h"

#include "base/words.h"

#include <string.h>

/* One line of /proc/PID/cgroup and where its directory is seen. */
struct line {
	char *controllers; /* "cpu,cpuacct", "name=systemd"; "" v2 */
	char *path;        /* in the hierarchy, seen from this cgroup namespace */
	char *base;        /* where the hierarchy is mounted; NULL when no mount shows the path */
	char *dir;         /* `base` and the path below it; NULL as above */
	bool v2;
};

struct pit_cgroup {
	struct pit_root *root;
	enum pit_cgroup_mode mode;
	struct line *line;
	size_t count;
};

const char *pit_cgroup_mode_name(enum pit_cgroup_mode mode)
{
	static const char *const names[] = {
		[PIT_CGROUP_NONE] = "none",
		[PIT_CGROUP_V1] = "v1",
		[PIT_CGROUP_HYBRID] = "hybrid",
		[PIT_CGROUP_V2] = "v2",
	};

	return names[mode];
}

/* Mounts that bind a resource controller to v1. Lone others (net_cls of a VPN, name=systemd) leave a machine v2. */
static bool binds_resources(const struct pit_mount *m)
{
	static const char *const resources[] = {"cpu", "cpuacct", "cpuset", "memory", "pids", "blkio"};

	if (!strcmp(m->type, "cpuset"))
		return true;
	for (size_t i = 0; !strcmp(m->type, "cgroup") && i < PIT_COUNT(resources); i++)
		if (pit_mount_option(m, resources[i], NULL))
			return true;
	return false;
}

static enum pit_cgroup_mode find_mode(const struct pit_mounts *mounts)
{
	bool v1 = false, named = false, v2 = false;

	for (size_t i = 0; i < mounts->count; i++) {
		const struct pit_mount *m = &mounts->item[i];

		v2 |= !strcmp(m->type, "cgroup2");
		v1 |= binds_resources(m);
		named |= !strcmp(m->type, "cgroup");
	}
	if (v2)
		return v1 ? PIT_CGROUP_HYBRID : PIT_CGROUP_V2;
	return v1 || named ? PIT_CGROUP_V1 : PIT_CGROUP_NONE;
}

/* True when the mount shows the hierarchy of the line. */
static bool shows(const struct pit_mount *m, const struct line *l)
{
	const char *name;
	char first[64];

	if (l->v2)
		return !strcmp(m->type, "cgroup2");
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(l->controllers, ","), l->controllers);
	if (!strcmp(m->type, "cpuset"))
		return !strcmp(first, "cpuset");
	if (strcmp(m->type, "cgroup") != 0)
		return false;
	if (strncmp(first, "name=", 5) != 0)
		return pit_mount_option(m, first, NULL);
	return pit_mount_option(m, "name", &name) && !strncmp(name, first + 5, strlen(first + 5)) &&
	       (!name[strlen(first + 5)] || name[strlen(first + 5)] == ',');
}

/* What is left of `path` below the mount's root; NULL when the path is not below it. Inside a container the mount may
 * show only a part of the tree, and both texts may begin with "/.." when a namespace looks out of itself. */
static const char *below_root(const char *root, const char *path)
{
	size_t len = strlen(root);
	const char *rest = path;

	if (strcmp(root, "/") != 0) {
		if (strncmp(path, root, len) != 0 || (path[len] && path[len] != '/'))
			return NULL;
		rest = path + len;
	}
	for (const char *up = strstr(rest, "/.."); up; up = strstr(up + 1, "/.."))
		if (!up[3] || up[3] == '/')
			return NULL;
	return strcmp(rest, "/") != 0 ? rest : "";
}

static int locate(struct line *l, const struct pit_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct pit_mount *m = &mounts->item[i];
		const char *rest = shows(m, l) ? below_root(m->root, l->path) : NULL;

		if (!rest || pit_mounts_find(mounts, m->target) != m)
			continue;
		l->base = strdup(m->target);
		if (asprintf(&l->dir, "%s%s", m->target, rest) < 0)
			l->dir = NULL;
		return l->base && l->dir ? 0 : -ENOMEM;
	}
	return 0;
}

static int add_line(struct pit_cgroup *g, const char *controllers, size_t len, const char *path, bool v2)
{
	struct line *grown = reallocarray(g->line, g->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	g->line = grown;
	grown[g->count] = (struct line){
		.controllers = strndup(controllers, len),
		.path = strndup(path, strcspn(path, "\n")),
		.v2 = v2,
	};
	g->count++;
	return grown[g->count - 1].controllers && grown[g->count - 1].path ? 0 : -ENOMEM;
}

/* "ID:CONTROLLERS:PATH"; the path may hold colons. Other lines are left out. */
static int parse_line(struct pit_cgroup *g, const char *text)
{
	size_t digits = strspn(text, "0123456789");
	const char *controllers = text + digits + 1;
	size_t len = digits && text[digits] == ':' ? strcspn(controllers, ":\n") : 0;
	bool v2 = digits == 1 && *text == '0';

	if (!digits || text[digits] != ':' || controllers[len] != ':' || controllers[len + 1] != '/')
		return 0;
	if (!len != v2)
		return 0;
	return add_line(g, controllers, len, controllers + len + 1, v2);
}

static int parse_lines(struct pit_cgroup *g, const char *text)
{
	for (const char *at = text; at && *at; at = strchr(at, '\n')) {
		int rc;

		at += *at == '\n';
		rc = parse_line(g, at);
		if (rc)
			return rc;
	}
	return g->count ? 0 : -EBADMSG;
}

/* Old recordings hold /proc/PID/cpuset alone: the path in the hierarchy that has cpusets. */
static int read_cpuset_line(struct pit_cgroup *g, const char *proc)
{
	struct pit_text text;
	int rc = pit_root_read(g->root, &text, "%s/cpuset", proc);

	if (rc)
		return rc;
	if (*text.data != '/')
		return -EBADMSG;
	rc = add_line(g, "cpuset", strlen("cpuset"), text.data, false);
	return rc ? rc : add_line(g, "", 0, text.data, true);
}

static int read_lines(struct pit_cgroup *g, int pid)
{
	char proc[32] = "/proc/self";
	struct pit_text text;
	int rc;

	if (pid)
		snprintf(proc, sizeof(proc), "/proc/%d", pid);
	rc = pit_root_read(g->root, &text, "%s/cgroup", proc);
	if (!rc)
		return parse_lines(g, text.data);
	return rc == -ENOENT && !read_cpuset_line(g, proc) ? 0 : rc;
}

int pit_cgroup_load(struct pit_root *root, const struct pit_mounts *mounts, int pid, struct pit_cgroup **ret,
		    struct pit_error *err)
{
	struct pit_cgroup *g = calloc(1, sizeof(*g));
	int rc = g ? 0 : -ENOMEM;

	if (g) {
		g->root = root;
		g->mode = find_mode(mounts);
		rc = g->mode == PIT_CGROUP_NONE ? -ENOENT : read_lines(g, pid);
	}
	for (size_t i = 0; !rc && i < g->count; i++)
		rc = locate(&g->line[i], mounts);
	if (rc) {
		const char *what = g && g->mode == PIT_CGROUP_NONE ? "no cgroup file system is mounted" : "cgroup";

		pit_cgroup_free(g);
		if (pid)
			return pit_fail(err, -rc, "/proc/%d/cgroup: %s", pid, what);
		return pit_fail(err, -rc, "/proc/self/cgroup: %s", what);
	}
	*ret = g;
	return 0;
}

void pit_cgroup_free(struct pit_cgroup *g)
{
	int saved = errno;

	for (size_t i = 0; g && i < g->count; i++) {
		free(g->line[i].controllers);
		free(g->line[i].path);
		free(g->line[i].base);
		free(g->line[i].dir);
	}
	if (g)
		free(g->line);
	free(g);
	errno = saved;
}

enum pit_cgroup_mode pit_cgroup_mode(const struct pit_cgroup *g)
{
	return g->mode;
}

static const struct line *find_v1(const struct pit_cgroup *g, const char *controller)
{
	for (size_t i = 0; i < g->count; i++)
		if (!g->line[i].v2 && pit_words_have(g->line[i].controllers, ",", controller))
			return &g->line[i];
	return NULL;
}

static const struct line *find_v2(const struct pit_cgroup *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->line[i].v2)
			return &g->line[i];
	return NULL;
}

const char *pit_cgroup_path(const struct pit_cgroup *g)
{
	const struct line *v2 = find_v2(g), *memory = find_v1(g, "memory");

	if (v2 && (g->mode == PIT_CGROUP_V2 || g->mode == PIT_CGROUP_HYBRID || !memory))
		return v2->path;
	return memory ? memory->path : g->line[0].path;
}

/* Cuts the last component off; false at the mount's root. */
static bool go_up(const struct line *l, char *dir)
{
	size_t base = strlen(l->base);
	char *slash = strrchr(dir, '/');

	if (strlen(dir) <= base || !slash)
		return false;
	*slash = '\0';
	return true;
}

static bool lists(struct pit_root *root, const char *dir, const char *controller, bool *ret_known)
{
	pit_auto_strv struct pit_strv words = {0};
	struct pit_text text;

	*ret_known = !pit_root_read(root, &text, "%s/cgroup.controllers", dir);
	if (!*ret_known || pit_strv_split(&words, text.data, " \n"))
		return false;
	if (!strcmp(controller, "blkio"))
		controller = "io";
	return pit_strv_has(&words, controller);
}

/* Where v2 holds the controller: it may be enabled only further up. A group that does not say is taken as it is. */
static char *v2_dir(const struct pit_cgroup *g, const struct line *l, const char *controller)
{
	pit_auto_free char *dir = l->dir ? strdup(l->dir) : NULL;
	bool known = false;

	if (!dir || lists(g->root, dir, controller, &known) || !known)
		return pit_take(dir);
	while (go_up(l, dir))
		if (lists(g->root, dir, controller, &known))
			return pit_take(dir);
	return NULL;
}

/* The line whose hierarchy has the controller, and the group's directory there, which the caller frees. */
static const struct line *find(const struct pit_cgroup *g, const char *controller, char **ret_dir)
{
	const struct line *v1 = find_v1(g, strcmp(controller, "io") != 0 ? controller : "blkio"), *v2 = find_v2(g);

	*ret_dir = v1 && v1->dir ? strdup(v1->dir) : NULL;
	if (*ret_dir)
		return v1;
	*ret_dir = v2 ? v2_dir(g, v2, controller) : NULL;
	return *ret_dir ? v2 : NULL;
}

int pit_cgroup_dir(const struct pit_cgroup *g, const char *controller, char *ret, size_t size, bool *ret_v2)
{
	pit_auto_free char *dir = NULL;
	const struct line *l = find(g, controller, &dir);

	if (!l)
		return -ENOENT;
	if (strlen(dir) >= size)
		return -ENAMETOOLONG;
	memcpy(ret, dir, strlen(dir) + 1);
	if (ret_v2)
		*ret_v2 = l->v2;
	return 0;
}

int pit_cgroup_v2_dir(const struct pit_cgroup *g, const char **ret_dir, const char **ret_base)
{
	const struct line *l = find_v2(g);

	if (!l || !l->dir)
		return -ENOENT;
	*ret_dir = l->dir;
	*ret_base = l->base;
	return 0;
}

int pit_cgroup_walk_up(const struct pit_cgroup *g, const char *controller, pit_cgroup_fn fn, void *arg)
{
	pit_auto_free char *dir = NULL;
	const struct line *l = find(g, controller, &dir);
	int rc;

	if (!l)
		return -ENOENT;
	do
		rc = fn(dir, l->v2, arg);
	while (!rc && go_up(l, dir));
	return rc;
}
