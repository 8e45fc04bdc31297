/* SPDX-License-Identifier: MIT
 *
 * A verb that consists of verbs: `pitcrew tune plan`, `pitcrew ckpt verify`.
 */
#ifndef PIT_CLI_VERBS_H
#define PIT_CLI_VERBS_H

#include "cli/cmd.h"

struct pit_verbs {
	const char *name;                    /* "tune" */
	const char *usage;                   /* what follows VERB in the usage line: "[OPTION...] PATH..." */
	const char *about;                   /* a sentence */
	const char *hint;                    /* printed before what tells of the help of verbs; NULL: none */
	const struct pit_cmd *const *verbs;  /* NULL-terminated */
	const struct pit_cmd *const *hidden; /* that units call, not people; NULL-terminated, or NULL */
};

/* Runs the verb that argv[1] names, or prints help. Returns the exit code. */
int pit_cli_verbs(const struct pit_verbs *v, int argc, char **argv);

#endif
