/* SPDX-License-Identifier: MIT */
#include "tune/interrupt.h"

#include <stdbool.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};

/* A signal that is blocked is kept even when it is ignored. */
static void add_heeded(sigset_t *set, const int *signals, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct sigaction now;

		if (!sigaction(signals[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaddset(set, signals[i]);
	}
}

int pit_interrupt_hold(struct pit_interrupt *ret)
{
	struct pit_interrupt s = PIT_INTERRUPT_INIT;
	sigset_t end, all;

	sigemptyset(&end);
	add_heeded(&end, ends, PIT_COUNT(ends));
	all = end;
	add_heeded(&all, stops, PIT_COUNT(stops));
	s.fd = signalfd(-1, &end, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.fd < 0)
		return -errno;
	if (sigprocmask(SIG_BLOCK, &all, &s.before)) {
		int rc = -errno;

		close(s.fd);
		return rc;
	}
	*ret = s;
	return 0;
}

int pit_interrupt_take(struct pit_interrupt *s)
{
	struct signalfd_siginfo info;

	if (read(s->fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

/* Stop signals that are pending would stop us now, long after the key was pressed. */
static void forget_stops(void)
{
	const struct timespec now = {0};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < PIT_COUNT(stops); i++)
		sigaddset(&set, stops[i]);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
}

void pit_interrupt_release(struct pit_interrupt *s)
{
	int saved = errno;

	if (s->fd >= 0) {
		while (pit_interrupt_take(s))
			;
		forget_stops();
		close(s->fd);
		sigprocmask(SIG_SETMASK, &s->before, NULL);
	}
	*s = (struct pit_interrupt)PIT_INTERRUPT_INIT;
	errno = saved;
}

void pit_interrupt_child(const struct pit_interrupt *s)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}
