/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tree.h"
#include "tune/knob.h"
#include "../tempdir.h"

struct stage {
	char dir[64];
	struct pit_place *place;
};

static int set_up(void **state)
{
	static struct stage s;

	s = (struct stage){.place = NULL};
	tempdir_new(s.dir, sizeof(s.dir));
	tempdir_file(s.dir, "/proc/sys/vm/swappiness", "60\n");
	tempdir_file(s.dir, "/proc/sys/vm/dirty_ratio", "20\n");
	tempdir_file(s.dir, "/proc/sys/vm/dirty_bytes", "0\n");
	tempdir_file(s.dir, "/proc/sys/vm/dirty_background_ratio", "0\n");
	tempdir_file(s.dir, "/proc/sys/vm/dirty_background_bytes", "67108864\n");
	tempdir_file(s.dir, "/proc/sys/kernel/core_pattern", "|/usr/bin/x %p\n");
	tempdir_file(s.dir, "/proc/sys/net/ipv4/conf/eth0.100/arp_ignore", "0\n");
	tempdir_file(s.dir, "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	tempdir_file(s.dir, "/etc/made/file.conf", "a\n");
	tempdir_link(s.dir, "/etc/made/link", "file.conf");
	assert_int_equal(pit_place_rehearse(s.dir, &s.place, NULL), 0);
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	pit_place_close(s->place);
	tempdir_remove(s->dir);
	return 0;
}

#define CELL(target_, kind_, object_)                                                                                  \
	(&(struct pit_cell){.target = (target_), .kind = (kind_), .object = (char[]){object_}})

/* What the cell holds now; the test frees it. */
static char *read_now(struct stage *s, const struct pit_cell *c)
{
	char *value = NULL;

	assert_int_equal(pit_cell_read(pit_place_now(s->place), c, &value, NULL), 0);
	return value;
}

static void assert_holds(struct stage *s, const struct pit_cell *c, const char *expected)
{
	pit_auto_free char *value = read_now(s, c);

	if (expected)
		assert_string_equal(value, expected);
	else
		assert_null(value);
}

static void assert_file(const struct stage *s, const char *path, const char *expected)
{
	pit_auto_free char *text = tree_slurp("%s%s", s->dir, path);

	assert_string_equal(text, expected);
}

static void each_target_has_a_name_of_its_own(void **state)
{
	for (int i = 0; i < PIT_TARGETS; i++) {
		assert_non_null(pit_target((enum pit_target_kind)i));
		assert_int_equal(pit_target_find(pit_target((enum pit_target_kind)i)->name), i);
	}
	assert_int_equal(pit_target_find("none"), -1);
	assert_int_equal(pit_target_find(""), -1);
}

static void cells_are_set_compared_and_freed(void **state)
{
	struct pit_cell a = {0}, b = {0};

	assert_int_equal(pit_cell_set(&a, PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.%s", "swappiness"), 0);
	assert_int_equal(pit_cell_set(&b, PIT_TARGET_KERNEL, PIT_VALUE_INT, "x"), 0);
	assert_false(pit_cell_equal(&a, &b));
	assert_int_equal(pit_cell_set(&b, PIT_TARGET_SYSCTL, PIT_VALUE_INT, "%s", a.object), 0);
	assert_true(pit_cell_equal(&a, &b));
	assert_int_equal(pit_cell_set(&b, PIT_TARGET_SYSCTL, PIT_VALUE_INT, "%s2", b.object), 0);
	assert_string_equal(b.object, "vm.swappiness2");
	pit_cell_free(&a);
	pit_cell_free(&b);
	assert_null(a.object);
}

static void names_cells_for_a_person(void **state)
{
	static const struct {
		enum pit_target_kind target;
		const char *object, *name;
	} names[] = {
		{PIT_TARGET_SYSCTL, "vm.swappiness", "vm.swappiness"},
		{PIT_TARGET_FILE, "/etc/a", "/etc/a"},
		{PIT_TARGET_SWAP, "/dev/sda2", "swap on /dev/sda2"},
		{PIT_TARGET_MOUNT, "size /dev/shm", "size of /dev/shm"},
		{PIT_TARGET_GPU, "persistence GPU-8a56", "persistence of GPU-8a56"},
		{PIT_TARGET_SERVICE, "tuned.service", "service tuned.service"},
		{PIT_TARGET_ENABLED, "tuned.service", "start of tuned.service at boot"},
		{PIT_TARGET_BOOTARG, "iommu", "kernel argument iommu"},
		{PIT_TARGET_MPS, "daemon", "MPS daemon"},
	};
	char out[128];

	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		struct pit_cell c = {.target = names[i].target, .object = (char *)names[i].object};

		assert_string_equal(pit_cell_name(&c, out, sizeof(out)), names[i].name);
	}
	assert_string_equal(pit_cell_name(CELL(PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/long"), out, 5), "/etc");
}

static void quotes_for_a_shell(void **state)
{
	static const struct {
		const char *text, *quoted;
	} words[] = {
		{"vm.swappiness=10", "vm.swappiness=10"},
		{"", "''"},
		{"a b", "'a b'"},
		{"it's", "'it'\\''s'"},
		{"$HOME;`x`", "'$HOME;`x`'"},
		{"*", "'*'"},
	};

	for (size_t i = 0; i < PIT_COUNT(words); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		pit_shell_quote(words[i].text, &out);
		assert_string_equal(out.data, words[i].quoted);
	}
}

static void sysctl_keys_are_read_and_written(void **state)
{
	struct stage *s = *state;
	const struct pit_cell *swappiness = CELL(PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.swappiness");
	const struct pit_cell *vlan = CELL(PIT_TARGET_SYSCTL, PIT_VALUE_INT, "net.ipv4.conf.eth0/100.arp_ignore");
	const struct pit_cell *slashes = CELL(PIT_TARGET_SYSCTL, PIT_VALUE_INT, "net/ipv4/conf/eth0.100/arp_ignore");
	struct pit_error err = PIT_ERROR_INIT;
	char *value = NULL;

	assert_holds(s, swappiness, "60");
	assert_int_equal(pit_cell_write(s->place, swappiness, "10", &err), 0);
	assert_holds(s, swappiness, "10");
	assert_int_equal(pit_cell_write(s->place, vlan, "1", &err), 0);
	assert_holds(s, slashes, "1");
	assert_holds(s, CELL(PIT_TARGET_SYSCTL, PIT_VALUE_TEXT, "kernel.core_pattern"), "|/usr/bin/x %p");
	assert_int_equal(pit_cell_write(s->place, swappiness, NULL, &err), -EINVAL);
	assert_int_equal(
		pit_cell_read(pit_place_now(s->place), CELL(PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.none"), &value, &err),
		-ENOENT);
	assert_non_null(strstr(err.text, "/proc/sys/vm/none"));
	assert_int_equal(pit_cell_read(pit_place_now(s->place),
				       CELL(PIT_TARGET_SYSCTL, PIT_VALUE_INT, "kernel.core_pattern"), &value, &err),
			 -EBADMSG);
	assert_int_equal(pit_cell_write(s->place, CELL(PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm/../../x"), "1", &err),
			 -EINVAL);
	assert_null(value);
}

static void choices_are_read_from_their_brackets(void **state)
{
	struct stage *s = *state;
	const struct pit_cell *thp =
		CELL(PIT_TARGET_KERNEL, PIT_VALUE_CHOICE, "/sys/kernel/mm/transparent_hugepage/enabled");

	assert_holds(s, thp, "madvise");
	assert_int_equal(pit_cell_write(s->place, thp, "always", NULL), 0);
	assert_holds(s, thp, "always");
	assert_int_equal(
		pit_cell_write(s->place, CELL(PIT_TARGET_KERNEL, PIT_VALUE_TEXT, "/etc/made/file.conf"), "x", NULL),
		-EINVAL);
}

static void dirty_limits_are_one_of_two_keys(void **state)
{
	struct stage *s = *state;
	const struct pit_cell *dirty = CELL(PIT_TARGET_DIRTY, PIT_VALUE_WORDS, "vm.dirty");
	const struct pit_cell *background = CELL(PIT_TARGET_DIRTY, PIT_VALUE_WORDS, "vm.dirty_background");
	static const char *const bad[] = {"0", "", "%", "20%%", "many", "-5", "20 %", "99999999999999999999999"};

	assert_holds(s, dirty, "20%");
	assert_holds(s, background, "67108864");
	assert_int_equal(pit_cell_write(s->place, dirty, "40%", NULL), 0);
	assert_file(s, "/proc/sys/vm/dirty_ratio", "40\n");
	assert_file(s, "/proc/sys/vm/dirty_bytes", "0\n");
	assert_int_equal(pit_cell_write(s->place, dirty, "536870912", NULL), 0);
	assert_file(s, "/proc/sys/vm/dirty_bytes", "536870912\n");
	assert_file(s, "/proc/sys/vm/dirty_ratio", "40\n"); /* here the kernel would have cleared it */
	for (size_t i = 0; i < PIT_COUNT(bad); i++)
		assert_int_equal(pit_cell_write(s->place, dirty, bad[i], NULL), -EINVAL);
	assert_int_equal(pit_cell_write(s->place, dirty, NULL, NULL), -EINVAL);
}

static void files_are_values(void **state)
{
	struct stage *s = *state;
	const struct pit_cell *file = CELL(PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/made/new.conf");
	char *value = NULL;

	assert_holds(s, file, NULL);
	assert_int_equal(pit_cell_write(s->place, file, "# ours\n", NULL), 0);
	assert_holds(s, file, "# ours\n");
	assert_int_equal(pit_cell_write(s->place, file, NULL, NULL), 0);
	assert_holds(s, file, NULL);
	assert_int_equal(pit_cell_read(pit_place_now(s->place), CELL(PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/made/link"),
				       &value, NULL),
			 -ELOOP);
	assert_int_equal(tempdir_write(s->dir, "/etc/made/binary", "a\0b", 3), 0);
	assert_int_equal(pit_cell_read(pit_place_now(s->place),
				       CELL(PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/made/binary"), &value, NULL),
			 -EBADMSG);
	assert_holds(s, CELL(PIT_TARGET_FILE, PIT_VALUE_TEXT, "/etc/none/new.conf"), NULL);
}

static void directories_and_links_are_values(void **state)
{
	struct stage *s = *state;
	const struct pit_cell *dir = CELL(PIT_TARGET_DIR, PIT_VALUE_TEXT, "/etc/new.d");
	const struct pit_cell *link = CELL(PIT_TARGET_LINK, PIT_VALUE_TEXT, "/etc/new.d/a.service");
	char *value = NULL;

	assert_holds(s, dir, NULL);
	assert_int_equal(pit_cell_write(s->place, dir, "present", NULL), 0);
	assert_holds(s, dir, "present");
	assert_int_equal(pit_cell_write(s->place, dir, "other", NULL), -EINVAL);
	assert_holds(s, link, NULL);
	assert_int_equal(pit_cell_write(s->place, link, "../a.service", NULL), 0);
	assert_holds(s, link, "../a.service");
	assert_int_equal(pit_cell_write(s->place, dir, NULL, NULL), -ENOTEMPTY);
	assert_int_equal(pit_cell_write(s->place, link, NULL, NULL), 0);
	assert_int_equal(pit_cell_write(s->place, dir, NULL, NULL), 0);
	assert_holds(s, dir, NULL);
	assert_int_equal(pit_cell_read(pit_place_now(s->place),
				       CELL(PIT_TARGET_DIR, PIT_VALUE_TEXT, "/etc/made/file.conf"), &value, NULL),
			 -ENOTDIR);
	assert_int_equal(pit_cell_read(pit_place_now(s->place),
				       CELL(PIT_TARGET_LINK, PIT_VALUE_TEXT, "/etc/made/file.conf"), &value, NULL),
			 -EEXIST);
}

static void says_the_same_in_shell(void **state)
{
	static const struct {
		enum pit_target_kind target;
		const char *object, *value, *lines;
	} shells[] = {
		{PIT_TARGET_SYSCTL, "vm.swappiness", "10", "sysctl -w vm.swappiness=10\n"},
		{PIT_TARGET_SYSCTL, "net.ipv4.tcp_rmem", "1 2 3", "sysctl -w 'net.ipv4.tcp_rmem=1 2 3'\n"},
		{PIT_TARGET_KERNEL, "/sys/a", "never", "echo never > /sys/a\n"},
		{PIT_TARGET_KERNEL, "/sys/a", "-1", "echo -1 > /sys/a\n"},
		{PIT_TARGET_KERNEL, "/sys/a b", "-n", "printf '%s\\n' -n > '/sys/a b'\n"},
		{PIT_TARGET_KERNEL, "/sys/a", "", "printf '%s\\n' '' > /sys/a\n"},
		{PIT_TARGET_DIRTY, "vm.dirty", "20%", "sysctl -w vm.dirty_ratio=20\n"},
		{PIT_TARGET_DIRTY, "vm.dirty_background", "1048576", "sysctl -w vm.dirty_background_bytes=1048576\n"},
		{PIT_TARGET_DIRTY, "vm.dirty", "0%", "sysctl -w vm.dirty_ratio=1\nsysctl -w vm.dirty_ratio=0\n"},
		{PIT_TARGET_FILE, "/etc/a", "x\n", "cat > /etc/a << 'PITCREW_END'\nx\nPITCREW_END\n"},
		{PIT_TARGET_FILE, "/etc/a", "x", "printf %s x > /etc/a\n"},
		{PIT_TARGET_FILE, "/etc/a", "", "printf %s '' > /etc/a\n"},
		{PIT_TARGET_FILE, "/etc/a", "PITCREW_END\n", "printf %s 'PITCREW_END\n' > /etc/a\n"},
		{PIT_TARGET_FILE, "/etc/a", NULL, "rm -f /etc/a\n"},
		{PIT_TARGET_DIR, "/etc/a", "present", "mkdir -p -m 0755 /etc/a\n"},
		{PIT_TARGET_DIR, "/etc/a", NULL, "rmdir /etc/a\n"},
		{PIT_TARGET_LINK, "/etc/a", "../b", "ln -sfn ../b /etc/a\n"},
		{PIT_TARGET_LINK, "/etc/a", NULL, "rm -f /etc/a\n"},
	};

	for (size_t i = 0; i < PIT_COUNT(shells); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		struct pit_cell c = {.target = shells[i].target, .object = (char *)shells[i].object};

		pit_target(c.target)->shell(&c, shells[i].value, &out);
		assert_string_equal(out.data, shells[i].lines);
	}
}

static void only_what_is_on_disk_outlives_a_boot(void **state)
{
	assert_true(pit_target_sysctl.runtime && pit_target_kernel.runtime && pit_target_dirty.runtime);
	assert_false(pit_target_file.runtime || pit_target_dir.runtime || pit_target_link.runtime);
}

static void wishes_are_copies(void **state)
{
	char value[] = "10", why[] = "no", path[64];
	struct pit_wishes w = {.txn = 7};
	const struct pit_cell *c = CELL(PIT_TARGET_SYSCTL, PIT_VALUE_INT, "vm.swappiness");

	assert_int_equal(pit_wish_add(&w, c, value), 0);
	assert_int_equal(pit_wish_add(&w, c, NULL), 0);
	assert_int_equal(pit_wish_refuse(&w, c, "%s way", why), 0);
	assert_int_equal(pit_fragment_add(&w, "/etc/x", "Service", "a=%d", 5), 0);
	assert_int_equal(pit_wishes_absent(&w, "nothing %s", "here"), 0);
	assert_int_equal(pit_wishes_absent(&w, "nothing at all"), 0);
	value[0] = why[0] = c->object[0] = '?';
	assert_int_equal(w.wishes, 3);
	assert_string_equal(w.wish[0].cell.object, "vm.swappiness");
	assert_string_equal(w.wish[0].value, "10");
	assert_null(w.wish[0].refuse);
	assert_null(w.wish[1].value);
	assert_string_equal(w.wish[2].refuse, "no way");
	assert_null(w.wish[2].value);
	assert_string_equal(w.fragment[0].line, "a=5");
	assert_string_equal(w.absent, "nothing at all");
	pit_wishes_free(&w);
	assert_int_equal(w.wishes + w.fragments, 0);
	assert_string_equal(pit_fragment_path("/etc/sysctl.d", ".conf", 7, path, sizeof(path)),
			    "/etc/sysctl.d/99-zz-pitcrew-0007.conf");
}

static void a_scene_is_looked_at_once(void **state)
{
	static const struct tree_file files[] = {
		{.path = "/proc/meminfo", .text = "MemTotal: 1000 kB\nMemAvailable:  500 kB\n"},
		{.path = "/run/systemd/system/x", .text = ""},
		{.path = "/sys/devices/system/cpu/online", .text = "0-3\n"},
		{.path = "/proc/self/mountinfo", .text = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"},
		{.path = NULL},
	};
	struct tree t = tree_open(files);
	const struct pit_topo *topo = NULL, *again = NULL;
	const struct pit_mounts *mounts = NULL;
	const json_t *nvml = NULL;
	struct pit_error err = PIT_ERROR_INIT, second = PIT_ERROR_INIT;
	struct pit_scene *s = NULL;
	int rc;

	assert_int_equal(pit_scene_new(t.root, &s, NULL), 0);
	assert_ptr_equal(pit_scene_root(s), t.root);
	assert_int_equal(pit_scene_memory(s), 1024000);
	assert_int_equal(pit_scene_available(s), 512000);
	assert_true(pit_scene_has_systemd(s));
	assert_false(pit_scene_in_container(s));
	assert_int_equal(pit_scene_topo(s, &topo, NULL), 0);
	assert_int_equal(pit_scene_topo(s, &again, NULL), 0);
	assert_ptr_equal(topo, again);
	assert_int_equal(pit_scene_mounts(s, &mounts, NULL), 0);
	assert_int_equal(mounts->count, 1);
	rc = pit_scene_nvml(s, &nvml, &err);
	assert_true(rc < 0);
	assert_int_equal(pit_scene_nvml(s, &nvml, &second), rc);
	assert_string_equal(err.text, second.text);
	assert_null(nvml);
	pit_scene_free(s);
	pit_scene_free(NULL);
	tree_close(&t);
}

#define IN_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_target_has_a_name_of_its_own),
		cmocka_unit_test(cells_are_set_compared_and_freed),
		cmocka_unit_test(names_cells_for_a_person),
		cmocka_unit_test(quotes_for_a_shell),
		IN_STAGE(sysctl_keys_are_read_and_written),
		IN_STAGE(choices_are_read_from_their_brackets),
		IN_STAGE(dirty_limits_are_one_of_two_keys),
		IN_STAGE(files_are_values),
		IN_STAGE(directories_and_links_are_values),
		cmocka_unit_test(says_the_same_in_shell),
		cmocka_unit_test(only_what_is_on_disk_outlives_a_boot),
		cmocka_unit_test(wishes_are_copies),
		cmocka_unit_test(a_scene_is_looked_at_once),
	};

	return cmocka_run_group_tests_name("tune_target", tests, NULL, NULL);
}
