/* SPDX-License-Identifier: MIT */
#ifndef PIT_FEED_THREAD_H
#define PIT_FEED_THREAD_H

#include <pthread.h>

/* Starts a thread with all signals blocked: they are for the threads of the program. 0, or -errno. */
int pit_thread_start(pthread_t *ret, void *(*run)(void *), void *arg);

#endif
