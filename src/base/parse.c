/* SPDX-License-Identifier: MIT */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* Digits of `base` from *text on; moves *text behind them. */
static int digits(const char **text, unsigned base, uint64_t *ret_value)
{
	const char *s = *text;
	uint64_t value = 0;

	for (; isxdigit((unsigned char)*s); s++) {
		unsigned d = isdigit((unsigned char)*s) ? (unsigned)(*s - '0')
							: (unsigned)(tolower((unsigned char)*s) - 'a') + 10;

		if (d >= base)
			break;
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)d, &value))
			return -ERANGE;
	}
	if (s == *text)
		return -EINVAL;
	*text = s;
	*ret_value = value;
	return 0;
}

static int whole(const char *text, unsigned base, uint64_t *ret_value)
{
	uint64_t value;
	int rc = digits(&text, base, &value);

	if (rc)
		return rc;
	if (*skip_space(text))
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int pit_parse_u64(const char *text, uint64_t *ret_value)
{
	return whole(skip_space(text), 10, ret_value);
}

int pit_parse_hex(const char *text, uint64_t *ret_value)
{
	text = skip_space(text);
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	return whole(text, 16, ret_value);
}

int pit_parse_i64(const char *text, int64_t *ret_value)
{
	bool negative;
	uint64_t value;
	int rc;

	text = skip_space(text);
	negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	rc = whole(text, 10, &value);
	if (rc)
		return rc;
	if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return -ERANGE;
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

int pit_parse_double(const char *text, double *ret_value)
{
	char *end;
	double value;

	text = skip_space(text);
	if (!isdigit((unsigned char)*text) && *text != '-' && *text != '.')
		return -EINVAL;
	errno = 0;
	value = strtod(text, &end);
	if (end == text || *skip_space(end))
		return -EINVAL;
	if (errno)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int pit_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "kmgtp";
	const char *unit;
	uint64_t value;
	int rc;

	text = skip_space(text);
	rc = digits(&text, 10, &value);
	if (rc)
		return rc;
	text = skip_space(text);
	unit = *text ? strchr(units, tolower((unsigned char)*text)) : NULL;
	if (unit) {
		uint64_t factor = UINT64_C(1) << (10 * (unit - units + 1));

		if (__builtin_mul_overflow(value, factor, &value))
			return -ERANGE;
		text++;
		if (*text == 'i' && (text[1] == 'B' || text[1] == 'b'))
			text++;
	}
	if (*text == 'B' || *text == 'b')
		text++;
	if (*skip_space(text))
		return -EINVAL;
	*ret_bytes = value;
	return 0;
}

static const struct {
	const char *unit;
	double seconds;
} durations[] = {
	{"", 1},     {"s", 1},    {"sec", 1},     {"ms", 0.001}, {"m", 60},
	{"min", 60}, {"h", 3600}, {"hour", 3600}, {"d", 86400},  {"day", 86400},
};

int pit_parse_duration(const char *text, int64_t *ret_ns)
{
	char *end = NULL;
	char unit[8];
	double value;

	text = skip_space(text);
	value = isdigit((unsigned char)*text) ? strtod(text, &end) : 0;
	if (!end || end != text + strspn(text, "0123456789.")) /* no hexadecimals, no 1e5 */
		return -EINVAL;
	pit_first_line(end, unit, sizeof(unit));
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		if (strcmp(unit, durations[i].unit) != 0)
			continue;
		value *= durations[i].seconds * 1e9;
		if (!(value < 9.2e18))
			return -ERANGE;
		*ret_ns = (int64_t)(value + 0.5);
		return 0;
	}
	return -EINVAL;
}

int pit_parse_bool(const char *text, bool *ret_value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"1", true},    {"0", false},     {"yes", true}, {"no", false}, {"on", true},      {"off", false},
		{"true", true}, {"false", false}, {"y", true},   {"n", false},  {"enabled", true}, {"disabled", false},
	};
	char word[16];

	pit_first_line(text, word, sizeof(word));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(word, words[i].word)) {
			*ret_value = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

char *pit_format_size(uint64_t bytes, char *out, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	size_t u = 0;

	while (value >= 1024 && u + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		u++;
	}
	if (value == (double)(uint64_t)value || !u)
		snprintf(out, size, "%.0f %s", value, units[u]);
	else
		snprintf(out, size, "%.1f %s", value, units[u]);
	return out;
}

char *pit_format_duration(int64_t ns, char *out, size_t size)
{
	int64_t ms = ns / 1000000;

	if (ms < 1000)
		snprintf(out, size, "%d ms", (int)ms);
	else if (ms % 1000)
		snprintf(out, size, "%.3g s", (double)ms / 1000);
	else if (ms % 60000 || ms < 120000)
		snprintf(out, size, "%lld s", (long long)(ms / 1000));
	else if (ms % 3600000)
		snprintf(out, size, "%lld min", (long long)(ms / 60000));
	else
		snprintf(out, size, "%lld h", (long long)(ms / 3600000));
	return out;
}

char *pit_format_age(double seconds, char *out, size_t size)
{
	if (seconds < 0)
		snprintf(out, size, "unknown age");
	else if (seconds < 120)
		snprintf(out, size, "%.0f s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(out, size, "%.0f min", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(out, size, "%.0f h", seconds / 3600);
	else
		snprintf(out, size, "%.0f days", seconds / 86400);
	return out;
}

char *pit_first_line(const char *text, char *out, size_t size)
{
	size_t len;

	text += strspn(text, " \t\r\v\f");
	len = strcspn(text, "\n");
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(out, text, len);
	out[len] = '\0';
	return out;
}
