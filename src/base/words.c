/* SPDX-License-Identifier: MIT */
#include "base/words.h"

#include <string.h>
#include <strings.h>

static bool have(const char *list, const char *separators, const char *word,
		 int (*compare)(const char *, const char *, size_t))
{
	size_t len = strlen(word);

	while (*(list += strspn(list, separators))) {
		size_t n = strcspn(list, separators);

		if (n == len && !compare(list, word, n))
			return true;
		list += n;
	}
	return false;
}

bool pit_words_have(const char *list, const char *separators, const char *word)
{
	return have(list, separators, word, strncmp);
}

bool pit_words_have_in_any_case(const char *list, const char *separators, const char *word)
{
	return have(list, separators, word, strncasecmp);
}

bool pit_is_among(const char *word, const char *const *words)
{
	while (*words && strcmp(word, *words) != 0)
		words++;
	return *words;
}
