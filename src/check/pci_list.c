/* SPDX-License-Identifier: MIT */
#include "check/pci_list.h"

#include "base/path.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_address(const char *text)
{
	unsigned domain, bus, device, function;
	int end = 0;

	return sscanf(text, "%x:%x:%x.%x%n", &domain, &bus, &device, &function, &end) == 4 && end && !text[end];
}

static void read_one(struct pit_root *root, const char *address, struct pit_pci *ret)
{
	uint64_t value;

	snprintf(ret->address, sizeof(ret->address), "%s", address);
	if (!pit_root_hex(root, &value, "/sys/bus/pci/devices/%s/vendor", address))
		ret->vendor = (unsigned)value;
	if (!pit_root_hex(root, &value, "/sys/bus/pci/devices/%s/device", address))
		ret->device = (unsigned)value;
	if (!pit_root_hex(root, &value, "/sys/bus/pci/devices/%s/class", address))
		ret->cls = (unsigned)value & 0xffffff;
}

int pit_pcis_load(struct pit_root *root, struct pit_pcis *ret, struct pit_error *err)
{
	const struct pit_strv *names;
	struct pit_pcis p = {0};
	int rc = pit_root_list(root, &names, "/sys/bus/pci/devices");

	if (rc)
		return pit_fail(err, -rc, "/sys/bus/pci/devices");
	p.item = calloc(names->count + 1, sizeof(*p.item));
	if (!p.item)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < names->count; i++)
		if (strlen(names->item[i]) < sizeof(p.item->address) && is_address(names->item[i]))
			read_one(root, names->item[i], &p.item[p.count++]);
	*ret = p;
	return 0;
}

void pit_pcis_free(struct pit_pcis *p)
{
	free(p->item);
	*p = (struct pit_pcis){0};
}

/* Display controllers, and accelerators without a display. */
bool pit_pci_is_gpu(const struct pit_pci *d, unsigned vendor)
{
	if (vendor ? d->vendor != vendor
		   : d->vendor != PIT_PCI_NVIDIA && d->vendor != PIT_PCI_AMD && d->vendor != PIT_PCI_INTEL)
		return false;
	return d->cls >> 16 == 0x03 || (d->cls >> 8 == 0x1200 && d->vendor != PIT_PCI_INTEL);
}

bool pit_pci_is_nic(const struct pit_pci *d)
{
	return d->cls >> 8 == 0x0200 || d->cls >> 8 == 0x0207;
}

bool pit_pci_is_nvme(const struct pit_pci *d)
{
	return d->cls == 0x010802;
}

static bool is_bridge(const struct pit_pci *d)
{
	return d->cls >> 8 == 0x0604;
}

bool pit_pci_is_nvswitch(const struct pit_pci *d)
{
	return d->vendor == PIT_PCI_NVIDIA && d->cls >> 8 == 0x0680;
}

size_t pit_pcis_count_gpus(const struct pit_pcis *p, unsigned vendor)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++)
		n += pit_pci_is_gpu(&p->item[i], vendor);
	return n;
}

void pit_pci_driver(struct pit_root *root, const struct pit_pci *d, char *ret, size_t size)
{
	const char *target;

	*ret = '\0';
	if (pit_root_link(root, &target, "/sys/bus/pci/devices/%s/driver", d->address))
		return;
	snprintf(ret, size, "%s", pit_base_name(target));
}

int pit_pci_above(struct pit_root *root, const char *address, struct pit_strv *ret)
{
	pit_auto_strv struct pit_strv parts = {0};
	const char *target;
	int rc = pit_root_link(root, &target, "/sys/bus/pci/devices/%s", address);

	if (rc)
		return rc;
	rc = pit_strv_split(&parts, target, "/");
	for (size_t i = 0; i + 1 < parts.count && !rc; i++)
		if (is_address(parts.item[i]))
			rc = pit_strv_add(ret, parts.item[i]);
	return rc;
}

const char *pit_pci_label(const struct pit_pci *d, char *ret, size_t size)
{
	const char *kind = "device";

	if (pit_pci_is_gpu(d, 0))
		kind = "GPU";
	else if (pit_pci_is_nic(d))
		kind = "NIC";
	else if (pit_pci_is_nvme(d))
		kind = "NVMe";
	else if (is_bridge(d))
		kind = "bridge";
	snprintf(ret, size, "%s %s", kind, d->address);
	return ret;
}
