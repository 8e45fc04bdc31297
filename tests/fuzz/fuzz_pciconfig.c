/* SPDX-License-Identifier: MIT
 *
 * Configuration space of a PCI device; the first byte chooses the capability.
 */
#include "check/pci_config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pit_text config = {.data = (const char *)data + 1, .len = size - 1};
	size_t at;

	if (!size)
		return 0;
	if (!pit_config_capability(&config, data[0], &at))
		(void)pit_config_u32(&config, at + PIT_EXPRESS_DEVCAP);
	if (!pit_config_extended(&config, data[0], &at))
		(void)pit_config_u16(&config, at + PIT_ACS_CONTROL);
	return 0;
}
