/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "feed/pool.h"
#include "feed/pool_available.h"

int pit_available_field(const char *path, const char *key, uint64_t *ret)
{
	pit_auto_fclose FILE *f = fopen(path, "re");
	size_t len = strlen(key);
	char line[512];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && sscanf(line + len, " %" SCNu64, ret) == 1)
			return 0;
	return -ENOENT;
}

/* A file with one number; "max" is none. */
static int read_number(const char *dir, const char *name, uint64_t *ret)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return pit_available_field(path, "", ret);
}

struct names { /* of the two kinds of cgroups */
	const char *limit, *high, *use, *inactive, *active;
};

static const struct names unified = {
	.limit = "memory.max",
	.high = "memory.high",
	.use = "memory.current",
	.inactive = "inactive_file ",
	.active = "active_file ",
};

static const struct names legacy = {
	.limit = "memory.limit_in_bytes",
	.high = "memory.soft_limit_in_bytes.none",
	.use = "memory.usage_in_bytes",
	.inactive = "total_inactive_file ",
	.active = "total_active_file ",
};

static void limit_to(struct pit_available *a, uint64_t bytes, const char *what, const char *name)
{
	if (a->bytes && a->bytes <= bytes)
		return;
	a->bytes = bytes ? bytes : 1;
	snprintf(a->what, sizeof(a->what), "%s%.150s", what, name);
}

/* What a group may take is what its limit leaves, and the page cache that goes when it is needed. */
static void look_at_group(const char *dir, const char *name, const struct names *n, struct pit_available *a)
{
	uint64_t limit = UINT64_MAX, high, use = 0, part, cache = 0;
	char stat[PATH_MAX];

	if (read_number(dir, n->limit, &limit))
		limit = UINT64_MAX;
	if (!read_number(dir, n->high, &high) && high < limit)
		limit = high;
	if (limit >= UINT64_MAX >> 2 || read_number(dir, n->use, &use))
		return;
	if (snprintf(stat, sizeof(stat), "%s/memory.stat", dir) < (int)sizeof(stat)) {
		if (!pit_available_field(stat, n->inactive, &part))
			cache += part;
		if (!pit_available_field(stat, n->active, &part))
			cache += part;
	}
	use = use > cache ? use - cache : 0;
	limit_to(a, limit > use ? limit - use : 0, "cgroup ", name);
}

/* The group and those above it. In a container the path may be the host's: then only the mount's root is there. */
static void look_up_groups(const char *mount, char *path, const struct names *n, struct pit_available *a)
{
	char dir[PATH_MAX];
	char *slash;

	for (;;) {
		if (snprintf(dir, sizeof(dir), "%s%s", mount, path) < (int)sizeof(dir))
			look_at_group(dir, *path ? path : "/", n, a);
		slash = strrchr(path, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

static void look_at_groups(const char *root, struct pit_available *a)
{
	char path[PATH_MAX], line[PATH_MAX];
	pit_auto_fclose FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!group)
			continue;
		*group++ = '\0';
		group[strcspn(group, "\n")] = '\0';
		snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s", root, controllers[1] ? "/memory" : "");
		if (!controllers[1])
			look_up_groups(path, group, &unified, a);
		else if (strstr(controllers, "memory"))
			look_up_groups(path, group, &legacy, a);
	}
}

void pit_available_at(const char *root, struct pit_available *ret)
{
	struct pit_available a = {0};
	char path[PATH_MAX];
	uint64_t kib;

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	if (!pit_available_field(path, "MemAvailable:", &kib))
		limit_to(&a, kib * 1024, "the machine", "");
	look_at_groups(root, &a);
	*ret = a;
}

uint64_t pit_pool_available(void)
{
	struct pit_available a;

	pit_available_at("", &a);
	return a.bytes;
}
