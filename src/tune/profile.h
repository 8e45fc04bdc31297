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
 * A section is a knob's id, and after a blank which of its things. A later section of the same words replaces an
 *earlier one (the included file's come first); "value = keep" takes it away. "#" and ";" begin comments at the start of
 *a line.
 */
#ifndef PIT_TUNE_PROFILE_H
#define PIT_TUNE_PROFILE_H

#include "tune/knob.h"

struct pit_profile {
	char *name; /* "training", or the file's path */
	char *file; /* where it was found */
	char *summary;
	struct pit_setting *setting; /* in the order of the knobs' tables, within a knob in the file's order */
	size_t settings;
};

/* A name (letters, digits, "-", "_", ".") is looked for as NAME.ini in /etc/pitcrew/profiles, then among ours; a word
 * with a slash or that ends in ".ini" is a path. Ours lie in the data directory that was configured at build time, else
 * beside the program (../share/pitcrew/profiles, ./profiles). Includes: at most 8 deep, no circles.
 * -ENOENT with the names that there are; -EBADMSG "FILE:LINE: ...". */
int pit_profile_load(const char *name, struct pit_profile *ret, struct pit_error *err);

/* The text of one file; `include` gets the name that it includes, NULL none. Exposed for tests and fuzzing. */
int pit_profile_parse(const char *text, const char *file, struct pit_profile *ret, char **ret_include,
		      struct pit_error *err);
void pit_profile_free(struct pit_profile *p); /* back to all-zero */

/* One setting from "ID", "ID:WHICH", either with "=VALUE": without a value the profile's is taken (-ENOENT when it has
 * none). Adds to, or replaces in, `ret`. */
int pit_profile_add_knob(struct pit_profile *ret, const char *word, const struct pit_profile *values,
			 struct pit_error *err);

/* Keeps only the settings whose knob is in the comma-separated list (ids or patterns with '*' and '?'), or leaves those
 * out. -ENOENT: a word names no knob. */
int pit_profile_only(struct pit_profile *p, const char *list, struct pit_error *err);
int pit_profile_skip(struct pit_profile *p, const char *list, struct pit_error *err);

#endif
