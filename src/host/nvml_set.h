/* SPDX-License-Identifier: MIT
 *
 * Changing a GPU through NVML, in a helper process under a deadline as all calls of it (nvml_ask.h).
 *
 * Items and their values:
 *	persistence	"on", "off"
 *	power-limit	watts
 *	clocks		"MIN MAX" MHz that the graphics clock is locked between; "free" not locked
 *	memory-clocks	the same for the memory clock
 *	compute-mode	"default", "exclusive-process", "prohibited"
 *	ecc		"on", "off": the mode after the next reset
 *	mig		"on", "off": the mode after the next reset (some GPUs change at once)
 *	mig-layout	GPU instances by their profile names in the order of placement: "3g.40gb 2g.20gb", each with one
 *compute instance of its whole size; "" none
 */
#ifndef PIT_HOST_NVML_SET_H
#define PIT_HOST_NVML_SET_H

#include "base/buf.h"
#include "host/root.h"

/* What the item is set to, from what NVML said (the fact "nvml"); for what NVML cannot be asked (locked clocks) what it
 * can say. -ENODEV no such GPU, -EOPNOTSUPP it has no such item. */
int pit_nvml_item(struct pit_root *root, const char *uuid, const char *item, struct pit_buf *out,
		  struct pit_error *err);

/* -EPERM, -EBUSY (in use: processes or instances), -EINVAL (out of range: the range is in `err`), -EOPNOTSUPP,
 * -ETIMEDOUT. */
int pit_nvml_set(const char *uuid, const char *item, const char *value, struct pit_error *err);

#endif
