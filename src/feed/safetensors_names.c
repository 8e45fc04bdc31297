/* SPDX-License-Identifier: MIT */
#include "feed/safetensors_names.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void pit_name_set(struct pit_name *n, const char *name, size_t number)
{
	*n = (struct pit_name){.hash = XXH3_64bits(name, strlen(name)), .name = name, .number = number};
}

static int compare(const void *a, const void *b)
{
	const struct pit_name *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Equal names by number, so that which of them comes first does not hang on the sort. */
static int compare_all(const void *a, const void *b)
{
	const struct pit_name *x = a, *y = b;
	int order = compare(a, b);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

void pit_names_sort(struct pit_name *names, size_t count)
{
	if (count)
		qsort(names, count, sizeof(*names), compare_all);
}

const struct pit_name *pit_names_twice(const struct pit_name *names, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (!compare(&names[i - 1], &names[i]))
			return &names[i - 1];
	return NULL;
}

const struct pit_name *pit_names_find(const struct pit_name *names, size_t count, const char *name)
{
	struct pit_name wanted;

	if (!count)
		return NULL;
	pit_name_set(&wanted, name, 0);
	return bsearch(&wanted, names, count, sizeof(*names), compare);
}
