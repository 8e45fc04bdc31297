/* SPDX-License-Identifier: MIT
 *
 * The parts of a planned job in words. Private to launch/explain*.c, and the names of limits to what refuses one.
 */
#ifndef PIT_LAUNCH_EXPLAIN_PARTS_H
#define PIT_LAUNCH_EXPLAIN_PARTS_H

#include "launch/explain.h"

/* False: the seat is in the plan, and means nothing. */
bool pit_explain_shows(const struct pit_job *j, int seat);

/* "0-3,8"; with blanks behind the commas when it is long, so that it can be wrapped. */
void pit_explain_set(const struct pit_idset *s, struct pit_buf *out);

/* "rank 3", "ranks 0-3,7"; nothing for none. */
void pit_explain_rank_set(const struct pit_idset *seats, struct pit_buf *out);

/* "by its bridge"; NULL unknown. */
const char *pit_explain_source(enum pit_node_source source);

/* A heading between blank lines. */
void pit_explain_heading(const struct pit_page *page, const char *text);

/* Nodes, caches and devices with the ranks in them. */
void pit_explain_picture(const struct pit_job *j, const struct pit_page *page);

/* A block for each rank, or for one of each kind where there are many; then the variables. */
void pit_explain_ranks(const struct pit_job *j, const struct pit_page *page);
void pit_explain_variables(const struct pit_job *j, const struct pit_page *page);

/* True when all seats that have variables have the same value of it, set or kept alike. */
bool pit_explain_is_common(const struct pit_job *j, const struct pit_env_item *item);

/* Limits, and how it goes on and ends. */
void pit_explain_rules(const struct pit_job *j, const struct pit_page *page);

/* "locked memory" for RLIMIT_MEMLOCK. */
const char *pit_explain_limit_name(int resource);

/* "64.0 MiB", "65536", "unlimited"; returns `out`. */
const char *pit_explain_limit_text(int resource, uint64_t value, char *out, size_t size);

/* "fifo" for SCHED_FIFO. */
const char *pit_explain_policy_name(int policy);

#endif
