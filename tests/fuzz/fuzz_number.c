/* SPDX-License-Identifier: MIT
 *
 * What commands print: the number of a line.
 */
#include <math.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "tune/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pit_auto_free char *text = fuzz_text(data, size);
	struct pit_pattern *p = NULL;
	double value = 0;
	char why[64];

	if (!text)
		return 0;
	if (!pit_number_read(text, &value) && isnan(value))
		abort();
	if (!pit_pattern_new("rate", &p, why, sizeof(why)))
		(void)pit_pattern_find(p, text, &value);
	pit_pattern_free(p);
	return 0;
}
