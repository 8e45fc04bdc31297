/* SPDX-License-Identifier: MIT
 *
 * Lists of devices as CUDA_VISIBLE_DEVICES, HIP_VISIBLE_DEVICES and ROCR_VISIBLE_DEVICES hold them, and as --gpus takes
 * them.
 */
#ifndef PIT_LAUNCH_VISIBLE_H
#define PIT_LAUNCH_VISIBLE_H

#include "base/strv.h"
#include "pitcrew/error.h"

enum pit_visible_kind {
	PIT_VISIBLE_INDEX, /* "2" */
	PIT_VISIBLE_UUID,  /* "GPU-8932f937" or whole; at least the prefix */
	PIT_VISIBLE_MIG,   /* "MIG-...", also the old "MIG-GPU-.../1/0" */
	PIT_VISIBLE_PCI,   /* "0000:65:00.0", "65:00.0"; only in --gpus */
};

struct pit_visible {
	enum pit_visible_kind kind;
	int index;
	char text[96]; /* as it stands there */
};

struct pit_visible_list {
	struct pit_visible *item;
	size_t count;
	bool set; /* false: the variable is unset, and all devices are seen */
	bool cut; /* the CUDA rule: the first entry that means no device hides itself and all behind it */
	char cut_at[96];
};

/* As CUDA reads it: blanks around entries ignored, "1x" is 1, "" is no device; "-1", junk or an entry of another kind
 * than the first ends the list (`cut`), and so does the 1025th. A device named twice is an error for CUDA (-EINVAL
 * here). `text` NULL: unset. */
int pit_visible_parse(const char *text, struct pit_visible_list *ret, struct pit_error *err);

/* As --gpus: strict, "0-3,6" ranges allowed, kinds may be mixed, "none" the empty list; -EINVAL names the word. */
int pit_visible_parse_strict(const char *text, struct pit_visible_list *ret, struct pit_error *err);
void pit_visible_free(struct pit_visible_list *l);

#endif
