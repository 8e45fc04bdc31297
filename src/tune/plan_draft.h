/* SPDX-License-Identifier: MIT
 *
 * A plan while it is made: shared by plan.c, plan_choose.c and plan_files.c.
 */
#ifndef PIT_TUNE_PLAN_DRAFT_H
#define PIT_TUNE_PLAN_DRAFT_H

#include "base/strmap.h"
#include "tune/plan.h"

/* One cell that a setting wants to be something. */
struct pit_candidate {
	const struct pit_setting *setting;
	struct pit_cell cell;
	char *value;
	char *old; /* once it is read; NULL absent */
	enum pit_candidate_state {
		PIT_CANDIDATE_OPEN,    /* not yet looked at */
		PIT_CANDIDATE_CHANGE,  /* read, and to be set */
		PIT_CANDIDATE_RIGHT,   /* has its value */
		PIT_CANDIDATE_DROPPED, /* another setting's counts, or plan->left says why not */
	} state;
};

/* One line, or a few that belong together, of a file of ours. */
struct pit_draft_line {
	const struct pit_setting *setting;
	struct pit_fragment at;
	bool there; /* an earlier file of ours says it and nothing of ours takes it back */
};

struct pit_draft {
	struct pit_scene *scene;
	struct pit_root *root;
	const struct pit_profile *profile;
	const struct pit_plan_options *options;
	struct pit_plan plan;
	struct pit_candidate *candidate;
	size_t candidates;
	struct pit_draft_line *line;
	size_t lines;
	struct pit_strmap cells; /* of a cell's key: its candidate */
	struct pit_error *err;
};
void pit_draft_free(struct pit_draft *d); /* all but the plan */

int pit_draft_no_memory(const struct pit_draft *d);

/* "TARGET OBJECT", what tells cells apart, in `out`. */
const char *pit_draft_key(const struct pit_cell *cell, char *out, size_t size);

/* Appends to the plan. `object` NULL: the cell's name. All copy. 0 or -ENOMEM. */
int pit_draft_leave(struct pit_draft *d, const struct pit_setting *setting, const struct pit_cell *cell,
		    enum pit_left_why why, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int pit_draft_unknown(struct pit_draft *d, const struct pit_setting *setting, const struct pit_cell *cell, int rc,
		      const char *text);
struct pit_change *pit_draft_change(struct pit_draft *d, const struct pit_setting *setting, const struct pit_cell *cell,
				    const char *old_value, const char *new_value);

/* Of two settings for one cell one counts; knobs that undo each other cannot both be set (plan_choose.c). */
int pit_draft_choose(struct pit_draft *d);
int pit_draft_exclude(struct pit_draft *d);

/* Refuses dirty limits of which the lower would not be below the upper (plan_dirty.c). */
int pit_draft_dirty(struct pit_draft *d);

/* Notes when the profile is for a kind of work that this machine is not made for (plan_workload.c). */
int pit_draft_workload(struct pit_draft *d);

/* Cells that the kernel changes along with the setting's (plan_choose.c). */
int pit_draft_companions(struct pit_draft *d, const struct pit_setting *setting);

/* Files of ours out of the lines, and links, with the directories that they need (plan_files.c). */
int pit_draft_files(struct pit_draft *d);

bool pit_draft_disturbs(const struct pit_knob *knob, const struct pit_cell *cell); /* a write changes it along */

bool pit_draft_is_file(const struct pit_cell *cell); /* FILE, DIR, LINK */

#endif
