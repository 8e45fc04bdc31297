/* SPDX-License-Identifier: MIT
 *
 * Checkpoints while others use the same directory, or have.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
/**/
#include <cmocka.h>

#include "feed/checkpoint_dir.h"
#include "feed/manifest.h"
#include "save_world.h"

struct place {
	char dir[200], path[300];
	uint64_t n;
	char data[1000];
	struct pit_save_tensor t;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	tempdir_new(p->dir, sizeof(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/checkpoints", p->dir);
	p->n = sizeof(p->data);
	p->t = bytes_tensor("t", p->data, &p->n);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	tempdir_remove(p->dir);
	free(p);
	return 0;
}

static struct pit_checkpoint *open_rank(const struct place *p, uint32_t rank, uint32_t world)
{
	struct pit_checkpoint_want want = {.size = sizeof(want), .rank = rank, .world = world, .keep = 2};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_checkpoint *c = NULL;

	if (pit_checkpoint_open(p->path, &want, &c, &err))
		fail_msg("%s", err.text);
	return c;
}

static void put(struct pit_checkpoint *c, const struct place *p, uint64_t step)
{
	struct pit_error err = PIT_ERROR_INIT;

	if (pit_checkpoint_put(c, step, &p->t, 1, PIT_SAVE_DURABLE, &err))
		fail_msg("%s", err.text);
}

/* A job of two ranks died after rank 1 had told of its shard, and something holds the directory still (or nobody can
 * know whether). The job that comes after it must not make a checkpoint of its own rank 0 and that shard. */
static void what_an_earlier_job_told_counts_no_more(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *old = open_rank(p, 1, 2), *zero, *one;
	struct pit_error err = PIT_ERROR_INIT;

	put(old, p, 7);
	zero = open_rank(p, 0, 2);
	one = open_rank(p, 1, 2);
	put(zero, p, 7);
	assert_int_equal(pit_checkpoint_commit(zero, 7, NULL, NULL, 0, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "rank 1"));
	put(one, p, 7);
	assert_int_equal(pit_checkpoint_commit(zero, 7, NULL, NULL, 0, &err), 0);
	pit_checkpoint_close(old, NULL);
	pit_checkpoint_close(one, NULL);
	pit_checkpoint_close(zero, NULL);
}

static void opens_for_ever(const struct place *p)
{
	struct pit_checkpoint_want want = {.size = sizeof(want)};
	struct pit_checkpoint *c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(60);
	while (!pit_checkpoint_open(p->path, &want, &c, NULL))
		pit_checkpoint_close(c, NULL);
	_exit(1);
}

static void others_that_open_do_not_disturb_a_save(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_rank(p, 0, 1);
	pid_t pid = fork();

	if (!pid)
		opens_for_ever(p);
	for (uint64_t step = 1; step <= 60; step++) {
		struct pit_error err = PIT_ERROR_INIT;

		put(c, p, step);
		if (pit_checkpoint_commit(c, step, NULL, NULL, 0, &err)) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			fail_msg("step %d: %s", (int)step, err.text);
		}
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(pit_checkpoint_close(c, NULL), 0);
	c = open_rank(p, 0, 1);
	assert_int_equal(count_entries(p->path), 3);
	assert_int_equal(pit_checkpoint_close(c, NULL), 0);
}

/* Who reads through a link reads one checkpoint, wherever the link leads a moment later. */
static void the_path_of_a_manifest_is_that_of_its_checkpoint(void **state)
{
	struct place *p = *state;
	struct pit_checkpoint *c = open_rank(p, 0, 1);
	struct pit_manifest *m = NULL;
	char latest[400], step[400];
	size_t len;

	put(c, p, 5);
	assert_int_equal(pit_checkpoint_commit(c, 5, NULL, NULL, 0, NULL), 0);
	snprintf(latest, sizeof(latest), "%s/latest", p->path);
	snprintf(step, sizeof(step), "%s/step-00000005", p->path);
	len = strlen(latest);
	for (size_t i = 0; i < 2; i++) { /* a slash behind it changes nothing */
		assert_int_equal(pit_manifest_open(latest, -1, &m, NULL), 0);
		assert_string_equal(pit_manifest_path(m), step);
		pit_manifest_close(m);
		strcpy(latest + len, "/");
	}
	assert_int_equal(pit_checkpoint_close(c, NULL), 0);
}

static unsigned allocations; /* until one fails */

static void *scarce(size_t size)
{
	return allocations && !--allocations ? NULL : malloc(size);
}

/* A checkpoint that counts as complete and that nobody can read would let retention remove the good ones. */
static void a_manifest_is_whole_or_none_when_memory_is_short(void **state)
{
	struct pit_manifest_file files[] = {{.name = (char *)"a", .bytes = 5}, {.name = (char *)"b", .tensors = 3}};
	struct pit_manifest m = {
		.step = 5, .world = 2, .count = 2, .files = files, .state = (char *)"{}", .extra = (char *)"{}"};
	int rc = -ENOMEM;

	(void)state;
	for (unsigned nth = 1; rc; nth++) {
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_manifest *back = NULL;

		allocations = nth;
		json_set_alloc_funcs(scarce, free);
		rc = pit_manifest_format(&m, &text, &err);
		json_set_alloc_funcs(malloc, free);
		assert_true(rc == 0 || rc == -ENOMEM);
		if (rc)
			continue;
		if (pit_manifest_parse(text.data, text.len, &back, &err))
			fail_msg("allocation %u: %s", nth, err.text);
		assert_non_null(back->extra);
		pit_manifest_close(back);
		rc = allocations ? 0 : -ENOMEM; /* it was enough without that one */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_an_earlier_job_told_counts_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(others_that_open_do_not_disturb_a_save, setup, teardown),
		cmocka_unit_test_setup_teardown(the_path_of_a_manifest_is_that_of_its_checkpoint, setup, teardown),
		cmocka_unit_test(a_manifest_is_whole_or_none_when_memory_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
