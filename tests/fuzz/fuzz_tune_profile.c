/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "tune/profile.h"

/* The first line is a word for --knob and --only, the rest a profile. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *profile = strchr(text, '\n'), *include = NULL;
	struct pit_profile part = {0}, p = {0};

	if (profile)
		*profile++ = '\0';
	if (!pit_profile_parse(profile ? profile : "", "fuzz.ini", &part, &include, NULL))
		(void)pit_profile_merge(&p, &part);
	(void)pit_profile_add_knob(&p, text, &p, NULL);
	(void)pit_profile_only(&p, text, NULL);
	(void)pit_profile_skip(&p, text, NULL);
	pit_profile_free(&p);
	free(include);
	free(text);
	return 0;
}
