/* SPDX-License-Identifier: MIT
 *
 * Which rung of each ladder was taken, and why the better ones were not (struct pit_ladder of pitcrew/io.h).
 */
#ifndef PIT_FEED_LADDER_H
#define PIT_FEED_LADDER_H

#include "base/buf.h"
#include "pitcrew/io.h"

/* Adds a rung; a NULL ladder and one that is full are fine (the last rung then says how many are missing). `ladder` and
 * `rung` must be constant strings. Saying the same (ladder, rung) again replaces it. */
void pit_ladder_add(struct pit_ladder *l, const char *ladder, const char *rung, enum pit_rung_state state,
		    const char *why, ...) __attribute__((format(printf, 5, 6)));

/* Adds all rungs of `from`. */
void pit_ladder_append(struct pit_ladder *l, const struct pit_ladder *from);

/* The rung taken of that ladder, or NULL. */
const struct pit_rung *pit_ladder_taken(const struct pit_ladder *l, const char *ladder);

void pit_ladder_text(const struct pit_ladder *l, struct pit_buf *b); /* lines: ladder, rung, state, why; aligned */
void pit_ladder_json(const struct pit_ladder *l, struct pit_buf *b); /* an array of objects */

#endif
