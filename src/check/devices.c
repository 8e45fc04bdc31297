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
