/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "io_world.h"

#define LIMIT_S 300
#define OPS 3000
#define LEN_MOST 40000

static const enum pit_io_engine engines[] = {PIT_ENGINE_URING_FIXED, PIT_ENGINE_URING, PIT_ENGINE_THREADS};

/* For each engine that is to be had here. */
#define EACH_ENGINE(w, e, depth)                                                                                       \
	for (const enum pit_io_engine *(e) = engines; (e) < engines + PIT_COUNT(engines); (e)++)                       \
		if (io_world_engine(w, *(e), depth))

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

/* ---- many reads ---- */

struct tally {
	unsigned done, cancelled;
	struct pit_io *io;
	unsigned more; /* operations that done() submits again */
};

static void count_done(struct pit_io_op *op)
{
	struct tally *t = op->arg;

	t->done++;
	t->cancelled += op->res == -ECANCELED;
	if (t->more && op->res != -ECANCELED) {
		t->more--;
		pit_io_submit(t->io, op);
	}
}

static void run_all(struct pit_io *io)
{
	while (pit_io_pending(io))
		assert_true(pit_io_wait(io, 60 * 1000 * PIT_MS) >= 0);
}

static int64_t there(uint64_t offset, size_t len)
{
	uint64_t left = offset < IO_FILE_SIZE ? IO_FILE_SIZE - offset : 0;

	return (int64_t)(left < len ? left : len);
}

static void check_read(const struct io_world *w, const struct pit_io_op *op)
{
	assert_int_equal(op->res, there(op->offset, op->len));
	assert_memory_equal(op->buf, w->bytes + (op->res ? op->offset : 0), (size_t)op->res);
}

/* Lengths and offsets of all kinds, also beyond the end. */
static struct pit_io_op any_read(struct io_world *w, unsigned i)
{
	struct pit_io_op op = {
		.kind = i % 2 ? PIT_IO_FILE : PIT_IO_READ,
		.fd = i % 2 ? AT_FDCWD : w->fd,
		.path = w->path,
		.len = io_random(&w->seed) % LEN_MOST,
		.offset = io_random(&w->seed) % (IO_FILE_SIZE + 3000),
		.dontcache = i % 3 == 0,
	};

	if (i % 4 == 3) { /* aligned, as O_DIRECT wants it */
		op.flags = O_DIRECT;
		op.len = op.len / 4096 * 4096 + 4096;
		op.offset = op.offset / 4096 * 4096;
	}
	return op;
}

static void read_many(struct io_world *w, bool enlist)
{
	size_t stride = LEN_MOST / 4096 * 4096 + 8192;
	unsigned char *memory = io_memory(OPS * stride);
	struct pit_io_op *ops = calloc(OPS, sizeof(*ops));
	struct tally t = {.io = w->io};
	struct iovec half = {.iov_base = memory, .iov_len = OPS / 2 * stride};

	if (enlist)
		assert_int_equal(pit_io_register(w->io, &half, 1, NULL), 0);
	for (unsigned i = 0; i < OPS; i++) {
		ops[i] = any_read(w, i);
		ops[i].buf = memory + i * stride;
		ops[i].done = count_done;
		ops[i].arg = &t;
		pit_io_submit(w->io, &ops[i]);
	}
	assert_int_equal(pit_io_pending(w->io), OPS);
	run_all(w->io);
	assert_int_equal(t.done, OPS);
	for (unsigned i = 0; i < OPS; i++)
		check_read(w, &ops[i]);
	munmap(memory, OPS * stride);
	free(ops);
}

static void reads_are_the_file_s(void **state)
{
	struct io_world *w = *state;
	unsigned files = io_open_files();

	EACH_ENGINE(w, e, 32)
	{
		assert_int_equal(pit_io_engine_of(w->io), *e);
		read_many(w, false);
	}
	EACH_ENGINE(w, e, 7)
	read_many(w, true);
	pit_io_close(w->io);
	w->io = NULL;
	assert_int_equal(io_open_files(), files);
}

static void a_batch_may_exceed_the_ring(void **state)
{
	struct io_world *w = *state;

	EACH_ENGINE(w, e, 4096)
	{
		assert_int_equal(pit_io_depth(w->io), 4096);
		read_many(w, false);
	}
}

/* ---- one by one ---- */

static int64_t one(struct pit_io *io, struct pit_io_op op)
{
	struct tally t = {0};

	op.done = count_done;
	op.arg = &t;
	pit_io_submit(io, &op);
	run_all(io);
	assert_int_equal(t.done, 1);
	return op.res;
}

static void enough_is_enough(void **state)
{
	struct io_world *w = *state;
	unsigned char *b = io_memory(8192);

	EACH_ENGINE(w, e, 1)
	{
		struct pit_io_op op = {.kind = PIT_IO_FILE, .fd = AT_FDCWD, .path = w->path, .buf = b, .len = 8192};

		op.enough = 1234;
		op.offset = IO_FILE_SIZE - 1234;
		assert_int_equal(one(w->io, op), 1234);
		op.enough = 99999; /* no more than len */
		assert_int_equal(one(w->io, op), 1234);
		op.offset = 0;
		assert_int_equal(one(w->io, op), 8192);
		op.len = 0;
		assert_int_equal(one(w->io, op), 0);
	}
	munmap(b, 8192);
}

static void errors_come_by_done(void **state)
{
	struct io_world *w = *state;
	char b[16] = {0};

	EACH_ENGINE(w, e, 4)
	{
		struct pit_io_op op = {.kind = PIT_IO_FILE, .fd = AT_FDCWD, .path = "/nowhere/x", .buf = b, .len = 16};

		assert_int_equal(one(w->io, op), -ENOENT);
		op.path = w->dir;
		assert_int_equal(one(w->io, op), -EISDIR);
		op = (struct pit_io_op){.kind = PIT_IO_READ, .fd = 12345, .buf = b, .len = 16};
		assert_int_equal(one(w->io, op), -EBADF);
		op.kind = PIT_IO_FSYNC;
		assert_int_equal(one(w->io, op), -EBADF);
		op = (struct pit_io_op){.kind = PIT_IO_WRITE, .fd = w->fd, .buf = b, .len = 16};
		assert_int_equal(one(w->io, op), -EBADF); /* it is open for reading */
		op = (struct pit_io_op){.kind = PIT_IO_READ, .fd = w->fd, .buf = NULL, .len = 16};
		assert_int_equal(one(w->io, op), -EFAULT);
	}
}

static void directories_can_be_the_base(void **state)
{
	struct io_world *w = *state;
	pit_auto_close int dir = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned char b[100] = {0};

	EACH_ENGINE(w, e, 4)
	{
		struct pit_io_op op = {.kind = PIT_IO_FILE, .fd = dir, .path = "file", .buf = b, .len = 100};

		assert_int_equal(one(w->io, op), 100);
		assert_memory_equal(b, w->bytes, 100);
	}
}

/* ---- writes ---- */

static void write_all(struct io_world *w, int fd, bool dontcache)
{
	enum { PIECE = 10007, COUNT = IO_FILE_SIZE / PIECE + 1 };
	struct pit_io_op *ops = calloc(COUNT, sizeof(*ops));
	struct tally t = {0};

	for (unsigned i = 0; i < COUNT; i++) {
		uint64_t at = (uint64_t)PIECE * ((i * 37) % COUNT); /* in any order */

		ops[i] = (struct pit_io_op){.kind = PIT_IO_WRITE,
					    .fd = fd,
					    .buf = w->bytes + at,
					    .offset = at,
					    .len = (size_t)there(at, PIECE),
					    .dontcache = dontcache,
					    .done = count_done,
					    .arg = &t};
		pit_io_submit(w->io, &ops[i]);
	}
	run_all(w->io);
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(ops[i].res, ops[i].len);
	assert_int_equal(t.done, COUNT);
	free(ops);
}

static void writes_arrive(void **state)
{
	struct io_world *w = *state;
	unsigned char *back = malloc(IO_FILE_SIZE);
	char path[IO_DIR_SIZE + 8];

	snprintf(path, sizeof(path), "%s/out", w->dir);
	EACH_ENGINE(w, e, 16)
	{
		pit_auto_close int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		write_all(w, fd, *e == PIT_ENGINE_URING);
		assert_int_equal(one(w->io, (struct pit_io_op){.kind = PIT_IO_FSYNC, .fd = fd}), 0);
		assert_int_equal(one(w->io, (struct pit_io_op){.kind = PIT_IO_FSYNC, .fd = fd, .flags = 1}), 0);
		assert_int_equal(pread(fd, back, IO_FILE_SIZE, 0), IO_FILE_SIZE);
		assert_memory_equal(back, w->bytes, IO_FILE_SIZE);
	}
	free(back);
}

/* ---- depth, cancel, wake ---- */

static void done_may_submit_again(void **state)
{
	struct io_world *w = *state;
	char b[64] = {0};

	EACH_ENGINE(w, e, 4)
	{
		struct tally t = {.io = w->io, .more = 500};
		struct pit_io_op op = {
			.kind = PIT_IO_READ, .fd = w->fd, .buf = b, .len = 64, .done = count_done, .arg = &t};

		pit_io_submit(w->io, &op);
		run_all(w->io);
		assert_int_equal(t.done, 501);
	}
}

static void depth_can_be_set(void **state)
{
	struct io_world *w = *state;

	EACH_ENGINE(w, e, 10)
	{
		assert_int_equal(pit_io_depth(w->io), 10);
		pit_io_set_depth(w->io, 0);
		assert_int_equal(pit_io_depth(w->io), 1);
		pit_io_set_depth(w->io, 99);
		assert_int_equal(pit_io_depth(w->io), 10);
		pit_io_set_depth(w->io, 2);
		read_many(w, false);
	}
}

static void closing_cancels_what_waits(void **state)
{
	struct io_world *w = *state;
	unsigned char *b = io_memory(500 * 4096);
	struct pit_io_op *ops = calloc(500, sizeof(*ops));

	EACH_ENGINE(w, e, 2)
	{
		struct tally t = {0};

		for (unsigned i = 0; i < 500; i++) {
			ops[i] = (struct pit_io_op){.kind = i % 2 ? PIT_IO_FILE : PIT_IO_READ,
						    .fd = w->fd,
						    .buf = b + i * 4096,
						    .len = 4096,
						    .path = w->path,
						    .done = count_done,
						    .arg = &t};
			pit_io_submit(w->io, &ops[i]);
		}
		assert_true(pit_io_wait(w->io, 0) >= 0);
		pit_io_close(w->io);
		w->io = NULL;
		assert_int_equal(t.done, 500);
		assert_in_range(t.cancelled, 400, 500); /* all, where no thread has come to run */
		for (unsigned i = 0; i < 500; i++)
			assert_true(ops[i].res == 4096 || ops[i].res == -ECANCELED);
	}
	free(ops);
	munmap(b, 500 * 4096);
}

static void waiting_for_nothing_ends(void **state)
{
	struct io_world *w = *state;

	EACH_ENGINE(w, e, 2)
	{
		int64_t start = pit_now();

		assert_int_equal(pit_io_wait(w->io, -1), 0);
		assert_int_equal(pit_io_wait(w->io, 0), 0);
		assert_int_equal(pit_io_wait(w->io, 20 * PIT_MS), 0);
		assert_true(pit_now() - start >= 20 * PIT_MS);
	}
}

static void *wake_soon(void *io)
{
	nanosleep(&(struct timespec){.tv_nsec = 20 * PIT_MS}, NULL);
	pit_io_wake(io);
	return NULL;
}

static void a_wait_can_be_woken(void **state)
{
	struct io_world *w = *state;
	pthread_t waker;

	EACH_ENGINE(w, e, 2)
	{
		int64_t start = pit_now();

		assert_int_equal(pthread_create(&waker, NULL, wake_soon, w->io), 0);
		assert_int_equal(pit_io_wait(w->io, 100 * 1000 * PIT_MS), 0);
		pthread_join(waker, NULL);
		pit_io_wake(w->io); /* the next one, then, and once only */
		pit_io_wake(w->io);
		assert_int_equal(pit_io_wait(w->io, 100 * 1000 * PIT_MS), 0);
		assert_true(pit_now() - start < 90 * 1000 * PIT_MS);
		start = pit_now();
		assert_int_equal(pit_io_wait(w->io, 20 * PIT_MS), 0);
		assert_true(pit_now() - start >= 20 * PIT_MS);
	}
}

/* ---- threads and processes ---- */

static void *read_in_thread(void *w)
{
	read_many(w, true);
	return NULL;
}

static void it_belongs_to_the_thread_that_waits(void **state)
{
	struct io_world *w = *state;
	pthread_t thread;

	EACH_ENGINE(w, e, 8)
	{
		assert_int_equal(pthread_create(&thread, NULL, read_in_thread, w), 0);
		pthread_join(thread, NULL);
		pit_io_close(w->io); /* that thread is gone */
		w->io = NULL;
	}
}

static void *take_it(void *io)
{
	pit_io_wait(io, 0);
	return NULL;
}

/* Nothing is lost and no file stays open. */
static void another_thread_s_ring_is_refused(void **state)
{
	struct io_world *w = *state;
	unsigned char *memory = io_memory(64 * 65536);
	struct pit_io_op ops[64];
	unsigned files = io_open_files();
	pthread_t thread;

	EACH_ENGINE(w, e, 16)
	{
		struct tally t = {0};
		int rc;

		assert_int_equal(pthread_create(&thread, NULL, take_it, w->io), 0);
		pthread_join(thread, NULL);
		for (unsigned i = 0; i < 64; i++) {
			ops[i] = any_read(w, i);
			ops[i].buf = memory + i * 65536;
			ops[i].done = count_done;
			ops[i].arg = &t;
			pit_io_submit(w->io, &ops[i]);
		}
		rc = pit_io_wait(w->io, -1);
		assert_true(rc == -EEXIST || rc > 0); /* threads, and kernels before 6.1, take it from anybody */
		pit_io_close(w->io);
		w->io = NULL;
		assert_int_equal(t.done, 64);
		assert_int_equal(io_open_files(), files);
	}
	munmap(memory, 64 * 65536);
}

static int child_says(struct pit_io *io)
{
	int rc = pit_io_wait(io, -1);

	pit_io_wake(io);
	pit_io_close(io);
	return rc == -ECHILD ? 0 : 1;
}

static void fork_does_no_harm(void **state)
{
	struct io_world *w = *state;
	unsigned char *b = io_memory(64 * 65536);

	EACH_ENGINE(w, e, 64)
	{
		struct pit_io_op ops[64];
		struct tally t = {0};
		int status;
		pid_t pid;

		for (unsigned i = 0; i < 64; i++) {
			ops[i] = any_read(w, i);
			ops[i].buf = b + i * 65536;
			ops[i].done = count_done;
			ops[i].arg = &t;
			pit_io_submit(w->io, &ops[i]);
		}
		assert_true(pit_io_wait(w->io, -1) > 0);
		pid = fork();
		if (!pid)
			_exit(child_says(w->io));
		run_all(w->io);
		for (unsigned i = 0; i < 64; i++)
			check_read(w, &ops[i]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		pit_io_close(w->io);
		w->io = NULL;
	}
	munmap(b, 64 * 65536);
}

struct cutter {
	char path[IO_DIR_SIZE + 8];
	bool end;
};

static void *cut_file(void *arg)
{
	struct cutter *c = arg;
	uint64_t seed = 7;

	while (!__atomic_load_n(&c->end, __ATOMIC_ACQUIRE)) {
		if (truncate(c->path, (off_t)(io_random(&seed) % 1000000)))
			abort();
		nanosleep(&(struct timespec){.tv_nsec = PIT_MS / 10}, NULL);
	}
	return NULL;
}

static void files_may_shrink_meanwhile(void **state)
{
	struct io_world *w = *state;
	unsigned char *b = io_memory(1 << 20);
	struct cutter c = {0};
	pthread_t thread;

	snprintf(c.path, sizeof(c.path), "%s/cut", w->dir);
	tempdir_file(w->dir, "cut", "x");
	assert_int_equal(pthread_create(&thread, NULL, cut_file, &c), 0);
	EACH_ENGINE(w, e, 4)
	for (unsigned i = 0; i < 300; i++) {
		struct pit_io_op op = {.kind = PIT_IO_FILE,
				       .fd = AT_FDCWD,
				       .path = c.path,
				       .buf = b,
				       .len = 1 << 20,
				       .flags = i % 2 ? O_DIRECT : 0};

		assert_in_range(one(w->io, op), 0, 1000000);
	}
	__atomic_store_n(&c.end, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	munmap(b, 1 << 20);
}

/* With fewer descriptors than the depth, reading goes on. */
static int read_with_few_files(struct io_world *w)
{
	struct rlimit few = {.rlim_cur = io_open_files() + 3, .rlim_max = io_open_files() + 3};
	int tried = 0;

	if (setrlimit(RLIMIT_NOFILE, &few))
		return 1;
	EACH_ENGINE(w, e, 100)
	{
		read_many(w, false);
		tried++;
	}
	return tried ? 0 : 2;
}

static void few_descriptors_are_enough(void **state)
{
	struct io_world *w = *state;
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(read_with_few_files(w));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void wants_are_checked(void **state)
{
	struct pit_io *io = (struct pit_io *)state; /* something that must stay */
	struct pit_error err = PIT_ERROR_INIT;
	static const struct pit_io_want wrong[] = {{.engine = 9}, {.depth = 4097}, {.threads = 257}};

	for (unsigned i = 0; i < PIT_COUNT(wrong); i++) {
		assert_int_equal(pit_io_open(&wrong[i], NULL, &io, &err), -EINVAL);
		assert_ptr_equal(io, state);
		assert_int_equal(err.code, EINVAL);
		assert_true(strlen(err.text) > 10);
	}
	pit_io_close(NULL);
}

static void registering_is_for_the_start(void **state)
{
	struct io_world *w = *state;
	unsigned char *b = io_memory(1 << 16);
	struct iovec piece = {.iov_base = b, .iov_len = 1 << 16};

	EACH_ENGINE(w, e, 2)
	{
		struct pit_ladder l = {0};

		assert_int_equal(pit_io_register(w->io, &piece, 1, &l), 0);
		assert_string_equal(l.rungs[0].ladder, "buffers");
		assert_int_equal(one(w->io, (struct pit_io_op){.kind = PIT_IO_READ, .fd = w->fd, .buf = b, .len = 9}),
				 9);
		assert_int_equal(pit_io_register(w->io, &piece, 1, &l), -EBUSY);
	}
	munmap(b, 1 << 16);
}

static void automatic_takes_the_best(void **state)
{
	struct pit_ladder l = {0};
	pit_auto_io struct pit_io *io = NULL;
	bool taken = false;

	assert_int_equal(pit_io_open(NULL, &l, &io, NULL), 0);
	assert_int_equal(pit_io_depth(io), 32);
	assert_int_equal(l.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(l.rungs[i].ladder, "engine");
		assert_true(l.rungs[i].why[0]);
		assert_int_equal(l.rungs[i].state == PIT_RUNG_UNUSED, taken);
		taken = taken || l.rungs[i].state == PIT_RUNG_TAKEN;
	}
	assert_true(taken);
}

/* Who has a pointer to one engine uses the other afterwards. */
static void engines_can_be_exchanged(void **state)
{
	struct io_world *w = *state;
	char byte[2] = {0};

	EACH_ENGINE(w, e, 4)
	{
		struct pit_io_want want = {.engine = PIT_ENGINE_THREADS, .depth = 9};
		struct pit_io_op op = {.kind = PIT_IO_READ, .fd = w->fd, .buf = byte, .len = 1, .offset = 77};
		struct pit_io *other = NULL;

		assert_int_equal(pit_io_open(&want, NULL, &other, NULL), 0);
		pit_io_submit(w->io, &op);
		assert_int_equal(pit_io_exchange(w->io, other), -EBUSY);
		assert_int_equal(pit_io_exchange(other, w->io), -EBUSY);
		assert_int_equal(pit_io_wait(w->io, -1), 1);
		assert_int_equal(byte[0], (char)w->bytes[77]);
		assert_int_equal(pit_io_exchange(w->io, other), 0);
		assert_int_equal(pit_io_engine_of(w->io), PIT_ENGINE_THREADS);
		assert_int_equal(pit_io_engine_of(other), *e);
		assert_int_equal(pit_io_depth(w->io), 9);
		for (unsigned i = 0; i < 2; i++) {
			op.offset = 1000 + i;
			pit_io_submit(i ? other : w->io, &op);
			assert_int_equal(pit_io_wait(i ? other : w->io, -1), 1);
			assert_int_equal(op.res, 1);
			assert_int_equal(byte[0], (char)w->bytes[1000 + i]);
		}
		pit_io_close(other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_are_the_file_s, setup, teardown),
		cmocka_unit_test_setup_teardown(a_batch_may_exceed_the_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(enough_is_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_come_by_done, setup, teardown),
		cmocka_unit_test_setup_teardown(directories_can_be_the_base, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_arrive, setup, teardown),
		cmocka_unit_test_setup_teardown(done_may_submit_again, setup, teardown),
		cmocka_unit_test_setup_teardown(depth_can_be_set, setup, teardown),
		cmocka_unit_test_setup_teardown(closing_cancels_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(waiting_for_nothing_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wait_can_be_woken, setup, teardown),
		cmocka_unit_test_setup_teardown(it_belongs_to_the_thread_that_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(another_thread_s_ring_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(fork_does_no_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(files_may_shrink_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(few_descriptors_are_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(registering_is_for_the_start, setup, teardown),
		cmocka_unit_test_setup_teardown(engines_can_be_exchanged, setup, teardown),
		cmocka_unit_test(wants_are_checked),
		cmocka_unit_test(automatic_takes_the_best),
	};

	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
