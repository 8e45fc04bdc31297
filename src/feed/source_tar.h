/* SPDX-License-Identifier: MIT
 *
 * Members of tar shards: from the index where it holds, else by a scan, several shards at once; then samples.
 */
#ifndef PIT_FEED_SOURCE_TAR_H
#define PIT_FEED_SOURCE_TAR_H

#include "feed/index.h"
#include "feed/source_body.h"

/* One shard's members, from a scan of the open file. With `sums` all contents are read. `ret_odd`, when wanted: what is
 * unusual about its end (pit_tar_ending). */
int pit_shard_scan(int fd, const struct pit_shard_index_stamp *stamp, bool sums, struct pit_shard_index *ret,
		   char *ret_odd, struct pit_error *err);

/* Members of all shards of `l`, in an array of as many as there are files, which the caller frees. */
int pit_shards_load(const struct pit_file_list *l, const struct pit_source_want *want,
		    const struct pit_source_extra *extra, struct pit_shard_index **ret,
		    struct pit_shard_index_report *report, struct pit_error *err);

#endif
