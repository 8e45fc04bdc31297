/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "tune/mig_layout.h"

/* The profiles of an 80 GB GPU of the Hopper generation: memory slices and where they may begin. */
static const char gpu[] = "{\"profiles\":["
			  "{\"name\":\"1g.10gb\",\"size\":1,\"starts\":[0,1,2,3,4,5,6]},"
			  "{\"name\":\"1g.20gb\",\"size\":2,\"starts\":[0,2,4,6]},"
			  "{\"name\":\"2g.20gb\",\"size\":2,\"starts\":[0,2,4]},"
			  "{\"name\":\"3g.40gb\",\"size\":4,\"starts\":[0,4]},"
			  "{\"name\":\"4g.40gb\",\"size\":4,\"starts\":[0]},"
			  "{\"name\":\"7g.80gb\",\"size\":8,\"starts\":[0]}]}";

static const struct {
	const char *wanted, *current, *layout; /* layout NULL: -EINVAL */
	const char *error;
} rows[] = {
	{"7g.80gb", "", "7g.80gb@0", NULL},
	{"3g.40gb 3g.40gb", "", "3g.40gb@0 3g.40gb@4", NULL},
	{"2g.20gb 3g.40gb 1g.10gb", "", "3g.40gb@0 2g.20gb@4 1g.10gb@6", NULL},
	/* the 4g can only begin at 0, so the 3g must give way */
	{"3g.40gb 4g.40gb", "", "4g.40gb@0 3g.40gb@4", NULL},
	{"1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb", "",
	 "1g.10gb@0 1g.10gb@1 1g.10gb@2 1g.10gb@3 1g.10gb@4 1g.10gb@5 1g.10gb@6", NULL},
	{"2g.20gb 3g.40gb@0", "", "3g.40gb@0 2g.20gb@4", NULL},
	{"1g.10gb@6 3g.40gb", "", "3g.40gb@0 1g.10gb@6", NULL},
	/* the same profiles in other places stay as they are */
	{"3g.40gb 2g.20gb", "2g.20gb@0 3g.40gb@4", "2g.20gb@0 3g.40gb@4", NULL},
	{"3g.40gb@0 2g.20gb", "2g.20gb@0 3g.40gb@4", "3g.40gb@0 2g.20gb@4", NULL},
	{"3g.40gb 2g.20gb", "3g.40gb@0", "3g.40gb@0 2g.20gb@4", NULL},
	{"4g.40gb 4g.40gb", "", NULL, "do not fit"},
	{"7g.80gb 1g.10gb", "", NULL, "do not fit"},
	{"2g.20gb 2g.20gb 2g.20gb 2g.20gb", "", NULL, "do not fit"},
	{"3g.40gb@2", "", NULL, "do not fit"},
	{"5g.50gb", "", NULL, "it has 1g.10gb, 1g.20gb, 2g.20gb"},
	{"3g.40gb@x", "", NULL, "memory slice"},
	{"3g.40gb@99999999999999999999", "", NULL, "memory slice"},
	{"", "3g.40gb@0", NULL, "no MIG profile"},
	{"1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb "
	 "1g.10gb 1g.10gb 1g.10gb",
	 "", NULL, "more than"},
};

static void places(void **state)
{
	json_t *mig = json_loads(gpu, 0, NULL);

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		struct pit_error err = PIT_ERROR_INIT;
		int rc = pit_mig_place(mig, rows[i].wanted, rows[i].current, &out, &err);

		assert_int_equal(rc, rows[i].layout ? 0 : -EINVAL);
		assert_string_equal(out.data, rows[i].layout ? rows[i].layout : "");
		if (rows[i].error)
			assert_non_null(strstr(err.text, rows[i].error));
	}
	json_decref(mig);
}

static const char *const strange[] = {
	"{}",
	"{\"profiles\":7}",
	"{\"profiles\":[7,{\"name\":7}]}",
	"{\"profiles\":[{\"name\":\"3g.40gb\"}]}",
	"{\"profiles\":[{\"name\":\"3g.40gb\",\"size\":-1,\"starts\":[0]}]}",
	"{\"profiles\":[{\"name\":\"3g.40gb\",\"size\":4,\"starts\":[-1,64,\"x\"]}]}",
	"{\"profiles\":[{\"name\":\"3g.40gb\",\"size\":64,\"starts\":[63]},{\"name\":null}]}",
};

static void survives_strange_gpus(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(strange); i++) {
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
		json_t *mig = json_loads(strange[i], 0, NULL);

		assert_int_not_equal(pit_mig_place(mig, "3g.40gb 3g.40gb", NULL, &out, NULL), 0);
		assert_int_not_equal(pit_mig_place(mig, "9g.40gb", NULL, &out, NULL), 0);
		json_decref(mig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(survives_strange_gpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
