/* SPDX-License-Identifier: MIT
 *
 * jemalloc and tcmalloc for programs that were linked with neither: where the library lies, and the settings that suit
 * processes that keep many threads and large buffers.
 */
#ifndef PIT_LAUNCH_ALLOCATOR_H
#define PIT_LAUNCH_ALLOCATOR_H

#include "host/root.h"

/* `name`: "jemalloc", "tcmalloc", "system". Gives variables "NAME=VALUE" for pit_env_request.preload: LD_PRELOAD with
 * the library's path, MALLOC_CONF (narenas, dirty and muzzy decay, background_thread) or TCMALLOC_* (largest thread
 * cache in bytes, release rate). "system" gives none. -ENOENT: the library is in none of the places where the loader
 * looks; the text names the package that has it. */
int pit_allocator_find(struct pit_root *root, const char *name, struct pit_strv *ret, struct pit_error *err);

#endif
