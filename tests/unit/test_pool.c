/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "feed/ladder.h"
#include "feed/pool.h"
#include "feed/pool_available.h"
#include "tempdir.h"

#define MIB (UINT64_C(1) << 20)

static const struct pit_io_want plain = {.pages = PIT_PAGES_PLAIN, .lock = PIT_LOCK_NONE};

static struct pit_pool *open_pool(size_t bytes)
{
	struct pit_pool *p = NULL;

	assert_int_equal(pit_pool_open(bytes, &plain, NULL, &p, NULL), 0);
	assert_true(pit_pool_size(p) >= bytes);
	assert_int_equal(pit_pool_size(p) % PIT_POOL_ALIGN, 0);
	return p;
}

static void deals_out_and_takes_back(void **state)
{
	struct pit_pool *p = open_pool(64 * PIT_POOL_ALIGN);
	size_t size = pit_pool_size(p);
	char *a = pit_pool_get(p, 1), *b = pit_pool_get(p, 2 * PIT_POOL_ALIGN), *c = pit_pool_get(p, 0);

	assert_non_null(c);
	assert_int_equal((uintptr_t)a % PIT_POOL_ALIGN, 0);
	assert_ptr_equal(b, a + PIT_POOL_ALIGN);
	assert_null(pit_pool_get(p, size));
	assert_null(pit_pool_get(p, SIZE_MAX));
	pit_pool_put(p, b);
	assert_ptr_equal(pit_pool_get(p, PIT_POOL_ALIGN), b);
	pit_pool_put(p, NULL);
	pit_pool_put(p, a);
	pit_pool_put(p, c);
	pit_pool_put(p, b);
	assert_ptr_equal(pit_pool_get(p, size), pit_pool_base(p));
	pit_pool_unref(p);
	pit_pool_unref(NULL);
}

static uint64_t next_number(uint64_t *x)
{
	*x = *x * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *x >> 33;
}

static void never_deals_out_twice(void **state)
{
	struct pit_pool *p = open_pool(MIB);
	unsigned char *piece[64] = {0};
	size_t len[64] = {0};
	uint64_t x = 1;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned k = next_number(&x) % 64;

		if (piece[k]) {
			for (size_t at = 0; at < len[k]; at += 4096)
				assert_int_equal(piece[k][at], k);
			pit_pool_put(p, piece[k]);
			piece[k] = NULL;
		} else {
			len[k] = next_number(&x) % 60000 + 1;
			piece[k] = pit_pool_get(p, len[k]);
			if (piece[k])
				memset(piece[k], k, len[k]);
		}
	}
	for (unsigned k = 0; k < 64; k++)
		pit_pool_put(p, piece[k]);
	assert_non_null(pit_pool_get(p, pit_pool_size(p)));
	pit_pool_unref(p);
}

static void *churn(void *arg)
{
	struct pit_pool *p = arg;

	for (unsigned i = 0; i < 2000; i++) {
		unsigned char *a = pit_pool_get(p, 5000);

		if (a) {
			a[0]++;
			a[4999]++;
		}
		pit_pool_put(p, a);
	}
	pit_pool_unref(p);
	return NULL;
}

static void serves_threads(void **state)
{
	struct pit_pool *p = open_pool(16 * PIT_POOL_ALIGN);
	pthread_t threads[4];

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(threads + i, NULL, churn, pit_pool_ref(p)), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_non_null(pit_pool_get(p, pit_pool_size(p)));
	pit_pool_unref(p);
}

static void is_one_memory_for_all_processes(void **state)
{
	struct pit_pool *p = open_pool(4 * PIT_POOL_ALIGN);
	volatile char *here = pit_pool_base(p);
	char *there = mmap(NULL, 4096, PROT_READ, MAP_SHARED, pit_pool_fd(p), 0);
	int status;
	pid_t pid;

	assert_ptr_not_equal(there, MAP_FAILED);
	pid = fork();
	if (!pid) {
		*here = 'x';
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(*here, 'x');
	assert_int_equal(there[0], 'x');
	munmap(there, 4096);
	pit_pool_unref(p);
}

static void tells_its_rungs(void **state)
{
	static const char *const ladders[] = {"pages", "lock", "node"};
	struct pit_ladder l = {0};
	struct pit_pool *p = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_pool_open(3 * MIB, NULL, &l, &p, &err), 0);
	for (unsigned i = 0; i < PIT_COUNT(ladders); i++) {
		const struct pit_rung *r = pit_ladder_taken(&l, ladders[i]);

		if (!r && !l.count)
			skip();
		assert_non_null(r);
	}
	memset(pit_pool_base(p), 1, pit_pool_size(p));
	pit_pool_unref(p);
}

static void refuses_what_is_insisted_on(void **state)
{
	struct pit_io_want want = {.lock = PIT_LOCK_CUDA, .pages = PIT_PAGES_PLAIN};
	struct pit_pool *p = (void *)&want;
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_pool_open(MIB, &want, NULL, &p, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "CUDA"));
	want = (struct pit_io_want){.node_plus_1 = 1000, .lock = PIT_LOCK_NONE, .pages = PIT_PAGES_PLAIN};
	err = (struct pit_error)PIT_ERROR_INIT;
	assert_true(pit_pool_open(MIB, &want, NULL, &p, &err) < 0);
	assert_non_null(strstr(err.text, "node 999"));
	assert_int_equal(pit_pool_open(0, &plain, NULL, &p, &err), -EINVAL);
	assert_ptr_equal(p, &want);
}

static void asks_for_no_more_than_there_is(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_pool *p = NULL;

	if (!pit_pool_available())
		skip();
	assert_int_equal(pit_pool_open(UINT64_C(1) << 50, &plain, NULL, &p, &err), -ENOMEM);
	assert_non_null(strstr(err.text, "were asked for"));
	assert_non_null(strstr(err.text, "left"));
	assert_null(p);
}

static void knows_limits_of_groups(void **state)
{
	char dir[64];
	struct pit_available a;

	tempdir_new(dir, sizeof(dir));
	pit_available_at(dir, &a);
	assert_int_equal(a.bytes, 0);
	tempdir_file(dir, "/proc/meminfo", "MemTotal: 16000 kB\nMemAvailable:    8000 kB\n");
	pit_available_at(dir, &a);
	assert_int_equal(a.bytes, 8000 * 1024);
	tempdir_file(dir, "/proc/self/cgroup", "0::/jobs/one\n");
	tempdir_file(dir, "/sys/fs/cgroup/jobs/one/memory.max", "max\n");
	tempdir_file(dir, "/sys/fs/cgroup/jobs/memory.max", "4096000\n");
	tempdir_file(dir, "/sys/fs/cgroup/jobs/memory.current", "1096000\n");
	tempdir_file(dir, "/sys/fs/cgroup/jobs/memory.stat", "anon 5\ninactive_file 500000\nactive_file 100000\n");
	pit_available_at(dir, &a);
	assert_int_equal(a.bytes, 3600000);
	assert_string_equal(a.what, "cgroup /jobs");
	tempdir_file(dir, "/sys/fs/cgroup/jobs/one/memory.high", "100000\n");
	tempdir_file(dir, "/sys/fs/cgroup/jobs/one/memory.current", "40000\n");
	pit_available_at(dir, &a);
	assert_int_equal(a.bytes, 60000);
	/* More in use than allowed: nothing is left, which is not "unknown". */
	tempdir_file(dir, "/sys/fs/cgroup/jobs/one/memory.current", "400000\n");
	pit_available_at(dir, &a);
	assert_int_equal(a.bytes, 1);
	tempdir_file(dir, "/proc/self/cgroup", "12:cpu:/x\n9:memory:/docker/abc\n0::/\n");
	tempdir_file(dir, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000\n");
	tempdir_file(dir, "/sys/fs/cgroup/memory/memory.usage_in_bytes", "500000\n");
	pit_available_at(dir, &a);
	assert_int_equal(a.bytes, 1500000);
	assert_string_equal(a.what, "cgroup /");
	tempdir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deals_out_and_takes_back),
		cmocka_unit_test(never_deals_out_twice),
		cmocka_unit_test(serves_threads),
		cmocka_unit_test(is_one_memory_for_all_processes),
		cmocka_unit_test(tells_its_rungs),
		cmocka_unit_test(refuses_what_is_insisted_on),
		cmocka_unit_test(asks_for_no_more_than_there_is),
		cmocka_unit_test(knows_limits_of_groups),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
