/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "launch/leaf_group.h"
#include "launch/leaf_inside.h"

#define CPU_PERIOD 100000 /* microseconds, the kernel's default */

static const struct {
	const char *controller, *lost;
} controllers[] = {
	{.controller = "memory", .lost = "memory has no limits, and an OOM kill is not counted"},
	{.controller = "cpu", .lost = "CPU time has no limit"},
	{.controller = "pids", .lost = "processes are not counted"},
	{.controller = "io", .lost = "I/O has no limits"},
	{.controller = "cpuset", .lost = "CPUs are bound by affinity alone"},
};
const char *const pit_leaf_controllers[] = {"memory", "cpu", "pids", "io", "cpuset", NULL};

const char *pit_leaf_lost(const char *controller)
{
	for (size_t i = 0; i < PIT_COUNT(controllers); i++)
		if (!strcmp(controllers[i].controller, controller))
			return controllers[i].lost;
	return "";
}

int pit_leaf_miss(struct pit_leaves *l, const char *controller, struct pit_strv *notes, const char *fmt, ...)
{
	char why[512];
	va_list args;
	int rc;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	rc = pit_strv_add(&l->told, controller);
	if (!rc)
		rc = pit_strv_add(&l->why, why);
	return rc ? rc : pit_strv_addf(notes, "%s: %s", why, pit_leaf_lost(controller));
}

char *pit_leaf_cpu_max(double cpus, char *out, size_t size)
{
	snprintf(out, size, "%.0f %d", cpus * CPU_PERIOD, CPU_PERIOD);
	return out;
}

int pit_leaf_io_line(const char *line, char *out, size_t size)
{
	size_t word = strcspn(line, " \t");
	const char *rest = line + word + strspn(line + word, " \t");
	unsigned major, minor;
	char path[256], end;
	struct stat st;

	if (!*rest || word >= sizeof(path))
		return -EINVAL;
	snprintf(path, sizeof(path), "%.*s", (int)word, line);
	if (*path == '/') {
		if (stat(path, &st))
			return -errno;
		if (!S_ISBLK(st.st_mode))
			return -ENOTBLK;
		major = major(st.st_rdev);
		minor = minor(st.st_rdev);
	} else if (!isdigit((unsigned char)*path) || sscanf(path, "%u:%u%c", &major, &minor, &end) != 2) {
		return -EINVAL;
	}
	return snprintf(out, size, "%u:%u %s", major, minor, rest) < (int)size ? 0 : -ENAMETOOLONG;
}

struct target {
	struct pit_leaves *leaves;
	int dir;
	const char *path;
	struct pit_strv *notes;
	struct pit_error *err;
};

/* Whether the group has it; the first time that one is missing gives a note. */
static bool has(const struct target *t, const char *controller)
{
	if (pit_group_lists(t->dir, "cgroup.controllers", controller))
		return true;
	if (pit_strv_has(&t->leaves->told, controller))
		return false;
	(void)pit_leaf_miss(t->leaves, controller, t->notes, "%s has no controller %s", t->path, controller);
	return false;
}

static int put(const struct target *t, const char *file, const char *text)
{
	int rc = pit_group_write(t->dir, file, text);

	return rc ? pit_fail(t->err, -rc, "%s/%s: cannot write '%s': %s", t->path, file, text, strerror(-rc)) : 0;
}

static int put_bytes(const struct target *t, const char *file, uint64_t bytes)
{
	char text[32];

	if (!bytes || bytes == PIT_UNLIMITED)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	return has(t, "memory") ? put(t, file, text) : 0;
}

static int limit_memory(const struct target *t, const struct pit_leaf_limits *limits)
{
	int rc = put_bytes(t, "memory.max", limits->memory_max);

	if (!rc)
		rc = put_bytes(t, "memory.high", limits->memory_high);
	if (rc || !limits->oom_group || !has(t, "memory"))
		return rc;
	rc = put(t, "memory.oom.group", "1");
	if (rc == -ENOENT) { /* before Linux 4.19 */
		(void)pit_strv_addf(t->notes, "%s has no memory.oom.group: the OOM killer ends single processes",
				    t->path);
		rc = 0;
	}
	return rc;
}

static int limit_cpu(const struct target *t, const struct pit_leaf_limits *limits)
{
	char text[64];

	if (!(limits->cpu_max > 0) || !has(t, "cpu"))
		return 0;
	return put(t, "cpu.max", pit_leaf_cpu_max(limits->cpu_max, text, sizeof(text)));
}

static int limit_io(const struct target *t, const struct pit_leaf_limits *limits)
{
	for (size_t i = 0; limits->io && i < limits->io->count; i++) {
		const char *line = limits->io->item[i];
		char text[512];
		int rc = pit_leaf_io_line(line, text, sizeof(text));

		if (rc == -EINVAL)
			return pit_fail(t->err, EINVAL,
					"'%s' is no limit for I/O such as '/dev/nvme0n1 rbps=100000000'", line);
		if (rc)
			return pit_fail(t->err, -rc, "I/O limit '%s': %s", line, strerror(-rc));
		rc = has(t, "io") ? put(t, "io.max", text) : 0;
		if (rc == -ENODEV)
			return pit_fail(t->err, ENODEV, "%s/io.max: cannot write '%s': there is no such whole disk",
					t->path, text);
		if (rc)
			return rc;
	}
	return 0;
}

/* The kernel takes any set and uses the part that the group above has: what became of it is read back. */
static int put_set(const struct target *t, const char *file, const char *effective, const struct pit_idset *set)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT, now = PIT_BUF_INIT;
	pit_auto_idset struct pit_idset used = {0};
	int rc;

	if (!set || pit_idset_is_empty(set) || !has(t, "cpuset"))
		return 0;
	pit_idset_print(set, &text);
	rc = put(t, file, text.data);
	if (rc || pit_group_read(t->dir, effective, &now) || pit_idset_parse(now.data, &used, NULL))
		return rc;
	if (!pit_idset_equal(&used, set))
		(void)pit_strv_addf(t->notes, "%s/%s: asked for %s, the groups above allow %.*s", t->path, file,
				    text.data, (int)strcspn(now.data, "\n"), now.data);
	return 0;
}

int pit_leaf_limit(struct pit_leaves *l, int dir, const char *path, const struct pit_leaf_limits *limits,
		   struct pit_strv *notes, struct pit_error *err)
{
	const struct target t = {.leaves = l, .dir = dir, .path = path, .notes = notes, .err = err};
	int rc = limit_memory(&t, limits);

	if (!rc)
		rc = limit_cpu(&t, limits);
	if (!rc)
		rc = limit_io(&t, limits);
	if (!rc)
		rc = put_set(&t, "cpuset.cpus", "cpuset.cpus.effective", limits->cpus);
	return rc ? rc : put_set(&t, "cpuset.mems", "cpuset.mems.effective", limits->mems);
}
