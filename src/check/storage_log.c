/* SPDX-License-Identifier: MIT
 *
 * What the kernel reports of disks: its messages, and /proc/mdstat.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "base/parse.h"
#include "check/log_rows.h"
#include "check/storage.h"

/* A line that holds `a` and, behind it, `b` (NULL: anything) and not `but`. */
struct trouble {
	const char *a, *b, *but;
	enum pit_status status;
	const char *says; /* short */
};

static const struct trouble io_troubles[] = {
	{.a = "EXT4-fs error", .status = PIT_FAIL, .says = "ext4 found damage"},
	{.a = "EXT4-fs (", .b = "previous I/O error to superblock", .status = PIT_FAIL, .says = "ext4 cannot write"},
	{.a = "XFS (", .b = "orruption", .status = PIT_FAIL, .says = "XFS found damage"},
	{.a = "XFS (", .b = "metadata I/O error", .status = PIT_FAIL, .says = "XFS cannot read or write"},
	{.a = "XFS (", .b = "log I/O error", .status = PIT_FAIL, .says = "XFS cannot write its log"},
	{.a = "BTRFS critical", .status = PIT_FAIL, .says = "btrfs found damage"},
	{.a = "BTRFS error", .but = "open_ctree failed", .status = PIT_FAIL, .says = "btrfs reports errors"},
	{.a = "critical medium error, dev ", .status = PIT_FAIL, .says = "a disk cannot read its medium"},
	{.a = "I/O error, dev ", .status = PIT_FAIL, .says = "a disk fails to read or write"},
	{.a = "Buffer I/O error on dev",
	 .but = "dev loop",
	 .status = PIT_FAIL,
	 .says = "a disk fails to read or write"},
	{.a = "attempt to access beyond end of device",
	 .status = PIT_WARN,
	 .says = "a file system larger than its disk"},
	{.a = "nvme nvme",
	 .b = "controller is down; will reset",
	 .status = PIT_FAIL,
	 .says = "an NVMe drive went away"},
	{.a = "nvme nvme",
	 .b = "Device not ready; aborting",
	 .status = PIT_FAIL,
	 .says = "an NVMe drive does not start"},
	{.a = "nvme nvme",
	 .b = "Removing after probe failure",
	 .status = PIT_FAIL,
	 .says = "an NVMe drive was given up"},
	{.a = "nvme nvme", .b = " timeout, ", .status = PIT_WARN, .says = "an NVMe drive did not answer in time"},
	{.a = "md/raid", .b = "Disk failure on", .status = PIT_FAIL, .says = "a RAID array lost a disk"},
	{.a = "md: super_written gets error", .status = PIT_FAIL, .says = "a RAID array cannot write"},
	{.a = "device-mapper: thin:", .b = "out-of-data-space", .status = PIT_FAIL, .says = "a thin pool is full"},
	{.a = "device-mapper: thin:", .b = "low water mark", .status = PIT_WARN, .says = "a thin pool is nearly full"},
	{.a = NULL},
};

static const struct trouble read_only_troubles[] = {
	{.a = "Remounting filesystem read-only", .status = PIT_FAIL, .says = "a file system went read-only"},
	{.a = "XFS (", .b = "Filesystem has been shut down", .status = PIT_FAIL, .says = "XFS has shut down"},
	{.a = "XFS (", .b = "Shutting down filesystem", .status = PIT_FAIL, .says = "XFS has shut down"},
	{.a = "XFS (", .b = "has been shut down due to", .status = PIT_FAIL, .says = "XFS has shut down"},
	{.a = "BTRFS", .b = "forced readonly", .status = PIT_FAIL, .says = "btrfs went read-only"},
	{.a = NULL},
};

static const struct trouble nfs_troubles[] = {
	{.a = "nfs: server ", .b = "not responding, timed out", .status = PIT_WARN, .says = "NFS requests gave up"},
	{.a = "nfs: server ", .b = "not responding, still trying", .status = PIT_WARN, .says = "an NFS server stalled"},
	{.a = "NFS: ", .b = "lock reclaim failed", .status = PIT_WARN, .says = "NFS locks were lost"},
	{.a = "NFS: ", .b = "Lost ", .status = PIT_WARN, .says = "NFS locks were lost"},
	{.a = "NFSv4: state recovery failed", .status = PIT_WARN, .says = "NFS open files were lost"},
	{.a = "CIFS: ", .b = "has not responded in", .status = PIT_WARN, .says = "an SMB server stalled"},
	{.a = "LustreError:", .b = "timed out", .status = PIT_WARN, .says = "Lustre requests timed out"},
	{.a = NULL},
};

/* Floppy and CD drives of virtual machines report errors although nobody uses them; so do devices that come and go. */
static bool is_idle_device(const char *text)
{
	static const char *const heads[] = {"fd", "sr", "loop", "nbd", "zram", "ram"};
	const char *name = strstr(text, " dev ");

	for (size_t i = 0; name && i < PIT_COUNT(heads); i++) {
		size_t len = strlen(heads[i]);

		if (!strncmp(name + 5, heads[i], len) && name[5 + len] >= '0' && name[5 + len] <= '9')
			return true;
	}
	return false;
}

static const struct trouble *match(const struct trouble *table, const char *text)
{
	for (const struct trouble *t = table; t->a; t++) {
		const char *at = strstr(text, t->a);

		if (at && (!t->b || strstr(at + strlen(t->a), t->b)) && (!t->but || !strstr(text, t->but)))
			return is_idle_device(text) ? NULL : t;
	}
	return NULL;
}

/* Counts the lines of each kind, newest as evidence. */
static void scan(const struct pit_kmsg *k, const struct trouble *table, struct pit_facts *facts,
		 struct pit_offenders *o, struct pit_finding *out)
{
	for (const struct trouble *t = table; t->a; t++) {
		const struct pit_kmsg_line *last = NULL;
		size_t lines = 0;
		double age;
		char text[32];

		for (size_t i = 0; i < k->count; i++) {
			if (match(table, k->item[i].text) != t)
				continue;
			last = &k->item[i];
			lines++;
		}
		if (!last)
			continue;
		age = pit_log_age(facts, last->usec);
		pit_format_age(age, text, sizeof(text));
		pit_offend(o, t->status, age >= 0 && age < PIT_LOG_RECENT ? PIT_HURTING : PIT_RISK,
			   "%s (%zu line%s, last %s%s)", t->says, lines, lines == 1 ? "" : "s",
			   age < 0 ? "since boot" : text, age < 0 ? "" : " ago");
		pit_evidence(out, k->source, "%s", last->text);
	}
}

static int judge_log(struct pit_facts *facts, const struct trouble *table, struct pit_offenders *o,
		     struct pit_finding *out, struct pit_error *err)
{
	const struct pit_kmsg *kmsg;
	int rc = pit_facts_kmsg(facts, &kmsg, err);

	if (!rc)
		scan(kmsg, table, facts, o, out);
	return rc;
}

int pit_probe_io_errors(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_offenders o = {0};
	int rc = judge_log(facts, io_troubles, &o, out, err);

	pit_want(out, "none since boot");
	return rc ? rc : pit_offenders_judge(&o, out, "none in the kernel's messages");
}

/* A file system that was mounted for writing and that the kernel itself has closed for it: the mount says rw, the file
 * system ro. */
static bool went_read_only(const struct pit_mount *m)
{
	static const char *const types[] = {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs"};
	bool known = false;

	for (size_t i = 0; i < PIT_COUNT(types); i++)
		known |= !strcmp(m->type, types[i]);
	if (!known)
		return false;
	if (pit_mount_has(m, "emergency_ro", NULL) || pit_mount_has(m, "shutdown", NULL))
		return true;
	return !strncmp(m->options, "rw", 2) && !strncmp(m->super_options, "ro", 2) &&
	       strchr(",", m->super_options[2]) != NULL;
}

int pit_probe_read_only(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	pit_auto_mount_list struct pit_mount_list mounts = {0};
	struct pit_offenders o = {0};
	int rc = pit_storage_mounts(facts, went_read_only, &mounts, err), log;

	if (rc)
		return rc;
	for (size_t i = 0; i < mounts.count; i++) {
		const struct pit_mount *m = mounts.item[i];

		pit_offend(&o, PIT_FAIL, PIT_HURTING, "%s went read-only", m->target);
		pit_evidence(out, m->file, "%s %s: mount %s, file system %s", m->target, m->type, m->options,
			     m->super_options);
	}
	log = judge_log(facts, read_only_troubles, &o, out, NULL);
	pit_want(out, "none");
	if (log && !o.count)
		pit_evidence(out, "kernel's messages", "not seen (%s); judged by the mounts alone",
			     pit_state_name(pit_root_state(log)));
	return pit_offenders_judge(&o, out, "none");
}

int pit_probe_nfs_stalls(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_offenders o = {0};
	int rc = judge_log(facts, nfs_troubles, &o, out, err);

	pit_want(out, "none since boot");
	return rc ? rc : pit_offenders_judge(&o, out, "none in the kernel's messages");
}

/* "md0 : active raid1 sdb1[1] sda1[0](F)" */
static bool start_array(const char *line, struct pit_md *ret)
{
	struct pit_md md = {0};
	char state[32] = "", level[16] = "";
	int used = 0;

	if (strncmp(line, "md", 2) != 0 || sscanf(line, "%31s : %31s%n", md.name, state, &used) != 2)
		return false;
	md.active = !strcmp(state, "active");
	line += used + strspn(line + used, " ");
	if (*line == '(' && strchr(line, ')'))
		line = strchr(line, ')') + 1;
	if (md.active && sscanf(line, "%15s", level) == 1 && !strchr(level, '['))
		memcpy(md.level, level, sizeof(level));
	for (const char *f = strstr(line, "(F)"); f; f = strstr(f + 3, "(F)"))
		md.failed++;
	*ret = md;
	return true;
}

static void read_details(const char *line, struct pit_md *md)
{
	static const char *const syncs[] = {"recovery", "resync", "reshape", "check"};
	unsigned want, have;

	for (const char *open = strchr(line, '['); open; open = strchr(open + 1, '[')) {
		char end;

		if (sscanf(open, "[%u/%u%c", &want, &have, &end) == 3 && end == ']' && !md->want) {
			md->want = want;
			md->have = have;
		}
	}
	for (size_t i = 0; i < PIT_COUNT(syncs); i++) {
		const char *at = strstr(line, syncs[i]), *value = at ? at + strlen(syncs[i]) : NULL;

		if (!value || (strncmp(value, " =", 2) != 0 && *value != '='))
			continue;
		snprintf(md->sync, sizeof(md->sync), "%s", syncs[i]);
		(void)sscanf(value + strspn(value, " ="), "%lf", &md->percent);
	}
}

size_t pit_mdstat_parse(const char *text, struct pit_md *ret)
{
	pit_auto_strv struct pit_strv lines = {0};
	struct pit_md *now = NULL;
	size_t n = 0;

	if (pit_strv_split(&lines, text, "\n"))
		return 0;
	for (size_t i = 0; i < lines.count; i++) {
		struct pit_md md;

		if (n < PIT_MD_MAX && start_array(lines.item[i], &md)) {
			ret[n] = md;
			now = &ret[n++];
		} else if (now && lines.item[i][0] == ' ') {
			read_details(lines.item[i], now);
		} else {
			now = NULL;
		}
	}
	return n;
}

static void judge_md(const struct pit_md *md, struct pit_offenders *o, struct pit_finding *out)
{
	if (md->active && md->have >= md->want && !md->failed && (!*md->sync || !strcmp(md->sync, "check")))
		return;
	pit_evidence(out, "/proc/mdstat", "%s %s %s: %u of %u members, %u failed%s%s", md->name,
		     md->active ? "active" : "inactive", md->level, md->have, md->want, md->failed,
		     *md->sync ? ", " : "", md->sync);
	if (!md->active)
		pit_offend(o, PIT_FAIL, PIT_HURTING, "%s is inactive", md->name);
	else if (*md->sync && strcmp(md->sync, "check") != 0)
		pit_offend(o, PIT_WARN, PIT_HURTING, "%s: %s at %.0f%%", md->name, md->sync, md->percent);
	else
		pit_offend(o, PIT_FAIL, PIT_RISK, "%s is degraded: %u of %u", md->name, md->have, md->want);
}

int pit_probe_md(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	struct pit_md arrays[PIT_MD_MAX];
	struct pit_offenders o = {0};
	struct pit_text text;
	size_t n;
	int rc = pit_root_read(pit_facts_root(facts), &text, "/proc/mdstat");

	if (rc)
		return pit_fail(err, -rc, "no software RAID here (/proc/mdstat)");
	n = pit_mdstat_parse(text.data, arrays);
	if (!n)
		return pit_skip(out, "no software RAID array here");
	for (size_t i = 0; i < n; i++)
		judge_md(&arrays[i], &o, out);
	pit_want(out, "every array active and whole");
	return pit_offenders_judge(&o, out, "%zu array%s whole", n, n == 1 ? "" : "s");
}
