/* SPDX-License-Identifier: MIT
 *
 * Values for JSON that may be unknown. Each is a new reference; NULL when memory ran out.
 */
#ifndef PIT_BASE_JSON_H
#define PIT_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"

/* A text that may be foreign: when it is not UTF-8, bytes beyond ASCII come out as '?'. NULL becomes null. */
json_t *pit_json_text(const char *text);

json_t *pit_json_number(int64_t n); /* below 0: null */

/* Appends the whole text, laid out for a person too, and a newline. `top` is consumed; NULL, as after every other
 * failure: 0 becomes -ENOMEM, and the buffer has failed. */
int pit_json_put(json_t *top, struct pit_buf *out);

#endif
