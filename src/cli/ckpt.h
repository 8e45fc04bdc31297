/* SPDX-License-Identifier: MIT
 *
 * What the verbs of `pitcrew ckpt` share.
 */
#ifndef PIT_CLI_CKPT_H
#define PIT_CLI_CKPT_H

#include "base/json.h"
#include "base/strv.h"
#include "cli/cmd.h"
#include "cli/weights.h"
#include "feed/manifest.h"
#include "feed/torch_file.h"
#include "feed/torch_tree.h"
#include "pitcrew/weights.h"

/* One checkpoint, files that are none of pitcrew's, or a file of torch.save(). */
struct pit_ckpt_place {
	struct pit_manifest *manifest; /* NULL: none */
	struct pit_strv files;         /* paths */
	struct pit_torch *torch;       /* of the only one of `files`; NULL: none */
};

/* `path` is a directory of checkpoints (the newest, or `step` unless -1), a checkpoint, a .safetensors file, a sharded
 * model or its index, a file of torch.save(). */
int pit_ckpt_open(const char *path, int64_t step, struct pit_ckpt_place *ret, struct pit_error *err);
void pit_ckpt_close(struct pit_ckpt_place *p);
#define pit_auto_ckpt PIT_CLEANUP(pit_ckpt_close)

/* Number N of --step=N. */
int64_t pit_ckpt_step(struct argp_state *state, const char *arg);

int pit_cli_ckpt_inspect(int argc, char **argv);
int pit_cli_ckpt_verify(int argc, char **argv);
int pit_cli_ckpt_convert(int argc, char **argv);

#endif
