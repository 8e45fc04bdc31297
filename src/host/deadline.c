/* SPDX-License-Identifier: MIT
 *
 * A read that hangs in the kernel (a dead NFS server, a process that holds its address space) cannot be interrupted, so
 * it is made by a child which is given up when the deadline passes.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "host/answer.h"

struct request {
	int kind;
	char path[4096];
};

struct reply {
	int rc;
	size_t len;
};

static const char *const never_block[] = {"/proc/", "/sys/", "/etc/", "/usr/", "/lib/",
					  "/boot/", "/dev/", "/run/", "/."};

/* Files under /proc/PID that take a lock of that process (its address space, its exec), and those that ask a device. */
static bool asks_others(const char *path)
{
	static const char *const names[] = {"/cmdline", "/environ", "/maps",  "/smaps",  "/smaps_rollup", "/numa_maps",
					    "/auxv",    "/syscall", "/speed", "/duplex", "/temp1_alarm"};
	const char *last = strrchr(path, '/');

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (!strcmp(last, names[i]))
			return strcmp(path, "/proc/cmdline") != 0;
	return false;
}

bool pit_may_block(enum pit_kind kind, const char *path)
{
	if (kind == PIT_KIND_STATFS || kind == PIT_KIND_FACT)
		return kind == PIT_KIND_STATFS;
	if (!strncmp(path, "/run/user/", 10) || !strncmp(path, "/run/media/", 11))
		return true;
	for (size_t i = 0; i < PIT_COUNT(never_block); i++)
		if (!strncmp(path, never_block[i], strlen(never_block[i])))
			return asks_others(path);
	return true;
}

static void serve(int fd, const void *arg)
{
	struct request q;

	while (recv(fd, &q, sizeof(q), MSG_WAITALL) == (ssize_t)sizeof(q)) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		struct reply r = {.rc = pit_answer_live((enum pit_kind)q.kind, q.path, &out)};

		r.len = r.rc ? 0 : out.len;
		if (pit_child_write(fd, &r, sizeof(r)) || pit_child_write(fd, out.data, r.len))
			break;
	}
}

void pit_deadline_close(struct pit_deadline *d)
{
	(void)pit_child_stop(&d->helper);
}

static int exchange(struct pit_deadline *d, const struct request *q, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf answer = PIT_BUF_INIT;
	int64_t until = pit_now() + d->ms * PIT_MS;
	struct reply r = {0};

	if (pit_child_write(d->helper.fd, q, sizeof(*q)))
		return -EIO;
	while (answer.len < sizeof(r) + r.len) {
		int rc = pit_child_read(&d->helper, until, SIZE_MAX, &answer);

		if (rc <= 0)
			return rc ? rc : -EIO;
		if (answer.len >= sizeof(r))
			memcpy(&r, answer.data, sizeof(r));
	}
	if (!r.rc)
		pit_buf_add(out, answer.data + sizeof(r), r.len);
	return out->failed ? -ENOMEM : r.rc;
}

int pit_answer_deadline(struct pit_deadline *d, enum pit_kind kind, const char *path, struct pit_buf *out)
{
	struct request q = {.kind = (int)kind};
	int64_t started = pit_now();
	int rc = 0;

	if (strlen(path) >= sizeof(q.path))
		return -ENAMETOOLONG;
	strcpy(q.path, path);
	if (d->spent_ns > PIT_DEADLINE_TOTAL_MS * PIT_MS)
		return -ETIMEDOUT;
	if (!d->helper.pid)
		rc = pit_child_start(&(struct pit_child_job){.name = "pitcrew-reader", .talks = true, .run = serve},
				     &d->helper);
	if (rc)
		return rc;
	rc = exchange(d, &q, out);
	if (rc == -ETIMEDOUT || rc == -ENOMEM || rc == -EIO)
		pit_deadline_close(d);
	if (rc == -ETIMEDOUT)
		d->spent_ns += pit_now() - started;
	return rc;
}
