/* SPDX-License-Identifier: MIT */
#include "feed/order.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), again[600], third[600];
	struct pit_position p, q;

	if (!pit_position_parse(text, &p, NULL)) {
		if (p.consumed > p.order.count || (p.order.shuffle == PIT_SHUFFLE_BLOCKS && !p.order.block))
			abort();
		if (pit_position_text(&p, again, sizeof(again)) >= (int)sizeof(again) ||
		    pit_position_parse(again, &q, NULL))
			abort();
		pit_position_text(&q, third, sizeof(third));
		if (strcmp(again, third))
			abort();
		if (p.order.count && pit_order_sample(&p.order, p.order.count - 1) >= p.order.count)
			abort();
	}
	free(text);
	return 0;
}
