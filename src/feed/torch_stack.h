/* SPDX-License-Identifier: MIT
 *
 * The stack, marks and memo of a pickle that is read.
 */
#ifndef PIT_FEED_TORCH_STACK_H
#define PIT_FEED_TORCH_STACK_H

#include "feed/torch_value.h"
#include "pitcrew/error.h"

struct pit_pickle_stack {
	const uint8_t *p, *end; /* of the pickle, from the next operation on */
	struct pit_value_memory *memory;
	struct pit_value **items;
	size_t count, room;
	size_t *marks; /* what `count` was */
	size_t mark_count, mark_room;
	struct pit_value **memo; /* NULL: never put */
	size_t memo_count, memo_room;
	struct pit_error *err;
};

void pit_stack_free(struct pit_pickle_stack *s); /* not `memory` */

/* All give 0 or -errno with a sentence. NULL: -ENOMEM. */
int pit_stack_push(struct pit_pickle_stack *s, struct pit_value *v);
int pit_stack_no_memory(const struct pit_pickle_stack *s);

/* The last `count` above the last mark, which stay valid until the next push. */
int pit_stack_pop(struct pit_pickle_stack *s, size_t count, struct pit_value ***ret);
struct pit_value *pit_stack_top(const struct pit_pickle_stack *s); /* NULL: nothing above the mark */

int pit_stack_mark(struct pit_pickle_stack *s);
int pit_stack_unmark(struct pit_pickle_stack *s, size_t *ret_count); /* takes the mark away: so many stood above it */

/* Puts the top into the memo under a number, which grows with the number of values. */
int pit_stack_put(struct pit_pickle_stack *s, uint64_t number);
int pit_stack_get(struct pit_pickle_stack *s, uint64_t number);

#endif
