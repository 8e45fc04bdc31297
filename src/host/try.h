/* SPDX-License-Identifier: MIT
 *
 * Calls that may hang (a file system that does not answer) or that a filter may kill us for (seccomp), made in a child
 * of their own (see child.h). Makers of facts use it; see pit_root_fact().
 */
#ifndef PIT_HOST_TRY_H
#define PIT_HOST_TRY_H

#include "host/root.h"

/* Runs make(name, arg, ...) in a child and appends what it wrote to `out`. Returns what make() returned; -ETIMEDOUT
 * when `ms` passed; -EFBIG when it wrote more than 1 MiB; -EPERM when a filter killed it; -EIO when it died otherwise.
 * make() may only read memory and make calls. */
int pit_try(int ms, pit_fact_fn make, const char *name, void *arg, struct pit_buf *out);
int pit_try_most(int ms, size_t most, pit_fact_fn make, const char *name, void *arg, struct pit_buf *out); /* bytes */

/* "PREFIX:PATH" as a name for pit_root_fact(): bytes of the path that such a name cannot hold become "_", and a hash of
 * the path follows then. Returns `ret`. */
char *pit_fact_name(char *ret, size_t size, const char *prefix, const char *path);

#endif
