/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "base/idset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_idset a = {0}, b = {0}, c = {0};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	if (!pit_idset_parse(text, &a, NULL)) {
		pit_idset_print(&a, &out);
		if (pit_idset_parse(out.data, &c, NULL) || !pit_idset_equal(&a, &c))
			abort(); /* what is printed reads back the same */
	}
	(void)pit_idset_parse_mask(text, &b, NULL);
	pit_idset_free(&a);
	pit_idset_free(&b);
	pit_idset_free(&c);
	free(text);
	return 0;
}
