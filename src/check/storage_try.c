/* SPDX-License-Identifier: MIT
 *
 * What can only be known by trying: io_uring and O_DIRECT. Nothing is left behind, and nothing can hang us.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "check/storage.h"
#include "host/try.h"

static int make_io_uring(const char *name, void *arg, struct pit_buf *out)
{
	struct io_uring_params p = {0};
	pit_auto_close int fd = (int)syscall(__NR_io_uring_setup, 4, &p);

	if (fd < 0)
		pit_buf_printf(out, "errno %d\n", errno);
	else
		pit_buf_printf(out, "errno 0\nfeatures %u\n", p.features);
	return 0;
}

static int try_io_uring(const char *name, void *arg, struct pit_buf *out)
{
	return pit_try(300, make_io_uring, name, arg, out);
}

int pit_probe_io_uring(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_text text;
	uint64_t code;
	int64_t off;
	int rc = pit_root_fact(pit_facts_root(facts), "io_uring", try_io_uring, NULL, &text);

	if (rc == -EPERM)
		text = (struct pit_text){.data = "errno 1\n"};
	else if (rc)
		return pit_fail(err, -rc, "a call of io_uring_setup()");
	if (pit_kv_u64(text.data, "errno", &code) || code > 4095)
		return pit_fail(err, EBADMSG, "what io_uring_setup() said");
	pit_want(out, "usable");
	pit_evidence(out, "io_uring_setup()", "%s", code ? strerror((int)code) : "works");
	if (!code)
		return pit_pass(out, "usable");
	if (code == EPERM && !pit_root_i64(pit_facts_root(facts), &off, "/proc/sys/kernel/io_uring_disabled") &&
	    off > 0)
		return pit_skip(out, "switched off by kernel.io_uring_disabled: security.io-uring tells");
	if (code == ENOMEM)
		return pit_bad(out, "no memory that may be locked (ulimit -l)");
	return pit_bad(out, code == ENOSYS ? "not in this kernel, or a filter hides it" : "refused: %s",
		       strerror((int)code));
}

#define BLOCK 65536 /* a multiple of every logical block and page size */

/* A file without a name, written and read past the page cache. 0, or the errno of the first call that failed. */
static int try_new_file(const char *dir, void *block)
{
	pit_auto_close int fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	memset(block, 0, BLOCK);
	if (pwrite(fd, block, BLOCK, 0) != BLOCK)
		return errno ? errno : EIO;
	return pread(fd, block, BLOCK, 0) < 0 ? errno : 0;
}

static int try_file(int dir, const char *name, void *block)
{
	pit_auto_close int fd = openat(dir, name, O_RDONLY | O_DIRECT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);

	if (fd < 0)
		return errno;
	return pread(fd, block, BLOCK, 0) < 0 ? errno : 0;
}

/* The first plain files that are there. -1: none. */
static int try_old_file(const char *path, void *block)
{
	pit_auto_closedir DIR *dir = opendir(path);
	int code = -1;

	for (int i = 0; dir && i < 200 && (code < 0 || code == EACCES); i++) {
		struct dirent *e = readdir(dir);

		if (!e)
			break;
		if (e->d_type == DT_REG)
			code = try_file(dirfd(dir), e->d_name, block);
	}
	return code;
}

static int make_direct(const char *name, void *arg, struct pit_buf *out)
{
	void *block;
	int made, old;

	if (posix_memalign(&block, BLOCK, BLOCK))
		return -ENOMEM;
	made = try_new_file(arg, block);
	old = made ? try_old_file(arg, block) : -1;
	free(block);
	pit_buf_printf(out, "new %d\nold %d\n", made, old);
	return 0;
}

static int try_direct(const char *name, void *arg, struct pit_buf *out)
{
	return pit_try(500, make_direct, name, arg, out);
}

static int read_direct(struct pit_facts *facts, char *dir, int *ret_new, int *ret_old)
{
	struct pit_text text;
	char name[512];
	int rc;

	pit_fact_name(name, sizeof(name), "direct-io", dir);
	rc = pit_root_fact(pit_facts_root(facts), name, try_direct, dir, &text);
	if (!rc && sscanf(text.data, "new %d old %d", ret_new, ret_old) != 2)
		rc = -EBADMSG;
	return rc;
}

/* One directory: 0 works, 1 does not, -errno unknown. EINVAL and EOPNOTSUPP are the file system's "no". */
static int judge_direct(struct pit_facts *facts, const struct pit_place *p, struct pit_offenders *o,
			struct pit_finding *out, struct pit_error *err)
{
	char dir[4096];
	int made, old, code, rc;

	memcpy(dir, p->path, sizeof(dir));
	rc = pit_mount_answers(facts, p->mount, err);
	if (rc)
		return rc;
	rc = read_direct(facts, dir, &made, &old);
	if (rc)
		return pit_fail(err, -rc, "O_DIRECT in %s", p->path);
	code = made && old >= 0 ? old : made;
	if (code && code != EINVAL)
		return pit_fail(err, code, "no file to try O_DIRECT with in %s", p->path);
	pit_evidence(out, p->path, "O_DIRECT on %s: %s", p->mount->type, code ? strerror(code) : "works");
	if (code)
		pit_offend(o, PIT_WARN, PIT_RISK, "no O_DIRECT on %s (%s)", p->path, p->mount->type);
	return 0;
}

/* The working directory stands in for options that were not given. */
static int here(struct pit_facts *facts, struct pit_place *ret, struct pit_error *err)
{
	const struct pit_mounts *mounts;
	const char *cwd;
	int rc = pit_facts_mounts(facts, &mounts, err);

	if (rc)
		return rc;
	rc = pit_root_link(pit_facts_root(facts), &cwd, "/proc/self/cwd");
	if (rc)
		return pit_fail(err, -rc, "the working directory");
	snprintf(ret->path, sizeof(ret->path), "%s", cwd);
	ret->mount = pit_mounts_find(mounts, cwd);
	return ret->mount ? 0 : pit_fail(err, ENOENT, "no mount holds %s", cwd);
}

int pit_probe_direct_io(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_offenders o = {0};
	struct pit_place place;
	int data = pit_place_data(facts, &place, NULL, err), checkpoint, rc = 0;

	if (!data)
		rc = judge_direct(facts, &place, &o, out, err);
	checkpoint = pit_place_checkpoint(facts, &place, NULL, err);
	if (!checkpoint && !rc)
		rc = judge_direct(facts, &place, &o, out, err);
	if (data < 0 || checkpoint < 0)
		return data < 0 ? data : checkpoint;
	if (data && checkpoint) {
		rc = here(facts, &place, err);
		if (rc)
			return rc;
		rc = judge_direct(facts, &place, &o, out, err);
		if (o.count)
			return pit_skip(out, "not usable in %s (%s); give --data PATH to judge that", place.path,
					place.mount->type);
	}
	if (rc && !o.count)
		return rc;
	pit_want(out, "usable");
	return pit_offenders_judge(&o, out, "usable");
}
