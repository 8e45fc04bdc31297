/* SPDX-License-Identifier: MIT */
#include "host/archive_lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

#define LIBRARY "libarchive.so.13" /* since 3.0 */

static const struct {
	const char *name;
	size_t at;
} functions[] = {
#define ROW(function) {.name = #function, .at = offsetof(struct pit_archive_lib, function)},
	PIT_ARCHIVE_FUNCTIONS(ROW)
#undef ROW
};

int pit_archive_lib(struct pit_archive_lib *ret, struct pit_error *err)
{
	struct pit_archive_lib found;
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return pit_fail(err, ENOENT, "archives need libarchive: %s", dlerror());
	for (size_t i = 0; i < PIT_COUNT(functions); i++) {
		void *function = dlsym(library, functions[i].name);

		if (!function)
			return pit_fail(err, ENOSYS, "%s has no %s: it is too old", LIBRARY, functions[i].name);
		memcpy((char *)&found + functions[i].at, &function, sizeof(function));
	}
	*ret = found;
	return 0;
}
