/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tune/hook.h"
#include "tune_world.h"

static void rows_are_whole(void **state)
{
	for (const struct pit_hook *h = pit_hooks; h->path; h++) {
		assert_int_equal(h->path[0], '/');
		assert_non_null(h->argv);
		assert_non_null(h->argv[0]);
		assert_true(h->seconds > 0);
		/* A boot menu is checked before it is made. */
		if (strstr(h->path, "grub"))
			assert_true(h->vital && h->check);
	}
}

static const struct {
	enum pit_target_kind target;
	const char *object;
	const char *first; /* program of the hook that fits; NULL none */
} cells[] = {
	{PIT_TARGET_FILE, "/etc/systemd/system/pitcrew-tune-0001.service", "systemctl"},
	{PIT_TARGET_DIR, "/etc/systemd/system/slurmd.service.d", "systemctl"},
	{PIT_TARGET_LINK, "/etc/systemd/system/multi-user.target.wants/x.service", "systemctl"},
	{PIT_TARGET_FILE, "/etc/udev/rules.d/99-zz-pitcrew-0001.rules", "udevadm"},
	{PIT_TARGET_FILE, "/etc/default/grub.d/zz.cfg", "grub-mkconfig"},
	{PIT_TARGET_FILE, "/etc/kernel/cmdline", "sh"},
	{PIT_TARGET_FILE, "/etc/kernel/cmdline.d/x", NULL},
	{PIT_TARGET_FILE, "/etc/sysctl.d/99-zz-pitcrew-0001.conf", NULL},
	{PIT_TARGET_FILE, "/etc/systemd/system.conf", NULL},
	{PIT_TARGET_KERNEL, "/etc/udev/rules.d/x", NULL},
};

static void fit_files_below_their_path(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(cells); i++) {
		const struct pit_cell cell = {cells[i].target, PIT_VALUE_TEXT, (char *)cells[i].object};
		const struct pit_hook *found = NULL;

		for (const struct pit_hook *h = pit_hooks; h->path && !found; h++)
			found = pit_hook_fits(h, &cell) ? h : NULL;
		if (cells[i].first)
			assert_string_equal(found->argv[0], cells[i].first);
		else
			assert_null(found);
	}
}

static void run_nothing_in_a_rehearsal(void **state)
{
	const struct pit_cell cell = {PIT_TARGET_FILE, PIT_VALUE_TEXT, (char *)"/etc/systemd/system/a.service"};
	const struct pit_cell *list[] = {&cell};
	struct pit_place *place = NULL;
	pit_auto_strv struct pit_strv notes = {0};
	char dir[64];

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/run/systemd/system/x", "");
	assert_int_equal(pit_place_rehearse(dir, &place, NULL), 0);
	assert_int_equal(pit_hooks_run(place, list, 1, &notes, NULL), 0);
	assert_int_equal(notes.count, 0);
	pit_place_close(place);
	tempdir_remove(dir);
}

static const struct world_change drop_ins[] = {
	{PIT_TARGET_DIR, PIT_VALUE_TEXT, "/etc/systemd/system/slurmd.service.d", NULL, "present", false},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/systemd/system/slurmd.service.d/99-zz-pitcrew-0001.conf", NULL,
	 "[Service]\nLimitMEMLOCK=infinity\n", false},
	{PIT_TARGET_DIR, PIT_VALUE_TEXT, "/etc/default/grub.d", NULL, "present", false},
	{PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/default/grub.d/zz.cfg", NULL, "A=\"$A iommu=pt\"\n", false},
};

static void new_world(struct world *w)
{
	world_new(w, drop_ins, PIT_COUNT(drop_ins));
	world_file(w, "/etc/systemd/system/some.service", "");
	world_file(w, "/etc/default/grub", "");
}

static void count_hooks(const char *step, void *arg)
{
	if (!strcmp(step, "hooks"))
		++*(int *)arg;
}

/* An uninstaller that deletes files and leaves boot menu and systemd as they were has undone nothing. */
static void d05_revert_runs_the_hooks_of_apply(void **state)
{
	struct world w;
	struct pit_revert r = {.restored = 0};
	int applied = 0, reverted = 0;

	new_world(&w);
	assert_int_equal(world_apply(&w, count_hooks, &applied, NULL), 0);
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_CAREFUL, count_hooks, &reverted, &r, NULL), 0);
	assert_int_equal(applied, 2); /* before and after */
	assert_int_equal(reverted, applied);
	for (size_t i = 0; i < PIT_COUNT(drop_ins); i++)
		world_expect(&w, i, NULL);
	pit_revert_free(&r);
	world_free(&w);
}

/* Nor does it fail on files that somebody removed, or on directories that were never made. */
static void d05_removing_what_is_not_there_is_fine(void **state)
{
	struct world w;
	struct pit_revert r = {.restored = 0};

	new_world(&w);
	assert_int_equal(world_apply(&w, NULL, NULL, NULL), 0);
	for (size_t i = PIT_COUNT(drop_ins); i-- > 0;)
		world_put(&w, &w.change[i].cell, NULL);
	assert_int_equal(world_revert(&w, 1, PIT_REVERT_CAREFUL, NULL, NULL, &r, NULL), 0);
	assert_int_equal(r.already, PIT_COUNT(drop_ins));
	assert_int_equal(r.failed, 0);
	pit_revert_free(&r);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(fit_files_below_their_path),
		cmocka_unit_test(run_nothing_in_a_rehearsal),
		cmocka_unit_test(d05_revert_runs_the_hooks_of_apply),
		cmocka_unit_test(d05_removing_what_is_not_there_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
