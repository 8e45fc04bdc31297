/* SPDX-License-Identifier: MIT
 *
 * Small recorded machines for unit tests, made of texts, and the foreign cases where they lie.
 */
#ifndef PIT_TESTS_TREE_H
#define PIT_TESTS_TREE_H

#include "host/cgroup.h"
#include "host/root.h"

struct tree_file {
	const char *path; /* "/proc/meminfo"; NULL ends the list */
	const char *text; /* "-> TARGET": a symbolic link */
};

struct tree {
	char dir[64];
	struct pit_root *root;
	struct pit_mounts mounts; /* empty when the tree has none */
};

struct tree tree_open(const struct tree_file *files); /* fails the test when it cannot */
void tree_close(struct tree *t);
struct pit_cgroup *tree_cgroup(const struct tree *t, int pid); /* fails the test when it cannot */

/* The directory `name` of the cases ($PITCREW_CASES or ../shared/cases beside the sources); NULL when it is not there.
 */
const char *tree_cases(const char *name, char *ret, size_t size);
char *tree_slurp(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* caller frees; NULL when not there */

#endif
