/* SPDX-License-Identifier: MIT */
#include "tune/number.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <string.h>

#include "base/cleanup.h"

#define DIGITS_MAX 64

struct unit {
	const char *name;
	double times;
	bool whole; /* a word of its own; else more letters may follow: "MB/s", "Mops" */
	bool apart; /* may stand apart from its number */
};

/* The first that fits counts. */
static const struct unit units[] = {
	{.name = "Ki", .times = 1024.0, .apart = true},
	{.name = "Mi", .times = 1048576.0, .apart = true},
	{.name = "Gi", .times = 1073741824.0, .apart = true},
	{.name = "Ti", .times = 1099511627776.0, .apart = true},
	{.name = "KB", .times = 1e3, .apart = true},
	{.name = "kB", .times = 1e3, .apart = true},
	{.name = "MB", .times = 1e6, .apart = true},
	{.name = "GB", .times = 1e9, .apart = true},
	{.name = "TB", .times = 1e12, .apart = true},
	{.name = "Kb", .times = 1e3, .apart = true},
	{.name = "kb", .times = 1e3, .apart = true},
	{.name = "Mb", .times = 1e6, .apart = true},
	{.name = "Gb", .times = 1e9, .apart = true},
	{.name = "Tb", .times = 1e12, .apart = true},
	{.name = "k", .times = 1e3},
	{.name = "K", .times = 1e3},
	{.name = "M", .times = 1e6},
	{.name = "G", .times = 1e9},
	{.name = "T", .times = 1e12},
	{.name = "ns", .times = 1e-9, .whole = true, .apart = true},
	{.name = "us", .times = 1e-6, .whole = true, .apart = true},
	{.name = "usec", .times = 1e-6, .whole = true, .apart = true},
	{.name = "\xc2\xb5s", .times = 1e-6, .whole = true, .apart = true}, /* micro sign */
	{.name = "\xce\xbcs", .times = 1e-6, .whole = true, .apart = true}, /* Greek mu */
	{.name = "ms", .times = 1e-3, .whole = true, .apart = true},
	{.name = "msec", .times = 1e-3, .whole = true, .apart = true},
	{.name = "min", .times = 60, .whole = true, .apart = true},
};

static double unit_times(const char *text)
{
	bool apart = *text == ' ';

	text += apart;
	for (size_t i = 0; i < PIT_COUNT(units); i++) {
		size_t n = strlen(units[i].name);

		if (strncmp(text, units[i].name, n) || (apart && !units[i].apart))
			continue;
		if (!units[i].whole || !isalnum((unsigned char)text[n]))
			return units[i].times;
	}
	return 1;
}

/* Copies digits without the commas between groups of three; the first byte behind them, NULL when a comma stands
 * elsewhere. */
static const char *copy_digits(const char *text, char *out, size_t *len)
{
	size_t group = 0; /* digits since the last comma */
	bool grouped = false;

	for (; *len < DIGITS_MAX && (isdigit((unsigned char)*text) || *text == ','); text++) {
		if (*text != ',') {
			out[(*len)++] = *text;
			group++;
			continue;
		}
		if (!isdigit((unsigned char)text[1]))
			break;
		if (!group || group > 3 || (grouped && group != 3))
			return NULL;
		grouped = true;
		group = 0;
	}
	return grouped && group != 3 ? NULL : text;
}

static const char *copy_number(const char *text, char *out)
{
	size_t len = 0, exponent;

	if (*text == '-' || *text == '+')
		out[len++] = *text++;
	text = copy_digits(text, out, &len);
	if (!text)
		return NULL;
	if (*text == '.')
		for (out[len++] = *text++; isdigit((unsigned char)*text) && len < DIGITS_MAX; text++)
			out[len++] = *text;
	exponent = *text == 'e' || *text == 'E' ? 1 : 0;
	if (exponent && (text[1] == '-' || text[1] == '+'))
		exponent = 2;
	if (exponent && isdigit((unsigned char)text[exponent])) {
		memcpy(out + len, text, exponent);
		len += exponent;
		for (text += exponent; isdigit((unsigned char)*text) && len < DIGITS_MAX + 8; text++)
			out[len++] = *text;
	}
	out[len] = '\0';
	return text;
}

int pit_number_read(const char *text, double *ret)
{
	char number[DIGITS_MAX + 16], *end;
	const char *rest;
	double value;

	while (*text == ' ' || *text == '\t')
		text++;
	rest = copy_number(text, number);
	if (!rest || isdigit((unsigned char)*rest) || (!strcmp(number, "0") && tolower((unsigned char)*rest) == 'x'))
		return -EINVAL;
	if (!strpbrk(number, "0123456789"))
		return -EINVAL;
	value = strtod(number, &end);
	if (*end || !isfinite(value))
		return -EINVAL;
	*ret = value * unit_times(rest);
	return 0;
}

struct pit_pattern {
	regex_t re;
};

int pit_pattern_new(const char *expression, struct pit_pattern **ret, char *why, size_t size)
{
	struct pit_pattern *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	rc = regcomp(&p->re, expression, REG_EXTENDED);
	if (rc) {
		regerror(rc, &p->re, why, size);
		free(p);
		return -EINVAL;
	}
	*ret = p;
	return 0;
}

void pit_pattern_free(struct pit_pattern *p)
{
	int saved = errno;

	if (p)
		regfree(&p->re);
	free(p);
	errno = saved;
}

/* Where the first number of `text` begins; its end when there is none. */
static const char *skip_to_number(const char *text)
{
	const char *digit = text + strcspn(text, "0123456789");

	while (digit > text && strchr("+-.", digit[-1]))
		digit--;
	return digit;
}

int pit_pattern_find(const struct pit_pattern *p, const char *line, double *ret)
{
	regmatch_t m[2];

	if (regexec(&p->re, line, PIT_COUNT(m), m, 0))
		return -ENOENT;
	if (m[1].rm_so < 0)
		return pit_number_read(skip_to_number(line + m[0].rm_eo), ret);
	return pit_number_read(line + m[1].rm_so, ret);
}
