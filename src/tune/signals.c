/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "tune/undo.h"

static const struct {
	int number;
	const char *name;
} caught[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};

static void caught_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < PIT_COUNT(caught); i++)
		sigaddset(set, caught[i].number);
}

void pit_txn_hold_signals(struct pit_txn_signals *s)
{
	sigset_t set;

	caught_set(&set);
	sigprocmask(SIG_BLOCK, &set, &s->before);
}

void pit_txn_let_signals(const struct pit_txn_signals *s)
{
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}

static const char *name_of(int number)
{
	for (size_t i = 0; i < PIT_COUNT(caught); i++)
		if (caught[i].number == number)
			return caught[i].name;
	return NULL;
}

/* A blocked signal becomes pending even when it is ignored, as SIGHUP is under nohup. */
const char *pit_txn_signalled(void)
{
	const struct timespec now = {0};
	sigset_t set;
	int n;

	caught_set(&set);
	while ((n = sigtimedwait(&set, NULL, &now)) > 0) {
		struct sigaction action;

		if (!sigaction(n, NULL, &action) && action.sa_handler != SIG_IGN)
			return name_of(n);
	}
	return NULL;
}
