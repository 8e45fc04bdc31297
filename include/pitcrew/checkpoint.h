/* SPDX-License-Identifier: MIT
 *
 * Saves tensors so that a crash, a full disk or a power cut leaves the old state or the new one, never a mixture, and
 * so that any flipped bit is found. The files are plain safetensors: every reader opens them.
 *
 * A checkpoint is a directory DIR/step-00001000 with one file or several and manifest.json, which is written last;
 * until it is complete it lies in DIR/.step-00001000.tmp. DIR/latest is a symbolic link to the newest complete one.
 */
#ifndef PITCREW_CHECKPOINT_H
#define PITCREW_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pitcrew/error.h"
#include "pitcrew/io.h"
#include "pitcrew/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pit_save_tensor {
	struct pit_tensor tensor; /* `bytes` must be what pit_tensor_bytes() gives */
	const void *data;         /* any alignment; NULL only when bytes is 0 */
};

struct pit_save_text {
	const char *key, *value; /* of `__metadata__`; keys that begin with "pitcrew." are ours */
};

/* ---- one file ---- */

struct pit_save_want {
	size_t size; /* sizeof(struct pit_save_want) */
	struct pit_io_want io;
	bool no_checksums; /* leave out the XXH3 of each tensor */
	const struct pit_save_text *texts;
	size_t text_count;
};

/* Writes PATH and returns when it is durable: a temporary file in the same directory, fsync, rename, fsync of the
 * directory. An existing file keeps its permissions and owner (where that is allowed); a new one has 0666 less umask.
 * On any error the old file is untouched, the temporary one removed, and the error says what failed and where. A
 * symbolic link is followed: its target is replaced. Order in the file: as given. -EINVAL names a tensor that is wrong
 * or twice. */
int pit_save_file(const char *path, const struct pit_save_tensor *tensors, size_t count,
		  const struct pit_save_want *want, struct pit_error *err);

/* ---- checkpoints of a job ---- */

struct pit_checkpoint;

struct pit_checkpoint_want {
	size_t size;     /* sizeof(struct pit_checkpoint_want) */
	unsigned keep;   /* complete checkpoints that stay; 0: all */
	uint64_t memory; /* staging memory of asynchronous saves, reused; 0: as much as a save needs */
	struct pit_io_want io;
	bool no_checksums;
	uint32_t rank, world; /* of the job; world 0: 1. Rank 0 commits */
};

/* Makes DIR when it is absent (not its parents). Rank 0 removes what crashed saves left there: .step-*.tmp that no
 * living process holds; and of those that stay (of ranks on other machines) it forgets which shards are there: so it
 * opens before the other ranks put. `memory` is taken at once when it is given, else by the
 * first save that needs it. In a forked child the object does nothing: -ECHILD. */
int pit_checkpoint_open(const char *dir, const struct pit_checkpoint_want *want, struct pit_checkpoint **ret,
			struct pit_error *err);

/* Waits for what is under way, whose error it gives. NULL is fine. */
int pit_checkpoint_close(struct pit_checkpoint *c, struct pit_error *err);

enum pit_save_mode {
	PIT_SAVE_DURABLE, /* returns when the shard is on disk */
	PIT_SAVE_COPY,    /* returns after one copy into staging memory; the rest happens behind. What exceeds `memory`
			     is written first */
	PIT_SAVE_PROMISE, /* returns at once; the caller leaves the tensors alone until pit_checkpoint_wait() */
};

/* Writes this rank's shard of checkpoint `step` (with one rank: all of it). An error of an earlier asynchronous save
 * comes here, before anything is written, and once. While one save is under way the next one waits for it. */
int pit_checkpoint_put(struct pit_checkpoint *c, uint64_t step, const struct pit_save_tensor *tensors, size_t count,
		       enum pit_save_mode mode, struct pit_error *err);

/* Makes `step` the latest checkpoint, all or nothing: when the shards of all ranks are there (rank 0 waits for them at
 * most `timeout_s` seconds; 0: not at all) the manifest is written with their sizes and checksums, with `state` (the
 * loader's position, from pit_loader_state()) and `extra` (any JSON object, or NULL), and the directory renamed; then
 * older ones beyond `keep` are removed. After an asynchronous put this, too, happens behind. -ETIMEDOUT names a rank,
 * and commit may be called again. Ranks other than 0: -EPERM. */
int pit_checkpoint_commit(struct pit_checkpoint *c, uint64_t step, const char *state, const char *extra,
			  unsigned timeout_s, struct pit_error *err);

/* Waits until nothing is under way; gives the error of what was, once. */
int pit_checkpoint_wait(struct pit_checkpoint *c, struct pit_error *err);
bool pit_checkpoint_busy(const struct pit_checkpoint *c); /* something is under way; from any thread */

struct pit_checkpoint_stats {
	size_t size; /* set by the caller */
	uint64_t saves, bytes;
	uint64_t stall_ns;  /* callers were held up, in all */
	uint64_t copy_ns;   /* of which copying */
	uint64_t behind_ns; /* worked behind the callers' backs */
	uint64_t staging;   /* bytes of staging memory */
};
void pit_checkpoint_stats(const struct pit_checkpoint *c, struct pit_checkpoint_stats *ret);
const struct pit_ladder *pit_checkpoint_ladder(const struct pit_checkpoint *c); /* of the last save */

/* ---- reading ---- */

struct pit_manifest;

/* The manifest of a checkpoint: DIR/latest when `step` is -1, else that step; `dir` may also be a checkpoint itself.
 * The newest complete one is found even when `latest` is absent or points nowhere. -ENOENT: there is none; -EBADMSG:
 * damaged. */
int pit_manifest_open(const char *dir, int64_t step, struct pit_manifest **ret, struct pit_error *err);
void pit_manifest_close(struct pit_manifest *m);
/* Of the checkpoint's directory: for pit_weights_open(). Ranks that use the same names are opened one by one, as
 * PATH/FILE with the file of that number. */
const char *pit_manifest_path(const struct pit_manifest *m);
uint64_t pit_manifest_step(const struct pit_manifest *m);
const char *pit_manifest_state(const struct pit_manifest *m); /* for pit_loader_resume(); NULL: none was given */
const char *pit_manifest_extra(const struct pit_manifest *m); /* JSON; NULL: none was given */
size_t pit_manifest_files(const struct pit_manifest *m);
const char *pit_manifest_file(const struct pit_manifest *m, size_t n,
			      uint64_t *ret_bytes); /* name in the directory; NULL beyond the last */

/* Complete checkpoints in `dir`, oldest first, as a malloc'ed array which the caller frees. */
int pit_checkpoint_list(const char *dir, uint64_t **ret, size_t *ret_count, struct pit_error *err);

#ifdef __cplusplus
}
#endif

#endif
