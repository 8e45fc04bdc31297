/* SPDX-License-Identifier: MIT
 *
 * Values for JSON that may be unknown. Each is a new reference; NULL when memory ran out.
 */
#ifndef PIT_BASE_JSON_H
#define PIT_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

/* A text that may be foreign: when it is not UTF-8, bytes beyond ASCII come out as '?'. NULL becomes null. */
json_t *pit_json_text(const char *text);

json_t *pit_json_number(int64_t n); /* below 0: null */

#endif
