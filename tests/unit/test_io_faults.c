/* SPDX-License-Identifier: MIT
 *
 * Faults between the kernel and the engines: this program is linked with --wrap=pit_io_complete.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed/io_parts.h"
#include "io_world.h"

#define LIMIT_S 300
#define OPS 600
#define STRIDE 65536

bool __real_pit_io_complete(struct pit_io_op *op, int64_t res);
bool __wrap_pit_io_complete(struct pit_io_op *op, int64_t res);

/* Of an operation, in `arg`. */
struct plan {
	struct io_world *world;
	uint64_t seed;
	unsigned requests, faults, done;
	unsigned in_ten; /* so many of ten requests meet with a fault */
	bool cut;        /* transfers are short */
	int errors[3];   /* or fail with one of these */
	unsigned error_count;
	enum pit_io_step step; /* these requests */
};

static int64_t fault(struct pit_io_op *op, struct plan *p, int64_t res)
{
	uint64_t dice = io_random(&p->seed);
	unsigned kind = (unsigned)(dice >> 32) % (p->error_count + p->cut);

	if (kind < p->error_count) {
		if (op->step == PIT_STEP_OPEN && res >= 0 && !op->slot)
			close((int)res);
		return -p->errors[kind];
	}
	if (res < 2)
		return res;
	/* direct transfers end at sectors; the last one, short as it is, where the file ends */
	return op->flags & O_DIRECT ? (res >= 1024 ? res / 1024 * 512 : res) : 1 + (int64_t)(dice % (uint64_t)res);
}

bool __wrap_pit_io_complete(struct pit_io_op *op, int64_t res)
{
	struct plan *p = op->arg;

	p->requests++;
	if (op->step == p->step && io_random(&p->seed) % 10 < p->in_ten) {
		p->faults++;
		res = fault(op, p, res);
	}
	return __real_pit_io_complete(op, res);
}

static void count_done(struct pit_io_op *op)
{
	struct plan *p = op->arg;

	p->done++;
}

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

static struct pit_io_op any(struct io_world *w, unsigned i, int out)
{
	struct pit_io_op op = {.kind = (enum pit_io_kind)(i % 3), .fd = AT_FDCWD, .path = w->path, .done = count_done};

	op.len = 1 + io_random(&w->seed) % (STRIDE - 1);
	op.offset = io_random(&w->seed) % (IO_FILE_SIZE - STRIDE);
	if (op.kind == PIT_IO_READ)
		op.fd = w->fd;
	if (op.kind == PIT_IO_FILE && i % 2) {
		op.flags = O_DIRECT;
		op.offset = i % 4 == 1 ? (IO_FILE_SIZE - 4096) / 4096 * 4096 : op.offset / 4096 * 4096;
		op.len = op.len / 4096 * 4096 + 4096;
	}
	if (op.kind == PIT_IO_WRITE) {
		op.fd = out;
		op.offset = (uint64_t)i * STRIDE;
	}
	return op;
}

static void check_one(const struct io_world *w, const struct pit_io_op *op, int out)
{
	uint64_t left = IO_FILE_SIZE - op->offset;
	pit_auto_free unsigned char *back = malloc(STRIDE);

	if (op->kind != PIT_IO_WRITE) {
		assert_int_equal(op->res, left < op->len ? left : op->len);
		assert_memory_equal(op->buf, w->bytes + op->offset, (size_t)op->res);
		return;
	}
	assert_int_equal(op->res, op->len);
	assert_int_equal(pread(out, back, op->len, (off_t)op->offset), op->len);
	assert_memory_equal(back, op->buf, op->len);
}

/* Runs OPS operations with the plan's faults; gives how many there were. The caller looks at `ops`. */
static unsigned run_ops(struct io_world *w, const struct plan *plan, struct pit_io_op *ops, unsigned char *memory,
			int out)
{
	struct plan *plans = calloc(OPS, sizeof(*plans));
	unsigned faults = 0;

	for (unsigned i = 0; i < OPS; i++) {
		plans[i] = *plan;
		plans[i].seed = i;
		ops[i] = any(w, i, out);
		ops[i].buf = memory + (size_t)i * STRIDE;
		ops[i].arg = &plans[i];
		if (ops[i].kind == PIT_IO_WRITE)
			memset(ops[i].buf, (int)i, STRIDE);
		pit_io_submit(w->io, &ops[i]);
	}
	while (pit_io_pending(w->io))
		assert_true(pit_io_wait(w->io, -1) >= 0);
	for (unsigned i = 0; i < OPS; i++) {
		assert_int_equal(plans[i].done, 1);
		faults += plans[i].faults;
		plans[i].faults = !plans[i].faults;
		ops[i].arg = plans[i].faults ? NULL : w; /* whether it had faults */
	}
	free(plans);
	return faults;
}

typedef void (*look)(struct io_world *w, const struct pit_io_op *op, const struct plan *plan, int out);

static void with_each_engine(struct io_world *w, const struct plan *plan, look fn)
{
	struct pit_io_op *ops = calloc(OPS, sizeof(*ops));
	unsigned char *memory = io_memory((size_t)OPS * STRIDE);
	unsigned files = io_open_files(), faults = 0;

	for (int e = PIT_ENGINE_URING_FIXED; e <= PIT_ENGINE_THREADS; e++) {
		pit_auto_close int out = openat(AT_FDCWD, w->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

		if (out < 0 || !io_world_engine(w, (enum pit_io_engine)e, 16))
			continue;
		faults += run_ops(w, plan, ops, memory, out);
		for (unsigned i = 0; i < OPS; i++)
			fn(w, &ops[i], plan, out);
		pit_io_close(w->io);
		w->io = NULL;
	}
	assert_int_equal(io_open_files(), files);
	print_message("%u faults\n", faults);
	munmap(memory, (size_t)OPS * STRIDE);
	free(ops);
}

/* ---- what passes ---- */

static void is_right(struct io_world *w, const struct pit_io_op *op, const struct plan *plan, int out)
{
	check_one(w, op, out);
}

static void short_transfers_are_completed(void **state)
{
	with_each_engine(*state, &(struct plan){.in_ten = 6, .cut = true, .step = PIT_STEP_MOVE}, is_right);
}

static void interruptions_are_repeated(void **state)
{
	with_each_engine(
		*state,
		&(struct plan){
			.in_ten = 3, .errors = {EINTR, EAGAIN}, .error_count = 2, .cut = true, .step = PIT_STEP_MOVE},
		is_right);
}

static void opening_is_repeated(void **state)
{
	with_each_engine(
		*state,
		&(struct plan){.in_ten = 3, .errors = {EINTR, EAGAIN, EMFILE}, .error_count = 3, .step = PIT_STEP_OPEN},
		is_right);
}

static void failed_closing_harms_nobody(void **state)
{
	with_each_engine(*state, &(struct plan){.in_ten = 5, .errors = {EIO}, .error_count = 1, .step = PIT_STEP_CLOSE},
			 is_right);
}

/* ---- what does not ---- */

static void fails_as_said(struct io_world *w, const struct pit_io_op *op, const struct plan *plan, int out)
{
	if (!op->arg)
		check_one(w, op, out);
	else
		assert_true(op->res == -plan->errors[0] || op->res == -plan->errors[1]);
}

static void errors_of_transfers_are_told(void **state)
{
	with_each_engine(*state,
			 &(struct plan){.in_ten = 4, .errors = {EIO, ENOSPC}, .error_count = 2, .step = PIT_STEP_MOVE},
			 fails_as_said);
}

static void errors_of_opening_are_told(void **state)
{
	with_each_engine(
		*state,
		&(struct plan){.in_ten = 4, .errors = {ENOMEM, ESTALE}, .error_count = 2, .step = PIT_STEP_OPEN},
		fails_as_said);
}

/* What is never possible ends some time. */
static void repeating_has_an_end(void **state)
{
	static const int errors[] = {EINTR, EAGAIN};
	struct io_world *w = *state;
	char b[16];

	for (int e = PIT_ENGINE_URING_FIXED; e <= PIT_ENGINE_THREADS; e++) {
		if (!io_world_engine(w, (enum pit_io_engine)e, 16))
			continue;
		for (unsigned i = 0; i < 2; i++) {
			struct plan p = {.in_ten = 10, .errors = {errors[i]}, .error_count = 1, .step = PIT_STEP_MOVE};
			struct pit_io_op op = {.fd = AT_FDCWD,
					       .kind = PIT_IO_FILE,
					       .path = w->path,
					       .buf = b,
					       .len = 16,
					       .arg = &p,
					       .done = count_done};

			pit_io_submit(w->io, &op);
			while (pit_io_pending(w->io))
				assert_true(pit_io_wait(w->io, -1) >= 0);
			assert_int_equal(op.res, -errors[i]);
			assert_true(p.faults > 100);
		}
	}
}

/* An error of writing back is told once: a second fsync would say that all is well. */
static void a_failed_fsync_is_not_repeated(void **state)
{
	static const int errors[] = {EIO, EINTR, EAGAIN, ENOSPC};
	struct io_world *w = *state;

	for (int e = PIT_ENGINE_URING_FIXED; e <= PIT_ENGINE_THREADS; e++) {
		if (!io_world_engine(w, (enum pit_io_engine)e, 16))
			continue;
		for (unsigned i = 0; i < PIT_COUNT(errors); i++) {
			struct plan p = {.in_ten = 10, .errors = {errors[i]}, .error_count = 1, .step = PIT_STEP_SYNC};
			struct pit_io_op op = {.kind = PIT_IO_FSYNC, .fd = w->fd, .arg = &p, .done = count_done};

			pit_io_submit(w->io, &op);
			while (pit_io_pending(w->io))
				assert_true(pit_io_wait(w->io, -1) >= 0);
			assert_int_equal(op.res, -errors[i]);
			assert_int_equal(p.requests, 1);
		}
	}
}

/* ---- the steps alone ---- */

static struct pit_io_op begun(enum pit_io_kind kind, int flags, size_t len)
{
	struct pit_io_op op = {.kind = kind, .flags = flags, .len = len, .fd = 5};

	pit_io_begin(&op);
	return op;
}

static void the_rest_of_a_direct_read_begins_at_a_page(void **state)
{
	struct pit_io_op op = begun(PIT_IO_READ, 0, 8192);

	assert_false(__real_pit_io_complete(&op, 5000)); /* an end of the file, or not */
	assert_int_equal(pit_io_move_of(&op).offset, 5000);
	assert_false(__real_pit_io_complete(&op, -EINVAL));
	assert_int_equal(pit_io_move_of(&op).offset, 4096);
	assert_int_equal(pit_io_move_of(&op).len, 4096);
	assert_true(__real_pit_io_complete(&op, 904)); /* the same again: it is the end */
	assert_int_equal(op.res, 5000);
	op = begun(PIT_IO_READ, 0, 8192);
	assert_false(__real_pit_io_complete(&op, 5000));
	assert_false(__real_pit_io_complete(&op, -EINVAL));
	assert_true(__real_pit_io_complete(&op, 4096)); /* the file grew meanwhile */
	assert_int_equal(op.res, 8192);
}

static void a_write_that_does_not_go_on_fails(void **state)
{
	struct pit_io_op op = begun(PIT_IO_WRITE, 0, 8192);

	assert_false(__real_pit_io_complete(&op, 4096));
	assert_true(__real_pit_io_complete(&op, 0));
	assert_int_equal(op.res, -EIO);
	op = begun(PIT_IO_WRITE, 0, 8192);
	assert_true(__real_pit_io_complete(&op, -EINVAL));
	assert_int_equal(op.res, -EINVAL);
}

static void what_is_refused_is_left_out(void **state)
{
	struct pit_io_op op = begun(PIT_IO_FILE, O_DIRECT, 4096);

	assert_true(pit_io_open_flags(&op) & O_DIRECT && pit_io_open_flags(&op) & O_CLOEXEC);
	assert_false(__real_pit_io_complete(&op, -EINVAL));
	assert_int_equal(op.step, PIT_STEP_OPEN);
	assert_false(pit_io_open_flags(&op) & O_DIRECT);
	op = begun(PIT_IO_READ, 0, 4096);
	op.dontcache = true;
	assert_int_not_equal(pit_io_move_of(&op).rwf, 0);
	assert_false(__real_pit_io_complete(&op, -EOPNOTSUPP));
	assert_int_equal(pit_io_move_of(&op).rwf, 0);
	assert_true(__real_pit_io_complete(&op, -EOPNOTSUPP));
	assert_int_equal(op.res, -EOPNOTSUPP);
}

/* The file can be opened with O_DIRECT and not be read so (overlayfs over squashfs). */
static void reading_may_refuse_what_opening_took(void **state)
{
	struct io_world *w = *state;
	struct pit_io_op op = begun(PIT_IO_FILE, O_DIRECT, 4096);
	int fd = open(w->path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		skip();
	assert_false(__real_pit_io_complete(&op, fd));
	assert_false(__real_pit_io_complete(&op, -EINVAL));
	assert_int_equal(op.step, PIT_STEP_MOVE);
	assert_false(fcntl(fd, F_GETFL) & O_DIRECT); /* the same open file */
	assert_true(!__real_pit_io_complete(&op, -EINVAL) && op.step == PIT_STEP_CLOSE);
	close(fd);
	op = begun(PIT_IO_FILE, O_DIRECT, 4096);
	op.slot = true;
	op.own_fd = 3;
	assert_false(__real_pit_io_complete(&op, 0));
	assert_int_equal(op.own_fd, 3);
	assert_int_equal(op.step, PIT_STEP_LOOK);
	assert_false(__real_pit_io_complete(&op, 0));
	assert_int_equal(op.step, PIT_STEP_MOVE);
	assert_false(__real_pit_io_complete(&op, -EINVAL));
	assert_int_equal(op.step, PIT_STEP_OPEN); /* once more into the slot */
	assert_false(pit_io_open_flags(&op) & O_DIRECT);
}

/* Also while somebody has it open for writing, and writes nothing. */
static void a_fifo_in_a_slot_is_not_read(void **state)
{
	struct pit_io_op op = begun(PIT_IO_FILE, 0, 4096);

	(void)state;
	op.slot = true;
	op.own_fd = 3;
	assert_true(pit_io_open_flags(&op) & O_NONBLOCK);
	assert_false(__real_pit_io_complete(&op, 0));
	assert_false(__real_pit_io_complete(&op, -EAGAIN));
	assert_int_equal(op.step, PIT_STEP_LOOK);
	assert_false(__real_pit_io_complete(&op, -ESPIPE));
	assert_int_equal(op.step, PIT_STEP_CLOSE);
	assert_true(__real_pit_io_complete(&op, 0));
	assert_int_equal(op.res, -ESPIPE);
}

static void no_request_is_too_large(void **state)
{
	struct pit_io_op op = begun(PIT_IO_READ, 0, (size_t)5 << 30);

	assert_int_equal(pit_io_move_of(&op).len, 1 << 30);
	assert_false(__real_pit_io_complete(&op, 1 << 30));
	assert_int_equal(pit_io_move_of(&op).offset, 1 << 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(short_transfers_are_completed, setup, teardown),
		cmocka_unit_test_setup_teardown(interruptions_are_repeated, setup, teardown),
		cmocka_unit_test_setup_teardown(opening_is_repeated, setup, teardown),
		cmocka_unit_test_setup_teardown(failed_closing_harms_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_of_transfers_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_of_opening_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(repeating_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_fsync_is_not_repeated, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_may_refuse_what_opening_took, setup, teardown),
		cmocka_unit_test_setup_teardown(a_fifo_in_a_slot_is_not_read, setup, teardown),
		cmocka_unit_test(the_rest_of_a_direct_read_begins_at_a_page),
		cmocka_unit_test(a_write_that_does_not_go_on_fails),
		cmocka_unit_test(what_is_refused_is_left_out),
		cmocka_unit_test(no_request_is_too_large),
	};

	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
