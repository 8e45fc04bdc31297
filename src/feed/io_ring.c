/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "feed/io_ring.h"

enum { ENTRIES_MOST = 512 }; /* of the submission queue: fuller ones go to the kernel in several calls */

/* From the cheapest completions down; all are optional. */
static const unsigned ways[] = {
	IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED, /* Linux 6.1 */
	IORING_SETUP_COOP_TASKRUN,                                                         /* 5.19 */
	0,
};

static unsigned power_of_2(unsigned n)
{
	unsigned p = 8;

	while (p < n)
		p *= 2;
	return p;
}

static int set_up(struct io_uring *ring, unsigned depth, unsigned *ret_way)
{
	unsigned entries = power_of_2(depth + 1);
	int rc = -EINVAL;

	for (unsigned i = 0; rc == -EINVAL && i < PIT_COUNT(ways); i++) {
		struct io_uring_params p = {
			.flags = ways[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
			.cq_entries = 2 * entries,
		};

		rc = io_uring_queue_init_params(entries < ENTRIES_MOST ? entries : ENTRIES_MOST, ring, &p);
		*ret_way = i;
	}
	return rc;
}

static int refused(int rc, struct pit_error *err)
{
	const char *advice = "";

	if (rc == -EPERM || rc == -EACCES)
		advice = " (a sandbox such as a container's seccomp profile, or sysctl kernel.io_uring_disabled)";
	else if (rc == -ENOSYS)
		advice = " (the kernel has none, or a sandbox hides it)";
	else if (rc == -ENOMEM)
		advice = " (RLIMIT_MEMLOCK, ulimit -l, is too small, or the cgroup's memory is full)";
	return pit_fail(err, -rc, "%s%s", strerror(-rc), advice);
}

static int knows(struct io_uring *ring, struct pit_error *err)
{
	static const int needed[] = {IORING_OP_OPENAT, IORING_OP_CLOSE, IORING_OP_READ, IORING_OP_WRITE,
				     IORING_OP_FSYNC};
	struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
	int rc = 0;

	if (!probe)
		return pit_fail(err, EOPNOTSUPP, "io_uring_register is forbidden, or the kernel's io_uring is too old");
	for (unsigned i = 0; !rc && i < PIT_COUNT(needed); i++)
		if (!io_uring_opcode_supported(probe, needed[i]))
			rc = pit_fail(err, EOPNOTSUPP, "the kernel's io_uring is too old: it has no request %d",
				      needed[i]);
	io_uring_free_probe(probe);
	return rc;
}

/* Submits what is prepared, one request, and gives its result. */
static int result(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int rc = io_uring_submit(ring);

	while (rc >= 0 && (rc = io_uring_wait_cqe(ring, &cqe)) == -EINTR)
		rc = 0;
	if (rc < 0)
		return rc;
	rc = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return rc;
}

static int read_byte(struct io_uring *ring, int fd, struct pit_error *err)
{
	char byte = 0;
	int rc;

	io_uring_prep_read(io_uring_get_sqe(ring), fd, &byte, 1, 0);
	rc = result(ring);
	if (rc == 1 && byte == '1')
		return 0;
	return pit_fail(err, rc < 0 ? -rc : EIO, "a first read by it failed: %s", strerror(rc < 0 ? -rc : EIO));
}

/* Kernels before 5.15 do not know slots and make a descriptor. */
static int open_slot(struct io_uring *ring, struct pit_error *err)
{
	int none = -1, rc = io_uring_register_files(ring, &none, 1);

	if (!rc) {
		io_uring_prep_openat_direct(io_uring_get_sqe(ring), AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0, 0);
		rc = result(ring);
	}
	if (rc > 0)
		close(rc);
	if (rc)
		return pit_fail(err, rc < 0 ? -rc : EOPNOTSUPP, "no file can be opened into the ring's table: %s",
				strerror(rc < 0 ? -rc : EOPNOTSUPP));
	return 0;
}

/* By a small ring of its own: the real one is not yet anybody's. */
static int try_small(bool fixed, struct pit_error *err)
{
	pit_auto_close int fd = memfd_create("pitcrew-try", MFD_CLOEXEC);
	struct io_uring ring;
	int rc;

	if (fd < 0 || pwrite(fd, "1", 1, 0) != 1)
		return pit_fail(err, errno, "nothing to try it with: %s", strerror(errno));
	if ((rc = io_uring_queue_init(2, &ring, 0)))
		return refused(rc, err);
	rc = knows(&ring, err);
	if (!rc)
		rc = read_byte(&ring, fd, err);
	if (!rc && fixed)
		rc = open_slot(&ring, err);
	io_uring_queue_exit(&ring);
	return rc;
}

int pit_ring_open(struct io_uring *ring, unsigned depth, bool fixed, struct pit_error *err)
{
	static const char *const said[] = {
		"completions by the owner alone (DEFER_TASKRUN)",
		"completions without interrupts (COOP_TASKRUN)",
		"plain",
	};
	unsigned way;
	int rc = try_small(fixed, err);

	if (rc)
		return rc;
	if ((rc = set_up(ring, depth, &way)))
		return refused(rc, err);
	pit_fail(err, 0, "%s", said[way]);
	return 0;
}
