/* SPDX-License-Identifier: MIT */
#include "host/intr.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"

void pit_intr_free(struct pit_intr *i)
{
	pit_cleanup_free(&i->count);
	*i = (struct pit_intr){0};
}

static size_t count_words(const char *line)
{
	size_t n = 0;

	for (const char *c = line; *c && *c != '\n'; c++)
		n += *c != ' ' && (c[1] == ' ' || c[1] == '\n' || !c[1]);
	return n;
}

int pit_intr_parse(const char *stat, struct pit_intr *ret)
{
	const char *line = !strncmp(stat, "intr ", 5) ? stat : strstr(stat, "\nintr ");
	struct pit_intr i = {0};
	size_t words;
	char *end;

	if (!line)
		return -ENOENT;
	line += *line == '\n' ? 6 : 5;
	words = count_words(line);
	if (!words || words > PIT_INTR_MAX)
		return -EBADMSG;
	i.count = calloc(words, sizeof(*i.count));
	if (!i.count)
		return -ENOMEM;
	for (size_t at = 0; at < words; at++, line = end) {
		line += strspn(line, " ");
		i.count[at] = strtoull(line, &end, 10);
		if (!isdigit((unsigned char)*line) || (*end != ' ' && *end != '\n' && *end)) {
			pit_intr_free(&i);
			return -EBADMSG;
		}
	}
	memmove(i.count, i.count + 1, (words - 1) * sizeof(*i.count)); /* the first is the total */
	i.counts = words - 1;
	*ret = i;
	return 0;
}
