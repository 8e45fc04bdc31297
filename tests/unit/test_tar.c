/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "feed/tar.h"
#include "tar_bytes.h"

struct archive {
	uint64_t end;
	struct pit_buf bytes, found; /* `found`: lines NAME LENGTH */
	int end_with;                /* what `found` returns */
};

static int give(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	struct archive *a = arg;

	assert_true(offset <= a->bytes.len && len <= a->bytes.len - offset);
	memcpy(buf, a->bytes.data + offset, len);
	return 0;
}

static int note(void *arg, const struct pit_tar_member *m)
{
	struct archive *a = arg;

	assert_true(m->offset <= a->bytes.len && m->len <= a->bytes.len - m->offset);
	pit_buf_printf(&a->found, "%s=%.*s\n", m->name, (int)m->len, a->bytes.data + m->offset);
	return a->end_with;
}

static int set_up(void **state)
{
	struct archive *a = calloc(1, sizeof(*a));

	a->bytes = a->found = (struct pit_buf)PIT_BUF_INIT;
	*state = a;
	return 0;
}

static int tear_down(void **state)
{
	struct archive *a = *state;

	pit_buf_free(&a->bytes);
	pit_buf_free(&a->found);
	free(a);
	return 0;
}

static void finds(struct archive *a, const char *wanted)
{
	struct pit_error err = PIT_ERROR_INIT;

	if (pit_tar_scan(a->bytes.len, give, a, note, a, &a->end, &err))
		fail_msg("%s", err.text);
	assert_string_equal(a->found.data, wanted);
}

static void refuses_as(struct archive *a, int rc, const char *said)
{
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_tar_scan(a->bytes.len, give, a, note, a, &a->end, &err), rc);
	if (!strstr(err.text, said))
		fail_msg("\"%s\" is not in \"%s\"", said, err.text);
}

static void refuses(struct archive *a, const char *said)
{
	refuses_as(a, -EBADMSG, said);
}

static void add(struct archive *a, char type, const char *name, const char *text)
{
	const struct tar_header h = {.name = name, .type = type};

	tar_add(&a->bytes, &h, text, strlen(text));
}

static void plain_files_are_found(void **state)
{
	struct archive *a = *state;

	add(a, '0', "a", "one");
	add(a, '\0', "b", "");
	add(a, '7', "c", "contiguous");
	add(a, '\0', "old-directory/", "");
	tar_end(&a->bytes);
	add(a, '0', "behind the end", "x");
	finds(a, "a=one\nb=\nc=contiguous\n");
}

static void what_is_no_file_is_passed_over(void **state)
{
	struct archive *a = *state;
	const struct tar_header link = {.name = "link", .type = '1', .size = "00000010000"};

	for (char type = '2'; type <= '6'; type++)
		add(a, type, "x", "");
	tar_add(&a->bytes, &link, "", 0); /* with a size, but nothing follows */
	add(a, 'V', "volume", "");
	add(a, 'D', "dump", "names of GNU tar's incremental archives");
	add(a, '0', "a", "one");
	finds(a, "a=one\n");
}

static void an_end_mark_may_be_missing(void **state)
{
	struct archive *a = *state;

	finds(a, "");
	add(a, '0', "a", "one");
	finds(a, "a=one\n");
	pit_buf_clear(&a->found);
	a->bytes.len -= 509; /* the last block is not filled up either */
	finds(a, "a=one\n");
}

static void long_names_of_three_kinds(void **state)
{
	struct archive *a = *state;
	const struct tar_header prefixed = {.name = "end", .prefix = "some/dir", .type = '0'};
	const struct tar_header gnu = {.name = "end", .prefix = "12345670", .magic = "ustar  ", .type = '0'};

	tar_add(&a->bytes, &prefixed, "1", 1);
	tar_add(&a->bytes, &gnu, "2", 1);
	add(a, 'L', "././@LongLink", "a/long/name");
	add(a, 'K', "././@LongLink", "a/long/link");
	add(a, '0', "short", "3");
	add(a, '0', "next", "4");
	add(a, 'x', "PaxHeaders/x", "20 path=b/long/name\n11 a=b\nc=d\n");
	add(a, '0', "short", "5");
	add(a, '0', "next", "6");
	add(a, 'g', "pax_global_header", "17 comment=hello\n");
	add(a, '0', "last", "7");
	finds(a, "some/dir/end=1\nend=2\na/long/name=3\nnext=4\nb/long/name=5\nnext=6\nlast=7\n");
}

static void a_name_fills_its_field(void **state)
{
	struct archive *a = *state;
	char name[101], wanted[110];

	memset(name, 'n', 100);
	name[100] = '\0';
	add(a, '0', name, "x");
	snprintf(wanted, sizeof(wanted), "%s=x\n", name);
	finds(a, wanted);
}

static void sizes_of_three_kinds(void **state)
{
	struct archive *a = *state;
	const struct tar_header blanks = {.name = "a", .type = '0', .size = "     3 \0"};
	struct tar_header binary = {.name = "b", .type = '0'};
	size_t at;

	tar_add(&a->bytes, &blanks, "one", 3);
	at = a->bytes.len;
	tar_add(&a->bytes, &binary, "four", 4);
	memcpy(a->bytes.data + at + 124, "\x80\0\0\0\0\0\0\0\0\0\0\4", 12);
	tar_sum((unsigned char *)a->bytes.data + at);
	add(a, 'x', "x", "9 size=5\n");
	binary.size = "00000000000";
	tar_add(&a->bytes, &binary, "fives", 5);
	finds(a, "a=one\nb=four\nb=fives\n");
}

static const struct {
	const char *magic, *name;
} compressed[] = {
	{"\x1f\x8b\x08", "gzip"},
	{"\x28\xb5\x2f\xfd", "zstd"},
	{"\xfd"
	 "7zXZ",
	 "xz"},
	{"BZh9", "bzip2"},
	{"PK\3\4", "zip"},
	{"\x04\x22\x4d\x18", "lz4"},
};

static void compressed_archives_are_named(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(compressed); i++) {
		struct archive *a = *state;
		char block[600] = {0};

		memcpy(block, compressed[i].magic, strlen(compressed[i].magic));
		pit_buf_clear(&a->bytes);
		pit_buf_add(&a->bytes, block, sizeof(block));
		refuses_as(a, -ENOTSUP, compressed[i].name);
		a->bytes.len = 20;
		refuses_as(a, -ENOTSUP, compressed[i].name);
	}
}

static void other_files_are_no_archives(void **state)
{
	struct archive *a = *state;

	pit_buf_puts(&a->bytes, "hello");
	refuses(a, "no tar archive");
	for (int i = 0; i < 200; i++)
		pit_buf_puts(&a->bytes, "hello");
	refuses(a, "no tar archive");
}

static void damage_is_told_with_its_place(void **state)
{
	struct archive *a = *state;

	add(a, '0', "a", "one");
	add(a, '0', "b", "two");
	a->bytes.data[1024 + 3] ^= 1;
	refuses(a, "at byte 1024: the checksum of a header is wrong");
	a->bytes.data[1024 + 3] ^= 1;
	a->bytes.len = 1024 + 100;
	refuses(a, "at byte 1024: the archive ends in the middle of a header");
	a->bytes.len = 1024 + 512 + 2;
	refuses(a, "at byte 1024: a member of 3 bytes, but only 2 follow: the archive was cut");
	a->bytes.len = 2048;
	memcpy(a->bytes.data + 1024 + 124, "77777777777", 11);
	tar_sum((unsigned char *)a->bytes.data + 1024);
	refuses(a, "but only 512 follow");
	memset(a->bytes.data + 1024 + 124, 0xff, 12);
	tar_sum((unsigned char *)a->bytes.data + 1024);
	refuses(a, "the size of a member is no number");
	memcpy(a->bytes.data + 1024 + 124, "\x80\0\0\1\0\0\0\0\0\0\0\0", 12);
	tar_sum((unsigned char *)a->bytes.data + 1024);
	refuses(a, "the size of a member is no number");
	memcpy(a->bytes.data + 1024 + 124, "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	tar_sum((unsigned char *)a->bytes.data + 1024);
	refuses(a, "but only 512 follow");
	memcpy(a->bytes.data + 1024 + 124, "00000000x00", 12);
	tar_sum((unsigned char *)a->bytes.data + 1024);
	refuses(a, "the size of a member is no number");
}

static const struct {
	char type;
	const char *text, *said;
	int rc; /* 0: -EBADMSG */
} unfit[] = {
	{'S', "", "sparse", -ENOTSUP},
	{'M', "", "another volume", -ENOTSUP},
	{'0', NULL, "without a name"},
	{'x', "99 path=x\n", "wrong length"},
	{'x', "5 path=x\n", "wrong length"},
	{'x', "0 path=x\n", "wrong length"},
	{'x', "path=x\n", "wrong length"},
	{'x', "99999999999999999999 path=x\n", "wrong length"},
	{'x', "8 patx\n\n", "without '='"},
	{'x', "8 path=\n", "with none"},
	{'x', "10 size=x\n", "no number"},
	{'x', "29 size=18446744073709551616\n", "no number"},
	{'x', "29 size=18446744073709551615\n", "but only"},
	{'x', "21 GNU.sparse.major=1\n", "wrong length"},
	{'x', "22 GNU.sparse.major=1\n", "sparse", -ENOTSUP},
	{'g', "10 path=x\n", "all files one name"},
};

static void what_cannot_be_used_is_refused(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(unfit); i++) {
		struct archive *a = *state;

		pit_buf_clear(&a->bytes);
		add(a, '0', "first", "x");
		add(a, unfit[i].type, unfit[i].text ? "x" : "", unfit[i].text ? unfit[i].text : "");
		add(a, '0', "next", "x");
		refuses_as(a, unfit[i].rc ? unfit[i].rc : -EBADMSG, unfit[i].said);
	}
}

/* What is unusual about the end of `a`, which is that of an archive with one file and `zeros` blocks behind it. */
static const char *ending(struct archive *a, unsigned zeros, bool more)
{
	static const char none[512];
	static char said[120];

	pit_buf_clear(&a->bytes);
	pit_buf_clear(&a->found);
	add(a, '0', "a", "one");
	for (unsigned i = 0; i < zeros; i++)
		pit_buf_add(&a->bytes, none, sizeof(none));
	if (more)
		add(a, '0', "b", "two");
	assert_int_equal(pit_tar_scan(a->bytes.len, give, a, note, a, &a->end, NULL), 0);
	assert_int_equal(pit_tar_ending(a->bytes.len, a->end, give, a, said), 0);
	return said;
}

static void the_end_of_an_archive_is_looked_at(void **state)
{
	struct archive *a = *state;

	assert_string_equal(ending(a, 2, false), "");
	assert_string_equal(ending(a, 1, false), "");
	assert_string_equal(ending(a, 20, false), "");
	assert_non_null(strstr(ending(a, 0, false), "no mark of its end"));
	assert_non_null(strstr(ending(a, 2, true), "from byte 2048 on"));
	assert_non_null(strstr(ending(a, 20, true), "from byte 11264 on"));
}

static void a_long_header_is_refused(void **state)
{
	struct archive *a = *state;
	const struct tar_header h = {.name = "x", .type = 'L'};
	char *text = calloc(1, 2 << 20);

	tar_add(&a->bytes, &h, text, 2 << 20);
	free(text);
	refuses(a, "of more than 1 MiB");
}

static void whoever_is_told_can_end_it(void **state)
{
	struct archive *a = *state;

	add(a, '0', "a", "one");
	add(a, '0', "b", "two");
	a->end_with = -EINTR;
	assert_int_equal(pit_tar_scan(a->bytes.len, give, a, note, a, &a->end, NULL), -EINTR);
	assert_string_equal(a->found.data, "a=one\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain_files_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_end_mark_may_be_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_names_of_three_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_fills_its_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sizes_of_three_kinds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(compressed_archives_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_files_are_no_archives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_is_told_with_its_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_used_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_end_of_an_archive_is_looked_at, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_header_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whoever_is_told_can_end_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
