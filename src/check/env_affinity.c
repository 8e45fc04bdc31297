/* SPDX-License-Identifier: MIT
 *
 * Lists of CPUs in the variables of the OpenMP runtimes.
 */
#include <ctype.h>
#include <string.h>

#include "check/env.h"

#define ADDS_MAX (1 << 20) /* CPUs named in one text, over and over; more is no setting but an attack */

/* What a text named so far. */
struct named {
	struct pit_idset *cpus;
	long adds;
};

static int name_cpu(struct named *n, long cpu)
{
	if (++n->adds > ADDS_MAX || cpu >= PIT_IDSET_MAX)
		return -EINVAL;
	return pit_idset_add(n->cpus, (size_t)cpu);
}

/* A number at *p, which moves behind it; -1 none or too big. */
static long number(const char **p)
{
	long value = 0;

	if (!isdigit((unsigned char)**p))
		return -1;
	for (; isdigit((unsigned char)**p); ++*p)
		if (value <= PIT_IDSET_MAX)
			value = value * 10 + (**p - '0');
	return value < PIT_IDSET_MAX ? value : -1;
}

/* "3", "3-7", "4-15:2". */
static int gomp_item(const char **p, struct named *ret)
{
	long first = number(p), last = first, step = 1;

	if (**p == '-') {
		++*p;
		last = number(p);
	}
	if (**p == ':') {
		++*p;
		step = number(p);
	}
	if (first < 0 || last < first || step < 1)
		return -EINVAL;
	for (; first <= last; first += step)
		if (name_cpu(ret, first))
			return -EINVAL;
	return 0;
}

int pit_env_gomp_cpus(const char *text, struct pit_idset *ret)
{
	const char *separators = ", \t{}";
	struct named named = {.cpus = ret};
	int rc = 0;

	for (text += strspn(text, separators); *text && !rc; text += strspn(text, separators)) {
		rc = gomp_item(&text, &named);
		if (!rc && *text && !strchr(separators, *text))
			return -EINVAL;
	}
	return rc ? rc : pit_idset_is_empty(ret) ? -ENOENT : 0;
}

int pit_env_kmp_cpus(const char *text, struct pit_idset *ret)
{
	const char *list = strcasestr(text, "proclist=");
	char inside[1024];
	size_t len;

	if (!list)
		return -ENOENT;
	list += 9;
	list += *list == '[';
	len = strcspn(list, "]");
	if (len >= sizeof(inside))
		return -EINVAL;
	snprintf(inside, sizeof(inside), "%.*s", (int)len, list);
	return pit_env_gomp_cpus(inside, ret);
}

/* "first:length:step" in a place, or behind one; absent parts are 1. */
static int interval(const char **p, long *ret_length, long *ret_step)
{
	long value[2] = {1, 1};

	for (int i = 0; i < 2 && **p == ':'; i++) {
		++*p;
		value[i] = number(p);
		if (value[i] < 1)
			return -EINVAL;
	}
	*ret_length = value[0];
	*ret_step = value[1];
	return 0;
}

/* "{0,1,2:4:2}" */
static int read_place(const char **p, struct named *place)
{
	for (++*p; **p != '}';) {
		long first, length, step;

		first = number(p);
		if (first < 0 || interval(p, &length, &step))
			return -EINVAL;
		for (long i = 0; i < length; i++)
			if (name_cpu(place, first + i * step))
				return -EINVAL;
		if (**p == ',')
			++*p;
		else if (**p != '}')
			return -EINVAL;
	}
	++*p;
	return 0;
}

int pit_env_omp_places(const char *text, struct pit_idset *ret)
{
	struct named all = {.cpus = ret};

	if (*text != '{')
		return isalpha((unsigned char)*text) ? -ENOENT : -EINVAL;
	while (*text) {
		pit_auto_idset struct pit_idset place = {0};
		struct named one = {.cpus = &place, .adds = all.adds};
		long length, step;

		if (*text != '{' || read_place(&text, &one) || interval(&text, &length, &step))
			return -EINVAL;
		all.adds = one.adds;
		for (long i = 0; i < length; i++)
			PIT_IDSET_FOREACH (cpu, &place)
				if (name_cpu(&all, cpu + i * step))
					return -EINVAL;
		if (*text == ',')
			text++;
		else if (*text)
			return -EINVAL;
	}
	return pit_idset_is_empty(ret) ? -ENOENT : 0;
}
