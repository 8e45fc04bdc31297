/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "launch/ending.h"

#define S (1000 * PIT_MS)

/* One event of a story, and what must come of it. */
struct step {
	int64_t at;                                             /* seconds */
	enum { ENDS, FAILS, ASKED, LOST, UNHEARD, TIME } event; /* 0: no more steps when `at` is 0 too */
	unsigned orders;
	enum pit_phase phase;
	int64_t deadline; /* seconds; -1: never */
};

static const struct story {
	const char *name;
	struct pit_ending_rules rules;
	int ranks;
	bool failed;
	size_t steps;
	struct step step[12];
} stories[] = {
	{.name = "all end well",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S},
	 .ranks = 2,
	 .steps = 3,
	 .step = {{.at = 1, .event = ENDS, .phase = PIT_RUNNING, .deadline = -1},
		  {.at = 2, .event = TIME, .phase = PIT_RUNNING, .deadline = -1},
		  {.at = 900, .event = ENDS, .orders = PIT_ORDER_DONE, .phase = PIT_ENDED, .deadline = -1}}},
	{.name = "one fails, the other obeys",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S},
	 .ranks = 2,
	 .failed = true,
	 .steps = 3,
	 .step = {{.at = 5, .event = FAILS, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 15},
		  {.at = 14, .event = TIME, .phase = PIT_STOPPING, .deadline = 15},
		  {.at = 14, .event = FAILS, .orders = PIT_ORDER_DONE, .phase = PIT_ENDED, .deadline = -1}}},
	{.name = "one fails, the other hangs",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S},
	 .ranks = 2,
	 .failed = true,
	 .steps = 4,
	 .step = {{.at = 5, .event = FAILS, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 15},
		  {.at = 15, .event = TIME, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 16},
		  {.at = 15, .event = TIME, .phase = PIT_KILLING, .deadline = 16},
		  {.at = 15, .event = FAILS, .orders = PIT_ORDER_DONE, .phase = PIT_ENDED, .deadline = -1}}},
	{.name = "the only rank fails",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S, .checkpoint_signal = SIGUSR1, .checkpoint_grace = 60 * S},
	 .ranks = 1,
	 .failed = true,
	 .steps = 2,
	 .step = {{.at = 5, .event = FAILS, .orders = PIT_ORDER_DONE, .phase = PIT_ENDED, .deadline = -1},
		  {.at = 6, .event = ASKED, .phase = PIT_ENDED, .deadline = -1}}},
	{.name = "asked with a checkpoint, all in time",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S, .checkpoint_signal = SIGUSR1, .checkpoint_grace = 60 * S},
	 .ranks = 2,
	 .steps = 4,
	 .step = {{.at = 5, .event = ASKED, .orders = PIT_ORDER_CHECKPOINT, .phase = PIT_CHECKPOINTING, .deadline = 65},
		  {.at = 30, .event = ENDS, .phase = PIT_CHECKPOINTING, .deadline = 65},
		  {.at = 65, .event = TIME, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 75},
		  {.at = 66, .event = ENDS, .orders = PIT_ORDER_DONE, .phase = PIT_ENDED, .deadline = -1}}},
	{.name = "a failure while it stops is no failure of its own",
	 .rules = {.stop_signal = SIGINT, .grace = 10 * S, .checkpoint_signal = SIGUSR1, .checkpoint_grace = 60 * S},
	 .ranks = 2,
	 .steps = 3,
	 .step = {{.at = 5, .event = ASKED, .orders = PIT_ORDER_CHECKPOINT, .phase = PIT_CHECKPOINTING, .deadline = 65},
		  {.at = 6, .event = FAILS, .phase = PIT_CHECKPOINTING, .deadline = 65},
		  {.at = 7, .event = FAILS, .orders = PIT_ORDER_DONE, .phase = PIT_ENDED, .deadline = -1}}},
	{.name = "asked again and again",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S, .checkpoint_signal = SIGUSR1, .checkpoint_grace = 60 * S},
	 .ranks = 4,
	 .steps = 5,
	 .step = {{.at = 5, .event = ASKED, .orders = PIT_ORDER_CHECKPOINT, .phase = PIT_CHECKPOINTING, .deadline = 65},
		  {.at = 6, .event = ASKED, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 16},
		  {.at = 6, .event = ASKED, .phase = PIT_STOPPING, .deadline = 16},
		  {.at = 7, .event = ASKED, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 8},
		  {.at = 9, .event = ASKED, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 10}}},
	{.name = "asked while it stops because of a failure",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S},
	 .ranks = 4,
	 .failed = true,
	 .steps = 3,
	 .step = {{.at = 5, .event = FAILS, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 15},
		  {.at = 5, .event = ASKED, .phase = PIT_STOPPING, .deadline = 15},
		  {.at = 6, .event = ASKED, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 7}}},
	{.name = "no grace",
	 .rules = {.stop_signal = SIGTERM},
	 .ranks = 2,
	 .steps = 1,
	 .step = {{.at = 5,
		   .event = ASKED,
		   .orders = PIT_ORDER_STOP | PIT_ORDER_KILL,
		   .phase = PIT_KILLING,
		   .deadline = 6}}},
	{.name = "no time for anything",
	 .rules = {.stop_signal = SIGTERM, .checkpoint_signal = SIGUSR1},
	 .ranks = 2,
	 .steps = 1,
	 .step = {{.at = 5,
		   .event = ASKED,
		   .orders = PIT_ORDER_CHECKPOINT | PIT_ORDER_STOP | PIT_ORDER_KILL,
		   .phase = PIT_KILLING,
		   .deadline = 6}}},
	{.name = "a grace without end",
	 .rules = {.stop_signal = SIGTERM, .grace = INT64_MAX},
	 .ranks = 2,
	 .steps = 3,
	 .step = {{.at = 5, .event = ASKED, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = -1},
		  {.at = 500000, .event = TIME, .phase = PIT_STOPPING, .deadline = -1},
		  {.at = 500001, .event = ASKED, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 500002}}},
	{.name = "asked, and nobody there any more at the same moment",
	 .rules = {.stop_signal = SIGTERM, .grace = INT64_MAX},
	 .ranks = 2,
	 .steps = 3,
	 .step = {{.at = 5, .event = ASKED, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = -1},
		  {.at = 5, .event = LOST, .phase = PIT_STOPPING, .deadline = 10},
		  {.at = 10, .event = TIME, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 11}}},
	{.name = "nobody there any more while ranks save",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S, .checkpoint_signal = SIGUSR1, .checkpoint_grace = 60 * S},
	 .ranks = 2,
	 .steps = 3,
	 .step = {{.at = 5, .event = ASKED, .orders = PIT_ORDER_CHECKPOINT, .phase = PIT_CHECKPOINTING, .deadline = 65},
		  {.at = 5, .event = LOST, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 10},
		  {.at = 11, .event = TIME, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 12}}},
	{.name = "nobody who can save",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S, .checkpoint_signal = SIGUSR1, .checkpoint_grace = 60 * S},
	 .ranks = 2,
	 .steps = 3,
	 .step = {{.at = 5, .event = ASKED, .orders = PIT_ORDER_CHECKPOINT, .phase = PIT_CHECKPOINTING, .deadline = 65},
		  {.at = 5, .event = UNHEARD, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 15},
		  {.at = 6, .event = UNHEARD, .phase = PIT_STOPPING, .deadline = 15}}},
	{.name = "nobody there any more, and no checkpoint then",
	 .rules = {.stop_signal = SIGTERM, .grace = 2 * S, .checkpoint_signal = SIGUSR1, .checkpoint_grace = 60 * S},
	 .ranks = 2,
	 .steps = 2,
	 .step = {{.at = 5, .event = LOST, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 7},
		  {.at = 6, .event = LOST, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 7}}},
	{.name = "a rank that cannot be killed",
	 .rules = {.stop_signal = SIGTERM, .grace = 10 * S},
	 .ranks = 2,
	 .steps = 6,
	 .step = {{.at = 5, .event = ASKED, .orders = PIT_ORDER_STOP, .phase = PIT_STOPPING, .deadline = 15},
		  {.at = 15, .event = TIME, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 16},
		  {.at = 16, .event = TIME, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 17},
		  {.at = 17, .event = FAILS, .phase = PIT_KILLING, .deadline = 17},
		  {.at = 74, .event = TIME, .orders = PIT_ORDER_KILL, .phase = PIT_KILLING, .deadline = 75},
		  {.at = 75, .event = TIME, .orders = PIT_ORDER_DONE, .phase = PIT_ENDED, .deadline = -1}}},
};

static unsigned take_step(struct pit_ending *e, const struct step *s)
{
	switch (s->event) {
	case ENDS:
	case FAILS:
		return pit_ending_rank_ended(e, s->event == FAILS, s->at * S);
	case ASKED:
		return pit_ending_stop_asked(e, s->at * S);
	case LOST:
		return pit_ending_lost(e, 5 * S, s->at * S);
	case UNHEARD:
		return pit_ending_unheard(e, s->at * S);
	default:
		return pit_ending_time(e, s->at * S);
	}
}

static void follows_the_stories(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(stories); i++) {
		const struct story *t = &stories[i];
		struct pit_ending e;

		pit_ending_begin(&e, &t->rules, t->ranks);
		assert_int_equal(e.phase, PIT_RUNNING);
		assert_int_equal(e.deadline, INT64_MAX);
		for (size_t k = 0; k < t->steps; k++) {
			const struct step *s = &t->step[k];
			int64_t deadline = s->deadline < 0 ? INT64_MAX : s->deadline * S;
			unsigned orders = take_step(&e, s);

			if (orders != s->orders || e.phase != s->phase || e.deadline != deadline)
				fail_msg("%s, step %zu: orders %u, phase %s, deadline %lld ms", t->name, k, orders,
					 pit_phase_name(e.phase), (long long)(e.deadline / PIT_MS));
		}
		assert_int_equal(e.failed, t->failed);
	}
}

static void ends_at_once_without_ranks(void **state)
{
	const struct pit_ending_rules rules = {.stop_signal = SIGTERM, .grace = S};
	struct pit_ending e;

	pit_ending_begin(&e, &rules, 0);
	assert_int_equal(e.phase, PIT_ENDED);
	assert_int_equal(pit_ending_stop_asked(&e, S), 0);
}

static void names_each_phase(void **state)
{
	for (int a = PIT_RUNNING; a <= PIT_ENDED; a++)
		for (int b = PIT_RUNNING; b < a; b++)
			assert_string_not_equal(pit_phase_name((enum pit_phase)a), pit_phase_name((enum pit_phase)b));
}

/* Whatever happens: phases only go on, and whoever serves the deadlines comes to the end. */
static void comes_to_an_end_whatever_happens(void **state)
{
	srand(1);
	for (int round = 0; round < 20000; round++) {
		const struct pit_ending_rules rules = {.stop_signal = SIGTERM,
						       .grace = rand() % 20 * S,
						       .checkpoint_signal = rand() % 2 ? SIGUSR1 : 0,
						       .checkpoint_grace = rand() % 20 * S};
		struct pit_ending e;
		unsigned all = 0;
		int64_t now = 0;

		pit_ending_begin(&e, &rules, 1 + rand() % 8);
		pit_ending_stop_asked(&e, now);
		while (e.phase != PIT_ENDED) {
			const struct step s = {.at = now / S, .event = rand() % 8 ? TIME : rand() % 6};
			enum pit_phase before = e.phase;
			unsigned orders = take_step(&e, &s);

			assert_true(e.phase >= before);
			assert_int_equal(all & PIT_ORDER_DONE, 0);
			all |= orders;
			now = e.deadline != INT64_MAX && e.deadline > now ? e.deadline : now;
			assert_true(now < 1000 * S);
		}
		assert_true(all & PIT_ORDER_DONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_stories),
		cmocka_unit_test(ends_at_once_without_ranks),
		cmocka_unit_test(names_each_phase),
		cmocka_unit_test(comes_to_an_end_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
