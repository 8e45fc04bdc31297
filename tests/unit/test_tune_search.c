/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tune/interval.h"
#include "tune/search.h"

#define UNITS 12
#define PAIRS 6

/* A workload with planted culprits: each unit takes `cost` of the time, the pair `pair_cost` more. */
struct world {
	size_t units; /* 0: all */
	double cost[UNITS];
	size_t pair[2];
	double pair_cost;
	double noise; /* of a run, as a share */
	unsigned seed;
	size_t asked, pairs; /* in all */
	size_t break_at;     /* ends the search at this question; 0 never */
};

static double noise(struct world *w)
{
	double u = (rand_r(&w->seed) + 1.0) / (RAND_MAX + 2.0), v = (rand_r(&w->seed) + 1.0) / (RAND_MAX + 2.0);

	return exp(w->noise * sqrt(-2 * log(u)) * cos(2 * M_PI * v));
}

static double time_of(const struct world *w, const bool *on)
{
	double t = 1;

	for (size_t i = 0; i < (w->units ? w->units : UNITS); i++)
		t *= on[i] ? 1 + w->cost[i] : 1;
	return w->pair_cost > 0 && on[w->pair[0]] && on[w->pair[1]] ? t * (1 + w->pair_cost) : t;
}

/* Measures as bisect does. */
static int ask(const bool *on, int effort, enum pit_guilt *ret, void *arg)
{
	static const bool all[UNITS] = {[0 ... UNITS - 1] = true};
	struct world *w = arg;
	double ratio[PAIRS << PIT_EFFORT_MOST];
	size_t pairs = (size_t)PAIRS << effort;
	struct pit_interval v;

	if (++w->asked == w->break_at)
		return 47;
	for (size_t i = 0; i < pairs; i++)
		ratio[i] = time_of(w, on) * noise(w) / noise(w);
	w->pairs += pairs;
	assert_int_equal(pit_bootstrap(ratio, pairs, 0.95, &v), 0);
	if (pit_effect_of(&v, false, 0.01, 0.95) == PIT_EFFECT_WORSE)
		*ret = PIT_GUILT_YES;
	else
		*ret = log(v.high) > log(time_of(w, all)) / 2 ? PIT_GUILT_UNSURE : PIT_GUILT_NO;
	return 0;
}

static void finds_each_single_culprit(void **state)
{
	for (size_t bad = 0; bad < UNITS; bad++) {
		struct world w = {.pair = {0, 1}, .seed = 1};
		struct pit_culprits c = {0};

		w.cost[bad] = 0.5;
		assert_int_equal(pit_search(UNITS, ask, &w, &c), 0);
		assert_int_equal(c.count, 1);
		assert_int_equal(c.culprit[0].count, 1);
		assert_int_equal(c.culprit[0].unit[0], bad);
		assert_false(c.unresolved);
		assert_true(w.asked <= 10); /* halves of 12, 6, 3, 2; twice more to be sure */
		pit_culprits_free(&c);
	}
}

static void finds_several_culprits_one_by_one(void **state)
{
	struct world w = {.pair = {0, 1}, .cost = {[2] = 0.3, [3] = 0.2, [11] = 0.4}, .seed = 1};
	struct pit_culprits c = {0};
	bool seen[UNITS] = {false};

	assert_int_equal(pit_search(UNITS, ask, &w, &c), 0);
	assert_int_equal(c.count, 3);
	for (size_t i = 0; i < c.count; i++)
		seen[c.culprit[i].unit[0]] = c.culprit[i].count == 1;
	assert_true(seen[2] && seen[3] && seen[11]);
	pit_culprits_free(&c);
}

static void finds_those_that_hurt_in_company_only(void **state)
{
	for (size_t a = 0; a < UNITS; a++)
		for (size_t b = a + 1; b < UNITS; b++) {
			struct world w = {.pair = {a, b}, .pair_cost = 0.5, .seed = 1};
			struct pit_culprits c = {0};

			assert_int_equal(pit_search(UNITS, ask, &w, &c), 0);
			assert_int_equal(c.count, 1);
			assert_int_equal(c.culprit[0].count, 2);
			assert_int_equal(c.culprit[0].unit[0], a);
			assert_int_equal(c.culprit[0].unit[1], b);
			pit_culprits_free(&c);
		}
}

/* What hurts may be hidden in each half by what helps; it shows in smaller parts. */
static void finds_a_culprit_among_helpers(void **state)
{
	struct world w = {.pair = {0, 1}, .cost = {[0] = -0.2, [3] = 0.5, [4] = -0.2}, .seed = 1};
	struct pit_culprits c = {0};

	w.cost[9] = 0.2; /* so that all together hurt */
	w.cost[10] = 0.2;
	assert_int_equal(pit_search(UNITS, ask, &w, &c), 0);
	assert_true(c.count >= 1);
	assert_false(c.unresolved);
	pit_culprits_free(&c);
}

static void finds_one_among_twelve_in_noise(void **state)
{
	size_t right = 0, wrong = 0, runs = 0;
	const size_t worlds = 200;

	for (size_t i = 0; i < worlds; i++) {
		size_t bad = i % UNITS;
		struct world w = {.pair = {0, 1}, .noise = 0.02, .seed = (unsigned)i + 1};
		struct pit_culprits c = {0};

		w.cost[bad] = 0.10;
		assert_int_equal(pit_search(UNITS, ask, &w, &c), 0);
		if (c.count == 1 && c.culprit[0].count == 1 && c.culprit[0].unit[0] == bad)
			right++;
		for (size_t k = 0; k < c.count; k++)
			wrong += c.culprit[k].count > 1 || c.culprit[k].unit[0] != bad;
		runs += 2 * w.pairs;
		pit_culprits_free(&c);
	}
	print_message("# of %zu searches %zu named the culprit and nothing else; %zu named another; %zu runs each\n",
		      worlds, right, wrong, runs / worlds);
	assert_true(right >= worlds * 95 / 100);
	assert_true(wrong <= worlds * 3 / 100);
}

/* The first comparison was wrong: chance. */
static void accuses_nobody_where_nothing_hurts(void **state)
{
	size_t accused = 0;

	for (unsigned i = 0; i < 100; i++) {
		struct world w = {.pair = {0, 1}, .noise = 0.02, .seed = i + 1};
		struct pit_culprits c = {0};

		assert_int_equal(pit_search(UNITS, ask, &w, &c), 0);
		accused += c.count > 0;
		pit_culprits_free(&c);
	}
	print_message("# accused without reason: %zu of 100\n", accused);
	assert_true(accused <= 3);
}

static void knows_the_only_one(void **state)
{
	struct world w = {.units = 1, .cost[0] = 0.5, .seed = 1};
	struct pit_culprits c = {0};

	assert_int_equal(pit_search(1, ask, &w, &c), 0);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.culprit[0].unit[0], 0);
	pit_culprits_free(&c);
}

static void ends_when_asking_ends(void **state)
{
	for (size_t at = 1; at < 9; at++) {
		struct world w = {.pair = {0, 1}, .cost[7] = 0.5, .seed = 1, .break_at = at};
		struct pit_culprits c = {.count = 4711};

		assert_int_equal(pit_search(UNITS, ask, &w, &c), 47);
		assert_int_equal(w.asked, at);
		assert_int_equal(c.count, 4711);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each_single_culprit),
		cmocka_unit_test(finds_several_culprits_one_by_one),
		cmocka_unit_test(finds_those_that_hurt_in_company_only),
		cmocka_unit_test(finds_a_culprit_among_helpers),
		cmocka_unit_test(finds_one_among_twelve_in_noise),
		cmocka_unit_test(accuses_nobody_where_nothing_hurts),
		cmocka_unit_test(knows_the_only_one),
		cmocka_unit_test(ends_when_asking_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
