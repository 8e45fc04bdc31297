/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/kmsg.h"
#include "tree.h"

/* One line and what is read from it; `text` NULL: left out. */
static const struct {
	const char *line;
	int64_t usec;
	int level;
	const char *text;
} lines[] = {
	{"6,339,5140900,-;NET: Registered", 5140900, 6, "NET: Registered"},
	{"11,340,7,-,caller=T12;user text; more", 7, 3, "user text; more"},
	{"4,1,0,-;tab\\x09bell\\x07end \\xc3\\xa9 \\xff \\x5c", 0, 4, "tab bell?end \xc3\xa9 ? \\"},
	{"6,1,2,-;\\x1b[31mred", 2, 6, "?[31mred"},
	{"6,1,2,-;c1 \\xc2\\x9b5n", 2, 6, "c1 ??5n"},
	{"[    5.140900] text", 5140900, -1, "text"},
	{"[12345.6] text", 12345600000, -1, "text"},
	{"[    5.140900][    T1] text", 5140900, -1, "text"},
	{"[    5.140900] [ T1] text", 5140900, -1, "[ T1] text"},
	{"<3>[    5.140900] text", 5140900, 3, "text"},
	{"<14>text", -1, 6, "text"},
	{"kern  :warn  : [    1.000002] text", 1000002, 4, "text"},
	{"kern  :info  : 2025-01-21T04:41:44,100000+00:00 nvme nvme0: text", -1, 6, "nvme nvme0: text"},
	{"[Mon Jan  1 12:00:00 2024] text", -1, -1, "text"},
	{"[  +0.000003] text", -1, -1, "text"},
	{"[<    0.000003>] text", -1, -1, "text"},
	{"Jan  1 12:00:00 host kernel: [    5.140900] text", 5140900, -1, "text"},
	{"Jan 11 12:00:00 host kernel: text", -1, -1, "text"},
	{"2024-01-01T12:00:00.123456+00:00 host kernel: [    5.140900] text", 5140900, -1, "text"},
	{"2024-01-01T12:00:00+0000 host kernel: text", -1, -1, "text"},
	{"2024-01-01T12:00:00,123456+01:00 usb 1-1: text", -1, -1, "usb 1-1: text"},
	{"Jan  1 12:00:00 host sshd[12]: NVRM: Xid", -1, -1, NULL},
	{"2024-01-01T12:00:00Z host kernelx: text", -1, -1, NULL},
	{"NVRM: Xid (PCI:0000:9b:00): 119", -1, -1, "NVRM: Xid (PCI:0000:9b:00): 119"},
	{"[drm] Initialized", -1, -1, "[drm] Initialized"},
	{"[ 5 ] x", -1, -1, "[ 5 ] x"},
	{"6,339,x,-;y", -1, -1, "6,339,x,-;y"},
	{"[    5.140900]", 5140900, -1, ""},
	{"  indented", -1, -1, "  indented"},
};

static void reads_every_form(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(lines); i++) {
		struct pit_kmsg k = {0};

		assert_int_equal(pit_kmsg_parse(lines[i].line, &k), 0);
		assert_int_equal(k.count, lines[i].text ? 1 : 0);
		if (lines[i].text) {
			assert_string_equal(k.item[0].text, lines[i].text);
			assert_int_equal(k.item[0].usec, lines[i].usec);
			assert_int_equal(k.item[0].level, lines[i].level);
		}
		pit_kmsg_free(&k);
	}
}

static void reads_records(void **state)
{
	struct pit_kmsg k = {0};

	assert_int_equal(pit_kmsg_parse("6,1,10,-;first\\x0asecond\n"
					" SUBSYSTEM=pci\n"
					" DEVICE=+pci:0000:00:01.0\n"
					"6,2,20,c;a\n"
					"6,3,30,+;b\n"
					"\n"
					"6,4,40,-;last",
					&k),
			 0);
	assert_int_equal(k.count, 4);
	assert_string_equal(k.item[0].text, "first");
	assert_string_equal(k.item[1].text, "second");
	assert_int_equal(k.item[1].usec, 10);
	assert_string_equal(k.item[2].text, "ab");
	assert_string_equal(k.item[3].text, "last");
	pit_kmsg_free(&k);
}

static void is_bounded(void **state)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	struct pit_kmsg k = {0};

	for (int i = 0; i < 350000; i++)
		pit_buf_printf(&text, "%d\n", i);
	assert_int_equal(pit_kmsg_parse(text.data, &k), 0);
	assert_int_equal(k.count, 100000);
	assert_string_equal(k.item[0].text, "250000");
	assert_string_equal(k.item[k.count - 1].text, "349999");
	pit_kmsg_free(&k);
}

static void finds_logs(void **state)
{
	static const struct tree_file log[] = {
		{"/var/log/kern.log", "Jan  1 12:00:00 h kernel: [    0.000000] Linux version 5.15\n"
				      "Jan  1 12:00:01 h kernel: [    9.000000] Out of memory: old\n"
				      "Jan  2 12:00:00 h kernel: [    0.000000] Linux version 6.1\n"
				      "Jan  2 12:00:00 h kernel: [    1.000000] now\n"},
		{NULL, NULL},
	};
	static const struct tree_file mixed[] = {
		{"/var/log/kern.log", ""},
		{"/var/log/messages", "Jan  1 12:00:00 h cron[1]: a\nJan  1 12:00:01 h kernel: b\n"},
		{NULL, NULL},
	};
	static const struct tree_file fact[] = {
		{"/.pitcrew/fact/kmsg", "6,1,10,-;from the fact\n"},
		{"/var/log/kern.log", "Jan  2 12:00:00 h kernel: other\n"},
		{NULL, NULL},
	};
	const struct {
		const struct tree_file *files;
		const char *source, *last;
		size_t count;
	} cases[] = {{log, "/var/log/kern.log", "now", 2},
		     {mixed, "/var/log/messages", "b", 1},
		     {fact, "kmsg", "from the fact", 1}};

	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		struct tree t = tree_open(cases[i].files);
		struct pit_kmsg k = {0};

		assert_int_equal(pit_kmsg_load(t.root, &k, NULL), 0);
		assert_string_equal(k.source, cases[i].source);
		assert_int_equal(k.count, cases[i].count);
		assert_string_equal(k.item[k.count - 1].text, cases[i].last);
		pit_kmsg_free(&k);
		tree_close(&t);
	}
}

static void says_why_not(void **state)
{
	static const struct tree_file denied[] = {{"/.pitcrew/missing", "1 fact kmsg\n"}, {NULL, NULL}};
	static const struct tree_file nothing[] = {{"/proc/uptime", "1 1\n"}, {NULL, NULL}};
	struct pit_kmsg k = {0};
	struct tree t = tree_open(denied);
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_kmsg_load(t.root, &k, &err), -EPERM);
	assert_non_null(strstr(err.text, "dmesg_restrict"));
	tree_close(&t);
	t = tree_open(nothing);
	assert_int_equal(pit_kmsg_load(t.root, &k, NULL), -ENODATA);
	assert_null(k.item);
	tree_close(&t);
}

static void survives_nul_bytes(void **state)
{
	struct pit_kmsg k = {0};

	assert_int_equal(pit_kmsg_parse("", &k), 0);
	assert_int_equal(k.count, 0);
	assert_int_equal(pit_kmsg_parse("\n\n\n", &k), 0);
	assert_int_equal(k.count, 0);
	assert_int_equal(pit_kmsg_parse("6,1,2,-;a\\x00b\\x0", &k), 0);
	assert_string_equal(k.item[0].text, "a b\\x0");
	pit_kmsg_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form), cmocka_unit_test(reads_records),
		cmocka_unit_test(is_bounded),       cmocka_unit_test(finds_logs),
		cmocka_unit_test(says_why_not),     cmocka_unit_test(survives_nul_bytes),
	};

	return cmocka_run_group_tests_name("kmsg", tests, NULL, NULL);
}
