/* SPDX-License-Identifier: MIT */
#include "launch/supervise.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "launch/children.h"
#include "launch/supervisor.h"

#define LOST_MOST (10000 * PIT_MS) /* who outlives SIGKILL for so long is stuck in the kernel */
#define LEAVES_MS 2000
#define FILES_OF_OURS 20 /* open in the supervisor, whatever it starts */

struct front {
	const struct pit_supervise *s;
	struct pit_root *root; /* own one */
	struct pit_children before;
	struct pit_supervisor supervisor; /* what it is given */
	sigset_t mask;                    /* ours before */
	sigset_t ranks;                   /* what is blocked in them */
	int signals, socket;
	int launcher; /* pidfd; -1 none */
	pid_t pid;    /* of the supervisor */
};

static void say(const struct front *f, const char *line)
{
	if (f->s->say)
		f->s->say(f->s->arg, line);
}

/* `why`: there are no groups at all; NULL: a controller may be missing. */
static int tell_lost_limits(struct front *f, const char *why, struct pit_error *err)
{
	const struct pit_leaves *leaves = f->supervisor.leaves;
	struct pit_job_group_limit limit[PIT_JOB_GROUP_LIMITS];

	pit_job_group_limits(f->s->job, limit);
	for (size_t i = 0; i < PIT_COUNT(limit); i++) {
		const char *reason = why ? why : pit_leaves_lack(leaves, limit[i].controller);
		char line[640];

		if (!limit[i].asked || !reason)
			continue;
		if (f->s->job->options->strict)
			return pit_fail(err, EOPNOTSUPP, "--strict: %s cannot be had: %s", limit[i].option, reason);
		snprintf(line, sizeof(line), "%s has no effect: %s", limit[i].option, reason);
		say(f, line);
	}
	return 0;
}

/* Groups are opened here, for whoever of the two is the last to need them. Without them limits are lost, and little
 * else. */
static int open_leaves(struct front *f, struct pit_error *err)
{
	const struct pit_leaf_limits none = {.memory_max = PIT_UNLIMITED, .memory_high = PIT_UNLIMITED};
	struct pit_error e = PIT_ERROR_INIT;
	pit_auto_strv struct pit_strv notes = {0};
	int rc = pit_leaves_open(f->s->root, &none, &f->supervisor.leaves, &notes, &e);

	return tell_lost_limits(f, rc ? e.text : NULL, err);
}

static int open_mps(struct front *f, struct pit_error *err)
{
	const struct pit_job *j = f->s->job;
	pit_auto_buf struct pit_buf gpus = PIT_BUF_INIT;
	char dir[] = "/tmp/pitcrew-mps-XXXXXX"; /* nobody can be there first */
	struct pit_mps_request request = {.dir = dir, .environ = j->environ, .percent = j->options->mps};
	int rc;

	if (!j->options->mps)
		return 0;
	for (size_t i = 0; i < j->site.gpus; i++)
		pit_buf_printf(&gpus, "%s%s", i ? "," : "", j->site.gpu[i].uuid);
	request.gpus = gpus.data;
	if (!mkdtemp(dir))
		return pit_fail(err, errno, "cannot make a directory for MPS in /tmp: %s", strerror(errno));
	rc = pit_mps_start(&request, &f->supervisor.mps, err);
	if (rc || !pit_mps_ours(f->supervisor.mps))
		(void)!rmdir(dir);
	return rc;
}

/* A parent that blocks what asks to stop (a thread of a server that starts us) does not mean the ranks: no signal would
 * end them in order. */
static sigset_t mask_of_ranks(const sigset_t *inherited)
{
	static const int let_in[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD};
	sigset_t mask = *inherited;

	for (size_t i = 0; i < PIT_COUNT(let_in); i++)
		sigdelset(&mask, let_in[i]);
	return mask;
}

/* Pipes or files, a pidfd and the report of its start for each rank; with groups a leaf and what tells its pressure. */
static int check_files(const struct front *f, struct pit_error *err)
{
	const struct pit_job *j = f->s->job;
	unsigned long ranks = j->alone ? 1 : (unsigned long)j->placement.ranks;
	unsigned long need = ranks * (f->supervisor.leaves ? 7 : 4) + FILES_OF_OURS;
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) || now.rlim_max >= need)
		return 0;
	return pit_fail(err, EMFILE, "%lu rank%s need%s %lu open files, the hard limit is %llu: raise it (ulimit -Hn)",
			ranks, ranks == 1 ? "" : "s", ranks == 1 ? "s" : "", need, (unsigned long long)now.rlim_max);
}

static int prepare(struct front *f, struct pit_error *err)
{
	int ends[2];
	int rc = pit_root_open(NULL, &f->root, err);

	if (rc)
		return rc;
	rc = pit_front_signals(&f->signals, &f->mask);
	if (rc)
		return pit_fail(err, -rc, "cannot read signals: %s", strerror(-rc));
	f->ranks = mask_of_ranks(&f->mask);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return pit_fail(err, errno, "cannot make a socket: %s", strerror(errno));
	f->socket = ends[0];
	f->supervisor.front = ends[1];
	if (f->s->job->launcher > 0) /* gone already, or an old kernel: nobody is waited for */
		f->launcher = (int)syscall(SYS_pidfd_open, f->s->job->launcher, 0);
	rc = open_leaves(f, err);
	if (!rc)
		rc = check_files(f, err);
	if (!rc)
		rc = open_mps(f, err);
	if (rc)
		return rc;
	rc = pit_children_list(f->root, &f->before); /* of process 1 the daemon of MPS is one */
	return rc ? pit_fail(err, -rc, "cannot list our children: %s", strerror(-rc)) : 0;
}

static void start_supervisor(struct front *f)
{
	/* Readers of files belong to one process, and so does what was not written yet. */
	pit_root_end_helper(f->s->root);
	pit_root_end_helper(f->root);
	fflush(NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	f->pid = fork();
	if (f->pid)
		return;
	close(f->socket);
	close(f->signals);
	pit_cleanup_close(&f->launcher);
	f->supervisor.s = f->s;
	f->supervisor.mask = &f->ranks;
	pit_supervisor_main(&f->supervisor);
}

static int lost_supervisor(struct front *f, int status)
{
	char name[32], line[160];

	if (WIFSIGNALED(status))
		snprintf(line, sizeof(line), "the supervisor was ended by %s; the job is killed",
			 pit_signal_name(WTERMSIG(status), name, sizeof(name)));
	else
		snprintf(line, sizeof(line), "the supervisor cannot be watched; the job is killed");
	say(f, line);
	pit_mps_stop(pit_take(f->supervisor.mps)); /* clients first, as long as they can be asked */
	/* The ranks ended with the supervisor (PR_SET_PDEATHSIG), and what they started is ours now. */
	if (pit_children_end(f->root, &f->before, f->supervisor.leaves, LOST_MOST))
		say(f, "some processes of the job are left: they are stuck in the kernel");
	return PIT_SUPERVISE_FAILED;
}

static void lost_launcher(void *arg)
{
	struct front *f = arg;
	char line[96];

	snprintf(line, sizeof(line), "the launcher (pid %d) has ended; the job is stopped", (int)f->s->job->launcher);
	say(f, line);
}

static int serve(struct front *f)
{
	const struct pit_front front = {.signals = f->signals,
					.socket = f->socket,
					.supervisor = f->pid,
					.launcher = f->launcher,
					.launcher_ended = lost_launcher,
					.arg = f};
	int status = 0;
	int rc;

	close(f->supervisor.front);
	f->supervisor.front = -1;
	rc = pit_front_serve(&front, &status);
	if (rc)
		kill(f->pid, SIGKILL);
	else if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return lost_supervisor(f, status);
}

static void finish(struct front *f)
{
	pit_mps_stop(f->supervisor.mps);
	if (f->supervisor.leaves)
		(void)pit_leaves_close(f->supervisor.leaves, LEAVES_MS);
	if (f->signals >= 0 && f->pid <= 0)
		sigprocmask(SIG_SETMASK, &f->mask, NULL);
	pit_cleanup_close(&f->signals);
	pit_cleanup_close(&f->socket);
	pit_cleanup_close(&f->launcher);
	pit_cleanup_close(&f->supervisor.front);
	pit_children_free(&f->before);
	pit_root_close(f->root);
}

int pit_supervise(const struct pit_supervise *s, struct pit_error *err)
{
	struct front f = {.s = s, .signals = -1, .socket = -1, .launcher = -1, .supervisor = {.front = -1}};
	int rc = prepare(&f, err);

	for (size_t i = 0; !rc && i < s->job->mistakes.count; i++)
		say(&f, s->job->mistakes.item[i]);
	if (!rc) {
		start_supervisor(&f);
		rc = f.pid < 0 ? pit_fail(err, errno, "cannot start the supervisor: %s", strerror(errno)) : serve(&f);
	}
	finish(&f);
	return rc;
}
