/* SPDX-License-Identifier: MIT */
#include "launch/ending.h"

#include "base/cleanup.h"

const char *pit_phase_name(enum pit_phase phase)
{
	static const char *const names[] = {
		[PIT_RUNNING] = "running",   [PIT_CHECKPOINTING] = "checkpointing",
		[PIT_STOPPING] = "stopping", [PIT_KILLING] = "killing",
		[PIT_ENDED] = "ended",
	};

	return names[phase];
}

static int64_t later(int64_t now, int64_t wait)
{
	return wait > INT64_MAX - now ? INT64_MAX : now + wait;
}

static void enter(struct pit_ending *e, enum pit_phase phase, int64_t deadline, int64_t now)
{
	e->phase = phase;
	e->deadline = deadline;
	e->since = now;
}

static unsigned finish(struct pit_ending *e, int64_t now)
{
	enter(e, PIT_ENDED, INT64_MAX, now);
	return PIT_ORDER_DONE;
}

static unsigned kill_all(struct pit_ending *e, int64_t now)
{
	enter(e, PIT_KILLING, later(now, PIT_ENDING_AGAIN), now);
	e->give_up = later(now, PIT_ENDING_PATIENCE);
	return PIT_ORDER_KILL;
}

static unsigned stop(struct pit_ending *e, int64_t now)
{
	enter(e, PIT_STOPPING, later(now, e->rules.grace), now);
	return PIT_ORDER_STOP | (e->rules.grace <= 0 ? kill_all(e, now) : 0);
}

static unsigned begin_stop(struct pit_ending *e, int64_t now)
{
	if (!e->rules.checkpoint_signal)
		return stop(e, now);
	enter(e, PIT_CHECKPOINTING, later(now, e->rules.checkpoint_grace), now);
	return PIT_ORDER_CHECKPOINT | (e->rules.checkpoint_grace <= 0 ? stop(e, now) : 0);
}

/* The step that follows the phase which is over. */
static unsigned go_on(struct pit_ending *e, int64_t now)
{
	switch (e->phase) {
	case PIT_RUNNING:
		return begin_stop(e, now);
	case PIT_CHECKPOINTING:
		return stop(e, now);
	case PIT_STOPPING:
		return kill_all(e, now);
	case PIT_KILLING:
		if (now >= e->give_up)
			return finish(e, now);
		e->deadline = later(now, PIT_ENDING_AGAIN);
		return PIT_ORDER_KILL;
	case PIT_ENDED:
		break;
	}
	return 0;
}

void pit_ending_begin(struct pit_ending *e, const struct pit_ending_rules *rules, int ranks)
{
	*e = (struct pit_ending){
		.rules = *rules,
		.phase = ranks > 0 ? PIT_RUNNING : PIT_ENDED,
		.alive = ranks,
		.deadline = INT64_MAX,
		.give_up = INT64_MAX,
	};
}

unsigned pit_ending_rank_ended(struct pit_ending *e, bool failed, int64_t now)
{
	if (e->phase == PIT_ENDED)
		return 0;
	e->failed |= failed && e->phase == PIT_RUNNING;
	if (--e->alive <= 0)
		return finish(e, now);
	return failed && e->phase == PIT_RUNNING ? begin_stop(e, now) : 0;
}

unsigned pit_ending_stop_asked(struct pit_ending *e, int64_t now)
{
	if (e->phase != PIT_RUNNING && now - e->since < PIT_ENDING_SAME)
		return 0;
	return go_on(e, now);
}

unsigned pit_ending_lost(struct pit_ending *e, int64_t grace, int64_t now)
{
	int64_t most = later(now, grace);

	e->rules.checkpoint_signal = 0;
	e->rules.grace = e->rules.grace < grace ? e->rules.grace : grace;
	if (e->phase == PIT_STOPPING && now - e->since < PIT_ENDING_SAME)
		e->deadline = e->deadline < most ? e->deadline : most;
	else if (e->phase < PIT_KILLING)
		return go_on(e, now);
	return 0;
}

unsigned pit_ending_unheard(struct pit_ending *e, int64_t now)
{
	return e->phase == PIT_CHECKPOINTING ? stop(e, now) : 0;
}

unsigned pit_ending_time(struct pit_ending *e, int64_t now)
{
	return now >= e->deadline ? go_on(e, now) : 0;
}
