/* SPDX-License-Identifier: MIT
 *
 * Shards of ranks in .step-N.tmp: what each rank tells of its own, once it is on disk, and how rank 0 gathers that.
 */
#ifndef PIT_FEED_CHECKPOINT_SHARD_H
#define PIT_FEED_CHECKPOINT_SHARD_H

#include "feed/manifest.h"
#include "feed/save.h"

struct pit_shard {
	int tmpfd;
	const char *shown; /* path of that directory */
	uint64_t step;
	uint32_t rank, world;
};

/* "model.safetensors" of a single rank, else "rank-00000-of-00008.safetensors"; in `out` of 64 bytes, returned. */
char *pit_shard_name(uint32_t rank, uint32_t world, char *out);

/* Takes back what an earlier put told. */
void pit_shard_forget(const struct pit_shard *s);

/* Takes back what was told of any step that is being saved in `dirfd`, the directory of checkpoints: by ranks of a job
 * that is no more, of which nobody knows whether it lives on other machines. */
void pit_shards_forget_all(int dirfd);

/* Durable; nothing is told when that fails. */
int pit_shard_tell(const struct pit_shard *s, const struct pit_saved *saved, struct pit_error *err);

/* Adds the shards of ranks 1 and up to `m`, which has that of rank 0. Waits at most `timeout_s` seconds for them:
 * -ETIMEDOUT names a rank. */
int pit_shard_gather(const struct pit_shard *s, unsigned timeout_s, struct pit_manifest *m, struct pit_error *err);

/* Adds one file to a manifest, which has room for it. -ENOMEM. */
int pit_manifest_add(struct pit_manifest *m, const char *name, const struct pit_saved *saved);

#endif
