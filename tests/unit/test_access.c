/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

#include "check/access.h"
#include "check/walk.h"
#include "tree.h"

#define R PIT_ACCESS_READ
#define W PIT_ACCESS_WRITE
#define X PIT_ACCESS_EXEC
#define YES PIT_ACCESS_ALLOWED
#define NO PIT_ACCESS_DENIED
#define MAYBE PIT_ACCESS_UNKNOWN

static const struct {
	const char *what;
	size_t len;
	unsigned char bytes[40];
	int rc;
	size_t count;
} acls[] = {
	{.what = "empty", .len = 0, .rc = -EBADMSG},
	{.what = "header only", .len = 4, .bytes = {2, 0, 0, 0}, .rc = 0, .count = 0},
	{.what = "version 1", .len = 4, .bytes = {1, 0, 0, 0}, .rc = -EBADMSG},
	{.what = "cut", .len = 11, .bytes = {2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff}, .rc = -EBADMSG},
	{.what = "two tags", .len = 12, .bytes = {2, 0, 0, 0, 3, 0, 7, 0, 0, 0, 0, 0}, .rc = -EBADMSG},
	{.what = "no tag", .len = 12, .bytes = {2, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0}, .rc = -EBADMSG},
	{.what = "permission 8", .len = 12, .bytes = {2, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0, 0}, .rc = -EBADMSG},
	{.what = "a named user",
	 .len = 20,
	 .bytes = {2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 5, 0, 0xe8, 3, 0, 0},
	 .rc = 0,
	 .count = 2},
};

static void parses_acls(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(acls); i++) {
		static struct pit_acl acl;
		int rc;

		acl = (struct pit_acl){.count = 99};
		rc = pit_acl_parse(acls[i].bytes, acls[i].len, &acl);
		if (rc != acls[i].rc || acl.count != (rc ? 99 : acls[i].count))
			fail_msg("%s: %d, %zu entries", acls[i].what, rc, acl.count);
	}
	struct pit_acl acl;

	assert_int_equal(pit_acl_parse(acls[7].bytes, 20, &acl), 0);
	assert_int_equal(acl.item[1].tag, PIT_ACL_USER);
	assert_int_equal(acl.item[1].perm, 5);
	assert_int_equal(acl.item[1].id, 1000);
}

static void prints_modes(void **state)
{
	char text[12];

	assert_string_equal(pit_mode_text(S_IFDIR | 01777, text), "drwxrwxrwt");
	assert_string_equal(pit_mode_text(S_IFDIR | 02750, text), "drwxr-s---");
	assert_string_equal(pit_mode_text(S_IFREG | 04644, text), "-rwSr--r--");
	assert_string_equal(pit_mode_text(S_IFCHR | 0660, text), "crw-rw----");
}

/* Alice is 1000:1000 and in group 2000 (research); Bob is 1001. */
static const struct pit_user alice = {.name = "alice", .uid = 1000, .gid = 1000, .group = {2000}, .groups = 1};
static const struct pit_user bob = {.name = "bob", .uid = 1001, .gid = 1001};
static const struct pit_user root_user = {.name = "root", .override = true};

#define MOUNT(where, kind, flags, super)                                                                               \
	{                                                                                                              \
		.target = (char *)(where), .type = (char *)(kind), .options = (char *)(flags),                         \
		.super_options = (char *)(super), .source = (char *)"", .root = (char *)"/"                            \
	}
static struct pit_mount ext4 = MOUNT("/", "ext4", "rw,relatime", "rw");
static struct pit_mount ext4_ro = MOUNT("/ro", "ext4", "ro,relatime", "ro");
static struct pit_mount noexec = MOUNT("/tmp", "tmpfs", "rw,nosuid,nodev,noexec", "rw");
static struct pit_mount nfs = MOUNT("/nfs", "nfs4", "rw", "rw,sec=sys");
static struct pit_mount fuse = MOUNT("/f", "fuse.sshfs", "rw", "rw,user_id=1000");
static struct pit_mount fuse_all = MOUNT("/f", "fuse.s3fs", "rw", "rw,user_id=0,allow_other");

/* u::rwx u:1001:r-x g::--- g:2000:rwx m::r-x o::--- */
static struct pit_acl acl = {
	.item =
		{
			{.tag = PIT_ACL_USER_OBJ, .perm = 7, .id = -1},
			{.tag = PIT_ACL_USER, .perm = 5, .id = 1001},
			{.tag = PIT_ACL_GROUP_OBJ, .perm = 0, .id = -1},
			{.tag = PIT_ACL_GROUP, .perm = 7, .id = 2000},
			{.tag = PIT_ACL_MASK, .perm = 5, .id = -1},
			{.tag = PIT_ACL_OTHER, .perm = 0, .id = -1},
		},
	.count = 6,
};

#define DIR_STEP(p, m, u, g)                                                                                           \
	{                                                                                                              \
		.path = (p), .mode = S_IFDIR | (m), .uid = (u), .gid = (g), .mount = &ext4, .acl_known = true          \
	}
#define ROOT_STEP DIR_STEP("/", 0755, 0, 0)

static const struct {
	const char *what;
	struct pit_access_step step[3];
	const struct pit_user *user;
	unsigned want;
	enum pit_access_verdict verdict;
	const char *at, *reason, *fix; /* parts; NULL: not looked at */
	bool partial_map;
	int rc;
} cases[] = {
	{.what = "others may list",
	 .step = {ROOT_STEP, DIR_STEP("/d", 0755, 0, 0)},
	 .user = &bob,
	 .want = R,
	 .verdict = YES},
	{.what = "others may not write",
	 .step = {ROOT_STEP, DIR_STEP("/d", 0755, 0, 0)},
	 .user = &bob,
	 .want = W,
	 .verdict = NO,
	 .at = "/d",
	 .reason = "bob may not create files in it: drwxr-xr-x",
	 .fix = "setfacl -m u:bob:rwx '/d'"},
	{.what = "a closed directory on the way",
	 .step = {ROOT_STEP, DIR_STEP("/home", 0700, 1000, 1000), DIR_STEP("/home/d", 0777, 0, 0)},
	 .user = &bob,
	 .want = R,
	 .verdict = NO,
	 .at = "/home",
	 .reason = "pass through it",
	 .fix = "setfacl -m u:bob:x '/home'"},
	{.what = "the owner's bits count although others have more",
	 .step = {ROOT_STEP, DIR_STEP("/d", 0077, 1000, 1000)},
	 .user = &alice,
	 .want = R,
	 .verdict = NO,
	 .reason = "owner's bits",
	 .fix = "chmod u+r '/d'"},
	{.what = "a group's bits count although others have more",
	 .step = {ROOT_STEP, DIR_STEP("/d", 0705, 0, 2000)},
	 .user = &alice,
	 .want = R,
	 .verdict = NO,
	 .fix = "chmod g+r '/d'"},
	{.what = "a supplementary group opens",
	 .step = {ROOT_STEP, DIR_STEP("/d", 02770, 0, 2000)},
	 .user = &alice,
	 .want = W,
	 .verdict = YES},
	{.what = "membership is the fix",
	 .step = {ROOT_STEP,
		  {.path = "/d", .mode = S_IFDIR | 02770, .uid = 0, .gid = 2000, .group = "research", .mount = &ext4}},
	 .user = &bob,
	 .want = W,
	 .verdict = NO,
	 .fix = "usermod -aG research bob"},
	{.what = "no advice to join docker",
	 .step = {ROOT_STEP,
		  {.path = "/d", .mode = S_IFDIR | 0770, .uid = 0, .gid = 999, .group = "docker", .mount = &ext4}},
	 .user = &bob,
	 .want = R,
	 .verdict = NO,
	 .fix = "setfacl -m u:bob:r '/d'"},
	{.what = "no advice to open the system",
	 .step = {ROOT_STEP, {.path = "/etc/shadow", .mode = S_IFREG | 0600, .mount = &ext4}},
	 .user = &bob,
	 .want = R,
	 .verdict = NO,
	 .fix = ""},
	{.what = "root passes",
	 .step = {ROOT_STEP, DIR_STEP("/d", 0, 5, 5)},
	 .user = &root_user,
	 .want = W,
	 .verdict = YES},
	{.what = "root cannot execute data",
	 .step = {ROOT_STEP, {.path = "/x", .mode = S_IFREG | 0644, .mount = &ext4}},
	 .user = &root_user,
	 .want = X,
	 .verdict = NO,
	 .reason = "no program"},
	{.what = "root in a container has no power over ids that are not mapped",
	 .step = {ROOT_STEP, DIR_STEP("/d", 0700, 65534, 65534)},
	 .user = &root_user,
	 .want = R,
	 .verdict = NO,
	 .reason = "not mapped into this container",
	 .partial_map = true},
	{.what = "root on NFS is perhaps nobody",
	 .step = {ROOT_STEP, {.path = "/nfs", .mode = S_IFDIR | 0700, .uid = 1000, .gid = 1000, .mount = &nfs}},
	 .user = &root_user,
	 .want = R,
	 .verdict = MAYBE,
	 .reason = "squashes root"},
	{.what = "an ACL names the user",
	 .step = {ROOT_STEP, {.path = "/d", .mode = S_IFDIR | 0750, .acl = &acl, .acl_known = true, .mount = &ext4}},
	 .user = &bob,
	 .want = R,
	 .verdict = YES},
	{.what = "an ACL names the user and gives too little",
	 .step = {ROOT_STEP, {.path = "/d", .mode = S_IFDIR | 0750, .acl = &acl, .acl_known = true, .mount = &ext4}},
	 .user = &bob,
	 .want = W,
	 .verdict = NO,
	 .reason = "ACL names bob",
	 .fix = "setfacl -m u:bob:rwx '/d'"},
	{.what = "the mask takes it away",
	 .step = {ROOT_STEP, {.path = "/d", .mode = S_IFDIR | 0750, .acl = &acl, .acl_known = true, .mount = &ext4}},
	 .user = &alice,
	 .want = W,
	 .verdict = NO,
	 .reason = "mask",
	 .fix = "setfacl -m m::rwx '/d'"},
	{.what = "a named group opens",
	 .step = {ROOT_STEP, {.path = "/d", .mode = S_IFDIR | 0750, .acl = &acl, .acl_known = true, .mount = &ext4}},
	 .user = &alice,
	 .want = R,
	 .verdict = YES},
	{.what = "read-only mount, also for root",
	 .step = {ROOT_STEP, {.path = "/ro", .mode = S_IFDIR | 0777, .mount = &ext4_ro}},
	 .user = &root_user,
	 .want = W,
	 .verdict = NO,
	 .reason = "/ro is mounted read-only",
	 .fix = "mount -o remount,rw '/ro'"},
	{.what = "immutable",
	 .step = {ROOT_STEP, {.path = "/d", .mode = S_IFDIR | 0777, .immutable = true, .mount = &ext4}},
	 .user = &root_user,
	 .want = W,
	 .verdict = NO,
	 .fix = "chattr -i '/d'"},
	{.what = "noexec",
	 .step = {ROOT_STEP, {.path = "/tmp/x", .mode = S_IFREG | 0755, .mount = &noexec}},
	 .user = &alice,
	 .want = X,
	 .verdict = NO,
	 .reason = "noexec"},
	{.what = "noexec does not close directories",
	 .step = {ROOT_STEP, {.path = "/tmp", .mode = S_IFDIR | 01777, .mount = &noexec}},
	 .user = &alice,
	 .want = X,
	 .verdict = YES},
	{.what = "nodev closes devices",
	 .step = {ROOT_STEP, {.path = "/tmp/nv", .mode = S_IFCHR | 0666, .mount = &noexec}},
	 .user = &alice,
	 .want = R,
	 .verdict = NO,
	 .reason = "nodev"},
	{.what = "sticky is a reserve",
	 .step = {ROOT_STEP, DIR_STEP("/d", 01777, 0, 0)},
	 .user = &alice,
	 .want = W,
	 .verdict = YES,
	 .reason = "sticky"},
	{.what = "another user's FUSE mount is closed to root",
	 .step = {ROOT_STEP, {.path = "/f", .mode = S_IFDIR | 0777, .mount = &fuse}},
	 .user = &root_user,
	 .want = R,
	 .verdict = NO,
	 .reason = "allow_other"},
	{.what = "a FUSE daemon has the last word",
	 .step = {ROOT_STEP, {.path = "/f", .mode = S_IFDIR | 0700, .mount = &fuse_all}},
	 .user = &bob,
	 .want = R,
	 .verdict = MAYBE,
	 .reason = "daemon decides"},
	{.what = "not there",
	 .step = {ROOT_STEP, {.path = "/x", .rc = -ENOENT}},
	 .user = &root_user,
	 .want = R,
	 .verdict = NO,
	 .at = "/x",
	 .reason = "does not exist"},
	{.what = "not to be seen by us",
	 .step = {ROOT_STEP, {.path = "/x", .rc = -EACCES}},
	 .user = &bob,
	 .want = R,
	 .verdict = MAYBE,
	 .reason = "run it as root"},
	{.what = "a dead server",
	 .step = {ROOT_STEP, {.path = "/x", .rc = -ETIMEDOUT}},
	 .user = &bob,
	 .want = R,
	 .verdict = MAYBE,
	 .reason = "does not answer"},
	{.what = "a file on the way",
	 .step = {ROOT_STEP, {.path = "/x", .mode = S_IFREG | 0644, .mount = &ext4}, {.path = "/x/y", .rc = -ENOTDIR}},
	 .user = &bob,
	 .want = R,
	 .verdict = NO,
	 .at = "/x",
	 .reason = "no directory"},
	{.what = "links without end",
	 .step = {ROOT_STEP, {.path = "/a", .target = "b"}},
	 .user = &bob,
	 .want = R,
	 .verdict = NO,
	 .at = "/a",
	 .reason = "symbolic links",
	 .rc = -ELOOP},
};

static void decides(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(cases); i++) {
		struct pit_access_path p = {.step = (struct pit_access_step *)cases[i].step,
					    .rc = cases[i].rc,
					    .partial_map = cases[i].partial_map};
		struct pit_access_answer a;

		while (p.count < 3 && p.step[p.count].path)
			p.count++;
		pit_access_decide(&p, cases[i].user, cases[i].want, &a);
		if (a.verdict != cases[i].verdict || (cases[i].at && (!a.step || strcmp(a.step->path, cases[i].at))) ||
		    (cases[i].reason && !strstr(a.reason, cases[i].reason)) ||
		    (cases[i].fix && (*cases[i].fix ? !strstr(a.fix, cases[i].fix) : a.fix[0])))
			fail_msg("%s: verdict %d at %s: %s [%s]", cases[i].what, a.verdict, a.step ? a.step->path : "-",
				 a.reason, a.fix);
	}
}

static const struct tree_file files[] = {
	{"/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nbroken\nalice:x:1000:1000::/home/alice:/bin/sh\n"
			"bob:x:1001:1001::/home/bob:/bin/sh\n"},
	{"/etc/group", "root:x:0:\nalice:x:1000:\nresearch:x:2000:bob,alice\nalices:x:2001:malice,alicer\n"},
	{"/proc/self/status", "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t4 27 \n"
			      "CapEff:\t0000000000000002\n"},
	{"/a/b/file", "x"},
	{"/link", "-> /a/b"},
	{"/a/up", "-> ../link/./file"},
	{"/loop", "-> loop"},
	{NULL, NULL},
};

static void finds_users(void **state)
{
	struct tree t = tree_open(files);
	static struct pit_user u;
	struct pit_error err = PIT_ERROR_INIT;
	char name[64];

	assert_int_equal(pit_user_find(t.root, "alice", &u, &err), 0);
	assert_int_equal(u.uid, 1000);
	assert_int_equal(u.groups, 1);
	assert_true(pit_user_is_in(&u, 2000));
	assert_false(pit_user_is_in(&u, 2001));
	assert_int_equal(pit_user_find(t.root, "1001", &u, &err), 0);
	assert_string_equal(u.name, "bob");
	assert_int_equal(pit_user_find(t.root, "4242", &u, &err), 0);
	assert_int_equal(u.uid, 4242);
	u.uid = 7;
	assert_int_equal(pit_user_find(t.root, "nobody-here", &u, &err), -ENOENT);
	assert_int_equal(u.uid, 7);
	assert_int_equal(pit_user_self(t.root, &u, &err), 0);
	assert_string_equal(u.name, "alice");
	assert_true(pit_user_is_in(&u, 27));
	assert_true(u.override);
	assert_string_equal(pit_name_of(t.root, "group", 2000, name, sizeof(name)), "research");
	assert_string_equal(pit_name_of(t.root, "group", 77, name, sizeof(name)), "77");
	tree_close(&t);
}

static const struct {
	const char *path;
	int rc;
	const char *end;
} walks[] = {
	{"/", 0, "/"},
	{"/a//b/", 0, "/a/b"},
	{"/a/../a/./b", 0, "/a/b"},
	{"/../../a", 0, "/a"},
	{"/link/file", 0, "/a/b/file"},
	{"/a/up", 0, "/a/b/file"},
	{"/not/there/../x", 0, "/not/x"},
	{"/loop", -ELOOP, NULL},
};

static void walks_links(void **state)
{
	struct tree t = tree_open(files);

	for (size_t i = 0; i < PIT_COUNT(walks); i++) {
		char end[256] = "untouched";
		int rc = pit_walk(t.root, walks[i].path, NULL, NULL, end, sizeof(end));

		if (rc != walks[i].rc || strcmp(end, walks[i].end ? walks[i].end : "untouched") != 0)
			fail_msg("%s: %d, '%s'", walks[i].path, rc, end);
	}
	tree_close(&t);
}

/* On the live machine: a directory of our own that is closed to others, and the end of a path with "..". */
static void collects(void **state)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_access_path p = {0};
	struct pit_mounts mounts = {0};
	struct pit_access_answer a;
	char dir[] = "/tmp/pitcrew-access.XXXXXX", path[64];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x/..", dir);
	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_int_equal(pit_mounts_load(root, &mounts, NULL), 0);
	assert_int_equal(pit_access_collect(root, &mounts, path, &p, NULL), 0);
	rmdir(dir);
	assert_true(p.count >= 3);
	assert_string_equal(p.step[p.count - 1].path, dir);
	assert_int_equal(p.step[p.count - 1].mode & 0777, 0700);
	pit_access_decide(&p, &(struct pit_user){.name = "x", .uid = 4242, .gid = 4242}, R, &a);
	assert_int_equal(a.verdict, NO);
	pit_access_free(&p);
	pit_mounts_free(&mounts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_acls), cmocka_unit_test(prints_modes), cmocka_unit_test(decides),
		cmocka_unit_test(finds_users), cmocka_unit_test(walks_links),  cmocka_unit_test(collects),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
