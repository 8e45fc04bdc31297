/* SPDX-License-Identifier: MIT */
#include "launch/restart.h"

enum pit_restart_answer pit_restart_ask(struct pit_restart *r, int64_t lasted, int64_t *ret_wait)
{
	r->stuck = lasted >= PIT_RESTART_PROGRESS ? 0 : r->stuck + 1;
	if (r->most <= 0)
		return PIT_RESTART_NOT_ASKED;
	if (r->used >= r->most)
		return PIT_RESTART_USED_UP;
	if (r->stuck > PIT_RESTART_STUCK)
		return PIT_RESTART_NO_PROGRESS;
	r->used++;
	*ret_wait = PIT_RESTART_FIRST << (r->stuck > 0 ? r->stuck - 1 : 0);
	return PIT_RESTART_NOW_AFTER;
}
