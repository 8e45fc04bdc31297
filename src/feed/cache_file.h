/* SPDX-License-Identifier: MIT
 *
 * One sample in one file below a directory: XX/KEY, with the bytes and a trailer of 16 bytes (length and XXH3-64 with
 * the key as its seed, little endian), so that no file passes for another. Files appear whole, by renaming.
 */
#ifndef PIT_FEED_CACHE_FILE_H
#define PIT_FEED_CACHE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#define PIT_CACHE_TRAILER 16
#define PIT_CACHE_TEMPORARY ".tmp-" /* names in the directory itself that begin so are files being written */

uint64_t pit_cache_file_cost(uint64_t file_size); /* bytes of whole blocks of 4 KiB; UINT64_MAX when they do not fit */

void pit_cache_file_expect(int dir, uint64_t key, uint64_t len); /* begins to read it ahead */

/* 1; 0 when there is no such file; -EBADMSG when it is damaged or of another length; other -errno when it cannot be
 * read now. */
int pit_cache_file_read(int dir, uint64_t key, void *data, uint64_t len);

bool pit_cache_file_there(int dir, uint64_t key);

/* -EEXIST when it is there already (then it stays, where the file system can tell). On errors nothing is left. */
int pit_cache_file_write(int dir, uint64_t key, const void *data, uint64_t len);

/* Gives the cost of the file that is gone now; -ENOENT when another was faster. */
int pit_cache_file_remove(int dir, uint64_t key, uint64_t *ret_cost);

/* Calls `found` with each sample's file; a return other than 0 ends that and is returned. */
typedef int (*pit_cache_file_fn)(void *arg, uint64_t key, uint64_t cost);
int pit_cache_file_list(int dir, pit_cache_file_fn found, void *arg);

int pit_cache_file_clean(int dir); /* removes all temporary files; -errno of listing them */

#endif
