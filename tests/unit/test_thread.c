/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feed/thread.h"

static void *note_mask(void *arg)
{
	pthread_sigmask(SIG_SETMASK, NULL, arg);
	return NULL;
}

static void takes_no_signals(void **state)
{
	sigset_t inside, outside;
	pthread_t thread;

	(void)state;
	assert_int_equal(pit_thread_start(&thread, note_mask, &inside), 0);
	pthread_join(thread, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &outside);
	assert_true(sigismember(&inside, SIGINT) && sigismember(&inside, SIGUSR1) && sigismember(&inside, SIGXFSZ));
	assert_false(sigismember(&outside, SIGINT) || sigismember(&outside, SIGUSR1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_no_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
