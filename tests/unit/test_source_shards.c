/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <xxhash.h>

#include <cmocka.h>

#include "source_place.h"
#include "tar_bytes.h"

#define NAME "a.tar"
#define INDEX NAME ".pitidx"

static void write_bytes(const struct place *p, const char *name, struct pit_buf *b)
{
	assert_int_equal(tempdir_write(p->dir, name, b->data, b->len), 0);
	pit_buf_free(b);
}

/* A shard of two samples; `text` is in the first. */
static void write_shard(const struct place *p, const char *name, const char *text)
{
	struct pit_buf b = PIT_BUF_INIT;

	tar_file(&b, "x/1.jpg", text);
	tar_file(&b, "x/1.cls", "7");
	tar_file(&b, "x/2.jpg", "");
	tar_end(&b);
	write_bytes(p, name, &b);
}

static const char *path_of(struct place *p, const char *name)
{
	snprintf(p->path, sizeof(p->path), "%s/%s", p->dir, name);
	return p->path;
}

static bool is_there(struct place *p, const char *name)
{
	return !access(path_of(p, name), F_OK);
}

static void lists(struct place *p, enum pit_source_kind kind, const char *path, const char *wanted)
{
	struct pit_source *s = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	char text[4096];

	if (place_open(p, kind, path, &s, &err))
		fail_msg("%s", err.text);
	assert_string_equal(place_list(s, text, sizeof(text)), wanted);
	assert_int_equal(pit_source_kind_of(s), kind);
	pit_source_close(s);
}

static void fails(struct place *p, enum pit_source_kind kind, const char *path, int rc, const char *said)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_source *s = NULL;

	assert_int_equal(place_open(p, kind, path, &s, &err), rc);
	assert_null(s);
	if (!strstr(err.text, said))
		fail_msg("\"%s\" is not in \"%s\"", said, err.text);
}

static void neighbours_are_a_sample(void **state)
{
	struct place *p = *state;
	struct pit_buf b = PIT_BUF_INIT;

	tar_file(&b, "1.jpg", "one");
	tar_file(&b, "1.seg.png", "");
	tar_file(&b, "d.e/1.jpg", "x");
	tar_file(&b, "1.cls", "7"); /* no neighbour of the first: a sample of its own */
	tar_file(&b, "d.e/.hidden", "x");
	tar_file(&b, "__index__.json", "x");
	tar_file(&b, "plain", "x");
	tar_file(&b, "plain.", "x");
	write_bytes(p, NAME, &b);
	fails(p, PIT_SOURCE_TAR, NAME, -EBADMSG, "a.tar: two members for one part of a sample: plain.");
	tar_file(&b, "1.jpg", "one");
	tar_file(&b, "1.seg.png", "");
	tar_file(&b, "d.e/1.jpg", "x");
	tar_file(&b, "1.cls", "7");
	tar_file(&b, "d.e/.hidden", "x");
	tar_file(&b, "__index__.json", "x");
	tar_file(&b, "plain", "x");
	write_bytes(p, NAME, &b);
	lists(p, PIT_SOURCE_TAR, NAME,
	      "1 jpg=512+3 seg.png=1536+0\n"
	      "d.e/1 jpg=2048+1\n"
	      "1 cls=3072+1\n"
	      "plain =6144+1\n");
}

static void samples_end_with_their_shard(void **state)
{
	struct place *p = *state;
	struct pit_buf b = PIT_BUF_INIT;
	struct pit_source *s = NULL;
	struct pit_extent x;

	tar_file(&b, "1.jpg", "x");
	write_bytes(p, "s/0.tar", &b);
	tar_file(&b, "1.cls", "x");
	write_bytes(p, "s/1.tar", &b);
	tempdir_file(p->dir, "s/README", "no shard");
	assert_int_equal(place_open(p, PIT_SOURCE_TAR, "s", &s, NULL), 0);
	assert_int_equal(pit_source_count(s), 2);
	assert_int_equal(pit_source_files(s), 2);
	pit_source_extent(s, 1, 0, &x);
	assert_string_equal(pit_source_file(s, x.file), "1.tar");
	assert_false(pit_source_whole(s));
	pit_source_close(s);
}

static const struct pit_shard_index_report *report(struct place *p, const struct pit_source_extra *extra,
						   const char *index)
{
	static const struct pit_source_extra none;
	const char *const paths[] = {p->dir};
	const struct pit_source_want want = {
		.size = sizeof(want), .kind = PIT_SOURCE_TAR, .paths = paths, .path_count = 1, .index = index};
	static struct pit_shard_index_report r;
	struct pit_source *s = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	if (pit_source_open_with(&want, extra ? extra : &none, &s, &err))
		fail_msg("%s", err.text);
	r = *pit_source_index(s);
	pit_source_close(s);
	return &r;
}

#define ONE "x/1 jpg=512+3 cls=1536+1\nx/2 jpg=2560+0\n"

static void an_index_is_made_once(void **state)
{
	struct place *p = *state;

	write_shard(p, NAME, "one");
	assert_int_equal(report(p, NULL, "")->made, 1);
	assert_false(is_there(p, INDEX));
	assert_int_equal(report(p, NULL, NULL)->made, 1);
	assert_true(is_there(p, INDEX));
	assert_int_equal(report(p, NULL, NULL)->used, 1);
	lists(p, PIT_SOURCE_TAR, NAME, ONE);
}

/* Another size, or another time: the index is made anew. */
static void a_stale_index_is_not_believed(void **state)
{
	struct place *p = *state;
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	write_shard(p, NAME, "one");
	utimensat(AT_FDCWD, path_of(p, NAME), times, 0);
	assert_int_equal(report(p, NULL, NULL)->made, 1);
	write_shard(p, NAME, "three");
	utimensat(AT_FDCWD, path_of(p, NAME), times, 0);
	assert_int_equal(report(p, NULL, NULL)->used, 1); /* same size (whole blocks), same time: nothing tells */
	times[1].tv_nsec = 1;
	utimensat(AT_FDCWD, path_of(p, NAME), times, 0);
	assert_int_equal(report(p, NULL, NULL)->made, 1);
	lists(p, PIT_SOURCE_TAR, NAME, "x/1 jpg=512+5 cls=1536+1\nx/2 jpg=2560+0\n");
	assert_int_equal(truncate(path_of(p, NAME), 3072), 0);
	utimensat(AT_FDCWD, path_of(p, NAME), times, 0);
	assert_int_equal(report(p, NULL, NULL)->made, 1);
}

/* Each byte of the index, flipped; and each length. */
static void a_damaged_index_is_not_believed(void **state)
{
	struct place *p = *state;
	struct pit_buf good = PIT_BUF_INIT;
	char bytes[600];
	FILE *f;
	size_t n;

	write_shard(p, NAME, "one");
	report(p, NULL, NULL);
	f = fopen(path_of(p, INDEX), "re");
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	assert_in_range(n, 48 + 3 * 32 + 6, sizeof(bytes) - 1);
	for (size_t i = 0; i < n; i += 3) {
		pit_buf_add(&good, bytes, n);
		good.data[i] ^= 4;
		write_bytes(p, INDEX, &good);
		assert_int_equal(report(p, NULL, NULL)->made, 1);
	}
	for (size_t i = 0; i < n; i += 5) {
		pit_buf_add(&good, bytes, i);
		write_bytes(p, INDEX, &good);
		assert_int_equal(report(p, NULL, NULL)->made, 1);
	}
	lists(p, PIT_SOURCE_TAR, NAME, ONE);
	if (!truncate(path_of(p, INDEX), (off_t)1 << 40)) /* no memory is asked for so much */
		assert_int_equal(report(p, NULL, NULL)->made, 1);
	pit_buf_add(&good, bytes, n);
	write_bytes(p, INDEX, &good);
	assert_int_equal(report(p, NULL, NULL)->used, 1);
}

/* The index of another shard, put beside this one. */
static void an_index_of_another_shard_is_not_believed(void **state)
{
	struct place *p = *state;
	char from[256];

	write_shard(p, NAME, "one");
	report(p, NULL, NULL);
	assert_int_equal(rename(path_of(p, NAME), strcat(strcpy(from, p->dir), "/b.tar")), 0);
	strcpy(from, path_of(p, INDEX));
	assert_int_equal(rename(from, path_of(p, "b.tar.pitidx")), 0);
	assert_int_equal(report(p, NULL, NULL)->made, 1);
}

static void an_index_that_cannot_be_written_is_no_error(void **state)
{
	struct place *p = *state;
	const struct pit_shard_index_report *r;

	write_shard(p, NAME, "one");
	tempdir_file(p->dir, INDEX "/in-the-way", "x");
	r = report(p, NULL, NULL);
	assert_int_equal(r->made, 1);
	assert_int_equal(r->unkept, 1);
	assert_non_null(strstr(r->why, INDEX ": cannot be written: "));
}

static void one_file_can_index_all_shards(void **state)
{
	struct place *p = *state;
	char index[100], bad[100];
	const char *const paths[] = {p->dir};
	const struct pit_source_want want = {
		.size = sizeof(want), .kind = PIT_SOURCE_TAR, .paths = paths, .path_count = 1, .index = bad};
	struct pit_source *s = NULL;

	snprintf(index, sizeof(index), "%s/all", p->dir);
	write_shard(p, "1.tar", "one");
	write_shard(p, "2.tar", "two");
	assert_int_equal(report(p, NULL, index)->made, 2);
	assert_int_equal(report(p, NULL, index)->used, 2);
	assert_false(is_there(p, "1.tar.pitidx"));
	write_shard(p, "2.tar", "four");
	assert_int_equal(report(p, NULL, index)->made, 1);
	assert_int_equal(report(p, NULL, index)->used, 2);
	write_shard(p, "3.tar", "x");
	assert_int_equal(report(p, NULL, index)->made, 1);
	snprintf(bad, sizeof(bad), "%s/no/such/place", p->dir);
	assert_int_equal(pit_source_open(&want, &s, NULL), -ENOENT); /* it was asked for */
}

static void an_index_can_have_checksums(void **state)
{
	const struct pit_source_extra extra = {.checksums = true};
	struct place *p = *state;
	char wanted[300];

	write_shard(p, NAME, "one");
	report(p, NULL, NULL);
	assert_int_equal(report(p, &extra, NULL)->made, 1); /* there was one without */
	assert_int_equal(report(p, &extra, NULL)->used, 1);
	snprintf(wanted, sizeof(wanted),
		 "x/1 jpg=512+3*%" PRIx64 " cls=1536+1*%" PRIx64 "\nx/2 jpg=2560+0*%" PRIx64 "\n",
		 (uint64_t)XXH3_64bits("one", 3), (uint64_t)XXH3_64bits("7", 1), (uint64_t)XXH3_64bits("", 0));
	lists(p, PIT_SOURCE_TAR, NAME, wanted);
}

static void damaged_shards_are_named(void **state)
{
	struct place *p = *state;

	write_shard(p, NAME, "one");
	assert_int_equal(truncate(path_of(p, NAME), 514), 0);
	fails(p, PIT_SOURCE_TAR, NAME, -EBADMSG, "a.tar: at byte 0: a member of 3 bytes, but only 2 follow");
	tempdir_file(p->dir, "x.tar.gz", "\x1f\x8b\x08");
	fails(p, PIT_SOURCE_AUTO, "x.tar.gz", -ENOTSUP, "x.tar.gz: compressed by gzip");
	assert_false(is_there(p, INDEX));
}

static void manifests_name_files_and_ranges(void **state)
{
	struct place *p = *state;
	struct pit_source *s = NULL;

	tempdir_file(p->dir, "d/a", "aaaa");
	tempdir_file(p->dir, "d/b c", "bb");
	tempdir_file(p->dir, "d/list", "b c\n\na\t0\t4\tff\n");
	lists(p, PIT_SOURCE_MANIFEST, "d/list", "b c =0+2\na =0+4*ff\n");
	assert_int_equal(place_open(p, PIT_SOURCE_MANIFEST, "d/list", &s, NULL), 0);
	assert_true(pit_source_whole(s));
	pit_source_close(s);
	tempdir_file(p->dir, "list", "d/a\t1\t2\nd/b c\nd/a\t4\t0\t1234567890abcdef\nd/a");
	lists(p, PIT_SOURCE_MANIFEST, "list", "d/a@1 =1+2\nd/b c =0+2\nd/a@4 =4+0*1234567890abcdef\nd/a =0+4\n");
	assert_int_equal(place_open(p, PIT_SOURCE_MANIFEST, "list", &s, NULL), 0);
	assert_false(pit_source_whole(s));
	assert_int_equal(pit_source_files(s), 2);
	pit_source_close(s);
	tempdir_file(p->dir, "dos",
		     "\xef\xbb\xbf"
		     "d/a\r\n\r\nd/b c\t0\t2\r\nd/a\t1\t2\t1f\r\n");
	lists(p, PIT_SOURCE_MANIFEST, "dos", "d/a =0+4\nd/b c =0+2\nd/a@1 =1+2*1f\n");
}

static const struct {
	const char *text;
	int rc;
	const char *said;
} bad_manifests[] = {
	{"a\n\nb\n", -ENOENT, "/list: line 3: /"},
	{"a\r\nb\r\n", -ENOENT, "/b: No such file"},
	{"d\n", -EISDIR, "d: Is a directory"},
	{"a\t0\n", -EINVAL, "list: line 1: behind the path: no offset and length"},
	{"a\n\na\t0\t-1\n", -EINVAL, "line 3: behind the path"},
	{"a\t0\t1\tx\n", -EINVAL, "no checksum in hexadecimal"},
	{"a\t0\t1\t1\t1\n", -EINVAL, "something behind the checksum"},
	{"\t0\t1\n", -EINVAL, "no path"},
	{"a\t0\t99999999999999999999\n", -EINVAL, "no offset and length"},
	{"a\t3\t2\n", -EINVAL, "a: a sample of 2 bytes at 3, but the file has 4"},
	{"a\na\t3\t2\n", -EINVAL, "/list: line 2: /"},
	{"a\t18446744073709551615\t2\n", -EINVAL, "but the file has 4"},
	{"a\t0\t18446744073709551615\n", -EINVAL, "a sample of 18446744073709551615 bytes"},
};

static void bad_manifests_are_refused(void **state)
{
	struct place *p = *state;

	tempdir_file(p->dir, "a", "aaaa");
	tempdir_file(p->dir, "d/x", "x");
	for (size_t i = 0; i < PIT_COUNT(bad_manifests); i++) {
		tempdir_file(p->dir, "list", bad_manifests[i].text);
		fails(p, PIT_SOURCE_MANIFEST, "list", bad_manifests[i].rc, bad_manifests[i].said);
	}
	assert_int_equal(tempdir_write(p->dir, "list", "a\0b\n", 4), 0);
	fails(p, PIT_SOURCE_MANIFEST, "list", -EINVAL, "a NUL byte");
}

/* Writes a safetensors file; data are zeros. */
static void write_tensors(const struct place *p, const char *name, const char *json, size_t bytes)
{
	struct pit_buf b = PIT_BUF_INIT;
	unsigned char len[8] = {(unsigned char)strlen(json), (unsigned char)(strlen(json) >> 8)};
	char zero[256] = {0};

	pit_buf_add(&b, len, 8);
	pit_buf_puts(&b, json);
	pit_buf_add(&b, zero, bytes);
	write_bytes(p, name, &b);
}

#define X "\"x\":{\"dtype\":\"U8\",\"shape\":[3,2],\"data_offsets\":[0,6]}"
#define Y "\"y\":{\"dtype\":\"U16\",\"shape\":[3],\"data_offsets\":[6,12]}"
#define Z "\"z\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[12,13]}"

#define SUM_OF_Y "\"__metadata__\":{\"pitcrew.xxh3.y\":\"00000000000000ff\",\"other\":\"1\"},"
#define JSON "{" SUM_OF_Y X "," Y "," Z "}"

static void tensors_are_samples(void **state)
{
	struct place *p = *state;
	size_t data = 8 + strlen(JSON);
	char wanted[100];

	write_tensors(p, "m/1.safetensors", JSON, 13);
	snprintf(wanted, sizeof(wanted), "x =%zu+6\ny =%zu+6*ff\nz =%zu+1\n", data, data + 6, data + 12);
	lists(p, PIT_SOURCE_SAFETENSORS, "m", wanted);
	write_tensors(p, "m/2.safetensors", "{" X "}", 5);
	fails(p, PIT_SOURCE_AUTO, "m", -EBADMSG, "2.safetensors: ");
	assert_int_equal(truncate(path_of(p, "m/2.safetensors"), 3), 0);
	fails(p, PIT_SOURCE_AUTO, "m", -EBADMSG, "2.safetensors: ");
}

static int open_rows(struct place *p, const char *const *tensors, size_t count, struct pit_source **ret,
		     struct pit_error *err)
{
	const char *const paths[] = {p->dir};
	const struct pit_source_want want = {
		.size = sizeof(want), .paths = paths, .path_count = 1, .tensors = tensors, .tensor_count = count};

	return pit_source_open(&want, ret, err);
}

static void rows_of_tensors_are_samples(void **state)
{
	const char *const xy[] = {"y", "x"}, *const zx[] = {"z"}, *const none[] = {"x", "none"};
	struct place *p = *state;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_source *s = NULL;
	struct pit_extent x;

	write_tensors(p, "1.safetensors", "{" X "," Y "," Z "}", 13);
	write_tensors(p, "2.safetensors", "{" X "," Y "}", 12);
	assert_int_equal(open_rows(p, xy, 2, &s, NULL), 0);
	assert_int_equal(pit_source_kind_of(s), PIT_SOURCE_SAFETENSORS);
	assert_int_equal(pit_source_count(s), 6);
	assert_int_equal(pit_source_bytes(s), 24);
	assert_int_equal(pit_source_parts(s, 4), 2);
	pit_source_extent(s, 4, 0, &x);
	assert_string_equal(pit_source_key(s, x.key), "y");
	assert_int_equal(x.len, 2);
	pit_source_extent(s, 4, 1, &x);
	assert_string_equal(pit_source_key(s, x.key), "x");
	assert_string_equal(pit_source_file(s, x.file), "2.safetensors");
	assert_true(x.len == 2 && x.offset == 8 + strlen("{" X "," Y "}") + 2);
	pit_source_close(s);
	assert_int_equal(open_rows(p, zx, 1, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "1.safetensors: tensor \"z\" is a scalar"));
	assert_int_equal(open_rows(p, none, 2, &s, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no tensor \"none\""));
	write_tensors(p, "2.safetensors", "{" X ",\"y\":{\"dtype\":\"U8\",\"shape\":[6],\"data_offsets\":[6,12]}}", 12);
	assert_int_equal(open_rows(p, xy, 2, &s, &err), -EINVAL);
	assert_non_null(strstr(err.text, "has 3 rows, others have 6"));
}

static void note(void *arg, const char *name, const char *why)
{
	++*(unsigned *)arg;
}

/* Rows without bytes cost nothing, so that a few small files have more than can be counted. */
static void rows_beyond_counting_are_refused(void **state)
{
	const char *const x[] = {"x"};
	struct place *p = *state;
	const char *const paths[] = {p->dir};
	const struct pit_source_want want = {
		.size = sizeof(want), .paths = paths, .path_count = 1, .tensors = x, .tensor_count = 1};
	unsigned bad = 0;
	const struct pit_source_extra extra = {.bad = note, .arg = &bad};
	struct pit_source *s = NULL;
	struct pit_error err = PIT_ERROR_INIT;

	for (unsigned i = 0; i < 4; i++) {
		const char *name =
			(const char *[]){"1.safetensors", "2.safetensors", "3.safetensors", "4.safetensors"}[i];

		write_tensors(p, name,
			      "{\"x\":{\"dtype\":\"U8\",\"shape\":[9223372036854775807,0],\"data_offsets\":[0,0]}}", 0);
	}
	assert_int_equal(open_rows(p, x, 1, &s, &err), -EOVERFLOW);
	assert_int_equal(pit_source_open_with(&want, &extra, &s, &err), 0);
	assert_int_equal(bad, 2);
	assert_true(pit_source_count(s) == UINT64_MAX - 1);
	assert_int_equal(pit_source_parts(s, UINT64_MAX - 2), 1);
	pit_source_close(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(neighbours_are_a_sample),
		TEST(samples_end_with_their_shard),
		TEST(an_index_is_made_once),
		TEST(a_stale_index_is_not_believed),
		TEST(a_damaged_index_is_not_believed),
		TEST(an_index_of_another_shard_is_not_believed),
		TEST(an_index_that_cannot_be_written_is_no_error),
		TEST(one_file_can_index_all_shards),
		TEST(an_index_can_have_checksums),
		TEST(damaged_shards_are_named),
		TEST(manifests_name_files_and_ranges),
		TEST(bad_manifests_are_refused),
		TEST(tensors_are_samples),
		TEST(rows_of_tensors_are_samples),
		TEST(rows_beyond_counting_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
