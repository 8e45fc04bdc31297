/* SPDX-License-Identifier: MIT
 *
 * --engine, --cache and --depth, which say how a verb is to read: the same words for all verbs.
 */
#ifndef PIT_CLI_IO_OPTIONS_H
#define PIT_CLI_IO_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "pitcrew/io.h"

enum { PIT_KEY_ENGINE = 500, PIT_KEY_CACHE, PIT_KEY_DEPTH };

/* True when `key` is one of these; a usage error for a wrong word. */
bool pit_cli_io_option(int key, char *arg, struct argp_state *state, struct pit_io_want *want);

#endif
