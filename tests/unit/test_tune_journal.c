/* SPDX-License-Identifier: MIT
 *
 * Journals as bytes, good and hostile, and the directory that they lie in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../tempdir.h"
#include "base/buf.h"
#include "tree.h"
#include "tune/state.h"

#define BEGIN(changes)                                                                                                 \
	"{\"is\":\"begin\",\"version\":1,\"txn\":7,\"boot\":\"b\",\"time\":1,\"tool\":\"t\",\"kind\":\"apply\","       \
	"\"profile\":null,\"persist\":true,\"uid\":0,\"changes\":" #changes "}"
#define INTEND(n)                                                                                                      \
	"{\"is\":\"intend\",\"n\":" #n ",\"knob\":\"k\",\"target\":\"sysctl\",\"object\":\"vm.x\",\"kind\":0,"         \
	"\"old\":\"1\",\"new\":null,\"companion\":false}"
#define READY "{\"is\":\"ready\"}"
#define SET(n) "{\"is\":\"set\",\"n\":" #n ",\"now\":\"2\"}"
#define COMMIT "{\"is\":\"commit\"}"
#define UNDO "{\"is\":\"undo\",\"why\":\"revert\",\"boot\":\"c\",\"time\":9}"
#define LONG_UNDO "{\"is\":\"undo\",\"why\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"boot\":\"c\",\"time\":9}"
#define UNDONE(n) "{\"is\":\"undone\",\"n\":" #n ",\"how\":\"kept\"}"
#define REVERTED "{\"is\":\"reverted\"}"

/* The lines that count, ended by NULL, with their sums. */
static struct pit_buf sealed(const char *const *lines)
{
	struct pit_buf out = PIT_BUF_INIT;

	for (; *lines; lines++)
		pit_journal_seal(*lines, strlen(*lines), &out);
	return out;
}

static int parse(const char *const *lines, struct pit_record *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf out = sealed(lines);

	return pit_journal_parse(out.data, out.len, ret, err);
}

static void tells_each_state(void **state)
{
	static const char *const lines[] = {BEGIN(2), INTEND(0), INTEND(1), READY,    SET(0), SET(1),
					    COMMIT,   UNDO,      UNDONE(1), REVERTED, NULL};
	static const enum pit_txn_state states[] = {
		PIT_TXN_EMPTY,       PIT_TXN_EMPTY,   PIT_TXN_EMPTY,   PIT_TXN_INTERRUPTED, PIT_TXN_INTERRUPTED,
		PIT_TXN_INTERRUPTED, PIT_TXN_APPLIED, PIT_TXN_UNDOING, PIT_TXN_UNDOING,     PIT_TXN_REVERTED};

	for (size_t n = 1; n <= PIT_COUNT(states); n++) {
		const char *some[PIT_COUNT(lines)] = {NULL};
		struct pit_record r = {0};

		memcpy(some, lines, n * sizeof(*lines));
		assert_int_equal(parse(some, &r, NULL), 0);
		assert_int_equal(r.state, states[n - 1]);
		assert_false(r.damaged);
		assert_int_equal(r.txn, 7);
		assert_true(r.persist);
		if (n == PIT_COUNT(states)) {
			assert_string_equal(r.why, "revert");
			assert_int_equal(r.undo_time, 9);
			assert_int_equal(r.entry[1].undone, PIT_UNDONE_KEPT);
			assert_int_equal(r.entry[0].undone, PIT_UNDONE_NOT);
			assert_true(r.entry[0].set);
			assert_string_equal(r.entry[0].now, "2");
			assert_string_equal(r.entry[0].old, "1");
			assert_null(r.entry[0].new);
		}
		pit_record_free(&r);
	}
	for (int s = PIT_TXN_EMPTY; s <= PIT_TXN_UNREADABLE; s++)
		assert_string_not_equal(pit_txn_state_name((enum pit_txn_state)s), "?");
}

/* Each is a good line that makes no sense after BEGIN(2), INTEND(0). */
static const char *const nonsense[] = {
	"",
	"null",
	"[]",
	"{}",
	"{\"is\":7}",
	"{\"is\":\"frobnicate\"}",
	BEGIN(2),
	INTEND(0),
	INTEND(2),
	INTEND(-1),
	INTEND(18446744073709551616),
	INTEND(9223372036854775807),
	INTEND(1.5),
	INTEND(1e400),
	READY,
	SET(0),
	COMMIT,
	UNDO,
	UNDONE(0),
	REVERTED,
	"{\"is\":\"intend\",\"n\":1}",
	"{\"is\":\"intend\",\"is\":\"intend\"}",
	"{\"is\":\"intend\",\"n\":1,\"knob\":\"k\",\"target\":\"moon\",\"object\":\"o\",\"kind\":0,\"old\":\"1\",\"new\":"
	"\"2\",\"companion\":false}",
	"{\"is\":\"intend\",\"n\":1,\"knob\":\"k\",\"target\":\"sysctl\",\"object\":\"o\",\"kind\":99,\"old\":\"1\",\"new\":"
	"\"2\",\"companion\":false}",
	"{\"is\":\"intend\",\"n\":1,\"knob\":\"k\",\"target\":\"sysctl\",\"object\":\"a\\u0000b\",\"kind\":0,\"old\":\"1\","
	"\"new\":\"2\",\"companion\":false}",
	"{\"is\":\"intend\",\"n\":1,\"knob\":\"k\",\"target\":\"sysctl\",\"object\":[1],\"kind\":0,\"old\":\"1\",\"new\":"
	"\"2\",\"companion\":false}",
	"{\"is\":\"intend\",\"n\":1,\"knob\":\"k\",\"target\":\"sysctl\",\"object\":\"o\",\"kind\":0,\"old\":{\"hex\":\"0\"}"
	",\"new\":\"2\",\"companion\":false}",
	"{\"is\":\"intend\",\"n\":1,\"knob\":\"k\",\"target\":\"sysctl\",\"object\":\"o\",\"kind\":0,\"old\":{\"hex\":\"00\""
	"},\"new\":\"2\",\"companion\":false}",
	"{\"is\":\"intend\",\"n\":1,\"knob\":\"k\",\"target\":\"sysctl\",\"object\":\"o\",\"kind\":0,\"old\":\"1\",\"new\":"
	"\"2\",\"companion\":\"no\"}",
	"{\"is\":\"intend\",\"n\":1,\"knob\":\"k\",\"target\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"object\":\"o\"}",
	"{\"is\":\"damage\"}",
};

static void nonsense_is_damage(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(nonsense); i++) {
		const char *const lines[] = {BEGIN(2), INTEND(0), nonsense[i], INTEND(1), NULL};
		struct pit_record r = {0};

		assert_int_equal(parse(lines, &r, NULL), 0);
		if (!r.damaged || r.entries != 1 || r.state != PIT_TXN_INTERRUPTED || !strstr(r.damage, "line 3"))
			fail_msg("%s: damaged %d, %zu entries, %s", nonsense[i], r.damaged, r.entries, r.damage);
		pit_record_free(&r);
	}
}

static void nonsense_after_ready_is_damage(void **state)
{
	static const char *const bad[] = {READY,
					  INTEND(1),
					  SET(1),
					  SET(-1),
					  SET(4294967296),
					  "{\"is\":\"set\",\"n\":0}",
					  "{\"is\":\"set\",\"n\":\"0\",\"now\":null}",
					  UNDONE(0),
					  REVERTED,
					  LONG_UNDO};

	for (size_t i = 0; i < PIT_COUNT(bad); i++) {
		const char *const lines[] = {BEGIN(1), INTEND(0), READY, bad[i], COMMIT, NULL};
		struct pit_record r = {0};

		assert_int_equal(parse(lines, &r, NULL), 0);
		if (!r.damaged || r.state != PIT_TXN_INTERRUPTED)
			fail_msg("%s", bad[i]);
		pit_record_free(&r);
	}
}

static void other_beginnings_are_refused(void **state)
{
	static const char *const first[] = {
		"{\"is\":\"begin\",\"version\":2,\"txn\":7}",
		"{\"is\":\"begin\",\"version\":1,\"txn\":99999999999}",
		READY,
		INTEND(0),
		BEGIN(0),
		BEGIN(99999999999),
		BEGIN(-1),
	};

	for (size_t i = 0; i < PIT_COUNT(first); i++) {
		const char *const lines[] = {first[i], READY, NULL};
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_record r = {.txn = 77};

		assert_int_equal(parse(lines, &r, &err), -EBADMSG);
		assert_int_equal(r.txn, 77); /* written on success only */
		assert_true(strlen(err.text) > 10);
	}
}

static void sums_are_checked(void **state)
{
	static const char *const lines[] = {BEGIN(1), INTEND(0), READY, SET(0), COMMIT, NULL};
	pit_auto_buf struct pit_buf good = sealed(lines);

	/* Any changed byte is found: damage in the middle, a cut-off record at the end. */
	for (size_t i = 0; i < good.len; i++) {
		struct pit_record r = {0};
		char saved = good.data[i];
		size_t left = strlen(strchr(good.data + i, '\n'));

		good.data[i] ^= 1;
		if (!pit_journal_parse(good.data, good.len, &r, NULL)) {
			assert_int_not_equal(r.state, PIT_TXN_APPLIED);
			if (left > 1 && saved != '\n') /* two last lines in one are one last line */
				assert_true(r.damaged);
		}
		pit_record_free(&r);
		good.data[i] = saved;
	}
}

static void every_value_comes_back(void **state)
{
	static const char *const values[] = {
		NULL, "", "60", "a\tb\nc\"\\", "\xff\x01\x80", "\xc3\xa9", "{\"hex\":\"61\"}"};

	for (size_t i = 0; i < PIT_COUNT(values); i++) {
		json_t *intend =
			json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:o, s:o, s:b}", "is", "intend", "n", 0, "knob", "k",
				  "target", "file", "object", "/etc/x", "kind", PIT_VALUE_TEXT, "old",
				  pit_journal_value(values[i]), "new", pit_journal_value(values[i]), "companion", 0);
		pit_auto_free char *text = json_dumps(intend, JSON_COMPACT);
		const char *const lines[] = {BEGIN(1), text, READY, NULL};
		struct pit_record r = {0};

		json_decref(intend);
		assert_int_equal(parse(lines, &r, NULL), 0);
		if (values[i])
			assert_string_equal(r.entry[0].old, values[i]);
		else
			assert_null(r.entry[0].old);
		pit_record_free(&r);
	}
}

/* A temporary state directory with one journal of these lines. */
struct dir {
	char top[64], state[80];
	struct pit_tune_state *s;
};

static void dir_open(struct dir *d, const char *bytes, size_t len)
{
	tempdir_new(d->top, sizeof(d->top));
	snprintf(d->state, sizeof(d->state), "%s/state", d->top);
	assert_int_equal(pit_tune_state_open(d->state, false, &d->s, NULL), -ENOENT);
	assert_int_equal(pit_tune_state_open(d->state, true, &d->s, NULL), 0);
	if (bytes)
		assert_int_equal(tempdir_write(d->state, "tune/0007.journal", bytes, len), 0);
}

static void dir_close(struct dir *d)
{
	pit_tune_state_close(d->s);
	tempdir_remove(d->top);
}

static void directory_is_private(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_tune_state *again = NULL;
	struct stat st;
	struct dir d;
	char path[160];

	dir_open(&d, NULL, 0);
	assert_int_equal(stat(d.state, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(pit_tune_state_next(d.s), 1);
	snprintf(path, sizeof(path), "%s/tune", d.state);
	chmod(path, 0777);
	assert_int_equal(pit_tune_state_open(d.state, true, &again, &err), -EPERM);
	assert_non_null(strstr(err.text, "0777"));
	chmod(path, 0700);
	snprintf(path, sizeof(path), "%s/link", d.top);
	assert_int_equal(symlink(d.state, path), 0);
	assert_true(pit_tune_state_open(path, true, &again, &err) < 0);
	assert_int_equal(pit_tune_state_open("state", true, &again, &err), -EINVAL);
	assert_int_equal(pit_tune_state_open("/", true, &again, &err), -EINVAL);
	assert_int_equal(pit_tune_state_open("/tmp/..", true, &again, &err), -EINVAL);
	assert_null(again);
	if (!geteuid()) {
		assert_int_equal(chown(d.state, 12345, 0), 0);
		assert_int_equal(pit_tune_state_open(d.state, true, &again, &err), -EPERM);
		assert_non_null(strstr(err.text, "12345"));
		assert_int_equal(chown(d.state, 0, 0), 0);
		/* In the eyes of somebody else. */
		assert_int_equal(chmod(d.top, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
		assert_int_equal(pit_tune_state_open(d.state, false, &again, &err), -EACCES);
		assert_int_equal(seteuid(0), 0);
		assert_non_null(strstr(err.text, "root only"));
	}
	dir_close(&d);
}

static void foreign_journals_are_not_used(void **state)
{
	static const char *const lines[] = {BEGIN(1), INTEND(0), READY, NULL};
	pit_auto_buf struct pit_buf bytes = sealed(lines);
	struct pit_record *r = NULL;
	char path[160];
	size_t count;
	struct dir d;

	dir_open(&d, bytes.data, bytes.len);
	tempdir_write(d.state, "tune/0008.journal", bytes.data, bytes.len); /* says that it is 7 */
	tempdir_write(d.state, "tune/0010.journal", "junk\njunk\n", 10);
	tempdir_link(d.state, "tune/0011.journal", "0007.journal");
	tempdir_write(d.state, "tune/12.journal", bytes.data, bytes.len);
	tempdir_write(d.state, "tune/0013.journal.x", bytes.data, bytes.len);
	tempdir_write(d.state, "tune/99999999999999999999.journal", bytes.data, bytes.len);
	snprintf(path, sizeof(path), "%s/tune/0014.journal", d.state);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/tune/0008.journal", d.state);
	assert_int_equal(pit_tune_state_list(d.s, &r, &count, NULL), 0);
	assert_int_equal(count, 5);
	assert_int_equal(r[0].state, PIT_TXN_INTERRUPTED);
	for (size_t i = 1; i < count; i++) {
		assert_int_equal(r[i].state, PIT_TXN_UNREADABLE);
		assert_int_equal(r[i].entries, 0);
		assert_true(r[i].damaged && r[i].damage[0]);
	}
	assert_int_equal(pit_tune_state_next(d.s), 15);
	pit_records_free(r, count);
	dir_close(&d);
}

static void huge_journals_are_refused(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_record r = {0};
	char path[160];
	struct dir d;

	dir_open(&d, "", 0);
	snprintf(path, sizeof(path), "%s/tune/0007.journal", d.state);
	assert_int_equal(truncate(path, 100 << 20), 0);
	assert_int_equal(pit_tune_state_load(d.s, 7, &r, &err), -EFBIG);
	assert_int_equal(pit_tune_state_load(d.s, 8, &r, &err), -ENOENT);
	/* A power cut may leave nothing but NUL bytes. */
	assert_int_equal(truncate(path, 8192), 0);
	assert_int_equal(pit_tune_state_load(d.s, 7, &r, &err), 0);
	assert_int_equal(r.state, PIT_TXN_EMPTY);
	pit_record_free(&r);
	dir_close(&d);
}

static void append_to(struct dir *d, const char *line)
{
	int fd = pit_tune_state_append(d->s, 7, NULL);

	assert_true(fd >= 0);
	assert_int_equal(pit_journal_append(fd, json_loads(line, 0, NULL), true, NULL), 0);
	close(fd);
}

static void torn_tail_is_cut_away(void **state)
{
	static const char *const lines[] = {BEGIN(1), INTEND(0), READY, SET(0), COMMIT, NULL};
	pit_auto_buf struct pit_buf bytes = sealed(lines);

	/* Cut within COMMIT, also with a newline behind garbage. */
	for (size_t cut = 1; cut < 30; cut += 7) {
		struct pit_record r = {0};
		struct dir d;

		if (cut == 15)
			bytes.data[bytes.len - 5] ^= 1;
		dir_open(&d, bytes.data, bytes.len - (cut == 15 ? 0 : cut));
		append_to(&d, UNDO);
		assert_int_equal(pit_tune_state_load(d.s, 7, &r, NULL), 0);
		assert_int_equal(r.state, PIT_TXN_UNDOING);
		assert_false(r.damaged);
		pit_record_free(&r);
		dir_close(&d);
	}
}

static void damaged_journals_are_put_aside(void **state)
{
	static const char *const lines[] = {BEGIN(2), INTEND(0), INTEND(1), READY, SET(0), SET(1), COMMIT, NULL};
	pit_auto_buf struct pit_buf bytes = sealed(lines);
	pit_auto_free char *aside = NULL;
	struct pit_record r = {0};
	struct dir d;

	*strstr(bytes.data, "\"n\":1") = 'x';
	dir_open(&d, bytes.data, bytes.len);
	append_to(&d, UNDO);
	append_to(&d, UNDONE(0));
	append_to(&d, REVERTED);
	assert_int_equal(pit_tune_state_load(d.s, 7, &r, NULL), 0);
	assert_int_equal(r.state, PIT_TXN_REVERTED);
	assert_true(r.damaged);
	assert_non_null(strstr(r.damage, "line 3"));
	assert_int_equal(r.entries, 1);
	pit_record_free(&r);
	aside = tree_slurp("%s/tune/0007.damaged", d.state);
	assert_string_equal(aside, bytes.data);
	dir_close(&d);
}

/* What was damaged once more does not go over what was put aside before. */
static void damage_upon_damage_is_put_aside_too(void **state)
{
	static const char *const lines[] = {BEGIN(2), INTEND(0), INTEND(1), READY, SET(0), SET(1), COMMIT, NULL};
	pit_auto_buf struct pit_buf bytes = sealed(lines);
	pit_auto_free char *first = NULL, *second = NULL;
	char name[160], third[160], fourth[160];
	struct dir d;

	*strstr(bytes.data, "\"n\":1") = 'x';
	dir_open(&d, bytes.data, bytes.len);
	append_to(&d, UNDO);
	*strstr(bytes.data, "\"n\":0") = 'y';
	assert_int_equal(tempdir_write(d.state, "tune/0007.journal", bytes.data, bytes.len), 0);
	append_to(&d, UNDO);
	first = tree_slurp("%s/tune/0007.damaged", d.state);
	assert_string_not_equal(first, bytes.data);
	second = tree_slurp("%s/tune/0007.damaged.2", d.state);
	assert_string_equal(second, bytes.data);
	/* A try that was cut off has given it the name already. */
	assert_int_equal(tempdir_write(d.state, "tune/0007.journal", bytes.data, bytes.len), 0);
	snprintf(name, sizeof(name), "%s/tune/0007.journal", d.state);
	snprintf(third, sizeof(third), "%s/tune/0007.damaged.3", d.state);
	snprintf(fourth, sizeof(fourth), "%s/tune/0007.damaged.4", d.state);
	assert_int_equal(link(name, third), 0);
	append_to(&d, UNDO);
	assert_int_equal(access(third, F_OK), 0);
	assert_int_equal(access(fourth, F_OK), -1);
	dir_close(&d);
}

static void one_works_at_a_time(void **state)
{
	struct pit_tune_state *second = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	char who[64], pid[32];
	struct dir d;

	dir_open(&d, NULL, 0);
	assert_false(pit_tune_state_is_busy(d.s, who, sizeof(who)));
	assert_int_equal(pit_tune_state_lock(d.s, 0, NULL), 0);
	assert_int_equal(pit_tune_state_open(d.state, false, &second, NULL), 0);
	assert_int_equal(pit_tune_state_lock(second, 0, &err), -EBUSY);
	snprintf(pid, sizeof(pid), "%d (", (int)getpid());
	assert_int_equal(strncmp(err.text, pid, strlen(pid)), 0);
	assert_non_null(strstr(err.text, "test_tune_journal"));
	assert_true(pit_tune_state_is_busy(second, who, sizeof(who)));
	pit_tune_state_close(d.s);
	assert_int_equal(pit_tune_state_lock(second, 0, &err), 0);
	d.s = second;
	dir_close(&d);
}

static void numbers_are_taken_once(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct dir d;
	int fd;

	dir_open(&d, NULL, 0);
	fd = pit_tune_state_create(d.s, 3, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(pit_tune_state_create(d.s, 3, &err), -EEXIST);
	assert_int_equal(pit_tune_state_next(d.s), 4);
	pit_tune_state_discard(d.s, 3);
	assert_int_equal(pit_tune_state_next(d.s), 1);
	dir_close(&d);
}

/* A full disk: nothing of the record stays, so that the next does not stand behind half a line. */
static void appending_is_all_or_nothing(void **state)
{
	int fd = open("/dev/full", O_RDWR | O_APPEND | O_CLOEXEC);
	struct pit_error err = PIT_ERROR_INIT;

	if (fd < 0)
		skip();
	assert_int_equal(pit_journal_append(fd, json_pack("{s:s}", "is", "ready"), false, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "No space left"));
	assert_int_equal(pit_journal_append(fd, NULL, false, &err), -ENOMEM);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_each_state),
		cmocka_unit_test(nonsense_is_damage),
		cmocka_unit_test(nonsense_after_ready_is_damage),
		cmocka_unit_test(other_beginnings_are_refused),
		cmocka_unit_test(sums_are_checked),
		cmocka_unit_test(every_value_comes_back),
		cmocka_unit_test(directory_is_private),
		cmocka_unit_test(foreign_journals_are_not_used),
		cmocka_unit_test(huge_journals_are_refused),
		cmocka_unit_test(torn_tail_is_cut_away),
		cmocka_unit_test(damaged_journals_are_put_aside),
		cmocka_unit_test(damage_upon_damage_is_put_aside_too),
		cmocka_unit_test(one_works_at_a_time),
		cmocka_unit_test(numbers_are_taken_once),
		cmocka_unit_test(appending_is_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
