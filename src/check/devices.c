/* SPDX-License-Identifier: MIT */
#include "check/devices.h"

#include <string.h>

const char *pit_device_label(const struct pit_device *d)
{
	return d->handle[0] ? d->handle : d->pci;
}

bool pit_device_is_repeated(const struct pit_topo *topo, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!strcmp(topo->device[i].pci, topo->device[at].pci))
			return true;
	return false;
}

bool pit_gpu_is_integrated(struct pit_facts *f, const struct pit_device *d)
{
	uint64_t own;

	if (d->cls != PIT_DEVICE_GPU || d->pci_class >> 8 != 0x0300)
		return false;
	if (d->vendor == 0x8086)
		return !strcmp(d->pci, "0000:00:02.0");
	return d->vendor == 0x1002 &&
	       !pit_root_u64(pit_facts_root(f), &own, "/sys/bus/pci/devices/%s/mem_info_vram_total", d->pci) &&
	       own < UINT64_C(4) << 30;
}

int pit_gpu_count(struct pit_facts *f)
{
	const struct pit_topo *topo;
	const json_t *nvml;
	int pci = -1, answered = -1;

	if (!pit_facts_topo(f, &topo, NULL) && topo->pci_known)
		pci = 0;
	for (size_t i = 0; pci >= 0 && i < topo->devices; i++)
		pci += topo->device[i].cls == PIT_DEVICE_GPU && !pit_gpu_is_integrated(f, &topo->device[i]);
	if (!pit_facts_nvml(f, &nvml, NULL))
		answered = (int)json_array_size(json_object_get(nvml, "gpus"));
	return pci > answered ? pci : answered;
}
