/* SPDX-License-Identifier: MIT */
#include "check/pci_list.h"
