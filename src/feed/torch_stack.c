/* SPDX-License-Identifier: MIT */
#include "feed/torch_stack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "feed/torch_pickle.h"

void pit_stack_free(struct pit_pickle_stack *s)
{
	free(s->items);
	free(s->marks);
	free(s->memo);
	s->items = s->memo = NULL;
	s->marks = NULL;
}

int pit_stack_no_memory(const struct pit_pickle_stack *s)
{
	return pit_fail(s->err, ENOMEM, "no memory for what it holds");
}

/* Room for `need` of `size` bytes each, new ones zero. */
static int grow(void **array, size_t *room, size_t need, size_t size)
{
	size_t wanted = *room ? *room : 64;
	char *more;

	if (need <= *room)
		return 0;
	while (wanted < need)
		wanted *= 2;
	more = reallocarray(*array, wanted, size);
	if (!more)
		return -ENOMEM;
	memset(more + *room * size, 0, (wanted - *room) * size);
	*array = more;
	*room = wanted;
	return 0;
}

int pit_stack_push(struct pit_pickle_stack *s, struct pit_value *v)
{
	if (!v || grow((void **)&s->items, &s->room, s->count + 1, sizeof(*s->items)))
		return pit_stack_no_memory(s);
	s->items[s->count++] = v;
	return 0;
}

static size_t above(const struct pit_pickle_stack *s)
{
	return s->count - (s->mark_count ? s->marks[s->mark_count - 1] : 0);
}

int pit_stack_pop(struct pit_pickle_stack *s, size_t count, struct pit_value ***ret)
{
	if (count > above(s))
		return pit_fail(s->err, EBADMSG, "takes away more than is there");
	s->count -= count;
	*ret = s->items ? s->items + s->count : NULL; /* nothing was ever there */
	return 0;
}

struct pit_value *pit_stack_top(const struct pit_pickle_stack *s)
{
	return above(s) ? s->items[s->count - 1] : NULL;
}

int pit_stack_mark(struct pit_pickle_stack *s)
{
	if (s->mark_count == PIT_PICKLE_MARKS_MAX)
		return pit_fail(s->err, ENOTSUP, "has more than %d containers in each other: refused",
				PIT_PICKLE_MARKS_MAX);
	if (grow((void **)&s->marks, &s->mark_room, s->mark_count + 1, sizeof(*s->marks)))
		return pit_stack_no_memory(s);
	s->marks[s->mark_count++] = s->count;
	return 0;
}

int pit_stack_unmark(struct pit_pickle_stack *s, size_t *ret_count)
{
	if (!s->mark_count)
		return pit_fail(s->err, EBADMSG, "ends a container that was not begun");
	*ret_count = above(s);
	s->mark_count--;
	return 0;
}

/* Writers number without gaps: from 0 on, or, Python 2, from 1 on. */
int pit_stack_put(struct pit_pickle_stack *s, uint64_t number)
{
	struct pit_value *top = pit_stack_top(s);

	if (!top)
		return pit_fail(s->err, EBADMSG, "remembers nothing");
	if (number > s->memo_count + 1)
		return pit_fail(s->err, EBADMSG, "remembers number %" PRIu64 " after %zu", number, s->memo_count);
	if (grow((void **)&s->memo, &s->memo_room, (size_t)number + 1, sizeof(*s->memo)))
		return pit_stack_no_memory(s);
	if (number >= s->memo_count)
		s->memo_count = (size_t)number + 1;
	s->memo[number] = top;
	return 0;
}

int pit_stack_get(struct pit_pickle_stack *s, uint64_t number)
{
	if (number >= s->memo_count || !s->memo[number])
		return pit_fail(s->err, EBADMSG, "recalls number %" PRIu64 " of %zu", number, s->memo_count);
	return pit_stack_push(s, s->memo[number]);
}
