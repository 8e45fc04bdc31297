/* SPDX-License-Identifier: MIT
 *
 * Profiles: files that say which knobs to set to what, and why.
 *
 *	[profile]
 *	summary = hosts that train models
 *	include = base
 *
 *	[vm.swappiness]
 *	value  = 10
 *	why    = Page cache goes before the pages of a training process.
 *	source = tuned throughput-performance
 *
 *	[block.readahead nvme*]
 *	value  = >=4096
 *
 * A section is a knob's id, and after a blank which of its things. A section of the same words replaces that of an
 * included file; "value = keep" takes it away. Twice in one file is an error. "#" and ";" begin comments at the start
 * of a line. "workload = inference" in [profile] says for what the checks judge the host; training is the default,
 * and an included file's counts when the file itself is silent.
 */
#ifndef PIT_TUNE_PROFILE_H
#define PIT_TUNE_PROFILE_H

#include "tune/knob.h"

struct pit_profile {
	char *name; /* "training", or the file's path */
	char *file; /* where it was found */
	char *summary;
	char *workload;              /* "training", "inference"; NULL: not said */
	struct pit_setting *setting; /* in the order of the knobs' tables, within a knob in the file's order */
	size_t settings;
	struct pit_strv local; /* the files read that did not come with pitcrew, the outermost first */
	char *doubt;           /* of one of the files: who else may have written it; NULL: nobody */
};

/* A name (letters, digits, "-", "_", ".") is looked for as NAME.ini in /etc/pitcrew/profiles, then among ours; a word
 * with a slash or that ends in ".ini" is a path, in an include relative to the including file. Ours lie beside the
 * program (../share/pitcrew/profiles, ./profiles), else in the data directory that was configured at build time.
 * Includes: at most 8 deep, no circles; a file that includes its own name means the next one of that name, so
 * /etc/pitcrew/profiles/training.ini can add to ours. -ENOENT with the names that there are; -EBADMSG "FILE:LINE: ...".
 */
int pit_profile_load(const char *name, struct pit_profile *ret, struct pit_error *err);

/* 0, or -EPERM with the doubt: whoever can write a profile decides what root does by it. */
int pit_profile_trust(const struct pit_profile *p, struct pit_error *err);

/* The text of one file alone, with settings whose value is "keep"; `ret_include` gets the name that it includes, NULL
 * none. Values are checked for their form. -EBADMSG "FILE:LINE: ...". Exposed for tests
 * and fuzzing. */
int pit_profile_parse(const char *text, const char *file, struct pit_profile *ret, char **ret_include,
		      struct pit_error *err);
void pit_profile_free(struct pit_profile *p); /* back to all-zero */

/* The form of a value, as far as the knob's row tells it: what must be asked of the machine is left to the plan.
 * -EINVAL. */
int pit_profile_check(const struct pit_knob *knob, const char *value, struct pit_error *err);

/* "no knob is named ..." with one like it; returns -ENOENT. */
int pit_profile_no_knob(const char *word, struct pit_error *err);

/* Adds to `p` the settings of `later`, which is empty afterwards: the same words replace, "keep" takes away. Texts of
 * `later` that are there replace those of `p`. 0 or -ENOMEM. */
int pit_profile_merge(struct pit_profile *p, struct pit_profile *later);

/* The profiles that can be named, each once: of each its name and summary ("NAME", "SUMMARY", "NAME", ...). */
int pit_profile_list(struct pit_strv *ret);

/* One setting from "ID", "ID:WHICH", either with "=VALUE": without a value the profile's is taken (-ENOENT when it has
 * none); "ID" alone takes all that the profile has of the knob. Adds to, or replaces in, `ret`. -ENOENT also: there is
 * no such knob; -EINVAL: the value is not of its form. */
int pit_profile_add_knob(struct pit_profile *ret, const char *word, const struct pit_profile *values,
			 struct pit_error *err);

/* Keeps only the settings whose knob is in the comma-separated list (ids or patterns with '*' and '?'), or leaves those
 * out. -ENOENT: a word names no knob. */
int pit_profile_only(struct pit_profile *p, const char *list, struct pit_error *err);
int pit_profile_skip(struct pit_profile *p, const char *list, struct pit_error *err);

#endif
