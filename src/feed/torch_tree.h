/* SPDX-License-Identifier: MIT
 *
 * What a pickle holds as the text and the tensors that pitcrew.checkpoint for Python makes of the same state: see
 * python/pitcrew/_tree.py. Names are the keys and places that lead to a tensor, joined by dots; tensors that are the
 * same piece of a storage are one, and have one name.
 */
#ifndef PIT_FEED_TORCH_TREE_H
#define PIT_FEED_TORCH_TREE_H

#include "base/buf.h"
#include "base/strv.h"
#include "feed/torch_value.h"
#include "pitcrew/error.h"

#define PIT_TORCH_TREE_KEY "pitcrew_tree"
#define PIT_TORCH_DEPTH_MAX 100     /* containers in each other: Python reads the text back by recursion */
#define PIT_TORCH_PATH_MAX 65536    /* bytes of a name */
#define PIT_TORCH_TEXT_MAX 50000000 /* bytes of the text and of all names: the header of a file takes 100 MB */

struct pit_torch_tree {
	struct pit_buf text;
	struct pit_torch_piece {
		char *name;
		const struct pit_torch_tensor *tensor; /* the value's */
	} * pieces;
	size_t count, room;
	struct pit_strv tied, names; /* paths of tensors that share another one's name, and that name */
};

/* `ret` lives as long as the value. -ENOTSUP: something that no checkpoint can hold, or too much of it. */
int pit_torch_tree(struct pit_value *top, struct pit_torch_tree *ret, struct pit_error *err);
void pit_torch_tree_free(struct pit_torch_tree *t);

#endif
