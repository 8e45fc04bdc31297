/* SPDX-License-Identifier: MIT
 *
 * CPU lists on the kernel command line. Private to check/.
 */
#ifndef PIT_CHECK_CPU_ISOLATION_H
#define PIT_CHECK_CPU_ISOLATION_H

#include "base/idset.h"

/* The CPUs of an isolcpus=, nohz_full= or rcu_nocbs= value: flags ("nohz,domain,managed_irq,") in front of a list in
 * which "N" is the last CPU and "all" stands for 0-N; `last` is that CPU's id. *ret_domain (may be NULL): the scheduler
 * keeps away from them, which is so without flags and with "domain". -EINVAL, -ERANGE; *ret must be empty. */
int pit_isolation_parse(const char *value, unsigned last, struct pit_idset *ret, bool *ret_domain);

#endif
