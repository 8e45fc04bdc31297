/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "launch/after_parts.h"

#define MIB (UINT64_C(1) << 20)

static struct pit_idset set(const char *list)
{
	struct pit_idset s = {0};

	assert_int_equal(pit_idset_parse(list, &s, NULL), 0);
	return s;
}

static void pages_by_node(void **state)
{
	static const char text[] =
		"55d000000000 default file=/usr/bin/python3.11 mapped=100 mapmax=3 N0=50 N1=50 kernelpagesize_kB=4\n"
		"55d000100000 prefer:0 heap anon=30 dirty=30 N0=20 N1=10 kernelpagesize_kB=4\n"
		"7f0000000000 bind:0-1 anon=2 dirty=2 N2=2 kernelpagesize_kB=2048\n"
		"7f1000000000 default file=/dev/shm/torch_1_2 dirty=5 mapmax=2 N1=5 kernelpagesize_kB=4\n"
		"7f2000000000 default stack:123 anon=1 N0=1\n"
		"7f3000000000 prefer=relative:1\n"
		"7f4000000000 default anon=9 N0=9 kernelpa";
	pit_auto_idset struct pit_idset mems = set("0,2");
	uint64_t local, remote, page = (uint64_t)sysconf(_SC_PAGESIZE);

	assert_int_equal(pit_after_numa_maps(text, &mems, &local, &remote), 0);
	assert_int_equal(local, 20 * 4096 + 2 * 2 * MIB + page);
	assert_int_equal(remote, 15 * 4096);
	assert_int_equal(pit_after_numa_maps("", &mems, &local, &remote), 0);
	assert_int_equal(local + remote, 0);
}

static void texts_that_are_no_numa_maps(void **state)
{
	static const char *const texts[] = {
		"\n",
		"hello world\n",
		"55d000000000\n",
		"55d000000000 default N0\n55d000000000 default N0=\n",
		"55d000000000 default N0=x\n",
		"55d000000000 default N0=-1\n",
		"55d000000000 default N99999999=1\n",
		"55d000000000 default N0=99999999999999999999999\n",
		"55d000000000 default N0=18446744073709551615 kernelpagesize_kB=4\n",
		"55d000000000 default N0=1 kernelpagesize_kB=0\n",
		"55d000000000 default N0=1 kernelpagesize_kB=18446744073709551615\n",
		"55d000000000 default N0=18446744073709551615 N0=1\n",
	};
	pit_auto_idset struct pit_idset mems = set("0");
	uint64_t local = 7, remote = 8;

	for (size_t i = 0; i < PIT_COUNT(texts); i++)
		assert_int_equal(pit_after_numa_maps(texts[i], &mems, &local, &remote), -EBADMSG);
	assert_int_equal(local, 7);
	assert_int_equal(remote, 8);
}

static void addresses_spread_over_memory(void **state)
{
	static const char maps[] = "400000-500000 r-xp 00000000 08:01 5 /usr/bin/python3\n"
				   "500000-600000 rw-p 00000000 08:01 5 /usr/bin/python3\n"
				   "600000-608000 rw-p 00000000 00:00 0 [heap]\n"
				   "700000-710000 ---p 00000000 00:00 0\n"
				   "7f0000000000-7f0000008000 rw-p 00000000 00:00 0\n"
				   "7f0000010000-7f0000020000 rw-s 00000000 00:01 9 /dev/shm/x y\n"
				   "junk\n";
	uint64_t got[8];

	assert_int_equal(pit_after_spread(maps, 4096, got, 8), 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(got[i] % 4096, 0);
	assert_int_equal(got[0], 0x600000);
	assert_int_equal(got[1], 0x604000);
	assert_int_equal(got[2], 0x7f0000000000);
	assert_int_equal(got[3], 0x7f0000004000);
	assert_int_equal(got[4], 0x7f0000010000);
	assert_int_equal(got[7], 0x7f000001c000);
	assert_int_equal(pit_after_spread("", 4096, got, 8), 0);
	assert_int_equal(
		pit_after_spread("0-ffffffffffffffff rw-p 0 0 0\n1-ffffffffffffffff rw-p 0 0 0\n", 4096, got, 8), 8);
}

/* A child of ours with a thread and 80 MiB, which waits to be killed. */
struct child {
	pid_t pid;
	cpu_set_t thread_has; /* 0 CPUs: no thread */
	size_t bytes;
};

static void *sleeping(void *arg)
{
	const struct child *c = arg;

	pthread_setname_np(pthread_self(), "rebound");
	pthread_setaffinity_np(pthread_self(), sizeof(c->thread_has), &c->thread_has);
	pause();
	return NULL;
}

static int begin(struct child *c)
{
	int ready[2];
	char byte;

	if (pipe(ready))
		return -1;
	c->pid = fork();
	if (!c->pid) {
		pthread_t thread;
		cpu_set_t now;

		alarm(60);
		memset(mmap(NULL, c->bytes + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1,
		       c->bytes);
		if (CPU_COUNT(&c->thread_has)) {
			pthread_create(&thread, NULL, sleeping, c);
			do
				pthread_getaffinity_np(thread, sizeof(now), &now);
			while (!CPU_EQUAL(&now, &c->thread_has));
			usleep(100000);
		}
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	(void)!read(ready[0], &byte, 1);
	close(ready[0]);
	return 0;
}

static void end(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}

static struct pit_idset ours(void)
{
	struct pit_idset s = {0};
	cpu_set_t now;

	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	for (size_t i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &now))
			assert_int_equal(pit_idset_add(&s, i), 0);
	return s;
}

static void a_process_as_it_was_bound(void **state)
{
	pit_auto_idset struct pit_idset cpus = ours(), mems = set("0-1023"), none = {0};
	struct child c = {.bytes = 80 * MIB};
	pit_auto_root struct pit_root *root = NULL;
	struct pit_after a;

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_int_equal(begin(&c), 0);
	assert_int_equal(pit_after_look(root, c.pid, &cpus, &mems, &a, NULL), 0);
	assert_int_equal(a.threads, 1);
	assert_int_equal(a.moved, 0);
	assert_int_equal(a.narrowed, 0);
	assert_false(a.cut);
	assert_int_equal(a.remote, 0);
	assert_true(!a.local || a.local >= 80 * MIB); /* a kernel without NUMA says nothing */
	pit_after_free(&a);

	assert_int_equal(pit_after_look(root, c.pid, &none, NULL, &a, NULL), 0);
	assert_int_equal(a.threads + a.local + a.remote, 0);
	pit_after_free(&a);
	end(&c);
	assert_int_equal(pit_after_look(root, c.pid, &cpus, &mems, &a, NULL), -ESRCH);
}

static void a_thread_outside(void **state)
{
	pit_auto_idset struct pit_idset cpus = ours();
	pit_auto_strv struct pit_strv says = {0};
	pit_auto_root struct pit_root *root = NULL;
	struct child c = {.bytes = 1};
	struct pit_after a;
	int last = -1;

	PIT_IDSET_FOREACH (cpu, &cpus)
		last = cpu;
	if (pit_idset_count(&cpus) < 2) {
		pit_idset_free(&cpus);
		skip();
	}
	CPU_SET((size_t)last, &c.thread_has);
	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_int_equal(begin(&c), 0);

	/* The main thread has all, the other one. Given: all but that. */
	pit_idset_remove(&cpus, (size_t)last);
	assert_int_equal(pit_after_look(root, c.pid, &cpus, NULL, &a, NULL), 0);
	assert_int_equal(a.threads, 2);
	assert_int_equal(a.moved, 2);
	assert_int_equal(pit_after_say(&a, 3, &cpus, &says), 0);
	assert_int_equal(says.count, 1);
	assert_non_null(strstr(says.item[0], "rank 3: 2 of 2 threads"));
	pit_after_free(&a);

	assert_int_equal(pit_idset_add(&cpus, (size_t)last), 0);
	assert_int_equal(pit_after_look(root, c.pid, &cpus, NULL, &a, NULL), 0);
	assert_int_equal(a.moved, 0);
	assert_int_equal(a.narrowed, 1);
	assert_true(pit_idset_equal(&a.together, &cpus));
	assert_int_equal(pit_after_say(&a, 3, &cpus, &says), 0);
	assert_int_equal(says.count, 1); /* nothing new: OpenMP does that all day */
	pit_after_free(&a);
	end(&c);
}

static void pages_that_are_asked_for(void **state)
{
	pit_auto_idset struct pit_idset here = set("0-1023"), elsewhere = set("1023");
	pit_auto_root struct pit_root *root = NULL;
	struct child c = {.bytes = 80 * MIB};
	struct pit_after a = {0};
	int rc;

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	assert_int_equal(begin(&c), 0);
	rc = pit_after_ask(root, c.pid, 1000 * MIB, &here, &a);
	if (rc) { /* seccomp, no NUMA, or the vast and empty shadow of a sanitizer */
		end(&c);
		pit_root_close(pit_take(root));
		pit_idset_free(&here);
		pit_idset_free(&elsewhere);
		assert_true(rc == -EPERM || rc == -ENOSYS || rc == -ENODATA);
		skip();
	}
	assert_int_equal(a.local, 1000 * MIB);
	assert_int_equal(a.remote, 0);
	assert_true(a.cut);
	assert_int_equal(pit_after_ask(root, c.pid, 1000 * MIB, &elsewhere, &a), 0);
	assert_int_equal(a.remote, 1000 * MIB);
	end(&c);
}

static void only_the_first_part(void **state)
{
	pit_auto_idset struct pit_idset mems = set("0-1023");
	struct pit_after a = {0};
	int rc = pit_after_walk(getpid(), 300, &mems, &a);

	if (rc == -ENOENT) {
		pit_idset_free(&mems);
		skip();
	}
	assert_int_equal(rc, 0);
	assert_true(a.cut);
	assert_int_equal(pit_after_walk(INT32_MAX, 300, &mems, &a), -ENOENT);
}

static void what_is_worth_a_sentence(void **state)
{
	pit_auto_idset struct pit_idset cpus = set("0-15");
	pit_auto_strv struct pit_strv says = {0};
	struct pit_after a = {.threads = 20, .moved = 14, .thread = "pt_main_thread", .has = set("0-127")};

	assert_int_equal(pit_after_say(&a, 3, &cpus, &says), 0);
	assert_string_equal(says.item[0],
			    "rank 3: 14 of 20 threads were re-bound to CPUs outside of those given (\"pt_main_thread\" "
			    "has 0-127, given 0-15): a library or the program sets its own affinity");
	pit_after_free(&a);

	a = (struct pit_after){
		.threads = 4, .narrowed = 4, .together = set("0"), .local = 700 * MIB, .remote = 300 * MIB};
	assert_int_equal(pit_after_say(&a, 0, &cpus, &says), 0);
	assert_int_equal(says.count, 3);
	assert_non_null(strstr(says.item[1], "to 1 of 16 CPUs (0 of 0-15)"));
	assert_string_equal(says.item[2], "rank 0: 30 % of its 1000 MiB of memory lie on other NUMA nodes than meant");
	pit_after_free(&a);

	a = (struct pit_after){.threads = 4, .narrowed = 3, .local = 900 * MIB, .remote = 100 * MIB};
	assert_int_equal(pit_after_say(&a, 0, &cpus, &says), 0);
	assert_int_equal(pit_after_say(&a, 0, NULL, &says), 0);
	assert_int_equal(says.count, 3);
}

static void recordings_run_nothing(void **state)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_after a;

	assert_int_equal(pit_root_open("/tmp", &root, NULL), 0);
	assert_int_equal(pit_after_look(root, 1, NULL, NULL, &a, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "recording"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_by_node),
		cmocka_unit_test(texts_that_are_no_numa_maps),
		cmocka_unit_test(addresses_spread_over_memory),
		cmocka_unit_test(a_process_as_it_was_bound),
		cmocka_unit_test(a_thread_outside),
		cmocka_unit_test(pages_that_are_asked_for),
		cmocka_unit_test(only_the_first_part),
		cmocka_unit_test(what_is_worth_a_sentence),
		cmocka_unit_test(recordings_run_nothing),
	};

	alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
