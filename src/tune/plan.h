/* SPDX-License-Identifier: MIT
 *
 * A plan: what would be changed, from what to what, why, and what stands against it. Made by looking only; the same
 * machine and profile give the same plan, live or recorded.
 */
#ifndef PIT_TUNE_PLAN_H
#define PIT_TUNE_PLAN_H

#include "tune/profile.h"

struct pit_change {
	const struct pit_knob *knob;       /* NULL: directories and files that several knobs share */
	const struct pit_setting *setting; /* of the profile, which must outlive the plan; NULL as above */
	struct pit_cell cell;
	char *old, *new; /* canonical; NULL = absent */
	bool companion; /* not to be set: the kernel changes it along, so `old` is kept to be restored; `new` is NULL */
	char *origin;   /* what sets the old value: FILE:LINE; NULL unknown or the kernel's default */
	char *evidence; /* what the check saw; NULL nothing */
};

/* What was asked for and will not be done, and why. */
struct pit_left_out {
	const struct pit_knob *knob;
	const struct pit_setting *setting;
	char *object; /* "" the knob as a whole */
	enum pit_left_why {
		PIT_LEFT_RIGHT,   /* it has the value already */
		PIT_LEFT_ABSENT,  /* this machine has no such thing */
		PIT_LEFT_REFUSED, /* it would do harm, or belongs to somebody else (the host of a container) */
		PIT_LEFT_UNKNOWN, /* it could not be read */
		PIT_LEFT_PERSIST, /* it is only there for the next boot or login: needs --persist */
	} why;
	enum pit_state state; /* of what could not be read */
	char *text;
};

/* "vm.swappiness", "block.scheduler on /sys/block/sda/queue/scheduler", "swap on /dev/sda2" at the end of `out`, which
 * is empty. */
void pit_left_out_subject(const struct pit_left_out *l, struct pit_buf *out);

struct pit_plan {
	const struct pit_profile *profile;
	bool persist;
	int txn;
	struct pit_change *change; /* in the order of writing: run-time values, then files */
	size_t changes;
	struct pit_left_out *left;
	size_t left_out;
	struct pit_strv
		conflicts;     /* sentences: tuned sets it too, a later file wins at boot, cloud-init writes it ... */
	struct pit_strv notes; /* sentences: which of two sections of the profile counts */
	bool needs_reboot;
	struct pit_strv restarts; /* services to start anew, GPUs to reset: sentences */
};

/* What a check said about a knob. */
struct pit_plan_evidence {
	const char *knob;  /* as in the row: ids, blank-separated */
	const char *check; /* id of the row */
	const char *text;
};

struct pit_plan_options {
	bool persist;
	int txn; /* the number that the transaction would get; 0: no transaction, for commands to paste */
	const struct pit_plan_evidence *evidence;
	size_t evidences;
};

/* Of two settings for one cell the one that names its things counts, else the later one. Of knobs that change each
 * other the later one counts. With `persist` there is one FILE a path, with the lines that no earlier file of ours
 * says: so the same profile twice gives an empty plan. -EBADMSG "FILE:LINE: ...": a value that makes no sense here. */
int pit_plan_make(struct pit_scene *scene, const struct pit_profile *profile, const struct pit_plan_options *options,
		  struct pit_plan *ret, struct pit_error *err);
void pit_plan_free(struct pit_plan *p);

/* The files that make the run-time values of `wishes`, which are those of `setting`, last: fragments, and wishes for
 * links (persist.c). Without systemd only sysctl.d and udev's rules; the plan's conflicts then say what will not last.
 */
int pit_persist(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *wishes,
		struct pit_error *err);

/* Sentences about what would undo the plan: appended to plan->conflicts (conflict.c). */
int pit_plan_conflicts(struct pit_scene *scene, struct pit_plan *plan, struct pit_error *err);

struct pit_plan_counts {
	size_t values, files; /* to be changed; directories and links are files */
	size_t companions;
	size_t right, left; /* left out: right already, for another reason */
};
void pit_plan_counts(const struct pit_plan *p, struct pit_plan_counts *ret);
bool pit_plan_is_empty(const struct pit_plan *p); /* nothing is to be set */

struct pit_page;
/* `will`: it is about to be done. `verbose`: with each thing that is left out and its reason, all lines of files, all
 * cells. */
void pit_plan_text(const struct pit_plan *p, bool will, bool verbose, const struct pit_page *page);
int pit_plan_json(const struct pit_plan *p, struct pit_buf *out); /* 0 or -ENOMEM */
void pit_plan_shell(const struct pit_plan *p, struct pit_buf *out);

#endif
