/* SPDX-License-Identifier: MIT
 *
 * The environment variables that rows judge, and so the only ones whose values are kept or recorded.
 */
#ifndef PIT_CHECK_ENV_NAMES_H
#define PIT_CHECK_ENV_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* True for a name of the list in env_names.c; a name there that ends with '*' stands for all that begin so. */
bool pit_env_is_kept(const char *name, size_t len);

#endif
