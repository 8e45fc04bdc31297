/* SPDX-License-Identifier: MIT
 *
 * System calls that fail: the functions below stand before libc's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
/**/
#include <cmocka.h>
#include <sched.h>

#include "save_world.h"

enum call { FALLOCATE, WRITE, FTRUNCATE, FCHMOD, FSYNC, RENAME, SYMLINK, CALLS };

/* The `nth` call of that kind from now on fails with `code`. */
static struct {
	enum call call;
	int nth, code;
	atomic_int count;
	atomic_bool hit;
	int failed_fd; /* of fsync */
	bool again;    /* ... which was called on the same file once more */
} fault = {.call = CALLS};

static bool fails(enum call call)
{
	if (call != fault.call || atomic_fetch_add(&fault.count, 1) + 1 != fault.nth)
		return false;
	fault.hit = true;
	errno = fault.code;
	return true;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	return fails(FALLOCATE) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	if (fails(WRITE))
		return -1;
	if (fault.call == WRITE && fault.code == EINTR && iov->iov_len > 1) { /* and short ones */
		struct iovec half = {.iov_base = iov->iov_base, .iov_len = iov->iov_len / 2};

		return syscall(SYS_pwritev2, fd, &half, 1UL, offset, 0L, flags);
	}
	return syscall(SYS_pwritev2, fd, iov, (unsigned long)n, offset, 0L, flags);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	return fails(WRITE) ? -1 : syscall(SYS_pwrite64, fd, data, len, offset);
}

int ftruncate(int fd, off_t len)
{
	return fails(FTRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int fchmod(int fd, mode_t mode)
{
	return fails(FCHMOD) ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int fsync(int fd)
{
	fault.again |= fault.failed_fd == fd + 1;
	if (!fails(FSYNC))
		return (int)syscall(SYS_fsync, fd);
	fault.failed_fd = fd + 1;
	return -1;
}

int renameat(int from, const char *old, int to, const char *new)
{
	return fails(RENAME) ? -1 : (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

int symlinkat(const char *target, int fd, const char *name)
{
	return fails(SYMLINK) ? -1 : (int)syscall(SYS_symlinkat, target, fd, name);
}

static void set_fault(enum call call, int nth, int code)
{
	fault.call = call;
	fault.nth = nth;
	fault.code = code;
	fault.count = 0;
	fault.hit = false;
	fault.failed_fd = 0;
	fault.again = false;
}

struct place {
	char dir[200], path[300];
	uint64_t n;
	char *data;
	struct pit_save_tensor t;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	set_fault(CALLS, 0, 0);
	tempdir_new(p->dir, sizeof(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/file", p->dir);
	p->n = (5 << 20) + 3;
	p->data = malloc(p->n);
	p->t = bytes_tensor("t", p->data, &p->n);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	set_fault(CALLS, 0, 0);
	tempdir_remove(p->dir);
	free(p->data);
	free(p);
	return 0;
}

static int save(const struct place *p, char value, struct pit_error *err)
{
	struct pit_save_want want = {.size = sizeof(want),
				     .io = {.engine = PIT_ENGINE_THREADS, .cache = PIT_IO_BUFFERED, .threads = 2}};

	memset(p->data, value, p->n);
	return pit_save_file(p->path, &p->t, 1, &want, err);
}

static char value_of(const char *path)
{
	struct other_reader r = {0};
	const char *data;
	size_t len = 0;
	char value;

	assert_int_equal(other_open(path, &r), 0);
	assert_int_equal(other_check_sums(&r), 0);
	data = other_tensor(&r, "t", &len);
	assert_true(len > 0);
	value = data[len - 1];
	assert_int_equal(data[0], value);
	other_close(&r);
	return value;
}

/* Whichever call fails: the old file is there, nothing else is, and the message names the path. */
static void any_failing_call_leaves_the_old_file(void **state)
{
	static const struct {
		enum call call;
		int code;
	} rows[] = {
		{.call = FALLOCATE, .code = ENOSPC}, {.call = FALLOCATE, .code = EDQUOT},
		{.call = WRITE, .code = EIO},        {.call = WRITE, .code = ENOSPC},
		{.call = FTRUNCATE, .code = EIO},    {.call = FCHMOD, .code = EPERM},
		{.call = FSYNC, .code = EIO},        {.call = FSYNC, .code = ENOSPC},
		{.call = RENAME, .code = EROFS},
	};
	struct place *p = *state;

	assert_int_equal(save(p, 1, NULL), 0);
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		for (int nth = 1; nth < 20; nth++) {
			struct pit_error err = PIT_ERROR_INIT;
			int rc;

			set_fault(rows[i].call, nth, rows[i].code);
			rc = save(p, 2, &err);
			if (!fault.hit) {
				set_fault(CALLS, 0, 0);
				assert_int_equal(rc, 0);
				assert_int_equal(save(p, 1, NULL), 0);
				break;
			}
			if (!rc) { /* the write by which the disk was tried */
				assert_int_equal(rows[i].call, WRITE);
				set_fault(CALLS, 0, 0);
				assert_int_equal(save(p, 1, NULL), 0);
				continue;
			}
			assert_int_equal(rc, -rows[i].code);
			assert_non_null(strstr(err.text, p->path));
			assert_false(fault.again);
			if (rows[i].call == FSYNC && nth == 2) /* of the directory: the new file is in place */
				assert_non_null(strstr(err.text, "in place"));
			else
				assert_int_equal(value_of(p->path), 1);
			set_fault(CALLS, 0, 0);
			assert_int_equal(count_entries(p->dir), 1);
			assert_int_equal(save(p, 1, NULL), 0);
		}
	}
}

static void room_that_cannot_be_promised_is_no_error(void **state)
{
	static const int codes[] = {EOPNOTSUPP, ENOSYS, EINVAL, EPERM};
	struct place *p = *state;

	for (size_t i = 0; i < PIT_COUNT(codes); i++) {
		set_fault(FALLOCATE, 1, codes[i]);
		assert_int_equal(save(p, (char)i, NULL), 0);
		assert_true(fault.hit);
		assert_int_equal(value_of(p->path), (int)i);
	}
}

static void directories_that_cannot_be_synced_are_no_error(void **state)
{
	struct place *p = *state;

	set_fault(FSYNC, 2, EINVAL);
	assert_int_equal(save(p, 4, NULL), 0);
	assert_true(fault.hit);
}

static void interrupted_and_short_writes_go_on(void **state)
{
	struct place *p = *state;

	set_fault(WRITE, 1, EINTR);
	assert_int_equal(save(p, 5, NULL), 0);
	assert_true(fault.hit);
	assert_int_equal(value_of(p->path), 5);
}

static int checkpoint(const struct place *p, uint64_t step, enum pit_save_mode mode, struct pit_error *err)
{
	struct pit_checkpoint_want want = {
		.size = sizeof(want), .keep = 1, .io = {.engine = PIT_ENGINE_THREADS, .cache = PIT_IO_BUFFERED}};
	struct pit_checkpoint *c = NULL;
	int rc = pit_checkpoint_open(p->path, &want, &c, err), closed;

	assert_int_equal(rc, 0);
	memset(p->data, (int)step, p->n);
	rc = pit_checkpoint_put(c, step, &p->t, 1, mode, err);
	if (!rc)
		rc = pit_checkpoint_commit(c, step, NULL, NULL, 0, err);
	closed = pit_checkpoint_close(c, rc ? NULL : err);
	return rc ? rc : closed;
}

static uint64_t newest(const struct place *p)
{
	struct pit_manifest *m = NULL;
	char file[600];
	uint64_t step;

	assert_int_equal(pit_manifest_open(p->path, -1, &m, NULL), 0);
	snprintf(file, sizeof(file), "%s/%s", pit_manifest_path(m), pit_manifest_file(m, 0, NULL));
	step = pit_manifest_step(m);
	assert_int_equal(value_of(file), (int)step);
	pit_manifest_close(m);
	return step;
}

static void any_failing_call_leaves_a_whole_checkpoint(void **state)
{
	struct place *p = *state;

	assert_int_equal(checkpoint(p, 1, PIT_SAVE_DURABLE, NULL), 0);
	for (enum call call = 0; call < CALLS; call++) {
		for (int nth = 1; nth < 30; nth++) {
			enum pit_save_mode mode = (enum pit_save_mode)(nth % 3);
			struct pit_error err = PIT_ERROR_INIT;
			int rc;

			set_fault(call, nth, ENOSPC);
			rc = checkpoint(p, 2, mode, &err);
			if (!fault.hit) {
				set_fault(CALLS, 0, 0);
				assert_int_equal(rc, 0);
				assert_int_equal(checkpoint(p, 1, PIT_SAVE_DURABLE, NULL), 0);
				break;
			}
			set_fault(CALLS, 0, 0);
			assert_true(rc == 0 || rc == -ENOSPC);
			assert_true(!rc || strstr(err.text, p->path));
			assert_true(newest(p) == (rc && !strstr(err.text, "power cut") ? 1 : 2));
			assert_int_equal(checkpoint(p, 1, PIT_SAVE_DURABLE, NULL), 0);
			assert_int_equal(newest(p), 1);
		}
	}
}

/* What failed after the directory had got its name is never written into again. */
static void a_commit_that_failed_late_can_be_repeated(void **state)
{
	struct pit_checkpoint_want want = {.size = sizeof(want)};
	struct place *p = *state;
	struct pit_checkpoint *c = NULL;

	assert_int_equal(pit_checkpoint_open(p->path, &want, &c, NULL), 0);
	for (int round = 0; round < 4; round++) {
		uint64_t step = 1 + (uint64_t)round / 2;

		memset(p->data, (int)step, p->n);
		assert_int_equal(pit_checkpoint_put(c, step, &p->t, 1, PIT_SAVE_DURABLE, NULL), 0);
		set_fault(SYMLINK, 1, EIO);
		assert_int_equal(pit_checkpoint_commit(c, step, NULL, NULL, 0, NULL), -EIO);
		set_fault(CALLS, 0, 0);
		assert_int_equal(pit_checkpoint_commit(c, step, NULL, NULL, 0, NULL), -EINVAL);
		assert_int_equal(pit_checkpoint_put(c, step, &p->t, 1, PIT_SAVE_DURABLE, NULL), 0);
		assert_int_equal(pit_checkpoint_commit(c, step, NULL, NULL, 0, NULL), 0);
		assert_int_equal(newest(p), step);
	}
	assert_int_equal(pit_checkpoint_close(c, NULL), 0);
	assert_int_equal(count_entries(p->path), 3);
}

/* The name of a new directory of checkpoints is durable before anything is in it. */
static void a_directory_that_cannot_be_made_durable_is_an_error(void **state)
{
	struct pit_checkpoint_want want = {.size = sizeof(want)};
	struct pit_error err = PIT_ERROR_INIT;
	struct place *p = *state;
	struct pit_checkpoint *c = NULL;

	set_fault(FSYNC, 1, EIO);
	assert_int_equal(pit_checkpoint_open(p->path, &want, &c, &err), -EIO);
	assert_non_null(strstr(err.text, p->path));
	set_fault(CALLS, 0, 0);
	assert_int_equal(access(p->path, F_OK), -1);
	assert_int_equal(pit_checkpoint_open(p->path, &want, &c, &err), 0);
	assert_int_equal(pit_checkpoint_close(c, NULL), 0);
}

/* A shard whose put failed is none, whatever of it is there already. */
static void a_shard_that_failed_is_not_committed(void **state)
{
	struct pit_checkpoint_want want = {
		.size = sizeof(want), .world = 2, .io = {.engine = PIT_ENGINE_THREADS, .cache = PIT_IO_BUFFERED}};
	struct place *p = *state;
	struct pit_checkpoint *zero = NULL, *one = NULL;

	for (int nth = 1;; nth++) {
		int rc;

		assert_int_equal(pit_checkpoint_open(p->path, &want, &zero, NULL), 0);
		want.rank = 1;
		assert_int_equal(pit_checkpoint_open(p->path, &want, &one, NULL), 0);
		want.rank = 0;
		set_fault(FSYNC, nth, EIO);
		rc = pit_checkpoint_put(one, 1, &p->t, 1, PIT_SAVE_DURABLE, NULL);
		set_fault(CALLS, 0, 0);
		assert_int_equal(pit_checkpoint_put(zero, 1, &p->t, 1, PIT_SAVE_DURABLE, NULL), 0);
		assert_int_equal(pit_checkpoint_commit(zero, 1, NULL, NULL, 0, NULL), rc ? -ETIMEDOUT : 0);
		assert_int_equal(pit_checkpoint_close(one, NULL), 0);
		assert_int_equal(pit_checkpoint_close(zero, NULL), 0);
		if (!rc)
			break;
	}
}

/* Two saves of 5 MiB do not fit. */
static int on_small_tmpfs(const struct place *p)
{
	struct pit_error err = PIT_ERROR_INIT;
	char path[400];
	struct place inner = *p;

	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("tmpfs", p->dir, "tmpfs", 0, "size=8m"))
		return 77;
	snprintf(path, sizeof(path), "%s/file", p->dir);
	if (save(&inner, 1, NULL))
		return 1;
	if (save(&inner, 2, &err) != -ENOSPC || !strstr(err.text, "5.0 MiB are needed") ||
	    !strstr(err.text, "are free"))
		return 2;
	if (count_entries(p->dir) != 1)
		return 3;
	return value_of(path) == 1 ? 0 : 4;
}

static void says_how_much_room_is_needed(void **state)
{
	struct place *p = *state;
	int status;
	pid_t pid = fork();

	if (!pid) {
		alarm(60);
		_exit(on_small_tmpfs(p));
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("# no mounts allowed here\n");
		skip();
	}
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_failing_call_leaves_the_old_file, setup, teardown),
		cmocka_unit_test_setup_teardown(room_that_cannot_be_promised_is_no_error, setup, teardown),
		cmocka_unit_test_setup_teardown(directories_that_cannot_be_synced_are_no_error, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupted_and_short_writes_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(any_failing_call_leaves_a_whole_checkpoint, setup, teardown),
		cmocka_unit_test_setup_teardown(a_commit_that_failed_late_can_be_repeated, setup, teardown),
		cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_made_durable_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_shard_that_failed_is_not_committed, setup, teardown),
		cmocka_unit_test_setup_teardown(says_how_much_room_is_needed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
