/* SPDX-License-Identifier: MIT
 *
 * Numbers that are fine on one machine and leave another one in which nothing can be started or put back: each function
 * is the `judge` of a row or of several, and holds the number against what the machine has and uses at the moment.
 * What cannot be read is no reason to refuse, unless the number could only be right by luck.
 */
#ifndef PIT_TUNE_HARM_H
#define PIT_TUNE_HARM_H

#include "tune/knob.h"

pit_knob_judge pit_judge_reserve;    /* KiB of vm.min_free_kbytes: up to 5% of the memory */
pit_knob_judge pit_judge_overcommit; /* strict accounting only while what is promised fits */
pit_knob_judge pit_judge_tasks;      /* not lowered below twice the tasks that there are */
pit_knob_judge pit_judge_files;      /* not lowered below twice the files that are open */
pit_knob_judge pit_judge_aio;        /* not lowered below twice the requests that are reserved */
pit_knob_judge pit_judge_conntrack;  /* not lowered below twice the connections that are followed */
pit_knob_judge pit_judge_nr_open;    /* not lowered below the limit that process 1 hands on */
pit_knob_judge pit_judge_tcp_memory; /* pages: the last of the three from 2% to 50% of the memory */
pit_knob_judge pit_judge_rt;         /* real-time tasks get something, and no more than there is */

/* Why the row's `judge`, or its order of words, refuses `value` where `now` (may be NULL) is: -EPERM with the reason;
 * 0: nothing speaks against it. A value that is there already is never refused. */
int pit_knob_harm(const struct pit_knob *knob, struct pit_scene *scene, const char *value, const char *now,
		  struct pit_error *err);

/* -EINVAL unless `value` has as many numbers as the row says, none below the one before. */
int pit_knob_order(const struct pit_knob *knob, const char *value, struct pit_error *err);

#endif
