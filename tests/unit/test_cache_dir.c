/* SPDX-License-Identifier: MIT
 *
 * The cache of samples in a directory: what is kept, found again, shared, thrown away when damaged, and what happens
 * when the disk refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <xxhash.h>

#include "feed/cache.h"
#include "feed/cache_dir.h"
#include "tempdir.h"

#define PRINT 0x1234abcdu
#define FOLDER "000000001234abcd"
#define LEN 1000 /* a block of 4 KiB with its trailer */
#define COST 4096

struct world {
	char dir[64];
	struct pit_sample_cache *c;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	tempdir_new(w->dir, sizeof(w->dir));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pit_sample_cache_close(w->c);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

static struct pit_sample_cache *open_at(const char *dir, enum pit_policy policy, uint64_t bytes)
{
	struct pit_sample_cache *c = NULL;
	struct pit_error err = {0};

	if (pit_sample_cache_open(policy, bytes, dir, PRINT, &c, &err))
		fail_msg("%s", err.text);
	return c;
}

static void reopen(struct world *w, enum pit_policy policy, uint64_t bytes)
{
	pit_sample_cache_close(w->c);
	w->c = open_at(w->dir, policy, bytes);
}

static struct pit_sample_cache_stats stats(const struct pit_sample_cache *c)
{
	struct pit_sample_cache_stats s;

	pit_sample_cache_stats(c, &s);
	return s;
}

static void fill(unsigned char *data, uint64_t key)
{
	for (uint64_t i = 0; i < LEN; i++)
		data[i] = (unsigned char)(key * 31 + i * 7 + (i >> 8));
}

static void put(struct pit_sample_cache *c, uint64_t key)
{
	unsigned char data[LEN];

	fill(data, key);
	pit_sample_cache_put(c, key, data, LEN);
}

/* A hit with the wrong bytes ends the program, so that children need no assertions. */
static bool get(struct pit_sample_cache *c, uint64_t key)
{
	unsigned char data[LEN] = {0}, wanted[LEN];

	if (!pit_sample_cache_get(c, key, data, LEN))
		return false;
	fill(wanted, key);
	if (memcmp(data, wanted, LEN))
		abort();
	return true;
}

static void put_all(struct pit_sample_cache *c, uint64_t count)
{
	for (uint64_t key = 0; key < count; key++)
		put(c, key);
	pit_sample_cache_flush(c);
}

static uint64_t hits(struct pit_sample_cache *c, uint64_t count)
{
	uint64_t n = 0;

	for (uint64_t key = 0; key < count; key++)
		n += get(c, key);
	return n;
}

static const char *path_of(const struct world *w, uint64_t key)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/" FOLDER "/%02x/%016" PRIx64, w->dir, (unsigned)(key & 255), key);
	return path;
}

static unsigned files, temporaries;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;

	files += type == FTW_F && strlen(name) == 16;
	temporaries += !strncmp(name, ".tmp-", 5);
	return 0;
}

static unsigned count_files(const char *dir)
{
	files = temporaries = 0;
	nftw(dir, count_one, 32, FTW_PHYS);
	return files;
}

/* ---- keeping ---- */

static void is_used_again(void **state)
{
	struct world *w = *state;

	reopen(w, PIT_POLICY_FILL_ONCE, 1 << 20);
	assert_int_equal(hits(w->c, 100), 0);
	put_all(w->c, 100);
	assert_int_equal(hits(w->c, 100), 100);
	assert_int_equal(stats(w->c).used, 100 * COST);
	for (int p = 0; p < PIT_POLICIES; p++) {
		reopen(w, (enum pit_policy)p, 1 << 20);
		assert_int_equal(hits(w->c, 100), 100); /* before or after the files were counted */
		pit_sample_cache_flush(w->c);
		for (uint64_t key = 0; key < 120; key++)
			pit_sample_cache_expect(w->c, key, LEN);
		assert_int_equal(hits(w->c, 120), 100);
		assert_int_equal(stats(w->c).used, 100 * COST);
	}
	assert_int_equal(count_files(w->dir), 100);
	assert_int_equal(temporaries, 0);
}

static void writes_the_format(void **state)
{
	struct world *w = *state;
	unsigned char data[LEN], file[LEN + 17];
	uint64_t trailer[2], key = 0x1ff;
	pit_auto_fclose FILE *f = NULL;

	reopen(w, PIT_POLICY_FILL_ONCE, 1 << 20);
	put(w->c, key);
	pit_sample_cache_flush(w->c);
	f = fopen(path_of(w, key), "re");
	assert_non_null(f);
	assert_int_equal(fread(file, 1, sizeof(file), f), LEN + 16);
	fill(data, key);
	assert_memory_equal(file, data, LEN);
	memcpy(trailer, file + LEN, 16);
	assert_int_equal(le64toh(trailer[0]), LEN);
	assert_true(le64toh(trailer[1]) == XXH3_64bits_withSeed(data, LEN, key));
}

static void keeps_empty_samples(void **state)
{
	struct world *w = *state;

	reopen(w, PIT_POLICY_LRU, 1 << 20);
	pit_sample_cache_put(w->c, 5, NULL, 0);
	pit_sample_cache_flush(w->c);
	assert_int_equal(pit_sample_cache_get(w->c, 5, NULL, 0), 1);
	assert_int_equal(stats(w->c).used, COST);
}

static void keeps_to_the_limit(void **state)
{
	struct world *w = *state;

	for (int p = 0; p < PIT_POLICIES; p++) {
		reopen(w, (enum pit_policy)p, 50 * COST + 100);
		put_all(w->c, 80);
		assert_int_equal(count_files(w->dir), 50);
		assert_int_equal(stats(w->c).used, 50 * COST);
		assert_int_equal(hits(w->c, 80), 50);
	}
	reopen(w, PIT_POLICY_FILL_ONCE, 20 * COST); /* the limit was higher */
	pit_sample_cache_flush(w->c);
	assert_int_equal(count_files(w->dir), 20);
	reopen(w, PIT_POLICY_LRU, 10 * COST);
	pit_sample_cache_flush(w->c);
	assert_int_equal(count_files(w->dir), 10);
	assert_int_equal(stats(w->c).used, 10 * COST);
}

/* ---- damage ---- */

static void truncate_it(const char *path)
{
	assert_int_equal(truncate(path, 500), 0);
}

static void lengthen_it(const char *path)
{
	assert_int_equal(truncate(path, LEN + 17), 0);
}

static void empty_it(const char *path)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void flip_at(const char *path, off_t at)
{
	pit_auto_close int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 16;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void flip_data(const char *path)
{
	flip_at(path, 700);
}

static void flip_length(const char *path)
{
	flip_at(path, LEN);
}

static void flip_sum(const char *path)
{
	flip_at(path, LEN + 15);
}

/* Another sample's file, which is whole. */
static void mix_up(const char *path)
{
	char other[256];

	snprintf(other, sizeof(other), "%.*s/02/0000000000000002", (int)(strlen(path) - 20), path);
	assert_int_equal(rename(other, path), 0);
}

static void make_fifo(const char *path)
{
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_link(const char *path)
{
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
}

static void removes_damaged_files(void **state)
{
	static void (*const damages[])(const char *) = {truncate_it, lengthen_it, empty_it,  flip_data, flip_length,
							flip_sum,    mix_up,      make_fifo, make_link};
	struct world *w = *state;
	struct stat st;

	for (size_t i = 0; i < PIT_COUNT(damages); i++) {
		reopen(w, PIT_POLICY_FILL_ONCE, 1 << 20);
		put_all(w->c, 10);
		damages[i](path_of(w, 1));
		assert_false(get(w->c, 1));
		assert_int_equal(stats(w->c).files_bad, 1);
		pit_sample_cache_flush(w->c);
		assert_int_equal(lstat(path_of(w, 1), &st), -1);
		assert_false(get(w->c, 1));
		assert_int_equal(stats(w->c).files_bad, 1);
		hits(w->c, 10);
		put_all(w->c, 10); /* comes again */
		assert_int_equal(hits(w->c, 10), 10);
	}
}

static void comes_again_when_full(void **state)
{
	struct world *w = *state;

	reopen(w, PIT_POLICY_FILL_ONCE, 10 * COST);
	put_all(w->c, 20);
	assert_int_equal(hits(w->c, 20), 10);
	flip_data(path_of(w, 1));
	assert_false(get(w->c, 1));
	pit_sample_cache_flush(w->c);
	put_all(w->c, 2);
	assert_true(get(w->c, 1));
	assert_int_equal(stats(w->c).used, 10 * COST);
	unlink(path_of(w, 2)); /* by a person */
	assert_false(get(w->c, 2));
}

/* ---- several at once ---- */

static void cleans_only_when_alone(void **state)
{
	struct world *w = *state;
	struct pit_sample_cache *second;

	reopen(w, PIT_POLICY_FILL_ONCE, 1 << 20);
	put_all(w->c, 3);
	tempdir_file(w->dir, FOLDER "/.tmp-12-0123456789abcdef", "left");
	second = open_at(w->dir, PIT_POLICY_FILL_ONCE, 1 << 20);
	put_all(second, 5);
	count_files(w->dir);
	assert_int_equal(temporaries, 1);
	pit_sample_cache_close(second);
	reopen(w, PIT_POLICY_FILL_ONCE, 1 << 20);
	pit_sample_cache_flush(w->c);
	assert_int_equal(count_files(w->dir), 5);
	assert_int_equal(temporaries, 0);
}

static void the_limit_is_one_for_all(void **state)
{
	struct world *w = *state;

	for (int p = 0; p < PIT_POLICIES; p++) {
		struct pit_sample_cache *second;

		reopen(w, (enum pit_policy)p, 30 * COST);
		put_all(w->c, 20);
		second = open_at(w->dir, (enum pit_policy)p, 30 * COST);
		for (uint64_t key = 100; key < 150; key++)
			put(second, key);
		pit_sample_cache_flush(second);
		assert_int_equal(count_files(w->dir), 30);
		assert_int_equal(stats(second).used, 30 * COST);
		assert_in_range(hits(second, 150), 10, 30); /* finds what the other wrote */
		assert_int_equal(hits(w->c, 150), 30);
		pit_sample_cache_close(second);
		pit_sample_cache_close(w->c);
		w->c = open_at(w->dir, PIT_POLICY_FILL_ONCE, 0); /* empties it */
		pit_sample_cache_flush(w->c);
		assert_int_equal(count_files(w->dir), 0);
	}
}

#define PROCESSES 4
#define KEYS 150

/* Each goes through all samples three times in an order of its own. */
static int child(const char *dir, enum pit_policy policy, uint64_t seed)
{
	struct pit_sample_cache *c = open_at(dir, policy, KEYS / 2 * COST);
	int code;

	for (uint64_t n = 0; n < 3 * KEYS; n++) {
		uint64_t key = n * (2 * seed + 7) % KEYS;

		if (!get(c, key))
			put(c, key);
	}
	pit_sample_cache_flush(c);
	code = stats(c).files_bad || stats(c).stopped;
	pit_sample_cache_close(c);
	return code;
}

static void processes_share(void **state)
{
	struct world *w = *state;

	for (int p = 0; p < PIT_POLICIES; p++) {
		pid_t pids[PROCESSES];

		for (unsigned i = 0; i < PROCESSES; i++) {
			pids[i] = fork();
			if (!pids[i])
				_exit(child(w->dir, (enum pit_policy)p, i));
		}
		for (unsigned i = 0; i < PROCESSES; i++) {
			int status;

			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
		}
		assert_in_range(count_files(w->dir), 1, KEYS / 2);
		assert_int_equal(temporaries, 0);
		reopen(w, (enum pit_policy)p, KEYS / 2 * COST);
		pit_sample_cache_flush(w->c);
		assert_int_equal(stats(w->c).used, files * COST);
		assert_int_equal(hits(w->c, KEYS), files);
		assert_int_equal(stats(w->c).files_bad, 0);
		pit_sample_cache_close(w->c);
		w->c = NULL;
	}
}

/* A process that is killed while it writes. */
static void survives_kills(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 6; round++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			struct pit_sample_cache *c = open_at(w->dir, PIT_POLICY_LRU, 60 * COST);

			for (uint64_t key = 0;; key = (key + 1) % 300)
				put(c, key);
		}
		usleep(20000 + 3000 * (useconds_t)round);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	reopen(w, PIT_POLICY_LRU, 60 * COST);
	pit_sample_cache_flush(w->c);
	assert_int_equal(stats(w->c).used, count_files(w->dir) * COST);
	assert_int_equal(temporaries, 0);
	assert_in_range(files, 0, 60);
	assert_int_equal(hits(w->c, 300), files);
	assert_int_equal(stats(w->c).files_bad, 0);
}

struct worker {
	struct pit_sample_cache *c;
	uint64_t seed;
};

static void *work(void *arg)
{
	struct worker *worker = arg;

	for (uint64_t n = 0; n < 1500; n++) {
		uint64_t key = n * worker->seed % 97;

		if (!get(worker->c, key))
			put(worker->c, key);
	}
	return NULL;
}

static void threads_share(void **state)
{
	struct world *w = *state;

	for (int p = 0; p < PIT_POLICIES; p += 2) {
		struct worker workers[4];
		pthread_t threads[4];

		reopen(w, (enum pit_policy)p, 50 * COST);
		for (uint64_t i = 0; i < 4; i++) {
			workers[i] = (struct worker){.c = w->c, .seed = 2 * i + 3};
			assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
		}
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		pit_sample_cache_flush(w->c);
		assert_int_equal(stats(w->c).requests, 6000);
		assert_int_equal(stats(w->c).files_bad, 0);
		assert_int_equal(stats(w->c).used, count_files(w->dir) * COST);
		assert_in_range(files, 1, 50);
	}
}

static void forked_children_miss(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid;

	reopen(w, PIT_POLICY_FILL_ONCE, 1 << 20);
	put_all(w->c, 3);
	pid = fork();
	if (!pid) {
		bool hit = get(w->c, 1);

		put(w->c, 7);
		pit_sample_cache_expect(w->c, 1, LEN);
		pit_sample_cache_flush(w->c);
		pit_sample_cache_close(w->c);
		_exit(hit);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	put(w->c, 8);
	pit_sample_cache_flush(w->c);
	assert_int_equal(hits(w->c, 10), 4);
}

/* ---- when nothing goes ---- */

static int hold(const struct world *w)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" FOLDER "/users", w->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

/* While another counts nothing is written: the queue fills. */
static void passes_offers_over(void **state)
{
	struct world *w = *state;
	size_t len = PIT_CACHE_QUEUE / 8 - 1;
	pit_auto_free void *data = calloc(1, len);
	int fd;

	reopen(w, PIT_POLICY_FILL_ONCE, 1 << 30);
	put_all(w->c, 1);
	pit_sample_cache_close(w->c);
	fd = hold(w);
	w->c = open_at(w->dir, PIT_POLICY_FILL_ONCE, 1 << 30);
	assert_true(get(w->c, 0)); /* reading goes on */
	for (uint64_t key = 1; key <= 11; key++)
		pit_sample_cache_put(w->c, key, data, len);
	assert_int_equal(stats(w->c).passed, 3);
	pit_sample_cache_close(w->c); /* does not wait for ever */
	w->c = open_at(w->dir, PIT_POLICY_FILL_ONCE, 1 << 30);
	put(w->c, 1);
	close(fd);
	pit_sample_cache_flush(w->c);
	assert_int_equal(hits(w->c, 20), 2);
}

/* Runs `job` in a child with a mount of its own at DIR/small: 1 when that is not allowed here. */
static int in_small_mount(const struct world *w, int (*job)(const char *dir))
{
	char small[128];
	int status;
	pid_t pid;

	snprintf(small, sizeof(small), "%s/small", w->dir);
	assert_int_equal(mkdir(small, 0755), 0);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
			_exit(77);
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("small", small, "tmpfs", 0, "size=512k"))
			_exit(77);
		_exit(job(small));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(small);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int full_disk(const char *dir)
{
	struct pit_sample_cache *c = open_at(dir, PIT_POLICY_LRU, 1 << 30);
	uint64_t kept;

	put_all(c, 500);
	if (stats(c).stopped != ENOSPC || !strstr(stats(c).why, "nothing more is admitted"))
		return 2;
	kept = hits(c, 500);
	if (kept < 10 || kept != count_files(dir) || temporaries)
		return 3;
	put_all(c, 500);
	if (hits(c, 500) != kept)
		return 4;
	pit_sample_cache_close(c);
	return 0;
}

static int read_only_disk(const char *dir)
{
	char other[128];
	struct pit_error err = {0};
	struct pit_sample_cache *c = open_at(dir, PIT_POLICY_LRU, 1 << 30);
	bool right;

	put_all(c, 10);
	pit_sample_cache_close(c);
	if (mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL))
		return 77;
	c = open_at(dir, PIT_POLICY_LRU, 1 << 30);
	put_all(c, 20);
	right = hits(c, 20) == 10 && stats(c).stopped == EROFS;
	pit_sample_cache_close(c);
	snprintf(other, sizeof(other), "%s/other", dir);
	right = right && pit_sample_cache_open(PIT_POLICY_LRU, 1, other, PRINT, &c, &err) == -EROFS;
	return right && strstr(err.text, "/other") ? 0 : 2;
}

static void stops_when_the_disk_is_full(void **state)
{
	int code = in_small_mount(*state, full_disk);

	if (code == 77) {
		print_message("SKIP: no mounts allowed here\n");
		skip();
	}
	assert_int_equal(code, 0);
}

static void reads_from_a_read_only_disk(void **state)
{
	int code = in_small_mount(*state, read_only_disk);

	if (code == 77) {
		print_message("SKIP: no mounts allowed here\n");
		skip();
	}
	assert_int_equal(code, 0);
}

/* The limit of file sizes (ulimit -f) must not kill the program by its signal. */
static void survives_a_limit_of_file_sizes(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct pit_sample_cache *c = open_at(w->dir, PIT_POLICY_FILL_ONCE, 1 << 20);

		setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 100, .rlim_max = 100});
		put_all(c, 3);
		status = stats(c).stopped != EFBIG || hits(c, 3) || count_files(w->dir) || temporaries;
		pit_sample_cache_close(c);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void says_what_cannot_be_opened(void **state)
{
	struct world *w = *state;
	struct pit_error err = {0};
	char path[128];

	snprintf(path, sizeof(path), "%s/absent/cache", w->dir);
	assert_int_equal(pit_sample_cache_open(PIT_POLICY_LRU, 1, path, PRINT, &w->c, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	tempdir_file(w->dir, "file", "");
	snprintf(path, sizeof(path), "%s/file", w->dir);
	assert_int_equal(pit_sample_cache_open(PIT_POLICY_LRU, 1, path, PRINT, &w->c, &err), -ENOTDIR);
	assert_null(w->c);
	snprintf(path, sizeof(path), "%s/new", w->dir); /* is made */
	w->c = open_at(path, PIT_POLICY_LRU, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_used_again),
		TEST(writes_the_format),
		TEST(keeps_empty_samples),
		TEST(keeps_to_the_limit),
		TEST(removes_damaged_files),
		TEST(comes_again_when_full),
		TEST(cleans_only_when_alone),
		TEST(the_limit_is_one_for_all),
		TEST(processes_share),
		TEST(survives_kills),
		TEST(threads_share),
		TEST(forked_children_miss),
		TEST(passes_offers_over),
		TEST(stops_when_the_disk_is_full),
		TEST(reads_from_a_read_only_disk),
		TEST(survives_a_limit_of_file_sizes),
		TEST(says_what_cannot_be_opened),
	};

	alarm(240);
	return cmocka_run_group_tests_name("cache_dir", tests, NULL, NULL);
}
