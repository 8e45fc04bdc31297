/* SPDX-License-Identifier: MIT
 *
 * Whether a program runs, by the name that the kernel knows it by (cut at 15 characters).
 */
#ifndef PIT_CHECK_RUNNING_H
#define PIT_CHECK_RUNNING_H

#include "check/facts.h"

/* False also when the processes cannot be seen. */
bool pit_is_running(struct pit_facts *facts, const char *comm);

#endif
