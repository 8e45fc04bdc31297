/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/path.h"
#include "feed/source_guess.h"
#include "feed/source_roots.h"
#include "feed/source_walk.h"

/* What shards in a directory are called, where the caller does not say. */
static const char *const shard_suffix[] = {
	[PIT_SOURCE_TAR] = ".tar",
	[PIT_SOURCE_SAFETENSORS] = ".safetensors",
};

static int walk(const struct pit_roots *roots, const struct pit_source_want *want, enum pit_source_kind kind,
		struct pit_file_list *l, struct pit_error *err)
{
	const char *const *own = (size_t)kind < PIT_COUNT(shard_suffix) ? &shard_suffix[kind] : NULL;
	struct pit_walk w = {.list = l, .path = PIT_BUF_INIT};
	int rc = 0;

	if (want->suffix_count) {
		w.suffixes = want->suffixes;
		w.suffix_count = want->suffix_count;
	} else if (own && *own) {
		w.suffixes = own;
		w.suffix_count = 1;
	}
	pit_names_cut(&l->names, 0);
	for (size_t i = 0; i < roots->paths.count && !rc; i++)
		rc = pit_walk_root(&w, roots->paths.item[i], err);
	pit_buf_free(&w.path);
	if (!rc && l->names.count > UINT32_MAX)
		rc = pit_fail(err, E2BIG, "more than %u files", UINT32_MAX);
	return rc;
}

static bool is_directory(const char *root)
{
	return !*root || root[strlen(root) - 1] == '/';
}

static int list(const struct pit_roots *roots, const struct pit_source_want *want, enum pit_source_kind *kind,
		struct pit_file_list *l, struct pit_error *err)
{
	bool shards_only = false;
	int rc;

	for (size_t i = 0; i < roots->paths.count; i++)
		if (*kind == PIT_SOURCE_MANIFEST && is_directory(roots->paths.item[i]))
			return pit_fail(err, EISDIR, "%s: a manifest is a file", want->paths[0]);
	rc = walk(roots, want, *kind, l, err);
	if (!rc && *kind == PIT_SOURCE_AUTO) {
		*kind = pit_source_guess(l, want, !is_directory(roots->paths.item[0]));
		shards_only = (size_t)*kind < PIT_COUNT(shard_suffix) && shard_suffix[*kind];
	}
	return rc || !shards_only ? rc : walk(roots, want, *kind, l, err);
}

int pit_source_list(const struct pit_source_want *want, const struct pit_source_extra *extra,
		    enum pit_source_kind *kind, struct pit_file_list *ret, struct pit_error *err)
{
	pit_auto_roots struct pit_roots roots = {.dir = -1};
	int rc = pit_roots_open(want->paths, want->path_count, &roots, err);

	if (rc)
		return rc;
	ret->dir = pit_take_fd(&roots.dir);
	ret->top = pit_take(roots.top);
	rc = list(&roots, want, kind, ret, err);
	return rc ? rc : pit_file_list_measure(ret, false, extra, err);
}
