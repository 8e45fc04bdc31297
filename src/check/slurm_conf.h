/* SPDX-License-Identifier: MIT
 *
 * Slurm's configuration: slurm.conf, cgroup.conf and gres.conf as lines of KEY=value pairs, with continuation lines,
 * comments and Include resolved, and the host ranges of NodeName. Keys are compared without regard to case.
 */
#ifndef PIT_CHECK_SLURM_CONF_H
#define PIT_CHECK_SLURM_CONF_H

#include "host/root.h"

struct pit_slurm_pair {
	char *key;
	char *value; /* without its quotes */
};

/* One logical line. */
struct pit_slurm_line {
	char *file;
	int line; /* where it begins */
	struct pit_slurm_pair *pair;
	size_t pairs;
};

struct pit_slurm_conf {
	struct pit_slurm_line *item; /* in the order in which slurmd reads them */
	size_t count;
	char path[160]; /* of the file loaded; "" when parsed from a text */
};

void pit_slurm_conf_free(struct pit_slurm_conf *c); /* back to empty; keeps errno */
#define pit_auto_slurm_conf PIT_CLEANUP(pit_slurm_conf_free)

/* Appends the lines of `text`. An "Include FILE" becomes a pair with the key "Include". -EBADMSG with the line. */
int pit_slurm_conf_parse(const char *text, const char *file, struct pit_slurm_conf *ret, struct pit_error *err);

/* "slurm.conf", "gres.conf", "cgroup.conf" from the first directory of pit_slurm_dirs that has slurm.conf, with what it
 * includes. -ENOENT: it is not there. */
int pit_slurm_conf_load(struct pit_root *root, const char *name, struct pit_slurm_conf *ret, struct pit_error *err);
extern const char *const pit_slurm_dirs[]; /* ends with NULL */

/* A pair of a line; NULL none. */
const char *pit_slurm_pair(const struct pit_slurm_line *line, const char *key);

/* A setting of the whole file, which is not part of a NodeName, PartitionName or similar line; the last one wins, as in
 * Slurm. NULL: not set. `ret_line` (may be NULL) gets its line. */
const char *pit_slurm_get(const struct pit_slurm_conf *c, const char *key, const struct pit_slurm_line **ret_line);

/* The NodeName line for `host`, by its short name too; NULL none. */
const struct pit_slurm_line *pit_slurm_node(const struct pit_slurm_conf *c, const char *host);

/* A setting of that node: from its line, else from the NodeName=DEFAULT lines before it. NULL: not set. */
const char *pit_slurm_node_get(const struct pit_slurm_conf *c, const struct pit_slurm_line *node, const char *key);

/* True when the list "node[01-16,20],login" holds `host`. */
bool pit_slurm_hosts_have(const char *list, const char *host);

/* The names of such a list ("/dev/nvidia[0-3]"), at most `max` (else -E2BIG). -EBADMSG. */
int pit_slurm_hosts_expand(const char *list, size_t max, struct pit_strv *ret);

/* True when the comma-separated `list` has `word`, without regard to case; "word:..." and "word=..." count too. */
bool pit_slurm_list_has(const char *list, const char *word);

#endif
