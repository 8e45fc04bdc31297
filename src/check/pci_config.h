/* SPDX-License-Identifier: MIT
 *
 * PCI configuration space as the file `config` shows it: 64 bytes to users, 256 or 4096 to root. Layouts: PCI Express
 * Base Specification; offsets as in linux/pci_regs.h.
 */
#ifndef PIT_CHECK_PCI_CONFIG_H
#define PIT_CHECK_PCI_CONFIG_H

#include "host/root.h"

/* Offset of capability `id` in *ret. -ENOENT it has none; -EPERM only the first 64 bytes are there; -EBADMSG the list
 * makes no sense. */
int pit_config_capability(const struct pit_text *config, unsigned id, size_t *ret);
int pit_config_extended(const struct pit_text *config, unsigned id, size_t *ret); /* the same, in the extended space */

/* 16 or 32 bits at `offset`; 0 beyond the end. */
unsigned pit_config_u16(const struct pit_text *config, size_t offset);
unsigned pit_config_u32(const struct pit_text *config, size_t offset);

#define PIT_CAP_EXPRESS 0x10
#define PIT_EXPRESS_DEVCAP 4
#define PIT_EXPRESS_DEVCTL 8
#define PIT_EXT_ACS 0x0d
#define PIT_ACS_CONTROL 6
#define PIT_ACS_REDIRECT 0x1c /* request redirect, completion redirect, upstream forwarding: peers go by the root */

/* Bytes of largest payload that the device can take and that is set, and of largest read request. */
unsigned pit_express_payload_max(unsigned devcap);
unsigned pit_express_payload(unsigned devctl);
unsigned pit_express_read_request(unsigned devctl);
bool pit_express_relaxed(unsigned devctl);

#endif
