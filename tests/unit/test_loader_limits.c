/* SPDX-License-Identifier: MIT
 *
 * The loader where numbers are huge, memory is tiny, and others do not behave.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "feed/loader.h"
#include "feed/share.h"
#include "feed_world.h"
#include "tar_bytes.h"

#define FILES 200
#define SKIPPED 77
#define BIG (INT64_C(1) << 30)
#define HUGE (INT64_C(4) << 40)

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static int exit_code(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Batches that are larger than all memory have some of their own: one that is read ahead, and those in use. */
static void large_batches_wait_to_be_taken(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10, .memory = 1});
	struct pit_loader_stats stats = {.size = sizeof(stats)};
	struct pit_batch *b = NULL;
	unsigned n = 0;

	while (pit_loader_next(l, &b, NULL) == 1) {
		for (unsigned i = 0; n < 3 && i < 20; i++)
			nap();
		pit_loader_stats(l, &stats);
		assert_in_range(stats.memory, 1, 3 * 10 * 30000);
		feed_check(b);
		pit_batch_release(b);
		n++;
	}
	assert_int_equal(n, FILES / 10);
	pit_loader_close(l);
}

/* One sparse file, as a source. */
static struct pit_source *big_file(char *dir, size_t size, off_t bytes)
{
	const char *paths[] = {dir};
	struct pit_source_want want = {.size = sizeof(want), .kind = PIT_SOURCE_FILES, .paths = paths, .path_count = 1};
	struct pit_source *s = NULL;
	char path[128];

	tempdir_new_in("/var/tmp", dir, size);
	assert_int_equal(tempdir_write(dir, "/big", "", 0), 0);
	snprintf(path, sizeof(path), "%s/big", dir);
	assert_int_equal(truncate(path, bytes), 0);
	assert_int_equal(pit_source_open(&want, &s, NULL), 0);
	return s;
}

/* However large a batch is: what is not in the kernel yet never goes there, and its memory need not be there first. */
static void a_big_batch_is_left_at_once(void **state)
{
	struct pit_loader_want want = {.size = sizeof(want), .memory = 1 << 20};
	struct pit_loader_stats stats = {.size = sizeof(stats)};
	struct pit_loader *l = NULL;
	struct pit_batch *b = NULL;
	struct pit_source *s;
	char dir[64];
	int64_t begun, whole, end;

	(void)state;
	if (pit_pool_available() < BIG * 3)
		skip(); /* no memory for it */
	s = big_file(dir, sizeof(dir), BIG);
	begun = pit_now();
	assert_int_equal(pit_loader_open(s, &want, &l, NULL), 0);
	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	whole = pit_now() - begun;
	pit_loader_stats(l, &stats);
	assert_true(stats.memory > BIG && stats.memory_most > BIG);
	pit_batch_release(b);
	pit_loader_stats(l, &stats);
	assert_true(stats.memory < BIG && stats.memory_most > BIG);
	pit_loader_close(l);
	assert_int_equal(pit_loader_open(s, &want, &l, NULL), 0);
	nap();
	begun = pit_now();
	pit_loader_close(l);
	end = pit_now() - begun;
	assert_true(end < whole / 2 || end < 500 * PIT_MS);
	pit_source_close(s);
	tempdir_remove(dir);
}

/* More than there is: the batch says so, and nothing is killed. */
static void a_batch_beyond_all_memory_says_so(void **state)
{
	struct pit_loader_want want = {.size = sizeof(want), .memory = 1 << 20};
	struct pit_loader *l = NULL;
	struct pit_batch *b = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_source *s;
	char dir[64];

	(void)state;
	if (!pit_pool_available() || pit_pool_available() > HUGE / 2)
		skip(); /* unknown, or it would fit */
	s = big_file(dir, sizeof(dir), HUGE);
	assert_int_equal(pit_loader_open(s, &want, &l, NULL), 0);
	assert_int_equal(pit_loader_next(l, &b, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "batch 0"));
	assert_non_null(strstr(err.text, "4.0 TiB"));
	assert_non_null(strstr(err.text, "left"));
	assert_int_equal(pit_loader_next(l, &b, &err), 0);
	pit_loader_close(l);
	pit_source_close(s);
	tempdir_remove(dir);
}

/* A batch is no larger than what there is. */
static void memory_is_for_the_samples_there_are(void **state)
{
	struct pit_loader_stats stats = {.size = sizeof(stats)};
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 1 << 24});

	pit_loader_stats(l, &stats);
	assert_in_range(stats.memory, 1, UINT64_C(72) << 20);
	pit_loader_close(l);
}

static void batches_have_a_limit(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader_want want = {.size = sizeof(want), .batch = UINT32_MAX, .tail = PIT_TAIL_PAD};
	struct pit_loader *l = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_loader_open(w->source, &want, &l, &err), -EINVAL);
	assert_non_null(strstr(err.text, "4294967295"));
}

/* Whoever held a lock when a process was forked is not in the child. */
static void a_fork_does_not_wait_for_locks(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10});
	pid_t pid;

	pthread_mutex_lock(&l->lock);
	pid = fork();
	if (!pid) {
		alarm(10);
		_exit(pit_loader_batches(l) != FILES / 10);
	}
	pthread_mutex_unlock(&l->lock);
	assert_int_equal(exit_code(pid), 0);
	pit_loader_close(l);
}

/* The number of a receiver that has ended may be another process' by now. */
static void a_receiver_is_known_by_when_it_began(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10});
	uint64_t began = pit_share_began(getpid());
	char text[256];

	for (uint64_t wrong = 0; wrong < 2; wrong++) {
		struct pit_batch *b = NULL;
		struct pit_batch_head *h;

		assert_int_equal(pit_loader_next(l, &b, NULL), 1);
		h = b->head;
		assert_true(pit_batch_export(b, text, sizeof(text), NULL) > 0);
		atomic_store(&h->began, began ? began + wrong : 0);
		atomic_store(&h->lease, (uint64_t)PIT_LEASE_TAKEN << 32 | (uint32_t)getpid());
		assert_int_equal(pit_store_collect(l->store), began ? 1 : wrong + 1);
	}
	pit_loader_close(l);
}

/* A file of huge pages though it is no hugetlbfs: tmpfs where THP are on, as a memfd is then. */
static int huge_file(const char *dir)
{
	struct stat st;
	char path[128];
	int fd;

	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", dir, "tmpfs", 0, "huge=always"))
		return -1;
	snprintf(path, sizeof(path), "%s/memory", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 || ftruncate(fd, 8 << 20) || fstat(fd, &st) || st.st_blksize <= sysconf(_SC_PAGESIZE) ? -1 : fd;
}

static int import_from(int fd)
{
	const struct pit_share share = {.pid = getpid(), .fd = fd, .bytes = 8192, .nonce = 7, .bell = -1};
	struct pit_batch_head h = {
		.magic = PIT_BATCH_MAGIC,
		.nonce = 7,
		.lease = (uint64_t)PIT_LEASE_OFFERED << 32,
		.bytes = 8192,
		.samples = sizeof(h),
		.names = sizeof(h),
		.runs = sizeof(h),
		.entries = sizeof(h),
		.texts = sizeof(h),
		.end = sizeof(h) + 1,
	};
	size_t page = sysconf(_SC_PAGESIZE);
	struct pit_batch *b = NULL;
	unsigned char in[1];
	char text[256], *beside;

	if (pwrite(fd, &h, sizeof(h), 0) != sizeof(h))
		return 1;
	pit_share_text(&share, text, sizeof(text));
	if (pit_batch_import(text, &b, NULL))
		return 2;
	beside = (char *)b->map + (b->map_len + page - 1) / page * page;
	mmap(beside, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	pit_batch_release(b);
	return mincore(beside, page, in) ? 3 : 0;
}

static void what_lies_beside_a_batch_stays_mapped(void **state)
{
	struct feed_world *w = *state;
	pid_t pid = fork();
	int code;

	if (!pid) {
		int fd;

		alarm(30);
		fd = huge_file(w->dir);
		_exit(fd < 0 ? SKIPPED : import_from(fd));
	}
	code = exit_code(pid);
	if (code == SKIPPED)
		skip();
	assert_int_equal(code, 0);
}

/* Each file that is being opened takes one, and the program needs some, too. */
static void descriptors_are_left_for_others(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader_want want = {.size = sizeof(want), .batch = 10, .io = {.engine = PIT_ENGINE_URING}};
	struct pit_loader_stats stats = {.size = sizeof(stats)};
	struct pit_loader *l = NULL;
	struct rlimit before, few;
	uint64_t order[FILES];
	int rc;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){.rlim_cur = 40, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	rc = pit_loader_open(w->source, &want, &l, NULL);
	if (!rc) {
		pit_loader_stats(l, &stats);
		assert_int_equal(feed_take(l, order, FILES), FILES);
		pit_loader_close(l);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	if (rc)
		skip();
	assert_in_range(stats.depth, 1, 10);
}

static struct pit_source *open_source(const char *dir, enum pit_source_kind kind, uint64_t record)
{
	const char *const paths[] = {dir};
	struct pit_source_want want = {.size = sizeof(want),
				       .kind = kind,
				       .paths = paths,
				       .path_count = 1,
				       .record_bytes = record,
				       .index = ""};
	struct pit_source *s = NULL;

	assert_int_equal(pit_source_open(&want, &s, NULL), 0);
	return s;
}

static bool is_all(const struct pit_part *part, unsigned char byte)
{
	const unsigned char *data = part->data;

	for (size_t i = 0; i < part->len; i++)
		if (data[i] != byte)
			return false;
	return true;
}

/* One read brings cached and other samples, and the file has changed: nothing is half of each. */
static void cached_samples_are_whole(void **state)
{
	enum { RECORD = 4096 };
	static unsigned char bytes[4 * RECORD];
	struct feed_world w;
	struct pit_loader *l;
	struct pit_part part;
	struct pit_batch *b = NULL;
	unsigned n = 0;

	tempdir_new_in("/var/tmp", w.dir, sizeof(w.dir));
	memset(bytes, 'a', sizeof(bytes));
	assert_int_equal(tempdir_write(w.dir, "/r", bytes, sizeof(bytes)), 0);
	w.source = open_source(w.dir, PIT_SOURCE_RECORDS, RECORD);
	l = feed_open(&w, (struct pit_loader_want){.batch = 4,
						   .shuffle = PIT_SHUFFLE_NONE,
						   .on_error = PIT_ERROR_SKIP,
						   .cache_bytes = 2 * RECORD,
						   .io = {.cache = PIT_IO_BUFFERED}});
	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	pit_batch_release(b);
	memset(bytes, 'b', sizeof(bytes));
	assert_int_equal(tempdir_write(w.dir, "/r", bytes, RECORD + 100), 0);
	assert_int_equal(pit_loader_epoch(l, 5, NULL), 0);
	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	for (uint32_t i = 0; i < pit_batch_count(b); i++, n++) {
		assert_int_equal(pit_batch_part(b, i, 0, &part), 0);
		assert_true(is_all(&part, 'a') || is_all(&part, 'b'));
	}
	assert_int_equal(n, 2);
	pit_batch_release(b);
	pit_loader_close(l);
	feed_close(&w);
}

/* A label was put right between two runs: it is as long as before. */
static void a_cache_directory_is_of_what_was_read(void **state)
{
	struct feed_world w;
	char cache[80];

	tempdir_new_in("/var/tmp", w.dir, sizeof(w.dir));
	snprintf(cache, sizeof(cache), "%s.cache", w.dir);
	for (unsigned run = 0; run < 3; run++) {
		const char wanted = "abb"[run];
		const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000 + wanted}};
		char path[80];
		struct pit_loader_stats stats = {.size = sizeof(stats)};
		struct pit_batch *b = NULL;
		struct pit_loader *l;
		struct pit_part part;

		assert_int_equal(tempdir_write(w.dir, "/label", &wanted, 1), 0);
		snprintf(path, sizeof(path), "%s/label", w.dir);
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
		w.source = open_source(w.dir, PIT_SOURCE_FILES, 0);
		l = feed_open(&w, (struct pit_loader_want){.cache_bytes = 1 << 20, .cache_dir = cache});
		pit_sample_cache_flush(l->cache);
		assert_int_equal(pit_loader_epoch(l, 3, NULL), 0);
		assert_int_equal(pit_loader_next(l, &b, NULL), 1);
		assert_int_equal(pit_batch_part(b, 0, 0, &part), 0);
		assert_int_equal(*(const char *)part.data, wanted);
		pit_loader_stats(l, &stats);
		assert_true(run < 2 || stats.cache_hits > 0);
		pit_batch_release(b);
		pit_loader_close(l);
		pit_source_close(w.source);
	}
	tempdir_remove(cache);
	tempdir_remove(w.dir);
}

static void a_cache_is_no_larger_than_the_source(void **state)
{
	struct pit_loader_stats stats = {.size = sizeof(stats)};
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10,
									  .cache_bytes = UINT64_MAX / 2,
									  .cache_policy = PIT_POLICY_S3FIFO});

	for (unsigned epoch = 0; epoch < 2; epoch++) {
		struct pit_batch *b = NULL;

		assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		while (pit_loader_next(l, &b, NULL) == 1) {
			feed_check(b);
			pit_batch_release(b);
		}
	}
	pit_loader_stats(l, &stats);
	assert_true(stats.cache_bound == 1 && stats.cache_hits * 2 >= stats.cache_requests);
	pit_loader_close(l);
}

static const struct pit_rung *rung_of_cache(const struct pit_loader *l)
{
	const struct pit_ladder *ladder = pit_loader_ladder(l);

	for (unsigned i = 0; i < ladder->count; i++)
		if (!strcmp(ladder->rungs[i].ladder, "sample cache"))
			return ladder->rungs + i;
	return NULL;
}

static void tells_that_a_cache_has_stopped(void **state)
{
	struct feed_world *w = *state;
	struct pit_loader_want want = {.batch = 10, .cache_bytes = 1 << 20};
	char cache[80], users[160];
	struct pit_loader *l;

	snprintf(cache, sizeof(cache), "%s.cache", w->dir);
	want.cache_dir = cache;
	l = feed_open(w, want);
	assert_int_equal(rung_of_cache(l)->state, PIT_RUNG_TAKEN);
	pit_loader_close(l);
	snprintf(users, sizeof(users), "%s/%016" PRIx64 "/users", cache, pit_source_version(w->source));
	assert_int_equal(unlink(users) || mkdir(users, 0700), 0);
	l = feed_open(w, want);
	assert_int_equal(rung_of_cache(l)->state, PIT_RUNG_REFUSED);
	assert_non_null(strstr(rung_of_cache(l)->why, "nothing more is admitted"));
	pit_loader_close(l);
	tempdir_remove(cache);
}

/* More parts than the cache's keys tell apart. */
static void caches_samples_of_many_parts(void **state)
{
	const unsigned parts = 65540;
	struct feed_world w;
	struct pit_loader *l;
	struct pit_buf tar = PIT_BUF_INIT;

	tempdir_new_in("/var/tmp", w.dir, sizeof(w.dir));
	for (unsigned i = 0; i < parts; i++) {
		char name[32], text[16];

		snprintf(name, sizeof(name), "a.%05u", i);
		snprintf(text, sizeof(text), "%08u", i);
		tar_file(&tar, name, text);
	}
	assert_int_equal(tempdir_write(w.dir, "/a.tar", tar.data, tar.len), 0);
	pit_buf_free(&tar);
	w.source = open_source(w.dir, PIT_SOURCE_TAR, 0);
	l = feed_open(&w, (struct pit_loader_want){.batch = 1, .cache_bytes = 1 << 20});
	for (unsigned epoch = 0; epoch < 2; epoch++) {
		struct pit_batch *b = NULL;

		assert_int_equal(pit_loader_epoch(l, epoch, NULL), 0);
		assert_int_equal(pit_loader_next(l, &b, NULL), 1);
		assert_int_equal(pit_batch_parts(b, 0), parts);
		for (unsigned i = 0; i < parts; i++) {
			struct pit_part part;
			char text[16];

			assert_int_equal(pit_batch_part(b, 0, i, &part), 0);
			assert_int_equal(part.len, snprintf(text, sizeof(text), "%08u", i));
			assert_memory_equal(part.data, text, part.len);
		}
		pit_batch_release(b);
	}
	pit_loader_close(l);
	feed_close(&w);
}

int main(void)
{
	static struct feed_world world;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(large_batches_wait_to_be_taken, &world),
		cmocka_unit_test(a_big_batch_is_left_at_once),
		cmocka_unit_test(a_batch_beyond_all_memory_says_so),
		cmocka_unit_test_prestate(memory_is_for_the_samples_there_are, &world),
		cmocka_unit_test_prestate(batches_have_a_limit, &world),
		cmocka_unit_test_prestate(a_fork_does_not_wait_for_locks, &world),
		cmocka_unit_test_prestate(a_receiver_is_known_by_when_it_began, &world),
		cmocka_unit_test_prestate(what_lies_beside_a_batch_stays_mapped, &world),
		cmocka_unit_test_prestate(descriptors_are_left_for_others, &world),
		cmocka_unit_test_prestate(cached_samples_are_whole, &world),
		cmocka_unit_test_prestate(a_cache_directory_is_of_what_was_read, &world),
		cmocka_unit_test_prestate(a_cache_is_no_larger_than_the_source, &world),
		cmocka_unit_test_prestate(tells_that_a_cache_has_stopped, &world),
		cmocka_unit_test_prestate(caches_samples_of_many_parts, &world),
	};
	int failed;

	feed_files(&world, FILES);
	failed = cmocka_run_group_tests_name("loader_limits", tests, NULL, NULL);
	feed_close(&world);
	return failed;
}
