/* SPDX-License-Identifier: MIT
 *
 * The new process on its way to the command. Only async-signal-safe calls here: the parent may have had threads.
 */
#include "launch/spawn_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch/spawn_mem.h"

#define NOT_STARTED 127 /* exit status that nobody looks at: the record says why */
#define WHO_PROCESS 1   /* IOPRIO_WHO_PROCESS, include/uapi/linux/ioprio.h */
#define CLASS_SHIFT 13  /* IOPRIO_CLASS_SHIFT */

static void tell(const struct pit_spawn_plan *p, const struct pit_spawn_record *r)
{
	ssize_t n = write(p->report, r, sizeof(*r));

	if (r->fatal || n < 0)
		_exit(NOT_STARTED);
}

static void end(const struct pit_spawn_plan *p, enum pit_spawn_step step, int error)
{
	const struct pit_spawn_record r = {.step = (int32_t)step, .error = error, .fatal = true};

	tell(p, &r);
}

static void refused(const struct pit_spawn_plan *p, enum pit_spawn_step step, int error, int fell, int detail)
{
	const struct pit_spawn_record r = {
		.step = (int32_t)step,
		.error = error,
		.fell = fell,
		.detail = detail,
		.fatal = p->what->strict,
	};

	tell(p, &r);
}

static void take_session(const struct pit_spawn_plan *p)
{
	if (p->what->session ? setsid() < 0 : setpgid(0, 0) < 0)
		refused(p, PIT_STEP_SESSION, errno, 0, 0);
}

static void die_with_parent(const struct pit_spawn_plan *p)
{
	if (!p->what->death)
		return;
	if (prctl(PR_SET_PDEATHSIG, p->what->death))
		refused(p, PIT_STEP_DEATH, errno, 0, 0);
	if (getppid() != p->parent) /* it ended before the call above */
		_exit(NOT_STARTED);
}

static void join_group(const struct pit_spawn_plan *p)
{
	if (p->what->cgroup < 0 || p->joined)
		return;
	if (p->procs < 0)
		refused(p, PIT_STEP_CGROUP, p->procs_error, 0, 0);
	else if (write(p->procs, "0", 1) < 0)
		refused(p, PIT_STEP_CGROUP, errno, 0, 0);
}

static void bind_cpus(const struct pit_spawn_plan *p)
{
	const struct pit_idset *cpus = p->what->cpus;
	uint64_t has[PIT_IDSET_MAX / 64] = {0};

	if (!cpus || pit_idset_is_empty(cpus))
		return;
	if (syscall(SYS_sched_setaffinity, 0, cpus->words * sizeof(*cpus->word), cpus->word)) {
		refused(p, PIT_STEP_CPUS, errno, 0, 0);
		return;
	}
	if (syscall(SYS_sched_getaffinity, 0, sizeof(has), has) < 0)
		return;
	for (size_t i = 0; i < cpus->words; i++) {
		if (cpus->word[i] & ~has[i]) { /* a cpuset or an offline CPU took some away */
			refused(p, PIT_STEP_CPUS, 0, 1, 0);
			return;
		}
	}
}

static void bind_memory(const struct pit_spawn_plan *p)
{
	enum pit_mem wanted = p->what->mem;
	struct pit_spawn_mem m = pit_spawn_set_mem(wanted, p->what->mems);

	if (m.error || m.less)
		refused(p, PIT_STEP_MEM, m.error, (int)m.used, 0);
}

/* A hard limit above ours needs a privilege: what is left then is all that we have. */
static void limit_one(const struct pit_spawn_plan *p, int resource, struct rlimit64 value)
{
	struct rlimit64 now;
	int error;

	if (!prlimit64(0, (enum __rlimit_resource)resource, &value, NULL))
		return;
	error = errno;
	if (error == EPERM && !prlimit64(0, (enum __rlimit_resource)resource, NULL, &now)) {
		value.rlim_max = value.rlim_max < now.rlim_max ? value.rlim_max : now.rlim_max;
		value.rlim_cur = value.rlim_cur < value.rlim_max ? value.rlim_cur : value.rlim_max;
		(void)prlimit64(0, (enum __rlimit_resource)resource, &value, NULL);
	}
	refused(p, PIT_STEP_LIMIT, error, 0, resource);
}

static void set_oom_score(const struct pit_spawn_plan *p)
{
	int fd, error = 0;

	if (!p->what->oom_set)
		return;
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, p->oom, strlen(p->oom)) < 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	if (error)
		refused(p, PIT_STEP_OOM, error, 0, 0);
}

static void set_priorities(const struct pit_spawn_plan *p)
{
	const struct pit_spawn *w = p->what;
	const struct sched_param param = {.sched_priority = w->priority};

	if (w->io_set && syscall(SYS_ioprio_set, WHO_PROCESS, 0, w->io_class << CLASS_SHIFT | w->io_level))
		refused(p, PIT_STEP_IO_PRIORITY, errno, 0, 0);
	if (w->nice_set && setpriority(PRIO_PROCESS, 0, w->nice))
		refused(p, PIT_STEP_NICE, errno, 0, 0);
	if (w->sched_set && sched_setscheduler(0, w->policy, &param))
		refused(p, PIT_STEP_SCHED, errno, 0, 0);
}

/* A file number that step STDIO does not overwrite. */
static int above_stdio(const struct pit_spawn_plan *p, int fd)
{
	int above;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (above < 0)
		end(p, PIT_STEP_STDIO, errno);
	return above;
}

static void set_stdio(const struct pit_spawn_plan *p)
{
	int from[3];

	for (int i = 0; i < 3; i++) {
		from[i] = p->what->stdio[i];
		if (from[i] != i)
			from[i] = above_stdio(p, from[i]);
	}
	for (int i = 0; i < 3; i++) {
		int rc = 0;

		if (from[i] == i)
			rc = fcntl(i, F_SETFD, 0);
		else if (from[i] >= 0)
			rc = dup2(from[i], i);
		if (rc < 0)
			end(p, PIT_STEP_STDIO, errno);
	}
}

/* SIGTTOU is blocked, so that a background process may do this. */
static void take_terminal(const struct pit_spawn_plan *p, int terminal)
{
	if (terminal >= 0 && tcsetpgrp(terminal, getpid()))
		refused(p, PIT_STEP_TERMINAL, errno, 0, 0);
}

/* What the user ignored (nohup) stays ignored. Handlers go before signals are let in: they are our program's. */
static void restore_signals(const struct pit_spawn_plan *p)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	struct sigaction now;
	sigset_t none;

	for (int i = 1; i < NSIG; i++) {
		if (sigaction(i, NULL, &now) || now.sa_handler == SIG_DFL)
			continue;
		if (now.sa_handler != SIG_IGN || i == SIGPIPE || i == SIGXFSZ) /* our main() ignores these two */
			sigaction(i, &usual, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, p->what->mask ? p->what->mask : &none, NULL);
}

static void become(const struct pit_spawn_plan *p)
{
	char *const *env = p->what->environ;
	int error;

	execve(p->program, p->what->argv, env);
	error = errno;
	if (error == ENOEXEC && p->shell)
		execve(p->shell[0], (char *const *)p->shell, env);
	end(p, PIT_STEP_EXEC, error);
}

void pit_spawn_child(const struct pit_spawn_plan *p)
{
	const struct pit_spawn *w = p->what;
	int terminal;

	take_session(p);
	die_with_parent(p);
	join_group(p);
	bind_cpus(p);
	bind_memory(p);
	for (size_t i = 0; i < w->limits; i++)
		limit_one(p, w->limit[i].resource, w->limit[i].value);
	set_oom_score(p);
	set_priorities(p);
	terminal = above_stdio(p, w->terminal);
	set_stdio(p);
	if (w->dir && chdir(w->dir))
		end(p, PIT_STEP_DIR, errno);
	take_terminal(p, terminal);
	restore_signals(p);
	become(p);
	_exit(NOT_STARTED);
}
