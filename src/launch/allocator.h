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
 * looks, or only for another kind of machine; the text names the package that has it. -EINVAL: no such name. */
int pit_allocator_find(struct pit_root *root, const char *name, struct pit_strv *ret, struct pit_error *err);

/* What a text of ld.so.conf says: directories, and patterns of further files. 0 or -ENOMEM. For tests. */
int pit_allocator_conf(const char *text, struct pit_strv *ret_dirs, struct pit_strv *ret_includes);

/* True when the ELF file that begins with `bytes` is a library for the kind of machine that this program is for. */
bool pit_allocator_fits(const void *bytes, size_t len);

#endif
