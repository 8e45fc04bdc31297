/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "tree.h"
#include "tune/place.h"
#include "../tempdir.h"

/* A rehearsal in a temporary directory, and a file outside of it that nobody may touch. */
struct stage {
	char dir[64], outside[64], victim[128];
	struct pit_place *place;
};

static int set_up(void **state)
{
	static struct stage s;

	s = (struct stage){.place = NULL};
	tempdir_new(s.dir, sizeof(s.dir));
	tempdir_new(s.outside, sizeof(s.outside));
	tempdir_file(s.outside, "/victim", "untouched\n");
	snprintf(s.victim, sizeof(s.victim), "%s/victim", s.outside);
	tempdir_file(s.dir, "/proc/sys/vm/swappiness", "60\n");
	tempdir_file(s.dir, "/etc/sysctl.d/10-other.conf", "vm.swappiness = 60\n");
	assert_int_equal(pit_place_rehearse(s.dir, &s.place, NULL), 0);
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	pit_auto_free char *text = tree_slurp("%s", s->victim);

	assert_string_equal(text, "untouched\n");
	pit_place_close(s->place);
	tempdir_remove(s->dir);
	tempdir_remove(s->outside);
	return 0;
}

static void assert_file(const struct stage *s, const char *path, const char *expected)
{
	pit_auto_free char *text = tree_slurp("%s%s", s->dir, path);

	if (!expected) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, expected);
}

static struct stat stat_of(const struct stage *s, const char *path)
{
	char full[512];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", s->dir, path);
	assert_int_equal(lstat(full, &st), 0);
	return st;
}

static void pokes_kernel_files_only(void **state)
{
	struct stage *s = *state;
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_place_poke(s->place, "/proc/sys/vm/swappiness", "1\n", &err), 0);
	assert_file(s, "/proc/sys/vm/swappiness", "1\n");
	assert_int_equal(pit_place_poke(s->place, "/proc/sys/vm/none", "1\n", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/proc/sys/vm/none"));
	assert_file(s, "/proc/sys/vm/none", NULL);
	assert_int_equal(pit_place_poke(s->place, "/etc/sysctl.d/10-other.conf", "x", &err), -EINVAL);
	assert_int_equal(pit_place_poke(s->place, "/proc/sys/../../etc/sysctl.d/10-other.conf", "x", &err), -EINVAL);
	tempdir_file(s->dir, "/sys/..x/y", "");
	assert_int_equal(pit_place_poke(s->place, "/sys/..x/../../etc/sysctl.d/10-other.conf", "x", &err), -EINVAL);
	assert_int_equal(pit_place_poke(s->place, "/sys/..x/y", "1\n", &err), 0);
	assert_file(s, "/etc/sysctl.d/10-other.conf", "vm.swappiness = 60\n");
	tempdir_link(s->dir, "/sys/out", s->victim);
	assert_int_equal(pit_place_poke(s->place, "/sys/out", "x", &err), -ENOENT);
}

static void sees_the_machine_anew(void **state)
{
	struct stage *s = *state;
	char text[16];

	assert_int_equal(pit_root_str(pit_place_root(s->place), text, sizeof(text), "/proc/sys/vm/swappiness"), 0);
	assert_int_equal(pit_place_poke(s->place, "/proc/sys/vm/swappiness", "7\n", NULL), 0);
	assert_int_equal(pit_root_str(pit_place_root(s->place), text, sizeof(text), "/proc/sys/vm/swappiness"), 0);
	assert_string_equal(text, "60");
	assert_int_equal(pit_root_str(pit_place_now(s->place), text, sizeof(text), "/proc/sys/vm/swappiness"), 0);
	assert_string_equal(text, "7");
	assert_false(pit_place_is_live(s->place));
}

static void stores_new_files_with_their_mode(void **state)
{
	struct stage *s = *state;
	mode_t old = umask(077);

	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/99.conf", "a = 1\n", 0644, NULL), 0);
	umask(old);
	assert_file(s, "/etc/sysctl.d/99.conf", "a = 1\n");
	assert_int_equal(stat_of(s, "/etc/sysctl.d/99.conf").st_mode & 07777, 0644);
	assert_file(s, "/etc/sysctl.d/.99.conf.pitcrew", NULL);
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/99.conf", "", 0644, NULL), 0);
	assert_file(s, "/etc/sysctl.d/99.conf", "");
}

static void store_keeps_mode_and_owner(void **state)
{
	struct stage *s = *state;
	char full[128];
	uid_t owner = geteuid() ? geteuid() : 1234;

	snprintf(full, sizeof(full), "%s/etc/sysctl.d/10-other.conf", s->dir);
	assert_int_equal(chmod(full, 0640), 0);
	assert_int_equal(chown(full, owner, (gid_t)-1), 0);
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/10-other.conf", "new\n", 0600, NULL), 0);
	assert_file(s, "/etc/sysctl.d/10-other.conf", "new\n");
	assert_int_equal(stat_of(s, "/etc/sysctl.d/10-other.conf").st_mode & 07777, 0640);
	assert_int_equal(stat_of(s, "/etc/sysctl.d/10-other.conf").st_uid, owner);
}

static void store_goes_on_after_a_cut(void **state)
{
	struct stage *s = *state;

	tempdir_file(s->dir, "/etc/sysctl.d/.99.conf.pitcrew", "half of a fi");
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/99.conf", "whole\n", 0644, NULL), 0);
	assert_file(s, "/etc/sysctl.d/99.conf", "whole\n");
	assert_file(s, "/etc/sysctl.d/.99.conf.pitcrew", NULL);
}

static void store_removes(void **state)
{
	struct stage *s = *state;

	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/10-other.conf", NULL, 0, NULL), 0);
	assert_file(s, "/etc/sysctl.d/10-other.conf", NULL);
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/10-other.conf", NULL, 0, NULL), 0);
	assert_int_equal(pit_place_store(s->place, "/etc/no/such/dir.conf", NULL, 0, NULL), 0);
	assert_int_equal(pit_place_store(s->place, "/etc/no/such/dir.conf", "x", 0644, NULL), -ENOENT);
}

static void store_follows_no_link_at_the_end(void **state)
{
	struct stage *s = *state;
	struct pit_error err = PIT_ERROR_INIT;

	tempdir_link(s->dir, "/etc/sysctl.d/link.conf", s->victim);
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/link.conf", "x", 0644, &err), -ELOOP);
	assert_non_null(strstr(err.text, "/etc/sysctl.d/link.conf"));
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/link.conf", NULL, 0, &err), -ELOOP);
	tempdir_link(s->dir, "/etc/sysctl.d/inside.conf", "10-other.conf");
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/inside.conf", "x", 0644, &err), -ELOOP);
	assert_file(s, "/etc/sysctl.d/10-other.conf", "vm.swappiness = 60\n");
	assert_int_equal(pit_place_mkdir(s->place, "/etc/sysctl.d/link.conf", true, &err), -ELOOP);
}

static void no_link_leads_out(void **state)
{
	struct stage *s = *state;

	tempdir_link(s->dir, "/etc/out", s->outside); /* means a directory of that name inside */
	assert_int_equal(pit_place_store(s->place, "/etc/out/victim", "x", 0644, NULL), -ENOENT);
	tempdir_link(s->dir, "/etc/up", "../../../../../../../..");
	assert_int_equal(pit_place_store(s->place, "/etc/up/etc/made", "inside\n", 0644, NULL), 0);
	assert_file(s, "/etc/made", "inside\n");
}

static void store_refuses_strange_paths(void **state)
{
	struct stage *s = *state;
	char full[128];

	assert_int_equal(pit_place_store(s->place, "etc/x", "x", 0644, NULL), -EINVAL);
	assert_int_equal(pit_place_store(s->place, "/etc/", "x", 0644, NULL), -EINVAL);
	assert_int_equal(pit_place_store(s->place, "/etc/..", "x", 0644, NULL), -EINVAL);
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d", "x", 0644, NULL), -EINVAL);
	snprintf(full, sizeof(full), "%s/etc/sysctl.d", s->dir);
	assert_int_equal(chmod(full, 0777), 0);
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/99.conf", "x", 0644, NULL), -EPERM);
	assert_int_equal(pit_place_symlink(s->place, "/etc/sysctl.d/l", "x", NULL), -EPERM);
	assert_int_equal(pit_place_mkdir(s->place, "/etc/sysctl.d/d", true, NULL), -EPERM);
	assert_file(s, "/etc/sysctl.d/99.conf", NULL);
}

static void store_refuses_the_directory_of_another(void **state)
{
	struct stage *s = *state;
	char full[128];

	if (geteuid())
		skip();
	snprintf(full, sizeof(full), "%s/etc/sysctl.d", s->dir);
	assert_int_equal(chown(full, 1234, 1234), 0);
	assert_int_equal(pit_place_store(s->place, "/etc/sysctl.d/99.conf", "x", 0644, NULL), -EPERM);
}

static void makes_and_removes_directories(void **state)
{
	struct stage *s = *state;
	mode_t old = umask(077);

	assert_int_equal(pit_place_mkdir(s->place, "/etc/new.d", true, NULL), 0);
	umask(old);
	assert_true(S_ISDIR(stat_of(s, "/etc/new.d").st_mode));
	assert_int_equal(stat_of(s, "/etc/new.d").st_mode & 07777, 0755);
	assert_int_equal(pit_place_mkdir(s->place, "/etc/new.d", true, NULL), 0);
	tempdir_file(s->dir, "/etc/new.d/theirs", "x");
	assert_int_equal(pit_place_mkdir(s->place, "/etc/new.d", false, NULL), -ENOTEMPTY);
	assert_file(s, "/etc/new.d/theirs", "x");
	assert_int_equal(pit_place_store(s->place, "/etc/new.d/theirs", NULL, 0, NULL), 0);
	assert_int_equal(pit_place_mkdir(s->place, "/etc/new.d", false, NULL), 0);
	assert_int_equal(pit_place_mkdir(s->place, "/etc/new.d", false, NULL), 0);
	assert_int_equal(pit_place_mkdir(s->place, "/etc/sysctl.d/10-other.conf", true, NULL), -ENOTDIR);
	assert_int_equal(pit_place_mkdir(s->place, "/etc/sysctl.d/10-other.conf", false, NULL), -ENOTDIR);
}

static void makes_and_removes_links(void **state)
{
	struct stage *s = *state;
	const char *target;

	assert_int_equal(pit_place_symlink(s->place, "/etc/link", "../a", NULL), 0);
	assert_int_equal(pit_root_link(pit_place_now(s->place), &target, "/etc/link"), 0);
	assert_string_equal(target, "../a");
	assert_int_equal(pit_place_symlink(s->place, "/etc/link", "/b", NULL), 0);
	assert_int_equal(pit_root_link(pit_place_now(s->place), &target, "/etc/link"), 0);
	assert_string_equal(target, "/b");
	assert_int_equal(pit_place_symlink(s->place, "/etc/sysctl.d/10-other.conf", "/b", NULL), -EEXIST);
	assert_int_equal(pit_place_symlink(s->place, "/etc/sysctl.d/10-other.conf", NULL, NULL), -EEXIST);
	assert_int_equal(pit_place_symlink(s->place, "/etc/link", NULL, NULL), 0);
	assert_int_equal(pit_place_symlink(s->place, "/etc/link", NULL, NULL), 0);
	assert_int_equal(pit_root_link(pit_place_now(s->place), &target, "/etc/link"), -ENOENT);
}

static void rehearsals_run_no_program(void **state)
{
	struct stage *s = *state;
	const char *const argv[] = {"true", NULL};

	assert_int_equal(pit_place_command(s->place, argv, 5, NULL, NULL), -EOPNOTSUPP);
}

/* In a mount namespace of its own; 77: this user, or this sandbox, has none to give. */
static int look_at_read_only(const struct stage *s)
{
	pit_auto_place struct pit_place *p = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	char path[128];

	snprintf(path, sizeof(path), "%s/etc/sysctl.d", s->dir);
	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", path, "tmpfs", MS_RDONLY, NULL))
		return 77;
	if (pit_place_rehearse(s->dir, &p, NULL) || pit_place_is_frozen(p, "/etc/sysctl.d", &err) != -EROFS)
		return 1;
	return strcmp(err.text, "cannot write to /etc/sysctl.d: Read-only file system") ? 2 : 0;
}

static void knows_read_only_file_systems(void **state)
{
	const struct stage *s = *state;
	int status;
	pid_t pid;

	assert_int_equal(pit_place_is_frozen(s->place, "/etc/sysctl.d", NULL), 0);
	assert_int_equal(pit_place_is_frozen(s->place, "/etc/nowhere", NULL), 0);
	pid = fork();
	if (!pid)
		_exit(look_at_read_only(s));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void other_users_have_no_place(void **state)
{
	struct pit_place *p = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	if (!geteuid())
		skip();
	assert_int_equal(pit_place_open(&p, &err), -EPERM);
	assert_null(p);
	assert_non_null(strstr(err.text, "root"));
}

/* These programs read nothing and write nothing. */
static int shell(const char *script, int seconds, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_place struct pit_place *p = NULL;
	const char *const argv[] = {"sh", "-c", script, NULL};

	assert_int_equal(pit_place_open(&p, NULL), 0);
	assert_true(pit_place_is_live(p));
	return pit_place_command(p, argv, seconds, out, err);
}

static void commands_tell_what_they_printed(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	const char *const wrapped[] = {"env", "X=1", "sh", "-c", "exit 4", NULL};
	pit_auto_place struct pit_place *p = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	if (geteuid())
		skip();
	assert_int_equal(pit_place_open(&p, NULL), 0);
	assert_int_equal(shell("echo out; echo err >&2; read x; echo \"$x$USER\"", 10, &out, &err), 0);
	assert_string_equal(out.data, "out\nerr\n\n");
	assert_int_equal(shell("echo first; echo the reason; echo; exit 3", 10, NULL, &err), -EIO);
	assert_non_null(strstr(err.text, "exit code 3: the reason"));
	assert_int_equal(pit_place_command(p, wrapped, 10, NULL, &err), -EIO);
	assert_string_equal(err.text, "sh failed with exit code 4");
	assert_int_equal(shell("kill -9 $$", 10, NULL, &err), -EIO);
	assert_non_null(strstr(err.text, "signal 9"));
}

static void commands_are_cut_at_64_kib(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;

	if (geteuid())
		skip();
	assert_int_equal(shell("head -c 300000 /dev/zero | tr '\\0' x; echo; echo last; exit 1", 20, &out, &err), -EIO);
	assert_int_equal(out.len, 65536);
	assert_non_null(strstr(err.text, "exit code 1: last"));
}

static void commands_that_hang_are_killed(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	time_t start = time(NULL);

	if (geteuid())
		skip();
	assert_int_equal(shell("trap '' TERM; sleep 60", 1, NULL, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "sh did not end within 1 s"));
	assert_true(time(NULL) - start < 20);
}

/* A daemon that a program leaves behind keeps the output open. */
static void commands_may_leave_a_daemon(void **state)
{
	time_t start = time(NULL);
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	if (geteuid())
		skip();
	assert_int_equal(shell("sleep 30 & echo $!", 25, &out, NULL), 0);
	assert_true(time(NULL) - start < 20);
	assert_int_equal(kill(atoi(out.data), SIGKILL), 0);
}

static void says_when_there_is_no_program(void **state)
{
	pit_auto_place struct pit_place *p = NULL;
	const char *const argv[] = {"no-such-program", NULL}, *const path[] = {"/no/such/program", NULL};
	struct pit_error err = PIT_ERROR_INIT;

	if (geteuid())
		skip();
	assert_int_equal(pit_place_open(&p, NULL), 0);
	assert_int_equal(pit_place_command(p, argv, 5, NULL, &err), -ENOPKG);
	assert_non_null(strstr(err.text, "no-such-program"));
	assert_int_equal(pit_place_command(p, path, 5, NULL, &err), -ENOPKG);
}

#define IN_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STAGE(pokes_kernel_files_only),
		IN_STAGE(sees_the_machine_anew),
		IN_STAGE(stores_new_files_with_their_mode),
		IN_STAGE(store_keeps_mode_and_owner),
		IN_STAGE(store_goes_on_after_a_cut),
		IN_STAGE(store_removes),
		IN_STAGE(store_follows_no_link_at_the_end),
		IN_STAGE(no_link_leads_out),
		IN_STAGE(store_refuses_strange_paths),
		IN_STAGE(store_refuses_the_directory_of_another),
		IN_STAGE(makes_and_removes_directories),
		IN_STAGE(makes_and_removes_links),
		IN_STAGE(rehearsals_run_no_program),
		IN_STAGE(knows_read_only_file_systems),
		cmocka_unit_test(other_users_have_no_place),
		cmocka_unit_test(commands_tell_what_they_printed),
		cmocka_unit_test(commands_are_cut_at_64_kib),
		cmocka_unit_test(commands_that_hang_are_killed),
		cmocka_unit_test(commands_may_leave_a_daemon),
		cmocka_unit_test(says_when_there_is_no_program),
	};

	return cmocka_run_group_tests_name("tune_place", tests, NULL, NULL);
}
