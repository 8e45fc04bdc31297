/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../tempdir.h"
#include "host/unit.h"
#include "tree.h"
#include "tune/resolve.h"

#define INSTALL "[Install]\nWantedBy=multi-user.target\n"

/* irqbalance runs and is enabled; ssh has an alias; numad is masked; static has no [Install]; extra is also wanted by
 * hand; off does neither. */
static const struct tree_file machine[] = {
	{"/run/systemd/system/x", ""},
	{"/run/systemd/units/invocation:irqbalance.service", "-> 0123"},
	{"/run/systemd/units/invocation:ssh.service", "-> 4567"},
	{"/usr/lib/systemd/system/irqbalance.service", "[Service]\nExecStart=/x\n" INSTALL},
	{"/etc/systemd/system/multi-user.target.wants/irqbalance.service",
	 "-> /usr/lib/systemd/system/irqbalance.service"},
	{"/usr/lib/systemd/system/ssh.service", INSTALL "Alias=sshd.service\n"},
	{"/etc/systemd/system/sshd.service", "-> /usr/lib/systemd/system/ssh.service"},
	{"/etc/systemd/system/numad.service", "-> /dev/null"},
	{"/usr/lib/systemd/system/numad.service", INSTALL},
	{"/usr/lib/systemd/system/static.service", "[Service]\n"},
	{"/usr/lib/systemd/system/extra.service", INSTALL},
	{"/etc/systemd/system/multi-user.target.wants/extra.service", "-> /usr/lib/systemd/system/extra.service"},
	{"/etc/systemd/system/mine.target.wants/extra.service", "-> /usr/lib/systemd/system/extra.service"},
	{"/usr/lib/systemd/system/off.service", INSTALL},
	{0},
};

static void says_what_runs(void **state)
{
	static const struct tree_file asked[] = {
		{"/run/systemd/system/x", ""},
		{"/.pitcrew/fact/unit-active:apt.timer", "active\n"},
		{"/.pitcrew/fact/unit-active:gone.timer", "inactive\n"},
		{"/.pitcrew/missing", ""},
		{0},
	};
	struct tree t = tree_open(machine);

	assert_int_equal(pit_unit_is_active(t.root, "irqbalance.service"), 1);
	assert_int_equal(pit_unit_is_active(t.root, "off.service"), 0);
	tree_close(&t);
	t = tree_open(asked);
	assert_int_equal(pit_unit_is_active(t.root, "apt.timer"), 1);
	assert_int_equal(pit_unit_is_active(t.root, "gone.timer"), 0);
	assert_int_equal(pit_unit_is_active(t.root, "other.timer"), -ENODATA);
	tree_close(&t);
}

static void says_nothing_without_systemd(void **state)
{
	static const struct tree_file files[] = {{"/usr/lib/systemd/system/a.service", INSTALL}, {0}};
	struct tree t = tree_open(files);
	const struct pit_cell cell = {PIT_TARGET_SERVICE, PIT_VALUE_TEXT, (char *)"a.service"};
	struct pit_error err = PIT_ERROR_INIT;
	char *value = (char *)"untouched";

	assert_int_equal(pit_unit_is_active(t.root, "a.service"), -EOPNOTSUPP);
	assert_int_equal(pit_cell_read(t.root, &cell, &value, &err), -EOPNOTSUPP);
	assert_string_equal(err.text, "whether a.service runs: systemd is not process 1 here");
	assert_string_equal(value, "untouched");
	tree_close(&t);
}

static const struct {
	enum pit_target_kind target;
	const char *unit, *value; /* NULL: there is no such unit */
} cells[] = {
	{PIT_TARGET_SERVICE, "irqbalance.service", "running"},
	{PIT_TARGET_SERVICE, "ssh.service", "running"},
	{PIT_TARGET_SERVICE, "off.service", "stopped"},
	{PIT_TARGET_SERVICE, "gone.service", NULL},
	{PIT_TARGET_ENABLED, "irqbalance.service", "enabled"},
	{PIT_TARGET_ENABLED, "off.service", "disabled"},
	{PIT_TARGET_ENABLED, "numad.service", "masked"},
	{PIT_TARGET_ENABLED, "static.service", "static"},
	{PIT_TARGET_ENABLED, "gone.service", NULL},
};

static void reads_units(void **state)
{
	struct tree t = tree_open(machine);

	for (size_t i = 0; i < PIT_COUNT(cells); i++) {
		const struct pit_cell cell = {cells[i].target, PIT_VALUE_TEXT, (char *)cells[i].unit};
		pit_auto_free char *value = NULL;
		int rc = pit_cell_read(t.root, &cell, &value, NULL);

		assert_int_equal(rc, cells[i].value ? 0 : -ENOENT);
		if (cells[i].value)
			assert_string_equal(value, cells[i].value);
	}
	tree_close(&t);
}

static void knows_aliases(void **state)
{
	struct tree t = tree_open(machine);
	char name[64] = "untouched";

	assert_int_equal(pit_unit_name(t.root, "gone.service", name, sizeof(name)), -ENOENT);
	assert_int_equal(pit_unit_name(t.root, "numad.service", name, sizeof(name)), -ENOENT);
	assert_string_equal(name, "untouched");
	assert_int_equal(pit_unit_name(t.root, "sshd.service", name, sizeof(name)), 0);
	assert_string_equal(name, "ssh.service");
	assert_int_equal(pit_unit_name(t.root, "off.service", name, sizeof(name)), 0);
	assert_string_equal(name, "off.service");
	assert_true(pit_unit_is_masked(t.root, "numad.service"));
	assert_false(pit_unit_is_masked(t.root, "off.service"));
	tree_close(&t);
}

/* Wishes as "TARGET OBJECT=VALUE" or "TARGET OBJECT!" where it is refused. */
static const struct {
	const char *object, *value;
	bool persist;
	int rc;
	const char *wishes;
} settings[] = {
	{"off.service", "running", false, 0, "service off.service=running;"},
	{"off.service", "running", true, 0, "service off.service=running;enabled off.service=enabled;"},
	{"irqbalance.service", "stopped", true, 0,
	 "service irqbalance.service=stopped;enabled irqbalance.service=disabled;"},
	{"irqbalance.service", "stopped enabled", true, 0,
	 "service irqbalance.service=stopped;enabled irqbalance.service=enabled;"},
	{"irqbalance.service", "disabled", false, 0, ""},
	{"sshd.service", "running", true, 0, "service ssh.service=running;enabled ssh.service=enabled;"},
	{"numad.service", "running", true, 0, "service numad.service!;enabled numad.service!;"},
	{"numad.service", "stopped", true, 0, "service numad.service=stopped;"},
	{"static.service", "stopped", true, 0, "service static.service=stopped;enabled static.service!;"},
	{"static.service", "masked", true, 0, "enabled static.service=masked;"},
	{"extra.service", "stopped", true, 0, "service extra.service=stopped;enabled extra.service!;"},
	{"gone.service", "stopped", true, 0, "absent"},
	{"off.service", "on", true, -EINVAL, ""},
	{"off.service", "", true, -EINVAL, ""},
	{"off.service", "running stopped", true, -EINVAL, ""},
};

static void resolves_services(void **state)
{
	struct tree t = tree_open(machine);
	struct pit_scene *scene = NULL;

	assert_int_equal(pit_scene_new(t.root, &scene, NULL), 0);
	for (size_t i = 0; i < PIT_COUNT(settings); i++) {
		const struct pit_knob knob = {.id = "service.x", .object = settings[i].object};
		const struct pit_setting s = {.knob = &knob, .value = (char *)settings[i].value};
		struct pit_wishes w = {.persist = settings[i].persist};
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

		assert_int_equal(pit_resolve_service(&s, scene, &w, NULL), settings[i].rc);
		for (size_t k = 0; k < w.wishes; k++)
			pit_buf_printf(&text, "%s %s%s%s;", pit_target(w.wish[k].cell.target)->name,
				       w.wish[k].cell.object, w.wish[k].refuse ? "!" : "=",
				       w.wish[k].refuse ? "" : w.wish[k].value);
		if (w.absent)
			pit_buf_puts(&text, "absent");
		assert_string_equal(text.data, settings[i].wishes);
		pit_wishes_free(&w);
	}
	pit_scene_free(scene);
	tree_close(&t);
}

static void finds_the_unit_in_the_id(void **state)
{
	struct tree t = tree_open(machine);
	const struct pit_knob knob = {.id = "service.off"};
	const struct pit_setting s = {.knob = &knob, .value = (char *)"running"};
	struct pit_scene *scene = NULL;
	struct pit_wishes w = {0};

	assert_int_equal(pit_scene_new(t.root, &scene, NULL), 0);
	assert_int_equal(pit_resolve_service(&s, scene, &w, NULL), 0);
	assert_string_equal(w.wish[0].cell.object, "off.service");
	pit_wishes_free(&w);
	pit_scene_free(scene);
	tree_close(&t);
}

static void writes_no_nonsense(void **state)
{
	struct pit_place *place = NULL;
	const struct pit_cell service = {PIT_TARGET_SERVICE, PIT_VALUE_TEXT, (char *)"a.service"};
	const struct pit_cell enabled = {PIT_TARGET_ENABLED, PIT_VALUE_TEXT, (char *)"a.service"};
	char dir[64];

	tempdir_new(dir, sizeof(dir));
	assert_int_equal(pit_place_rehearse(dir, &place, NULL), 0);
	assert_int_equal(pit_cell_write(place, &service, NULL, NULL), -EINVAL);
	assert_int_equal(pit_cell_write(place, &service, "enabled", NULL), -EINVAL);
	assert_int_equal(pit_cell_write(place, &service, "running", NULL), -EOPNOTSUPP);
	assert_int_equal(pit_cell_write(place, &enabled, "static", NULL), -EINVAL);
	assert_int_equal(pit_cell_write(place, &enabled, NULL, NULL), -EINVAL);
	assert_int_equal(pit_cell_write(place, &enabled, "disabled", NULL), -EOPNOTSUPP);
	pit_place_close(place);
	tempdir_remove(dir);
}

static void prints_shell(void **state)
{
	const struct pit_cell service = {PIT_TARGET_SERVICE, PIT_VALUE_TEXT, (char *)"a b.service"};
	const struct pit_cell enabled = {PIT_TARGET_ENABLED, PIT_VALUE_TEXT, (char *)"a.service"};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_target(service.target)->shell(&service, "stopped", &out);
	pit_target(enabled.target)->shell(&enabled, "enabled", &out);
	pit_target(enabled.target)->shell(&enabled, "masked", &out);
	pit_target(enabled.target)->shell(&enabled, "static", &out);
	assert_string_equal(out.data, "systemctl stop 'a b.service'\n"
				      "systemctl unmask a.service\n"
				      "SYSTEMCTL_SKIP_SYSV=1 systemctl enable a.service\n"
				      "SYSTEMCTL_SKIP_SYSV=1 systemctl mask a.service\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_runs),     cmocka_unit_test(says_nothing_without_systemd),
		cmocka_unit_test(reads_units),        cmocka_unit_test(knows_aliases),
		cmocka_unit_test(resolves_services),  cmocka_unit_test(finds_the_unit_in_the_id),
		cmocka_unit_test(writes_no_nonsense), cmocka_unit_test(prints_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
