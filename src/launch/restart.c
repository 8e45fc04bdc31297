/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/restart.h"

enum pit_restart_answer pit_restart_ask(struct pit_restart *r, int64_t lasted, int64_t *ret_wait)
{
	return 0;
}
