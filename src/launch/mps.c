/* SPDX-License-Identifier: MIT */
#include "launch/mps.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "launch/mps_command.h"
#include "launch/spawn.h"

#define SECOND (1000 * PIT_MS)
#define PATIENCE (10 * SECOND)
#define PAUSE (50 * PIT_MS)
#define PIDS 1024

#define PID_FILE "nvidia-cuda-mps-control.pid"
#define LONGEST "/control_privileged" /* of the sockets in its directory */
#define COMM "nvidia-cuda-mps"        /* of daemon and servers: 15 bytes */

struct pit_mps {
	char *program;
	char dir[128];
	struct pit_strv environ;
	int64_t patience;
	bool ours, hung;
	pid_t daemon; /* 0 unknown */
	int pidfd;    /* of it; -1 none */
};

const char *pit_mps_dir(const struct pit_mps *m)
{
	return m->dir;
}

bool pit_mps_ours(const struct pit_mps *m)
{
	return m->ours;
}

pid_t pit_mps_pid(const struct pit_mps *m)
{
	return m->ours ? m->daemon : 0;
}

static void drop(struct pit_mps *m)
{
	pit_cleanup_close(&m->pidfd);
	pit_strv_free(&m->environ);
	free(m->program);
	free(m);
}

static void dropp(struct pit_mps **m)
{
	if (*m)
		drop(*m);
}

static int say(struct pit_mps *m, int64_t until, struct pit_buf *out, struct pit_error *err, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static int say(struct pit_mps *m, int64_t until, struct pit_buf *out, struct pit_error *err, const char *fmt, ...)
{
	struct pit_mps_command c = {.program = m->program, .environ = m->environ.item};
	char input[128];
	va_list args;
	int rc;

	if (m->hung)
		return pit_fail(err, ETIMEDOUT, "the MPS daemon at %s did not answer before", m->dir);
	va_start(args, fmt);
	vsnprintf(input, sizeof(input), fmt, args);
	va_end(args);
	c.input = input;
	rc = pit_mps_command(&c, until, out, err);
	m->hung = rc == -ETIMEDOUT;
	return rc;
}

static size_t ask(struct pit_mps *m, int64_t until, pid_t *ret, const char *what, pid_t about)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	int rc = about ? say(m, until, &out, NULL, "%s %d\n", what, (int)about)
		       : say(m, until, &out, NULL, "%s\n", what);

	return rc ? 0 : pit_mps_pids(out.data, ret, PIDS);
}

static bool is_mps(pid_t pid)
{
	char path[64], comm[32] = "";
	pit_auto_close int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0 && !strncmp(comm, COMM, strlen(COMM));
}

/* By the file that it writes, held against what runs there: the number may have been given away since. */
static void find_daemon(struct pit_mps *m)
{
	char path[sizeof(m->dir) + sizeof(PID_FILE)], text[32] = "";
	pit_auto_close int fd = -1, pidfd = -1;
	pid_t pid;

	if (m->pidfd >= 0)
		return;
	snprintf(path, sizeof(path), "%s/" PID_FILE, m->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || pit_mps_pids(text, &pid, 1) != 1)
		return;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 || !is_mps(pid))
		return;
	m->daemon = pid;
	m->pidfd = pit_take_fd(&pidfd);
}

static bool runs(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return pidfd >= 0 && poll(&p, 1, 0) == 0;
}

static const char *value(char *const *block, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; block[i]; i++)
		if (!strncmp(block[i], name, len) && block[i][len] == '=')
			return block[i] + len + 1;
	return NULL;
}

static int set_dir(struct pit_mps *m, const char *dir, struct pit_error *err)
{
	const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof(LONGEST);

	if (strlen(dir) > most)
		return pit_fail(err, ENAMETOOLONG,
				"%s is too long a name for the directory of MPS: its sockets allow %zu bytes", dir,
				most);
	snprintf(m->dir, sizeof(m->dir), "%s", dir);
	return 0;
}

static int begin(const struct pit_mps_request *r, const char *dir, const char *log, struct pit_mps **ret,
		 struct pit_error *err)
{
	__attribute__((cleanup(dropp))) struct pit_mps *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return pit_fail(err, ENOMEM, "out of memory");
	m->pidfd = -1;
	m->patience = r->patience ? r->patience : PATIENCE;
	rc = set_dir(m, dir, err);
	if (!rc)
		rc = pit_spawn_find(r->control ? r->control : "nvidia-cuda-mps-control", r->environ, &m->program, err);
	if (!rc && pit_mps_environ(r->environ, dir, log, r->gpus, &m->environ))
		rc = pit_fail(err, ENOMEM, "out of memory");
	if (rc)
		return rc;
	*ret = pit_take(m);
	return 0;
}

/* MPS serves one user at a time; a daemon of root serves whoever comes first. */
static int check_owner(const struct pit_mps *m, struct pit_error *err)
{
	struct stat st;

	if (stat(m->dir, &st) || !st.st_uid || st.st_uid == geteuid() || !geteuid())
		return 0;
	return pit_fail(err, EACCES,
			"the MPS daemon at %s, which CUDA_MPS_PIPE_DIRECTORY names, is of user %u and serves no other: "
			"unset CUDA_MPS_PIPE_DIRECTORY for one of your own",
			m->dir, (unsigned)st.st_uid);
}

/* 1: the daemon that CUDA_MPS_PIPE_DIRECTORY names is used; 0: none runs there. */
static int use_running(const struct pit_mps_request *r, struct pit_mps **ret, struct pit_error *err)
{
	const char *dir = value(r->environ, "CUDA_MPS_PIPE_DIRECTORY");
	__attribute__((cleanup(dropp))) struct pit_mps *m = NULL;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error why = PIT_ERROR_INIT;
	int rc;

	if (!dir || !*dir)
		return 0;
	rc = begin(r, dir, NULL, &m, err);
	if (rc)
		return rc;
	find_daemon(m);
	rc = say(m, pit_now() + m->patience, &out, &why, "get_server_list\n");
	if (rc && !runs(m->pidfd) && rc != -ETIMEDOUT)
		return 0;
	if (check_owner(m, err))
		return -EACCES;
	if (rc)
		return pit_fail(err, -rc, "the MPS daemon at %s does not work: %s", dir, why.text);
	*ret = pit_take(m);
	return 1;
}

/* Ours, and nobody else's to put things into. */
static int make_dir(const char *dir, struct pit_error *err)
{
	struct stat st;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return pit_fail(err, errno, "cannot make %s for MPS: %s", dir, strerror(errno));
	if (lstat(dir, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return pit_fail(err, EEXIST, "%s is there already and not a directory of our own: MPS needs one", dir);
	return 0;
}

static int start_daemon(struct pit_mps *m, const char *log, int64_t until, struct pit_error *err)
{
	const struct pit_mps_command c = {.program = m->program, .environ = m->environ.item, .option = "-d"};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	int rc = pit_mps_command(&c, until, &out, err);

	m->hung = rc == -ETIMEDOUT;
	m->ours = !rc || m->hung;
	if (!m->ours) { /* what it wrote stays */
		(void)!rmdir(log);
		(void)!rmdir(m->dir);
	}
	return rc;
}

static int wait_until_it_answers(struct pit_mps *m, int64_t until, struct pit_error *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE};
	struct pit_error why = PIT_ERROR_INIT;

	do {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		struct pit_error now = PIT_ERROR_INIT;
		int rc = say(m, until, &out, &now, "get_server_list\n");

		if (!rc)
			return 0;
		if (rc != -ETIMEDOUT || !why.code) /* what it said says more than that time ran out */
			why = now;
		nanosleep(&pause, NULL);
	} while (!m->hung && pit_now() < until);
	return pit_fail(err, ETIMEDOUT, "the MPS daemon does not answer (%s/log/control.log may say why): %s", m->dir,
			why.text);
}

static int start_own(const struct pit_mps_request *r, struct pit_mps **ret, struct pit_error *err)
{
	struct pit_mps *m = NULL;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	char log[160];
	int64_t until;
	int rc;

	snprintf(log, sizeof(log), "%s/log", r->dir);
	rc = begin(r, r->dir, log, &m, err);
	if (rc)
		return rc;
	until = pit_now() + m->patience;
	rc = make_dir(r->dir, err);
	if (!rc)
		rc = make_dir(log, err);
	if (!rc)
		rc = start_daemon(m, log, until, err);
	if (!rc)
		rc = wait_until_it_answers(m, until, err);
	find_daemon(m);
	if (!rc)
		rc = say(m, until, &out, err, "set_default_active_thread_percentage %d\n", r->percent);
	if (rc) {
		pit_mps_stop(m);
		return rc;
	}
	*ret = m;
	return 0;
}

int pit_mps_start(const struct pit_mps_request *r, struct pit_mps **ret, struct pit_error *err)
{
	int rc;

	if (r->percent < 1 || r->percent > 100)
		return pit_fail(err, EINVAL, "%d is no percentage of threads for MPS: it goes from 1 to 100",
				r->percent);
	rc = use_running(r, ret, err);
	if (rc)
		return rc < 0 ? rc : 0;
	return start_own(r, ret, err);
}

/* The clients of one server that are `pid`, or in its process group; with 0 all. */
static void end_clients(struct pit_mps *m, int64_t until, pid_t server, pid_t pid)
{
	pid_t clients[PIDS];
	size_t n = ask(m, until, clients, "get_client_list", server);

	for (size_t i = 0; i < n && !m->hung; i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		if (!pid || clients[i] == pid || getpgid(clients[i]) == pid)
			(void)say(m, until, &out, NULL, "terminate_client %d %d\n", (int)server, (int)clients[i]);
	}
}

int pit_mps_end_client(struct pit_mps *m, pid_t pid)
{
	int64_t until = pit_now() + m->patience / 2;
	pid_t servers[PIDS];
	size_t n = ask(m, until, servers, "get_server_list", 0);

	for (size_t i = 0; i < n && !m->hung; i++)
		end_clients(m, until, servers[i], pid);
	return m->hung ? -ETIMEDOUT : 0;
}

/* What it leaves is its own when the directory is ours. */
static void remove_dir(const char *path)
{
	pit_auto_closedir DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			(void)!unlinkat(dirfd(d), e->d_name, 0);
	(void)!rmdir(path);
}

static void wait_for_end(struct pit_mps *m, int64_t until)
{
	struct pollfd p = {.fd = m->pidfd, .events = POLLIN};

	while (m->pidfd >= 0 && pit_now() < until && poll(&p, 1, (int)((until - pit_now()) / PIT_MS) + 1) < 0 &&
	       errno == EINTR)
		;
	if (m->daemon && !runs(m->pidfd))
		(void)waitpid(m->daemon, NULL, WNOHANG); /* when it was ours to reap */
}

/* Servers are its children: their pidfds before it goes. */
static size_t hold_servers(const struct pit_mps *m, int *pidfds, size_t most)
{
	char path[64], text[4096] = "";
	pit_auto_close int fd = -1;
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)m->daemon, (int)m->daemon);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	for (char *save = NULL, *word = strtok_r(text, " ", &save); word && n < most;
	     word = strtok_r(NULL, " ", &save)) {
		int pidfd = (int)syscall(SYS_pidfd_open, atoi(word), 0);

		if (pidfd >= 0)
			pidfds[n++] = pidfd;
	}
	return n;
}

static void kill_all(struct pit_mps *m)
{
	int servers[64];
	size_t n = hold_servers(m, servers, PIT_COUNT(servers));

	(void)syscall(SYS_pidfd_send_signal, m->pidfd, SIGKILL, NULL, 0);
	for (size_t i = 0; i < n; i++) {
		(void)syscall(SYS_pidfd_send_signal, servers[i], SIGKILL, NULL, 0);
		close(servers[i]);
	}
	wait_for_end(m, pit_now() + SECOND);
}

static void end_servers(struct pit_mps *m, int64_t until)
{
	pid_t servers[PIDS];
	size_t n = ask(m, until, servers, "get_server_list", 0);

	for (size_t i = 0; i < n && !m->hung; i++)
		end_clients(m, until, servers[i], 0);
	for (size_t i = 0; i < n && !m->hung; i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		(void)say(m, until, &out, NULL, "shutdown_server %d -f\n", (int)servers[i]);
	}
}

static void end_daemon(struct pit_mps *m)
{
	int64_t until = pit_now() + m->patience;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	char log[sizeof(m->dir) + 8];

	find_daemon(m);
	end_servers(m, until);
	(void)say(m, until, &out, NULL, "quit\n");
	if (m->hung)
		until = 0; /* it was waited for already */
	wait_for_end(m, until);
	if (runs(m->pidfd)) {
		kill_all(m);
		return; /* its log stays, for somebody will ask */
	}
	snprintf(log, sizeof(log), "%s/log", m->dir);
	remove_dir(log);
	remove_dir(m->dir);
}

void pit_mps_stop(struct pit_mps *m)
{
	int saved = errno;

	if (!m)
		return;
	if (m->ours)
		end_daemon(m);
	drop(m);
	errno = saved;
}
