/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "launch/restart.h"

#define S (1000 * PIT_MS)

static const struct {
	int most;
	size_t runs;
	struct {
		int64_t lasted; /* seconds */
		enum pit_restart_answer answer;
		int64_t wait; /* seconds */
	} run[8];
} jobs[] = {
	{.most = 0, .runs = 1, .run = {{.lasted = 5, .answer = PIT_RESTART_NOT_ASKED}}},
	{.most = 1,
	 .runs = 2,
	 .run = {{.lasted = 5, .answer = PIT_RESTART_NOW_AFTER, .wait = 1},
		 {.lasted = 5, .answer = PIT_RESTART_USED_UP}}},
	{.most = 3,
	 .runs = 4,
	 .run = {{.lasted = 5, .answer = PIT_RESTART_NOW_AFTER, .wait = 1},
		 {.lasted = 5, .answer = PIT_RESTART_NOW_AFTER, .wait = 2},
		 {.lasted = 5, .answer = PIT_RESTART_NOW_AFTER, .wait = 4},
		 {.lasted = 5, .answer = PIT_RESTART_USED_UP}}},
	{.most = 100,
	 .runs = 4,
	 .run = {{.lasted = 0, .answer = PIT_RESTART_NOW_AFTER, .wait = 1},
		 {.lasted = 59, .answer = PIT_RESTART_NOW_AFTER, .wait = 2},
		 {.lasted = 0, .answer = PIT_RESTART_NOW_AFTER, .wait = 4},
		 {.lasted = 0, .answer = PIT_RESTART_NO_PROGRESS}}},
	{.most = 5,
	 .runs = 6,
	 .run = {{.lasted = 1, .answer = PIT_RESTART_NOW_AFTER, .wait = 1},
		 {.lasted = 1, .answer = PIT_RESTART_NOW_AFTER, .wait = 2},
		 {.lasted = 60, .answer = PIT_RESTART_NOW_AFTER, .wait = 1},
		 {.lasted = 86400, .answer = PIT_RESTART_NOW_AFTER, .wait = 1},
		 {.lasted = 1, .answer = PIT_RESTART_NOW_AFTER, .wait = 1},
		 {.lasted = 1, .answer = PIT_RESTART_USED_UP}}},
};

static void answers_after_each_run(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(jobs); i++) {
		struct pit_restart r = {.most = jobs[i].most};

		for (size_t k = 0; k < jobs[i].runs; k++) {
			int64_t wait = -7;
			enum pit_restart_answer answer = pit_restart_ask(&r, jobs[i].run[k].lasted * S, &wait);

			assert_int_equal(answer, jobs[i].run[k].answer);
			assert_int_equal(wait, answer == PIT_RESTART_NOW_AFTER ? jobs[i].run[k].wait * S : -7);
		}
		assert_true(r.used <= r.most);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_after_each_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
