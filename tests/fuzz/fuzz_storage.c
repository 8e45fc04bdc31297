/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "check/access.h"
#include "check/storage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_md md[PIT_MD_MAX];
	struct pit_fstab entry;
	const char *at = text;
	struct pit_acl acl;

	(void)pit_acl_parse(data, size, &acl);
	(void)pit_mdstat_parse(text, md);
	while (pit_fstab_next(&at, &entry))
		;
	free(text);
	return 0;
}
