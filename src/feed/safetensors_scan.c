/* SPDX-License-Identifier: MIT */
#include "feed/safetensors_scan.h"

#include <errno.h>
#include <string.h>

#include "feed/utf8.h"

int pit_scan_fail(struct pit_scan *s, const char *why)
{
	s->why = why;
	return -EBADMSG;
}

/* The next byte behind white space; 0 at the end (a NUL byte is nothing that any caller waits for). */
static char peek(struct pit_scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
	return s->at < s->end ? *s->at : '\0';
}

static const char *expected(char c)
{
	switch (c) {
	case '{':
		return "an object { must begin here";
	case '[':
		return "an array [ must begin here";
	case ':':
		return "a colon must come here";
	case ']':
		return "the array must end here";
	default:
		return "a string must begin here";
	}
}

int pit_scan_char(struct pit_scan *s, char c)
{
	if (peek(s) != c)
		return pit_scan_fail(s, s->at == s->end ? "the JSON ends too early" : expected(c));
	s->at++;
	return 0;
}

int pit_scan_next(struct pit_scan *s, char close, bool *first)
{
	char c = peek(s);

	if (c == close) {
		s->at++;
		return 0;
	}
	if (s->at == s->end)
		return pit_scan_fail(s, "the JSON ends too early");
	if (*first) {
		*first = false;
		return 1;
	}
	if (c != ',')
		return pit_scan_fail(s, close == ']' ? "a comma or ] must come here" : "a comma or } must come here");
	s->at++;
	if (peek(s) == close)
		return pit_scan_fail(s, "nothing comes behind the comma");
	return 1;
}

static int hex4(struct pit_scan *s, uint32_t *ret)
{
	uint32_t code = 0;

	if (s->end - s->at < 4)
		return pit_scan_fail(s, "the JSON ends too early");
	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)*s->at, low = c | 0x20;

		if (c >= '0' && c <= '9')
			code = code << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			code = code << 4 | (uint32_t)(low - 'a' + 10);
		else
			return pit_scan_fail(s, "\\u wants four hexadecimal digits");
		s->at++;
	}
	*ret = code;
	return 0;
}

/* What follows "\u". */
static int escaped_code(struct pit_scan *s)
{
	uint32_t code, low;
	int rc = hex4(s, &code);

	if (rc)
		return rc;
	if (code >= 0xdc00 && code < 0xe000)
		return pit_scan_fail(s, "the second half of a surrogate pair stands alone");
	if (code >= 0xd800 && code < 0xdc00) {
		if (s->end - s->at < 2 || s->at[0] != '\\' || s->at[1] != 'u')
			return pit_scan_fail(s, "the first half of a surrogate pair stands alone");
		s->at += 2;
		rc = hex4(s, &low);
		if (rc)
			return rc;
		if (low < 0xdc00 || low >= 0xe000)
			return pit_scan_fail(s, "the first half of a surrogate pair stands alone");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	s->text += pit_utf8_put(s->text, code);
	return 0;
}

/* What follows a backslash. */
static int escaped(struct pit_scan *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known;
	char c = s->at < s->end ? *s->at : '\0';

	if (c == 'u') {
		s->at++;
		return escaped_code(s);
	}
	known = c ? strchr(from, c) : NULL;
	if (!known)
		return pit_scan_fail(s, "no such escape");
	s->at++;
	*s->text++ = to[known - from];
	return 0;
}

int pit_scan_string(struct pit_scan *s, const char **ret, size_t *ret_len)
{
	char *begin = s->text;
	int rc = pit_scan_char(s, '"');

	while (!rc) {
		if (s->at == s->end)
			return pit_scan_fail(s, "the JSON ends in a string");
		if (*s->at == '"')
			break;
		if ((unsigned char)*s->at < 0x20)
			return pit_scan_fail(s, "a control character in a string must be escaped");
		if (*s->at != '\\') {
			*s->text++ = *s->at++;
			continue;
		}
		s->at++;
		rc = escaped(s);
	}
	if (rc)
		return rc;
	s->at++;
	*ret = begin;
	*ret_len = (size_t)(s->text - begin);
	*s->text++ = '\0';
	return 0;
}

int pit_scan_key(struct pit_scan *s, const char **ret, size_t *ret_len)
{
	int rc = pit_scan_string(s, ret, ret_len);

	return rc ? rc : pit_scan_char(s, ':');
}

static bool digit(const struct pit_scan *s)
{
	return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

int pit_scan_u64(struct pit_scan *s, uint64_t *ret)
{
	char c = peek(s);
	const char *begin = s->at;
	uint64_t value = 0;

	if (c == '-')
		return pit_scan_fail(s, "a number with a sign, where a length or offset belongs");
	if (!digit(s))
		return pit_scan_fail(s, s->at == s->end ? "the JSON ends too early" : "a whole number must come here");
	while (digit(s)) {
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s->at - '0'), &value))
			return pit_scan_fail(s, "a number that does not fit 64 bits");
		s->at++;
	}
	if (*begin == '0' && s->at - begin > 1)
		return pit_scan_fail(s, "a number with a leading zero");
	if (s->at < s->end && (*s->at == '.' || *s->at == 'e' || *s->at == 'E'))
		return pit_scan_fail(s, "a number with a dot or exponent, where a whole number belongs");
	*ret = value;
	return 0;
}

static int some_digits(struct pit_scan *s)
{
	if (!digit(s))
		return pit_scan_fail(s, "a digit must come here");
	while (digit(s))
		s->at++;
	return 0;
}

/* Any number: "-0.5e+7". */
static int number(struct pit_scan *s)
{
	const char *begin;
	int rc;

	if (*s->at == '-')
		s->at++;
	begin = s->at;
	rc = some_digits(s);
	if (!rc && *begin == '0' && s->at - begin > 1)
		return pit_scan_fail(s, "a number with a leading zero");
	if (!rc && s->at < s->end && *s->at == '.') {
		s->at++;
		rc = some_digits(s);
	}
	if (!rc && s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		rc = some_digits(s);
	}
	return rc;
}

bool pit_scan_word(struct pit_scan *s, const char *word)
{
	size_t n = strlen(word);

	if (peek(s) != *word || (size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
		return false;
	s->at += n;
	return true;
}

static int scalar(struct pit_scan *s, char c)
{
	char *text = s->text;
	const char *ignored;
	size_t len;
	int rc;

	if (c == '-' || digit(s))
		return number(s);
	if (c == '"') {
		rc = pit_scan_string(s, &ignored, &len);
		s->text = text;
		return rc;
	}
	if (pit_scan_word(s, "null") || pit_scan_word(s, "true") || pit_scan_word(s, "false"))
		return 0;
	return pit_scan_fail(s, s->at == s->end ? "the JSON ends too early" : "a value must come here");
}

/* Goes through arrays and objects by a list of what is open, one bit each, and not by recursion. */
int pit_scan_skip(struct pit_scan *s, unsigned depth)
{
	bool object[PIT_SCAN_DEPTH + 1], first = true;
	unsigned open = depth;
	int rc;

	do {
		char c = peek(s);

		if (c == '{' || c == '[') {
			if (open == PIT_SCAN_DEPTH)
				return pit_scan_fail(s, "arrays and objects lie too deep in each other");
			object[++open] = c == '{';
			first = true;
			s->at++;
		} else {
			rc = scalar(s, c);
			if (rc)
				return rc;
			first = false;
		}
		while (open > depth) {
			char *text = s->text;
			const char *key;
			size_t len;

			rc = pit_scan_next(s, object[open] ? '}' : ']', &first);
			if (rc > 0)
				rc = object[open] ? pit_scan_key(s, &key, &len) : 0;
			else if (!rc) {
				open--;
				first = false;
				continue;
			}
			s->text = text;
			if (rc)
				return rc;
			break;
		}
	} while (open > depth);
	return 0;
}

int pit_scan_finish(struct pit_scan *s)
{
	peek(s);
	return s->at == s->end ? 0 : pit_scan_fail(s, "something comes behind the JSON object");
}
