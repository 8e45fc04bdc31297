/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/parse.h"
#include "host/cgroup.h"

/* State of a search for the tightest value on the way up. */
struct tightest {
	struct pit_root *root;
	const char *file_v2, *file_v1;
	uint64_t limit; /* UINT64_MAX none yet */
	double cpus;    /* 0 none yet */
	char *file;     /* where it was found; `size` bytes */
	size_t size;
	int failed; /* the first read that failed otherwise than by absence */
};

static void note_failure(struct tightest *t, int rc)
{
	if (!t->failed && pit_root_state(rc) != PIT_STATE_ABSENT)
		t->failed = rc;
}

static void note_file(struct tightest *t, const char *dir, const char *file)
{
	if (t->file)
		snprintf(t->file, t->size, "%s/%s", dir, file);
}

/* v1 says "no limit" with the largest multiple of the page size, which is at most 64K. */
#define V1_NO_LIMIT (UINT64_C(0x7fffffffffffffff) - 0xffff)

static int read_limit(const char *dir, bool v2, void *arg)
{
	struct tightest *t = arg;
	const char *file = v2 ? t->file_v2 : t->file_v1;
	uint64_t value = UINT64_MAX;
	char text[64];
	int rc = pit_root_str(t->root, text, sizeof(text), "%s/%s", dir, file);

	if (!rc && strcmp(text, "max") != 0 && strcmp(text, "-1") != 0)
		rc = pit_parse_u64(text, &value) ? -EBADMSG : 0;
	if (rc) {
		note_failure(t, rc);
		return 0;
	}
	if (value < V1_NO_LIMIT && value < t->limit) {
		t->limit = value;
		note_file(t, dir, file);
	}
	return 0;
}

int pit_cgroup_limit(struct pit_root *root, const struct pit_cgroup *g, const char *controller, const char *file_v2,
		     const char *file_v1, uint64_t *ret, char *ret_file, size_t size)
{
	struct tightest t = {
		.root = root,
		.file_v2 = file_v2,
		.file_v1 = file_v1,
		.limit = UINT64_MAX,
		.file = ret_file,
		.size = size,
	};
	int rc = pit_cgroup_walk_up(g, controller, read_limit, &t);

	if (!rc && t.limit == UINT64_MAX)
		rc = t.failed;
	if (rc)
		return rc;
	if (ret_file && t.limit == UINT64_MAX)
		*ret_file = '\0';
	*ret = t.limit;
	return 0;
}

int pit_cgroup_parse_cpu_max(const char *text, double *ret_cpus)
{
	pit_auto_strv struct pit_strv words = {0};
	uint64_t quota, period = 100000;
	int64_t negative;

	if (pit_strv_split(&words, text, " \t\n"))
		return -ENOMEM;
	if (words.count < 1 || words.count > 2)
		return -EBADMSG;
	if (words.count == 2 && (pit_parse_u64(words.item[1], &period) || !period))
		return -EBADMSG;
	if (!strcmp(words.item[0], "max") || (!pit_parse_i64(words.item[0], &negative) && negative < 0)) {
		*ret_cpus = 0;
		return 0;
	}
	if (pit_parse_u64(words.item[0], &quota) || !quota)
		return -EBADMSG;
	*ret_cpus = (double)quota / (double)period;
	return 0;
}

static int read_quota_text(struct tightest *t, const char *dir, bool v2, char *text, size_t size)
{
	char quota[64], period[64];
	int rc;

	if (v2)
		return pit_root_str(t->root, text, size, "%s/cpu.max", dir);
	rc = pit_root_str(t->root, quota, sizeof(quota), "%s/cpu.cfs_quota_us", dir);
	if (!rc)
		rc = pit_root_str(t->root, period, sizeof(period), "%s/cpu.cfs_period_us", dir);
	if (!rc)
		snprintf(text, size, "%s %s", quota, period);
	return rc;
}

static int read_quota(const char *dir, bool v2, void *arg)
{
	struct tightest *t = arg;
	char text[160];
	double cpus = 0;
	int rc = read_quota_text(t, dir, v2, text, sizeof(text));

	if (!rc)
		rc = pit_cgroup_parse_cpu_max(text, &cpus);
	if (rc) {
		note_failure(t, rc);
		return 0;
	}
	if (cpus > 0 && (!(t->cpus > 0) || cpus < t->cpus)) {
		t->cpus = cpus;
		note_file(t, dir, v2 ? "cpu.max" : "cpu.cfs_quota_us");
	}
	return 0;
}

int pit_cgroup_cpu_quota(struct pit_root *root, const struct pit_cgroup *g, double *ret_cpus, char *ret_file,
			 size_t size)
{
	struct tightest t = {.root = root, .file = ret_file, .size = size};
	int rc = pit_cgroup_walk_up(g, "cpu", read_quota, &t);

	if (!rc && !(t.cpus > 0))
		rc = t.failed;
	if (rc)
		return rc;
	if (ret_file && !(t.cpus > 0))
		*ret_file = '\0';
	*ret_cpus = t.cpus;
	return 0;
}

/* Names of the file with the effective set first; v1's "cpus" is what was asked for. The old cpuset file system and
 * mounts with noprefix leave "cpuset." out. */
static const char *const v2_names[2][2] = {{"cpuset.cpus.effective", NULL}, {"cpuset.mems.effective", NULL}};
static const char *const v1_names[2][5] = {
	{"cpuset.effective_cpus", "cpuset.cpus", "effective_cpus", "cpus", NULL},
	{"cpuset.effective_mems", "cpuset.mems", "effective_mems", "mems", NULL},
};

struct set {
	struct pit_root *root;
	bool mems;
	struct pit_idset ids;
	char *file; /* of `size` bytes; may be NULL */
	size_t size;
};

/* 1 found, 0 not in this group, -errno. */
static int read_set(const char *dir, bool v2, void *arg)
{
	struct set *s = arg;

	for (const char *const *name = v2 ? v2_names[s->mems] : v1_names[s->mems]; *name; name++) {
		int rc = pit_root_idset(s->root, &s->ids, "%s/%s", dir, *name);

		if (pit_root_state(rc) == PIT_STATE_ABSENT || (!rc && pit_idset_is_empty(&s->ids)))
			continue;
		if (!rc && s->file)
			snprintf(s->file, s->size, "%s/%s", dir, *name);
		return rc ? rc : 1;
	}
	return 0;
}

int pit_cgroup_cpuset(struct pit_root *root, const struct pit_cgroup *g, bool mems, struct pit_idset *ret,
		      char *ret_file, size_t size)
{
	struct set s = {.root = root, .mems = mems, .file = ret_file, .size = size};
	int rc = pit_cgroup_walk_up(g, "cpuset", read_set, &s);

	if (rc <= 0) {
		pit_idset_free(&s.ids);
		return rc ? rc : -ENOENT;
	}
	*ret = s.ids;
	return 0;
}
