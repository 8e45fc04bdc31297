/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include <string.h>

/* Levenshtein's distance; words longer than 63 bytes are far from everything. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64], left, diagonal;
	size_t n = strlen(b);

	if (n >= sizeof(row) / sizeof(row[0]))
		return ~0u;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = left = i;
		for (size_t j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (left + 1 < best)
				best = left + 1;
			diagonal = row[j];
			row[j] = left = best;
		}
	}
	return row[n];
}

const char *pit_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned least = (unsigned)strlen(word) / 2 + 1;

	for (; *names; names++) {
		unsigned d = distance(word, *names);

		if (d < least) {
			least = d;
			best = *names;
		}
	}
	return best;
}
