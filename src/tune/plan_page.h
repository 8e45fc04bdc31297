/* SPDX-License-Identifier: MIT
 *
 * Parts of the text of a plan. Private to plan_text.c and plan_left.c.
 */
#ifndef PIT_TUNE_PLAN_PAGE_H
#define PIT_TUNE_PLAN_PAGE_H

#include "report/text.h"
#include "tune/plan.h"

/* A line "  SUBJECT: TEXT" with the subject in colour. */
void pit_plan_put_title(const struct pit_page *page, const char *subject, enum pit_colour colour, const char *text);

/* What was asked for and will not be done (plan_left.c). */
void pit_plan_put_left(const struct pit_plan *p, bool verbose, const struct pit_page *page);

#endif
