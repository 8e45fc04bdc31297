/* SPDX-License-Identifier: MIT
 *
 * A planned job in words: a picture of the machine with the ranks in it, and for each rank what, why and from which
 * evidence.
 */
#ifndef PIT_LAUNCH_EXPLAIN_H
#define PIT_LAUNCH_EXPLAIN_H

#include "launch/job.h"
#include "report/text.h"

/* Every decision. Picture of at most `page` columns (80 when unknown). */
void pit_explain_text(const struct pit_job *j, const struct pit_page *page, struct pit_buf *out);
int pit_explain_json(const struct pit_job *j, struct pit_buf *out); /* {"schema":1,...}; 0 or -ENOMEM */

/* What really happened to the start of a rank, once it runs: the steps that the kernel refused. A line each. */
void pit_explain_notes(const struct pit_job *j, int seat, const struct pit_spawned *s, struct pit_strv *out);

#endif
