/* SPDX-License-Identifier: MIT
 *
 * Headers of safetensors files: every rule, what the reference accepts, and what others fell over. Files whose names
 * tell the rule lie among the cases.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "feed/safetensors.h"
#include "feed/utf8.h"
#include "tree.h"

/* A tensor of 4 bytes that is right. */
#define A "\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}"
#define T(shape, offsets) "{\"a\":{\"dtype\":\"I32\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define MORE(fields) "{\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]," fields "}}"

struct vector {
	const char *name, *json;
	size_t len; /* of the JSON, when it holds NUL */
	uint64_t data;
	enum pit_safetensors_rule rule;
	const char *says;
	size_t count; /* tensors */
};

static const struct vector good[] = {
	{.name = "nothing", .json = "{}"},
	{.name = "one", .json = "{" A "}", .data = 4, .count = 1},
	{.name = "padded behind", .json = "{}\r \t\n", .count = 0},
	{.name = "padded before", .json = "\t\n{}\r ", .count = 0},
	{.name = "blanks inside",
	 .json = "{ \"a\" : { \"shape\" : [ 1 ] , \"data_offsets\":[ 0 , 4 ],\"dtype\":\"I32\"} }",
	 .data = 4,
	 .count = 1},
	{.name = "scalar", .json = T("[]", "[0,4]"), .data = 4, .count = 1},
	{.name = "no elements", .json = T("[2,0]", "[0, 0]"), .count = 1},
	{.name = "no elements, and the rest would overflow behind it",
	 .json = T("[0,18446744073709551615,9]", "[0,0]"),
	 .count = 1},
	{.name = "empty ones where another begins",
	 .json = "{\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}," A
		 ",\"y\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]}}",
	 .data = 4,
	 .count = 3},
	{.name = "any order",
	 .json = "{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[4,7]}," A "}",
	 .data = 7,
	 .count = 2},
	{.name = "4 bits that fill bytes",
	 .json = "{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}",
	 .data = 1,
	 .count = 1},
	{.name = "6 bits that fill bytes",
	 .json = "{\"a\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[0,3]}}",
	 .data = 3,
	 .count = 1},
	{.name = "metadata", .json = "{\"__metadata__\":{\"format\":\"pt\",\"x\":\"\"}," A "}", .data = 4, .count = 1},
	{.name = "metadata null", .json = "{\"__metadata__\":null," A "}", .data = 4, .count = 1},
	{.name = "names with slashes, quotes and all planes",
	 .json = "{\"a/b\\/c\\\"\\\\\\u00e9\\ud83d\\ude00\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}",
	 .data = 1,
	 .count = 1},
	{.name = "no name",
	 .json = "{\"\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}",
	 .data = 1,
	 .count = 1},
	{.name = "unknown fields",
	 .json = MORE("\"more\":{\"a\":[1,-0.5e+7,true,false,null,\"\\u0000\",{}],\"b\":[]},\"n\":0"),
	 .data = 4,
	 .count = 1},
};

static const struct vector bad[] = {
	{.name = "no JSON",
	 .json = "{",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "byte 1 of the header: "},
	{.name = "nothing", .json = "", .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION, .says = "ends too early"},
	{.name = "not UTF-8", .json = "\xff", .rule = PIT_ST_INVALID_HEADER, .says = "byte 0 of the header (0xff)"},
	{.name = "overlong UTF-8", .json = "{\"\xc0\x80\":1}", .rule = PIT_ST_INVALID_HEADER, .says = "byte 2"},
	{.name = "surrogate in UTF-8", .json = "{\"\xed\xa0\x80\":1}", .rule = PIT_ST_INVALID_HEADER, .says = "byte 2"},
	{.name = "UTF-8 cut off", .json = "{}\xe2\x82", .rule = PIT_ST_INVALID_HEADER, .says = "byte 2"},
	{.name = "BOM", .json = "\xef\xbb\xbf{}", .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION, .says = "byte 0"},
	{.name = "an array", .json = "[]", .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION, .says = "object"},
	{.name = "something behind", .json = "{}x", .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION, .says = "behind"},
	{.name = "NUL behind",
	 .json = "{}\0",
	 .len = 3,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "behind"},
	{.name = "comma at the end",
	 .json = "{" A ",}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "behind the comma"},
	{.name = "no comma",
	 .json = "{" A " " A "}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "a comma or }"},
	{.name = "a number for a tensor",
	 .json = "{\"a\":5}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "in 'a': an object"},
	{.name = "null for a tensor",
	 .json = "{\"a\":null}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "in 'a': an object"},
	{.name = "metadata a number",
	 .json = "{\"__metadata__\":5}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "in '__metadata__'"},
	{.name = "metadata with a number",
	 .json = "{\"__metadata__\":{\"a\":5}}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "a string must begin"},
	{.name = "metadata with metadata",
	 .json = "{\"__metadata__\":{\"a\":{}}}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "a string must begin"},
	{.name = "metadata twice",
	 .json = "{\"__metadata__\":{},\"__metadata__\":{}}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "comes twice"},
	{.name = "no dtype",
	 .json = "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "has no dtype"},
	{.name = "no shape",
	 .json = "{\"a\":{\"dtype\":\"I32\",\"data_offsets\":[0,4]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "has no shape"},
	{.name = "no offsets",
	 .json = "{\"a\":{\"dtype\":\"I32\",\"shape\":[1]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "has no data_offsets"},
	{.name = "unknown dtype",
	 .json = "{\"a\":{\"dtype\":\"I33\",\"shape\":[1],\"data_offsets\":[0,4]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "no known dtype"},
	{.name = "dtype in small letters",
	 .json = "{\"a\":{\"dtype\":\"i32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "no known dtype"},
	{.name = "dtype with NUL",
	 .json = "{\"a\":{\"dtype\":\"I32\\u0000\",\"shape\":[1],\"data_offsets\":[0,4]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "no known dtype"},
	{.name = "dtype twice",
	 .json = MORE("\"dtype\":\"I32\""),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "dtype comes twice"},
	{.name = "shape twice, once escaped",
	 .json = MORE("\"sh\\u0061pe\":[1]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "shape comes twice"},
	{.name = "one offset",
	 .json = T("[1]", "[4]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "two numbers"},
	{.name = "three offsets",
	 .json = T("[1]", "[0,4,8]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "must end here"},
	{.name = "1e3",
	 .json = T("[1e3]", "[0,4000]"),
	 .data = 4000,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "dot or exponent"},
	{.name = "1.0",
	 .json = T("[1.0]", "[0,4]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "dot or exponent"},
	{.name = "-0",
	 .json = T("[1]", "[-0,4]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "with a sign"},
	{.name = "-1",
	 .json = T("[-1]", "[0,4]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "with a sign"},
	{.name = "+1",
	 .json = T("[+1]", "[0,4]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "a whole number"},
	{.name = "leading zero",
	 .json = T("[01]", "[0,4]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "leading zero"},
	{.name = "2^64",
	 .json = T("[18446744073709551616]", "[0,4]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "does not fit 64 bits"},
	{.name = "a number as text",
	 .json = T("[\"1\"]", "[0,4]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "a whole number"},
	{.name = "first half of a surrogate pair",
	 .json = "{\"\\ud800\":1}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "stands alone"},
	{.name = "second half",
	 .json = "{\"\\udc00\":1}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "stands alone"},
	{.name = "two first halves",
	 .json = "{\"\\ud800\\ud800\":1}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "stands alone"},
	{.name = "first half, then text",
	 .json = "{\"\\ud800x\":1}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "stands alone"},
	{.name = "in a field that is ignored, too",
	 .json = MORE("\"x\":\"\\ud800\""),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "in 'a': "},
	{.name = "name with NUL",
	 .json = "{\"a\\u0000b\":1}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "\\u0000"},
	{.name = "metadata with NUL",
	 .json = "{\"__metadata__\":{\"a\":\"\\u0000\"}}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "\\u0000"},
	{.name = "control character",
	 .json = "{\"a\nb\":1}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "must be escaped"},
	{.name = "no such escape",
	 .json = "{\"\\x41\":1}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "no such escape"},
	{.name = "short escape",
	 .json = "{\"\\u12\":1}",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "four hexadecimal digits"},
	{.name = "ends in an escape", .json = "{\"\\", .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION, .says = "escape"},
	{.name = "ends in \\u", .json = "{\"\\u00", .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION, .says = "too early"},
	{.name = "ends in a string",
	 .json = "{\"abc",
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "in a string"},
	{.name = "no value of an unknown field",
	 .json = MORE("\"x\":"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "a value must come"},
	{.name = "a number that is none",
	 .json = MORE("\"x\":1.e5"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "a digit"},
	{.name = "NaN",
	 .json = MORE("\"x\":NaN"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION,
	 .says = "a value"},
	{.name = "a comment", .json = "{/**/}", .rule = PIT_ST_INVALID_HEADER_DESERIALIZATION, .says = "string"},
	{.name = "a name twice, same bytes",
	 .json = "{" A "," A "}",
	 .data = 4,
	 .rule = PIT_ST_DUPLICATE_KEY,
	 .says = "tensor 'a' comes twice"},
	{.name = "a name twice, other bytes",
	 .json = "{" A ",\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
	 .data = 8,
	 .rule = PIT_ST_DUPLICATE_KEY,
	 .says = "tensor 'a' comes twice"},
	{.name = "a name twice, once escaped",
	 .json = "{" A ",\"\\u0061\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
	 .data = 8,
	 .rule = PIT_ST_DUPLICATE_KEY,
	 .says = "tensor 'a' comes twice"},
	{.name = "a key of the metadata twice",
	 .json = "{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}",
	 .rule = PIT_ST_DUPLICATE_KEY,
	 .says = "__metadata__ 'k' comes twice"},
	{.name = "a hole at the start",
	 .json = T("[1]", "[1,5]"),
	 .data = 5,
	 .rule = PIT_ST_INVALID_OFFSET,
	 .says = "tensor 'a' begins at 1 and the one before it ends at 0: there is a hole"},
	{.name = "a hole",
	 .json = "{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[5,6]}}",
	 .data = 6,
	 .rule = PIT_ST_INVALID_OFFSET,
	 .says = "tensor 'b' begins at 5 and the one before it ends at 4"},
	{.name = "an overlap",
	 .json = "{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[3,4]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_OFFSET,
	 .says = "they overlap"},
	{.name = "the same bytes twice",
	 .json = "{" A ",\"b\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_OFFSET,
	 .says = "they overlap"},
	{.name = "end before begin, at once",
	 .json = "{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,3]}}",
	 .data = 4,
	 .rule = PIT_ST_INVALID_OFFSET,
	 .says = "begins at 4 and ends before, at 3"},
	{.name = "out of the file",
	 .json = T("[1]", "[18446744073709551612,18446744073709551615]"),
	 .data = 4,
	 .rule = PIT_ST_INVALID_OFFSET,
	 .says = "there is a hole"},
	{.name = "shape that overflows",
	 .json = T("[2,18446744073709551614]", "[0,16]"),
	 .data = 16,
	 .rule = PIT_ST_VALIDATION_OVERFLOW,
	 .says = "tensor 'a'"},
	{.name = "bytes that overflow",
	 .json = T("[2,9223372036854775807]", "[0,16]"),
	 .data = 16,
	 .rule = PIT_ST_VALIDATION_OVERFLOW,
	 .says = "does not fit 64 bits"},
	{.name = "bits that overflow",
	 .json = T("[576460752303423488]", "[0,16]"),
	 .data = 16,
	 .rule = PIT_ST_VALIDATION_OVERFLOW,
	 .says = "does not fit 64 bits"},
	{.name = "4 bits",
	 .json = "{\"a\":{\"dtype\":\"F4\",\"shape\":[1,3],\"data_offsets\":[0,2]}}",
	 .data = 2,
	 .rule = PIT_ST_MISALIGNED_SLICE,
	 .says = "elements of 4 bits (F4)"},
	{.name = "6 bits",
	 .json = "{\"a\":{\"dtype\":\"F6_E3M2\",\"shape\":[2],\"data_offsets\":[0,2]}}",
	 .data = 2,
	 .rule = PIT_ST_MISALIGNED_SLICE,
	 .says = "elements of 6 bits"},
	{.name = "too few bytes",
	 .json = T("[2,2]", "[0,4]"),
	 .data = 4,
	 .rule = PIT_ST_TENSOR_INVALID_INFO,
	 .says = "make 16 bytes, its offsets 4"},
	{.name = "too many bytes",
	 .json = T("[]", "[0,8]"),
	 .data = 8,
	 .rule = PIT_ST_TENSOR_INVALID_INFO,
	 .says = "make 4 bytes, its offsets 8"},
	{.name = "something behind the data",
	 .json = "{" A "}",
	 .data = 4 + 33,
	 .rule = PIT_ST_METADATA_INCOMPLETE_BUFFER,
	 .says = "the tensors end at 4 and the file has 37 bytes"},
	{.name = "cut off",
	 .json = "{" A "}",
	 .data = 2,
	 .rule = PIT_ST_METADATA_INCOMPLETE_BUFFER,
	 .says = "was cut off"},
	{.name = "no tensors, and data",
	 .json = "{}",
	 .data = 1,
	 .rule = PIT_ST_METADATA_INCOMPLETE_BUFFER,
	 .says = "more"},
	{.name = "the offset rule comes before the size rule",
	 .json = T("[9]", "[1,5]"),
	 .data = 99,
	 .rule = PIT_ST_INVALID_OFFSET,
	 .says = "hole"},
};

static int parse(const struct vector *v, struct pit_safetensors *s, enum pit_safetensors_rule *rule,
		 struct pit_error *err)
{
	size_t len = v->len ? v->len : strlen(v->json);
	char *exact = malloc(len ? len : 1); /* so that reading beyond is found */
	int rc;

	memcpy(exact, v->json, len);
	rc = pit_safetensors_parse(exact, len, 8 + len + v->data, s, rule, err);
	free(exact);
	return rc;
}

static void test_good(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(good); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		enum pit_safetensors_rule rule = PIT_ST_HEADER_TOO_LARGE;
		struct pit_safetensors s = {.count = 77};
		int rc = parse(&good[i], &s, &rule, &err);

		if (rc)
			fail_msg("%s: %s: %s", good[i].name, pit_safetensors_rules[rule], err.text);
		assert_int_equal(rule, PIT_ST_OK);
		assert_int_equal(s.count, good[i].count);
		assert_int_equal(s.data, 8 + strlen(good[i].json));
		pit_safetensors_free(&s);
		assert_null(s.entries);
	}
}

static void test_bad(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(bad); i++) {
		struct pit_error err = PIT_ERROR_INIT;
		enum pit_safetensors_rule rule = PIT_ST_OK;
		struct pit_safetensors s = {.count = 77};
		int rc = parse(&bad[i], &s, &rule, &err);

		if (rule != bad[i].rule || (bad[i].says && !strstr(err.text, bad[i].says)))
			fail_msg("%s: %s: %s", bad[i].name, pit_safetensors_rules[rule], err.text);
		if (bad[i].rule) {
			assert_int_equal(rc, -EBADMSG);
			assert_int_equal(s.count, 77); /* written on success only */
		} else {
			pit_safetensors_free(&s);
		}
	}
}

/* Every beginning of a good header is a bad one, and nothing beyond it is read. */
static void test_cut(void **state)
{
	const struct vector *v = &good[PIT_COUNT(good) - 1];
	size_t len = strlen(v->json);

	for (size_t n = 0; n < len; n++) {
		char *part = malloc(n ? n : 1);
		struct pit_safetensors s;
		enum pit_safetensors_rule rule;

		memcpy(part, v->json, n);
		assert_int_equal(pit_safetensors_parse(part, n, 8 + n + v->data, &s, &rule, NULL), -EBADMSG);
		assert_int_equal(rule, PIT_ST_INVALID_HEADER_DESERIALIZATION);
		free(part);
	}
}

static void test_values(void **state)
{
	static const struct vector v = {
		.json = "{\"__metadata__\":{\"k\\n\":\"\\ud83d\\ude00\",\"\":\"x\"},"
			"\"z\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]},"
			"\"b\":{\"dtype\":\"BF16\",\"shape\":[3,1],\"data_offsets\":[4,10]},"
			"\"y\":{\"dtype\":\"U8\",\"shape\":[7,0],\"data_offsets\":[4,4]}," A "}",
		.data = 10,
	};
	struct pit_safetensors s;

	assert_int_equal(parse(&v, &s, NULL, NULL), 0);
	assert_int_equal(s.count, 4);
	assert_string_equal(s.entries[0].tensor.name, "a");
	assert_string_equal(s.entries[1].tensor.name, "z"); /* empty ones in the order of the file */
	assert_string_equal(s.entries[2].tensor.name, "y");
	assert_string_equal(s.entries[3].tensor.name, "b");
	assert_int_equal(s.entries[3].tensor.dtype, PIT_BF16);
	assert_int_equal(s.entries[3].tensor.dims, 2);
	assert_int_equal(s.entries[3].tensor.shape[0], 3);
	assert_int_equal(s.entries[3].tensor.shape[1], 1);
	assert_int_equal(s.entries[3].tensor.bytes, 6);
	assert_int_equal(s.entries[3].begin, 4);
	assert_int_equal(s.text_count, 2);
	assert_string_equal(s.texts[0].key, "k\n");
	assert_string_equal(s.texts[0].value, "\xf0\x9f\x98\x80");
	assert_string_equal(s.texts[1].key, "");
	pit_safetensors_free(&s);
}

static void test_length(void **state)
{
	static const struct {
		uint64_t n, file;
		enum pit_safetensors_rule rule;
	} rows[] = {
		{.n = 0, .file = 0, .rule = PIT_ST_HEADER_TOO_SMALL},
		{.n = 0, .file = 7, .rule = PIT_ST_HEADER_TOO_SMALL},
		{.n = 0, .file = 8, .rule = PIT_ST_OK},
		{.n = 60, .file = 8, .rule = PIT_ST_INVALID_HEADER_LENGTH},
		{.n = 60, .file = 68, .rule = PIT_ST_OK},
		{.n = 61, .file = 68, .rule = PIT_ST_INVALID_HEADER_LENGTH},
		{.n = PIT_SAFETENSORS_HEADER_MAX, .file = UINT64_MAX, .rule = PIT_ST_OK},
		{.n = PIT_SAFETENSORS_HEADER_MAX + 1, .file = UINT64_MAX, .rule = PIT_ST_HEADER_TOO_LARGE},
		{.n = UINT64_MAX, .file = UINT64_MAX, .rule = PIT_ST_HEADER_TOO_LARGE},
		{.n = UINT64_MAX - 3, .file = 8, .rule = PIT_ST_HEADER_TOO_LARGE},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		enum pit_safetensors_rule rule = PIT_ST_DUPLICATE_KEY;
		struct pit_error err = PIT_ERROR_INIT;
		unsigned char prefix[8];
		uint64_t n = 77;
		int rc;

		for (int k = 0; k < 8; k++)
			prefix[k] = (unsigned char)(rows[i].n >> (8 * k));
		rc = pit_safetensors_length(prefix, rows[i].file, &n, &rule, &err);
		assert_int_equal(rule, rows[i].rule);
		assert_int_equal(rc, rule ? -EBADMSG : 0);
		assert_int_equal(n, rule ? 77 : rows[i].n);
		assert_int_equal(!rule, !*err.text);
	}
}

/* Arrays and objects within each other as deep as the reference goes, and one more. */
static void test_depth(void **state)
{
	for (unsigned deep = 124; deep <= 127; deep++) {
		pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
		struct vector v = {.data = 4};
		struct pit_safetensors s;
		struct pit_error err = PIT_ERROR_INIT;

		pit_buf_puts(&b, "{\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":");
		for (unsigned i = 0; i < deep; i++)
			pit_buf_puts(&b, i % 2 ? "{\"\":" : "[");
		pit_buf_puts(&b, "0");
		for (unsigned i = deep; i-- > 0;)
			pit_buf_puts(&b, i % 2 ? "}" : "]");
		pit_buf_puts(&b, "}}");
		v.json = b.data;
		if (deep <= 125) {
			assert_int_equal(parse(&v, &s, NULL, NULL), 0);
			pit_safetensors_free(&s);
		} else {
			assert_int_equal(parse(&v, &s, NULL, &err), -EBADMSG);
			assert_non_null(strstr(err.text, "too deep"));
		}
	}
}

/* A bomb of a million opening brackets is refused, and does not eat the stack. */
static void test_bomb(void **state)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
	struct vector v = {.data = 4};
	struct pit_safetensors s;

	pit_buf_puts(&b, "{\"a\":{\"x\":");
	for (unsigned i = 0; i < 1000000; i++)
		pit_buf_putc(&b, '[');
	v.json = b.data;
	assert_int_equal(parse(&v, &s, NULL, NULL), -EBADMSG);
}

/* Many tensors, last first, and many on the same bytes: neither takes more than moments. */
static void many(bool same, unsigned count, enum pit_safetensors_rule wanted)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
	struct vector v = {.data = same ? 160000 : count};
	struct pit_safetensors s = {.count = 0};
	enum pit_safetensors_rule rule;
	int64_t begin = pit_now();

	for (unsigned i = count; i-- > 0;)
		pit_buf_printf(&b, "%c\"t%u\":{\"dtype\":\"U8\",\"shape\":[%u],\"data_offsets\":[%u,%u]}",
			       i + 1 == count ? '{' : ',', i, same ? 160000 : 1, same ? 0 : i, same ? 160000 : i + 1);
	pit_buf_putc(&b, '}');
	v.json = b.data;
	parse(&v, &s, &rule, NULL);
	assert_int_equal(rule, wanted);
	pit_safetensors_free(&s);
	print_message("# %u tensors, %zu MB of JSON: %lld ms\n", count, b.len / 1000000,
		      (long long)((pit_now() - begin) / PIT_MS));
	assert_true(pit_now() - begin < 60000 * PIT_MS); /* quadratic time would be hours */
}

static void test_many(void **state)
{
	many(false, 300000, PIT_ST_OK);
	many(true, 100000, PIT_ST_INVALID_OFFSET);
}

/* ---- the cases ---- */

static void one_file(const char *dir, const char *name)
{
	pit_auto_fclose FILE *f = NULL;
	struct pit_safetensors s = {.count = 0};
	struct pit_error err = PIT_ERROR_INIT;
	enum pit_safetensors_rule rule = PIT_ST_OK;
	const char *end = strstr(name, "__"), *wanted = end ? end + 2 : "ok.";
	char path[4096], *bytes;
	uint64_t n = 0;
	size_t size;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = (size_t)ftell(f);
	rewind(f);
	bytes = malloc(size + 1);
	assert_int_equal(fread(bytes, 1, size, f), size);
	rc = pit_safetensors_length(bytes, size, &n, &rule, &err);
	if (!rc)
		rc = pit_safetensors_parse(bytes + 8, n, size, &s, &rule, &err);
	print_message("# %s: %s%s%s\n", name, pit_safetensors_rules[rule], rc ? ": " : "", err.text);
	assert_int_equal(strcspn(wanted, "."), strlen(pit_safetensors_rules[rule]));
	assert_int_equal(strncmp(wanted, pit_safetensors_rules[rule], strcspn(wanted, ".")), 0);
	if (!rc)
		pit_safetensors_free(&s);
	free(bytes);
}

static void test_cases(void **state)
{
	char dir[4096];
	pit_auto_closedir DIR *d = NULL;
	const struct dirent *e;
	unsigned count = 0;

	if (!tree_cases("malformed/safetensors", dir, sizeof(dir)))
		skip();
	d = opendir(dir);
	assert_non_null(d);
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".safetensors")) {
			one_file(dir, e->d_name);
			count++;
		}
	assert_true(count > 0);
}

/* ---- writing ---- */

static const uint64_t two_three[] = {2, 3}, huge[] = {UINT64_C(1) << 40, UINT64_C(1) << 40}, three[] = {3},
		      four[] = {4};

#define TENSOR(n, d, k, s, b)                                                                                          \
	{                                                                                                              \
		.tensor = {.name = n, .dtype = d, .dims = k, .shape = s, .bytes = b }                                  \
	}

static void test_format(void **state)
{
	static const struct pit_save_tensor tensors[] = {
		TENSOR("b", PIT_F32, 2, two_three, 24),
		TENSOR("a \"\\\n\x01/\xc3\xa9", PIT_U8, 0, NULL, 1),
		TENSOR("", PIT_F6_E2M3, 1, four, 3),
	};
	static const struct pit_save_text texts[] = {{.key = "k", .value = "\"v\"\t"}};

	for (unsigned align = 8; align <= 4096; align *= 2) {
		pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
		enum pit_safetensors_rule rule;
		struct pit_safetensors s;
		uint64_t n;

		assert_int_equal(pit_safetensors_format(tensors, 3, texts, 1, align, &b, NULL), 0);
		assert_int_equal(b.len % align, 0);
		assert_int_equal(pit_safetensors_length(b.data, b.len + 28, &n, &rule, NULL), 0);
		assert_int_equal(n, b.len - 8);
		assert_int_equal(pit_safetensors_parse(b.data + 8, n, b.len + 28, &s, &rule, NULL), 0);
		assert_int_equal(s.count, 3);
		for (size_t i = 0; i < 3; i++)
			assert_string_equal(s.entries[i].tensor.name, tensors[i].tensor.name);
		assert_int_equal(s.entries[1].begin, 24);
		assert_int_equal(s.text_count, 1);
		assert_string_equal(s.texts[0].value, "\"v\"\t");
		pit_safetensors_free(&s);
	}
}

/* Byte for byte what the reference writes for this. */
static void test_format_bytes(void **state)
{
	static const uint64_t shape[] = {1, 1, 2, 3};
	static const struct pit_save_tensor t = TENSOR("attn0", PIT_F32, 4, shape, 24);
	static const char wanted[] =
		"\x48\0\0\0\0\0\0\0"
		"{\"attn0\":{\"dtype\":\"F32\",\"shape\":[1,1,2,3],\"data_offsets\":[0,24]}}       ";
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT, none = PIT_BUF_INIT;

	assert_int_equal(pit_safetensors_format(&t, 1, NULL, 0, 8, &b, NULL), 0);
	assert_int_equal(b.len, sizeof(wanted) - 1);
	assert_memory_equal(b.data, wanted, b.len);
	assert_int_equal(pit_safetensors_format(NULL, 0, NULL, 0, 8, &none, NULL), 0);
	assert_int_equal(none.len, 16);
	assert_memory_equal(none.data, "\x08\0\0\0\0\0\0\0{}      ", 16);
}

static void test_format_wrong(void **state)
{
	static const struct {
		struct pit_save_tensor t[2];
		struct pit_save_text text;
		const char *says;
	} rows[] = {
		{.t = {TENSOR("a", PIT_F32, 1, three, 11), TENSOR("b", PIT_U8, 0, NULL, 1)}, .says = "'a': shape"},
		{.t = {TENSOR("a", PIT_U8, 0, NULL, 1), TENSOR("a", PIT_U8, 0, NULL, 1)}, .says = "'a' comes twice"},
		{.t = {TENSOR("a", PIT_U8, 0, NULL, 1), TENSOR("__metadata__", PIT_U8, 0, NULL, 1)},
		 .says = "__metadata__"},
		{.t = {TENSOR("a", PIT_U8, 0, NULL, 1), TENSOR("\xff", PIT_U8, 0, NULL, 1)}, .says = "not UTF-8"},
		{.t = {TENSOR("a", PIT_U8, 0, NULL, 1), TENSOR(NULL, PIT_U8, 0, NULL, 1)}, .says = "missing"},
		{.t = {TENSOR("a", PIT_DTYPE_NONE, 0, NULL, 1), TENSOR("b", PIT_U8, 0, NULL, 1)},
		 .says = "no such dtype"},
		{.t = {TENSOR("a", PIT_DTYPES, 0, NULL, 1), TENSOR("b", PIT_U8, 0, NULL, 1)}, .says = "no such dtype"},
		{.t = {TENSOR("a", PIT_F4, 1, three, 2), TENSOR("b", PIT_U8, 0, NULL, 1)}, .says = "no whole bytes"},
		{.t = {TENSOR("a", PIT_F32, 2, huge, 2), TENSOR("b", PIT_U8, 0, NULL, 1)}, .says = "does not fit"},
		{.t = {TENSOR("a", PIT_U8, 0, NULL, 1), TENSOR("b", PIT_U8, 0, NULL, 1)},
		 .text = {.key = "\xc3", .value = ""},
		 .says = "not UTF-8"},
		{.t = {TENSOR("a", PIT_U8, 0, NULL, 1), TENSOR("b", PIT_U8, 0, NULL, 1)},
		 .text = {.key = "k"},
		 .says = "a value of the metadata is missing"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
		struct pit_error err = PIT_ERROR_INIT;

		assert_int_equal(
			pit_safetensors_format(rows[i].t, 2, &rows[i].text, rows[i].text.key != NULL, 64, &b, &err),
			-EINVAL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%zu: %s", i, err.text);
		assert_int_equal(b.len, 0);
	}
}

/* ---- tensors and UTF-8 ---- */

static void test_dtypes(void **state)
{
	assert_null(pit_dtype_name(PIT_DTYPE_NONE));
	assert_null(pit_dtype_name(PIT_DTYPES));
	assert_int_equal(pit_dtype_bits(PIT_DTYPES), 0);
	assert_int_equal(pit_dtype_bits((enum pit_dtype) - 1), 0);
	for (int d = PIT_DTYPE_NONE + 1; d < PIT_DTYPES; d++) {
		assert_non_null(pit_dtype_name(d));
		assert_int_equal(pit_dtype_of(pit_dtype_name(d)), d);
		assert_true(pit_dtype_bits(d) >= 4 && pit_dtype_bits(d) <= 64);
	}
	assert_int_equal(pit_dtype_of("bf16"), PIT_DTYPE_NONE);
	assert_int_equal(pit_dtype_of(""), PIT_DTYPE_NONE);
	assert_int_equal(pit_dtype_of(NULL), PIT_DTYPE_NONE);
	assert_int_equal(PIT_U64, 22); /* the numbers are ABI */
}

static void test_bytes(void **state)
{
	uint64_t n = 77;

	assert_int_equal(pit_tensor_bytes(PIT_F32, 2, two_three, &n), 0);
	assert_int_equal(n, 24);
	assert_int_equal(pit_tensor_bytes(PIT_F64, 0, NULL, &n), 0);
	assert_int_equal(n, 8);
	n = 77;
	assert_int_equal(pit_tensor_bytes(PIT_F4, 1, three, &n), -EINVAL);
	assert_int_equal(pit_tensor_bytes(PIT_DTYPE_NONE, 1, three, &n), -EINVAL);
	assert_int_equal(pit_tensor_bytes(PIT_U8, 2, huge, &n), -EOVERFLOW);
	assert_int_equal(n, 77);
}

static void test_utf8(void **state)
{
	char out[16], small[8];

	assert_int_equal(pit_utf8_valid("", 0), 0);
	assert_int_equal(pit_utf8_valid("abcdefghijk\xc3\xa9", 13), 13);
	assert_int_equal(pit_utf8_valid("abcdefghijk\xc3", 12), 11);
	assert_int_equal(pit_utf8_valid("\xf4\x8f\xbf\xbf", 4), 4);
	assert_int_equal(pit_utf8_valid("\xf4\x90\x80\x80", 4), 0);
	assert_int_equal(pit_utf8_valid("\xf0\x8f\xbf\xbf", 4), 0);
	assert_int_equal(pit_utf8_valid("\xe0\x9f\xbf", 3), 0);
	assert_int_equal(pit_utf8_valid("\x80", 1), 0);
	for (uint32_t code = 0; code <= 0x10ffff; code += code < 0x900 ? 1 : 97) {
		size_t n = pit_utf8_put(out, code);

		assert_int_equal(pit_utf8_valid(out, n), code >= 0xd800 && code < 0xe000 ? 0 : n);
	}
	assert_string_equal(pit_utf8_show("a\nb\x7f", out, sizeof(out)), "a?b?");
	assert_string_equal(pit_utf8_show("1234567", small, sizeof(small)), "1234567");
	assert_string_equal(pit_utf8_show("12345678", small, sizeof(small)), "1234...");
	assert_string_equal(pit_utf8_show("123\xc3\xa9xxxx", small, sizeof(small)), "123...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),         cmocka_unit_test(test_bad),    cmocka_unit_test(test_cut),
		cmocka_unit_test(test_values),       cmocka_unit_test(test_length), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_bomb),         cmocka_unit_test(test_many),   cmocka_unit_test(test_cases),
		cmocka_unit_test(test_format),       cmocka_unit_test(test_dtypes), cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_format_bytes), cmocka_unit_test(test_utf8),   cmocka_unit_test(test_format_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
