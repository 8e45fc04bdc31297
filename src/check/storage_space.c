/* SPDX-License-Identifier: MIT
 *
 * How much room is left: blocks, inodes, /tmp, and entries of directories.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/parse.h"
#include "check/devices.h"
#include "check/storage.h"
#include "host/try.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

/* The first that holds is the verdict. A share alone says little: 5% of 100 TB is room enough. */
static const struct {
	double used;       /* percent, at least */
	uint64_t free;     /* bytes, less than */
	uint64_t at_least; /* size of the file system in bytes */
	enum pit_status status;
	enum pit_impact impact;
} space_levels[] = {
	{.used = 100, .free = 1, .at_least = 0, .status = PIT_FAIL, .impact = PIT_HURTING},
	{.used = 0, .free = 500 * MIB, .at_least = 8 * GIB, .status = PIT_FAIL, .impact = PIT_RISK}, /* gpud */
	{.used = 98, .free = 20 * GIB, .at_least = 0, .status = PIT_FAIL, .impact = PIT_RISK},
	{.used = 90, .free = 500 * GIB, .at_least = 0, .status = PIT_WARN, .impact = PIT_RISK}, /* kubelet: 10% left */
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* As df counts: blocks that only root may use are neither used nor free. */
static double blocks_used(const struct pit_fsinfo *fs)
{
	uint64_t used = fs->blocks > fs->bfree ? fs->blocks - fs->bfree : 0;

	return percent(used, used + fs->bavail);
}

static double inodes_used(const struct pit_fsinfo *fs)
{
	return fs->files ? percent(fs->files > fs->ffree ? fs->files - fs->ffree : 0, fs->files) : 0;
}

static uint64_t bytes(uint64_t blocks, const struct pit_fsinfo *fs)
{
	return fs->bsize && blocks > UINT64_MAX / fs->bsize ? UINT64_MAX : blocks * fs->bsize;
}

static void judge_space(const char *path, const struct pit_fsinfo *fs, struct pit_offenders *o, struct pit_finding *out)
{
	double used = blocks_used(fs);
	uint64_t left = bytes(fs->bavail, fs), size = bytes(fs->blocks, fs);
	char free_text[32], size_text[32];

	pit_format_size(left, free_text, sizeof(free_text));
	pit_format_size(size, size_text, sizeof(size_text));
	for (size_t i = 0; i < PIT_COUNT(space_levels); i++) {
		if (used < space_levels[i].used || left >= space_levels[i].free || size < space_levels[i].at_least)
			continue;
		pit_offend(o, space_levels[i].status, space_levels[i].impact, "%s %.0f%% used, %s free", path, used,
			   free_text);
		pit_evidence(out, path, "statfs: %s of %s free, %.1f%% used", free_text, size_text, used);
		if (o->count == 1)
			pit_command(out, "du -xh --max-depth=2 '%s' | sort -h | tail -20", path);
		return;
	}
}

/* "/data inodes 93% used, space 20%: inodes run out first, at 22% of space" */
static void judge_inodes(const char *path, const struct pit_fsinfo *fs, struct pit_offenders *o,
			 struct pit_finding *out)
{
	double used = inodes_used(fs), space = blocks_used(fs), end = used > 0 ? space * 100 / used : 100;
	bool few = fs->files && fs->ffree < 1000 && fs->files > 20000; /* nhc: 1k left */

	if (!fs->files || (used < 90 && !few && (used < 70 || end > 80)))
		return;
	if (few || used >= 99)
		pit_offend(o, PIT_FAIL, fs->ffree ? PIT_RISK : PIT_HURTING,
			   "%s %.0f%% of inodes used, %" PRIu64 " left", path, used, fs->ffree);
	else
		pit_offend(o, PIT_WARN, PIT_RISK, "%s %.0f%% of inodes used, %" PRIu64 " left", path, used, fs->ffree);
	if (o->count == 1)
		pit_command(out, "du -x --inodes --max-depth=2 '%s' | sort -n | tail -20", path);
	if (end < 100)
		pit_evidence(
			out, path,
			"statfs: %.1f%% of inodes and %.1f%% of space used: inodes run out first, at about %.0f%% of space",
			used, space, end);
	else
		pit_evidence(out, path, "statfs: %.1f%% of inodes and %.1f%% of space used", used, space);
}

typedef void judge_fn(const char *path, const struct pit_fsinfo *fs, struct pit_offenders *o, struct pit_finding *out);

/* File systems in which running out of room matters to jobs. */
static bool needs_room(const struct pit_mount *m)
{
	if (pit_mount_is_read_only(m))
		return false;
	return pit_mount_is_data(m) ||
	       (!strcmp(m->type, "tmpfs") && (!strcmp(m->target, "/tmp") || !strcmp(m->target, "/var/tmp")));
}

static int judge_path(struct pit_facts *facts, const char *path, judge_fn *judge, struct pit_offenders *o,
		      struct pit_finding *out, size_t *seen)
{
	struct pit_fsinfo fs;
	int rc = pit_root_statfs(pit_facts_root(facts), &fs, "%s", path);

	if (rc)
		return rc;
	judge(path, &fs, o, out);
	(*seen)++;
	return 0;
}

/* The places that no local mount covers: network file systems and the like. */
static void judge_place(struct pit_facts *facts, const struct pit_place *p, judge_fn *judge, struct pit_offenders *o,
			struct pit_finding *out, size_t *seen)
{
	int rc;

	if (needs_room(p->mount) || pit_mount_is_read_only(p->mount))
		return;
	rc = judge_path(facts, p->path, judge, o, out, seen);
	if (rc && rc != -ENODATA)
		pit_evidence(out, p->path, "statfs: %s", strerror(-rc));
}

/* Both options may name one file system, as one mount or as two. */
static bool is_same_fs(const struct pit_place *a, const struct pit_place *b)
{
	const struct pit_mount *m = a->mount, *n = b->mount;

	if (!m || !n || m == n)
		return m == n;
	if (m->major || m->minor || n->major || n->minor)
		return m->major == n->major && m->minor == n->minor;
	return !strcmp(m->type, n->type) && !strcmp(m->source, n->source);
}

/* What was seen where all is well. */
static void show_usage(struct pit_facts *facts, const struct pit_mount_list *mounts, struct pit_finding *out)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const char *path = mounts->item[i]->target;
		struct pit_fsinfo fs;

		if (!pit_root_statfs(pit_facts_root(facts), &fs, "%s", path))
			pit_evidence(out, path, "statfs: %.0f%% of space and %.0f%% of inodes used", blocks_used(&fs),
				     inodes_used(&fs));
	}
}

static int judge_all(struct pit_facts *facts, struct pit_finding *out, judge_fn *judge, const char *fine,
		     struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_offenders o = {0};
	struct pit_place data = {0}, checkpoint = {0};
	size_t seen = 0;
	int rc = pit_storage_mounts(facts, needs_room, &mounts, err), last = -ENOENT;

	for (size_t i = 0; !rc && i < mounts.count; i++) {
		int one = judge_path(facts, mounts.item[i]->target, judge, &o, out, &seen);

		last = one ? one : last;
	}
	if (!rc && !pit_place_data(facts, &data, NULL, NULL))
		judge_place(facts, &data, judge, &o, out, &seen);
	if (!rc && !pit_place_checkpoint(facts, &checkpoint, NULL, NULL) && !is_same_fs(&data, &checkpoint))
		judge_place(facts, &checkpoint, judge, &o, out, &seen);
	if (rc)
		return rc;
	if (!seen)
		return pit_fail(err, -last, "no local file system answered");
	if (!o.count)
		show_usage(facts, &mounts, out);
	return pit_offenders_judge(&o, out, fine, seen, seen == 1 ? "" : "s");
}

int pit_probe_space(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	pit_want(out, "less than 90%% used, or 500 GiB free");
	return judge_all(facts, out, judge_space, "room on %zu file system%s", err);
}

int pit_probe_inodes(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	pit_want(out, "less than 90%% used, and not ahead of space");
	return judge_all(facts, out, judge_inodes, "inodes left on %zu file system%s", err);
}

int pit_probe_tmp(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	const struct pit_mounts *mounts;
	const struct pit_mount *m;
	struct pit_fsinfo fs;
	uint64_t least;
	char size[32];
	int rc = pit_facts_mounts(facts, &mounts, err);

	if (rc)
		return rc;
	m = pit_mounts_find(mounts, "/tmp");
	if (!m || strcmp(m->type, "tmpfs") != 0)
		return pit_pass(out, "on disk (%s)", m ? m->type : "no mount");
	rc = pit_root_statfs(pit_facts_root(facts), &fs, "/tmp");
	if (rc)
		return pit_fail(err, -rc, "statfs of /tmp");
	pit_format_size(bytes(fs.blocks, &fs), size, sizeof(size));
	least = pit_gpu_count(facts) > 0 ? 4 : 1;
	pit_want(out, "at least %" PRIu64 " GiB, or on disk", least);
	pit_evidence(out, m->file, "%s is tmpfs (%s)", m->target, m->super_options);
	if (bytes(fs.blocks, &fs) < least * GIB)
		return pit_bad(out, "tmpfs of %s", size);
	return pit_pass(out, "tmpfs of %s", size);
}

/* Bytes of memory of all GPUs; 0 unknown. */
static uint64_t gpu_memory(struct pit_facts *facts)
{
	const json_t *nvml;
	json_t *gpu;
	uint64_t sum = 0;
	size_t i;

	if (pit_facts_nvml(facts, &nvml, NULL))
		return 0;
	json_array_foreach(json_object_get(nvml, "gpus"), i, gpu)
	{
		json_int_t total = json_integer_value(json_object_get(json_object_get(gpu, "memory"), "total"));

		sum += total > 0 ? (uint64_t)total : 0;
	}
	return sum;
}

int pit_probe_checkpoint_room(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			      struct pit_error *err)
{
	struct pit_place place;
	struct pit_fsinfo fs;
	uint64_t gpus = gpu_memory(facts);
	char room[32], state[32];
	int rc = pit_place_checkpoint(facts, &place, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	if (!gpus)
		return pit_skip(out, "the memory of the GPUs is not known");
	rc = pit_root_statfs(pit_facts_root(facts), &fs, "%s", place.mount->target);
	if (rc)
		return pit_fail(err, -rc, "statfs of %s", place.mount->target);
	pit_format_size(bytes(fs.bavail, &fs), room, sizeof(room));
	pit_format_size(gpus, state, sizeof(state));
	pit_evidence(out, place.mount->target, "statfs: %s free", room);
	pit_evidence(out, "NVML", "memory of all GPUs: %s, as much as a checkpoint with optimizer state may take",
		     state);
	pit_want(out, "twice the memory of the GPUs: the old checkpoint and the new");
	if (bytes(fs.bavail, &fs) / 2 < gpus)
		return pit_bad(out, "%s free, GPUs hold %s", room, state);
	return pit_pass(out, "%s free", room);
}

/* What a bounded look into a directory found. */
struct census {
	uint64_t files, dirs;            /* entries of the directory itself */
	uint64_t deeper;                 /* entries of the first subdirectories */
	uint64_t looked;                 /* how many of them were counted */
	uint64_t sampled_bytes, sampled; /* sizes of the first files */
	int cut;                         /* 1: the time or the count ended before the directory did */
};

#define CENSUS_ENTRIES_MAX 400000
#define CENSUS_MS 150
#define CENSUS_SUBDIRS 12
#define CENSUS_FILES 64

static void count_file(int dir, const char *name, struct census *c)
{
	struct stat st;

	c->files++;
	if (c->sampled >= CENSUS_FILES || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return;
	c->sampled++;
	c->sampled_bytes += (uint64_t)st.st_size;
}

static DIR *open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void count_below(int at, const char *name, struct census *c, int64_t until)
{
	pit_auto_closedir DIR *dir = open_dir(at, name);
	uint64_t n = 0;

	if (!dir)
		return;
	for (struct dirent *e; n < CENSUS_ENTRIES_MAX && pit_now() < until && (e = readdir(dir));)
		n += !is_dot(e->d_name);
	c->looked++;
	c->deeper += n;
}

static int make_census(const char *name, void *arg, struct pit_buf *out)
{
	pit_auto_closedir DIR *dir = opendir(arg);
	int64_t until = pit_now() + CENSUS_MS * PIT_MS;
	struct census c = {0};
	struct dirent *e;

	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		if (is_dot(e->d_name))
			continue;
		c.cut = c.files + c.dirs >= CENSUS_ENTRIES_MAX || pit_now() > until;
		if (c.cut)
			break;
		if (e->d_type == DT_DIR && c.dirs++ < CENSUS_SUBDIRS)
			count_below(dirfd(dir), e->d_name, &c, until);
		else if (e->d_type != DT_DIR)
			count_file(dirfd(dir), e->d_name, &c);
	}
	pit_buf_printf(out, "files %" PRIu64 "\ndirs %" PRIu64 "\ndeeper %" PRIu64 "\nlooked %" PRIu64 "\n", c.files,
		       c.dirs, c.deeper, c.looked);
	pit_buf_printf(out, "sampled %" PRIu64 "\nsampled_bytes %" PRIu64 "\ncut %d\n", c.sampled, c.sampled_bytes,
		       c.cut);
	return 0;
}

static int try_census(const char *name, void *arg, struct pit_buf *out)
{
	return pit_try(CENSUS_MS + 300, make_census, name, arg, out);
}

static int read_census(const char *text, struct census *c)
{
	uint64_t cut = 0;
	int rc = pit_kv_u64(text, "files", &c->files);

	rc = rc ? rc : pit_kv_u64(text, "dirs", &c->dirs);
	rc = rc ? rc : pit_kv_u64(text, "deeper", &c->deeper);
	rc = rc ? rc : pit_kv_u64(text, "looked", &c->looked);
	rc = rc ? rc : pit_kv_u64(text, "sampled", &c->sampled);
	rc = rc ? rc : pit_kv_u64(text, "sampled_bytes", &c->sampled_bytes);
	rc = rc ? rc : pit_kv_u64(text, "cut", &cut);
	c->cut = cut != 0;
	return rc ? -EBADMSG : 0;
}

/* Files in one directory and in all below the first level, judged by the first few of those. */
static int judge_census(const struct census *c, const char *path, struct pit_finding *out)
{
	double below = c->looked ? (double)c->deeper / (double)c->looked * (double)c->dirs : 0;
	double all = (double)c->files + below;
	char mean[32];

	pit_format_size(c->sampled ? c->sampled_bytes / c->sampled : 0, mean, sizeof(mean));
	pit_evidence(out, path, "%" PRIu64 " files and %" PRIu64 " directories%s; about %.0f entries two levels deep",
		     c->files, c->dirs, c->cut ? " counted before the time was over" : "", all);
	if (c->sampled)
		pit_evidence(out, path, "mean size of the first %" PRIu64 " files: %s", c->sampled, mean);
	pit_want(out, "at most 100,000 files in a directory, 1,000,000 in all");
	if (c->files > 100000)
		return pit_bad(out, "%s%" PRIu64 " files in one directory", c->cut ? "more than " : "", c->files);
	if (c->sampled && c->sampled_bytes / c->sampled > 8 * MIB)
		return pit_pass(out, "files of %s on average", mean);
	if (all > 1e6)
		return pit_bad(out, "about %.1f million entries", all / 1e6);
	return pit_pass(out, "about %.0f entries", all);
}

int pit_probe_small_files(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct pit_place place;
	struct census c = {0};
	struct pit_text text;
	char name[512];
	int rc = pit_place_data(facts, &place, out, err);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = pit_mount_answers(facts, place.mount, err);
	if (rc)
		return rc;
	pit_fact_name(name, sizeof(name), "census", place.path);
	rc = pit_root_fact(pit_facts_root(facts), name, try_census, place.path, &text);
	if (rc == -ENOTDIR)
		return pit_skip(out, "%s is no directory", place.path);
	if (rc)
		return pit_fail(err, -rc, "the entries of %s", place.path);
	rc = read_census(text.data, &c);
	if (rc)
		return pit_fail(err, -rc, "the count of %s", place.path);
	return judge_census(&c, place.path, out);
}
