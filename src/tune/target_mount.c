/* SPDX-License-Identifier: MIT
 *
 * Options of mounts: "atime TARGET" and "size TARGET" (of a tmpfs). Both calls change that option alone and leave the
 * others as they are; the older calls that kernels before 5.12 need want all flags told, which come from mountinfo.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/parse.h"
#include "base/words.h"
#include "host/mounts.h"
#include "tune/target.h"

enum option { ATIME, SIZE };

static int split(const struct pit_cell *cell, enum option *ret, const char **ret_target, struct pit_error *err)
{
	static const char *const names[] = {[ATIME] = "atime ", [SIZE] = "size "};

	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		size_t len = strlen(names[i]);

		if (strncmp(cell->object, names[i], len) != 0 || cell->object[len] != '/')
			continue;
		*ret = (enum option)i;
		*ret_target = cell->object + len;
		return 0;
	}
	return pit_fail(err, EINVAL, "'%s' is no option of a mount; it is 'atime /DIR' or 'size /DIR'", cell->object);
}

static int find(struct pit_root *root, const char *target, struct pit_mounts *all, const struct pit_mount **ret,
		struct pit_error *err)
{
	int rc = pit_mounts_load(root, all, err);

	if (rc)
		return rc;
	*ret = pit_mounts_find(all, target);
	if (!*ret || strcmp((*ret)->target, target) != 0)
		return pit_fail(err, ENOENT, "nothing is mounted on %s", target);
	return 0;
}

static int read_atime(const struct pit_mount *m, char **ret)
{
	const char *word = pit_words_have(m->options, ",", "noatime")    ? "noatime"
			   : pit_words_have(m->options, ",", "relatime") ? "relatime"
									 : "strictatime";
	bool nodir = pit_words_have(m->options, ",", "nodiratime");

	return asprintf(ret, "%s%s", word, nodir ? ",nodiratime" : "") < 0 ? -ENOMEM : 0;
}

/* Bytes; 0 no limit. The kernel hides the default of half the memory, so that comes from statfs. */
static int read_size(struct pit_root *root, const struct pit_mount *m, char **ret, struct pit_error *err)
{
	struct pit_fsinfo fs;
	const char *shown;
	uint64_t bytes;
	char text[32];
	int rc;

	if (strcmp(m->type, "tmpfs") != 0)
		return pit_fail(err, EOPNOTSUPP, "%s is %s; only a tmpfs has a size to choose", m->target, m->type);
	if (pit_mount_option(m, "size", &shown)) {
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(shown, ","), shown);
		if (pit_parse_size(text, &bytes))
			return pit_fail(err, EBADMSG, "%s: cannot read size=%s of %s", m->file, text, m->target);
	} else {
		rc = pit_root_statfs(root, &fs, "%s", m->target);
		if (rc)
			return pit_fail(err, -rc, "statfs %s: %s", m->target, strerror(-rc));
		if (__builtin_mul_overflow(fs.blocks, fs.bsize, &bytes))
			return pit_fail(err, EBADMSG, "the size of %s makes no sense", m->target);
	}
	return asprintf(ret, "%" PRIu64, bytes) < 0 ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static int read_mount(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	struct pit_mounts all = {0};
	const struct pit_mount *m;
	const char *target;
	enum option option;
	char *value = NULL;
	int rc = split(cell, &option, &target, err);

	rc = rc ? rc : find(root, target, &all, &m, err);
	if (!rc)
		rc = option == ATIME ? read_atime(m, &value) : read_size(root, m, &value, err);
	if (!rc)
		*ret = value;
	pit_mounts_free(&all);
	return rc;
}

static const struct {
	const char *word;
	unsigned long flag; /* of mount(2) */
} kept[] = {
	{.word = "ro", .flag = MS_RDONLY},    {.word = "nosuid", .flag = MS_NOSUID},
	{.word = "nodev", .flag = MS_NODEV},  {.word = "noexec", .flag = MS_NOEXEC},
	{.word = "nosymfollow", .flag = 256}, /* MS_NOSYMFOLLOW */
};

static unsigned long flags_of(const char *options)
{
	unsigned long flags = 0;

	for (size_t i = 0; i < PIT_COUNT(kept); i++)
		flags |= pit_words_have(options, ",", kept[i].word) ? kept[i].flag : 0;
	return flags;
}

static unsigned long atime_of(const char *options)
{
	unsigned long flags = pit_words_have(options, ",", "nodiratime") ? MS_NODIRATIME : 0;

	if (pit_words_have(options, ",", "noatime"))
		return flags | MS_NOATIME;
	return flags | (pit_words_have(options, ",", "relatime") ? MS_RELATIME : MS_STRICTATIME);
}

static int write_atime(const struct pit_mount *m, const char *value, struct pit_error *err)
{
	static const char *const states[] = {"noatime",
					     "relatime",
					     "strictatime",
					     "noatime,nodiratime",
					     "relatime,nodiratime",
					     "strictatime,nodiratime",
					     NULL};
	unsigned long flags = atime_of(value);
	struct mount_attr attr = {.attr_clr = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME};

	if (!pit_is_among(value, states))
		return pit_fail(err, EINVAL,
				"'%s' is no choice for %s; they are noatime, relatime and strictatime, each also with "
				",nodiratime",
				value, m->target);
	attr.attr_set = flags & MS_NOATIME       ? MOUNT_ATTR_NOATIME
			: flags & MS_STRICTATIME ? MOUNT_ATTR_STRICTATIME
						 : MOUNT_ATTR_RELATIME;
	attr.attr_set |= flags & MS_NODIRATIME ? MOUNT_ATTR_NODIRATIME : 0;
	if (!syscall(SYS_mount_setattr, AT_FDCWD, m->target, AT_SYMLINK_NOFOLLOW, &attr, sizeof(attr)))
		return 0;
	if (errno == ENOSYS &&
	    !syscall(SYS_mount, NULL, m->target, NULL, MS_REMOUNT | MS_BIND | flags_of(m->options) | flags, NULL))
		return 0;
	return pit_fail(err, errno, "remount %s with %s: %s", m->target, value, strerror(errno));
}

/* What the kernel says about a refused option: "e tmpfs: Too small a size for current use". */
static void kernel_says(int fd, int code, char *ret, size_t size)
{
	char text[256];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n > 2) {
		text[n] = '\0';
		pit_first_line(text + 2, ret, size);
	} else {
		snprintf(ret, size, "%s", strerror(code));
	}
}

static int write_size(const struct pit_mount *m, const char *value, struct pit_error *err)
{
	pit_auto_close int fd = -1;
	char why[256], data[64];
	uint64_t bytes;

	if (pit_parse_u64(value, &bytes))
		return pit_fail(err, EINVAL, "'%s' is no number of bytes for %s", value, m->target);
	if (strcmp(m->type, "tmpfs") != 0)
		return pit_fail(err, EOPNOTSUPP, "%s is %s; only a tmpfs has a size to choose", m->target, m->type);
	fd = (int)syscall(SYS_fspick, AT_FDCWD, m->target, FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW);
	if (fd >= 0) {
		if (!syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, "size", value, 0) &&
		    !syscall(SYS_fsconfig, fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
			return 0;
		int code = errno;

		kernel_says(fd, code, why, sizeof(why));
		return pit_fail(err, code, "remount %s with size=%s: %s", m->target, value, why);
	}
	snprintf(data, sizeof(data), "size=%" PRIu64, bytes);
	if (errno == ENOSYS &&
	    !syscall(SYS_mount, NULL, m->target, NULL,
		     MS_REMOUNT | flags_of(m->options) | flags_of(m->super_options) | atime_of(m->options), data))
		return 0;
	return pit_fail(err, errno, "remount %s with size=%s: %s", m->target, value, strerror(errno));
}

static int write_mount(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	struct pit_mounts all = {0};
	const struct pit_mount *m;
	const char *target;
	enum option option;
	int rc = split(cell, &option, &target, err);

	if (!rc && !value)
		rc = pit_fail(err, EINVAL, "%s cannot be absent", cell->object);
	if (!rc && !pit_place_is_live(place))
		rc = pit_fail(err, EOPNOTSUPP, "mounts cannot be rehearsed: %s", target);
	rc = rc ? rc : find(pit_place_now(place), target, &all, &m, err);
	if (!rc)
		rc = option == ATIME ? write_atime(m, value, err) : write_size(m, value, err);
	pit_mounts_free(&all);
	return rc;
}

static void shell_mount(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	const char *target;
	enum option option;

	if (split(cell, &option, &target, NULL) || !value)
		return;
	pit_buf_printf(out, "mount -o remount,%s%s ", option == SIZE ? "size=" : "", value);
	pit_shell_quote(target, out);
	pit_buf_putc(out, '\n');
}

const struct pit_target pit_target_mount = {
	.name = "mount",
	.runtime = true,
	.read = read_mount,
	.write = write_mount,
	.shell = shell_mount,
};
