/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed/ladder.h"
#include "feed/pool.h"

#define MIB (UINT64_C(1) << 20)

static const char *taken(enum pit_lock want, int *ret_rc, struct pit_error *err)
{
	struct pit_io_want w = {.pages = PIT_PAGES_PLAIN, .lock = want};
	const struct pit_rung *rung;
	struct pit_ladder l = {0};
	struct pit_pool *p = NULL;

	*ret_rc = pit_pool_open(MIB, &w, &l, &p, err);
	if (*ret_rc)
		return "";
	memset(pit_pool_base(p), 1, pit_pool_size(p));
	rung = pit_ladder_taken(&l, "lock");
	assert_non_null(rung);
	pit_pool_unref(p);
	return rung->rung;
}

/* The library counts only where the program has loaded it and made a context. */
static void registers_with_a_context_only(void **state)
{
	const char *dir = getenv("PITCREW_FAKES");
	struct pit_error err = PIT_ERROR_INIT;
	int *context, *registered, *refuse, rc;
	char path[4096];
	void *lib;

	if (!dir)
		skip();
	assert_string_not_equal(taken(PIT_LOCK_AUTO, &rc, &err), "cuda");
	snprintf(path, sizeof(path), "%s/libcuda.so.1", dir);
	lib = dlopen(path, RTLD_NOW);
	if (!lib)
		fail_msg("%s", dlerror());
	context = dlsym(lib, "fake_cuda_context");
	registered = dlsym(lib, "fake_cuda_registered");
	refuse = dlsym(lib, "fake_cuda_refuse");
	taken(PIT_LOCK_CUDA, &rc, &err);
	assert_int_equal(rc, -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "no CUDA context"));
	*context = 1;
	assert_string_equal(taken(PIT_LOCK_AUTO, &rc, &err), "cuda");
	assert_int_equal(*registered, 0);
	assert_string_equal(taken(PIT_LOCK_CUDA, &rc, &err), "cuda");
	assert_string_not_equal(taken(PIT_LOCK_NONE, &rc, &err), "cuda");
	*refuse = 1;
	taken(PIT_LOCK_CUDA, &rc, &err);
	assert_int_equal(rc, -EOPNOTSUPP);
	assert_string_not_equal(taken(PIT_LOCK_AUTO, &rc, &err), "cuda");
	assert_int_equal(rc, 0);
	assert_int_equal(*registered, 0);
	dlclose(lib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_with_a_context_only),
	};

	return cmocka_run_group_tests_name("pool_cuda", tests, NULL, NULL);
}
