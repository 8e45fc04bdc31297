/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "feed/source_roots.h"
#include "feed/source_walk.h"

int pit_source_list(const struct pit_source_want *want, enum pit_source_kind *kind, struct pit_file_list *ret,
		    struct pit_error *err)
{
	pit_auto_roots struct pit_roots roots = {.dir = -1};
	struct pit_walk w = {
		.list = ret, .suffixes = want->suffixes, .suffix_count = want->suffix_count, .path = PIT_BUF_INIT};
	int rc = pit_roots_open(want->paths, want->path_count, &roots, err);

	if (!rc)
		ret->dir = pit_take_fd(&roots.dir);
	for (size_t i = 0; i < roots.paths.count && !rc; i++)
		rc = pit_walk_root(&w, roots.paths.item[i], err);
	pit_buf_free(&w.path);
	if (*kind == PIT_SOURCE_AUTO)
		*kind = want->record_bytes ? PIT_SOURCE_RECORDS : PIT_SOURCE_FILES;
	if (!rc && ret->names.count > UINT32_MAX)
		rc = pit_fail(err, E2BIG, "more than %u files", UINT32_MAX);
	return rc ? rc : pit_file_list_measure(ret, err);
}
