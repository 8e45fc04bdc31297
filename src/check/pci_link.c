/* SPDX-License-Identifier: MIT */
#include "check/catalog.h"
#include "check/facts.h"

const struct pit_check pit_check_pci_link[] = {
	{.id = NULL},
};
