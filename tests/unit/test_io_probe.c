/* SPDX-License-Identifier: MIT
 *
 * Ladders, what disks can do, and what is measured there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "feed/disk.h"
#include "feed/io_bench.h"
#include "io_world.h"

#define LIMIT_S 120

static int setup(void **state)
{
	*state = malloc(sizeof(struct io_world));
	io_world_open(*state);
	return 0;
}

static int teardown(void **state)
{
	io_world_close(*state);
	free(*state);
	return 0;
}

static unsigned files_in(const char *dir)
{
	pit_auto_closedir DIR *d = opendir(dir);
	unsigned count = 0;

	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	return count;
}

/* ---- ladder ---- */

static void a_ladder_is_text_and_json(void **state)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
	struct pit_ladder l = {0};

	assert_null(pit_ladder_taken(&l, "engine"));
	pit_ladder_add(&l, "engine", "io_uring", PIT_RUNG_REFUSED, "error %d", 1);
	pit_ladder_add(&l, "engine", "threads", PIT_RUNG_TAKEN, "%s", "");
	pit_ladder_add(&l, "lock", "plain", PIT_RUNG_UNUSED, "a \"better\" one");
	pit_ladder_add(NULL, "lock", "plain", PIT_RUNG_UNUSED, "nowhere");
	assert_string_equal(pit_ladder_taken(&l, "engine")->rung, "threads");
	assert_null(pit_ladder_taken(&l, "lock"));
	pit_ladder_text(&l, &b);
	assert_string_equal(b.data, "engine  io_uring  refused  error 1\n"
				    "engine  threads   taken\n"
				    "lock    plain     unused   a \"better\" one\n");
	pit_buf_clear(&b);
	l.count = 1;
	pit_ladder_json(&l, &b);
	assert_non_null(strstr(b.data, "\"state\": \"refused\""));
	assert_int_equal(b.data[0], '[');
}

static void a_rung_said_again_is_replaced(void **state)
{
	struct pit_ladder l = {0}, m = {0};

	pit_ladder_add(&l, "engine", "threads", PIT_RUNG_TAKEN, "one");
	pit_ladder_add(&m, "engine", "threads", PIT_RUNG_REFUSED, "two %%");
	pit_ladder_add(&m, "cache", "threads", PIT_RUNG_REFUSED, "three");
	pit_ladder_append(&l, &m);
	assert_int_equal(l.count, 2);
	assert_int_equal(l.rungs[0].state, PIT_RUNG_REFUSED);
	assert_string_equal(l.rungs[0].why, "two %");
}

static void a_full_ladder_counts(void **state)
{
	static char names[PIT_LADDER_MAX + 10][8];
	struct pit_ladder l = {0};

	for (unsigned i = 0; i < PIT_COUNT(names); i++) {
		snprintf(names[i], sizeof(names[i]), "r%u", i);
		pit_ladder_add(&l, "x", names[i], PIT_RUNG_REFUSED, "why");
	}
	assert_int_equal(l.count, PIT_LADDER_MAX);
	assert_string_equal(l.rungs[PIT_LADDER_MAX - 2].rung, "r30");
	assert_string_equal(l.rungs[PIT_LADDER_MAX - 1].why, "11 more"); /* the one that was there, and ten */
}

/* ---- disk ---- */

static void check_disk(const struct pit_disk *d, const struct pit_ladder *l)
{
	const struct pit_rung *taken = pit_ladder_taken(l, "cache");

	assert_int_equal(l->count, 3);
	assert_non_null(taken);
	assert_in_range(d->cache, PIT_IO_DIRECT, PIT_IO_BUFFERED);
	assert_true(d->filesystem[0]);
	assert_true(d->block);
	assert_int_equal(d->cache == PIT_IO_DIRECT, !strcmp(taken->rung, "O_DIRECT"));
	if (d->cache == PIT_IO_DIRECT)
		assert_true(d->mem_align && d->offset_align && !(d->offset_align & (d->offset_align - 1)));
	else
		assert_true(d->mem_align == 1 && d->offset_align == 1);
}

static void files_are_probed_for_reading(void **state)
{
	struct io_world *w = *state;

	for (enum pit_io_cache c = PIT_IO_CACHE_AUTO; c <= PIT_IO_BUFFERED; c++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_disk d = {.block = 77};
		struct pit_ladder l = {0};
		int rc = pit_disk_probe_read(w->fd, c, &d, &l, &err);

		assert_int_equal(fcntl(w->fd, F_GETFL) & O_DIRECT, 0);
		assert_int_equal(lseek(w->fd, 0, SEEK_CUR), 0);
		if (!rc) {
			check_disk(&d, &l);
			assert_true(!c || d.cache == c);
			continue;
		}
		assert_int_equal(rc, -EOPNOTSUPP); /* insisted on what is not here */
		assert_in_range(c, PIT_IO_DIRECT, PIT_IO_DONTCACHE);
		assert_int_equal(d.block, 77);
		assert_non_null(strstr(err.text, "does not work"));
	}
}

static void directories_are_probed_for_writing(void **state)
{
	struct io_world *w = *state;
	pit_auto_close int dir = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pit_auto_close int none = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_ladder l = {0};
	struct pit_disk d;

	assert_int_equal(pit_disk_probe_write(dir, PIT_IO_CACHE_AUTO, &d, &l, &err), 0);
	check_disk(&d, &l);
	assert_int_equal(files_in(w->dir), 1); /* ours */
	assert_true(pit_disk_probe_write(none, PIT_IO_CACHE_AUTO, &d, NULL, &err) < 0);
	assert_non_null(strstr(err.text, "no file can be made here"));
	assert_int_equal(pit_disk_probe_write(dir, (enum pit_io_cache)9, &d, NULL, &err), -EINVAL);
}

static void memory_is_no_disk(void **state)
{
	pit_auto_close int fd = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct pit_ladder l = {0};
	struct pit_disk d;

	if (fd < 0 || pit_disk_probe_write(fd, PIT_IO_CACHE_AUTO, &d, &l, NULL) || strcmp(d.filesystem, "tmpfs"))
		skip();
	assert_int_equal(d.cache, PIT_IO_BUFFERED);
	assert_int_equal(l.rungs[0].state, PIT_RUNG_REFUSED);
}

static void files_are_opened_as_the_disk_says(void **state)
{
	struct io_world *w = *state;
	struct pit_disk buffered = {.cache = PIT_IO_BUFFERED}, any;
	bool direct = true;
	int fd = pit_disk_open(&buffered, AT_FDCWD, w->path, &direct);

	assert_true(fd >= 0 && !direct);
	close(fd);
	assert_int_equal(pit_disk_open(&buffered, AT_FDCWD, "/nowhere/x", &direct), -ENOENT);
	assert_int_equal(pit_disk_probe_read(w->fd, PIT_IO_CACHE_AUTO, &any, NULL, NULL), 0);
	fd = pit_disk_open(&any, AT_FDCWD, w->path, &direct);
	assert_int_equal(direct, any.cache == PIT_IO_DIRECT);
	assert_int_equal(!!(fcntl(fd, F_GETFL) & O_DIRECT), direct);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void only_files_are_opened(void **state)
{
	struct io_world *p = *state;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/fifo", p->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pit_disk_open_file(AT_FDCWD, path, 0), -ESPIPE);
	assert_int_equal(pit_disk_open_file(AT_FDCWD, "/dev/null", 0), -ESPIPE);
	assert_int_equal(pit_disk_open_file(AT_FDCWD, p->dir, 0), -EISDIR);
	fd = pit_disk_open_file(AT_FDCWD, p->path, 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
}

/* A place that cannot be read directly: /proc refuses to open so. */
static void a_file_that_refuses_is_read_through_the_cache(void **state)
{
	struct pit_disk direct = {.cache = PIT_IO_DIRECT, .mem_align = 512, .offset_align = 512};
	bool is = true;
	int fd = pit_disk_open(&direct, AT_FDCWD, "/proc/version", &is);

	assert_true(fd >= 0);
	assert_false(is);
	close(fd);
}

/* ---- probe and bench ---- */

static void a_place_is_probed(void **state)
{
	static const char *const ladders[] = {"engine", "cache", "pages", "lock", "node"};
	struct io_world *w = *state;
	unsigned files = io_open_files();

	for (int file = 0; file < 2; file++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_ladder l;

		assert_int_equal(pit_io_probe(file ? w->path : w->dir, NULL, &l, &err), 0);
		for (unsigned i = 0; i < PIT_COUNT(ladders); i++)
			assert_non_null(pit_ladder_taken(&l, ladders[i]));
		for (unsigned i = 0; i < l.count; i++)
			assert_true(l.rungs[i].why[0]);
	}
	assert_int_equal(files_in(w->dir), 1);
	assert_int_equal(io_open_files(), files);
}

static void what_is_wanted_is_taken(void **state)
{
	struct io_world *w = *state;
	struct pit_io_want want = {.engine = PIT_ENGINE_THREADS, .cache = PIT_IO_BUFFERED, .lock = PIT_LOCK_NONE};
	struct pit_ladder l;

	assert_int_equal(pit_io_probe(w->dir, &want, &l, NULL), 0);
	assert_string_equal(pit_ladder_taken(&l, "engine")->rung, "threads");
	assert_string_equal(pit_ladder_taken(&l, "cache")->rung, "page cache");
	assert_null(pit_ladder_taken(&l, "buffers"));
}

static void places_that_are_none(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_ladder l = {.count = 7};

	assert_int_equal(pit_io_probe("/nowhere/x", NULL, &l, &err), -ENOENT);
	assert_string_equal(err.text, "/nowhere/x: No such file or directory");
	assert_int_equal(pit_io_probe("/dev/null", NULL, &l, &err), -EINVAL);
	assert_true(pit_io_probe("/proc", NULL, &l, &err) < 0);
	assert_int_equal(l.count, 7);
}

static void check_runs(const struct pit_bench *b, unsigned reads, unsigned writes)
{
	assert_int_equal(b->count, reads + writes);
	for (unsigned i = 0; i < b->count; i++) {
		const struct pit_io_timing *t = &b->runs[i];

		assert_int_equal(t->write, i >= reads);
		assert_int_equal(t->bytes, t->requests * t->block);
		assert_true(t->requests && t->seconds > 0 && t->p50 > 0 && t->p50 <= t->p99 && t->depth);
	}
}

static void directories_are_timed(void **state)
{
	struct io_world *w = *state;
	struct pit_error err = PIT_ERROR_INIT;

	for (enum pit_io_engine e = PIT_ENGINE_AUTO; e <= PIT_ENGINE_THREADS; e += PIT_ENGINE_THREADS) {
		struct pit_bench_want want = {.path = w->dir,
					      .size = 8 << 20,
					      .time_ns = 600 * PIT_MS,
					      .write = true,
					      .io = {.engine = e, .depth = 4}};
		struct pit_bench b;
		int rc = pit_bench_io(&want, &b, &err);

		if (rc == -ENOSPC)
			skip();
		assert_int_equal(rc, 0);
		assert_true(b.made);
		assert_int_equal(b.size, 8 << 20);
		check_runs(&b, 3, 3);
		assert_int_equal(b.runs[0].depth, 4);
	}
	assert_int_equal(files_in(w->dir), 1);
}

static void files_are_timed(void **state)
{
	struct io_world *w = *state;
	struct pit_bench_want want = {.path = w->path, .time_ns = 200 * PIT_MS};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_bench b;

	assert_int_equal(pit_bench_io(&want, &b, &err), 0);
	assert_false(b.made);
	assert_int_equal(b.size, IO_FILE_SIZE);
	check_runs(&b, 2, 0); /* smaller than 4 MiB */
	tempdir_file(w->dir, "empty", "");
	snprintf(w->path, sizeof(w->path), "%s/empty", w->dir);
	assert_int_equal(pit_bench_io(&want, &b, &err), 0);
	assert_int_equal(b.count, 0);
	want.write = true;
	assert_int_equal(pit_bench_io(&want, &b, &err), -EINVAL);
}

/* Each place comes once before any comes again. */
static void places_are_spread(void **state)
{
	struct io_world *w = *state;
	struct pit_io_field f = {.fd = w->fd, .size = 97 * 4096, .most = 97 * 4096, .room = 3 * 4096};
	struct pit_io_timing t = {.block = 4096, .depth = 8};
	unsigned char *memory = io_memory(f.room);

	f.memory = (char *)memory;
	assert_true(io_world_engine(w, PIT_ENGINE_AUTO, 8));
	f.io = w->io;
	assert_int_equal(pit_io_time(&f, 1000 * PIT_MS, &t, NULL), 0);
	assert_int_equal(t.requests, 97);
	assert_int_equal(t.depth, 3); /* as many as the memory holds */
	t.block = 1 << 20;
	assert_int_equal(pit_io_time(&f, PIT_MS, &t, NULL), -EINVAL);
	f.fd = -1;
	t = (struct pit_io_timing){.block = 4096, .depth = 2};
	assert_int_equal(pit_io_time(&f, PIT_MS, &t, NULL), -EBADF);
	munmap(memory, f.room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ladder_is_text_and_json),
		cmocka_unit_test(a_rung_said_again_is_replaced),
		cmocka_unit_test(a_full_ladder_counts),
		cmocka_unit_test_setup_teardown(files_are_probed_for_reading, setup, teardown),
		cmocka_unit_test_setup_teardown(directories_are_probed_for_writing, setup, teardown),
		cmocka_unit_test(memory_is_no_disk),
		cmocka_unit_test_setup_teardown(files_are_opened_as_the_disk_says, setup, teardown),
		cmocka_unit_test_setup_teardown(only_files_are_opened, setup, teardown),
		cmocka_unit_test(a_file_that_refuses_is_read_through_the_cache),
		cmocka_unit_test_setup_teardown(a_place_is_probed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wanted_is_taken, setup, teardown),
		cmocka_unit_test(places_that_are_none),
		cmocka_unit_test_setup_teardown(directories_are_timed, setup, teardown),
		cmocka_unit_test_setup_teardown(files_are_timed, setup, teardown),
		cmocka_unit_test_setup_teardown(places_are_spread, setup, teardown),
	};

	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
