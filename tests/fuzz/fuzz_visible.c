/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "launch/visible.h"

/* No entry is empty or negative, and none of them twice. */
static void check(const struct pit_visible_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if ((l->item[i].kind == PIT_VISIBLE_INDEX) != (l->item[i].index >= 0) || !*l->item[i].text)
			abort();
		for (size_t k = 0; k < i; k++)
			if (!strcmp(l->item[i].text, l->item[k].text))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct pit_visible_list l = {0};

	if (!pit_visible_parse(text, &l, NULL))
		check(&l);
	pit_visible_free(&l);
	if (!pit_visible_parse_strict(text, &l, NULL))
		check(&l);
	pit_visible_free(&l);
	free(text);
	return 0;
}
