/* SPDX-License-Identifier: MIT
 *
 * The verbs of the command line. One file cmd_VERB.c each; main.c lists them in order.
 */
#ifndef PIT_CLI_CMD_H
#define PIT_CLI_CMD_H

#include <argp.h>

#include "base/buf.h"
#include "pitcrew/error.h"

enum {
	PIT_EXIT_OK = 0,
	PIT_EXIT_WARN = 1,   /* check: warnings */
	PIT_EXIT_FAIL = 2,   /* check: failures */
	PIT_EXIT_CANNOT = 3, /* could not do the job */
	PIT_EXIT_USAGE = 64,
};

struct pit_cmd {
	const char *name;
	const char *summary;               /* one line of `pitcrew --help` */
	int (*run)(int argc, char **argv); /* argv[0] is "pitcrew NAME"; returns the exit code */
};

extern const struct pit_cmd pit_cmd_check, pit_cmd_topo, pit_cmd_snapshot, pit_cmd_explain, pit_cmd_tune, pit_cmd_run;
extern const struct pit_cmd pit_cmd_feed, pit_cmd_ckpt, pit_cmd_weights, pit_cmd_bench;

/* `pitcrew explain access USER PATH`; argv[0] is "access". Returns the exit code. */
int pit_cli_explain_access(int argc, char **argv);

/* Prints "pitcrew: text" on stderr; returns PIT_EXIT_CANNOT. */
int pit_cli_fail(const struct pit_error *err);

struct pit_root;

/* -ENOENT when `root` is a directory or archive without any machine in it. */
int pit_cli_check_root(struct pit_root *root, struct pit_error *err);

/* Writes `out` to stdout. Whoever read our output and went away (EPIPE) has seen enough: 0. */
int pit_cli_write(const struct pit_buf *out, struct pit_error *err);

/* Writes `out` to stdout; PIT_EXIT_CANNOT with a message when that fails, else `code`. */
int pit_cli_print(const struct pit_buf *out, int code);

/* Prints "pitcrew VERB: text ('pitcrew VERB --help')" on stderr and exits with PIT_EXIT_USAGE. */
_Noreturn void pit_cli_usage(const struct argp_state *state, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The position of `word` among `choices` (NULL-terminated); a usage error with the list when it is not there. */
int pit_cli_choice(struct argp_state *state, const char *option, const char *word, const char *const *choices);
bool pit_cli_is_json(struct argp_state *state, const char *word); /* for --format of "text" and "json" alone */

const char *pit_cli_colour(struct argp_state *state,
			   const char *word); /* for --color: `word` as pit_page_for() takes it */

/* What an option was given, checked; a usage error when it is no such number, or no absolute path. */
int pit_cli_number(struct argp_state *state, const char *option, const char *arg, int least, int most);
const char *pit_cli_absolute(struct argp_state *state, const char *option, const char *arg);

#endif
