/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/mounts.h"
#include "tree.h"

static const struct {
	const char *line;
	const char *target, *type, *source, *super; /* target NULL: no mountinfo line */
} lines[] = {
	{"251 15 0:3573 / /mnt/point rw,relatime - aufs none rw", "/mnt/point", "aufs", "none", "rw"},
	{"251 15 0:3573 / /mnt/point rw shared:1 master:2 - aufs none rw,a=b", "/mnt/point", "aufs", "none", "rw,a=b"},
	{"251 15 0:3573 / /a\\040b\\134c rw - ext4 /dev/x\\040y rw", "/a b\\c", "ext4", "/dev/x y", "rw"},
	{"279 23 0:108 / /tmp/bb rw,relatime - tmpfs  rw", "/tmp/bb", "tmpfs", "", "rw"},
	{"251 15 0:3573 / /m rw - aufs none rw,unc=buggy but we cope", "/m", "aufs", "none", "rw,unc=buggy"},
	{"251 15 0:3573 / /mnt/point rw,relatime aufs none rw", NULL, NULL, NULL, NULL},
	{"251 15 0:3573 / /mnt/point rw,relatime - aufs none", NULL, NULL, NULL, NULL},
	{"251 15 0:3573 / /mnt/point rw,relatime shared:1 aufs none rw", NULL, NULL, NULL, NULL},
	{"251 15 0 / /mnt/point rw - aufs none rw", NULL, NULL, NULL, NULL},
	{"251 15 0:1 / mnt rw - aufs none rw", NULL, NULL, NULL, NULL},
	{"a b 0:1 / /mnt rw - aufs none rw", NULL, NULL, NULL, NULL},
	{"junk", NULL, NULL, NULL, NULL},
};

static void parses_lines(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(lines); i++) {
		struct pit_mounts m = {0};

		assert_int_equal(pit_mounts_parse(lines[i].line, &m, NULL), lines[i].target ? 0 : -EBADMSG);
		assert_int_equal(m.count, lines[i].target ? 1 : 0);
		if (!lines[i].target)
			continue;
		assert_string_equal(m.item[0].target, lines[i].target);
		assert_string_equal(m.item[0].type, lines[i].type);
		assert_string_equal(m.item[0].source, lines[i].source);
		assert_string_equal(m.item[0].super_options, lines[i].super);
		assert_string_equal(m.item[0].file, "/proc/self/mountinfo");
		pit_mounts_free(&m);
	}
}

static const char table[] = "1 0 8:1 / / rw,noatime - ext4 /dev/sda1 rw,errors=remount-ro\n"
			    "junk\n"
			    "2 1 0:5 / /data ro - nfs4 srv:/x rw,vers=4.2,nconnect=8\n"
			    "3 2 0:6 / /data rw - fuse.sshfs u@h: rw,user_id=0\n"
			    "4 1 0:7 / /data/in rw - proc proc rw\n";

static void finds_mounts(void **state)
{
	struct pit_mounts m = {0};
	const char *value = NULL;

	assert_int_equal(pit_mounts_parse(table, &m, NULL), 0);
	assert_int_equal(m.count, 4);
	assert_int_equal(m.malformed, 1);
	assert_string_equal(pit_mounts_find(&m, "/data/file")->type, "fuse.sshfs");
	assert_string_equal(pit_mounts_find(&m, "/data/in/x")->type, "proc");
	assert_string_equal(pit_mounts_find(&m, "/data/inside")->type, "fuse.sshfs");
	assert_string_equal(pit_mounts_find(&m, "/database")->type, "ext4");
	assert_null(pit_mounts_find(&m, "relative"));
	assert_true(pit_mount_option(&m.item[1], "nconnect", &value));
	assert_memory_equal(value, "8", 1);
	assert_true(pit_mount_option(&m.item[1], "ro", &value));
	assert_string_equal(value, "");
	assert_false(pit_mount_option(&m.item[1], "vers=4", NULL));
	assert_false(pit_mount_option(&m.item[0], "error", NULL));
	assert_true(pit_mount_is_network(&m.item[1]));
	assert_true(pit_mount_is_network(&m.item[2]));
	assert_false(pit_mount_is_network(&m.item[0]));
	assert_true(pit_mount_is_pseudo(&m.item[3]));
	pit_mounts_free(&m);
}

static void loads_either_file(void **state)
{
	static const struct tree_file old[] = {
		{"/proc/mounts", "/dev/x / ext4 rw,noatime 0 0\nsrv:/a\\040b /a\\040b nfs rw,vers=3 0 0\njunk\n"},
		{NULL, NULL},
	};
	static const struct tree_file none[] = {{"/proc/uptime", "1 1\n"}, {NULL, NULL}};
	struct tree t = tree_open(old);
	struct pit_mounts m = {0};

	assert_int_equal(t.mounts.count, 2);
	assert_string_equal(t.mounts.item[1].file, "/proc/mounts");
	assert_string_equal(t.mounts.item[0].root, "/");
	assert_string_equal(t.mounts.item[1].target, "/a b");
	assert_string_equal(t.mounts.item[1].source, "srv:/a b");
	assert_true(pit_mount_option(&t.mounts.item[1], "vers", NULL));
	tree_close(&t);
	t = tree_open(none);
	assert_int_equal(pit_mounts_load(t.root, &m, NULL), -ENOENT);
	assert_null(m.item);
	tree_close(&t);
}

/* "VERDICT <tab> CASE <tab> LINE" */
static void agrees_with_moby(void **state)
{
	char dir[512], *save = NULL;
	const char *path = tree_cases("malformed/vectors/mountinfo-vectors.tsv", dir, sizeof(dir));
	pit_auto_free char *text = path ? tree_slurp("%s", path) : NULL;
	size_t seen = 0;

	if (!path)
		skip();
	assert_non_null(text);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool valid = !strncmp(line, "valid\t", 6);
		char *info = strrchr(line, '\t');
		struct pit_mounts m = {0};

		if (!valid && strncmp(line, "invalid\t", 8) != 0)
			continue;
		assert_int_equal(pit_mounts_parse(info + 1, &m, NULL), valid ? 0 : -EBADMSG);
		pit_mounts_free(&m);
		seen++;
	}
	assert_true(seen >= 7);
}

static void knows_which_are_covered(void **state)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	struct pit_mounts m;

	pit_buf_puts(&text, "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /d rw - ext4 /dev/b rw\n"
			    "3 2 8:3 / /d rw - ext4 /dev/c rw\n4 3 8:4 / /d/e rw - ext4 /dev/d rw\n");
	assert_int_equal(pit_mounts_parse(text.data, &m, NULL), 0);
	for (size_t i = 0; i < m.count; i++) {
		assert_int_equal(m.item[i].covered, i == 1);
		assert_int_equal(m.item[i].covered, pit_mounts_find(&m, m.item[i].target) != &m.item[i]);
	}
	pit_mounts_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_lines),      cmocka_unit_test(finds_mounts),
		cmocka_unit_test(loads_either_file), cmocka_unit_test(knows_which_are_covered),
		cmocka_unit_test(agrees_with_moby),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
