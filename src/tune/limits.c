/* SPDX-License-Identifier: MIT */
#include "tune/limits.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"

const struct pit_limit_item pit_limit_items[] = {
	{.item = "memlock", .key = "LimitMEMLOCK", .proc = "Max locked memory", .bytes = true, .common = "8M"},
	{.item = "nofile", .key = "LimitNOFILE", .proc = "Max open files", .common = "1024:524288"},
	{.item = "nproc", .key = "LimitNPROC", .proc = "Max processes"},
	{.item = "stack", .key = "LimitSTACK", .proc = "Max stack size", .bytes = true},
	{0},
};

const struct pit_limit_item *pit_limit_item(const char *item)
{
	for (const struct pit_limit_item *i = pit_limit_items; i->item; i++)
		if (!strcmp(i->item, item))
			return i;
	return NULL;
}

/* One side of the colon. pit_parse_size() knows neither P nor E, and systemd neither "kB" nor "KiB". */
static int parse_one(const char *text, size_t len, uint64_t *ret)
{
	static const char units[] = "KMGTPE";
	const char *unit = NULL;
	uint64_t value;
	char number[32];

	while (len && strchr(" \t", text[len - 1]))
		len--;
	for (; len && strchr(" \t", *text); text++)
		len--;
	if (len >= sizeof(number))
		return -EINVAL;
	snprintf(number, sizeof(number), "%.*s", (int)len, text);
	if (!strcasecmp(number, "infinity") || !strcasecmp(number, "unlimited")) {
		*ret = UINT64_MAX;
		return 0;
	}
	len = strlen(number);
	if (len > 1 && (unit = strchr(units, number[len - 1])))
		number[len - 1] = '\0';
	if (number[0] < '0' || number[0] > '9' || pit_parse_u64(number, &value))
		return -EINVAL;
	for (const char *u = units; unit && u <= unit; u++)
		if (__builtin_mul_overflow(value, (uint64_t)1024, &value))
			return -EINVAL;
	*ret = value;
	return 0;
}

int pit_limit_parse(const char *text, struct pit_pair *ret)
{
	const char *colon = strchr(text, ':');
	struct pit_pair pair;
	int rc = parse_one(text, colon ? (size_t)(colon - text) : strlen(text), &pair.soft);

	pair.hard = pair.soft;
	if (!rc && colon)
		rc = parse_one(colon + 1, strlen(colon + 1), &pair.hard);
	if (!rc && pair.soft > pair.hard)
		rc = -EINVAL;
	if (!rc)
		*ret = pair;
	return rc;
}

static void print_one(uint64_t value, char *out, size_t size)
{
	if (value == UINT64_MAX)
		snprintf(out, size, "infinity");
	else
		snprintf(out, size, "%" PRIu64, value);
}

char *pit_limit_print(const struct pit_pair *pair, char *out, size_t size)
{
	size_t len;

	print_one(pair->soft, out, size);
	len = strlen(out);
	if (pair->soft != pair->hard && len + 1 < size) {
		out[len] = ':';
		print_one(pair->hard, out + len + 1, size - len - 1);
	}
	return out;
}
