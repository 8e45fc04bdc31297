/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "../tempdir.h"
#include "base/clock.h"
#include "launch/leaf_inside.h"
#include "launch/pressure_parts.h"

#define SECOND (1000 * PIT_MS)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static const char stat_text[] = "anon 600000000\nfile 300000000\nshmem 50000000\ninactive_file 200000000\n"
				"active_file 50000000\nslab_reclaimable 1000000\nslab_unreclaimable 5\nslab 1000005\n";

struct place {
	char dir[64];
};

static int setup(void **state)
{
	static struct place place;

	tempdir_new(place.dir, sizeof(place.dir));
	*state = &place;
	return 0;
}

static int teardown(void **state)
{
	tempdir_remove(((struct place *)*state)->dir);
	return 0;
}

/* In place, and in one go: readers keep it open and never see half of it. */
static void put_text(const struct place *p, const char *name, const char *text)
{
	char full[256], wide[400];
	pit_auto_close int fd = -1;
	int len = snprintf(wide, sizeof(wide), "%-300s\n", text);

	snprintf(full, sizeof(full), "%s/%s", p->dir, name);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, wide, (size_t)len, 0), len);
}

static void put(const struct place *p, const char *name, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ju", (uintmax_t)number);
	put_text(p, name, text);
}

static void put_group(const struct place *p)
{
	put(p, "memory.current", 900000000);
	put(p, "memory.max", GIB);
	tempdir_file(p->dir, "memory.high", "max\n");
	put_text(p, "memory.stat", stat_text);
	tempdir_file(p->dir, "memory.events", "low 0\nhigh 3\nmax 4\noom 0\noom_kill 0\n");
	tempdir_file(p->dir, "memory.pressure",
		     "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"
		     "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

/* A plain file always looks ready, which a pressure file does not. */
static void remove_pressure(const struct place *p)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/memory.pressure", p->dir);
	assert_int_equal(unlink(path), 0);
}

static void a_group_without_its_page_cache(void **state)
{
	struct place *p = *state;
	struct pit_forecast_sample r;
	struct pit_pressure_source s;

	put_group(p);
	assert_int_equal(pit_pressure_source_group(p->dir, true, 3, &s), 0);
	assert_int_equal(s.rank, 3);
	assert_string_equal(s.name, p->dir);
	assert_int_equal(pit_pressure_source_read(&s, 1000, 0.5, &r), 0);
	assert_int_equal(r.when, 1000);
	assert_int_equal(r.used, 900000000 - 251000000);
	assert_int_equal(r.limit, GIB);
	assert_string_equal(s.limit_file, "memory.max");
	assert_int_equal(r.events, 7);

	/* Below the share that is asked about, page cache may count and the rest is not looked for. */
	assert_int_equal(pit_pressure_source_read(&s, 2000, 0.9, &r), 0);
	assert_int_equal(r.used, 900000000);
	assert_true(r.events == UINT64_MAX);
	assert_true(r.stalled < 0);
	pit_pressure_source_close(&s);
	pit_pressure_source_close(&s);
}

static void the_share_of_time_that_tasks_stalled(void **state)
{
	struct place *p = *state;
	struct pit_forecast_sample r;
	struct pit_pressure_source s;
	int64_t now = pit_now();

	put_group(p);
	assert_int_equal(pit_pressure_source_group(p->dir, true, -1, &s), 0);
	now += SECOND;
	assert_int_equal(pit_pressure_source_read(&s, now, 0, &r), 0);
	assert_true(r.stalled == 0);
	put_text(p, "memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1100000");
	now += SECOND / 2;
	assert_int_equal(pit_pressure_source_read(&s, now, 0, &r), 0);
	assert_true(fabs(r.stalled - 0.2) < 1e-9);

	/* It counts backwards, or not at all: unknown, not none. */
	put_text(p, "memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5");
	assert_int_equal(pit_pressure_source_read(&s, now + SECOND, 0, &r), 0);
	assert_true(r.stalled < 0);
	put_text(p, "memory.pressure", "junk");
	assert_int_equal(pit_pressure_source_read(&s, now + 2 * SECOND, 0, &r), 0);
	assert_true(r.stalled < 0);
	pit_pressure_source_close(&s);
}

static void the_lower_limit_counts_and_may_move(void **state)
{
	struct place *p = *state;
	struct pit_forecast_sample r;
	struct pit_pressure_source s;
	int64_t now = pit_now();

	put_group(p);
	put(p, "memory.high", 800 * MIB);
	assert_int_equal(pit_pressure_source_group(p->dir, true, 0, &s), 0);
	assert_int_equal(s.limit, 800 * MIB);
	assert_string_equal(s.limit_file, "memory.high");
	put(p, "memory.max", 700 * MIB);
	assert_int_equal(pit_pressure_source_read(&s, now + 6 * SECOND, 0, &r), 0);
	assert_int_equal(r.limit, 700 * MIB);
	tempdir_file(p->dir, "memory.max", "max\n");
	tempdir_file(p->dir, "memory.high", "max\n");
	assert_int_equal(pit_pressure_source_read(&s, now + 12 * SECOND, 0, &r), 0);
	assert_true(r.limit == UINT64_MAX);
	pit_pressure_source_close(&s);
}

static void groups_that_are_none(void **state)
{
	struct place *p = *state;
	struct pit_pressure_source s = {.rank = 77};
	struct pit_forecast_sample r = {.used = 5};

	assert_int_equal(pit_pressure_source_group(p->dir, true, 0, &s), -ENOENT);
	assert_int_equal(pit_pressure_source_group("/proc/does/not/exist", true, 0, &s), -ENOENT);
	tempdir_file(p->dir, "memory.current", "junk\n");
	assert_int_equal(pit_pressure_source_group(p->dir, true, 0, &s), -EBADMSG);
	assert_int_equal(s.rank, 77); /* untouched */

	put_group(p);
	assert_int_equal(pit_pressure_source_group(p->dir, true, 0, &s), 0);
	put_text(p, "memory.current", "junk");
	assert_int_equal(pit_pressure_source_read(&s, 1, 0, &r), -EBADMSG);
	assert_int_equal(r.used, 5);
	pit_pressure_source_close(&s);
}

static void a_group_of_version_1(void **state)
{
	struct place *p = *state;
	struct pit_forecast_sample r;
	struct pit_pressure_source s;

	put(p, "memory.usage_in_bytes", 900000000);
	put(p, "memory.limit_in_bytes", 9223372036854771712u);
	tempdir_file(p->dir, "memory.stat", "cache 1\ntotal_inactive_file 200000000\ntotal_active_file 50000000\n");
	assert_int_equal(pit_pressure_source_group(p->dir, false, -1, &s), 0);
	assert_true(s.limit == UINT64_MAX);
	assert_int_equal(pit_pressure_source_set_trigger(&s), -EOPNOTSUPP);
	put(p, "memory.limit_in_bytes", GIB);
	assert_int_equal(pit_pressure_source_read(&s, pit_now() + 6 * SECOND, 0, &r), 0);
	assert_int_equal(r.limit, GIB);
	assert_int_equal(r.used, 650000000);
	assert_int_equal(pit_pressure_source_read(&s, pit_now() + 6 * SECOND, 0.9, &r), 0);
	assert_int_equal(r.used, 900000000);
	pit_pressure_source_close(&s);
}

static void the_host(void **state)
{
	struct place *p = *state;
	struct pit_forecast_sample r;
	struct pit_pressure_source s;

	assert_int_equal(pit_pressure_source_host(p->dir, &s), -ENOENT);
	tempdir_file(p->dir, "meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\n");
	assert_int_equal(pit_pressure_source_host(p->dir, &s), -EBADMSG);
	tempdir_file(p->dir, "meminfo",
		     "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 300 kB\nSwapTotal: 500 kB\nSwapFree: 400 kB\n");
	assert_int_equal(pit_pressure_source_host(p->dir, &s), 0);
	assert_int_equal(pit_pressure_source_read(&s, 1, 0, &r), 0);
	assert_int_equal(r.used, 800 * 1024);
	assert_int_equal(r.limit, 1500 * 1024);
	assert_true(r.stalled < 0); /* no PSI there */
	assert_int_equal(pit_pressure_source_set_trigger(&s), -ENOENT);
	pit_pressure_source_close(&s);
}

static void nodes_of_a_strict_binding(void **state)
{
	struct place *p = *state;
	pit_auto_idset struct pit_idset nodes = {0};
	struct pit_forecast_sample r;
	struct pit_pressure_source s;

	assert_int_equal(pit_idset_parse("0,2", &nodes, NULL), 0);
	tempdir_file(p->dir, "node0/meminfo",
		     "Node 0 MemTotal: 1000 kB\nNode 0 MemFree: 100 kB\nNode 0 Active: 50 kB\n"
		     "Node 0 Active(file): 30 kB\nNode 0 Inactive(file): 20 kB\nNode 0 SReclaimable: 5 kB\n");
	assert_int_equal(pit_pressure_source_nodes(p->dir, &nodes, &s), -ENOENT);
	tempdir_file(p->dir, "node2/meminfo", "Node 2 MemTotal: 500 kB\nNode 2 MemFree: 45 kB\n");
	assert_int_equal(pit_pressure_source_nodes(p->dir, &nodes, &s), 0);
	assert_int_equal(pit_pressure_source_read(&s, 1, 0, &r), 0);
	assert_int_equal(r.limit, 1500 * 1024);
	assert_int_equal(r.used, 1300 * 1024);
	assert_non_null(strstr(s.name, "0,2"));
	pit_pressure_source_close(&s);
}

/* Processes 10 (leader) and 11 of rank 0; 20 of rank 1; 30 of nobody; ranks 2 gone. */
static void the_rank_that_holds_most(void **state)
{
	struct place *p = *state;
	const pid_t leader[] = {10, 20, 0};
	static const struct {
		int pid, pgrp, anon, shmem;
	} all[] = {{10, 10, 100, 5}, {11, 10, 900, 0}, {20, 20, 800, 7}, {30, 30, 99999, 0}};
	uint64_t bytes = 1;

	assert_int_equal(pit_pressure_largest("/proc/does/not/exist", leader, 3, &bytes), -1);
	assert_int_equal(pit_pressure_largest(p->dir, leader, 3, &bytes), -1);
	for (size_t i = 0; i < PIT_COUNT(all); i++) {
		char path[64], text[256];

		snprintf(path, sizeof(path), "%d/stat", all[i].pid);
		snprintf(text, sizeof(text),
			 "%d (a) b) S 1 %d 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 99 1000 10 18446744073709551615 1 1 0 0 0 "
			 "0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
			 all[i].pid, all[i].pgrp);
		tempdir_file(p->dir, path, text);
		snprintf(path, sizeof(path), "%d/status", all[i].pid);
		snprintf(text, sizeof(text), "Name:\tx\nRssAnon:\t%d kB\nRssFile:\t5 kB\nRssShmem:\t%d kB\n",
			 all[i].anon, all[i].shmem);
		tempdir_file(p->dir, path, text);
	}
	tempdir_file(p->dir, "self/stat", "junk");
	assert_int_equal(pit_pressure_largest(p->dir, leader, 3, &bytes), 0);
	assert_int_equal(bytes, 1005 * 1024);
	assert_int_equal(pit_pressure_largest(p->dir, leader, 0, &bytes), -1);
}

/* The loop, over a group that is made of files and grows by the clock. */
struct show {
	struct place *p;
	struct pit_loop *loop;
	int64_t begin;
	double per_second, top;
	int warned, over, along;
	char evidence[1024];
	struct pit_pressure_news news;
};

static int grow(void *arg, uint32_t events)
{
	struct show *s = arg;
	double used = 0.3 * GIB + s->per_second * (double)(pit_now() - s->begin) / 1e9;

	put(s->p, "memory.current", (uint64_t)(used < s->top ? used : s->top));
	pit_loop_at(s->loop, pit_now() + 50 * PIT_MS, grow, s);
	return 0;
}

static int enough(void *arg, uint32_t events)
{
	return 1;
}

static void heard(void *arg, const struct pit_pressure_news *news)
{
	struct show *s = arg;

	s->warned += !news->over;
	s->over += news->over;
	s->along += news->along;
	snprintf(s->evidence, sizeof(s->evidence), "%s", news->evidence);
	s->news = *news;
	if (news->over)
		pit_loop_at(s->loop, pit_now(), enough, s);
}

static void heard_of_two(void *arg, const struct pit_pressure_news *news)
{
	struct show *s = arg;

	assert_int_equal(news->rank, s->warned);
	s->warned++;
	s->along += news->along;
	if (s->warned == 2)
		pit_loop_at(s->loop, pit_now(), enough, s);
}

static int fill(void *arg, uint32_t events)
{
	struct show *s = arg;

	put_text(s->p, "memory.stat", "anon 1");
	put(s->p, "memory.current", 980 * GIB / 1000);
	return 0;
}

static void play(struct show *s, int64_t seconds)
{
	const struct pit_pressure_request r = {
		.loop = s->loop,
		.rules = {.horizon = 10 * SECOND, .calm = SECOND, .always = 0.95, .never = 0.7, .stall = 0.2},
		.fn = heard,
		.arg = s,
	};
	struct pit_pressure *pressure;
	struct pit_pressure_source src;

	tempdir_file(s->p->dir, "memory.stat", "anon 1\n");
	put(s->p, "memory.current", 0);
	put(s->p, "memory.max", GIB);
	assert_int_equal(pit_pressure_source_group(s->p->dir, true, 5, &src), 0);
	assert_int_equal(pit_pressure_begin(&r, &src, 1, &pressure, NULL), 0);
	s->begin = pit_now();
	grow(s, 0);
	assert_true(pit_loop_at(s->loop, pit_now() + seconds * SECOND, enough, s) > 0);
	assert_int_equal(pit_loop_run(s->loop), 1);
	pit_pressure_close(pressure);
	pit_loop_close(s->loop);
}

static void one_warning_and_its_end(void **state)
{
	struct show s = {.p = *state, .per_second = 0.12 * GIB, .top = 0.85 * GIB};

	assert_int_equal(pit_loop_open(&s.loop), 0);
	play(&s, 60);
	assert_int_equal(s.warned, 1);
	assert_int_equal(s.over, 1);
	assert_int_equal(s.news.rank, 5);
	assert_non_null(strstr(s.evidence, s.p->dir));
	assert_non_null(strstr(s.evidence, "memory.max"));
}

/* Two ranks that do the same: each is told of, one is worth a checkpoint. */
static void ranks_that_grow_together(void **state)
{
	struct show s = {.p = *state, .begin = 1};
	struct pit_pressure_request r = {.rules = pit_forecast_usual, .fn = heard_of_two, .arg = &s};
	struct pit_pressure *pressure;
	struct pit_pressure_source src[2];

	put_group(s.p);
	remove_pressure(s.p);
	put(s.p, "memory.current", 10 * MIB);
	assert_int_equal(pit_loop_open(&s.loop), 0);
	r.loop = s.loop;
	for (int rank = 0; rank < 2; rank++)
		assert_int_equal(pit_pressure_source_group(s.p->dir, true, rank, &src[rank]), 0);
	assert_int_equal(pit_pressure_begin(&r, src, 2, &pressure, NULL), 0);
	assert_true(pit_loop_at(s.loop, pit_now() + SECOND / 2, fill, &s) > 0);
	assert_true(pit_loop_at(s.loop, pit_now() + 30 * SECOND, enough, &s) > 0);
	assert_int_equal(pit_loop_run(s.loop), 1);
	assert_int_equal(s.warned, 2);
	assert_int_equal(s.along, 1);
	pit_pressure_close(pressure);
	pit_loop_close(s.loop);
}

static void quiet_when_it_stays_low(void **state)
{
	struct show s = {.p = *state, .per_second = 0.12 * GIB, .top = 0.6 * GIB};

	assert_int_equal(pit_loop_open(&s.loop), 0);
	play(&s, 4);
	assert_int_equal(s.warned + s.over, 0);
}

static int spoil(void *arg, uint32_t events)
{
	struct show *s = arg;

	tempdir_file(s->p->dir, "memory.current", "");
	return 0;
}

/* When memory runs out, reading may fail for the same reason. */
static void a_reading_that_fails_is_not_the_last(void **state)
{
	struct place *p = *state;
	struct show s = {.p = p};
	struct pit_pressure_request r = {.rules = pit_forecast_usual, .fn = heard, .arg = &s};
	struct pit_pressure *pressure;
	struct pit_pressure_source src;

	put_group(p);
	remove_pressure(p);
	put(p, "memory.current", 10 * MIB);
	assert_int_equal(pit_loop_open(&s.loop), 0);
	r.loop = s.loop;
	assert_int_equal(pit_pressure_source_group(p->dir, true, 0, &src), 0);
	assert_int_equal(pit_pressure_begin(&r, &src, 1, &pressure, NULL), 0);
	assert_true(pit_loop_at(s.loop, pit_now() + SECOND / 2, spoil, &s) > 0);
	assert_true(pit_loop_at(s.loop, pit_now() + 5 * SECOND / 2, fill, &s) > 0);
	assert_true(pit_loop_at(s.loop, pit_now() + 6 * SECOND, enough, &s) > 0);
	assert_int_equal(pit_loop_run(s.loop), 1);
	assert_int_equal(s.warned, 1);
	pit_pressure_close(pressure);
	pit_loop_close(s.loop);
}

/* A group that cannot be read any more, as one that was removed, is no news. */
static void a_group_that_vanishes(void **state)
{
	struct place *p = *state;
	struct show s = {.p = p};
	struct pit_pressure_request r = {.rules = pit_forecast_usual, .fn = heard, .arg = &s};
	struct pit_pressure *pressure;
	struct pit_pressure_source src;
	char path[128];

	put_group(p);
	remove_pressure(p);
	assert_int_equal(pit_loop_open(&s.loop), 0);
	r.loop = s.loop;
	assert_int_equal(pit_pressure_source_group(p->dir, true, 0, &src), 0);
	for (int f = 0; f < PIT_PRESSURE_SOURCE_FILES;
	     f++) { /* files that are open do not vanish, those of groups do */
		pit_cleanup_close(&src.file[f]);
		src.file[f] = -1;
	}
	snprintf(path, sizeof(path), "%s/memory.current", p->dir);
	unlink(path);
	assert_int_equal(pit_pressure_begin(&r, &src, 1, &pressure, NULL), 0);
	assert_int_equal(pit_loop_run(s.loop), 0); /* nothing is left to wait for */
	assert_int_equal(s.warned + s.over, 0);
	pit_pressure_close(pressure);
	pit_loop_close(s.loop);
}

static int open_files(void)
{
	pit_auto_closedir DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	return n;
}

static size_t raise_files(void)
{
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	now.rlim_cur = now.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	return now.rlim_cur;
}

static void more_ranks_than_are_watched(void **state)
{
	struct place *p = *state;
	struct pit_leaves leaves = {.path = p->dir};
	const struct pit_pressure_request r = {.leaves = &leaves, .ranks = 2 * PIT_PRESSURE_SOURCES_MAX};
	struct pit_pressure_source *sources;
	size_t count;

	put_group(p);
	for (int i = 0; i < r.ranks; i++) {
		char name[32];

		snprintf(name, sizeof(name), "rank-%d", i);
		tempdir_link(p->dir, name, ".");
	}
	if (raise_files() < PIT_PRESSURE_SOURCES_MAX + 64)
		skip();
	assert_int_equal(pit_pressure_find(&r, &sources, &count), 0);
	assert_true(count <= PIT_PRESSURE_SOURCES_MAX);
	assert_int_equal(sources[0].rank, 0);
	for (size_t i = 0; i < count; i++)
		pit_pressure_source_close(&sources[i]);
	free(sources);
}

/* This very machine, without groups of our own. */
static void for_real(void **state)
{
	const pid_t leader[] = {getpid(), 0};
	struct show s = {.p = *state};
	struct pit_pressure_request r = {
		.ranks = 2, .leader = leader, .rules = pit_forecast_usual, .fn = heard, .arg = &s};
	int before = open_files();
	struct pit_pressure *pressure;
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_loop_open(&s.loop), 0);
	r.loop = s.loop;
	assert_int_equal(pit_pressure_open(&r, &pressure, &err), 0);
	assert_true(pit_loop_at(s.loop, pit_now() + 2 * SECOND, enough, &s) > 0);
	assert_int_equal(pit_loop_run(s.loop), 1);
	pit_pressure_close(pressure);
	pit_pressure_close(NULL);
	pit_loop_close(s.loop);
	assert_int_equal(open_files(), before);
}

static void what_the_news_say(void **state)
{
	struct pit_pressure_source s = {
		.kind = PIT_PRESSURE_SOURCE_GROUP, .name = "/sys/fs/cgroup/x", .limit_file = "memory.high"};
	struct pit_forecast f = {.why = PIT_FORECAST_GROWTH};
	struct pit_pressure_news n = {
		.used = 700 * MIB, .limit = GIB, .per_second = 50.0 * MIB, .left = 65 * SECOND / 10};
	char text[512];

	pit_pressure_say(&s, &f, &n, text, sizeof(text));
	assert_string_equal(text, "/sys/fs/cgroup/x: 700 MiB of 1 GiB (memory.high) in use without page cache, "
				  "growing by 50 MiB/s: 6.5 s left");
	f = (struct pit_forecast){.why = PIT_FORECAST_STALL, .stalled = 0.34};
	s.kind = PIT_PRESSURE_SOURCE_HOST;
	pit_pressure_say(&s, &f, &n, text, sizeof(text));
	assert_string_equal(text, "/sys/fs/cgroup/x: 700 MiB of 1 GiB (memory.high) in use; tasks waited for "
				  "memory 34 % of the last 2 s");
	n.over = true;
	pit_pressure_say(&s, &f, &n, text, 20);
	assert_string_equal(text, "/sys/fs/cgroup/x: 7");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_group_without_its_page_cache),
		TEST(the_share_of_time_that_tasks_stalled),
		TEST(the_lower_limit_counts_and_may_move),
		TEST(groups_that_are_none),
		TEST(a_group_of_version_1),
		TEST(the_host),
		TEST(nodes_of_a_strict_binding),
		TEST(the_rank_that_holds_most),
		TEST(one_warning_and_its_end),
		TEST(ranks_that_grow_together),
		TEST(quiet_when_it_stays_low),
		TEST(a_reading_that_fails_is_not_the_last),
		TEST(a_group_that_vanishes),
		TEST(more_ranks_than_are_watched),
		TEST(for_real),
		TEST(what_the_news_say),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
