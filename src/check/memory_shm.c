/* SPDX-License-Identifier: MIT
 *
 * /dev/shm: its size, its fill, and what dead processes left there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/devices.h"
#include "check/counters.h"

#define DOCKER_DEFAULT (UINT64_C(64) << 20)
#define NCCL_NEEDS (UINT64_C(1) << 30)
#define LOOKED_AT 2000 /* files in /dev/shm */
#define OLD 86400      /* seconds without a change after which a file may be left over */
#define JUST_BORN 600  /* a file younger than that belongs to somebody whose process we may not see yet */
#define LEFT_BYTES (UINT64_C(64) << 20)
#define LEFT_FILES 100

static int load(struct pit_facts *facts, uint64_t *ret_size, uint64_t *ret_left, struct pit_error *err)
{
	struct pit_fsinfo fs;
	int rc = pit_root_statfs(pit_facts_root(facts), &fs, "/dev/shm");

	if (rc)
		return pit_fail(err, -rc, "/dev/shm");
	if (__builtin_mul_overflow(fs.blocks, fs.bsize, ret_size) ||
	    __builtin_mul_overflow(fs.bavail, fs.bsize, ret_left) || *ret_left > *ret_size)
		return pit_fail(err, EBADMSG, "the sizes of /dev/shm");
	return 0;
}

static int probe_size(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	uint64_t size, left;
	bool training = pit_facts_options(facts)->workload == PIT_TRAINING;
	const struct pit_platform *platform;
	int gpus = pit_gpu_count(facts);
	char text[32];
	int rc = load(facts, &size, &left, err);

	if (rc)
		return rc;
	pit_want(out, gpus > 0 ? "at least 1 GiB" : "more than 64 MiB");
	pit_format_size(size, text, sizeof(text));
	pit_evidence(out, "/dev/shm", "%s, %" PRIu64 " MiB left", text, left >> 20);
	if (!size)
		return pit_pass(out, "no limit");
	if (size > DOCKER_DEFAULT && (gpus <= 0 || size >= NCCL_NEEDS))
		return pit_pass(out, "%s", text);
	if (!pit_facts_platform(facts, &platform, NULL) && !platform->container[0])
		pit_command(out, "mount -o remount,size=50%% /dev/shm");
	if (size > DOCKER_DEFAULT)
		return pit_bad(out, "%s", text);
	return pit_judge(out, gpus > 1 || (gpus > 0 && training) ? PIT_FAIL : PIT_WARN, PIT_RISK,
			 "%s, a container's default", text);
}

static int probe_used(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	uint64_t size, left;
	double share;
	char a[32], b[32];
	int rc = load(facts, &size, &left, err);

	if (rc)
		return rc;
	pit_want(out, "below 80%%");
	if (!size)
		return pit_pass(out, "no limit");
	share = 100.0 * (double)(size - left) / (double)size;
	pit_format_size(size - left, a, sizeof(a));
	pit_format_size(size, b, sizeof(b));
	pit_evidence(out, "/dev/shm", "%s of %s", a, b);
	if (share >= 95)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "%s of %s", a, b);
	if (share >= 80)
		return pit_bad(out, "%s of %s", a, b);
	return pit_pass(out, "%s of %s", a, b);
}

/* The process that made the file, where the name tells it; 0 it does not. */
static int maker_of(const char *name)
{
	int pid = 0;

	if (sscanf(name, "torch_%d_", &pid) == 1 || sscanf(name, "__KMP_REGISTERED_LIB_%d", &pid) == 1)
		return pid > 0 ? pid : 0;
	return 0;
}

struct leftovers {
	struct pit_facts *facts;
	const struct pit_procs *procs; /* NULL unknown */
	int64_t now;
	uint64_t bytes;
	size_t files, orphans;
};

static void look_at(struct leftovers *l, const char *name, struct pit_finding *out)
{
	struct pit_stat st;
	char path[300], size[32], age[32];
	int maker = maker_of(name);
	bool orphan;
	int64_t old;

	if (pit_root_stat(pit_facts_root(l->facts), &st, "/dev/shm/%s", name) || !S_ISREG(st.mode) || !st.mtime)
		return;
	old = l->now - st.mtime;
	orphan = maker && l->procs && !l->procs->hidden && !pit_procs_find(l->procs, maker) && old >= JUST_BORN;
	if (!orphan && old < OLD)
		return;
	l->files++;
	l->orphans += orphan;
	l->bytes += st.size < UINT64_C(1) << 50 ? st.size : 0;
	snprintf(path, sizeof(path), "/dev/shm/%.255s", name);
	pit_evidence(out, path, "%s, unchanged for %s%s", pit_format_size(st.size, size, sizeof(size)),
		     pit_format_age((double)old, age, sizeof(age)), orphan ? ", its process is gone" : "");
}

static int probe_leftovers(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	struct leftovers l = {.facts = facts};
	const struct pit_strv *names;
	char size[32];
	int rc = pit_root_list(pit_facts_root(facts), &names, "/dev/shm");

	if (rc)
		return pit_fail(err, -rc, "/dev/shm");
	pit_want(out, "none of 64 MiB or 100 files");
	if (!names->count)
		return pit_pass(out, "/dev/shm is empty");
	rc = pit_clock(facts, &l.now, err);
	if (rc)
		return rc;
	(void)pit_facts_procs(facts, &l.procs, NULL);
	for (size_t i = 0; i < names->count && i < LOOKED_AT; i++)
		look_at(&l, names->item[i], out);
	pit_format_size(l.bytes, size, sizeof(size));
	if (l.bytes < LEFT_BYTES && l.files < LEFT_FILES)
		return pit_pass(out, "%zu old files, %s", l.files, size);
	if (l.orphans == l.files)
		return pit_bad(out, "%zu files of dead processes, %s", l.files, size);
	return pit_bad(out, "%zu old files, %s", l.files, size);
}

const struct pit_check pit_check_memory_shm[] = {
	{
		.id = "memory.shm-size",
		.title = "Size of /dev/shm",
		.why = "NCCL and the workers of a DataLoader exchange data through /dev/shm, and the 64 MiB of a container are full after "
		       "a few batches. The job dies with a bus error or 'No space left on device'; a server on one GPU may get along.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_size,
		.knob = "shm.size",
		.remedy =
			"Start the container with --shm-size=16g or --ipc=host (Kubernetes: an emptyDir of medium Memory on /dev/shm); "
			"on a host set size=50% for /dev/shm in /etc/fstab and remount it.",
		.source = "NCCL documentation; stas00 ml-engineering network/debug; pytorch#5040",
		.refs = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html",
	},
	{
		.id = "memory.shm-used",
		.title = "Fill of /dev/shm",
		.why = "When /dev/shm is full, new ranks and loader workers fail at start and running ones die with a bus error. What lies "
		       "there also takes memory from everything else.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_used,
		.remedy = "Remove what dead jobs left there, or make /dev/shm larger.",
		.source = "pytorch#1355; 80% and 95% are pitcrew's thresholds",
	},
	{
		.id = "memory.shm-leftovers",
		.title = "Files that dead jobs left in /dev/shm",
		.why = "A job that was killed cannot remove its shared memory, which stays in use until somebody does. A few such jobs "
		       "fill /dev/shm, and the next ones fail.",
		.area = PIT_AREA_MEMORY,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_leftovers,
		.remedy =
			"Make sure that nobody uses them (fuser -v /dev/shm/*) and remove them, best in the job's epilog.",
		.source = "nebius soperator's epilog cleans /dev/shm; thresholds are pitcrew's",
	},
	{.id = NULL},
};
