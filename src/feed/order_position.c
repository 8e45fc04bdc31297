/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "feed/order.h"

#define VERSION 1
#define EXACT (UINT64_C(1) << 53) /* many readers of JSON round what is greater */

static const char *const shuffles[] = {
	[PIT_SHUFFLE_FULL] = "full",
	[PIT_SHUFFLE_BLOCKS] = "blocks",
	[PIT_SHUFFLE_NONE] = "none",
};

static const struct field {
	const char *key;
	size_t at; /* of a uint64_t in struct pit_position */
} fields[] = {
	{.key = "seed", .at = offsetof(struct pit_position, order.seed)},
	{.key = "epoch", .at = offsetof(struct pit_position, order.epoch)},
	{.key = "consumed", .at = offsetof(struct pit_position, consumed)},
	{.key = "samples", .at = offsetof(struct pit_position, order.count)},
	{.key = "block", .at = offsetof(struct pit_position, order.block)},
	{.key = "window", .at = offsetof(struct pit_position, order.window)},
};

int pit_position_text(const struct pit_position *p, char *text, size_t size)
{
	char numbers[PIT_COUNT(fields) * 40] = "";
	size_t len = 0;

	for (size_t i = 0; i < PIT_COUNT(fields); i++) {
		uint64_t n = *(const uint64_t *)((const char *)p + fields[i].at);
		const char *quote = n > EXACT ? "\"" : "";

		len += (size_t)snprintf(numbers + len, sizeof(numbers) - len, "\"%s\": %s%" PRIu64 "%s, ",
					fields[i].key, quote, n, quote);
	}
	return snprintf(text, size,
			"{\"pitcrew_position\": %d, %s\"shuffle\": \"%s\", \"fingerprint\": \"%016" PRIx64 "\"}",
			VERSION, numbers, shuffles[p->order.shuffle], p->fingerprint);
}

/* A number, or the same in quotation marks. */
static int number_of(const json_t *top, const char *key, uint64_t *ret, struct pit_error *err)
{
	const json_t *v = json_object_get(top, key);
	const char *text = json_string_value(v);

	if (json_is_integer(v) && json_integer_value(v) >= 0)
		*ret = (uint64_t)json_integer_value(v);
	else if (!text || pit_parse_u64(text, ret))
		return pit_fail(err, EINVAL, "position: \"%s\" is %s", key, v ? "no number of 64 bits" : "missing");
	return 0;
}

static int shuffle_of(const json_t *top, enum pit_shuffle *ret, struct pit_error *err)
{
	const char *text = json_string_value(json_object_get(top, "shuffle"));

	for (size_t i = 0; text && i < PIT_COUNT(shuffles); i++) {
		if (!strcmp(shuffles[i], text)) {
			*ret = (enum pit_shuffle)i;
			return 0;
		}
	}
	return pit_fail(err, EINVAL, "position: \"shuffle\" is none of full, blocks, none");
}

static int parse_object(const json_t *top, struct pit_position *p, struct pit_error *err)
{
	const char *print = json_string_value(json_object_get(top, "fingerprint"));
	uint64_t version;
	int rc = number_of(top, "pitcrew_position", &version, err);

	if (!rc && version != VERSION)
		rc = pit_fail(err, EINVAL, "position: of version %" PRIu64 ", this is version %d", version, VERSION);
	for (size_t i = 0; i < PIT_COUNT(fields) && !rc; i++)
		rc = number_of(top, fields[i].key, (uint64_t *)((char *)p + fields[i].at), err);
	if (!rc)
		rc = shuffle_of(top, &p->order.shuffle, err);
	if (!rc && (!print || pit_parse_hex(print, &p->fingerprint)))
		rc = pit_fail(err, EINVAL, "position: \"fingerprint\" is no hexadecimal text");
	if (!rc && p->consumed > p->order.count)
		rc = pit_fail(err, EINVAL, "position: %" PRIu64 " of %" PRIu64 " samples consumed", p->consumed,
			      p->order.count);
	if (!rc && p->order.shuffle == PIT_SHUFFLE_BLOCKS && (!p->order.block || !p->order.window))
		rc = pit_fail(err, EINVAL, "position: \"block\" and \"window\" must be 1 or more");
	return rc;
}

int pit_position_parse(const char *text, struct pit_position *ret, struct pit_error *err)
{
	struct pit_position p = {0};
	json_error_t why;
	json_t *top = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	int rc;

	if (!top)
		return pit_fail(err, EINVAL, "position: no JSON: %s", why.text);
	rc = json_is_object(top) ? parse_object(top, &p, err) : pit_fail(err, EINVAL, "position: no JSON object");
	json_decref(top);
	if (!rc)
		*ret = p;
	return rc;
}
