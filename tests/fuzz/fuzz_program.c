/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "launch/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pit_program p;

	pit_program_parse(data, size, &p);
	if (strlen(p.interpreter) >= sizeof(p.interpreter))
		abort();
	return 0;
}
