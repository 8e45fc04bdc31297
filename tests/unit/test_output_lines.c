/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "launch/output_lines.h"

/* Lines come out as "<...>". */
static void show(void *arg, const char *text, size_t len)
{
	pit_buf_putc(arg, '<');
	pit_buf_add(arg, text, len);
	pit_buf_putc(arg, '>');
}

/* What comes at a time, in ms, and what has come out after it. `text` NULL: nothing has come for a while. */
struct piece {
	int ms;
	const char *text, *out;
};

static const struct {
	const char *name;
	struct piece piece[8];
	const char *end; /* what comes out at the end */
} streams[] = {
	{.name = "whole lines", .piece = {{.text = "a\nb\n", .out = "<a><b>"}}, .end = ""},
	{.name = "in pieces",
	 .piece = {{.text = "a", .out = ""}, {.text = "b\nc", .out = "<ab>"}, {.text = "d", .out = ""}},
	 .end = "<cd>"},
	{.name = "empty lines", .piece = {{.text = "\n\na\n", .out = "<><><a>"}}, .end = ""},
	{.name = "CR LF", .piece = {{.text = "a\r\nb\r\n\r\nc\r\n", .out = "<a><b><><c>"}}, .end = ""},
	{.name = "CR LF in pieces",
	 .piece = {{.text = "a\r", .out = "<a>"}, {.text = "\nb\r", .out = ""}, {.text = "\n", .out = "<b>"}},
	 .end = ""},
	{.name = "a bar that is too fast",
	 .piece = {{.text = "\r1", .out = ""},
		   {.ms = 10, .text = "\r2", .out = "<1>"},
		   {.ms = 20, .text = "\r3\r4", .out = ""},
		   {.ms = 509, .text = "\r5", .out = ""},
		   {.ms = 510, .text = "\r6", .out = "<5>"},
		   {.ms = 530, .text = "\r7\n", .out = "<7>"},
		   {.ms = 540, .text = "done\n", .out = "<done>"}},
	 .end = ""},
	{.name = "a bar that rests",
	 .piece = {{.text = "\r1", .out = ""},
		   {.ms = 500, .out = "<1>"},
		   {.ms = 1000, .out = ""},
		   {.ms = 1001, .text = "\r", .out = ""},
		   {.ms = 1500, .out = ""},
		   {.ms = 1600, .text = "\r2\r", .out = "<2>"},
		   {.ms = 1700, .text = "\n", .out = ""}},
	 .end = ""},
	{.name = "a bar that rests while it is written",
	 .piece = {{.text = "\r10%|", .out = ""},
		   {.ms = 500, .out = "<10%|>"},
		   {.ms = 510, .text = "##", .out = ""},
		   {.ms = 520, .text = "\n", .out = "<10%|##>"}},
	 .end = ""},
	{.name = "lines between, as tqdm.write() has it",
	 .piece = {{.text = "\r1", .out = ""},
		   {.ms = 10, .text = "\r2", .out = "<1>"},
		   {.ms = 20, .text = "\r  \rnews\n\r2", .out = "<news>"},
		   {.ms = 30, .text = "\r  \r", .out = ""}},
	 .end = "<2>"},
	{.name = "the last state always", .piece = {{.text = "\r1\r2\r3", .out = "<1>"}}, .end = "<3>"},
	{.name = "a state that ends in CR", .piece = {{.text = "1\r2\r3\r", .out = "<1>"}}, .end = "<3>"},
	{.name = "a lone CR", .piece = {{.text = "\r", .out = ""}}, .end = ""},
	{.name = "bytes of any kind",
	 .piece = {{.text = "\x01\xff\x80\x1b[31m\n", .out = "<\x01\xff\x80\x1b[31m>"}},
	 .end = ""},
	{.name = "a line without end does not rest",
	 .piece = {{.text = "a", .out = ""}, {.ms = 900, .out = ""}},
	 .end = "<a>"},
};

static void feed(struct pit_lines *l, const struct piece *p, struct pit_buf *out)
{
	if (p->text)
		pit_lines_add(l, p->text, strlen(p->text), p->ms * PIT_MS, show, out);
	else
		pit_lines_rest(l, p->ms * PIT_MS, show, out);
}

static void makes_lines(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(streams); i++) {
		struct pit_lines l = PIT_LINES_INIT;
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		for (size_t k = 0; k < 8 && streams[i].piece[k].out; k++) {
			feed(&l, &streams[i].piece[k], &out);
			if (strcmp(out.data, streams[i].piece[k].out) != 0)
				fail_msg("%s, piece %zu: %s", streams[i].name, k, out.data);
			pit_buf_clear(&out);
		}
		pit_lines_end(&l, show, &out);
		if (strcmp(out.data, streams[i].end) != 0)
			fail_msg("%s, at the end: %s", streams[i].name, out.data);
	}
}

static void says_when_a_state_waits(void **state)
{
	struct pit_lines l = PIT_LINES_INIT;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_lines_add(&l, "plain", 5, 0, show, &out);
	assert_false(pit_lines_waits(&l));
	pit_lines_add(&l, "\n\r1", 3, 0, show, &out);
	assert_true(pit_lines_waits(&l));
	pit_lines_rest(&l, 0, show, &out);
	assert_false(pit_lines_waits(&l));
	pit_lines_add(&l, "\r2\r", 3, 0, show, &out);
	assert_true(pit_lines_waits(&l));
	pit_lines_add(&l, "\n", 1, 0, show, &out);
	assert_false(pit_lines_waits(&l));
	assert_string_equal(out.data, "<plain><1><2>");
	pit_lines_end(&l, show, &out);
}

static void count(void *arg, const char *text, size_t len)
{
	struct pit_buf *all = arg;

	assert_true(len <= PIT_LINES_LONGEST);
	pit_buf_add(all, text, len);
	pit_buf_putc(all, '\n');
}

static void parts_long_lines(void **state)
{
	struct pit_lines l = PIT_LINES_INIT;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT, in = PIT_BUF_INIT;

	for (int i = 0; i < 3 * PIT_LINES_LONGEST; i++)
		pit_buf_putc(&in, (char)('a' + i % 26));
	pit_lines_add(&l, in.data, in.len, 0, count, &out);
	pit_lines_add(&l, "\n", 1, 0, count, &out);
	assert_int_equal(out.len, in.len + 3);
	assert_memory_equal(out.data, in.data, PIT_LINES_LONGEST);
	assert_int_equal(out.data[PIT_LINES_LONGEST], '\n');
	pit_lines_end(&l, count, &out);
}

static void parts_between_characters(void **state)
{
	struct pit_lines l = PIT_LINES_INIT;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT, in = PIT_BUF_INIT;
	size_t whole = 0;

	pit_buf_putc(&in, 'x');
	while (in.len < 3 * PIT_LINES_LONGEST)
		pit_buf_puts(&in, "\xe2\x82\xac");
	pit_lines_add(&l, in.data, in.len, 0, count, &out);
	pit_lines_end(&l, count, &out);
	for (const char *at = out.data; (at = strchr(at, '\n')); at++, whole++)
		assert_int_equal((unsigned char)at[-1], 0xac);
	assert_true(whole >= 3);
}

/* In whichever pieces the bytes come, the same lines come out. */
static void does_not_mind_the_pieces(void **state)
{
	static const char letters[] = "ab\n\n\r \xe2\x82\xac";

	srand(2);
	for (int round = 0; round < 2000; round++) {
		struct pit_lines once = PIT_LINES_INIT, pieces = PIT_LINES_INIT;
		pit_auto_buf struct pit_buf a = PIT_BUF_INIT, b = PIT_BUF_INIT;
		char text[200];

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = letters[(size_t)rand() % (sizeof(letters) - 1)];
		pit_lines_add(&once, text, sizeof(text), 0, show, &a);
		for (size_t at = 0, n; at < sizeof(text); at += n) {
			n = 1 + (size_t)rand() % 9;
			n = n < sizeof(text) - at ? n : sizeof(text) - at;
			pit_lines_add(&pieces, text + at, n, 0, show, &b);
		}
		pit_lines_end(&once, show, &a);
		pit_lines_end(&pieces, show, &b);
		assert_string_equal(a.data, b.data);
	}
}

static const struct {
	const char *text;
	bool cut;
	int most;
	const char *last;
} lasts[] = {
	{.text = "", .most = 3, .last = ""},
	{.text = "\n\n", .most = 3, .last = ""},
	{.text = "a", .most = 3, .last = "a\n"},
	{.text = "a\nb\n\nc\n", .most = 2, .last = "b\nc\n"},
	{.text = "a\nb\nc", .most = 2, .last = "b\nc\n"},
	{.text = "\na\n", .most = 2, .last = "a\n"},
	{.text = "a\r\nb\r\n", .most = 5, .last = "a\nb\n"},
	{.text = "\r1%\r2%\r3%\nend\n", .most = 5, .last = "3%\nend\n"},
	{.text = "\r1%\r2%\r   \r", .most = 5, .last = "2%\n"},
	{.text = "half\na\nb\n", .cut = true, .most = 5, .last = "a\nb\n"},
	{.text = "half\na\nb\n", .cut = true, .most = 1, .last = "b\n"},
	{.text = "half\r9%", .cut = true, .most = 5, .last = "9%\n"},
	{.text = "a\n", .most = 0, .last = ""},
};

static void finds_the_last_lines(void **state)
{
	pit_auto_buf struct pit_buf nul = PIT_BUF_INIT;

	for (size_t i = 0; i < PIT_COUNT(lasts); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		pit_lines_last(lasts[i].text, strlen(lasts[i].text), lasts[i].cut, lasts[i].most, &out);
		if (strcmp(out.data, lasts[i].last) != 0)
			fail_msg("row %zu: %s", i, out.data);
	}
	pit_lines_last("a\0b\n", 4, false, 1, &nul);
	assert_string_equal(nul.data, "a?b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_lines),
		cmocka_unit_test(says_when_a_state_waits),
		cmocka_unit_test(parts_long_lines),
		cmocka_unit_test(parts_between_characters),
		cmocka_unit_test(does_not_mind_the_pieces),
		cmocka_unit_test(finds_the_last_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
