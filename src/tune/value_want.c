/* SPDX-License-Identifier: MIT
 *
 * What the expressions of profiles mean: "10", ">=4096", "64M", "5% memory".
 */
#include "tune/value.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"

#define BLANKS " \t\n\v\f\r"

/* The size after the word `word`; `rest` moves behind it. Without that word `ret` stays. */
static int parse_bound(const char **rest, const char *word, uint64_t *ret)
{
	size_t len = strlen(word);
	char size[32];
	int end = 0;

	*rest += strspn(*rest, BLANKS);
	if (strncmp(*rest, word, len) != 0)
		return 0;
	if (sscanf(*rest + len, "%31s%n", size, &end) != 1 || pit_parse_size(size, ret) || !*ret)
		return -EINVAL;
	*rest += len + (size_t)end;
	*rest += strspn(*rest, BLANKS);
	return 0;
}

/* The bounds of "5% memory from 256M up to 4G" in bytes. */
static int parse_bounds(const char *rest, uint64_t *ret_least, uint64_t *ret_most)
{
	*ret_least = 0;
	*ret_most = UINT64_MAX;
	return parse_bound(&rest, "from ", ret_least) || parse_bound(&rest, "up to ", ret_most) || *rest ? -EINVAL : 0;
}

/* "5% memory" in bytes. 1 it is; 2 it is, and comes to less than its "from"; 0 it is something else; -errno. */
static int of_memory(const char *text, uint64_t memory, struct pit_buf *out, struct pit_error *err)
{
	const char *percent = strchr(text, '%'), *rest = percent ? percent + 1 : "";
	uint64_t bytes, least, most;
	char number[32];
	double share;

	rest += strspn(rest, BLANKS);
	if (strncmp(rest, "memory", 6) != 0)
		return 0;
	if (parse_bounds(rest + 6, &least, &most))
		return pit_fail(err, EINVAL, "'%.80s': after 'memory' only 'from SIZE' and 'up to SIZE' may come",
				text);
	snprintf(number, sizeof(number), "%.*s", (int)(percent - text), text);
	if (pit_parse_double(number, &share) || !(share > 0 && share <= 100))
		return pit_fail(err, EINVAL, "'%.80s': the share of the memory goes up to 100%%", text);
	if (!memory)
		return pit_fail(err, ENODATA, "'%.80s': this machine does not say how much memory it has", text);
	bytes = (uint64_t)((double)memory / 100 * share);
	pit_buf_printf(out, "%" PRIu64, bytes < most ? bytes : most);
	return bytes < least ? 2 : 1;
}

/* One number, or a size such as "64M" as bytes. */
static bool print_size(const char *word, struct pit_buf *out)
{
	uint64_t bytes;

	if (!pit_value_canon(PIT_VALUE_INT, word, out, NULL))
		return true;
	if (!strpbrk(word, "kKmMgGtT") || pit_parse_size(word, &bytes))
		return false;
	pit_buf_printf(out, "%" PRIu64, bytes);
	return true;
}

/* Words with sizes as bytes; words that are no numbers stay, unless all must be numbers. */
static int print_words(const char *text, bool numbers, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};

	if (pit_strv_split(&words, text, BLANKS))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < words.count; i++) {
		if (i)
			pit_buf_putc(out, ' ');
		if (print_size(words.item[i], out))
			continue;
		if (numbers)
			return pit_fail(err, EINVAL, "'%.80s' is not a number", words.item[i]);
		pit_buf_puts(out, words.item[i]);
	}
	return words.count ? 0 : pit_fail(err, EINVAL, "an empty value");
}

/* 1: it is a share of memory that comes to less than it may. */
static int print_wanted(enum pit_value_kind kind, const char *text, bool numbers, uint64_t memory, struct pit_buf *out,
			struct pit_error *err)
{
	bool may_be_size = kind == PIT_VALUE_INT || kind == PIT_VALUE_WORDS;
	int rc = may_be_size ? of_memory(text, memory, out, err) : 0;

	if (rc)
		return rc > 0 ? rc - 1 : rc;
	if (kind == PIT_VALUE_INT && print_size(text, out))
		return 0;
	if (kind == PIT_VALUE_WORDS)
		return print_words(text, numbers, out, err);
	rc = pit_value_canon(kind, text, out, err);
	if (rc == -EBADMSG && err)
		err->code = EINVAL;
	return rc == -EBADMSG ? -EINVAL : rc;
}

/* True when number `a` is above number `b`; both are canonical. */
static bool is_above(const char *a, const char *b)
{
	bool a_negative = *a == '-', b_negative = *b == '-';
	size_t a_len = strlen(a), b_len = strlen(b);
	int order = a_len != b_len ? (a_len > b_len ? 1 : -1) : strcmp(a, b);

	if (a_negative != b_negative)
		return b_negative;
	return a_negative ? order < 0 : order > 0;
}

/* Each word of `now` where it is on the right side of that of `bound`, else the bound's. */
static int print_bounded(const char *now, bool least, const char *bound, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	pit_auto_strv struct pit_strv have = {0}, want = {0};
	int rc = print_words(now, true, &text, NULL);

	if (rc)
		return pit_fail(err, EBADMSG, "'%.80s', which is there now, is no number to compare with '%.80s'", now,
				bound);
	rc = pit_strv_split(&have, text.data, " ");
	rc = rc ? rc : pit_strv_split(&want, bound, " ");
	if (rc)
		return pit_fail(err, ENOMEM, "out of memory");
	if (have.count != want.count)
		return pit_fail(err, EINVAL, "%zu numbers are wanted ('%.80s') where there are %zu ('%.80s')",
				want.count, bound, have.count, now);
	for (size_t i = 0; i < have.count; i++) {
		const char *h = have.item[i], *w = want.item[i];

		pit_buf_printf(out, "%s%s", i ? " " : "", (least ? is_above(h, w) : is_above(w, h)) ? h : w);
	}
	return 0;
}

/* "  text  " without the blanks around it. */
static char *trimmed(const char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		len--;
	return strndup(text, len);
}

/* "X instead of Y": X when `current` is Y or nothing, else what is there. 1: `text` is no such expression. */
static int print_instead(enum pit_value_kind kind, char *text, const char *current, uint64_t memory,
			 struct pit_buf *out, struct pit_error *err)
{
	char *word = kind == PIT_VALUE_INT ? strstr(text, " instead of ") : NULL;
	pit_auto_buf struct pit_buf wanted = PIT_BUF_INIT, replaced = PIT_BUF_INIT;
	int rc;

	if (!word)
		return 1;
	*word = '\0';
	rc = print_wanted(kind, text, true, memory, &wanted, err);
	rc = rc < 0 ? rc : print_wanted(kind, word + strlen(" instead of "), true, memory, &replaced, err);
	if (rc < 0)
		return rc;
	if (!current || pit_value_equal(kind, current, replaced.data))
		pit_buf_puts(out, wanted.data);
	else if (pit_value_canon(kind, current, out, NULL))
		return pit_fail(err, EBADMSG, "'%.80s', which is there now, is no number", current);
	return wanted.failed || replaced.failed ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

int pit_value_want(enum pit_value_kind kind, const char *expression, const char *current, uint64_t memory,
		   struct pit_buf *out, struct pit_error *err)
{
	pit_auto_buf struct pit_buf wanted = PIT_BUF_INIT;
	pit_auto_free char *text = kind == PIT_VALUE_TEXT ? strdup(expression) : trimmed(expression);
	bool numbers = kind == PIT_VALUE_INT || kind == PIT_VALUE_WORDS, least, bounded;
	int rc;

	if (!text)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = print_instead(kind, text, current, memory, out, err);
	if (rc <= 0)
		return !rc && out->failed ? pit_fail(err, ENOMEM, "out of memory") : rc;
	least = numbers && !strncmp(text, ">=", 2);
	bounded = least || (numbers && !strncmp(text, "<=", 2));
	rc = print_wanted(kind, bounded ? text + 2 + strspn(text + 2, BLANKS) : text, bounded, memory, &wanted, err);
	if (rc > 0 && current) /* the share is too little: what is there stays */
		return pit_value_canon(kind, current, out, err);
	rc = rc > 0 ? 0 : rc;
	if (!rc && bounded && current)
		rc = print_bounded(current, least, wanted.data, out, err);
	else if (!rc)
		pit_buf_puts(out, wanted.data);
	return !rc && (out->failed || wanted.failed) ? pit_fail(err, ENOMEM, "out of memory") : rc;
}
