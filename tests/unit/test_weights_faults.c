/* SPDX-License-Identifier: MIT
 *
 * Weights where O_DIRECT works when it is tried and not when it is used: pread() below stands before libc's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
/**/
#include <cmocka.h>

#include "feed/ladder.h"
#include "pitcrew/weights.h"
#include "save_world.h"

#define BYTES (UINT64_C(160) << 20) /* 20 requests */
#define PROBE (64 << 10)

static atomic_bool refuses;
static atomic_uint refused;

ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
	if (refuses && len > PROBE && fcntl(fd, F_GETFL) & O_DIRECT) {
		usleep(20000); /* so that several are under way */
		refused++;
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_pread64, fd, data, len, offset);
}

static bool takes_direct(const struct pit_ladder *l)
{
	const struct pit_rung *r = pit_ladder_taken(l, "cache");

	return r && !strcmp(r->rung, "O_DIRECT");
}

static void reads_go_on_without_direct(void **state)
{
	struct pit_weights_want want = {
		.size = sizeof(want), .verify = true, .io = {.engine = PIT_ENGINE_THREADS, .threads = 4, .depth = 8}};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_arena *a = NULL;
	struct pit_weights *w = NULL;
	const uint64_t n = BYTES;
	char dir[200], path[300], *data = calloc(1, BYTES);
	struct pit_save_tensor t = bytes_tensor("t", data, &n);
	bool direct;

	(void)state;
	tempdir_new_in("/var/tmp", dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/a.safetensors", dir);
	memset(data, 7, BYTES);
	assert_int_equal(pit_save_file(path, &t, 1, NULL, &err), 0);
	free(data);
	assert_int_equal(pit_weights_open(path, &w, &err), 0);
	want.io.cache = PIT_IO_DIRECT;
	direct = !pit_weights_load(w, &want, &a, &err) && takes_direct(pit_arena_ladder(a));
	pit_arena_free(pit_take(a));
	if (direct) {
		refuses = true;
		if (pit_weights_load(w, &want, &a, &err))
			print_error("%s\n", err.text);
		refuses = false;
	}
	pit_weights_close(w);
	tempdir_remove(dir);
	if (!direct) {
		print_message("# no O_DIRECT in /var/tmp\n");
		skip();
	}
	assert_true(refused > 0);
	assert_non_null(a);
	pit_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_go_on_without_direct)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
