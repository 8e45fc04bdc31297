/* SPDX-License-Identifier: MIT
 *
 * What the verbs of `pitcrew weights` share.
 */
#ifndef PIT_CLI_WEIGHTS_H
#define PIT_CLI_WEIGHTS_H

#include "cli/cmd.h"
#include "pitcrew/weights.h"

/* argv[0] is "pitcrew weights VERB"; give the exit code. */
int pit_cli_weights_inspect(int argc, char **argv);
int pit_cli_weights_verify(int argc, char **argv);
int pit_cli_weights_time(int argc, char **argv);

/* Takes MODEL; a usage error when there are two, or none at the end (`key` is ARGP_KEY_ARG or ARGP_KEY_END). */
void pit_cli_weights_model(struct argp_state *state, int key, char *arg, const char **model);

/* What a verb with no options but --format is given; a parser and its options. */
struct pit_cli_model {
	const char *model;
	bool json;
};
extern const struct argp_option pit_cli_model_options[];
error_t pit_cli_model_parse(int key, char *arg, struct argp_state *state); /* input: a struct pit_cli_model */

/* Prints the error; PIT_EXIT_FAIL for a file that breaks a rule or an index that does not fit, else PIT_EXIT_CANNOT. */
int pit_cli_weights_fail(int rc, const struct pit_error *err);

/* Calls `found` for each .safetensors file of directory `model` (or beside the index `model`) that is not in the index.
 */
void pit_cli_weights_foreign(const char *model, const struct pit_weights *w, void (*found)(void *arg, const char *name),
			     void *arg);

static inline void pit_cleanup_weights(struct pit_weights **w)
{
	pit_weights_close(*w);
}
#define pit_auto_weights PIT_CLEANUP(pit_cleanup_weights)

#endif
