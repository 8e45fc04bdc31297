/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/kernel.h"

static const struct {
	const char *text;
	const char *all, *normal; /* words joined by blanks */
} grubs[] = {
	{"", "", ""},
	{"GRUB_CMDLINE_LINUX=\"a b=1\"\nGRUB_CMDLINE_LINUX_DEFAULT='quiet'\n", "a b=1", "quiet"},
	{"GRUB_CMDLINE_LINUX=a\nGRUB_CMDLINE_LINUX=\"c\"", "c", ""},
	{"GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX b\"\n", "a b", ""},
	{"GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX=\"${GRUB_CMDLINE_LINUX} b\"\n", "a b", ""},
	{"GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX=\" ${TUNED_BOOT_CMDLINE}\"\n", "", ""},
	{"#GRUB_CMDLINE_LINUX=\"a\"\nGRUB_CMDLINE_LINUX_X=\"b\"\nexport GRUB_CMDLINE_LINUX=\"c\"", "c", ""},
	{"GRUB_CMDLINE_LINUX=\"a `date` $x b\"", "a b", ""},
	{"GRUB_CMDLINE_LINUX=\"never ends", "never ends", ""},
	{"GRUB_CMDLINE_LINUX=", "", ""},
};

static void assert_words(const struct pit_strv *v, const char *joined)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;

	for (size_t i = 0; i < v->count; i++)
		pit_buf_printf(&b, "%s%s", i ? " " : "", v->item[i]);
	assert_string_equal(b.data, joined);
}

static void parses_grub(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(grubs); i++) {
		PIT_CLEANUP(pit_grub_args_free) struct pit_grub_args args = {0};

		assert_int_equal(pit_grub_parse(grubs[i].text, &args), 0);
		assert_words(&args.all, grubs[i].all);
		assert_words(&args.normal, grubs[i].normal);
	}
}

static const struct {
	const char *text;
	int rc;
	const char *value;
} apts[] = {
	{"A::B \"1\";\n", 0, "1"},  {"A::B \"1\";\n\t A::B\t\"0\" ;\n", 0, "0"},
	{"A::B\"7\";", 0, "7"},     {"// A::B \"1\";\nA::Bc \"2\";\n", -ENOENT, ""},
	{"A::B 1;\n", -ENOENT, ""}, {"A::B \"open", 0, "open"},
	{"", -ENOENT, ""},
};

static void parses_apt(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(apts); i++) {
		char value[16] = "";

		assert_int_equal(pit_apt_get(apts[i].text, "A::B", value, sizeof(value)), apts[i].rc);
		assert_string_equal(value, apts[i].value);
	}
}

static void names_taints(void **state)
{
	char text[1024];

	assert_string_equal(pit_taint_format(0, text, sizeof(text)), "");
	assert_string_equal(pit_taint_format(1 | 128, text, sizeof(text)),
			    "D (died: oops or BUG), P (proprietary module)");
	assert_string_equal(pit_taint_format(UINT64_C(1) << 40, text, sizeof(text)), "");
	assert_string_equal(pit_taint_format(128, text, 4), "D (");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_grub),
		cmocka_unit_test(parses_apt),
		cmocka_unit_test(names_taints),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
