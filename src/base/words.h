/* SPDX-License-Identifier: MIT
 *
 * Words in lists that stay as they are: texts, and arrays that end with NULL.
 */
#ifndef PIT_BASE_WORDS_H
#define PIT_BASE_WORDS_H

#include <stdbool.h>

/* True when `word` is one of those that stand in `list` between any of the bytes in `separators`. */
bool pit_words_have(const char *list, const char *separators, const char *word);
bool pit_words_have_in_any_case(const char *list, const char *separators, const char *word);

bool pit_is_among(const char *word, const char *const *words);

#endif
