/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/path.h"
#include "feed/index.h"
#include "feed/source_guess.h"

static bool ends_with_one(const char *name, const char *const *ends)
{
	for (size_t i = 0; ends[i]; i++)
		if (pit_ends_with(name, ends[i]))
			return true;
	return false;
}

/* At least one file with such an end, and none without but those that may be beside it. */
static bool are_all(const struct pit_file_list *l, const char *const *ends, const char *beside)
{
	size_t found = 0;

	for (size_t i = 0; i < l->names.count; i++) {
		const char *name = pit_base_name(pit_names_get(&l->names, i));

		if (ends_with_one(name, ends))
			found++;
		else if (!strstr(name, beside))
			return false;
	}
	return found > 0;
}

enum pit_source_kind pit_source_guess(const struct pit_file_list *l, const struct pit_source_want *want, bool named)
{
	/* Compressed ones, so that what cannot be done with them is said. */
	static const char *const tar[] = {".tar",    ".tar.gz",  ".tgz",     ".tar.zst",
					  ".tar.xz", ".tar.bz2", ".tar.lz4", NULL};
	static const char *const safetensors[] = {".safetensors", NULL};
	static const char *const manifest[] = {".txt", ".tsv", ".list", ".lst", ".manifest", NULL};

	if (want->record_bytes)
		return PIT_SOURCE_RECORDS;
	if (want->tensor_count)
		return PIT_SOURCE_SAFETENSORS;
	if (are_all(l, tar, PIT_INDEX_SUFFIX))
		return PIT_SOURCE_TAR;
	if (are_all(l, safetensors, ".json"))
		return PIT_SOURCE_SAFETENSORS;
	if (named && l->names.count == 1 && are_all(l, manifest, "\n"))
		return PIT_SOURCE_MANIFEST;
	return PIT_SOURCE_FILES;
}
