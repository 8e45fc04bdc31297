/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "feed/ladder.h"

void pit_ladder_add(struct pit_ladder *l, const char *ladder, const char *rung, enum pit_rung_state state,
		    const char *why, ...)
{
}

const struct pit_rung *pit_ladder_taken(const struct pit_ladder *l, const char *ladder)
{
	return NULL;
}

void pit_ladder_text(const struct pit_ladder *l, struct pit_buf *b)
{
}

void pit_ladder_json(const struct pit_ladder *l, struct pit_buf *b)
{
}
