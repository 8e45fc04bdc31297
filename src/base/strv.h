/* SPDX-License-Identifier: MIT
 *
 * A vector of owned strings. All-zero is the empty vector.
 */
#ifndef PIT_BASE_STRV_H
#define PIT_BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct pit_strv {
	char **item;
	size_t count;
	size_t size;
};

void pit_strv_free(struct pit_strv *v); /* back to empty; keeps errno */
#define pit_auto_strv PIT_CLEANUP(pit_strv_free)

int pit_strv_add(struct pit_strv *v, const char *text); /* copies; 0 or -ENOMEM */
int pit_strv_addf(struct pit_strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int pit_strv_add_len(struct pit_strv *v, const char *text, size_t len);

/* Adds the parts of `text` between any of the bytes in `separators`; empty parts are left out. */
int pit_strv_split(struct pit_strv *v, const char *text, const char *separators);

bool pit_strv_has(const struct pit_strv *v, const char *text);

/* Numbers inside names count as numbers: cpu2 before cpu10. */
void pit_strv_sort(struct pit_strv *v);

#endif
