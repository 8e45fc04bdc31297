/* SPDX-License-Identifier: MIT */
#include "launch/after.h"
#include "launch/attempt_inside.h"

#define AFTER (10 * 1000 * PIT_MS)
/* Commands that are done before need no watch: the kernel takes 10 ms to close one. */
#define MEMORY_AFTER (200 * PIT_MS)
#define NEXT (50 * PIT_MS) /* between two ranks: a look may take its deadline */

static bool is_bound(const struct pit_attempt *a)
{
	return a->job->mem != PIT_MEM_NONE && a->job->mem != PIT_MEM_AUTO;
}

static void look(struct pit_member *m)
{
	struct pit_attempt *a = m->a;
	const struct pit_seat *seat = &a->job->placement.seat[m->seat];
	pit_auto_strv struct pit_strv lines = {0};
	struct pit_after after = {0};

	if (m->state != PIT_MEMBER_RUNS)
		return;
	if (!pit_after_look(a->root, m->child.pid, &seat->cpus, is_bound(a) ? &seat->mems : NULL, &after, NULL)) {
		(void)!pit_after_say(&after, m->seat, &seat->cpus, &lines);
		for (size_t i = 0; i < lines.count; i++)
			pit_attempt_note(a, "%s", lines.item[i]);
		pit_after_free(&after);
	}
	/* The reader of that file is a child of ours, which a sweep must not find. */
	pit_root_end_helper(a->root);
}

static int on_look(void *arg, uint32_t events)
{
	struct pit_attempt *a = arg;

	if (a->ending.phase != PIT_RUNNING || a->look_at >= a->members)
		return 0;
	look(&a->member[a->look_at++]);
	(void)!pit_loop_at(a->loop, pit_now() + NEXT, on_look, a);
	return 0;
}

static const char *whose(const struct pit_attempt *a, const struct pit_pressure_news *n, char *out, size_t size)
{
	if (n->rank >= 0)
		return pit_attempt_who(&a->member[n->rank], out, size);
	snprintf(out, size, "the job");
	return out;
}

static void say_pressure(struct pit_attempt *a, const struct pit_pressure_news *n)
{
	char who[32];

	pit_attempt_note(a, "memory of %s runs short: %s", whose(a, n, who, sizeof(who)), n->evidence);
}

/* A rank that is about to be killed loses what it has not saved; with several ranks all must save the same step. */
static void on_pressure(void *arg, const struct pit_pressure_news *n)
{
	struct pit_attempt *a = arg;
	char who[32];

	if (n->over) {
		pit_attempt_note(a, "memory of %s is no longer short", whose(a, n, who, sizeof(who)));
		return;
	}
	say_pressure(a, n);
	if (a->options->on_pressure != PIT_ON_PRESSURE_CHECKPOINT || !a->options->ending.checkpoint_signal ||
	    a->ending.phase != PIT_RUNNING || n->along)
		return;
	if (pit_attempt_checkpoint(a))
		a->report->pressed = pit_now() - a->started;
}

/* Without memory this is only not watched. */
static void find_mems(struct pit_attempt *a)
{
	for (int i = 0; a->job->mem == PIT_MEM_BIND && i < a->members; i++)
		(void)!pit_idset_unite(&a->mems, &a->job->placement.seat[a->member[i].seat].mems);
}

static int on_grown_up(void *arg, uint32_t events)
{
	struct pit_attempt *a = arg;
	struct pit_error e = PIT_ERROR_INIT;
	struct pit_pressure_request r = {
		.loop = a->loop,
		.leaves = a->q->leaves,
		.ranks = a->members,
		.leader = a->leader,
		.mems = &a->mems,
		.rules = pit_forecast_usual,
		.fn = on_pressure,
		.arg = a,
	};

	if (a->options->pressure_horizon)
		r.rules.horizon = a->options->pressure_horizon;
	find_mems(a);
	if (pit_idset_is_empty(&a->mems))
		r.mems = NULL;
	if (pit_pressure_open(&r, &a->pressure, &e))
		pit_attempt_say(a, "memory is not watched: %s", e.text);
	return 0;
}

int pit_attempt_watch_memory(struct pit_attempt *a)
{
	int64_t after = a->options->after ? a->options->after : AFTER;

	if (a->options->on_pressure != PIT_ON_PRESSURE_NONE &&
	    pit_loop_at(a->loop, a->started + MEMORY_AFTER, on_grown_up, a) < 0)
		return -ENOMEM;
	if (after >= 0 && pit_loop_at(a->loop, a->started + after, on_look, a) < 0)
		return -ENOMEM;
	return 0;
}
