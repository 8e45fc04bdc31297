/* SPDX-License-Identifier: MIT */
#include "pitcrew/pitcrew.h"

const char *pit_version(void)
{
	return PITCREW_VERSION;
}
