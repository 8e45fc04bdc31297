/* SPDX-License-Identifier: MIT
 *
 * Variables that say where to keep files: caches of models and compilers, temporary files.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/parse.h"
#include "check/env.h"
#include "check/offenders.h"

#define FREE_PERCENT 5 /* least free space */
#define FREE_BYTES (UINT64_C(2) << 30)

/* The nearest directory at or above `path` that exists, in `ret`. */
static void existing_part(struct pit_facts *f, const char *path, char *ret, size_t size)
{
	char *slash;

	snprintf(ret, size, "%s", path);
	while (ret[1] && pit_env_is_missing(f, ret)) {
		slash = strrchr(ret, '/');
		if (!slash)
			return;
		slash[slash == ret] = '\0';
	}
}

static void judge_space(struct pit_facts *f, const char *name, const char *path, struct pit_offenders *p,
			struct pit_finding *out)
{
	struct pit_fsinfo fs;
	uint64_t size, avail;
	char text[32];
	int rc = pit_root_statfs(pit_facts_root(f), &fs, "%s", path);

	if (pit_root_state(rc) == PIT_STATE_TIMED_OUT)
		pit_problem(p, out, name, "%s does not answer", path);
	if (rc || !fs.blocks)
		return;
	size = fs.blocks * fs.bsize;
	avail = fs.bavail * fs.bsize;
	pit_format_size(avail, text, sizeof(text));
	if (avail < FREE_BYTES || avail < size / 100 * FREE_PERCENT)
		pit_problem(p, out, name, "%s has %s free", path, text);
	if (fs.files && fs.ffree < fs.files / 100)
		pit_problem(p, out, name, "%s has %" PRIu64 " inodes free", path, fs.ffree);
	if (fs.flags & ST_RDONLY)
		pit_problem(p, out, name, "%s is read-only", path);
}

static void judge_kind(struct pit_facts *f, const struct pit_env_cache *c, const char *name, const char *path,
		       struct pit_offenders *p, struct pit_finding *out)
{
	const struct pit_mounts *mounts;
	const struct pit_mount *m;

	if (pit_facts_mounts(f, &mounts, NULL))
		return;
	m = pit_mounts_find(mounts, path);
	if (!m)
		return;
	pit_evidence(out, name, "%s lies on %s (%s)", path, m->target, m->type);
	if (pit_mount_is_network(m) || !strncmp(m->type, "fuse.", 5))
		pit_problem(p, out, name, "%s is on a network disk (%s)", path, m->type);
	else if (!strcmp(m->type, "tmpfs") && !c->compiles)
		pit_problem(p, out, name, "%s takes memory (tmpfs)", path);
}

/* One directory. What is full or silent is a risk; where it lies is style, but for compilers, which lock files there.
 */
static void judge_cache(struct pit_facts *f, const struct pit_env_cache *c, const char *name, const char *path,
			struct pit_offenders *full, struct pit_offenders *kind, struct pit_finding *out)
{
	char dir[512];

	if (*path != '/') {
		pit_problem(full, out, name, "%s=%s is a relative path", name, path);
		return;
	}
	existing_part(f, path, dir, sizeof(dir));
	judge_space(f, name, dir, full, out);
	judge_kind(f, c, name, dir, kind, out);
}

int pit_env_cache_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			struct pit_error *err)
{
	const struct pit_env_cache *c = row->arg;
	struct pit_offenders full = {0}, kind = {0};
	const char *value = NULL, *home, *set = NULL;
	char path[512];
	int rc = 0;

	pit_want(out, "a local disk with %d%% and 2 GiB free", FREE_PERCENT);
	for (const char *const *name = c->names; *name && !rc; name++) {
		rc = pit_env_get(f, *name, &value, err);
		if (rc || !value || !*value)
			continue;
		set = value;
		judge_cache(f, c, *name, value, &full, &kind, out);
	}
	home = rc ? NULL : pit_facts_env(f, "HOME");
	if (rc)
		return rc;
	if (!set && home && c->home) {
		snprintf(path, sizeof(path), "%s/%s", home, c->home);
		if (!pit_root_exists(pit_facts_root(f), "%s", path))
			judge_cache(f, c, "HOME", path, &full, &kind, out);
	}
	if (full.count)
		return pit_bad(out, "%s", pit_offenders_text(&full));
	if (kind.count)
		return pit_judge(out, PIT_WARN, c->compiles ? PIT_RISK : PIT_STYLE, "%s", pit_offenders_text(&kind));
	return pit_pass(out, "%s", set ? set : "unset");
}

int pit_env_tmpdir_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_offenders p = {0};
	const struct pit_mounts *mounts;
	const struct pit_mount *m = NULL;
	const char *value;
	struct pit_stat st;
	int rc = pit_env_get(f, "TMPDIR", &value, err);

	if (rc)
		return rc;
	pit_want(out, "a directory with room, on a disk that runs programs");
	if (!value || !*value)
		return pit_pass(out, "unset: /tmp");
	if (*value != '/')
		return pit_bad(out, "%s is a relative path", value);
	rc = pit_root_stat(pit_facts_root(f), &st, "%s", value);
	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_bad(out, "no directory %s", value);
	if (!rc && (st.mode & 0170000) != 0040000)
		return pit_bad(out, "%s is no directory", value);
	if (!pit_facts_mounts(f, &mounts, NULL))
		m = pit_mounts_find(mounts, value);
	if (m && pit_mount_option(m, "noexec", NULL))
		pit_problem(&p, out, m->file, "%s is mounted noexec", value);
	if (m && pit_mount_is_network(m))
		pit_problem(&p, out, m->file, "%s is on a network disk (%s)", value, m->type);
	judge_space(f, "TMPDIR", value, &p, out);
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "%s", value);
}
