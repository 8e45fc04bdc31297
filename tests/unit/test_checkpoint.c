/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
/**/
#include <cmocka.h>

#include "feed/checkpoint_dir.h"
#include "feed/ladder.h"
#include "feed/manifest.h"
#include "save_world.h"

#define BIG (9 << 20)

struct place {
	char dir[200], path[300];
	uint64_t n;
	char *data;
	struct pit_save_tensor t;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	tempdir_new(p->dir, sizeof(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/checkpoints", p->dir);
	p->n = BIG;
	p->data = malloc(BIG);
	memset(p->data, 1, BIG);
	p->t = bytes_tensor("t", p->data, &p->n);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	tempdir_remove(p->dir);
	free(p->data);
	free(p);
	return 0;
}

static struct pit_checkpoint *open_place(const struct place *p, struct pit_checkpoint_want want)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_checkpoint *c = NULL;

	want.size = sizeof(want);
	if (pit_checkpoint_open(p->path, &want, &c, &err))
		fail_msg("%s", err.text);
	return c;
}

#define assert_ok(call)                                                                                                \
	do {                                                                                                           \
		struct pit_error err = PIT_ERROR_INIT;                                                                 \
		if (call)                                                                                              \
			fail_msg("%s: %s", #call, err.text);                                                           \
	} while (0)

#define assert_error(code, word, call)                                                                                 \
	do {                                                                                                           \
		struct pit_error err = PIT_ERROR_INIT;                                                                 \
		int rc_ = (call);                                                                                      \
		if (rc_ != -(code) || !strstr(err.text, word))                                                         \
			fail_msg("%s: %d '%s', not %d '%s'", #call, rc_, err.text, -(code), word);                     \
	} while (0)

/* Of one file, whose tensor "t" holds `value` in each byte. */
static void assert_holds(const char *dir, int64_t wanted, uint64_t step, char value)
{
	struct pit_manifest *m = NULL;
	struct other_reader r = {0};
	char file[600];
	const char *data;
	size_t len = 0;

	assert_ok(pit_manifest_open(dir, wanted, &m, &err));
	assert_int_equal(pit_manifest_step(m), step);
	snprintf(file, sizeof(file), "%s/%s", pit_manifest_path(m), pit_manifest_file(m, 0, NULL));
	assert_int_equal(other_open(file, &r), 0);
	assert_int_equal(other_check_sums(&r), 0);
	data = other_tensor(&r, "t", &len);
	for (size_t i = 0; i < len; i++)
		if (data[i] != value)
			fail_msg("byte %zu is %d, not %d", i, data[i], value);
	other_close(&r);
	pit_manifest_close(m);
}

static void save(struct pit_checkpoint *c, const struct place *p, uint64_t step, enum pit_save_mode mode)
{
	assert_ok(pit_checkpoint_put(c, step, &p->t, 1, mode, &err));
	assert_ok(pit_checkpoint_commit(c, step, NULL, NULL, 0, &err));
}

static void saves_and_finds(void **state)
{
	static const char position[] = "{\"seed\": 18446744073709551615, \"n\": \"\\u00e9\"}";
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){0});
	struct pit_manifest *m = NULL;
	uint64_t bytes;

	assert_error(ENOENT, "no complete", pit_manifest_open(p->path, -1, &m, &err));
	assert_ok(pit_checkpoint_put(c, 7, &p->t, 1, PIT_SAVE_DURABLE, &err));
	assert_error(ENOENT, "no complete", pit_manifest_open(p->path, -1, &m, &err));
	assert_ok(pit_checkpoint_commit(c, 7, position, "{\"big\": 99999999999999999999}", 0, &err));
	assert_ok(pit_checkpoint_close(c, &err));
	assert_holds(p->path, -1, 7, 1);
	assert_ok(pit_manifest_open(p->path, 7, &m, &err));
	assert_string_equal(pit_manifest_state(m), position);
	assert_string_equal(pit_manifest_extra(m), "{\"big\": 99999999999999999999}");
	assert_int_equal(pit_manifest_files(m), 1);
	assert_string_equal(pit_manifest_file(m, 0, &bytes), "model.safetensors");
	assert_true(bytes > BIG);
	assert_null(pit_manifest_file(m, 1, &bytes));
	assert_int_equal(count_entries(pit_manifest_path(m)), 2);
	assert_holds(pit_manifest_path(m), -1, 7, 1);
	pit_manifest_close(m);
	assert_int_equal(count_entries(p->path), 2);
	assert_error(ENOENT, "step-00000008", pit_manifest_open(p->path, 8, &m, &err));
	assert_error(EINVAL, "-2", pit_manifest_open(p->path, -2, &m, &err));
}

static void finds_the_newest_without_latest(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){0});
	char latest[400];

	snprintf(latest, sizeof(latest), "%s/latest", p->path);
	save(c, p, 100000000, PIT_SAVE_DURABLE);
	save(c, p, 3, PIT_SAVE_DURABLE);
	assert_holds(p->path, -1, 3, 1); /* committed last, though its number is lower */
	unlink(latest);
	assert_holds(p->path, -1, 100000000, 1);
	assert_int_equal(symlink("step-00000004", latest), 0);
	assert_holds(p->path, -1, 100000000, 1);
	assert_ok(pit_checkpoint_close(c, &err));
}

static void saves_behind_by_copy(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){0});
	struct pit_checkpoint_stats stats = {.size = sizeof(stats)};

	for (char step = 1; step < 5; step++) {
		memset(p->data, step, BIG);
		save(c, p, (uint64_t)step, PIT_SAVE_COPY);
		memset(p->data, 99, BIG);
	}
	assert_ok(pit_checkpoint_wait(c, &err));
	assert_false(pit_checkpoint_busy(c));
	for (char step = 1; step < 5; step++)
		assert_holds(p->path, step, (uint64_t)step, step);
	pit_checkpoint_stats(c, &stats);
	assert_int_equal(stats.saves, 4);
	assert_true(stats.bytes > 4 * BIG);
	assert_in_range(stats.staging, BIG, 2 * BIG);
	assert_true(stats.copy_ns > 0 && stats.stall_ns >= stats.copy_ns && stats.behind_ns > 0);
	assert_non_null(pit_ladder_taken(pit_checkpoint_ladder(c), "engine"));
	assert_ok(pit_checkpoint_close(c, &err));
}

/* Less memory than a save needs: the rest is written before put() returns. */
static void staging_memory_is_bounded(void **state)
{
	static const uint64_t limits[] = {1, 4 << 20, (4 << 20) + 5000, 8 << 20};
	struct place *p = *state;

	for (size_t i = 0; i < PIT_COUNT(limits); i++) {
		struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){.memory = limits[i]});
		struct pit_checkpoint_stats stats = {.size = sizeof(stats)};
		uint64_t part[] = {5 << 20, 100, BIG - (5 << 20) - 100};
		struct pit_save_tensor t[] = {bytes_tensor("u", p->data, &part[0]),
					      bytes_tensor("v", p->data, &part[1]),
					      bytes_tensor("t", p->data, &part[2])};

		for (char step = 1; step < 4; step++) {
			memset(p->data, step + 10, BIG);
			assert_ok(pit_checkpoint_put(c, (uint64_t)step, t, 3, PIT_SAVE_COPY, &err));
			memset(p->data, 99, BIG);
			assert_ok(pit_checkpoint_commit(c, (uint64_t)step, NULL, NULL, 0, &err));
		}
		assert_ok(pit_checkpoint_wait(c, &err));
		for (char step = 1; step < 4; step++)
			assert_holds(p->path, step, (uint64_t)step, step + 10);
		pit_checkpoint_stats(c, &stats);
		assert_in_range(stats.staging, 0, limits[i] + (2 << 20));
		assert_ok(pit_checkpoint_close(c, &err));
	}
}

static void saves_behind_by_promise(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){.no_checksums = false});
	struct pit_checkpoint_stats stats = {.size = sizeof(stats)};

	save(c, p, 1, PIT_SAVE_PROMISE);
	assert_ok(pit_checkpoint_wait(c, &err));
	memset(p->data, 2, BIG);
	save(c, p, 2, PIT_SAVE_PROMISE);
	assert_ok(pit_checkpoint_close(c, &err)); /* waits */
	assert_holds(p->path, 1, 1, 1);
	assert_holds(p->path, -1, 2, 2);
	c = open_place(p, (struct pit_checkpoint_want){0});
	pit_checkpoint_stats(c, &stats);
	assert_int_equal(stats.copy_ns, 0);
	assert_ok(pit_checkpoint_close(c, &err));
}

static void an_error_behind_comes_once_and_before_anything_is_written(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){0});
	char blocked[400];

	assert_int_equal(mkdir(p->path, 0755), -1);
	snprintf(blocked, sizeof(blocked), "%s/.step-00000005.tmp", p->path);
	mkdir(blocked, 0755);
	strcat(blocked, "/model.safetensors");
	mkdir(blocked, 0755); /* a directory where the file should come */
	save(c, p, 5, PIT_SAVE_COPY);
	while (pit_checkpoint_busy(c))
		usleep(1000);
	assert_error(EISDIR, "model.safetensors", pit_checkpoint_put(c, 6, &p->t, 1, PIT_SAVE_COPY, &err));
	snprintf(blocked, sizeof(blocked), "%s/.step-00000006.tmp", p->path);
	assert_int_equal(access(blocked, F_OK), -1);
	save(c, p, 6, PIT_SAVE_COPY);
	assert_ok(pit_checkpoint_wait(c, &err));
	assert_holds(p->path, -1, 6, 1);

	assert_ok(pit_checkpoint_put(c, 8, &p->t, 1, PIT_SAVE_DURABLE, &err));
	snprintf(blocked, sizeof(blocked), "%s/.step-00000009.tmp", p->path);
	mkdir(blocked, 0755);
	strcat(blocked, "/model.safetensors");
	mkdir(blocked, 0755);
	assert_ok(pit_checkpoint_put(c, 9, &p->t, 1, PIT_SAVE_PROMISE, &err));
	assert_error(EISDIR, "model", pit_checkpoint_wait(c, &err));
	assert_ok(pit_checkpoint_wait(c, &err));
	assert_error(EINVAL, "not put", pit_checkpoint_commit(c, 9, NULL, NULL, 0, &err));
	assert_ok(pit_checkpoint_put(c, 9, &p->t, 1, PIT_SAVE_PROMISE, &err));
	assert_error(EISDIR, "model", pit_checkpoint_close(c, &err));
}

static void refuses_what_makes_no_sense(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint_want want = {.size = sizeof(want), .rank = 2, .world = 2}, unsized = {0};
	struct pit_checkpoint *c = NULL;
	struct pit_save_tensor twice[] = {p->t, p->t};

	assert_error(EINVAL, "rank 2", pit_checkpoint_open(p->path, &want, &c, &err));
	assert_error(EINVAL, "size", pit_checkpoint_open(p->path, &unsized, &c, &err));
	want = (struct pit_checkpoint_want){.size = sizeof(want)};
	assert_error(ENOENT, "/absent/x", pit_checkpoint_open("/absent/x", &want, &c, &err));
	assert_null(c);
	c = open_place(p, want);
	assert_error(EINVAL, "not put", pit_checkpoint_commit(c, 1, NULL, NULL, 0, &err));
	assert_error(EINVAL, "2^63", pit_checkpoint_put(c, UINT64_MAX, &p->t, 1, PIT_SAVE_DURABLE, &err));
	assert_error(EINVAL, "mode", pit_checkpoint_put(c, 1, &p->t, 1, (enum pit_save_mode)7, &err));
	for (enum pit_save_mode mode = PIT_SAVE_DURABLE; mode <= PIT_SAVE_PROMISE; mode++)
		assert_error(EINVAL, "'t'", pit_checkpoint_put(c, 1, twice, 2, mode, &err));
	assert_ok(pit_checkpoint_put(c, 1, &p->t, 1, PIT_SAVE_DURABLE, &err));
	assert_error(EINVAL, "not put", pit_checkpoint_commit(c, 2, NULL, NULL, 0, &err));
	assert_error(EINVAL, "no JSON object", pit_checkpoint_commit(c, 1, NULL, "[1]", 0, &err));
	assert_error(EINVAL, "no JSON object", pit_checkpoint_commit(c, 1, NULL, "{", 0, &err));
	assert_error(EINVAL, "UTF-8", pit_checkpoint_commit(c, 1, "\xff", NULL, 0, &err));
	assert_ok(pit_checkpoint_commit(c, 1, NULL, NULL, 0, &err));
	assert_error(EINVAL, "not put", pit_checkpoint_commit(c, 1, NULL, NULL, 0, &err));
	assert_ok(pit_checkpoint_close(c, &err));
	assert_ok(pit_checkpoint_close(NULL, &err));
	c = open_place(p, (struct pit_checkpoint_want){.rank = 1, .world = 2});
	assert_error(EPERM, "rank 0", pit_checkpoint_commit(c, 1, NULL, NULL, 0, &err));
	assert_ok(pit_checkpoint_close(c, &err));
}

static void keeps_the_last_ones(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){.keep = 2});
	uint64_t *steps = NULL;
	size_t count = 0;

	for (uint64_t step = 1; step < 6; step++) {
		p->n = 10;
		p->t.tensor.bytes = 10;
		save(c, p, step * 10, step & 1 ? PIT_SAVE_COPY : PIT_SAVE_DURABLE);
	}
	assert_ok(pit_checkpoint_wait(c, &err));
	assert_ok(pit_checkpoint_list(p->path, &steps, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(steps[0], 40);
	assert_int_equal(steps[1], 50);
	free(steps);
	save(c, p, 3, PIT_SAVE_DURABLE); /* an earlier one again: latest, so it stays */
	assert_holds(p->path, -1, 3, 1);
	assert_ok(pit_checkpoint_list(p->path, &steps, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(steps[0], 3);
	assert_int_equal(steps[1], 50);
	free(steps);
	assert_int_equal(count_entries(p->path), 3);
	assert_ok(pit_checkpoint_close(c, &err));
}

static void a_step_is_replaced_whole(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){0});

	save(c, p, 4, PIT_SAVE_DURABLE);
	memset(p->data, 2, BIG);
	save(c, p, 4, PIT_SAVE_COPY);
	assert_ok(pit_checkpoint_close(c, &err));
	assert_holds(p->path, -1, 4, 2);
	assert_int_equal(count_entries(p->path), 2);
}

static void cleans_what_crashes_left_but_nothing_of_the_living(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){0}), *other;
	char path[500], prev[500];

	save(c, p, 1, PIT_SAVE_DURABLE);
	assert_ok(pit_checkpoint_put(c, 2, &p->t, 1, PIT_SAVE_DURABLE, &err));
	tempdir_file(p->path, ".step-00000003.tmp/model.safetensors", "half");
	tempdir_file(p->path, ".step-00000004.tmp/.lock", "");
	tempdir_file(p->path, ".step-00000005.old/sub/model.safetensors", "half");
	tempdir_file(p->path, ".step-00000001.prev/manifest.json", "older");
	tempdir_file(p->path, "notes/x", "not ours");
	other = open_place(p, (struct pit_checkpoint_want){0});
	assert_int_equal(count_entries(p->path), 4); /* step 1, latest, .step-2.tmp, notes */
	assert_ok(pit_checkpoint_commit(c, 2, NULL, NULL, 0, &err));
	assert_ok(pit_checkpoint_close(c, &err));
	assert_ok(pit_checkpoint_close(other, &err));
	assert_holds(p->path, -1, 2, 1);

	/* A replacement that was cut short where names cannot be exchanged. */
	snprintf(path, sizeof(path), "%s/step-00000002", p->path);
	snprintf(prev, sizeof(prev), "%s/.step-00000002.prev", p->path);
	assert_int_equal(rename(path, prev), 0);
	assert_holds(p->path, -1, 1, 1);
	other = open_place(p, (struct pit_checkpoint_want){0});
	assert_holds(p->path, -1, 2, 1);
	assert_ok(pit_checkpoint_close(other, &err));
}

static void a_forked_child_does_not_touch(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){0});
	int status;
	pid_t pid;

	save(c, p, 1, PIT_SAVE_COPY);
	pid = fork();
	if (!pid) {
		struct pit_checkpoint_stats stats = {.size = sizeof(stats)};
		struct pit_error err = PIT_ERROR_INIT;

		alarm(30);
		if (pit_checkpoint_put(c, 2, &p->t, 1, PIT_SAVE_COPY, &err) != -ECHILD || !strstr(err.text, "forked"))
			_exit(1);
		if (pit_checkpoint_commit(c, 1, NULL, NULL, 0, NULL) != -ECHILD || pit_checkpoint_busy(c) ||
		    pit_checkpoint_wait(c, NULL) != -ECHILD)
			_exit(2);
		pit_checkpoint_stats(c, &stats);
		pit_checkpoint_ladder(c);
		_exit(pit_checkpoint_close(c, NULL) ? 3 : 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_ok(pit_checkpoint_close(c, &err));
	assert_holds(p->path, -1, 1, 1);
}

/* Rank 0 opens first; the others wait for the end of what it holds of `opened`. */
static int one_rank(const struct place *p, uint32_t rank, uint64_t steps, const int *opened)
{
	struct pit_checkpoint_want want = {.size = sizeof(want), .rank = rank, .world = 4, .keep = 3};
	struct pit_checkpoint *c;
	char name[20], none;
	struct pit_save_tensor t = p->t;

	snprintf(name, sizeof(name), "rank%u", rank);
	t.tensor.name = name;
	if (rank) {
		close(opened[1]);
		(void)!read(opened[0], &none, 1);
	}
	if (pit_checkpoint_open(p->path, &want, &c, NULL))
		return 1;
	if (!rank)
		close(opened[1]);
	for (uint64_t step = 1; step <= steps; step++) {
		usleep(rank * 3000);
		if (pit_checkpoint_put(c, step, &t, 1, step & 1 ? PIT_SAVE_DURABLE : PIT_SAVE_COPY, NULL))
			return 2;
		if (!rank && pit_checkpoint_commit(c, step, "{}", NULL, 30, NULL))
			return 3;
	}
	return pit_checkpoint_close(c, NULL) ? 4 : 0;
}

static void four_ranks_make_one_checkpoint(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *first = open_place(p, (struct pit_checkpoint_want){.world = 4});
	struct pit_manifest *m = NULL;
	char file[600];
	pid_t pid[4];
	int opened[2];

	assert_int_equal(pipe2(opened, O_CLOEXEC), 0);
	for (uint32_t rank = 0; rank < 4; rank++) {
		pid[rank] = fork();
		if (!pid[rank]) {
			alarm(60);
			_exit(one_rank(p, rank, 5, opened));
		}
	}
	close(opened[0]);
	close(opened[1]);
	for (uint32_t rank = 0; rank < 4; rank++) {
		int status;

		waitpid(pid[rank], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_ok(pit_checkpoint_close(first, &err));
	assert_ok(pit_manifest_open(p->path, -1, &m, &err));
	assert_int_equal(pit_manifest_step(m), 5);
	assert_int_equal(pit_manifest_files(m), 4);
	assert_string_equal(pit_manifest_file(m, 2, NULL), "rank-00002-of-00004.safetensors");
	for (size_t i = 0; i < 4; i++) {
		struct other_reader r = {0};
		char name[20];
		size_t len;

		snprintf(file, sizeof(file), "%s/%s", pit_manifest_path(m), pit_manifest_file(m, i, NULL));
		assert_int_equal(other_open(file, &r), 0);
		assert_int_equal(other_check_sums(&r), 0);
		snprintf(name, sizeof(name), "rank%zu", i);
		assert_non_null(other_tensor(&r, name, &len));
		other_close(&r);
	}
	assert_int_equal(count_entries(pit_manifest_path(m)), 5);
	pit_manifest_close(m);
	assert_int_equal(count_entries(p->path), 4); /* three of them, latest */
}

static void says_which_rank_is_missing(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *zero = open_place(p, (struct pit_checkpoint_want){.world = 3});
	struct pit_checkpoint *one = open_place(p, (struct pit_checkpoint_want){.world = 3, .rank = 1});
	struct pit_checkpoint *two = open_place(p, (struct pit_checkpoint_want){.world = 3, .rank = 2});
	struct pit_manifest *m = NULL;

	assert_ok(pit_checkpoint_put(zero, 1, &p->t, 1, PIT_SAVE_DURABLE, &err));
	assert_ok(pit_checkpoint_put(one, 1, &p->t, 1, PIT_SAVE_DURABLE, &err));
	assert_error(ETIMEDOUT, "rank 2 of 3", pit_checkpoint_commit(zero, 1, NULL, NULL, 0, &err));
	assert_error(ENOENT, "no complete", pit_manifest_open(p->path, -1, &m, &err));
	assert_ok(pit_checkpoint_put(two, 1, NULL, 0, PIT_SAVE_DURABLE, &err));
	assert_ok(pit_checkpoint_commit(zero, 1, NULL, NULL, 0, &err));
	assert_ok(pit_manifest_open(p->path, -1, &m, &err));
	pit_manifest_close(m);
	assert_ok(pit_checkpoint_close(zero, &err));
	assert_ok(pit_checkpoint_close(one, &err));
	assert_ok(pit_checkpoint_close(two, &err));
}

static int saves_for_ever(const struct place *p)
{
	struct pit_checkpoint_want want = {.size = sizeof(want), .keep = 2};
	struct pit_checkpoint *c;

	if (pit_checkpoint_open(p->path, &want, &c, NULL))
		return 1;
	for (uint64_t step = 1;; step++) {
		memset(p->data, (int)(step & 63), p->n);
		if (pit_checkpoint_put(c, step, &p->t, 1, step & 1 ? PIT_SAVE_COPY : PIT_SAVE_DURABLE, NULL) ||
		    pit_checkpoint_commit(c, step, NULL, NULL, 0, NULL))
			return 2;
	}
}

static void a_killed_job_leaves_whole_checkpoints(void **state)
{
	struct place *p = *state;

	p->n = 1 << 20;
	p->t.tensor.bytes = p->n;
	for (unsigned round = 0; round < 30; round++) {
		struct pit_manifest *m = NULL;
		uint64_t *steps = NULL;
		size_t count = 0;
		pid_t pid = fork();

		if (!pid) {
			alarm(60);
			_exit(saves_for_ever(p));
		}
		usleep(2000 + round * 1500);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (access(p->path, F_OK) || pit_manifest_open(p->path, -1, &m, NULL) == -ENOENT)
			continue; /* it was killed before the first one */
		assert_non_null(m);
		assert_holds(p->path, -1, m->step, (char)(m->step & 63));
		pit_manifest_close(m);
		assert_ok(pit_checkpoint_list(p->path, &steps, &count, &err));
		for (size_t i = 0; i < count; i++)
			assert_holds(p->path, (int64_t)steps[i], steps[i], (char)(steps[i] & 63));
		free(steps);
		assert_ok(pit_checkpoint_close(open_place(p, (struct pit_checkpoint_want){0}), &err));
		assert_int_equal(count_entries(p->path), count + 1);
	}
}

static void assert_damaged(const struct place *p, const char *word)
{
	struct pit_manifest *m = NULL;

	assert_error(EBADMSG, word, pit_manifest_open(p->path, 1, &m, &err));
	assert_null(m);
}

static void finds_every_flipped_bit_and_cut_of_a_manifest(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_place(p, (struct pit_checkpoint_want){0});
	char path[500], *text;
	size_t len = 0;

	p->n = p->t.tensor.bytes = 100;
	assert_ok(pit_checkpoint_put(c, 1, &p->t, 1, PIT_SAVE_DURABLE, &err));
	assert_ok(pit_checkpoint_commit(c, 1, "state", "{}", 0, &err));
	assert_ok(pit_checkpoint_close(c, &err));
	snprintf(path, sizeof(path), "%s/step-00000001/manifest.json", p->path);
	text = slurp(path, &len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct pit_manifest *m = NULL;

		text[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(pit_manifest_parse(text, len, &m, NULL), -EBADMSG);
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < len; n++) {
		struct pit_manifest *m = NULL;

		assert_int_equal(pit_manifest_parse(text, n, &m, NULL), -EBADMSG);
	}
	assert_holds(p->path, 1, 1, 1);
	truncate(path, 50);
	assert_damaged(p, "cut short");
	tempdir_write(p->path, "step-00000001/manifest.json", text, len);
	free(text);
	tempdir_file(p->path, "step-00000001/model.safetensors", "short");
	assert_damaged(p, "model.safetensors: has 5 bytes");
	unlink(strcat(strcpy(path, p->path), "/step-00000001/model.safetensors"));
	assert_damaged(p, "is missing");
}

static void names_of_steps_are_strict(void **state)
{
	static const char *const wrong[] = {"step-0000001",      "step-000000001", "step--0000001",
					    "step-+0000001",     "step-00000001x", "step-",
					    "xstep-00000001",    "step- 0000001",  "step-99999999999999999999",
					    ".step-00000001.tmp"};
	char name[PIT_STEP_NAME_MAX];
	uint64_t step = 77;

	for (size_t i = 0; i < PIT_COUNT(wrong); i++)
		assert_false(pit_step_parse(wrong[i], PIT_STEP_COMPLETE, &step));
	assert_int_equal(step, 77);
	assert_true(pit_step_parse("step-9223372036854775807", PIT_STEP_COMPLETE, &step));
	assert_true(step == INT64_MAX);
	for (enum pit_step_kind kind = PIT_STEP_COMPLETE; kind <= PIT_STEP_PREV; kind++) {
		assert_true(pit_step_parse(pit_step_name(12, kind, name), kind, &step));
		assert_int_equal(step, 12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(saves_and_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_the_newest_without_latest, setup, teardown),
		cmocka_unit_test_setup_teardown(saves_behind_by_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(staging_memory_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(saves_behind_by_promise, setup, teardown),
		cmocka_unit_test_setup_teardown(an_error_behind_comes_once_and_before_anything_is_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(refuses_what_makes_no_sense, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_the_last_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(a_step_is_replaced_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(cleans_what_crashes_left_but_nothing_of_the_living, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forked_child_does_not_touch, setup, teardown),
		cmocka_unit_test_setup_teardown(four_ranks_make_one_checkpoint, setup, teardown),
		cmocka_unit_test_setup_teardown(says_which_rank_is_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_killed_job_leaves_whole_checkpoints, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_every_flipped_bit_and_cut_of_a_manifest, setup, teardown),
		cmocka_unit_test_setup_teardown(names_of_steps_are_strict, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
