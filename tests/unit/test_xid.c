/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/strv.h"
#include "check/xid.h"

static const struct {
	const char *line;
	int rc;
	enum pit_xid_kind kind;
	unsigned code;
	const char *pci;
	int fatal, pid;
} lines[] = {
	{"NVRM: Xid (PCI:0000:05:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", 0, PIT_XID_GPU,
	 79, "0000:05:00", -1, 0},
	{"NVRM: Xid (0000:03:00): 31, Ch 00000010", 0, PIT_XID_GPU, 31, "0000:03:00", -1, 0},
	{"NVRM: Xid (PCI:0008:01:00): 145, pid=11436, name=x, RLW Nonfatal XC1", 0, PIT_XID_GPU, 145, "0008:01:00", 0,
	 11436},
	{"NVRM: Xid (PCI:10000:C3:00): 149, NETIR Fatal XC0", 0, PIT_XID_GPU, 149, "10000:c3:00", 1, 0},
	{"NVRM: Xid (PCI:0000:05:00): 99999, unknown", 0, PIT_XID_GPU, 99999, "0000:05:00", -1, 0},
	{"NVRM: Xid (PCI:0000:05:00): 13", 0, PIT_XID_GPU, 13, "0000:05:00", -1, 0},
	{"nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress", 0, PIT_XID_SWITCH, 12028,
	 "0000:05:00.0", 0, 0},
	{"nvidia-nvswitch0: SXid (PCI:0000:00:00.0): 20034, Fatal, Link 30 LTSSM Fault Up", 0, PIT_XID_SWITCH, 20034,
	 "0000:00:00.0", 1, 0},
	{"nvidia-nvswitch0: SXid (PCI:0000:a9:00.0): 11111, Data {0x50610002}", 0, PIT_XID_SWITCH, 11111,
	 "0000:a9:00.0", -1, 0},
	{"NVRM: GPU 0000:29:00.0: GPU has fallen off the bus.", 0, PIT_XID_LOST, 0, "0000:29:00.0", -1, 0},
	{"NVRM: GPU 18:00.0: GPU has fallen off the bus.", 0, PIT_XID_LOST, 0, "18:00.0", -1, 0},
	{"NVRM: fallen off the bus and is not responding to commands.", 0, PIT_XID_LOST, 0, "", -1, 0},
	{"nvidia-nvswitch0: SXid (PCI:0000:00:00.0): xyz, Fatal error", -ENOENT, 0, 0, NULL, 0, 0},
	{"another valid NVSwitch SXid error", -ENOENT, 0, 0, NULL, 0, 0},
	{"NVRM: The NVIDIA GPU 0000:18:00.0", -ENOENT, 0, 0, NULL, 0, 0},
	{"NVRM: Xid (PCI:0000:05:00): 123456, too long", -ENOENT, 0, 0, NULL, 0, 0},
	{"NVRM: Xid (PCI:0000:05:00): 0, none", -ENOENT, 0, 0, NULL, 0, 0},
	{"NVRM: Xid (PCI:): 79, x", -ENOENT, 0, 0, NULL, 0, 0},
	{"NVRM: Xid (PCI:0000:05:00", -ENOENT, 0, 0, NULL, 0, 0},
	{"NVRM: Xid (", -ENOENT, 0, 0, NULL, 0, 0},
	{"GPU has fallen off the bus", -ENOENT, 0, 0, NULL, 0, 0},
	{"", -ENOENT, 0, 0, NULL, 0, 0},
};

static void parses_lines(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(lines); i++) {
		struct pit_xid x = {.code = 4711};

		print_message("# %s\n", lines[i].line);
		assert_int_equal(pit_xid_parse(lines[i].line, &x), lines[i].rc);
		if (lines[i].rc) {
			assert_int_equal(x.code, 4711);
			continue;
		}
		assert_int_equal(x.kind, lines[i].kind);
		assert_int_equal(x.code, lines[i].code);
		assert_string_equal(x.pci, lines[i].pci);
		assert_int_equal(x.fatal, lines[i].fatal);
		assert_int_equal(x.pid, lines[i].pid);
	}
}

static void has_an_ordered_table(void **state)
{
	unsigned before = 0;

	for (const struct pit_xid_meaning *m = pit_xid_meanings; m->code; m++) {
		assert_true(m->code > before);
		assert_true(m->meaning && m->meaning[0] && m->action && m->action[0]);
		before = m->code;
	}
	assert_null(pit_xid_meaning(9999));
	assert_int_equal(pit_xid_meaning(79)->cls, PIT_XID_REBOOT);
}

static void collect(const char *text, struct pit_xid_events *ret, struct pit_strv *lines_of)
{
	static struct pit_kmsg_line item[256];
	struct pit_kmsg log = {.item = item};

	assert_int_equal(pit_strv_split(lines_of, text, "\n"), 0);
	for (size_t i = 0; i < lines_of->count && i < PIT_COUNT(item); i++)
		item[log.count++] = (struct pit_kmsg_line){.usec = (int64_t)i, .text = lines_of->item[i]};
	assert_int_equal(pit_xid_collect(&log, ret), 0);
}

static void joins_a_lost_gpu_over_three_lines(void **state)
{
	pit_auto_strv struct pit_strv v = {0};
	struct pit_xid_events e = {0};

	collect("NVRM: The NVIDIA GPU 0000:b3:00.0\nNVRM: (PCI ID: 10de:26b5) installed in this system has\n"
		"NVRM: fallen off the bus and is not responding to commands.\n"
		"NVRM: The NVIDIA probe routine failed for 1 device(s).\n",
		&e, &v);
	assert_int_equal(e.count, 1);
	assert_int_equal(e.item[0].first.kind, PIT_XID_LOST);
	assert_string_equal(e.item[0].first.pci, "0000:b3:00.0");
	assert_int_equal(e.item[0].cls, PIT_XID_REBOOT);
	pit_xid_events_free(&e);
}

static void tells_the_root_from_what_follows(void **state)
{
	pit_auto_strv struct pit_strv v = {0};
	struct pit_xid_events e = {0};

	collect("NVRM: Xid (PCI:0000:01:00): 79, pid=1, name=x, GPU has fallen off the bus.\n"
		"NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.\n"
		"NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)\n"
		"NVRM: GPU 0000:01:00.0: RC all channels for critical error 79\n"
		"NVRM: rpcSendMessage failed with status 0x0000000f for fn 78\n"
		"NVRM: Xid (PCI:0000:02:00): 13, pid=2, name=y, Graphics Exception\n"
		"NVRM: Xid (PCI:0000:02:00): 13, pid=2, name=y, Graphics Exception\n",
		&e, &v);
	assert_int_equal(e.count, 4);
	assert_false(e.item[0].follows);
	assert_true(e.item[1].follows);
	assert_true(e.item[2].follows);
	assert_false(e.item[3].follows);
	assert_int_equal(e.item[3].count, 2);
	assert_int_equal(e.item[3].last_usec, 6);
	pit_xid_events_free(&e);
}

static FILE *open_case(const char *name)
{
	const char *cases = getenv("PITCREW_CASES"), *tests = getenv("PITCREW_TESTS");
	char path[4096];

	if (cases)
		snprintf(path, sizeof(path), "%s/outputs/%s", cases, name);
	else
		snprintf(path, sizeof(path), "%s/../../shared/cases/outputs/%s", tests ? tests : ".", name);
	return fopen(path, "re");
}

/* kind, code, address, source, line, between tabs: what others' tests expect of the same lines. */
static void check_row(char *row)
{
	char *field[5], *save = row;
	struct pit_xid x;
	int rc;

	for (size_t i = 0; i < 5; i++)
		field[i] = strsep(&save, "\t");
	if (!field[4])
		return;
	print_message("# %s\n", field[4]);
	rc = pit_xid_parse(field[4], &x);
	if (!strcmp(field[0], "-")) {
		assert_true(rc || x.kind == PIT_XID_LOST);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(x.kind, strcmp(field[0], "XID") ? PIT_XID_SWITCH : PIT_XID_GPU);
	assert_int_equal(x.code, atoi(field[1]));
	assert_string_equal(x.pci, field[2]);
}

static void agrees_with_recorded_lines(void **state)
{
	pit_auto_fclose FILE *f = open_case("dmesg-xid/gpud-test-lines-xid.tsv");
	char row[4096];

	if (!f)
		skip();
	assert_non_null(fgets(row, sizeof(row), f));
	while (fgets(row, sizeof(row), f)) {
		row[strcspn(row, "\n")] = '\0';
		check_row(row);
	}
}

static void is_silent_on_other_lines(void **state)
{
	pit_auto_fclose FILE *f = open_case("dmesg-xid/gpud-test-lines-other-kernel.tsv");
	struct pit_xid x;
	char row[4096];

	if (!f)
		skip();
	while (fgets(row, sizeof(row), f))
		assert_int_equal(pit_xid_parse(row, &x), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_lines),
		cmocka_unit_test(has_an_ordered_table),
		cmocka_unit_test(joins_a_lost_gpu_over_three_lines),
		cmocka_unit_test(tells_the_root_from_what_follows),
		cmocka_unit_test(agrees_with_recorded_lines),
		cmocka_unit_test(is_silent_on_other_lines),
	};

	return cmocka_run_group_tests_name("xid", tests, NULL, NULL);
}
