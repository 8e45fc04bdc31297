/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <string.h>

#define DIGITS 15 /* of these a double keeps all; with more, 0.1 becomes 0.10000000000000001 */

json_t *pit_json_text(const char *text)
{
	pit_auto_free char *copy = NULL;
	json_t *j = text ? json_string(text) : json_null();

	if (j)
		return j;
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		*c = (unsigned char)*c < 0x80 ? *c : '?';
	return json_string(copy);
}

json_t *pit_json_number(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

int pit_json_put(json_t *top, struct pit_buf *out)
{
	const size_t flags = JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(DIGITS);
	pit_auto_free char *text = top ? json_dumps(top, flags) : NULL;

	json_decref(top);
	if (text)
		pit_buf_printf(out, "%s\n", text);
	out->failed |= !text;
	return out->failed ? -ENOMEM : 0;
}
