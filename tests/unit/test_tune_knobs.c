/* SPDX-License-Identifier: MIT
 *
 * The table of knobs, and that it and the catalogue of checks name each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strv.h"
#include "base/words.h"
#include "check/check.h"
#include "tune/knob.h"

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void knob_rows_are_complete(void **state)
{
	size_t n = 0;

	PIT_KNOB_FOREACH (knob) {
		const char *texts[] = {knob->title, knob->blast, knob->source, knob->checks};

		n++;
		for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
			if (!texts[i] || !*texts[i])
				fail_msg("%s lacks one of title, blast, source, checks", knob->id);
		if (knob->title[strlen(knob->title) - 1] == '.')
			fail_msg("%s: the title ends with a full stop", knob->id);
		if (strpbrk(knob->id, " \t/:=*?,"))
			fail_msg("%s: an id has no such bytes", knob->id);
		if (pit_knob_find(knob->id) != knob)
			fail_msg("%s is not the only one of this id", knob->id);
	}
	assert_true(n >= 45);
}

static void knob_cells_are_named(void **state)
{
	PIT_KNOB_FOREACH (knob) {
		switch (knob->target) {
		case PIT_TARGET_SYSCTL:
		case PIT_TARGET_DIRTY:
			if (knob->object || knob->resolve || !strchr(knob->id, '.'))
				fail_msg("%s: the id of a sysctl is its key", knob->id);
			break;
		case PIT_TARGET_KERNEL:
			if (!knob->resolve &&
			    (!knob->object || (!starts(knob->object, "/sys/") && !starts(knob->object, "/proc/"))))
				fail_msg("%s has neither a path nor a resolve", knob->id);
			break;
		default:
			if (!knob->resolve)
				fail_msg("%s has no resolve", knob->id);
		}
		if (knob->object && starts(knob->object, "/proc/sys/"))
			fail_msg("%s: files of /proc/sys are sysctls", knob->id);
	}
}

static void knob_values_are_sane(void **state)
{
	PIT_KNOB_FOREACH (knob) {
		bool number = knob->value == PIT_VALUE_INT || knob->value == PIT_VALUE_WORDS;

		if (knob->value == PIT_VALUE_CHOICE && (!knob->values || strpbrk(knob->values, ",[]")))
			fail_msg("%s: a choice lists its words", knob->id);
		if (knob->least > knob->most)
			fail_msg("%s: least is above most", knob->id);
		if (!number && (knob->least || knob->most))
			fail_msg("%s has a range and no numbers", knob->id);
		if (!knob->values && !knob->most && knob->value != PIT_VALUE_BOOL)
			fail_msg("%s does not say what it may be set to", knob->id);
	}
}

static void knob_says_how_it_lasts(void **state)
{
	PIT_KNOB_FOREACH (knob) {
		const char *at = knob->udev ? strchr(knob->udev, '%') : NULL;

		if ((knob->lasts == PIT_LASTS_UDEV) != (knob->udev != NULL))
			fail_msg("%s: a rule belongs to udev, and udev to a rule", knob->id);
		if (knob->udev && (!starts(knob->udev, "ACTION==\"") || !strstr(knob->udev, "SUBSYSTEM==\"") ||
				   !strstr(knob->udev, "=\"%s\"") || strchr(at + 1, '%')))
			fail_msg("%s: no rule with conditions and one value: %s", knob->id, knob->udev);
		if (knob->lasts == PIT_LASTS_SYSCTL && knob->target != PIT_TARGET_SYSCTL &&
		    knob->target != PIT_TARGET_DIRTY)
			fail_msg("%s is no sysctl", knob->id);
		if (knob->lasts == PIT_LASTS_TMPFILES && (knob->target != PIT_TARGET_KERNEL || knob->resolve))
			fail_msg("%s has no path that tmpfiles.d could write", knob->id);
		if (knob->takes == PIT_TAKES_RESTART && !knob->service)
			fail_msg("%s does not say what must be started anew", knob->id);
	}
}

/* What other network namespaces than the first have of their own, and mounts. */
static void knob_in_a_container_belongs_to_it(void **state)
{
	PIT_KNOB_FOREACH (knob)
		if ((knob->in_container == PIT_OWN_SHM) != !strcmp(knob->id, "shm.size") ||
		    (knob->in_container == PIT_OWN_NETWORK && !starts(knob->id, "net.ipv4.") &&
		     strcmp(knob->id, "net.core.somaxconn") != 0))
			fail_msg("%s belongs to the host", knob->id);
	assert_int_equal(pit_knob_find("net.ipv4.tcp_mem")->in_container, PIT_OWN_NEVER);
	assert_int_equal(pit_knob_find("net.core.rmem_max")->in_container, PIT_OWN_NEVER);
}

static void knob_never_isolates_cpus(void **state)
{
	static const char *const names[] = {"cmdline.isolcpus", "cmdline.nohz_full", "cmdline.rcu_nocbs"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct pit_knob *knob = pit_knob_find(names[i]);

		assert_non_null(knob);
		assert_int_equal(knob->value, PIT_VALUE_CHOICE);
		assert_string_equal(knob->values, "absent");
	}
	PIT_KNOB_FOREACH (knob)
		if (knob->object && strstr(knob->object, "isolcpus") && strcmp(knob->id, "cmdline.isolcpus") != 0)
			fail_msg("%s sets isolcpus", knob->id);
}

/* Undoing walks backwards, so what a knob disturbs has to be set after it. */
static void knob_stands_before_what_it_disturbs(void **state)
{
	const struct pit_knob *seen[256];
	size_t n = 0;

	PIT_KNOB_FOREACH (knob) {
		for (size_t i = 0; knob->disturbs && i < n; i++)
			if (seen[i]->target == PIT_TARGET_SYSCTL && pit_words_have(knob->disturbs, " ", seen[i]->id))
				fail_msg("%s stands after %s, which it disturbs", knob->id, seen[i]->id);
		seen[n++] = knob;
		assert_true(n < 256);
	}
}

static void knob_names_the_checks_that_name_it(void **state)
{
	PIT_KNOB_FOREACH (knob) {
		pit_auto_strv struct pit_strv ids = {0};

		assert_int_equal(pit_strv_split(&ids, knob->checks, " "), 0);
		for (size_t i = 0; i < ids.count; i++) {
			const struct pit_check *row = pit_catalog_find(ids.item[i]);

			if (!row)
				fail_msg("%s names %s, which is no check", knob->id, ids.item[i]);
			if (!row->knob || !pit_words_have(row->knob, " ", knob->id))
				fail_msg("%s names %s, which does not name it", knob->id, ids.item[i]);
		}
	}
}

static void check_names_knobs_that_name_it(void **state)
{
	size_t n = 0;

	PIT_CATALOG_FOREACH (row) {
		pit_auto_strv struct pit_strv ids = {0};

		if (!row->knob)
			continue;
		n++;
		assert_int_equal(pit_strv_split(&ids, row->knob, " "), 0);
		assert_true(ids.count > 0);
		for (size_t i = 0; i < ids.count; i++) {
			const struct pit_knob *knob = pit_knob_find(ids.item[i]);

			if (!knob)
				fail_msg("%s names %s, which is no knob", row->id, ids.item[i]);
			if (!pit_words_have(knob->checks, " ", row->id))
				fail_msg("%s names %s, which does not name it", row->id, ids.item[i]);
		}
	}
	assert_true(n >= 100);
}

static void knob_is_found(void **state)
{
	assert_string_equal(pit_knob_find("vm.swappiness")->id, "vm.swappiness");
	assert_null(pit_knob_find("vm.swapiness"));
	assert_null(pit_knob_find(""));
	assert_string_equal(pit_knob_nearest("vm.swapiness"), "vm.swappiness");
	assert_null(pit_knob_nearest("a word like nothing else here"));
}

static void markdown_has_each_knob_once(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_knobs_markdown(&out);
	assert_false(out.failed);
	PIT_KNOB_FOREACH (knob) {
		char row[96];
		const char *at;

		snprintf(row, sizeof(row), "\n| `%s` | ", knob->id);
		at = strstr(out.data, row);
		if (!at || strstr(at + 1, row))
			fail_msg("%s is not there once", knob->id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knob_rows_are_complete),
		cmocka_unit_test(knob_cells_are_named),
		cmocka_unit_test(knob_values_are_sane),
		cmocka_unit_test(knob_says_how_it_lasts),
		cmocka_unit_test(knob_in_a_container_belongs_to_it),
		cmocka_unit_test(knob_never_isolates_cpus),
		cmocka_unit_test(knob_stands_before_what_it_disturbs),
		cmocka_unit_test(knob_names_the_checks_that_name_it),
		cmocka_unit_test(check_names_knobs_that_name_it),
		cmocka_unit_test(knob_is_found),
		cmocka_unit_test(markdown_has_each_knob_once),
	};

	return cmocka_run_group_tests_name("tune_knobs", tests, NULL, NULL);
}
