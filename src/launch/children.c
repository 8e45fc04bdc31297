/* SPDX-License-Identifier: MIT */
#include "launch/children.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "host/pid.h"

#define PIDS_MOST 4194304 /* the kernel's PID_MAX_LIMIT */
#define PAUSE (10 * PIT_MS)

void pit_children_free(struct pit_children *c)
{
	pit_cleanup_free(&c->pid);
	*c = (struct pit_children){0};
}

bool pit_children_has(const struct pit_children *c, pid_t pid)
{
	for (size_t i = 0; c && i < c->count; i++)
		if (c->pid[i] == pid)
			return true;
	return false;
}

static int add(struct pit_children *c, pid_t pid)
{
	if (c->count == c->size) {
		size_t size = c->size ? 2 * c->size : 16;
		pid_t *more = realloc(c->pid, size * sizeof(*more));

		if (!more)
			return -ENOMEM;
		c->pid = more;
		c->size = size;
	}
	c->pid[c->count++] = pid;
	return 0;
}

/* In a new PID namespace /proc may still be the outer one's, whose numbers mean others here. */
static bool proc_is_ours(struct pit_root *root)
{
	const char *self;

	return !pit_root_link(root, &self, "/proc/self") && atoi(self) == getpid();
}

/* The kernel's own list; not every kernel was built with it. */
static int by_kernel(struct pit_root *root, struct pit_children *c)
{
	struct pit_text text;
	int rc = pit_root_read(root, &text, "/proc/%d/task/%d/children", getpid(), getpid());
	char *at, *end;

	if (rc)
		return rc;
	for (at = (char *)text.data; !rc; at = end) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			break;
		rc = add(c, (pid_t)pid);
	}
	return rc;
}

static int by_parent(struct pit_root *root, struct pit_children *c)
{
	struct pit_procs procs = {0};
	int rc = pit_procs_load(root, &procs, NULL);

	for (size_t i = 0; !rc && i < procs.count; i++)
		if (procs.item[i].ppid == getpid())
			rc = add(c, procs.item[i].pid);
	pit_procs_free(&procs);
	return rc;
}

static int ask_each(pid_t from, pid_t to, struct pit_children *c)
{
	int rc = 0;

	for (pid_t pid = from; !rc && pid <= to; pid++)
		if (!waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT))
			rc = add(c, pid);
	return rc;
}

/* Numbers are given in turn, so that a new process tells how far they go, unless they began anew. */
static pid_t newest(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid > 0 ? pid : PIDS_MOST;
}

/* Without /proc: waitid() says of each number whether it is a child. Half a microsecond for each. */
static int by_asking(struct pit_children *c)
{
	pid_t last = newest();
	int rc = ask_each(1, last, c);

	return rc || c->count ? rc : ask_each(last + 1, PIDS_MOST, c);
}

static bool has_any(void)
{
	return !waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT);
}

int pit_children_list(struct pit_root *root, struct pit_children *ret)
{
	struct pit_children c = {0};
	int rc = -ENOENT;

	if (!has_any()) {
		*ret = c;
		return 0;
	}
	pit_root_forget(root);
	if (proc_is_ours(root)) {
		rc = by_kernel(root, &c);
		if (rc && rc != -ENOMEM)
			rc = by_parent(root, &c);
	}
	if (rc && rc != -ENOMEM)
		rc = by_asking(&c);
	if (rc)
		pit_children_free(&c);
	else
		*ret = c;
	return rc;
}

/* A helper of ours is in our group; it ends with the call that it serves. */
static bool is_spared(pid_t pid, const struct pit_children *but)
{
	return getpgid(pid) == getpgrp() || pit_children_has(but, pid);
}

bool pit_children_none(struct pit_root *root, const struct pit_children *but)
{
	struct pit_children c = {0};
	size_t others = 0;

	if (!has_any())
		return true;
	if (pit_children_list(root, &c))
		return false;
	for (size_t i = 0; i < c.count; i++)
		others += !is_spared(c.pid[i], but);
	pit_children_free(&c);
	return !others;
}

int pit_children_kill(struct pit_root *root, const struct pit_children *but)
{
	struct pit_children c = {0};
	int rc = pit_children_list(root, &c), killed = 0;

	if (rc)
		return rc;
	for (size_t i = 0; i < c.count; i++)
		if (!is_spared(c.pid[i], but))
			killed += !kill(c.pid[i], SIGKILL);
	pit_children_free(&c);
	return killed;
}

pid_t pit_children_ended(void)
{
	siginfo_t info = {0};

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ? 0 : info.si_pid;
}

int pit_children_end(struct pit_root *root, const struct pit_children *but, struct pit_leaves *leaves, int64_t most)
{
	const struct timespec pause = {.tv_nsec = PAUSE};
	int64_t until = pit_now() + most;

	for (;;) {
		if (leaves)
			(void)pit_leaves_kill(leaves, NULL);
		(void)pit_children_kill(root, but);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (pit_children_none(root, but))
			return 0;
		if (pit_now() >= until)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
}
