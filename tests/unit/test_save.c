/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
/**/
#include <cmocka.h>

#include "feed/weights_file.h"
#include "save_world.h"

struct place {
	char dir[200], path[300];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	tempdir_new(p->dir, sizeof(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/model.safetensors", p->dir);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	chmod(p->dir, 0700);
	tempdir_remove(p->dir);
	free(p);
	return 0;
}

static void assert_holds(const char *path, const struct pit_save_tensor *tensors, size_t count)
{
	struct other_reader r = {0};

	assert_int_equal(other_open(path, &r), 0);
	assert_int_equal(other_check_sums(&r), 0);
	assert_int_equal(r.header % 4096, 0);
	for (size_t i = 0; i < count; i++) {
		size_t len = 0;
		const char *data = other_tensor(&r, tensors[i].tensor.name, &len);

		assert_non_null(data);
		assert_int_equal(len, tensors[i].tensor.bytes);
		assert_int_equal(len ? memcmp(data, tensors[i].data, len) : 0, 0);
	}
	assert_int_equal(json_object_size(r.json), count + 1);
	other_close(&r);
}

static void save(const char *path, const struct pit_save_tensor *tensors, size_t count,
		 const struct pit_save_want *want)
{
	struct pit_error err = PIT_ERROR_INIT;
	int rc = pit_save_file(path, tensors, count, want, &err);

	if (rc)
		fail_msg("%s", err.text);
}

static void saves_tensors_that_other_readers_find(void **state)
{
	struct place *p = *state;
	uint64_t n[] = {10, 0, 5000}, matrix[] = {2, 3};
	char data[5000], six[24];
	struct pit_save_tensor t[] = {
		bytes_tensor("a", data, &n[0]),
		bytes_tensor("nothing", NULL, &n[1]),
		bytes_tensor("\"quoted\"\n\xc3\xa9", data, &n[2]),
		{.tensor = {.name = "matrix", .dtype = PIT_F32, .dims = 2, .shape = matrix, .bytes = 24}, .data = six},
		{.tensor = {.name = "scalar", .dtype = PIT_BF16, .bytes = 2}, .data = data + 1},
	};

	fill_bytes(data, sizeof(data), 1);
	fill_bytes(six, sizeof(six), 2);
	save(p->path, t, PIT_COUNT(t), NULL);
	assert_holds(p->path, t, PIT_COUNT(t));
	assert_int_equal(count_entries(p->dir), 1);
}

static void saves_no_tensor_at_all(void **state)
{
	struct place *p = *state;

	save(p->path, NULL, 0, NULL);
	assert_holds(p->path, NULL, 0);
}

/* Block borders, every engine and way of writing, sources aligned and not. */
static void saves_by_each_way(void **state)
{
	static const uint64_t sizes[] = {1, 4096, 4194303, 4194304, 4194305, 12582912 + 77};
	struct place *p = *state;
	char *data = aligned_alloc(4096, 16 << 20);

	fill_bytes(data, 16 << 20, 3);
	for (unsigned way = 0; way < 9; way++) {
		struct pit_save_want want = {
			.size = sizeof(want),
			.io = {.engine = way % 3 ? PIT_ENGINE_THREADS : PIT_ENGINE_AUTO,
			       .cache = way / 3 == 2 ? PIT_IO_BUFFERED : PIT_IO_CACHE_AUTO,
			       .depth = way % 3 * 3},
		};

		for (size_t i = 0; i < PIT_COUNT(sizes); i++) {
			uint64_t small[] = {100, sizes[i], 0, 7};
			struct pit_save_tensor t[] = {
				bytes_tensor("first", data, &small[0]),
				bytes_tensor("large", data + (way & 1 ? 0 : 4096 - 100), &small[1]),
				bytes_tensor("empty", data, &small[2]),
				bytes_tensor("last", data + 3, &small[3]),
			};

			save(p->path, t + way % 2, PIT_COUNT(t) - way % 2, &want);
			assert_holds(p->path, t + way % 2, PIT_COUNT(t) - way % 2);
		}
	}
	free(data);
}

static void saves_ten_thousand_tensors(void **state)
{
	enum { COUNT = 10000 };
	struct place *p = *state;
	struct pit_save_tensor *t = calloc(COUNT, sizeof(*t));
	char(*names)[16] = calloc(COUNT, sizeof(*names)), *data = malloc(COUNT + 1000);
	static uint64_t lengths[1000];

	fill_bytes(data, COUNT + 1000, 4);
	for (uint64_t i = 0; i < 1000; i++)
		lengths[i] = i;
	for (size_t i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "t%zu", i);
		t[i] = bytes_tensor(names[i], data + i, &lengths[i * 7 % 1000]);
	}
	save(p->path, t, COUNT, NULL);
	assert_holds(p->path, t, COUNT);
	free(t);
	free(names);
	free(data);
}

static void keeps_the_callers_texts(void **state)
{
	static const struct pit_save_text texts[] = {
		{.key = "format", .value = "pt"}, {.key = "odd", .value = "\"pitcrew.header\":\"0000000000000000\""}};
	struct pit_save_want want = {.size = sizeof(want), .texts = texts, .text_count = 2};
	struct place *p = *state;
	struct other_reader r = {0};

	save(p->path, NULL, 0, &want);
	assert_int_equal(other_open(p->path, &r), 0);
	assert_int_equal(other_check_sums(&r), 0);
	assert_string_equal(other_text(&r, "format"), "pt");
	assert_string_equal(other_text(&r, "odd"), texts[1].value);
	other_close(&r);
}

static void leaves_checksums_out(void **state)
{
	struct pit_save_want want = {.size = sizeof(want), .no_checksums = true};
	struct place *p = *state;
	struct other_reader r = {0};
	uint64_t n = 3;
	struct pit_save_tensor t = bytes_tensor("t", "abc", &n);

	save(p->path, &t, 1, &want);
	assert_int_equal(other_open(p->path, &r), 0);
	assert_null(other_text(&r, "pitcrew.xxh3.t"));
	assert_non_null(other_text(&r, "pitcrew.header"));
	other_close(&r);
}

static void assert_refused(const struct place *p, const struct pit_save_tensor *t, size_t count,
			   const struct pit_save_want *want, int code, const char *word)
{
	struct pit_error err = PIT_ERROR_INIT;
	int rc = pit_save_file(p->path, t, count, want, &err);

	if (rc != -code || !strstr(err.text, word))
		fail_msg("%d '%s', not %d '%s'", rc, err.text, -code, word);
	assert_int_equal(pit_save_file(p->path, t, count, want, NULL), -code);
}

static void refuses_wrong_tensors_by_name(void **state)
{
	static const struct pit_save_text ours[] = {{.key = "pitcrew.mine", .value = "x"}}, half[] = {{.key = "k"}};
	struct pit_save_want texts = {.size = sizeof(texts), .texts = ours, .text_count = 1};
	struct pit_save_want odd_texts = {.size = sizeof(texts), .texts = half, .text_count = 1}, no_size = {0};
	struct place *p = *state;
	uint64_t n = 3, huge = INT64_MAX / 2;
	struct pit_save_tensor twice[] = {bytes_tensor("same", "abc", &n), bytes_tensor("same", "abc", &n)};
	struct pit_save_tensor null = bytes_tensor("null", NULL, &n), nameless = bytes_tensor(NULL, "abc", &n);
	struct pit_save_tensor wrong = bytes_tensor("wrong", "abc", &n), meta = bytes_tensor("__metadata__", "abc", &n);
	struct pit_save_tensor big[] = {bytes_tensor("big", "abc", &huge), bytes_tensor("bigger", "abc", &huge)};

	wrong.tensor.bytes = 4;
	assert_refused(p, twice, 2, NULL, EINVAL, "same");
	assert_refused(p, &null, 1, NULL, EINVAL, "null");
	assert_refused(p, &nameless, 1, NULL, EINVAL, "number 0");
	assert_refused(p, &wrong, 1, NULL, EINVAL, "wrong");
	assert_refused(p, &meta, 1, NULL, EINVAL, "__metadata__");
	assert_refused(p, big, 2, NULL, EOVERFLOW, "bigger");
	assert_refused(p, twice, 1, &texts, EINVAL, "pitcrew.mine");
	assert_refused(p, twice, 1, &odd_texts, EINVAL, "number 0");
	assert_refused(p, twice, 1, &no_size, EINVAL, "size");
	assert_int_equal(count_entries(p->dir), 0);
}

static void new_files_obey_umask_and_old_ones_keep_their_mode(void **state)
{
	struct place *p = *state;
	mode_t old = umask(027);
	struct stat st;

	save(p->path, NULL, 0, NULL);
	umask(old);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	chmod(p->path, 0604);
	save(p->path, NULL, 0, NULL);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
}

static void keeps_the_owner(void **state)
{
	struct place *p = *state;
	struct stat st;

	if (geteuid())
		skip();
	save(p->path, NULL, 0, NULL);
	assert_int_equal(chown(p->path, 1234, 4321), 0);
	save(p->path, NULL, 0, NULL);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 4321);
}

static void follows_symbolic_links(void **state)
{
	struct place *p = *state;
	char link[400], second[400];
	struct stat st;

	mkdir(strcat(strcpy(link, p->dir), "/sub"), 0755);
	snprintf(link, sizeof(link), "%s/link", p->dir);
	snprintf(second, sizeof(second), "%s/sub/second", p->dir);
	assert_int_equal(symlink("sub/second", link), 0);
	assert_int_equal(symlink("../model.safetensors", second), 0);
	save(link, NULL, 0, NULL); /* where it leads there is nothing yet */
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_holds(p->path, NULL, 0);
	save(link, NULL, 0, NULL);
	assert_holds(p->path, NULL, 0);
	unlink(second);
	assert_int_equal(symlink("../link", second), 0);
	assert_int_equal(pit_save_file(link, NULL, 0, NULL, NULL), -ELOOP);
}

static void replaces_nothing_but_regular_files(void **state)
{
	struct place *p = *state;

	assert_int_equal(mkfifo(p->path, 0600), 0);
	assert_refused(p, NULL, 0, NULL, EINVAL, "no regular file");
	unlink(p->path);
	mkdir(p->path, 0700);
	assert_refused(p, NULL, 0, NULL, EISDIR, "directory");
	rmdir(p->path);
	snprintf(p->path, sizeof(p->path), "%s/absent/x", p->dir);
	assert_refused(p, NULL, 0, NULL, ENOENT, "absent");
	snprintf(p->path, sizeof(p->path), "%s/", p->dir);
	assert_refused(p, NULL, 0, NULL, EISDIR, "not the name");
}

static void long_names_have_temporary_ones_too(void **state)
{
	struct place *p = *state;
	char path[600];

	snprintf(path, sizeof(path), "%s/%0255d", p->dir, 1);
	save(path, NULL, 0, NULL);
	assert_holds(path, NULL, 0);
	snprintf(path, sizeof(path), "%s/%0256d", p->dir, 1);
	assert_int_equal(pit_save_file(path, NULL, 0, NULL, NULL), -ENAMETOOLONG);
	assert_int_equal(count_entries(p->dir), 1);
}

/* In a child, for limits and users go for the whole process. */
static int in_child(int (*fn)(const struct place *), const struct place *p)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		alarm(60);
		_exit(fn(p));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int beyond_file_limit(const struct place *p)
{
	struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
	struct pit_error err = PIT_ERROR_INIT;
	uint64_t n = 2 << 20;
	struct pit_save_tensor t = bytes_tensor("t", calloc(1, n), &n);

	setrlimit(RLIMIT_FSIZE, &limit);
	if (pit_save_file(p->path, &t, 1, NULL, &err) != -EFBIG)
		return 1;
	return strstr(err.text, "ulimit -f") && strstr(err.text, p->path) ? 0 : 2;
}

static void names_the_file_limit_and_lives_on(void **state)
{
	struct place *p = *state;

	save(p->path, NULL, 0, NULL);
	assert_int_equal(in_child(beyond_file_limit, p), 0);
	assert_holds(p->path, NULL, 0);
	assert_int_equal(count_entries(p->dir), 1);
}

static int unwritable_directory(const struct place *p)
{
	struct pit_error err = PIT_ERROR_INIT;

	if (setgid(65534) || setuid(65534))
		return 3;
	if (pit_save_file(p->path, NULL, 0, NULL, &err) != -EACCES)
		return 1;
	return strstr(err.text, "temporary file") ? 0 : 2;
}

static void says_that_a_directory_is_not_writable(void **state)
{
	struct place *p = *state;

	if (geteuid())
		skip();
	save(p->path, NULL, 0, NULL);
	chmod(p->dir, 0755);
	assert_int_equal(in_child(unwritable_directory, p), 0);
	assert_holds(p->path, NULL, 0);
}

static void fill_tensor(struct pit_save_tensor *t, char *data, const uint64_t *n, unsigned char value)
{
	memset(data, value, *n);
	*t = bytes_tensor("t", data, n);
}

static int writes_for_ever(const struct place *p)
{
	uint64_t n = 3 << 20;
	char *data = malloc(n);
	struct pit_save_tensor t;

	for (unsigned char i = 0;; i++) {
		fill_tensor(&t, data, &n, i);
		if (pit_save_file(p->path, &t, 1, NULL, NULL))
			return 1;
	}
}

static void assert_one_value(const char *path)
{
	struct other_reader r = {0};
	const char *data;
	size_t len = 0;

	assert_int_equal(other_open(path, &r), 0);
	assert_int_equal(other_check_sums(&r), 0);
	data = other_tensor(&r, "t", &len);
	assert_int_equal(len, 3 << 20);
	for (size_t i = 1; i < len; i++)
		if (data[i] != data[0])
			fail_msg("byte %zu", i);
	other_close(&r);
}

static void a_killed_save_leaves_old_or_new_and_garbage_that_goes(void **state)
{
	struct place *p = *state;
	uint64_t n = 3 << 20;
	char *data = malloc(n);
	struct pit_save_tensor t;

	fill_tensor(&t, data, &n, 255);
	save(p->path, &t, 1, NULL);
	for (unsigned round = 0; round < 25; round++) {
		pid_t pid = fork();

		if (!pid) {
			alarm(60);
			_exit(writes_for_ever(p));
		}
		usleep(500 + round * 1700);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_one_value(p->path);
	}
	/* The kernel ends a dead process's ring behind its back: until then the file and its lock are in use. */
	for (unsigned tries = 0; tries < 200 && count_entries(p->dir) > 1; tries++) {
		usleep(50000);
		save(p->path, &t, 1, NULL);
	}
	assert_int_equal(count_entries(p->dir), 1);
	free(data);
}

static int writes_twenty(const struct place *p)
{
	uint64_t n = 3 << 20;
	char *data = malloc(n);
	struct pit_save_tensor t;

	for (unsigned char i = 0; i < 20; i++) {
		fill_tensor(&t, data, &n, i);
		if (pit_save_file(p->path, &t, 1, NULL, NULL))
			return 1;
	}
	return 0;
}

static void two_writers_of_one_path_do_not_mix(void **state)
{
	struct place *p = *state;
	pid_t pid[2];

	for (unsigned i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			alarm(60);
			_exit(writes_twenty(p));
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		int status;

		waitpid(pid[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_one_value(p->path);
	assert_int_equal(count_entries(p->dir), 1);
}

/* 0 when all is well with the file. */
static int check(const char *path, bool data)
{
	struct pit_weights_want want = {.size = sizeof(want),
					.io = {.engine = PIT_ENGINE_THREADS, .threads = 1, .depth = 1}};
	struct pit_verify_result r;
	struct pit_weights *w = NULL;
	int rc = pit_weights_open(path, &w, NULL);

	if (rc)
		return rc;
	rc = data ? pit_weights_verify(w, &want, &r, NULL) : pit_weights_check_header(w, 0, NULL);
	pit_weights_close(w);
	return rc;
}

static void every_flipped_bit_and_every_cut_is_found(void **state)
{
	struct place *p = *state;
	uint64_t n[] = {5, 0, 9};
	struct pit_save_tensor t[] = {bytes_tensor("a", "12345", &n[0]), bytes_tensor("empty", NULL, &n[1]),
				      bytes_tensor("b", "123456789", &n[2])};
	pit_auto_free char *good = NULL;
	pit_auto_close int fd = -1;
	char other[300];
	size_t len = 0;

	save(p->path, t, 3, NULL);
	assert_int_equal(check(p->path, true), 0);
	good = slurp(p->path, &len);
	snprintf(other, sizeof(other), "%s/other", p->dir);
	tempdir_write(p->dir, "other", good, len);
	fd = open(other, O_RDWR | O_CLOEXEC);
	for (size_t bit = 0; bit < len * 8; bit++) {
		char byte = good[bit / 8], flipped = (char)(byte ^ 1 << bit % 8);

		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)(bit / 8)), 1);
		if (check(other, bit >= 4096 * 8 || bit % 611 == 0) != -EBADMSG)
			fail_msg("bit %zu", bit);
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
	}
	assert_int_equal(check(other, true), 0);
	for (size_t cut = len; cut--;) {
		assert_int_equal(ftruncate(fd, (off_t)cut), 0);
		assert_int_equal(check(other, false), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(saves_tensors_that_other_readers_find, setup, teardown),
		cmocka_unit_test_setup_teardown(saves_no_tensor_at_all, setup, teardown),
		cmocka_unit_test_setup_teardown(saves_by_each_way, setup, teardown),
		cmocka_unit_test_setup_teardown(saves_ten_thousand_tensors, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_the_callers_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_checksums_out, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_wrong_tensors_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(new_files_obey_umask_and_old_ones_keep_their_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_the_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(follows_symbolic_links, setup, teardown),
		cmocka_unit_test_setup_teardown(replaces_nothing_but_regular_files, setup, teardown),
		cmocka_unit_test_setup_teardown(long_names_have_temporary_ones_too, setup, teardown),
		cmocka_unit_test_setup_teardown(names_the_file_limit_and_lives_on, setup, teardown),
		cmocka_unit_test_setup_teardown(says_that_a_directory_is_not_writable, setup, teardown),
		cmocka_unit_test_setup_teardown(a_killed_save_leaves_old_or_new_and_garbage_that_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(two_writers_of_one_path_do_not_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(every_flipped_bit_and_every_cut_is_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
