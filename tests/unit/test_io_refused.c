/* SPDX-License-Identifier: MIT
 *
 * io_uring refused by sandboxes and limits. Each case runs in a child, which cannot get rid of its filter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "io_world.h"

#define LIMIT_S 120

static int setup(void **state)
{
	*state = malloc(sizeof(struct io_world));
	io_world_open(*state);
	return 0;
}

static int teardown(void **state)
{
	io_world_close(*state);
	free(*state);
	return 0;
}

/* From now on system call `number` fails with `error`. */
static bool forbid(unsigned number, unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void ignore(struct pit_io_op *op)
{
}

static bool reads_well(struct io_world *w, struct pit_io *io, unsigned char *b, size_t len)
{
	struct pit_io_op op = {
		.kind = PIT_IO_READ, .fd = w->fd, .buf = b, .len = len, .offset = 5, .done = ignore, .dontcache = true};

	pit_io_submit(io, &op);
	while (pit_io_pending(io))
		if (pit_io_wait(io, -1) < 0)
			return false;
	return op.res == (int64_t)len && !memcmp(b, w->bytes + 5, len);
}

/* With automatic choice all is well by threads, and an insisted io_uring is an error with a reason. */
static int without(struct io_world *w, unsigned number, unsigned error)
{
	struct pit_io_want insist = {.engine = PIT_ENGINE_URING};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_ladder l = {0};
	pit_auto_io struct pit_io *io = NULL, *no = NULL;
	unsigned char b[1000];

	if (!forbid(number, error))
		return 77;
	if (pit_io_open(NULL, &l, &io, &err) || pit_io_engine_of(io) != PIT_ENGINE_THREADS || err.code)
		return 1;
	if (l.rungs[0].state != PIT_RUNG_REFUSED || strlen(l.rungs[0].why) < 10 ||
	    l.rungs[1].state != PIT_RUNG_REFUSED || l.rungs[2].state != PIT_RUNG_TAKEN)
		return 2;
	if (!reads_well(w, io, b, sizeof(b)))
		return 3;
	if (pit_io_open(&insist, NULL, &no, &err) >= 0 || no || strncmp(err.text, "io_uring: ", 10))
		return 4;
	return 0;
}

static void in_child(struct io_world *w, int (*fn)(struct io_world *w, unsigned a, unsigned b), unsigned a, unsigned b)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		alarm(LIMIT_S);
		_exit(fn(w, a, b));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void a_sandbox_may_forbid_the_calls(void **state)
{
	static const unsigned calls[] = {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register};

	for (unsigned i = 0; i < PIT_COUNT(calls); i++) {
		in_child(*state, without, calls[i], EPERM);
		in_child(*state, without, calls[i], ENOSYS);
		in_child(*state, without, calls[i], EACCES);
		in_child(*state, without, calls[i], ENOMEM);
	}
}

static int without_preadv2(struct io_world *w, unsigned number, unsigned error)
{
	struct pit_io_want want = {.engine = PIT_ENGINE_THREADS};
	pit_auto_io struct pit_io *io = NULL;
	unsigned char b[1000];

	if (!forbid(number, error))
		return 77;
	return pit_io_open(&want, NULL, &io, NULL) || !reads_well(w, io, b, sizeof(b));
}

static void dontcache_may_be_unknown(void **state)
{
	in_child(*state, without_preadv2, SYS_preadv2, ENOSYS);
	in_child(*state, without_preadv2, SYS_preadv2, EOPNOTSUPP);
}

static int without_locked_memory(struct io_world *w, unsigned number, unsigned error)
{
	struct pit_io_want want = {.engine = PIT_ENGINE_URING_FIXED};
	struct rlimit little = {.rlim_cur = 65536, .rlim_max = 65536};
	unsigned char *b = io_memory(1 << 20);
	struct iovec piece = {.iov_base = b, .iov_len = 1 << 20};
	pit_auto_io struct pit_io *io = NULL;
	struct pit_ladder l = {0};

	if (setrlimit(RLIMIT_MEMLOCK, &little) || (!geteuid() && setresuid(65534, 65534, 65534)) ||
	    pit_io_open(&want, NULL, &io, NULL))
		return 77;
	if (pit_io_register(io, &piece, 1, &l) || l.count != 1 || l.rungs[0].state != PIT_RUNG_REFUSED)
		return 1;
	return !reads_well(w, io, b, 100000);
}

static void registering_may_be_refused(void **state)
{
	in_child(*state, without_locked_memory, 0, 0);
}

/* No thread at all: an error with a reason, not a crash. */
static int without_threads(struct io_world *w, unsigned number, unsigned error)
{
	struct pit_io_want want = {.engine = PIT_ENGINE_THREADS};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_io *io = NULL;

	if (!forbid(SYS_clone, EAGAIN) || !forbid(SYS_clone3, EAGAIN))
		return 77;
	return pit_io_open(&want, NULL, &io, &err) != -EAGAIN || io || !strstr(err.text, "thread");
}

static void threads_may_be_refused(void **state)
{
	in_child(*state, without_threads, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sandbox_may_forbid_the_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(dontcache_may_be_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(registering_may_be_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_may_be_refused, setup, teardown),
	};

	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
