/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tree.h"
#include "tune/resolve.h"

#define STATE(cpu, n, name, latency)                                                                                   \
	{"/sys/devices/system/cpu/" cpu "/cpuidle/" n "/name", name "\n"},                                             \
		{"/sys/devices/system/cpu/" cpu "/cpuidle/" n "/latency", latency "\n"},                               \
	{                                                                                                              \
		"/sys/devices/system/cpu/" cpu "/cpuidle/" n "/disable", "0\n"                                         \
	}

/* cpu10 has no idle states: it is offline. */
static const struct tree_file intel[] = {
	STATE("cpu0", "state0", "POLL", "0"),
	STATE("cpu0", "state1", "C1", "2"),
	STATE("cpu0", "state2", "C1E", "10"),
	STATE("cpu0", "state3", "C6", "133"),
	STATE("cpu1", "state0", "POLL", "0"),
	STATE("cpu1", "state1", "C1", "2"),
	STATE("cpu1", "state2", "C1E", "10"),
	STATE("cpu1", "state3", "C6", "133"),
	{"/sys/devices/system/cpu/cpu10/online", "0\n"},
	{"/sys/devices/system/cpu/cpuidle/current_driver", "intel_idle\n"},
	{0},
};

/* aarch64: no POLL, WFI comes first. */
static const struct tree_file arm[] = {
	STATE("cpu0", "state0", "WFI", "1"),
	STATE("cpu0", "state1", "cpu-sleep-0", "150"),
	{0},
};

/* Wishes as "CPU/STATE=1;" or "CPU/STATE!;". */
static void expect(const struct tree_file *files, const char *value, bool persist, int rc, const char *expected)
{
	const struct pit_knob knob = {.id = "cpu.cstates"};
	const struct pit_setting s = {.knob = &knob, .value = (char *)value};
	struct pit_wishes w = {.txn = 7, .persist = persist};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	struct tree t = tree_open(files);
	struct pit_scene *scene = NULL;

	assert_int_equal(pit_scene_new(t.root, &scene, NULL), 0);
	assert_int_equal(pit_resolve_cstates(&s, scene, &w, NULL), rc);
	for (size_t i = 0; i < w.wishes; i++) {
		const char *at = strstr(w.wish[i].cell.object, "/cpu/");

		pit_buf_printf(&text, "%s%s%s;", at ? at + 5 : w.wish[i].cell.object, w.wish[i].refuse ? "!" : "=",
			       w.wish[i].refuse ? "" : w.wish[i].value);
	}
	for (size_t i = 0; i < w.fragments; i++)
		pit_buf_printf(&text, "%s[%s] %s;", w.fragment[i].path, w.fragment[i].section, w.fragment[i].line);
	if (w.absent)
		pit_buf_puts(&text, "absent");
	assert_string_equal(text.data, expected);
	pit_wishes_free(&w);
	pit_scene_free(scene);
	tree_close(&t);
}

static void limits_each_cpu(void **state)
{
	expect(intel, "10 us", false, 0, "cpu0/cpuidle/state3/disable=1;cpu1/cpuidle/state3/disable=1;");
	expect(intel, "2us", false, 0,
	       "cpu0/cpuidle/state2/disable=1;cpu0/cpuidle/state3/disable=1;"
	       "cpu1/cpuidle/state2/disable=1;cpu1/cpuidle/state3/disable=1;");
	expect(intel, "133", true, 0, "");
	expect(arm, "10 us", false, 0, "cpu0/cpuidle/state1/disable=1;");
}

static void leaves_a_way_to_rest(void **state)
{
	expect(intel, "0 us", false, 0,
	       "cpu0/cpuidle/state1/disable!;cpu0/cpuidle/state2/disable=1;cpu0/cpuidle/state3/disable=1;"
	       "cpu1/cpuidle/state1/disable!;cpu1/cpuidle/state2/disable=1;cpu1/cpuidle/state3/disable=1;");
	expect(arm, "0 us", false, 0, "cpu0/cpuidle/state0/disable!;cpu0/cpuidle/state1/disable=1;");
}

static void refuses_nonsense(void **state)
{
	expect(intel, "", false, -EINVAL, "");
	expect(intel, "10 ms", false, -EINVAL, "");
	expect(intel, "-1", false, -EINVAL, "");
	expect(intel, "C1", false, -EINVAL, "");
	expect(intel, "10 held us", false, -EINVAL, "");
	expect(intel, "99999999999", false, -EINVAL, "");
}

static void holds_a_latency(void **state)
{
	static const struct tree_file none[] = {
		{"/sys/devices/system/cpu/cpu0/online", "1\n"},
		{"/dev/cpu_dma_latency", ""},
		{"/run/systemd/system/x", ""},
		{0},
	};
	static const struct tree_file held[] = {
		STATE("cpu0", "state0", "POLL", "0"),
		STATE("cpu0", "state1", "C6", "133"),
		{"/dev/cpu_dma_latency", ""},
		{"/run/systemd/system/x", ""},
		{0},
	};

	/* Where there are no states a latency means nothing either. */
	expect(none, "10 us", true, 0, "absent");
	expect(none, "10 us held", true, 0, "absent");
	expect(intel, "10 us held", true, 0, "absent");
	expect(held, "10 us held", true, 0,
	       "/etc/systemd/system/multi-user.target.wants/pitcrew-latency-0007.service="
	       "/etc/systemd/system/pitcrew-latency-0007.service;"
	       "/etc/systemd/system/pitcrew-latency-0007.service[] [Unit]\n"
	       "Description=Wake-up latency of pitcrew tune, transaction 7\nDocumentation=man:pitcrew-tune(1)\n\n"
	       "[Service]\nExecStart=/usr/bin/pitcrew tune hold-latency 10 "
	       "/etc/systemd/system/pitcrew-latency-0007.service\n\n[Install]\nWantedBy=multi-user.target;");
}

static void says_what_it_cannot_read(void **state)
{
	static const struct tree_file broken[] = {
		{"/sys/devices/system/cpu/cpu0/cpuidle/state0/latency", "many\n"},
		{"/sys/devices/system/cpu/cpu0/cpuidle/state0/name", "C1\n"},
		{0},
	};

	expect(broken, "10 us", false, -EBADMSG, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_each_cpu),          cmocka_unit_test(leaves_a_way_to_rest),
		cmocka_unit_test(refuses_nonsense),         cmocka_unit_test(holds_a_latency),
		cmocka_unit_test(says_what_it_cannot_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
