/* SPDX-License-Identifier: MIT */
#include "fuzz.h"
#include "tune/value.h"

/* What is canonical stays as it is, and says the same as what it was made from. */
static void check(enum pit_value_kind kind, const char *text)
{
	struct pit_buf once = PIT_BUF_INIT, twice = PIT_BUF_INIT;

	if (!pit_value_canon(kind, text, &once, NULL)) {
		if (pit_value_canon(kind, once.data, &twice, NULL) || strcmp(once.data, twice.data) != 0)
			abort();
		if (!pit_value_equal(kind, text, once.data) || !pit_value_equal(kind, once.data, text))
			abort();
	} else if (once.len) {
		abort();
	}
	pit_buf_free(&once);
	pit_buf_free(&twice);
}

/* What is wanted is a value, and it is what is wanted when it is there. */
static void check_want(enum pit_value_kind kind, const char *expression, const char *current)
{
	struct pit_buf want = PIT_BUF_INIT, again = PIT_BUF_INIT;

	if (!pit_value_want(kind, expression, current, UINT64_C(1) << 36, &want, NULL)) {
		check(kind, want.data);
		if (pit_value_want(kind, expression, want.data, UINT64_C(1) << 36, &again, NULL) ||
		    !pit_value_equal(kind, want.data, again.data))
			abort();
	}
	pit_buf_free(&want);
	pit_buf_free(&again);
}

/* First byte: the kind. Then two texts, between them a NUL byte when there is one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum pit_value_kind kind = size ? data[0] % (PIT_VALUE_TEXT + 1) : PIT_VALUE_INT;
	char *first = fuzz_text(data + (size > 0), size - (size > 0)), *second = first;

	if (strlen(first) + 1 < size)
		second = first + strlen(first) + 1;
	check(kind, first);
	check(kind, second);
	if (pit_value_equal(kind, first, second) != pit_value_equal(kind, second, first))
		abort();
	check_want(kind, first, NULL);
	check_want(kind, first, second);
	free(first);
	return 0;
}
