/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "launch/visible.h"

/* "0 5 GPU-x ! junk": the entries, and behind "!" where the list was cut. */
static void print(const struct pit_visible_list *l, struct pit_buf *out)
{
	for (size_t i = 0; i < l->count; i++) {
		static const char kinds[] = {
			[PIT_VISIBLE_INDEX] = 'i',
			[PIT_VISIBLE_UUID] = 'u',
			[PIT_VISIBLE_MIG] = 'm',
			[PIT_VISIBLE_PCI] = 'p',
		};
		const struct pit_visible *v = &l->item[i];

		pit_buf_printf(out, "%s%c:", i ? " " : "", kinds[v->kind]);
		if (v->kind == PIT_VISIBLE_INDEX)
			pit_buf_printf(out, "%d", v->index);
		else
			pit_buf_puts(out, v->text);
	}
	if (l->cut)
		pit_buf_printf(out, " !%s", l->cut_at);
}

#define LONG                                                                                                           \
	"MIG-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text;
	const char *expected; /* NULL: -EINVAL */
} as_cuda[] = {
	{.text = "", .expected = ""},
	{.text = "  ", .expected = ""},
	{.text = "0", .expected = "i:0"},
	{.text = "2,0", .expected = "i:2 i:0"},
	{.text = " 1 ,\t3\n", .expected = "i:1 i:3"},
	{.text = "-1", .expected = " !-1"},
	{.text = "0,-1,1", .expected = "i:0 !-1"},
	{.text = "0,,1", .expected = "i:0 !"},
	{.text = "0,1,", .expected = "i:0 i:1 !"},
	{.text = "NoDevFiles", .expected = " !NoDevFiles"},
	{.text = "all", .expected = " !all"},
	{.text = "1gpu,2x", .expected = "i:1 i:2"},
	{.text = "99999999999", .expected = " !99999999999"},
	{.text = "2147483647", .expected = "i:2147483647"},
	{.text = "2147483648", .expected = " !2147483648"},
	{.text = "GPU-8932f937,GPU-d72c", .expected = "u:GPU-8932f937 u:GPU-d72c"},
	{.text = "gpu-8932f937", .expected = " !gpu-8932f937"},
	{.text = "MIG-aa,MIG-GPU-bb/1/0", .expected = "m:MIG-aa m:MIG-GPU-bb/1/0"},
	{.text = "0,GPU-aa,1", .expected = "i:0 !GPU-aa"},
	{.text = "GPU-aa,0", .expected = "u:GPU-aa !0"},
	{.text = "0,0", .expected = NULL},
	{.text = "0,00", .expected = NULL},
	{.text = "1,0,1", .expected = NULL},
	{.text = "GPU-aa,GPU-AA", .expected = NULL},
};

static const struct {
	const char *text;
	const char *expected; /* behind "!": a part of the refusal */
} as_option[] = {
	{.text = "none", .expected = ""},
	{.text = "0", .expected = "i:0"},
	{.text = "0-3,6", .expected = "i:0 i:1 i:2 i:3 i:6"},
	{.text = "6, 0", .expected = "i:6 i:0"},
	{.text = "GPU-8932f937", .expected = "u:GPU-8932f937"},
	{.text = "MIG-GPU-aa/1/0,2", .expected = "m:MIG-GPU-aa/1/0 i:2"},
	{.text = "0000:65:00.0,10000:c1:00.1,00000000:AB:00.0",
	 .expected = "p:0000:65:00.0 p:10000:c1:00.1 "
		     "p:00000000:AB:00.0"},
	{.text = "65:00.0", .expected = "p:65:00.0"},
	{.text = "0-0", .expected = "i:0"},
	{.text = "", .expected = "!'' is no GPU"},
	{.text = "0,", .expected = "!'' is no GPU"},
	{.text = "-1", .expected = "!'-1' is no GPU"},
	{.text = "3-1", .expected = "!'3-1' is no GPU"},
	{.text = "1-", .expected = "!'1-' is no GPU"},
	{.text = "1x", .expected = "!'1x' is no GPU"},
	{.text = "0-3,none", .expected = "!'none' is no GPU"},
	{.text = "all", .expected = "!'all' is no GPU"},
	{.text = "0000:65:00", .expected = "!'0000:65:00' is no GPU"},
	{.text = "0-3,2", .expected = "!'2' is there twice"},
	{.text = "2,0-3", .expected = "!'2' is there twice"},
	{.text = "GPU-aa,GPU-aa", .expected = "!'GPU-aa' is there twice"},
	{.text = "0-5000000", .expected = "!more than 1024 GPUs"},
	{.text = "99999999999", .expected = "!'99999999999' is no GPU"},
	{.text = LONG, .expected = "!' is no GPU"},
};

static void reads_as_cuda_does(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(as_cuda); i++) {
		PIT_CLEANUP(pit_visible_free) struct pit_visible_list l = {.count = 0};
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		struct pit_error err = PIT_ERROR_INIT;
		int rc = pit_visible_parse(as_cuda[i].text, &l, &err);

		print(&l, &text);
		if (rc != (as_cuda[i].expected ? 0 : -EINVAL) ||
		    (!rc && (strcmp(text.data, as_cuda[i].expected) != 0 || !l.set)))
			fail_msg("'%s' gives %d '%s'", as_cuda[i].text, rc, text.data);
		assert_true(!rc || (strstr(err.text, "twice") && !l.set)); /* and *ret is left alone */
	}
}

static void tells_unset_from_empty(void **state)
{
	struct pit_visible_list l = {.set = true};

	assert_int_equal(pit_visible_parse(NULL, &l, NULL), 0);
	assert_false(l.set);
	assert_int_equal(l.count, 0);
	pit_visible_free(&l);
}

static void ends_at_what_no_list_can_be(void **state)
{
	struct pit_visible_list l = {.count = 0};
	pit_auto_buf struct pit_buf many = PIT_BUF_INIT;

	for (int i = 0; i < 5000; i++)
		pit_buf_printf(&many, "%d,", i);
	assert_int_equal(pit_visible_parse(many.data, &l, NULL), 0);
	assert_int_equal(l.count, 1024);
	assert_true(l.cut);
	pit_visible_free(&l);
	assert_int_equal(pit_visible_parse("0," LONG, &l, NULL), 0);
	assert_int_equal(l.count, 1);
	assert_int_equal(strlen(l.cut_at), sizeof(l.cut_at) - 1);
	pit_visible_free(&l);
}

static void reads_options_strictly(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(as_option); i++) {
		PIT_CLEANUP(pit_visible_free) struct pit_visible_list l = {.count = 0};
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		struct pit_error err = PIT_ERROR_INIT;
		const char *expected = as_option[i].expected;
		int rc = pit_visible_parse_strict(as_option[i].text, &l, &err);

		print(&l, &text);
		if (*expected == '!' ? rc != -EINVAL || !strstr(err.text, expected + 1) || l.set
				     : rc || strcmp(text.data, expected) != 0 || !l.set)
			fail_msg("'%s' gives %d '%s' '%s'", as_option[i].text, rc, text.data, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_cuda_does),
		cmocka_unit_test(tells_unset_from_empty),
		cmocka_unit_test(ends_at_what_no_list_can_be),
		cmocka_unit_test(reads_options_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
