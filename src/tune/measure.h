/* SPDX-License-Identifier: MIT
 *
 * One run of a command and the number that it is judged by.
 *
 * The command gets /dev/null as its input, a session of its own (so no terminal: what would ask there fails instead of
 * waiting), and a pipe for its output. What it leaves running in its process group is killed, so that no run disturbs
 * the next. It is told to end (TERM) when we die.
 */
#ifndef PIT_TUNE_MEASURE_H
#define PIT_TUNE_MEASURE_H

#include "base/buf.h"
#include "pitcrew/error.h"
#include "tune/number.h"
#include "tune/interrupt.h"

struct pit_metric {
	const char
		*pattern; /* of pit_pattern_new(): the number in the last line that matches; NULL: wall-clock seconds */
	bool higher_is_better; /* of a printed number */
};

struct pit_meter; /* a metric, ready to be used, and the command */

/* `argv` is ended by NULL and must outlive the meter. `hear` (may be NULL) gets all that the command prints. -EINVAL:
 * the pattern is none. */
typedef void (*pit_hear_fn)(const char *bytes, size_t len, void *arg);
int pit_meter_new(const struct pit_metric *metric, const char *const *argv, pit_hear_fn hear, void *arg,
		  struct pit_meter **ret, struct pit_error *err);
void pit_meter_free(struct pit_meter *m); /* NULL is fine */

struct pit_measure {
	double value;   /* of the metric; above 0 */
	double seconds; /* wall clock */
	int signal;     /* that came meanwhile and was handed on to the command: there is no value; 0 none */
	char *words;    /* the last lines that it printed */
};
void pit_measure_free(struct pit_measure *m); /* back to all-zero */

/* Runs the command once. 0 with a value or a signal. Otherwise a sentence in `err`, and `ret->words` alone is written:
 * -ENOEXEC it cannot be started, -ECHILD it failed (exit code, signal), -ENOMSG it printed no number that can be used.
 *
 * A second signal, or ten seconds after the first, kills the command. */
int pit_measure(struct pit_meter *m, struct pit_interrupt *signals, struct pit_measure *ret, struct pit_error *err);

#endif
