/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../tempdir.h"
#include "tree.h"
#include "tune/resolve.h"
#include "tune/swaps.h"

#define HEAD "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
#define MEMORY "MemTotal:       16000000 kB\nMemFree:         100000 kB\nMemAvailable:    8000000 kB\n"

/* ---- /proc/swaps ---- */

static void reads_swaps(void **state)
{
	static const char text[] = HEAD "/dev/nvme0n1p3                          partition\t8388604\t\t1024\t\t-2\n"
					"/swap\\040file\\134x                      file\t\t2097148\t\t0\t\t-3\n"
					"/dev/zram0                              partition\t4194300\t\t5\t\t100\n"
					"/old\\040(deleted)                       file\t\t1024\t\t0\t\t5\n";
	pit_auto_swaps struct pit_swaps s = {0};

	assert_int_equal(pit_swaps_parse(text, &s, NULL), 0);
	assert_int_equal(s.count, 4);
	assert_string_equal(s.item[0].name, "/dev/nvme0n1p3");
	assert_true(s.item[0].size == UINT64_C(8388604) << 10 && s.item[0].used == 1 << 20);
	assert_int_equal(s.item[0].priority, -2);
	assert_string_equal(s.item[1].name, "/swap file\\x");
	assert_true(s.item[2].compressed && !s.item[0].compressed);
	assert_true(s.item[3].deleted && !s.item[2].deleted);
	assert_string_equal(s.item[3].name, "/old");
	assert_ptr_equal(pit_swaps_find(&s, "/dev/zram0"), &s.item[2]);
	assert_null(pit_swaps_find(&s, "/dev/zram"));
}

static void refuses_junk_in_swaps(void **state)
{
	static const char *const bad[] = {
		"/dev/a partition 10 20 -2\n", /* more used than there is */
		"/dev/a partition 10 1\n",
		"/dev/a partition x 1 -2\n",
		"/dev/a partition 10 1 -2 more\n",
		"/dev/a partition 10 1 99999\n",
		"/dev/a partition 99999999999999999999999 1 -2\n",
		"/dev/a partition 18446744073709551615 1 -2\n",
		"junk\n",
	};
	struct pit_swaps s = {0};
	struct pit_error err = PIT_ERROR_INIT;

	for (size_t i = 0; i < PIT_COUNT(bad); i++)
		assert_int_equal(pit_swaps_parse(bad[i], &s, &err), -EBADMSG);
	assert_null(s.item);
	assert_string_equal(err.text, "/proc/swaps: cannot read 'junk'");
	assert_int_equal(pit_swaps_parse(HEAD, &s, NULL), 0);
	assert_int_equal(s.count, 0);
	assert_int_equal(pit_swaps_parse("", &s, NULL), 0);
}

static void says_what_fits(void **state)
{
	static const struct {
		const char *meminfo;
		uint64_t used;
		int rc;
	} rows[] = {
		{MEMORY, 0, 0},
		{MEMORY, UINT64_C(7680000) << 10, 0}, /* 8000000 less a fiftieth of 16000000 */
		{MEMORY, (UINT64_C(7680000) << 10) + 1, -ENOMEM},
		{"MemTotal: 1000 kB\nMemAvailable: 65536 kB\n", 0, 0}, /* the margin is 64 MiB at least */
		{"MemTotal: 1000 kB\nMemAvailable: 65535 kB\n", 0, -ENOMEM},
		{"MemTotal: 1000 kB\n", 0, -ENOENT},
		{"MemTotal: 1000 kB\nMemAvailable: x kB\n", 0, -EBADMSG},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		const struct tree_file files[] = {{"/proc/meminfo", rows[i].meminfo}, {NULL, NULL}};
		struct tree t = tree_open(files);
		struct pit_error err = PIT_ERROR_INIT;

		assert_int_equal(pit_swap_fits(t.root, rows[i].used, &err), rows[i].rc);
		if (rows[i].rc == -ENOMEM && rows[i].used)
			assert_string_equal(err.text, "7.3 GiB in swap and a margin of 312.5 MiB do not fit into the "
						      "7.6 GiB of memory that are free");
		tree_close(&t);
	}
}

static void finds_options_in_fstab(void **state)
{
	static const struct tree_file files[] = {
		{"/etc/fstab", "# UUID=1-2 none swap never\nUUID=1-2 none swap sw,discard=once,pri=3 0 0\n"
			       "/dev/mapper/vg-swap none swap defaults 0 0\n/swap\\040file none swap discard\n"
			       "UUID=1-2 /data ext4 noatime 0 2\nshort\n"},
		{"/dev/disk/by-uuid/1-2", "-> ../../sda2"},
		{"/dev/mapper/vg-swap", "-> ../dm-1"},
		{NULL, NULL},
	};
	struct tree t = tree_open(files);
	char text[64];

	pit_swap_fstab(t.root, "/dev/sda2", text, sizeof(text));
	assert_string_equal(text, "sw,discard=once,pri=3");
	pit_swap_fstab(t.root, "/dev/dm-1", text, sizeof(text));
	assert_string_equal(text, "defaults");
	pit_swap_fstab(t.root, "/swap file", text, sizeof(text));
	assert_string_equal(text, "discard");
	pit_swap_fstab(t.root, "/dev/sdb1", text, sizeof(text));
	assert_string_equal(text, "");
	tree_close(&t);
}

/* ---- what settings mean ---- */

struct asked {
	struct pit_wishes wishes;
	struct pit_error err;
	int rc;
};

static struct asked ask(struct tree *t, pit_knob_resolve *resolve, const char *which, const char *value)
{
	const struct pit_knob knob = {.id = "knob"};
	char what[64], chosen[64];
	const struct pit_setting setting = {.knob = &knob, .which = which ? chosen : NULL, .value = what};
	struct asked a = {.rc = 0};
	struct pit_scene *scene = NULL;

	snprintf(what, sizeof(what), "%s", value);
	snprintf(chosen, sizeof(chosen), "%s", which ? which : "");
	assert_int_equal(pit_scene_new(t->root, &scene, NULL), 0);
	a.rc = resolve(&setting, scene, &a.wishes, &a.err);
	pit_scene_free(scene);
	return a;
}

/* "OBJECT=VALUE" or "OBJECT!REASON" of each wish, or "-REASON" of what is absent; lines. */
static char *told(struct asked *a)
{
	struct pit_buf out = PIT_BUF_INIT;

	assert_int_equal(a->rc, 0);
	for (size_t i = 0; i < a->wishes.wishes; i++) {
		const struct pit_wish *w = &a->wishes.wish[i];

		pit_buf_printf(&out, "%s%c%s\n", w->cell.object, w->refuse ? '!' : '=',
			       w->refuse  ? w->refuse
			       : w->value ? w->value
					  : "off");
	}
	if (a->wishes.absent)
		pit_buf_printf(&out, "-%s\n", a->wishes.absent);
	pit_wishes_free(&a->wishes);
	return pit_buf_take(&out);
}

static void means_of_swap(void **state)
{
	static const struct {
		const char *swaps, *which, *told;
	} rows[] = {
		{HEAD, NULL, "-swap is off\n"},
		{HEAD "/dev/a partition 10 1 -2\n", NULL, "/dev/a=off\n"},
		/* the last one that the kernel gave a priority goes first */
		{HEAD "/dev/a partition 10 0 -2\n/dev/b partition 10 0 -4\n/dev/c partition 10 0 -3\n/s file 10 0 7\n",
		 NULL, "/dev/b=off\n/dev/c=off\n/dev/a=off\n/s=off\n"},
		{HEAD "/dev/zram0 partition 10 0 100\n", NULL,
		 "/dev/zram0!/dev/zram0 is compressed memory (zram), no disk; name it to switch it off\n"},
		{HEAD "/dev/zram0 partition 10 0 100\n", "zram*", "/dev/zram0=off\n"},
		{HEAD "/s\\040(deleted) file 10 0 7\n", NULL,
		 "/s!/s was deleted, so it could never be switched on again\n"},
		{HEAD "/dev/a partition 10 0 -2\n/dev/b partition 10 0 -3\n", "/dev/a",
		 "/dev/a!/dev/b stays on, and would take over its priority -2\n"},
		{HEAD "/dev/a partition 10 0 -2\n/dev/b partition 10 0 -3\n", "b", "/dev/b=off\n"},
		{HEAD "/dev/a partition 10 0 3\n/dev/b partition 10 0 2\n", "a", "/dev/a=off\n"},
		{HEAD "/dev/a partition 10 0 3\n", "/dev/x", "-nothing is swapped to '/dev/x'\n"},
		/* the second does not fit any more when the first is back in memory */
		{HEAD "/dev/a partition 9000000 7000000 5\n/dev/b partition 9000000 1000000 4\n", NULL,
		 "/dev/a=off\n/dev/b!7.6 GiB in swap and a margin of 312.5 MiB do not fit into the 7.6 GiB of memory that are "
		 "free\n"},
		{HEAD "/dev/a partition 9 9 -2\n/dev/b partition 9000000 8000000 -3\n", NULL,
		 "/dev/b!7.6 GiB in swap and a margin of 312.5 MiB do not fit into the 7.6 GiB of memory that are free\n"
		 "/dev/a!/dev/b stays on, and would take over its priority -2\n"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		const struct tree_file files[] = {
			{"/proc/swaps", rows[i].swaps}, {"/proc/meminfo", MEMORY}, {NULL, NULL}};
		struct tree t = tree_open(files);
		struct asked a = ask(&t, pit_resolve_swap, rows[i].which, "off");
		pit_auto_free char *text = told(&a);

		assert_string_equal(text, rows[i].told);
		tree_close(&t);
	}
}

static void swap_only_goes_off(void **state)
{
	static const struct tree_file files[] = {{"/proc/meminfo", MEMORY}, {NULL, NULL}};
	struct tree t = tree_open(files);
	struct asked a = ask(&t, pit_resolve_swap, NULL, "on");
	pit_auto_free char *text = NULL;

	assert_int_equal(a.rc, -EINVAL);
	a = ask(&t, pit_resolve_swap, NULL, "off");
	text = told(&a);
	assert_string_equal(text, "-this kernel has no swap\n");
	tree_close(&t);
}

static const char mountinfo[] = "20 1 259:2 / / rw,relatime - ext4 /dev/nvme0n1p2 rw\n"
				"21 20 259:1 / /boot rw,nosuid,relatime - ext4 /dev/nvme0n1p1 rw\n"
				"22 20 259:3 / /data rw,noatime,nodiratime - xfs /dev/nvme1n1 rw,attr2\n"
				"23 20 259:4 / /my\\040data rw,nodev - xfs /dev/nvme2n1 rw\n"
				"24 20 259:5 / /ro ro,relatime - ext4 /dev/sdb1 ro\n"
				"25 20 0:50 / /nfs rw,relatime - nfs4 srv:/x rw,vers=4.2\n"
				"26 20 0:50 /sub /nfs2 rw,relatime - nfs4 srv:/x/sub rw,vers=4.2\n"
				"27 20 0:51 / /nfs3 rw,relatime - nfs srv:/y rw,vers=3\n"
				"28 20 0:24 / /dev/shm rw,nosuid,nodev - tmpfs tmpfs rw,size=65536k,inode64\n"
				"29 20 0:25 / /run rw,nosuid - tmpfs tmpfs rw,size=50%\n"
				"30 20 0:26 / /half rw,relatime - tmpfs tmpfs rw,inode64\n"
				"31 20 259:3 /pods/a /var/lib/kubelet/pods/a rw,relatime - xfs /dev/nvme1n1 rw,attr2\n"
				"32 20 0:27 / /proc rw,relatime - proc proc rw\n"
				"33 20 0:28 / /var/lib/docker/overlay2/x/merged rw,relatime - overlay overlay rw\n"
				"34 20 0:29 / /free rw,relatime - tmpfs tmpfs rw,size=0k\n"
				"35 20 259:9 / /under rw,relatime - ext4 /dev/sdc1 rw\n"
				"36 35 259:8 / /under rw,noatime - ext4 /dev/sdc2 rw\n";

static struct tree mounted(void)
{
	static const struct tree_file files[] = {
		{"/.pitcrew/format", "1\n"},
		{"/proc/self/mountinfo", mountinfo},
		{"/proc/meminfo", MEMORY},
		{"/sys/class/bdi/0:50/read_ahead_kb", "128\n"},
		{"/sys/class/bdi/0:51/read_ahead_kb", "16384\n"},
		{"/.pitcrew/fact/page-size", "4096\n"},
		{"/.pitcrew/statfs/%2Fdev%2Fshm", "16914836 4096 16384 8192 8192 0 0 0\n"},
		{"/.pitcrew/statfs/%2Fhalf", "16914836 4096 2000000 2000000 2000000 0 0 0\n"},
		{"/.pitcrew/statfs/%2Ffree", "16914836 4096 0 0 0 0 0 0\n"},
		{"/.pitcrew/missing", "2 link /dev/shm\n2 link /free\n2 link /half\n2 link /data\n"},
		{NULL, NULL},
	};

	return tree_open(files);
}

static void reads_options_of_mounts(void **state)
{
	static const struct {
		const char *object, *value; /* value NULL: an error with `rc` */
		int rc;
	} rows[] = {
		{"atime /", "relatime", 0},
		{"atime /data", "noatime,nodiratime", 0},
		{"atime /my data", "strictatime", 0},
		{"atime /under", "noatime", 0},
		{"atime /nothing", NULL, -ENOENT},
		{"atime /data/sub", NULL, -ENOENT},
		{"size /dev/shm", "67108864", 0},
		{"size /half", "8192000000", 0}, /* not shown by the kernel, so from statfs */
		{"size /free", "0", 0},
		{"size /run", NULL, -EBADMSG},
		{"size /data", NULL, -EOPNOTSUPP},
		{"owner /data", NULL, -EINVAL},
		{"atime data", NULL, -EINVAL},
	};
	struct tree t = mounted();

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_cell cell = {0};
		pit_auto_free char *value = NULL;

		assert_int_equal(pit_cell_set(&cell, PIT_TARGET_MOUNT, PIT_VALUE_TEXT, "%s", rows[i].object), 0);
		assert_int_equal(pit_cell_read(t.root, &cell, &value, NULL), rows[i].rc);
		if (rows[i].value)
			assert_string_equal(value, rows[i].value);
		else
			assert_null(value);
		pit_cell_free(&cell);
	}
	tree_close(&t);
}

static void means_of_noatime(void **state)
{
	static const struct {
		const char *which, *value, *told;
	} rows[] = {
		{NULL, "noatime",
		 "atime /=noatime\natime /boot=noatime\natime /data=noatime,nodiratime\natime /my data=noatime\n"
		 "atime /under=noatime\n"},
		{"/data", "relatime", "atime /data=relatime,nodiratime\n"},
		{"/nfs", "noatime",
		 "atime /nfs!/nfs (nfs4) is a network file system, whose server keeps the access times\n"},
		{"/ro", "noatime", "atime /ro!/ro (ext4) is read-only, so nothing writes access times\n"},
		{"/proc", "noatime", "atime /proc!/proc (proc) is no file system that holds data\n"},
		{"/dev/shm", "noatime", "atime /dev/shm!/dev/shm (tmpfs) is on no disk of this machine\n"},
		{"/nothing", "noatime", "-nothing is mounted on /nothing\n"},
	};
	struct tree t = mounted();
	struct asked a;

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_free char *text = NULL;

		a = ask(&t, pit_resolve_mount, rows[i].which, rows[i].value);
		text = told(&a);
		assert_string_equal(text, rows[i].told);
	}
	a = ask(&t, pit_resolve_mount, NULL, "nosuid");
	assert_int_equal(a.rc, -EINVAL);
	tree_close(&t);
}

static void means_of_shm(void **state)
{
	static const struct {
		const char *which, *value, *told;
	} rows[] = {
		{NULL, "50% memory", "size /dev/shm=8192000000\n"},
		{NULL, "1G", "size /dev/shm=1073741824\n"},
		{NULL, "1000000001", "size /dev/shm=999997440\n"}, /* whole pages */
		{NULL, "67109000", "size /dev/shm=67108864\n"},    /* what is there, but for less than a page */
		{NULL, ">=67104769", "size /dev/shm=67108864\n"},
		{NULL, "64M", "size /dev/shm=67108864\n"},
		{NULL, "16M", "size /dev/shm!32 MiB of /dev/shm are in use, more than 16 MiB\n"},
		{NULL, "91% memory", "size /dev/shm!13.9 GiB are more than 90% of the memory, which is 15.3 GiB\n"},
		{"/half", "1G", "size /half=1073741824\n"},
		{"/free", "1G", "size /free!/free has no limit, and the kernel gives none to a mounted tmpfs\n"},
		{"/data", "1G", "-no tmpfs is mounted on /data\n"},
		{"/dev/shm/x", "1G", "-no tmpfs is mounted on /dev/shm/x\n"},
	};
	struct tree t = mounted();
	struct asked a;

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_free char *text = NULL;

		a = ask(&t, pit_resolve_shm, rows[i].which, rows[i].value);
		text = told(&a);
		assert_string_equal(text, rows[i].told);
	}
	a = ask(&t, pit_resolve_shm, NULL, "much");
	assert_int_equal(a.rc, -EINVAL);
	a = ask(&t, pit_resolve_shm, NULL, "0");
	assert_int_equal(a.rc, -EINVAL);
	tree_close(&t);
}

static void means_of_nfs_readahead(void **state)
{
	static const struct {
		const char *which, *value, *told;
	} rows[] = {
		{NULL, "15360", /* /nfs and /nfs2 are one */
		 "/sys/class/bdi/0:50/read_ahead_kb=15360\n/sys/class/bdi/0:51/read_ahead_kb=15360\n"},
		{NULL, ">=15360", "/sys/class/bdi/0:50/read_ahead_kb=15360\n/sys/class/bdi/0:51/read_ahead_kb=16384\n"},
		{"/nfs3", "15360", "/sys/class/bdi/0:51/read_ahead_kb=15360\n"},
		{"/data", "15360", "-no NFS is mounted here\n"},
	};
	struct tree t = mounted();

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct asked a = ask(&t, pit_resolve_nfs_readahead, rows[i].which, rows[i].value);
		pit_auto_free char *text = told(&a);

		assert_string_equal(text, rows[i].told);
	}
	tree_close(&t);
}

/* ---- targets ---- */

static void rehearses_nothing_that_is_no_file(void **state)
{
	static const struct {
		enum pit_target_kind target;
		const char *object, *value;
		int rc;
	} rows[] = {
		{PIT_TARGET_SWAP, "/dev/a", NULL, -EOPNOTSUPP},
		{PIT_TARGET_SWAP, "/dev/a", "priority -2", -EOPNOTSUPP},
		{PIT_TARGET_SWAP, "/dev/a", "on", -EINVAL},
		{PIT_TARGET_SWAP, "/dev/a", "priority 99999", -EINVAL},
		{PIT_TARGET_MOUNT, "atime /data", "noatime", -EOPNOTSUPP},
		{PIT_TARGET_MOUNT, "atime /data", NULL, -EINVAL},
		{PIT_TARGET_MOUNT, "size /dev/shm", "1", -EOPNOTSUPP},
	};
	struct tree t = mounted();
	struct pit_place *place = NULL;

	assert_int_equal(pit_place_rehearse(t.dir, &place, NULL), 0);
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_cell cell = {0};

		assert_int_equal(pit_cell_set(&cell, rows[i].target, PIT_VALUE_TEXT, "%s", rows[i].object), 0);
		assert_int_equal(pit_cell_write(place, &cell, rows[i].value, NULL), rows[i].rc);
		pit_cell_free(&cell);
	}
	pit_place_close(place);
	tree_close(&t);
}

static void reads_the_state_of_swap(void **state)
{
	static const struct tree_file files[] = {
		{"/proc/swaps", HEAD "/dev/a partition 10 1 -2\n/my\\040file file 10 0 5\n"}, {NULL, NULL}};
	static const struct {
		const char *object, *value;
	} rows[] = {{"/dev/a", "priority -2"}, {"/my file", "priority 5"}, {"/dev/b", NULL}};
	struct tree t = tree_open(files);

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_cell cell = {0};
		pit_auto_free char *value = NULL;

		assert_int_equal(pit_cell_set(&cell, PIT_TARGET_SWAP, PIT_VALUE_TEXT, "%s", rows[i].object), 0);
		assert_int_equal(pit_cell_read(t.root, &cell, &value, NULL), 0);
		assert_true(pit_value_equal(PIT_VALUE_TEXT, value, rows[i].value));
		pit_cell_free(&cell);
	}
	tree_close(&t);
}

static void prints_commands(void **state)
{
	static const struct {
		enum pit_target_kind target;
		const char *object, *value, *shell;
	} rows[] = {
		{PIT_TARGET_SWAP, "/dev/a", NULL, "swapoff /dev/a\n"},
		{PIT_TARGET_SWAP, "/my file", "priority 5", "swapon -p 5 '/my file'\n"},
		{PIT_TARGET_SWAP, "/dev/a", "priority -2", "swapon /dev/a\n"},
		{PIT_TARGET_MOUNT, "atime /my data", "noatime", "mount -o remount,noatime '/my data'\n"},
		{PIT_TARGET_MOUNT, "size /dev/shm", "1073741824", "mount -o remount,size=1073741824 /dev/shm\n"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_cell cell = {0};
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		assert_int_equal(pit_cell_set(&cell, rows[i].target, PIT_VALUE_TEXT, "%s", rows[i].object), 0);
		pit_target(rows[i].target)->shell(&cell, rows[i].value, &out);
		assert_string_equal(out.data, rows[i].shell);
		pit_cell_free(&cell);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_swaps),
		cmocka_unit_test(refuses_junk_in_swaps),
		cmocka_unit_test(says_what_fits),
		cmocka_unit_test(finds_options_in_fstab),
		cmocka_unit_test(means_of_swap),
		cmocka_unit_test(swap_only_goes_off),
		cmocka_unit_test(reads_options_of_mounts),
		cmocka_unit_test(means_of_noatime),
		cmocka_unit_test(means_of_shm),
		cmocka_unit_test(means_of_nfs_readahead),
		cmocka_unit_test(rehearses_nothing_that_is_no_file),
		cmocka_unit_test(reads_the_state_of_swap),
		cmocka_unit_test(prints_commands),
	};

	return cmocka_run_group_tests_name("tune_system", tests, NULL, NULL);
}
