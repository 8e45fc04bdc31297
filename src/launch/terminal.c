/* SPDX-License-Identifier: MIT */
#include "launch/terminal.h"

#include <fcntl.h>
#include <signal.h>

#include "base/cleanup.h"

void pit_terminal_open(struct pit_terminal *t)
{
	*t = (struct pit_terminal){.fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
	t->saved = t->fd >= 0 && !tcgetattr(t->fd, &t->modes);
}

bool pit_terminal_give(struct pit_terminal *t, pid_t group)
{
	pid_t now = t->fd >= 0 ? tcgetpgrp(t->fd) : -1;

	if (now < 0 || (now != getpgrp() && now != t->holder) || tcsetpgrp(t->fd, group))
		return false;
	t->holder = group;
	t->given = true;
	return true;
}

void pit_terminal_take_back(struct pit_terminal *t)
{
	if (t->holder && tcgetpgrp(t->fd) == t->holder)
		tcsetpgrp(t->fd, getpgrp());
	t->holder = 0;
}

void pit_terminal_close(struct pit_terminal *t, bool restore)
{
	pit_terminal_take_back(t);
	if (t->given && restore && t->saved && tcgetpgrp(t->fd) == getpgrp())
		tcsetattr(t->fd, TCSANOW, &t->modes);
	pit_cleanup_close(&t->fd);
	t->fd = -1;
}

bool pit_terminal_stop_self(int signal)
{
	sigset_t one, pending;

	sigemptyset(&one);
	sigaddset(&one, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL); /* stops here */
	sigprocmask(SIG_BLOCK, &one, NULL);
	/* What continued us is still to be read by whoever forwards it. */
	return !sigpending(&pending) && sigismember(&pending, SIGCONT);
}
