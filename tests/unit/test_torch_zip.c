/* SPDX-License-Identifier: MIT
 *
 * Zip archives of torch.save(): small and big ones, every damage, and whole files with tensors in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed/torch_file.h"
#include "tempdir.h"
#include "torch_zip_bytes.h"

#define COUNT 3

static void files_of(struct zip_file *files)
{
	files[0] = (struct zip_file){.name = "a/data.pkl", .data = "N.", .len = 2};
	files[1] = (struct zip_file){.name = "a/data/0", .data = "", .len = 0};
	files[2] = (struct zip_file){.name = "a/data/1", .data = "0123456789", .len = 10};
}

static void test_crc(void **state)
{
	assert_int_equal(pit_zip_crc(0, "", 0), 0);
	assert_int_equal(pit_zip_crc(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(pit_zip_crc(pit_zip_crc(0, "1234", 4), "56789", 5), 0xcbf43926);
}

static void test_good(void **state)
{
	for (int big = 0; big < 2; big++) {
		struct pit_buf b = PIT_BUF_INIT;
		struct zip_file files[COUNT];
		struct pit_zip z;

		files_of(files);
		zip_make(&b, files, COUNT, big);
		assert_int_equal(pit_zip_open(zip_read, &b, b.len, &z, NULL), 0);
		assert_int_equal(z.count, COUNT);
		for (size_t i = 0; i < COUNT; i++) {
			const struct pit_zip_entry *e = pit_zip_find(&z, files[i].name);

			assert_ptr_equal(e, &z.entries[i]);
			assert_int_equal(e->bytes, files[i].len);
			assert_int_equal(e->crc, pit_zip_crc(0, files[i].data, files[i].len));
			assert_memory_equal(b.data + e->offset, files[i].data, files[i].len);
			assert_false(e->packed);
		}
		assert_null(pit_zip_find(&z, "a/data"));
		pit_zip_free(&z);
		pit_buf_free(&b);
	}
}

/* Refused wherever it is cut, and with a byte behind. */
static void test_cut(void **state)
{
	for (int big = 0; big < 2; big++) {
		struct pit_buf b = PIT_BUF_INIT;
		struct zip_file files[COUNT];
		struct pit_zip z = {.count = 77};

		files_of(files);
		zip_make(&b, files, COUNT, big);
		for (size_t whole = b.len, len = 0; len < whole; len++) {
			struct pit_error err = PIT_ERROR_INIT;

			b.len = len;
			assert_true(pit_zip_open(zip_read, &b, len, &z, &err) < 0);
			assert_true(*err.text);
			b.len = whole;
		}
		pit_buf_putc(&b, '\0');
		assert_int_equal(pit_zip_open(zip_read, &b, b.len, &z, NULL), -EBADMSG);
		assert_int_equal(z.count, 77);
		pit_buf_free(&b);
	}
}

struct change {
	const char *name;
	enum { LOCAL, ROW, END, LOCATOR, END64 } of;
	unsigned at, bytes;
	uint64_t number;
	const char *says;
	bool big;
	int code; /* 0: -EBADMSG */
};

static const struct change changes[] = {
	{.name = "comment", .of = END, .at = 20, .bytes = 2, .number = 1, .says = "end record"},
	{.name = "more files",
	 .of = END,
	 .at = 8,
	 .bytes = 4,
	 .number = 4 | 4 << 16,
	 .says = "counts what cannot be in it"},
	{.name = "fewer files", .of = END, .at = 8, .bytes = 4, .number = 2 | 2 << 16, .says = "more than it counts"},
	{.name = "no files", .of = END, .at = 8, .bytes = 4, .number = 0, .says = "more than it counts"},
	{.name = "far more files",
	 .of = END,
	 .at = 8,
	 .bytes = 4,
	 .number = 0xfffefffe,
	 .says = "counts what cannot be in it"},
	{.name = "part 1", .of = END, .at = 4, .bytes = 2, .number = 1, .says = "several parts", .code = -ENOTSUP},
	{.name = "counts that differ",
	 .of = END,
	 .at = 8,
	 .bytes = 2,
	 .number = 1,
	 .says = "several parts",
	 .code = -ENOTSUP},
	{.name = "directory elsewhere", .of = END, .at = 16, .bytes = 4, .number = 1, .says = "does not end where"},
	{.name = "directory too long",
	 .of = END,
	 .at = 12,
	 .bytes = 4,
	 .number = UINT32_MAX,
	 .says = "does not end where"},
	{.name = "directory that is far",
	 .of = END,
	 .at = 16,
	 .bytes = 4,
	 .number = UINT32_MAX,
	 .says = "does not end where"},
	{.name = "no row", .of = ROW, .at = 0, .bytes = 4, .number = 0, .says = "damaged"},
	{.name = "encrypted", .of = ROW, .at = 8, .bytes = 2, .number = 1, .says = "encrypted", .code = -ENOTSUP},
	{.name = "compressed here",
	 .of = ROW,
	 .at = 10,
	 .bytes = 2,
	 .number = 8,
	 .says = "not what the directory says"},
	{.name = "compressed there",
	 .of = LOCAL,
	 .at = 8,
	 .bytes = 2,
	 .number = 8,
	 .says = "not what the directory says"},
	{.name = "sizes differ", .of = ROW, .at = 20, .bytes = 4, .number = 11, .says = "sizes of"},
	{.name = "size too big",
	 .of = ROW,
	 .at = 20,
	 .bytes = 8,
	 .number = 11 | UINT64_C(11) << 32,
	 .says = "not what the directory says"},
	{.name = "no zip64 field", .of = ROW, .at = 24, .bytes = 4, .number = UINT32_MAX, .says = "sizes of"},
	{.name = "no name", .of = ROW, .at = 28, .bytes = 2, .number = 0, .says = "damaged name"},
	{.name = "a long name", .of = ROW, .at = 28, .bytes = 2, .number = 60000, .says = "damaged name"},
	{.name = "a long field", .of = ROW, .at = 30, .bytes = 2, .number = 60000, .says = "damaged name"},
	{.name = "part 2", .of = ROW, .at = 34, .bytes = 2, .number = 2, .says = "several parts", .code = -ENOTSUP},
	{.name = "elsewhere", .of = ROW, .at = 42, .bytes = 4, .number = 7, .says = "not what the directory says"},
	{.name = "outside", .of = ROW, .at = 42, .bytes = 4, .number = 0x7fffffff, .says = "outside of the archive"},
	{.name = "NUL in a name", .of = ROW, .at = 48, .bytes = 1, .number = 0, .says = "damaged name"},
	{.name = "name that is not UTF-8", .of = ROW, .at = 48, .bytes = 1, .number = 0xff, .says = "damaged name"},
	{.name = "another name", .of = ROW, .at = 46, .bytes = 1, .number = 'b', .says = "not what the directory says"},
	{.name = "the name of another",
	 .of = ROW,
	 .at = 53,
	 .bytes = 1,
	 .number = '0',
	 .says = "is in it twice|not what the directory says"},
	{.name = "no header", .of = LOCAL, .at = 0, .bytes = 4, .number = 0, .says = "not what the directory says"},
	{.name = "another length",
	 .of = LOCAL,
	 .at = 26,
	 .bytes = 2,
	 .number = 7,
	 .says = "not what the directory says"},
	{.name = "another size", .of = LOCAL, .at = 18, .bytes = 4, .number = 9, .says = "size of"},
	{.name = "a field too long",
	 .of = LOCAL,
	 .at = 28,
	 .bytes = 2,
	 .number = 60000,
	 .says = "outside of the archive"},
	{.name = "zip64: no record",
	 .of = END64,
	 .at = 0,
	 .bytes = 4,
	 .number = 0,
	 .says = "zip64 record of the end is damaged",
	 .big = true},
	{.name = "zip64: longer record",
	 .of = END64,
	 .at = 4,
	 .bytes = 8,
	 .number = 45,
	 .says = "zip64 record of the end is damaged",
	 .big = true},
	{.name = "zip64: counts that differ",
	 .of = END64,
	 .at = 24,
	 .bytes = 8,
	 .number = 2,
	 .says = "zip64 record of the end is damaged",
	 .big = true},
	{.name = "zip64: part 1",
	 .of = END64,
	 .at = 16,
	 .bytes = 4,
	 .number = 1,
	 .says = "several parts",
	 .big = true,
	 .code = -ENOTSUP},
	{.name = "zip64: huge directory",
	 .of = END64,
	 .at = 40,
	 .bytes = 8,
	 .number = UINT64_MAX,
	 .says = "zip64 record begins",
	 .big = true},
	{.name = "zip64: directory that is far",
	 .of = END64,
	 .at = 48,
	 .bytes = 8,
	 .number = UINT64_MAX,
	 .says = "zip64 record begins",
	 .big = true},
	{.name = "zip64: record elsewhere",
	 .of = LOCATOR,
	 .at = 8,
	 .bytes = 8,
	 .number = 0,
	 .says = "before its locator",
	 .big = true},
	{.name = "zip64: record that is far",
	 .of = LOCATOR,
	 .at = 8,
	 .bytes = 8,
	 .number = UINT64_MAX,
	 .says = "before its locator",
	 .big = true},
	{.name = "zip64: two parts",
	 .of = LOCATOR,
	 .at = 16,
	 .bytes = 4,
	 .number = 2,
	 .says = "several parts",
	 .big = true,
	 .code = -ENOTSUP},
	{.name = "zip64: counts that disagree",
	 .of = END,
	 .at = 10,
	 .bytes = 2,
	 .number = 2,
	 .says = "zip64 record of the end is damaged",
	 .big = true},
	{.name = "zip64: size far",
	 .of = ROW,
	 .at = 58,
	 .bytes = 8,
	 .number = UINT64_MAX,
	 .says = "sizes of",
	 .big = true},
	{.name = "zip64: offset far",
	 .of = ROW,
	 .at = 74,
	 .bytes = 8,
	 .number = UINT64_MAX - 8,
	 .says = "outside of the archive",
	 .big = true},
	{.name = "zip64: field too short",
	 .of = ROW,
	 .at = 56,
	 .bytes = 2,
	 .number = 16,
	 .says = "sizes of",
	 .big = true},
	{.name = "zip64: field too long",
	 .of = ROW,
	 .at = 56,
	 .bytes = 2,
	 .number = 25,
	 .says = "sizes of",
	 .big = true},
};

/* The change is made to the last file. */
static size_t place(const struct change *c, const struct pit_buf *b, const struct zip_file *files, size_t begin)
{
	size_t row = 46 + 8 + (c->big ? 28 : 0);

	switch (c->of) {
	case LOCAL:
		return files[COUNT - 1].header;
	case ROW:
		return begin + 2 * row + 2; /* the first name has two bytes more */
	case END:
		return b->len - 22;
	case LOCATOR:
		return b->len - 42;
	default:
		return b->len - 98;
	}
}

static bool says(const char *text, const char *either)
{
	const char *bar = strchr(either, '|');
	pit_auto_free char *first = strndup(either, bar ? (size_t)(bar - either) : strlen(either));

	return strstr(text, first) || (bar && strstr(text, bar + 1));
}

static void test_changed(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(changes); i++) {
		const struct change *c = &changes[i];
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_buf b = PIT_BUF_INIT;
		struct zip_file files[COUNT];
		struct pit_zip z = {0};
		size_t begin;
		int rc;

		files_of(files);
		begin = zip_make(&b, files, COUNT, c->big);
		zip_set(&b, place(c, &b, files, begin) + c->at, c->number, c->bytes);
		rc = pit_zip_open(zip_read, &b, b.len, &z, &err);
		if (rc != (c->code ? c->code : -EBADMSG) || !says(err.text, c->says))
			fail_msg("%s: %d, '%s'", c->name, rc, err.text);
		pit_buf_free(&b);
	}
}

static void expect(struct pit_buf *b, const char *what)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_zip z;

	assert_int_equal(pit_zip_open(zip_read, b, b->len, &z, &err), -EBADMSG);
	if (!strstr(err.text, what))
		fail_msg("'%s' does not say '%s'", err.text, what);
	pit_buf_free(b);
}

/* Two rows for one file; a file inside of another. */
static void test_overlap(void **state)
{
	struct pit_buf b = PIT_BUF_INIT, inner = PIT_BUF_INIT;
	struct zip_file files[COUNT];
	size_t begin;

	files_of(files);
	files[1].name = files[2].name;
	zip_make(&b, files, COUNT, false);
	expect(&b, "'a/data/1' is in it twice");
	files_of(files);
	zip_files(&inner, &files[2], 1);
	files[1].data = inner.data;
	files[1].len = inner.len;
	zip_files(&b, files, 2);
	files[2].header = files[1].header + 30 + 8 + 8;
	begin = zip_directory(&b, files, COUNT, false);
	zip_end(&b, begin, COUNT, false);
	expect(&b, "overlap");
	pit_buf_free(&inner);
}

/* ---- whole files ---- */

#define MATRIX                                                                                                         \
	"ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nByteStorage\nX\1\0\0\0"                          \
	"1X\3\0\0\0cpuK\xatQK\1"                                                                                       \
	"K\3K\2\x86K\1K\3\x86\x89}tR."

struct whole {
	const char *name, *pickle;
	size_t len;
	const char *more, *data; /* of another file in the archive */
	const char *says;        /* NULL: it is good */
	int code;
};

#define W(bytes) .pickle = (bytes), .len = sizeof(bytes) - 1

static const struct whole wholes[] = {
	{.name = "good", W(MATRIX)},
	{.name = "little", W(MATRIX), .more = "a/byteorder", .data = "little"},
	{.name = "big", W(MATRIX), .more = "a/byteorder", .data = "big", .says = "big endian", .code = -ENOTSUP},
	{.name = "order", W(MATRIX), .more = "a/byteorder", .data = "x", .says = "neither", .code = -EBADMSG},
	{.name = "long order",
	 W(MATRIX),
	 .more = "a/byteorder",
	 .data = "little little little",
	 .says = "neither",
	 .code = -EBADMSG},
	{.name = "TorchScript",
	 W(MATRIX),
	 .more = "a/constants.pkl",
	 .data = "",
	 .says = "TorchScript",
	 .code = -ENOTSUP},
	{.name = "code", W(MATRIX), .more = "a/code/x.py", .data = "", .says = "TorchScript", .code = -ENOTSUP},
	{.name = "two pickles",
	 W(MATRIX),
	 .more = "b/data.pkl",
	 .data = "N.",
	 .says = "two data.pkl",
	 .code = -EBADMSG},
	{.name = "no storage",
	 W("ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nByteStorage\nX\1\0\0\0"
	   "7X\3\0\0\0cpuK\1tQK\0"
	   "))\x89}tR."),
	 .says = "storage '7' is not in the archive",
	 .code = -EBADMSG},
	{.name = "another size",
	 W("ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nByteStorage\nX\1\0\0\0"
	   "1X\3\0\0\0cpuK\x9tQK\0"
	   "))\x89}tR."),
	 .says = "storage '1' has 10 bytes, not the 9",
	 .code = -EBADMSG},
	{.name = "expanded",
	 W("ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nByteStorage\nX\1\0\0\0"
	   "1X\3\0\0\0cpuK\xatQK\0"
	   "\x8a\5\0\0\0\0\1\x85K\0\x85\x89}tR."),
	 .says = "views that make 4294967296 bytes",
	 .code = -ENOTSUP},
	{.name = "damaged", W("X."), .says = "data.pkl: byte 0", .code = -EBADMSG},
	{.name = "os.system",
	 W("cos\nsystem\n."),
	 .says = "in.pt: holds os.system, which is no tensor: refused",
	 .code = -ENOTSUP},
};

static void look_inside(const char *path)
{
	const struct pit_io_want io = {.depth = 0};
	struct pit_torch *t = NULL;

	assert_int_equal(pit_torch_open(path, &t, NULL), 0);
	assert_int_equal(t->count, 1);
	assert_int_equal(t->checked, 1);
	assert_int_equal(t->bytes, 6);
	assert_null(t->tensors[0].data);
	assert_int_equal(t->offsets[0], 0);
	assert_string_equal(t->texts[0].value, "pt");
	assert_string_equal(t->tree, "{\"T\":\"tensor\"}");
	assert_int_equal(pit_torch_load(t, &io, NULL), 0);
	assert_memory_equal(t->tensors[0].data, "142536", 6);
	pit_torch_close(t);
}

static void test_whole(void **state)
{
	char dir[64], path[128];

	tempdir_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/in.pt", dir);
	for (size_t i = 0; i < PIT_COUNT(wholes); i++) {
		const struct whole *w = &wholes[i];
		struct zip_file files[COUNT + 1];
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_buf b = PIT_BUF_INIT;
		struct pit_torch *t = NULL;

		files_of(files);
		files[0].data = w->pickle;
		files[0].len = w->len;
		if (w->more)
			files[COUNT] = (struct zip_file){.name = w->more, .data = w->data, .len = strlen(w->data)};
		zip_make(&b, files, w->more ? COUNT + 1 : COUNT, i % 2);
		assert_int_equal(tempdir_write(dir, "in.pt", b.data, b.len), 0);
		pit_buf_free(&b);
		if (!w->says) {
			look_inside(path);
			continue;
		}
		if (pit_torch_open(path, &t, &err) != w->code || !strstr(err.text, w->says))
			fail_msg("%s: '%s'", w->name, err.text);
	}
	tempdir_remove(dir);
}

/* A CRC that differs is found; one that was not computed is not compared. */
static void test_sums(void **state)
{
	const struct pit_io_want io = {.depth = 0};
	char dir[64], path[128];

	tempdir_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/in.pt", dir);
	for (unsigned crc = 0; crc < 2; crc++) {
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_buf b = PIT_BUF_INIT;
		struct zip_file files[COUNT];
		struct pit_torch *t = NULL;
		size_t begin;

		files_of(files);
		files[0].data = MATRIX;
		files[0].len = sizeof(MATRIX) - 1;
		begin = zip_make(&b, files, COUNT, false);
		zip_set(&b, begin + 2 * (46 + 8) + 2 + 16, crc, 4);
		assert_int_equal(tempdir_write(dir, "in.pt", b.data, b.len), 0);
		assert_int_equal(pit_torch_open(path, &t, NULL), 0);
		assert_int_equal(t->checked, crc);
		assert_int_equal(pit_torch_load(t, &io, &err), crc ? -EBADMSG : 0);
		assert_true(!crc == !strstr(err.text, "storage '1' differs from its CRC"));
		pit_torch_close(t);
		zip_set(&b, begin + 16, 1, 4);
		assert_int_equal(tempdir_write(dir, "in.pt", b.data, b.len), 0);
		assert_int_equal(pit_torch_open(path, &t, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "data.pkl differs from its CRC"));
		pit_buf_free(&b);
	}
	tempdir_remove(dir);
}

static void test_forms(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum pit_torch_form form;
	} forms[] = {
		{.bytes = "PK\3\4", .len = 4, .form = PIT_TORCH_ZIP},
		{.bytes = "\x80\2\x8a\nl\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", .len = 15, .form = PIT_TORCH_OLD},
		{.bytes = "\x80\4}.", .len = 4, .form = PIT_TORCH_OLD},
		{.bytes = "\x80\2\0\0\0\0\0\0{", .len = 9, .form = PIT_TORCH_NONE}, /* 640 bytes of JSON */
		{.bytes = "PK\3\4\0\0\0\0 {", .len = 10, .form = PIT_TORCH_NONE},
		{.bytes = "PK\3\4\0\0\0\0\0\0", .len = 10, .form = PIT_TORCH_ZIP},
		{.bytes = "\x80\0\0\0\0\0\0\0{}", .len = 10, .form = PIT_TORCH_NONE},
		{.bytes = "PK", .len = 2, .form = PIT_TORCH_NONE},
		{.bytes = "\10\0\0\0\0\0\0\0{}      ", .len = 16, .form = PIT_TORCH_NONE},
	};
	struct pit_torch *t = NULL;
	char dir[64], path[128];

	tempdir_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(pit_torch_form(path), PIT_TORCH_NONE);
	assert_int_equal(pit_torch_open(path, &t, NULL), -ENOENT);
	for (size_t i = 0; i < PIT_COUNT(forms); i++) {
		assert_int_equal(tempdir_write(dir, "f", forms[i].bytes, forms[i].len), 0);
		assert_int_equal(pit_torch_form(path), forms[i].form);
		if (forms[i].form == PIT_TORCH_OLD)
			assert_int_equal(pit_torch_open(path, &t, NULL), -ENOTSUP);
	}
	assert_int_equal(pit_torch_form(dir), PIT_TORCH_NONE);
	assert_null(t);
	tempdir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc),     cmocka_unit_test(test_good),    cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed), cmocka_unit_test(test_overlap), cmocka_unit_test(test_whole),
		cmocka_unit_test(test_sums),    cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
