/* SPDX-License-Identifier: MIT
 *
 * Slurm's two short forms of lists: hosts, and tasks per host.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "launch/identity.h"
#include "launch/placement.h"

/* The first of "07-09,12": a number, as it is written, which may have leading zeros. */
static int first_number(const char *text, size_t *ret_len)
{
	size_t len = strspn(text, "0123456789");

	if (!len || !strchr(",-]", text[len]) || !text[len])
		return -EINVAL;
	*ret_len = len;
	return 0;
}

int pit_identity_first_host(const char *list, char *ret, size_t size)
{
	char host[256];
	size_t n = 0;

	while (*list && *list != ',') {
		const char *from = list;
		size_t len = 1;

		if (*list == '[') {
			from = list + 1;
			if (first_number(from, &len) || !strchr(from, ']'))
				return -EINVAL;
			list = strchr(from, ']') + 1;
		} else if (isalnum((unsigned char)*list) || strchr("-._:", *list)) {
			list++;
		} else {
			return -EINVAL;
		}
		if (n + len >= sizeof(host))
			return -EINVAL;
		memcpy(host + n, from, len);
		n += len;
	}
	if (!n || n >= size)
		return -EINVAL;
	memcpy(ret, host, n);
	ret[n] = '\0';
	return 0;
}

/* A number from 1 to `max` at *p, which moves behind it. */
static int count(const char **p, unsigned max, unsigned *ret)
{
	unsigned n = 0;

	for (; isdigit((unsigned char)**p); ++*p) {
		n = n * 10 + (unsigned)(**p - '0');
		if (n > max)
			return -EINVAL;
	}
	*ret = n;
	return n ? 0 : -EINVAL;
}

int pit_identity_tasks_at(const char *list, unsigned at, int *ret)
{
	for (;;) {
		unsigned tasks, nodes = 1;

		if (count(&list, PIT_RANKS_MAX, &tasks))
			return -EINVAL;
		if (!strncmp(list, "(x", 2)) {
			list += 2;
			if (count(&list, 1u << 20, &nodes) || *list++ != ')')
				return -EINVAL;
		}
		if (*list && *list != ',')
			return -EINVAL;
		if (at < nodes) {
			*ret = (int)tasks;
			return 0;
		}
		at -= nodes;
		if (!*list++)
			return -EINVAL;
	}
}
