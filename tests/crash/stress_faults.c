/* SPDX-License-Identifier: MIT
 *
 * Faults where no call of libc passes: the answers of the kernel to requests of io_uring (and of the threads), and the
 * calls that hand requests over. The linker puts these functions in front (--wrap).
 */
#include <errno.h>
#include <liburing.h>
#include <unistd.h>

#include "feed/io_parts.h"
#include "tests/fake/io_faults.h"

bool __real_pit_io_complete(struct pit_io_op *op, int64_t res);
bool __wrap_pit_io_complete(struct pit_io_op *op, int64_t res);
int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait);
int __real_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned wait,
					    struct __kernel_timespec *t, sigset_t *signals);
int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned wait,
					    struct __kernel_timespec *t, sigset_t *signals);
int __real_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p);
int __real_io_uring_register_buffers(struct io_uring *ring, const struct iovec *pieces, unsigned count);
int __wrap_io_uring_register_buffers(struct io_uring *ring, const struct iovec *pieces, unsigned count);

/* What a request that is told to have failed had brought about. */
static void undo(const struct pit_io_op *op, int64_t res)
{
	if (op->step == PIT_STEP_OPEN && res >= 0 && !op->slot)
		close((int)res);
}

static int64_t other_answer(const struct pit_io_op *op, int64_t res)
{
	bool move = op->step == PIT_STEP_MOVE, sync = op->step == PIT_STEP_SYNC;

	if (move && res > 1 && io_faults_roll(IO_FAULT_SHORT))
		return 1 + (int64_t)(io_faults_random() % (uint64_t)(res - 1));
	if (!sync && io_faults_roll(IO_FAULT_EINTR))
		return -EINTR;
	if (!sync && io_faults_roll(IO_FAULT_EAGAIN))
		return -EAGAIN;
	if ((move || sync) && io_faults_roll(IO_FAULT_EIO))
		return -EIO;
	if ((sync || (move && op->kind == PIT_IO_WRITE)) && io_faults_roll(IO_FAULT_ENOSPC))
		return -ENOSPC;
	return io_faults_roll(IO_FAULT_ENOMEM) ? -ENOMEM : res;
}

bool __wrap_pit_io_complete(struct pit_io_op *op, int64_t res)
{
	int64_t told = res < 0 || op->step == PIT_STEP_CLOSE ? res : other_answer(op, res);

	if (told < 0 && res >= 0)
		undo(op, res);
	return __real_pit_io_complete(op, told);
}

static int refuse(void)
{
	if (io_faults_roll(IO_FAULT_EINTR))
		return -EINTR;
	return io_faults_roll(IO_FAULT_EAGAIN) ? (io_faults_random() & 1 ? -EAGAIN : -EBUSY) : 0;
}

int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned wait)
{
	int rc = refuse();

	return rc ? rc : __real_io_uring_submit_and_wait(ring, wait);
}

int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned wait,
					    struct __kernel_timespec *t, sigset_t *signals)
{
	int rc = refuse();

	return rc ? rc : __real_io_uring_submit_and_wait_timeout(ring, cqe, wait, t, signals);
}

int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p)
{
	return io_faults_roll(IO_FAULT_ENOMEM) ? -ENOMEM : __real_io_uring_queue_init_params(entries, ring, p);
}

int __wrap_io_uring_register_buffers(struct io_uring *ring, const struct iovec *pieces, unsigned count)
{
	return io_faults_roll(IO_FAULT_ENOMEM) ? -ENOMEM : __real_io_uring_register_buffers(ring, pieces, count);
}
