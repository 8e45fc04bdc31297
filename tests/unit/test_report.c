/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "check/run.h"
#include "report/text.h"

/* STYLE: every row is complete, ids are unique and of one form. */
/* Full stops at the end of a word and of the text; those inside of names and numbers do not count. */
static int count_sentences(const char *text)
{
	int n = 0;

	for (const char *c = text; *c; c++)
		n += *c == '.' && (!c[1] || c[1] == ' ');
	return n;
}

static void rows_are_complete(void **state)
{
	PIT_CATALOG_FOREACH (row) {
		const char *dot = strchr(row->id, '.');

		if (!dot || strncmp(row->id, pit_area_name(row->area), (size_t)(dot - row->id)))
			fail_msg("%s is not named after its area %s", row->id, pit_area_name(row->area));
		for (const char *c = row->id; *c; c++)
			if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && !strchr(".-", *c))
				fail_msg("%s: '%c' does not belong into an id", row->id, *c);
		if (pit_catalog_find(row->id) != row)
			fail_msg("%s stands twice", row->id);
		if (!row->title || !row->why || !row->remedy || !row->source)
			fail_msg("%s lacks a title, why, remedy or source", row->id);
		if (count_sentences(row->why) != 2)
			fail_msg("%s does not say why in two sentences", row->id);
		if (row->otherwise != PIT_WARN && row->otherwise != PIT_FAIL)
			fail_msg("%s has no verdict for when it is not satisfied", row->id);
		if (!row->probe && (!row->path || row->op == PIT_OP_NONE))
			fail_msg("%s needs a probe, or a path and an operator", row->id);
		if (!row->probe && !row->want && row->op != PIT_OP_EXISTS && row->op != PIT_OP_ABSENT)
			fail_msg("%s wants nothing", row->id);
	}
}

static void there_are_enough(void **state)
{
	assert_true(pit_catalog_count() >= 150);
}

static void selects_rows(void **state)
{
	const struct pit_check *row = pit_catalog_find("memory.swappiness");
	struct pit_selection s = {0};
	struct pit_error err = PIT_ERROR_INIT;

	assert_non_null(row);
	assert_true(pit_selection_has(&s, row));
	assert_int_equal(pit_selection_add(&s.only, "memory,cpu.*", NULL), 0);
	assert_true(pit_selection_has(&s, row));
	assert_int_equal(pit_selection_add(&s.skip, "memory.swap*", NULL), 0);
	assert_false(pit_selection_has(&s, row));
	assert_int_equal(pit_selection_add(&s.only, "memory.swapiness", &err), -ENOENT);
	assert_non_null(strstr(err.text, "near: memory.swap"));
	pit_strv_free(&s.only);
	pit_strv_free(&s.skip);
}

static const struct {
	const char *text;
	int rc;
	const char *why;
} waivers[] = {
	{"", 0, ""},
	{"# comment\n\nmemory.swappiness 2027-01-31 batch nodes keep it\n", 0, ""},
	{"memory.swappiness 2027-01-31 x", 0, ""},
	{"memory.swappiness 2027-01-31\n", -EBADMSG, "line 1: 'memory.swappiness 2027-01-31' is not"},
	{"\nmemory.swappiness soon because\n", -EBADMSG, "line 2: 'soon' is not a day"},
	{"memory.swappiness 2027-13-01 x\n", -EBADMSG, "is not a day"},
	{"memory.nothing 2027-01-01 x\n", -EBADMSG, "no check is named 'memory.nothing'"},
};

static void reads_waivers(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(waivers); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_waivers w = {0};

		assert_int_equal(pit_waivers_parse(waivers[i].text, "2026-12-01", &w, &err), waivers[i].rc);
		assert_non_null(strstr(err.text, waivers[i].why));
		pit_waivers_free(&w);
	}
}

static void waivers_expire(void **state)
{
	struct pit_waivers w = {0};

	assert_int_equal(pit_waivers_parse("memory.swappiness 2026-11-30 a\nmemory.swappiness 2026-12-01 b\n",
					   "2026-12-01", &w, NULL),
			 0);
	assert_true(w.item[0].expired);
	assert_false(w.item[1].expired);
	pit_waivers_free(&w);
}

/* Names from a recording are a stranger's words; the command is there to be pasted. */
static void commands_are_safe_to_paste(void **state)
{
	struct pit_check row = {.id = "a.b"};
	struct pit_finding f = {.check = &row};

	pit_command(&f, "chmod 600 '%s'", "/home/a b/.netrc");
	assert_string_equal(f.command, "chmod 600 '/home/a b/.netrc'");
	pit_command(&f, "chmod 600 '%s'", "/home/a'; reboot '");
	assert_null(f.command);
	pit_command(&f, "ip link set dev %s mtu 9000", "eth0;reboot");
	assert_null(f.command);
	pit_command(&f, "ip link set dev %s mtu 9000", "eth0\nreboot");
	assert_null(f.command);
	pit_command(&f, "echo %d > %s", 1, "/sys/block/$(reboot)/queue/x");
	assert_null(f.command);
	pit_command(&f, "echo %d > %s", 1, "/sys/block/sda/queue/x");
	assert_string_equal(f.command, "echo 1 > /sys/block/sda/queue/x");
	pit_finding_clear(&f);
}

static void wraps_text(void **state)
{
	struct pit_buf out = PIT_BUF_INIT;
	struct pit_page page = {.out = &out, .width = 20};

	pit_page_wrap(&page, 4, "ab", "one two three four\tfive");
	assert_string_equal(out.data, "ab  one two three\n    four five\n");
	pit_buf_clear(&out);
	pit_page_wrap(&page, 2, NULL, "a\033[31mred averylongwordthatdoesnotfitatall x");
	assert_string_equal(out.data, "  a?[31mred\n  averylongwordthatdoesnotfitatall\n  x\n");
	pit_buf_clear(&out);
	pit_page_wrap(&page, 0, NULL,
		      "\xc2\x9b"
		      "31m \xff\xe2\x80 \xe2\x80\xae"
		      "b \xc3\xa9\xe2\x82\xac");
	assert_string_equal(out.data, "?31m ?? ?b \xc3\xa9\xe2\x82\xac\n");
	pit_buf_clear(&out);
	pit_page_part(&page, "why", "it is so");
	pit_page_part(&page, "", "or");
	pit_page_part(&page, "fix", NULL);
	pit_page_part(&page, "fix", "");
	assert_string_equal(out.data, "      why     it is\n              so\n              or\n");
	pit_buf_clear(&out);
	pit_page_clip(&out,
		      "\xc3\xa9\x1b"
		      "bcd",
		      4);
	assert_string_equal(out.data, "\xc3\xa9?bc");
	pit_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete), cmocka_unit_test(there_are_enough),
		cmocka_unit_test(selects_rows),      cmocka_unit_test(reads_waivers),
		cmocka_unit_test(waivers_expire),    cmocka_unit_test(commands_are_safe_to_paste),
		cmocka_unit_test(wraps_text),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
