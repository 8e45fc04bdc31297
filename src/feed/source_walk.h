/* SPDX-License-Identifier: MIT
 *
 * The files of a tree, by name, in the order of the bytes of their whole paths; and then their sizes.
 */
#ifndef PIT_FEED_SOURCE_WALK_H
#define PIT_FEED_SOURCE_WALK_H

#include "base/buf.h"
#include "feed/source_body.h"

struct pit_walk {
	const char *const *suffixes; /* only names that end so; none: all */
	size_t suffix_count;
	struct pit_file_list *list; /* names are added; `dir` is open */
	struct pit_buf path;
};

/* Adds the file `root`, or (it ends in '/' or is "") the files below it. Symbolic links come in without a look at what
 * they lead to, those to directories, too. A directory that cannot be listed is an error that names it. Recurses: each
 * level takes one byte of a path at least, and PATH_MAX limits that. */
int pit_walk_root(struct pit_walk *w, const char *root, struct pit_error *err);

#define PIT_FILE_MISSING UINT64_MAX /* in place of a size */

/* Sizes of all files; drops what is no regular file behind links (directories) and what was removed since; unless `all`
 * must be there: then that is an error which names it, or, where `extra` wants to be told, PIT_FILE_MISSING. Asks from
 * several threads when the file system is slow to answer. -ENOENT names a link that leads nowhere. */
int pit_file_list_measure(struct pit_file_list *l, bool all, const struct pit_source_extra *extra,
			  struct pit_error *err);

#endif
