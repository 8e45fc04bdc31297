/* SPDX-License-Identifier: MIT
 *
 * Slurm's host lists: "a[1-3,07],b", also with several brackets in one name.
 */
#include <ctype.h>
#include <string.h>

#include "check/slurm_conf.h"

#define NUMBER_MAX UINT64_C(999999999999999999)
#define DEPTH_MAX 3 /* brackets in one name */

/* "3", "07-10" at *p: the numbers and the width to which the first is padded. */
static bool read_range(const char **p, uint64_t *ret_low, uint64_t *ret_high, int *ret_width)
{
	uint64_t value[2] = {0, 0};
	int width[2] = {0, 0};

	for (int i = 0; i < 2; i++) {
		for (; isdigit((unsigned char)**p); ++*p, width[i]++)
			value[i] = value[i] > NUMBER_MAX / 10 ? NUMBER_MAX : value[i] * 10 + (uint64_t)(**p - '0');
		if (!width[i] || width[i] > 18)
			return false;
		if (i || **p != '-')
			break;
		++*p;
	}
	*ret_low = value[0];
	*ret_high = width[1] ? value[1] : value[0];
	*ret_width = width[0];
	return *ret_low <= *ret_high;
}

/* How many characters of `host` one of the ranges in `brackets` (behind "[") takes; tries only exactly `digits`. */
static bool range_takes(const char *brackets, const char *host, int digits)
{
	uint64_t low, high, value = 0;
	char shown[24];
	int width;

	for (int i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(host[i] - '0');
	while (read_range(&brackets, &low, &high, &width)) {
		int len = snprintf(shown, sizeof(shown), "%0*llu", width, (unsigned long long)value);

		if (value >= low && value <= high && len == digits && !strncmp(shown, host, (size_t)digits))
			return true;
		if (*brackets != ',')
			break;
		brackets++;
	}
	return false;
}

/* One name of a list, of `len` characters, against the whole of `host`. */
static bool name_matches(const char *name, size_t len, const char *host, int depth)
{
	const char *end = name + len, *close;
	int digits;

	for (; name < end && *name != '['; name++, host++)
		if (tolower((unsigned char)*name) != tolower((unsigned char)*host))
			return false;
	if (name == end)
		return !*host;
	close = memchr(name, ']', (size_t)(end - name));
	if (!close || depth == DEPTH_MAX)
		return false;
	digits = (int)strspn(host, "0123456789");
	for (int n = digits > 18 ? 18 : digits; n > 0; n--)
		if (range_takes(name + 1, host, n) &&
		    name_matches(close + 1, (size_t)(end - close - 1), host + n, depth + 1))
			return true;
	return false;
}

/* Length of the first name of a list: commas inside of brackets belong to it. */
static size_t name_length(const char *list)
{
	bool inside = false;
	size_t n = 0;

	for (; list[n] && (inside || list[n] != ','); n++)
		inside = list[n] == '[' || (inside && list[n] != ']');
	return n;
}

bool pit_slurm_hosts_have(const char *list, const char *host)
{
	while (*list) {
		size_t n = name_length(list);

		if (name_matches(list, n, host, 0))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static int expand_name(const char *name, size_t len, struct pit_buf *head, size_t max, struct pit_strv *ret);

/* Every number of the ranges behind "[", each with what follows the "]". */
static int expand_ranges(const char *ranges, const char *rest, size_t len, struct pit_buf *head, size_t max,
			 struct pit_strv *ret)
{
	size_t keep = head->len;
	uint64_t low, high;
	int width, rc = 0;

	for (;; ranges++) {
		if (!read_range(&ranges, &low, &high, &width))
			return -EBADMSG;
		if (high - low >= max)
			return -E2BIG;
		for (; low <= high && !rc; low++) {
			pit_buf_printf(head, "%0*llu", width, (unsigned long long)low);
			rc = expand_name(rest, len, head, max, ret);
			if (!head->failed)
				head->data[head->len = keep] = '\0';
		}
		if (rc || *ranges != ',')
			break;
	}
	return rc ? rc : *ranges == ']' ? 0 : -EBADMSG;
}

static int expand_name(const char *name, size_t len, struct pit_buf *head, size_t max, struct pit_strv *ret)
{
	const char *open = memchr(name, '[', len), *close;
	size_t keep = head->len;
	int rc;

	if (head->failed)
		return -ENOMEM;
	if (keep > 4096)
		return -E2BIG;
	pit_buf_add(head, name, open ? (size_t)(open - name) : len);
	if (!open)
		return ret->count >= max ? -E2BIG : pit_strv_add(ret, head->data);
	close = memchr(open, ']', len - (size_t)(open - name));
	if (!close)
		return -EBADMSG;
	rc = expand_ranges(open + 1, close + 1, len - (size_t)(close + 1 - name), head, max, ret);
	if (!head->failed && head->size)
		head->data[head->len = keep] = '\0';
	return rc;
}

int pit_slurm_hosts_expand(const char *list, size_t max, struct pit_strv *ret)
{
	int rc = 0;

	while (*list && !rc) {
		pit_auto_buf struct pit_buf head = PIT_BUF_INIT;
		size_t n = name_length(list);

		if (n)
			rc = expand_name(list, n, &head, max, ret);
		list += n + (list[n] == ',');
	}
	return rc;
}
