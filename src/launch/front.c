/* SPDX-License-Identifier: MIT */
#include "launch/front.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/event.h"
#include "launch/children.h"
#include "launch/ending.h"
#include "launch/terminal.h"

#define SERVED 1
#define PATIENCE 6 /* requests to stop, not at once, after which a supervisor that still lives is taken to be stuck */

struct serving {
	const struct pit_front *f;
	struct pit_loop *loop;
	struct pit_terminal terminal;
	pid_t wants; /* group that waits for the terminal until we are in the foreground; 0 none */
	int requests;
	int64_t asked_at; /* the last that counts */
	int status;
};

static const int to_stop[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
static const int to_forward[] = {SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT, SIGCHLD};
/* Blocked without being read: they stop nobody who only writes to or manages the terminal. */
static const int to_block[] = {SIGTTIN, SIGTTOU, SIGPIPE};

bool pit_front_asks_to_stop(int signal)
{
	for (size_t i = 0; i < PIT_COUNT(to_stop); i++)
		if (to_stop[i] == signal)
			return true;
	return false;
}

bool pit_front_ignores(int signal)
{
	struct sigaction old;

	return !sigaction(signal, NULL, &old) && old.sa_handler == SIG_IGN;
}

int pit_front_signals(int *ret_fd, sigset_t *ret_old)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t read, block;
	int fd;

	sigemptyset(&read);
	for (size_t i = 0; i < PIT_COUNT(to_forward); i++)
		sigaddset(&read, to_forward[i]);
	for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
		sigaddset(&read, signal);
	for (size_t i = 0; i < PIT_COUNT(to_stop); i++)
		if (!pit_front_ignores(to_stop[i]))
			sigaddset(&read, to_stop[i]);
	block = read;
	for (size_t i = 0; i < PIT_COUNT(to_block); i++)
		sigaddset(&block, to_block[i]);
	/* Who starts us with SIGCHLD ignored takes the ends of our children from us. */
	sigaction(SIGCHLD, &usual, NULL);
	sigaction(SIGTSTP, &usual, NULL);
	fd = signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &block, ret_old);
	*ret_fd = fd;
	return 0;
}

/* A supervisor that does not read (it was stopped) loses what no longer fits: it is asked again, or killed. */
static void tell(const struct serving *s, const struct pit_front_message *m)
{
	(void)!send(s->f->socket, m, sizeof(*m), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int reap(struct serving *s)
{
	pid_t pid;

	while ((pid = pit_children_ended())) {
		int status;

		if (waitpid(pid, &status, WNOHANG) != pid)
			break;
		if (pid == s->f->supervisor) {
			s->status = status;
			return SERVED;
		}
	}
	return 0;
}

/* After the shell's fg or bg. */
static void go_on(struct serving *s)
{
	pid_t wants = s->wants ? s->wants : s->terminal.holder;

	if (wants && pit_terminal_give(&s->terminal, wants))
		s->wants = 0;
	tell(s, &(struct pit_front_message){.signal = SIGCONT});
}

static void ask_to_stop(struct serving *s, const struct pit_front_message *m)
{
	int64_t now = pit_now();

	tell(s, m);
	kill(s->f->supervisor, SIGCONT); /* it may have been stopped */
	if (s->requests && now - s->asked_at < PIT_ENDING_SAME)
		return;
	s->asked_at = now;
	if (++s->requests >= PATIENCE)
		kill(s->f->supervisor, SIGKILL);
}

static void heard(struct serving *s, const struct signalfd_siginfo *info)
{
	const struct pit_front_message m = {
		.signal = (int)info->ssi_signo,
		.sender = info->ssi_code == SI_KERNEL ? 0
			  : info->ssi_pid             ? (pid_t)info->ssi_pid
						      : -1,
	};

	if (pit_front_asks_to_stop(m.signal)) {
		ask_to_stop(s, &m);
	} else if (m.signal == SIGCONT) {
		go_on(s);
	} else {
		tell(s, &m);
		if (m.signal == SIGTSTP && !pit_terminal_stop_self(SIGTSTP))
			go_on(s);
	}
}

static int on_signal(void *arg, uint32_t events)
{
	struct serving *s = arg;
	struct signalfd_siginfo info;

	while (read(s->f->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			heard(s, &info);
	return reap(s);
}

/* A rank stopped because it wants the terminal. */
static void wanted(struct serving *s, const struct pit_front_news *n)
{
	if (pit_terminal_give(&s->terminal, n->group)) {
		tell(s, &(struct pit_front_message){.signal = SIGCONT, .group = n->group});
		return;
	}
	s->wants = n->group;
	/* Nobody will ever give it to us: as the kernel does with stopped groups that nobody can continue. */
	if (!pit_terminal_stop_self(n->signal))
		ask_to_stop(s, &(struct pit_front_message){.signal = SIGHUP});
}

/* The rank that has the terminal was stopped, or on a terminal the only one: all of the shell's job is meant, or nobody
 * would be at the prompt. */
static bool concerns_shell(const struct serving *s, const struct pit_front_news *n)
{
	return n->group == s->terminal.holder || (n->only && s->terminal.fd >= 0);
}

static void suspended(struct serving *s, const struct pit_front_news *n)
{
	kill(0, SIGTSTP);
	/* Where no shell can continue us: whoever stopped a rank from outside continues it. */
	if (!pit_terminal_stop_self(SIGTSTP) && n->group == s->terminal.holder)
		tell(s, &(struct pit_front_message){.signal = SIGCONT, .group = n->group});
}

static int on_news(void *arg, uint32_t events)
{
	struct serving *s = arg;
	struct pit_front_news n;
	ssize_t size;

	while ((size = recv(s->f->socket, &n, sizeof(n), MSG_DONTWAIT)) == (ssize_t)sizeof(n)) {
		if (n.signal == SIGTTIN || n.signal == SIGTTOU)
			wanted(s, &n);
		else if (n.signal && concerns_shell(s, &n))
			suspended(s, &n);
		else if (!n.signal && n.group == s->terminal.holder)
			pit_terminal_take_back(&s->terminal);
		if (!n.signal && n.group == s->wants)
			s->wants = 0;
	}
	if (size == 0) /* it ends */
		pit_loop_unwatch(s->loop, s->f->socket);
	return 0;
}

/* Open MPI's ranks outlive a killed mpirun, torchrun's a killed torchrun: nobody would ever end them. */
static int on_launcher(void *arg, uint32_t events)
{
	struct serving *s = arg;

	pit_loop_unwatch(s->loop, s->f->launcher);
	if (s->f->launcher_ended)
		s->f->launcher_ended(s->f->arg);
	ask_to_stop(s, &(struct pit_front_message){.signal = SIGTERM, .sender = -1});
	return 0;
}

int pit_front_serve(const struct pit_front *f, int *ret_status)
{
	struct serving s = {.f = f};
	int rc = pit_loop_open(&s.loop);

	if (rc)
		return rc;
	pit_terminal_open(&s.terminal);
	rc = pit_loop_watch(s.loop, f->signals, EPOLLIN, on_signal, &s);
	if (!rc)
		rc = pit_loop_watch(s.loop, f->socket, EPOLLIN, on_news, &s);
	if (!rc && f->launcher >= 0)
		rc = pit_loop_watch(s.loop, f->launcher, EPOLLIN, on_launcher, &s);
	if (!rc)
		rc = reap(&s);
	if (!rc)
		rc = pit_loop_run(s.loop);
	pit_terminal_close(&s.terminal, rc < 0 || !WIFEXITED(s.status) || WEXITSTATUS(s.status) >= 128);
	pit_loop_close(s.loop);
	if (rc < 0)
		return rc;
	*ret_status = s.status;
	return 0;
}
