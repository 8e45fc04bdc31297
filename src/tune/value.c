/* SPDX-License-Identifier: MIT */
#include "tune/value.h"

#include <inttypes.h>
#include <string.h>

#include "base/idset.h"
#include "base/parse.h"
#include "base/strv.h"

#define BLANKS " \t\n\v\f\r"

/* A decimal number from -2^63 to 2^64 - 1: the kernel has keys of both kinds. */
struct number {
	bool negative;
	uint64_t size; /* without the sign */
};

static bool parse_number(const char *text, struct number *ret)
{
	int64_t below;

	if (!pit_parse_u64(text, &ret->size)) {
		ret->negative = false;
		return true;
	}
	if (pit_parse_i64(text, &below))
		return false;
	*ret = (struct number){.negative = below < 0, .size = below < 0 ? -(uint64_t)below : (uint64_t)below};
	return true;
}

static void print_number(const struct number *n, struct pit_buf *out)
{
	pit_buf_printf(out, "%s%" PRIu64, n->negative ? "-" : "", n->size);
}

static int no_value(struct pit_error *err, const char *text, const char *what)
{
	return pit_fail(err, EBADMSG, "'%.80s' is not %s", text, what);
}

static int canon_int(const char *text, struct pit_buf *out, struct pit_error *err)
{
	struct number n;

	if (!parse_number(text, &n))
		return no_value(err, text, "a number");
	print_number(&n, out);
	return 0;
}

static int canon_words(const char *text, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	struct number n;

	if (pit_strv_split(&words, text, BLANKS))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < words.count; i++) {
		if (i)
			pit_buf_putc(out, ' ');
		if (parse_number(words.item[i], &n))
			print_number(&n, out);
		else
			pit_buf_puts(out, words.item[i]);
	}
	return 0;
}

/* The word in brackets among others, or the only word. */
static int canon_choice(const char *text, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	const char *chosen = NULL;

	if (pit_strv_split(&words, text, BLANKS))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < words.count; i++) {
		size_t len = strlen(words.item[i]);

		if (len < 3 || words.item[i][0] != '[' || words.item[i][len - 1] != ']')
			continue;
		if (chosen || words.item[i][1] == '[')
			return no_value(err, text, "one choice");
		chosen = words.item[i];
	}
	if (chosen)
		pit_buf_add(out, chosen + 1, strlen(chosen) - 2);
	else if (words.count == 1)
		pit_buf_puts(out, words.item[0]);
	else
		return no_value(err, text, "one choice");
	return 0;
}

static int canon_cpus(const char *text, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_idset struct pit_idset set = {0};

	if (pit_idset_parse(text, &set, NULL))
		return no_value(err, text, "a list of CPUs");
	pit_idset_print(&set, out);
	return 0;
}

/* Words of 32 bits, the highest first, without words of zeros in front. */
static void print_mask(const struct pit_idset *set, struct pit_buf *out)
{
	size_t words = set->words * 2;
	bool begun = false;

	while (words--) {
		uint32_t word = (uint32_t)(set->word[words / 2] >> (words % 2 * 32));

		if (begun)
			pit_buf_printf(out, ",%08" PRIx32, word);
		else if (word)
			pit_buf_printf(out, "%" PRIx32, word);
		begun |= word != 0;
	}
	if (!begun)
		pit_buf_putc(out, '0');
}

static int canon_mask(const char *text, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_idset struct pit_idset set = {0};

	if (!text[strspn(text, BLANKS)] || pit_idset_parse_mask(text, &set, NULL))
		return no_value(err, text, "a mask");
	print_mask(&set, out);
	return 0;
}

static int canon_bool(const char *text, struct pit_buf *out, struct pit_error *err)
{
	bool on;

	if (pit_parse_bool(text, &on))
		return no_value(err, text, "yes or no");
	pit_buf_putc(out, on ? '1' : '0');
	return 0;
}

static int canon_text(const char *text, struct pit_buf *out, struct pit_error *err)
{
	pit_buf_puts(out, text);
	return 0;
}

int pit_value_canon(enum pit_value_kind kind, const char *text, struct pit_buf *out, struct pit_error *err)
{
	static int (*const canon[])(const char *, struct pit_buf *, struct pit_error *) = {
		[PIT_VALUE_INT] = canon_int,   [PIT_VALUE_WORDS] = canon_words, [PIT_VALUE_CHOICE] = canon_choice,
		[PIT_VALUE_CPUS] = canon_cpus, [PIT_VALUE_MASK] = canon_mask,   [PIT_VALUE_BOOL] = canon_bool,
		[PIT_VALUE_TEXT] = canon_text,
	};
	int rc = canon[kind](text, out, err);

	return !rc && out->failed ? pit_fail(err, ENOMEM, "out of memory") : rc;
}

bool pit_value_equal(enum pit_value_kind kind, const char *a, const char *b)
{
	pit_auto_buf struct pit_buf first = PIT_BUF_INIT, second = PIT_BUF_INIT;

	if (!a || !b)
		return a == b;
	if (pit_value_canon(kind, a, &first, NULL) || pit_value_canon(kind, b, &second, NULL))
		return !strcmp(a, b);
	return !strcmp(first.data, second.data);
}
