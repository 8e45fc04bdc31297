/* SPDX-License-Identifier: MIT
 *
 * Changing a GPU through NVML, in a helper process under a deadline as all calls of it (nvml_ask.h).
 *
 * Items and their values:
 *	persistence	"on", "off"
 *	power-limit	watts
 *	clocks		"MEMORY GRAPHICS" MHz: the application clocks. (No driver tells whether clocks
 *			are locked, so a lock could not be undone and is not offered.)
 *	compute-mode	"default", "exclusive-thread", "prohibited", "exclusive-process"
 *	ecc		"on", "off": the mode after the next reset
 *	mig		"on", "off": the mode after the next reset (some GPUs change at once)
 *	mig-layout	GPU instances by profile and first memory slice, "3g.40gb@0 2g.20gb@4",
 *			each with one compute instance of its whole size; "none"
 */
#ifndef PIT_HOST_NVML_SET_H
#define PIT_HOST_NVML_SET_H

#include <jansson.h>

#include "base/buf.h"
#include "host/root.h"

/* What the item of a GPU (an element of the fact's "gpus") is set to. -EOPNOTSUPP: it has no such item. */
int pit_nvml_item_of(const json_t *gpu, const char *item, struct pit_buf *out);

/* The same by UUID. -ENODEV: no such GPU. */
int pit_nvml_item(struct pit_root *root, const char *uuid, const char *item, struct pit_buf *out,
		  struct pit_error *err);

/* -EPERM, -EBUSY (processes or instances use it), -EINVAL (no such value, or out of the GPU's range), -ENOSPC (no room
 * for that instance), -ENODEV, -EOPNOTSUPP, -ETIMEDOUT. */
int pit_nvml_set(const char *uuid, const char *item, const char *value, struct pit_error *err);

#endif
