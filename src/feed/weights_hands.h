/* SPDX-License-Identifier: MIT
 *
 * A few threads that do what they are given, in order of coming.
 */
#ifndef PIT_FEED_WEIGHTS_HANDS_H
#define PIT_FEED_WEIGHTS_HANDS_H

struct pit_hands;

/* The caller's, until `run` is called; it may be given again from within that. */
struct pit_job {
	void (*run)(struct pit_job *j);
	struct pit_job *next;
};

/* At most `threads` threads, and fewer where this process may use fewer CPUs; -ENOMEM, -EAGAIN when there is none. */
int pit_hands_open(unsigned threads, struct pit_hands **ret);
void pit_hands_give(struct pit_hands *h, struct pit_job *j); /* from any thread */
void pit_hands_close(struct pit_hands *h);                   /* does what was given before. NULL is fine */

#endif
