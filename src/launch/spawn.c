/* SPDX-License-Identifier: MIT */
#include "launch/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "launch/program.h"
#include "launch/spawn_inside.h"

#define REAP_NS (200 * PIT_MS) /* enough for a child that can be killed at all */

const char *pit_spawn_step_name(enum pit_spawn_step step)
{
	static const char *const names[] = {
		[PIT_STEP_SESSION] = "making its process group",
		[PIT_STEP_DEATH] = "tying it to its parent",
		[PIT_STEP_CGROUP] = "joining its control group",
		[PIT_STEP_CPUS] = "binding CPUs",
		[PIT_STEP_MEM] = "binding memory",
		[PIT_STEP_LIMIT] = "setting a resource limit",
		[PIT_STEP_OOM] = "setting the OOM score",
		[PIT_STEP_IO_PRIORITY] = "setting the I/O priority",
		[PIT_STEP_NICE] = "setting the nice value",
		[PIT_STEP_SCHED] = "setting the scheduling policy",
		[PIT_STEP_STDIO] = "connecting stdin, stdout and stderr",
		[PIT_STEP_DIR] = "changing the directory",
		[PIT_STEP_TERMINAL] = "taking the terminal",
		[PIT_STEP_EXEC] = "running the command",
	};

	return (size_t)step < PIT_COUNT(names) ? names[step] : "an unknown step";
}

static void plan_free(struct pit_spawn_plan *p)
{
	pit_cleanup_free(&p->program);
	pit_cleanup_free(&p->shell);
	pit_cleanup_close(&p->report);
	pit_cleanup_close(&p->procs);
}
#define auto_plan PIT_CLEANUP(plan_free)

/* "/bin/sh PROGRAM ARGUMENTS" when the file may be a script without "#!". */
static int plan_shell(struct pit_spawn_plan *p)
{
	char *const *argv = p->what->argv;
	pit_auto_close int dir = p->what->dir ? open(p->what->dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	struct pit_program program;
	size_t n = 1;

	if (pit_program_read(p->what->dir ? dir : AT_FDCWD, p->program, &program) || program.kind != PIT_PROGRAM_TEXT)
		return 0;
	while (argv[n])
		n++;
	p->shell = calloc(n + 2, sizeof(*p->shell));
	if (!p->shell)
		return -ENOMEM;
	p->shell[0] = "/bin/sh";
	p->shell[1] = p->program;
	for (size_t i = 1; i < n; i++)
		p->shell[i + 1] = argv[i];
	return 0;
}

/* Both ends lie above 2, where the child puts its own files. */
static int open_report(int *ret_read, int *ret_write)
{
	int ends[2], rc = 0;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	for (int i = 0; i < 2; i++) {
		int above = ends[i] > STDERR_FILENO ? ends[i] : fcntl(ends[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

		if (above < 0)
			rc = -errno;
		if (above != ends[i])
			close(ends[i]);
		ends[i] = above;
	}
	if (!rc) {
		*ret_read = ends[0];
		*ret_write = ends[1];
		return 0;
	}
	pit_cleanup_close(&ends[0]);
	pit_cleanup_close(&ends[1]);
	return rc;
}

/* fork() with a pidfd, into a group; the caller has no use for the C library's atfork handlers. */
static pid_t clone_new(int cgroup, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* What a humbler call meets, too. */
static bool is_final(int error)
{
	return error == EAGAIN || error == ENOMEM;
}

/* clone3() into the group; where that is refused (before 5.7, filters) without it; where clone3() itself is refused
 * (before 5.3, filters of containers), fork(). The child that is in no group yet joins it by itself. */
static pid_t launch(struct pit_spawn_plan *p, int *ret_pidfd)
{
	int cgroup = p->what->cgroup;
	pid_t pid;

	p->joined = cgroup >= 0;
	pid = clone_new(cgroup, ret_pidfd);
	if (pid >= 0 || is_final(errno))
		return pid;
	p->joined = false;
	if (cgroup >= 0) {
		p->procs = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		p->procs_error = errno;
		pid = clone_new(-1, ret_pidfd);
		if (pid >= 0 || is_final(errno))
			return pid;
	}
	pid = fork();
	*ret_pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	return pid;
}

/* No handler of ours may run in the child. */
static pid_t launch_quietly(struct pit_spawn_plan *p, int *ret_pidfd)
{
	sigset_t all, before;
	int saved;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = launch(p, ret_pidfd);
	if (!pid)
		pit_spawn_child(p);
	saved = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return pid;
}

int pit_spawn_start(const struct pit_spawn *what, struct pit_spawned *ret, struct pit_error *err)
{
	auto_plan struct pit_spawn_plan p = {.what = what, .parent = getpid(), .report = -1, .procs = -1};
	struct pit_spawned s = {.pidfd = -1, .report = -1};
	int rc = pit_spawn_look_up(what->dir, what->argv[0], what->environ, &p.program, err);

	if (rc)
		return rc;
	snprintf(p.oom, sizeof(p.oom), "%d", what->oom_score_adj);
	rc = plan_shell(&p);
	if (!rc)
		rc = open_report(&s.report, &p.report);
	if (rc)
		return pit_fail(err, -rc, "%s cannot be started: %s", what->argv[0], strerror(-rc));
	s.pid = launch_quietly(&p, &s.pidfd);
	if (s.pid < 0) {
		rc = -errno;
		close(s.report);
		return pit_fail(err, -rc, "%s cannot be started: no new process: %s", what->argv[0], strerror(-rc));
	}
	if (!what->session)
		setpgid(s.pid, s.pid); /* the child does it too: whoever comes first */
	*ret = s;
	return 0;
}

static void note(struct pit_spawned *s, const struct pit_spawn_record *r)
{
	if (s->notes == PIT_SPAWN_NOTES && !r->fatal)
		return;
	s->notes -= s->notes == PIT_SPAWN_NOTES; /* what ended it matters most */
	s->note[s->notes++] = (struct pit_spawn_note){
		.step = (enum pit_spawn_step)r->step,
		.error = r->error,
		.fell = r->fell,
		.detail = r->detail,
	};
}

/* Reads records until the child has become the command (0) or ended (1, and `ret` says why). -errno. */
static int hear(struct pit_spawned *s, struct pit_spawn_record *ret)
{
	int64_t until = pit_now() + PIT_SPAWN_WAIT;

	for (;;) {
		int64_t left = until - pit_now();
		struct pollfd p = {.fd = s->report, .events = POLLIN};
		struct pit_spawn_record r;
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left / PIT_MS) + 1) <= 0)
			continue;
		n = read(s->report, &r, sizeof(r)); /* whole ones only: they are written as such */
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(r))
			return n < 0 ? -errno : 0;
		note(s, &r);
		if (r.fatal) {
			*ret = r;
			return 1;
		}
	}
}

/* For a child that is ending; somebody else may take its remains first. */
static void reap(struct pit_spawned *s)
{
	const struct timespec pause = {.tv_nsec = PIT_MS / 5};
	int64_t until = pit_now() + REAP_NS;

	while (waitpid(s->pid, NULL, WNOHANG) == 0 && pit_now() < until)
		nanosleep(&pause, NULL);
	s->pid = 0;
	pit_cleanup_close(&s->pidfd);
	s->pidfd = -1;
}

int pit_spawn_finish(const struct pit_spawn *what, struct pit_spawned *s, struct pit_error *err)
{
	struct pit_spawn_record r = {0};
	int rc = hear(s, &r);

	close(s->report);
	s->report = -1;
	if (!rc)
		return 0;
	if (rc < 0)
		kill(s->pid, SIGKILL);
	reap(s);
	if (rc == -ETIMEDOUT)
		return pit_fail(err, ETIMEDOUT, "%s does not start: the file system that it lies on may not answer",
				what->argv[0]);
	if (rc < 0)
		return pit_fail(err, -rc, "%s: its start cannot be followed: %s", what->argv[0], strerror(-rc));
	return pit_spawn_fail(what, &r, err);
}
