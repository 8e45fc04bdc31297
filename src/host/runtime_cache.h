/* SPDX-License-Identifier: MIT
 *
 * Texts that are dear to make and hold until the next boot, kept in /run/pitcrew (root) or $XDG_RUNTIME_DIR/pitcrew.
 * Whatever is not surely ours is ignored: another owner, other rights than 0700 and 0600, a link, another key.
 */
#ifndef PIT_HOST_RUNTIME_CACHE_H
#define PIT_HOST_RUNTIME_CACHE_H

#include "base/buf.h"

/* Appends the text kept as `name` under exactly this `key` (one line). -ENOENT when there is none that can be trusted.
 */
int pit_runtime_cache_get(const char *name, const char *key, struct pit_buf *out);

/* Keeps `text`, replacing what was there at once. -errno when there is no place for it; nothing is lost then. */
int pit_runtime_cache_put(const char *name, const char *key, const char *text, size_t len);

#endif
