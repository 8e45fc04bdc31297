/* SPDX-License-Identifier: MIT */
#include "check/kernel.h"

#include <string.h>

#include "check/offenders.h"

int pit_kernel_modules_gone(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_platform *p;
	struct pit_text loaded;
	char path[160];
	int rc = pit_facts_platform(facts, &p, err);

	if (rc)
		return rc;
	rc = pit_root_read(root, &loaded, "/proc/modules");
	if (rc || !loaded.len)
		return pit_skip(out, "this kernel has no modules loaded");
	snprintf(path, sizeof(path), "/lib/modules/%s", p->kernel);
	rc = pit_root_exists(root, "%s", path);
	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
		return pit_fail(err, -rc, "%s", path);
	pit_want(out, "%s", path);
	pit_evidence(out, path, rc ? "does not exist" : "exists");
	if (!rc)
		return pit_pass(out, "there for %s", p->kernel);
	return pit_bad(out, "no %s", path);
}

/* '-' and '_' are the same in names of modules. */
static void canonical(const char *name, size_t len, char *ret, size_t size)
{
	snprintf(ret, size, "%.*s", (int)len, name);
	for (char *c = ret; *c; c++)
		*c = *c == '-' ? '_' : *c;
}

static bool is_builtin(struct pit_root *root, const char *release, const char *name)
{
	char file[96], other[96];
	struct pit_text text;

	if (pit_root_read(root, &text, "/lib/modules/%s/modules.builtin", release))
		return false;
	for (const char *line = text.data; line; line = strchr(line, '\n')) {
		const char *base;
		size_t len;

		line += *line == '\n';
		len = strcspn(line, "\n");
		for (base = line + len; base > line && base[-1] != '/'; base--)
			;
		snprintf(file, sizeof(file), "%.*s", (int)(line + len - base), base);
		canonical(file, strcspn(file, "."), other, sizeof(other));
		if (len && !strcmp(other, name))
			return true;
	}
	return false;
}

static bool is_there(struct pit_root *root, const char *release, const char *name)
{
	return !pit_root_exists(root, "/sys/module/%s", name) || is_builtin(root, release, name);
}

struct listed {
	struct pit_root *root;
	const char *release;
	struct pit_finding *out;
	struct pit_offenders missing;
	size_t count;
};

/* One file of module names, one a line, "#" and ";" for comments. */
static void judge_list(struct listed *l, const char *path)
{
	struct pit_text text;
	char name[96];

	if (pit_root_read(l->root, &text, "%s", path))
		return;
	for (const char *line = text.data; line; line = strchr(line, '\n')) {
		size_t len;

		line += *line == '\n';
		line += strspn(line, " \t");
		len = strcspn(line, " \t\n");
		if (!len || *line == '#' || *line == ';')
			continue;
		canonical(line, len, name, sizeof(name));
		l->count++;
		if (is_there(l->root, l->release, name))
			continue;
		pit_offenders_add(&l->missing, "%s", name);
		pit_evidence(l->out, path, "%s is not loaded", name);
	}
}

int pit_kernel_modules_listed(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	struct listed l = {.root = pit_facts_root(facts), .out = out};
	const struct pit_platform *p;
	const struct pit_strv *names;
	char path[160];
	int rc = pit_facts_platform(facts, &p, err);

	if (rc)
		return rc;
	rc = pit_root_exists(l.root, "/sys/module");
	if (rc)
		return pit_fail(err, -rc, "/sys/module");
	l.release = p->kernel;
	judge_list(&l, "/etc/modules");
	if (pit_root_list(l.root, &names, "/etc/modules-load.d"))
		names = NULL;
	for (size_t i = 0; names && i < names->count; i++) {
		const char *target;

		snprintf(path, sizeof(path), "/etc/modules-load.d/%s", names->item[i]);
		if (!pit_root_link(l.root, &target, "%s", path) && strstr(target, "modules"))
			continue; /* Debian links to /etc/modules */
		judge_list(&l, path);
	}
	pit_want(out, "all loaded");
	if (l.missing.count)
		return pit_bad(out, "not loaded: %s", pit_offenders_text(&l.missing));
	return pit_pass(out, l.count ? "all %zu loaded" : "none listed", l.count);
}
