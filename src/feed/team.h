/* SPDX-License-Identifier: MIT
 *
 * Threads that copy, hash and convert beside the one that reads or writes. Where no thread can be started everything is
 * done by the callers.
 */
#ifndef PIT_FEED_TEAM_H
#define PIT_FEED_TEAM_H

#include <stdbool.h>
#include <stddef.h>

struct pit_team;

/* The task is the caller's until `fn` is called, in any thread; it may be given again from within that. */
struct pit_team_task {
	void (*fn)(struct pit_team_task *task);
	struct pit_team_task *next;
};

/* `spare`, unless NULL, is called by many threads at once, when nothing urgent is to be done, until it returns false,
 * which it then must do for good; it should come back within milliseconds, or call pit_team_help() as often. Gives NULL
 * when memory runs out. */
typedef bool (*pit_team_fn)(struct pit_team *t, void *arg);
struct pit_team *pit_team_open(unsigned threads, pit_team_fn spare, void *arg);

/* Urgent, in order of coming. Done at once where there is no thread. */
void pit_team_do(struct pit_team *t, struct pit_team_task *task);

/* Does the urgent tasks that nobody has begun. */
void pit_team_help(struct pit_team *t);

/* Helps until everything is done, ends the threads, frees. NULL is fine. */
void pit_team_finish(struct pit_team *t);

/* Processors that this process may use, at least 1 and at most `most`. */
unsigned pit_team_size(unsigned most);

#endif
