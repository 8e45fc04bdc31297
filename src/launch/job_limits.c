/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/parse.h"
#include "host/cgroup.h"
#include "host/pid.h"
#include "launch/job_parts.h"
#include "launch/leaf.h"

static struct rlimit64 raised(const struct rlimit64 *was, uint64_t to)
{
	return (struct rlimit64){.rlim_cur = to, .rlim_max = to > was->rlim_max ? to : was->rlim_max};
}

static void add_limit(struct pit_job *j, int resource, const struct rlimit64 *was, uint64_t to)
{
	if (to != was->rlim_cur)
		j->limit[j->limits++] =
			(struct pit_job_limit){.resource = resource, .value = raised(was, to), .was = *was};
}

static int read_limit(struct pit_root *root, const char *name, struct rlimit64 *ret)
{
	uint64_t soft, hard;
	int rc = pit_proc_limit(root, 0, name, &soft, &hard);

	if (!rc)
		*ret = (struct rlimit64){.rlim_cur = soft, .rlim_max = hard};
	return rc;
}

/* Locked memory: network cards and GPUs pin buffers. Open files: DataLoader workers pass tensors as files. */
void pit_job_plan_limits(struct pit_root *root, struct pit_job *j)
{
	struct rlimit64 was;

	if (!read_limit(root, "Max locked memory", &was))
		add_limit(j, RLIMIT_MEMLOCK, &was, j->options->memlock ? j->options->memlock : was.rlim_max);
	if (!read_limit(root, "Max open files", &was) && was.rlim_cur < PIT_JOB_NOFILE)
		add_limit(j, RLIMIT_NOFILE, &was, was.rlim_max < PIT_JOB_NOFILE ? was.rlim_max : PIT_JOB_NOFILE);
}

/* Limits are those of whole disks. */
static int disk_of(struct pit_root *root, unsigned major, unsigned minor, char *ret, size_t size)
{
	if (pit_root_exists(root, "/sys/dev/block/%u:%u/partition", major, minor)) {
		snprintf(ret, size, "%u:%u", major, minor);
		return 0;
	}
	return pit_root_str(root, ret, size, "/sys/dev/block/%u:%u/../dev", major, minor);
}

static int device_number(struct pit_root *root, const char *word, char *ret, size_t size, struct pit_error *err)
{
	unsigned major, minor;
	struct pit_stat st;
	int rc = *word == '/' ? pit_root_stat(root, &st, "%s", word) : 0;

	if (*word != '/' || (rc && !pit_root_is_live(root))) { /* recordings rarely hold device files */
		snprintf(ret, size, "%s", word);
		return 0;
	}
	if (rc)
		return pit_fail(err, -rc, "--io: %s: %s", word, strerror(-rc));
	if ((st.mode & S_IFMT) != S_IFBLK)
		return pit_fail(err, ENOTBLK, "--io: %s is not a disk; give a device such as /dev/nvme0n1", word);
	major = (unsigned)(st.rdev >> 32), minor = (unsigned)st.rdev;
	rc = disk_of(root, major, minor, ret, size);
	return rc ? pit_fail(err, -rc, "--io: %s is a partition, and its disk cannot be found: %s", word, strerror(-rc))
		  : 0;
}

/* The kernel takes no units: "wbps=500M" becomes bytes. */
static void put_limit(struct pit_buf *line, const char *word)
{
	const char *value = strchr(word, '=') + 1;
	uint64_t bytes;

	if (pit_parse_size(value, &bytes))
		pit_buf_printf(line, " %s", word);
	else
		pit_buf_printf(line, " %.*s%llu", (int)(value - word), word, (unsigned long long)bytes);
}

static int plan_line(struct pit_root *root, struct pit_job *j, const char *text, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char device[256];
	int rc;

	if (pit_strv_split(&words, text, " \t"))
		return pit_fail(err, ENOMEM, "out of memory");
	if (words.count < 2) /* a priority: "idle" */
		return 0;
	rc = device_number(root, words.item[0], device, sizeof(device), err);
	if (rc)
		return rc;
	pit_buf_puts(&line, device);
	for (size_t i = 1; i < words.count; i++) {
		if (!strchr(words.item[i], '='))
			return pit_fail(err, EINVAL, "--io=%s: '%s' is no limit", text, words.item[i]);
		put_limit(&line, words.item[i]);
	}
	return line.failed || pit_strv_add(&j->io_max, line.data) ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

int pit_job_plan_io(struct pit_root *root, struct pit_job *j, struct pit_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < j->options->io.count; i++)
		rc = plan_line(root, j, j->options->io.item[i], err);
	return rc;
}

void pit_job_group_limits(const struct pit_job *j, struct pit_job_group_limit ret[PIT_JOB_GROUP_LIMITS])
{
	const struct pit_job_options *o = j->options;
	const struct pit_job_group_limit all[PIT_JOB_GROUP_LIMITS] = {
		{.option = "--mem-max", .controller = "memory", .asked = o->memory_max},
		{.option = "--mem-high", .controller = "memory", .asked = o->memory_high},
		{.option = "--cpu-max", .controller = "cpu", .asked = o->cpu_max > 0},
		{.option = "--io", .controller = "io", .asked = j->io_max.count}, /* priorities need none */
	};

	memcpy(ret, all, sizeof(all));
}

int pit_job_plan_cpu_max(struct pit_job *j)
{
	double most = j->options->cpu_max;
	int first = j->alone ? j->own : 0, end = j->alone ? j->own + 1 : j->placement.ranks;

	for (int i = first; i < end; i++) {
		const struct pit_seat *s = &j->placement.seat[i];
		size_t cpus = pit_idset_count(pit_idset_is_empty(&s->cpus) ? &j->site.allowed : &s->cpus);
		char note[160];

		if (!cpus || most <= (double)cpus)
			continue;
		snprintf(note, sizeof(note),
			 "--cpu-max=%g is more than the %zu CPU%s of rank %d, and limits nothing there "
			 "(percent of one CPU: %g%%)",
			 most, cpus, cpus == 1 ? "" : "s", i, most);
		return pit_strv_add(&j->notes, note) || pit_strv_add(&j->mistakes, note) ? -ENOMEM : 0;
	}
	return 0;
}

/* "--mem-max, --cpu-max" */
static void asked_of_groups(const struct pit_job *j, struct pit_buf *out)
{
	struct pit_job_group_limit limit[PIT_JOB_GROUP_LIMITS];

	pit_job_group_limits(j, limit);
	for (size_t i = 0; i < PIT_COUNT(limit); i++)
		if (limit[i].asked)
			pit_buf_printf(out, "%s%s", out->len ? ", " : "", limit[i].option);
}

/* True when version 2 would let us make groups; else why not. */
static bool can_make_groups(struct pit_root *root, char *why, size_t size)
{
	PIT_CLEANUP(pit_mounts_free) struct pit_mounts mounts = {0};
	struct pit_cgroup *g = NULL;
	struct pit_fsinfo fs;
	struct pit_stat st;
	char dir[512] = "";
	bool v2 = false;

	if (!pit_mounts_load(root, &mounts, NULL) && !pit_cgroup_load(root, &mounts, 0, &g, NULL) &&
	    pit_cgroup_mode(g) == PIT_CGROUP_V2)
		v2 = !pit_cgroup_dir(g, "memory", dir, sizeof(dir), &v2) && v2;
	snprintf(why, size, g ? "version 2 is not here" : "none are seen here");
	pit_cgroup_free(g);
	if (!v2)
		return false;
	if (!pit_root_statfs(root, &fs, "%s", dir) && (fs.flags & ST_RDONLY)) {
		snprintf(why, size, "%s is mounted read-only", dir);
		return false;
	}
	snprintf(why, size, "%s is not this user's ('systemd-run --user --scope -p Delegate=yes' gives one)", dir);
	return geteuid() == 0 || (!pit_root_stat(root, &st, "%s", dir) && st.uid == (int64_t)geteuid());
}

int pit_job_plan_groups(struct pit_root *root, struct pit_job *j)
{
	pit_auto_buf struct pit_buf asked = PIT_BUF_INIT;
	char why[768];

	asked_of_groups(j, &asked);
	if (j->recorded || can_make_groups(root, why, sizeof(why)))
		return 0;
	if (asked.len)
		return pit_strv_addf(&j->notes, "no control groups: %s: %s cannot be held", why, asked.data);
	return pit_strv_addf(&j->notes,
			     "no control groups: %s: ranks are watched and cleaned up after as processes instead", why);
}

static const struct {
	const char *word;
	int class, level;
} priorities[] = {
	{"idle", 3, 0},          {"best-effort:0", 2, 0}, {"best-effort:1", 2, 1},
	{"best-effort:2", 2, 2}, {"best-effort:3", 2, 3}, {"best-effort:4", 2, 4},
	{"best-effort:5", 2, 5}, {"best-effort:6", 2, 6}, {"best-effort:7", 2, 7},
};

static void spawn_io(const struct pit_job_options *o, struct pit_spawn *s)
{
	for (size_t i = 0; i < o->io.count; i++)
		for (size_t k = 0; k < PIT_COUNT(priorities); k++)
			if (!strcmp(o->io.item[i], priorities[k].word)) {
				s->io_set = true;
				s->io_class = priorities[k].class;
				s->io_level = priorities[k].level;
			}
}

void pit_job_spawn(const struct pit_job *j, int seat, char *const *block, struct pit_spawn *ret)
{
	const struct pit_job_options *o = j->options;
	const struct pit_seat *s = &j->placement.seat[seat];

	*ret = (struct pit_spawn){
		.argv = o->argv,
		.environ = block,
		.dir = o->dir,
		.cpus = &s->cpus,
		.mem = j->mem,
		.mems = &s->mems,
		.limits = j->limits,
		.oom_set = o->oom_set,
		.oom_score_adj = o->oom_score_adj,
		.nice_set = o->nice_set,
		.nice = o->nice,
		.sched_set = o->sched_set,
		.policy = o->policy,
		.priority = o->priority,
		.cgroup = -1,
		.stdio = {-1, -1, -1},
		.death = SIGKILL,
		.terminal = -1,
		.strict = o->strict,
	};
	for (size_t i = 0; i < j->limits; i++) {
		ret->limit[i].resource = j->limit[i].resource;
		ret->limit[i].value = j->limit[i].value;
	}
	spawn_io(o, ret);
}
