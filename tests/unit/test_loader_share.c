/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "feed/loader.h"
#include "feed/share.h"
#include "feed_world.h"

#define FILES 200
#define ROOM FILES

static void check_all(const struct pit_batch *b, uint64_t *order, unsigned *n)
{
	feed_check(b);
	for (uint32_t i = 0; i < pit_batch_count(b); i++)
		order[(*n)++] = pit_batch_sample(b, i);
}

/* A child's verdict on a batch, as its exit code: it may use no function of cmocka. */
static int look_at(const char *text, bool release)
{
	struct pit_batch *b = NULL;
	struct pit_part part;

	if (pit_batch_import(text, &b, NULL))
		return 10;
	for (uint32_t i = 0; i < pit_batch_count(b); i++) {
		uint64_t sample = pit_batch_sample(b, i);

		if (pit_batch_part(b, i, 0, &part) || part.len != feed_len(sample) ||
		    !feed_is(sample, part.data, part.len) ||
		    atoi(strrchr(pit_batch_name(b, i), '/') + 1) != (int)sample)
			return 11;
	}
	if (release)
		pit_batch_release(b);
	return 0;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static int in_child(const char *text, bool release)
{
	pid_t pid = fork();

	if (!pid)
		_exit(look_at(text, release));
	return wait_for(pid);
}

/* More batches than memory holds: each comes back, whether the child released it or just ended. */
static void hands_over_to_children(void **state)
{
	for (unsigned round = 0; round < 3; round++) {
		struct pit_loader *l = feed_open(*state, (struct pit_loader_want){
								 .batch = 10,
								 .memory = round == 2 ? 1 : 700000,
							 });
		struct pit_batch *b = NULL;
		char text[256];
		unsigned n = 0;

		while (pit_loader_next(l, &b, NULL) == 1) {
			int len = pit_batch_export(b, text, sizeof(text), NULL);

			assert_int_equal(len, (int)strlen(text));
			assert_int_equal(in_child(text, round == 0), 0);
			n++;
		}
		assert_int_equal(n, FILES / 10);
		pit_loader_close(l);
	}
}

static void hands_over_to_other_programs(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10, .memory = 700000});
	struct pit_batch *b = NULL;
	char text[256];

	for (unsigned i = 0; i < 5; i++) {
		pid_t pid;

		assert_int_equal(pit_loader_next(l, &b, NULL), 1);
		assert_true(pit_batch_export(b, text, sizeof(text), NULL) > 0);
		pid = fork();
		if (!pid) {
			execl("/proc/self/exe", "test_loader_share", text, NULL);
			_exit(9);
		}
		assert_int_equal(wait_for(pid), 0);
	}
	pit_loader_close(l);
}

/* The receiver works on while the sender reads; a slow one holds the sender up, and nobody writes into what it has. */
static void is_held_up_by_receivers(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10, .memory = 700000});
	uint64_t order[ROOM];
	unsigned n = 0, lent = 0;
	struct pit_batch *b = NULL;
	char text[256];
	pid_t pid[FILES];

	while (pit_loader_next(l, &b, NULL) == 1) {
		if (n % 40 >= 20) {
			check_all(b, order, &n);
			pit_batch_release(b);
			continue;
		}
		for (uint32_t i = 0; i < pit_batch_count(b); i++)
			order[n++] = pit_batch_sample(b, i);
		assert_true(pit_batch_export(b, text, sizeof(text), NULL) > 0);
		pid[lent] = fork();
		if (!pid[lent]) {
			struct pit_batch *mine = NULL;
			int rc = pit_batch_import(text, &mine, NULL);

			nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
			for (uint32_t i = 0; !rc && i < pit_batch_count(mine); i++) {
				struct pit_part part;

				pit_batch_part(mine, i, 0, &part);
				rc = !feed_is(pit_batch_sample(mine, i), part.data, part.len);
			}
			pit_batch_release(mine);
			_exit(rc ? 1 : 0);
		}
		lent++;
	}
	for (unsigned i = 0; i < lent; i++)
		assert_int_equal(wait_for(pid[i]), 0);
	assert_int_equal(n, FILES);
	assert_true(feed_is_permutation(order, n));
	pit_loader_close(l);
}

static void is_taken_once(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10});
	struct pit_batch *b = NULL, *again = NULL, *mine = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	char text[256], small[8] = "x";

	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	assert_int_equal(pit_batch_export(b, small, sizeof(small), &err), -ENOBUFS);
	assert_string_equal(small[0] == 'x' || !small[0] || small[0] == 'p' ? "" : "changed", "");
	feed_check(b);
	assert_true(pit_batch_export(b, text, sizeof(text), NULL) > 0);
	assert_int_equal(pit_batch_import(text, &mine, &err), 0); /* also by the sender itself */
	assert_int_equal(pit_batch_import(text, &again, &err), -ESTALE);
	assert_non_null(strstr(err.text, "taken by another"));
	assert_null(again);
	feed_check(mine);
	assert_int_equal(pit_batch_export(mine, text, sizeof(text), &err), -EINVAL);
	pit_loader_close(l);
	feed_check(mine);
	pit_batch_release(mine);
	assert_int_equal(pit_batch_import(text, &again, &err), -ESTALE);
}

static void withdraws_what_nobody_took(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10});
	struct pit_batch *b = NULL, *held = NULL, *mine = NULL;
	char text[256];

	assert_int_equal(pit_loader_next(l, &held, NULL), 1);
	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	assert_true(pit_batch_export(b, text, sizeof(text), NULL) > 0);
	pit_loader_close(l);
	assert_int_equal(pit_batch_import(text, &mine, NULL), -ESTALE);
	assert_int_equal(pit_batch_export(held, text, sizeof(text), &err), -EINVAL);
	assert_non_null(strstr(err.text, "closed"));
	feed_check(held);
	pit_batch_release(held);
	assert_int_equal(pit_batch_import(text, &mine, NULL), -ESTALE);
}

static void knows_when_the_sender_has_ended(void **state)
{
	struct feed_world *w = *state;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *mine = NULL;
	char text[256] = "";
	int pipes[2];
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		struct pit_loader_want want = {.size = sizeof(want), .batch = 3};
		struct pit_loader *l = NULL;
		struct pit_batch *b = NULL;
		int len = -1;

		if (!pit_loader_open(w->source, &want, &l, NULL) && pit_loader_next(l, &b, NULL) == 1)
			len = pit_batch_export(b, text, sizeof(text), NULL);
		if (len > 0 && write(pipes[1], text, len) == len)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(wait_for(pid), 100 + SIGKILL);
	assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(pit_batch_import(text, &mine, &err), -ESTALE);
	assert_non_null(strstr(err.text, "has ended"));
}

static void is_of_no_use_in_a_fork(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 10});
	struct pit_batch *b = NULL, *other = NULL;
	uint64_t order[ROOM];
	unsigned n = 0;
	pid_t pid;

	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	pid = fork();
	if (!pid) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_loader_stats s = {.size = sizeof(s)};
		char text[256];
		bool ok = pit_loader_next(l, &other, &err) == -EINVAL && strstr(err.text, "fork");

		ok = ok && pit_loader_epoch(l, 1, NULL) == -EINVAL;
		ok = ok && pit_loader_state(l, text, sizeof(text), NULL) == -EINVAL;
		ok = ok && pit_loader_resume(l, "{}", NULL) == -EINVAL;
		ok = ok && pit_batch_export(b, text, sizeof(text), NULL) == -EINVAL;
		pit_loader_stats(l, &s);
		pit_loader_cancel(l);
		pit_batch_release(b);
		pit_loader_close(l);
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(wait_for(pid), 0);
	check_all(b, order, &n);
	pit_batch_release(b);
	while (pit_loader_next(l, &b, NULL) == 1) {
		check_all(b, order, &n);
		pit_batch_release(b);
	}
	assert_int_equal(n, FILES);
	assert_true(feed_is_permutation(order, n));
	pit_loader_close(l);
}

static void takes_no_other_text(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"pitcrew-batch 1",
		"pitcrew-batch 2 1 1 1 0 4096 0 -1",
		"pitcrew-batch 1 1 1 -1 0 4096 0 -1",
		"pitcrew-batch 1 0 1 1 0 4096 0 -1",
		"pitcrew-batch 1 1 1 1 0 0 0 -1",
		"pitcrew-batch 1 1 1 1 1 4096 0 -1",
		"pitcrew-batch 1 1 1 1 0 4096 0 -2",
		"pitcrew-batch 1 1 1 1 0 4096 0 3",
		"pitcrew-batch 1 1 1 1 0 18446744073709551615 0 0",
		"pitcrew-batch 1 1 1 1 0 4096 0 -1 more",
	};
	struct pit_share s = {.fd = 5};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *b = NULL;
	char text[256];

	for (unsigned i = 0; i < PIT_COUNT(texts); i++) {
		assert_int_equal(pit_share_parse(texts[i], &s, &err), -EINVAL);
		assert_int_equal(pit_batch_import(texts[i], &b, &err), -EINVAL);
		assert_int_equal(s.fd, 5);
	}
	/* Memory that is not a pool's. */
	snprintf(text, sizeof(text), "pitcrew-batch 1 %d 0 1 0 4096 0000000000000000 -1", (int)getpid());
	assert_true(pit_batch_import(text, &b, &err) < 0);
	assert_null(b);
}

/* A description with any byte changed is refused, or still stays inside of its memory. */
static void checks_descriptions(void **state)
{
	struct pit_loader *l = feed_open(*state, (struct pit_loader_want){.batch = 4});
	struct pit_batch *b = NULL;
	struct pit_batch_head *copy;
	uint64_t x = 1;

	assert_int_equal(pit_loader_next(l, &b, NULL), 1);
	assert_true(pit_batch_is_sound(b->head, b->head->bytes));
	assert_false(pit_batch_is_sound(b->head, 8));
	copy = malloc(b->head->bytes);
	assert_non_null(copy);
	for (unsigned round = 0; round < 20000; round++) {
		struct pit_batch view = {.head = copy};
		struct pit_part part;
		size_t len, stride;

		memcpy(copy, b->head, b->head->bytes);
		for (unsigned k = 0; k < 1 + round % 3; k++) {
			x++;
			((unsigned char *)copy)[feed_mix(x) % b->head->end] = feed_mix(x + 77);
		}
		if (!pit_batch_is_sound(copy, b->head->bytes))
			continue;
		for (uint32_t i = 0; i < pit_batch_count(&view); i++)
			for (unsigned p = 0; p < pit_batch_parts(&view, i); p++)
				if (!pit_batch_part(&view, i, p, &part) && part.len)
					x += strlen(part.key) + strlen(pit_batch_name(&view, i)) +
					     ((const unsigned char *)part.data)[part.len - 1];
		pit_batch_array(&view, &len, &stride);
	}
	free(copy);
	pit_batch_release(b);
	pit_loader_close(l);
}

int main(int argc, char **argv)
{
	static struct feed_world world;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(hands_over_to_children, &world),
		cmocka_unit_test_prestate(hands_over_to_other_programs, &world),
		cmocka_unit_test_prestate(is_held_up_by_receivers, &world),
		cmocka_unit_test_prestate(is_taken_once, &world),
		cmocka_unit_test_prestate(withdraws_what_nobody_took, &world),
		cmocka_unit_test_prestate(knows_when_the_sender_has_ended, &world),
		cmocka_unit_test_prestate(is_of_no_use_in_a_fork, &world),
		cmocka_unit_test_prestate(takes_no_other_text, &world),
		cmocka_unit_test_prestate(checks_descriptions, &world),
	};
	int failed;

	if (argc == 2 && !strncmp(argv[1], "pitcrew-batch", 13))
		return look_at(argv[1], true);
	feed_files(&world, FILES);
	failed = cmocka_run_group_tests_name("loader_share", tests, NULL, NULL);
	feed_close(&world);
	return failed;
}
