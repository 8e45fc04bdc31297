/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>

#include "host/answer.h"
#include "host/record.h"
#include "host/root.h"
#include "../tempdir.h"

static struct pit_root *open_tree(const char *dir)
{
	struct pit_root *root;

	assert_int_equal(pit_root_open(dir, &root, NULL), 0);
	return root;
}

static void links_stay_inside(void **state)
{
	char dir[64], line[64];
	struct pit_root *root;
	const char *target;

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/proc/version", "recorded\n");
	tempdir_link(dir, "/a", "/proc/version");
	tempdir_link(dir, "/b", "../../../../proc/version");
	tempdir_link(dir, "/etc", "/../../etc");
	tempdir_link(dir, "/loop", "loop");
	root = open_tree(dir);
	assert_int_equal(pit_root_str(root, line, sizeof(line), "/a"), 0);
	assert_string_equal(line, "recorded");
	assert_int_equal(pit_root_str(root, line, sizeof(line), "/b"), 0);
	assert_string_equal(line, "recorded");
	assert_int_equal(pit_root_exists(root, "/etc/passwd"), -ELOOP);
	assert_int_equal(pit_root_exists(root, "/loop"), -ELOOP);
	assert_int_equal(pit_root_link(root, &target, "/a"), 0);
	assert_string_equal(target, "/proc/version");
	assert_int_equal(pit_root_link(root, &target, "/proc/version"), -ENOLINK);
	pit_root_close(root);
	tempdir_remove(dir);
}

static void states_stay_apart(void **state)
{
	char dir[64], line[64];
	uint64_t value = 77;
	struct pit_root *root;
	struct pit_text text;

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/n", "12\n");
	tempdir_file(dir, "/x", "twelve\n");
	tempdir_file(dir, "/.pitcrew/missing", "13 file /secret\n110 statfs /dead\n2 file /gone\n");
	tempdir_file(dir, "/.pitcrew/format", "1\n");
	root = open_tree(dir);
	assert_int_equal(pit_root_u64(root, &value, "/%s", "n"), 0);
	assert_int_equal(value, 12);
	assert_int_equal(pit_root_u64(root, &value, "/x"), -EBADMSG);
	assert_int_equal(value, 12);
	assert_int_equal(pit_root_state(pit_root_read(root, &text, "/secret")), PIT_STATE_DENIED);
	assert_int_equal(pit_root_state(pit_root_read(root, &text, "/gone")), PIT_STATE_ABSENT);
	assert_int_equal(pit_root_state(pit_root_read(root, &text, "/never-asked")), PIT_STATE_NOT_RECORDED);
	assert_int_equal(pit_root_state(pit_root_statfs(root, &(struct pit_fsinfo){0}, "/dead")), PIT_STATE_TIMED_OUT);
	assert_int_equal(pit_root_str(root, line, sizeof(line), "/%0*d", 5000, 1), -ENAMETOOLONG);
	pit_root_close(root);
	tempdir_remove(dir);
}

static void lists_in_order(void **state)
{
	char dir[64];
	const struct pit_strv *names;
	struct pit_root *root;

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/d/cpu10", "");
	tempdir_file(dir, "/d/cpu9", "");
	root = open_tree(dir);
	assert_int_equal(pit_root_list(root, &names, "/d"), 0);
	assert_int_equal(names->count, 2);
	assert_string_equal(names->item[0], "cpu9");
	assert_int_equal(pit_root_list(root, &names, "/none"), -ENOENT);
	pit_root_close(root);
	tempdir_remove(dir);
}

static int count_calls(const char *name, void *arg, struct pit_buf *out)
{
	++*(int *)arg;
	pit_buf_puts(out, "made");
	return 0;
}

static void facts_are_made_once(void **state)
{
	struct pit_root *root = open_tree(NULL);
	struct pit_text text;
	int calls = 0;

	assert_int_equal(pit_root_fact(root, "test:x", count_calls, &calls, &text), 0);
	assert_int_equal(pit_root_fact(root, "test:x", count_calls, &calls, &text), 0);
	assert_string_equal(text.data, "made");
	assert_int_equal(calls, 1);
	pit_root_close(root);
}

static void recordings_answer_as_live(void **state)
{
	char dir[64], file[96], line[128], again[128];
	struct pit_root *live = open_tree(NULL), *recorded;
	struct pit_record_summary done;
	struct pit_text text, second;
	struct pit_fsinfo fs, fs2;
	struct pit_stat st, st2;
	const struct pit_strv *names, *names2;
	int64_t ns;
	int calls = 0;

	tempdir_new(dir, sizeof(dir));
	snprintf(file, sizeof(file), "%s/s.tar.zst", dir);
	assert_int_equal(pit_root_str(live, line, sizeof(line), "/proc/self/comm"), 0);
	assert_int_equal(pit_root_list(live, &names, "/proc/sys/vm"), 0);
	assert_int_equal(pit_root_statfs(live, &fs, "/"), 0);
	assert_int_equal(pit_root_stat(live, &st, "/dev/null"), 0);
	assert_int_equal(pit_root_exists(live, "/no/such/thing"), -ENOENT);
	assert_int_equal(pit_root_read(live, &text, "/proc/stat"), 0);
	assert_int_equal(pit_root_again(live, "/proc/stat", &second, &ns), 0);
	assert_true(ns > 0);
	assert_int_equal(pit_root_fact(live, "test:x", count_calls, &calls, &text), 0);
	assert_int_equal(pit_record(live, file, false, &done, NULL), 0);
	assert_int_equal(done.missing, 1);

	recorded = open_tree(file);
	assert_false(pit_root_is_live(recorded));
	assert_int_equal(pit_root_str(recorded, again, sizeof(again), "/proc/self/comm"), 0);
	assert_string_equal(again, line);
	assert_int_equal(pit_root_list(recorded, &names2, "/proc/sys/vm"), 0);
	assert_int_equal(names2->count, names->count);
	assert_int_equal(pit_root_statfs(recorded, &fs2, "/"), 0);
	assert_memory_equal(&fs, &fs2, sizeof(fs));
	assert_int_equal(pit_root_stat(recorded, &st2, "/dev/null"), 0);
	assert_int_equal(st.mode, st2.mode);
	assert_int_equal(pit_root_exists(recorded, "/no/such/thing"), -ENOENT);
	assert_int_equal(pit_root_exists(recorded, "/never/asked"), -ENODATA);
	assert_int_equal(pit_root_again(recorded, "/proc/stat", &second, NULL), 0);
	assert_int_equal(pit_root_fact(recorded, "test:x", count_calls, &calls, &text), 0);
	assert_int_equal(calls, 1);
	assert_int_equal(pit_record(recorded, file, false, &done, NULL), -EINVAL);
	pit_root_close(recorded);
	pit_root_close(live);
	tempdir_remove(dir);
}

/* A helper that does not answer, as one that hangs in the kernel: it is left behind and the next read gets a new one.
 */
static void deadline_is_kept(void **state)
{
	struct pit_deadline d = {.helper = PIT_CHILD_INIT, .ms = 200};
	struct pit_buf out = PIT_BUF_INIT;

	assert_int_equal(pit_answer_deadline(&d, PIT_KIND_FILE, "/proc/self/comm", &out), 0);
	assert_string_equal(out.data, "pitcrew-reader\n");
	pit_buf_clear(&out);
	assert_int_equal(kill(d.helper.pid, SIGSTOP), 0);
	assert_int_equal(pit_answer_deadline(&d, PIT_KIND_FILE, "/proc/self/comm", &out), -ETIMEDOUT);
	assert_int_equal(d.helper.pid, 0);
	assert_int_equal(pit_answer_deadline(&d, PIT_KIND_FILE, "/proc/self/comm", &out), 0);
	d.spent_ns = (PIT_DEADLINE_TOTAL_MS + 1) * INT64_C(1000000);
	assert_int_equal(pit_answer_deadline(&d, PIT_KIND_FILE, "/proc/self/comm", &out), -ETIMEDOUT);
	pit_deadline_close(&d);
	pit_buf_free(&out);
}

static void helper_ends_and_comes_back(void **state)
{
	struct pit_root *root = open_tree(NULL);
	struct pit_fsinfo fs;

	assert_int_equal(pit_root_statfs(root, &fs, "/"), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	pit_root_end_helper(root);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	pit_root_end_helper(root);
	assert_int_equal(pit_root_statfs(root, &fs, "/tmp"), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	pit_root_close(root);
}

static void knows_what_may_block(void **state)
{
	assert_true(pit_may_block(PIT_KIND_STATFS, "/data"));
	assert_true(pit_may_block(PIT_KIND_FILE, "/data/x"));
	assert_true(pit_may_block(PIT_KIND_FILE, "/proc/17/environ"));
	assert_true(pit_may_block(PIT_KIND_FILE, "/sys/class/net/eth0/speed"));
	assert_true(pit_may_block(PIT_KIND_LIST, "/run/user/1000/x"));
	assert_false(pit_may_block(PIT_KIND_FILE, "/proc/cmdline"));
	assert_false(pit_may_block(PIT_KIND_FILE, "/proc/17/stat"));
	assert_false(pit_may_block(PIT_KIND_FILE, "/etc/sysctl.conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_stay_inside),
		cmocka_unit_test(states_stay_apart),
		cmocka_unit_test(lists_in_order),
		cmocka_unit_test(facts_are_made_once),
		cmocka_unit_test(recordings_answer_as_live),
		cmocka_unit_test(deadline_is_kept),
		cmocka_unit_test(helper_ends_and_comes_back),
		cmocka_unit_test(knows_what_may_block),
	};

	return cmocka_run_group_tests_name("root", tests, NULL, NULL);
}
