/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "feed/ladder.h"

static const char *const states[] = {
	[PIT_RUNG_TAKEN] = "taken",
	[PIT_RUNG_REFUSED] = "refused",
	[PIT_RUNG_UNUSED] = "unused",
};

static struct pit_rung *find(struct pit_ladder *l, const char *ladder, const char *rung)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!strcmp(l->rungs[i].ladder, ladder) && !strcmp(l->rungs[i].rung, rung))
			return &l->rungs[i];
	return NULL;
}

/* The last place of a full ladder counts what has none. */
static void miss(struct pit_ladder *l)
{
	struct pit_rung *last = &l->rungs[PIT_LADDER_MAX - 1];
	unsigned missing = 1;

	if (!strcmp(last->ladder, "more"))
		sscanf(last->why, "%u", &missing);
	*last = (struct pit_rung){.ladder = "more", .rung = "not shown", .state = PIT_RUNG_UNUSED};
	snprintf(last->why, sizeof(last->why), "%u more", missing + 1);
}

void pit_ladder_add(struct pit_ladder *l, const char *ladder, const char *rung, enum pit_rung_state state,
		    const char *why, ...)
{
	struct pit_rung *r;
	va_list ap;

	if (!l)
		return;
	r = find(l, ladder, rung);
	if (!r && l->count == PIT_LADDER_MAX) {
		miss(l);
		return;
	}
	if (!r)
		r = &l->rungs[l->count++];
	*r = (struct pit_rung){.ladder = ladder, .rung = rung, .state = state};
	va_start(ap, why);
	vsnprintf(r->why, sizeof(r->why), why, ap);
	va_end(ap);
}

void pit_ladder_append(struct pit_ladder *l, const struct pit_ladder *from)
{
	for (const struct pit_rung *r = from->rungs; r < from->rungs + from->count; r++)
		pit_ladder_add(l, r->ladder, r->rung, r->state, "%s", r->why);
}

const struct pit_rung *pit_ladder_taken(const struct pit_ladder *l, const char *ladder)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!strcmp(l->rungs[i].ladder, ladder) && l->rungs[i].state == PIT_RUNG_TAKEN)
			return &l->rungs[i];
	return NULL;
}

static int wider(int width, const char *text)
{
	int n = (int)strlen(text);

	return n > width ? n : width;
}

void pit_ladder_text(const struct pit_ladder *l, struct pit_buf *b)
{
	int ladder = 0, rung = 0;

	for (unsigned i = 0; i < l->count; i++) {
		ladder = wider(ladder, l->rungs[i].ladder);
		rung = wider(rung, l->rungs[i].rung);
	}
	for (unsigned i = 0; i < l->count; i++) {
		const struct pit_rung *r = &l->rungs[i];

		if (r->why[0])
			pit_buf_printf(b, "%-*s  %-*s  %-7s  %s\n", ladder, r->ladder, rung, r->rung, states[r->state],
				       r->why);
		else
			pit_buf_printf(b, "%-*s  %-*s  %s\n", ladder, r->ladder, rung, r->rung, states[r->state]);
	}
}

void pit_ladder_json(const struct pit_ladder *l, struct pit_buf *b)
{
	json_t *all = json_array();

	for (unsigned i = 0; all && i < l->count; i++) {
		const struct pit_rung *r = &l->rungs[i];

		json_array_append_new(all, json_pack("{ss ss ss so}", "ladder", r->ladder, "rung", r->rung, "state",
						     states[r->state], "why", pit_json_text(r->why)));
	}
	pit_json_put(all, b);
}
