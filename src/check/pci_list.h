/* SPDX-License-Identifier: MIT
 *
 * PCI functions as /sys/bus/pci/devices lists them.
 */
#ifndef PIT_CHECK_PCI_LIST_H
#define PIT_CHECK_PCI_LIST_H

#include <stdbool.h>

#include "base/strv.h"
#include "host/root.h"

#define PIT_PCI_NVIDIA 0x10deu
#define PIT_PCI_AMD 0x1002u
#define PIT_PCI_INTEL 0x8086u
#define PIT_PCI_GONE 0xffffu

struct pit_pci {
	char address[24]; /* "0000:65:00.0" */
	unsigned vendor, device;
	unsigned cls; /* 24 bits; 0 unknown */
};

struct pit_pcis {
	struct pit_pci *item; /* in order of address */
	size_t count;
};
int pit_pcis_load(struct pit_root *root, struct pit_pcis *ret, struct pit_error *err); /* -ENOENT: no PCI here */
void pit_pcis_free(struct pit_pcis *p);
#define pit_auto_pcis PIT_CLEANUP(pit_pcis_free)

bool pit_pci_is_gpu(const struct pit_pci *d, unsigned vendor); /* vendor 0: NVIDIA, AMD or Intel */
bool pit_pci_is_nic(const struct pit_pci *d);                  /* Ethernet or InfiniBand */
bool pit_pci_is_nvme(const struct pit_pci *d);
bool pit_pci_is_nvswitch(const struct pit_pci *d); /* NVIDIA's */
size_t pit_pcis_count_gpus(const struct pit_pcis *p, unsigned vendor);

/* Name of the bound driver in `ret`; "" none. */
void pit_pci_driver(struct pit_root *root, const struct pit_pci *d, char *ret, size_t size);

/* Addresses of the bridges above, from the root port down; empty: none or unknown. 0 or -errno. */
int pit_pci_above(struct pit_root *root, const char *address, struct pit_strv *ret);

/* "GPU 0000:65:00.0", "NIC ...", "NVMe ...", "bridge ...", "device ...". */
const char *pit_pci_label(const struct pit_pci *d, char *ret, size_t size);

#endif
