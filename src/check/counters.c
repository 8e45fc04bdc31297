/* SPDX-License-Identifier: MIT */
#include "check/counters.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

int pit_meminfo(struct pit_facts *f, const char *key, uint64_t *ret_bytes, struct pit_error *err)
{
	struct pit_text text;
	uint64_t kb;
	int rc = pit_root_read(pit_facts_root(f), &text, "/proc/meminfo");

	if (rc)
		return pit_fail(err, -rc, "/proc/meminfo");
	rc = pit_kv_u64(text.data, key, &kb);
	if (rc)
		return pit_fail(err, -rc, "%s in /proc/meminfo", key);
	if (kb > UINT64_MAX / 1024)
		return pit_fail(err, EBADMSG, "%s in /proc/meminfo", key);
	*ret_bytes = kb * 1024;
	return 0;
}

int pit_vmstat(struct pit_facts *f, const char *key, uint64_t *ret, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(pit_facts_root(f), &text, "/proc/vmstat");

	if (rc)
		return pit_fail(err, -rc, "/proc/vmstat");
	rc = pit_kv_u64(text.data, key, ret);
	return rc ? pit_fail(err, -rc, "%s in /proc/vmstat", key) : 0;
}

int pit_vmstat_sum(const char *text, const char *prefix, uint64_t *ret)
{
	size_t len = strlen(prefix);
	uint64_t sum = 0;
	bool found = false;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		char word[32];
		uint64_t n;

		line += *line == '\n';
		if (strncmp(line, prefix, len) != 0)
			continue;
		line += strcspn(line, " \n");
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(line, "\n"), line);
		if (pit_parse_u64(word, &n) || __builtin_add_overflow(sum, n, &sum))
			return -EBADMSG;
		found = true;
	}
	if (!found)
		return -ENOENT;
	*ret = sum;
	return 0;
}

int pit_vmstat_sum_rate(struct pit_facts *f, const char *prefix, double *ret_per_second, struct pit_error *err)
{
	struct pit_text first, second;
	uint64_t before, after;
	int64_t ns;
	int rc = pit_facts_again(f, "/proc/vmstat", &first, &second, &ns, err);

	if (rc)
		return rc;
	if (pit_vmstat_sum(first.data, prefix, &before) || pit_vmstat_sum(second.data, prefix, &after))
		return pit_fail(err, ENOENT, "%s in /proc/vmstat", prefix);
	*ret_per_second = pit_growth(before, after, (double)ns / 1e9);
	return 0;
}

int pit_two_readings(struct pit_facts *f, const char *path, const char **ret_first, const char **ret_second,
		     double *ret_seconds)
{
	struct pit_text first, second;
	int64_t ns = 0;
	int rc = pit_facts_again(f, path, &first, &second, &ns, NULL);

	if (rc == -EAGAIN)
		return rc;
	if (rc)
		rc = pit_root_read(pit_facts_root(f), &first, "%s", path);
	if (rc)
		return rc;
	*ret_seconds = (double)ns / 1e9;
	if (*ret_seconds < PIT_READINGS_MIN) {
		second = first;
		*ret_seconds = 0;
	}
	*ret_first = first.data;
	*ret_second = second.data;
	return 0;
}

double pit_growth(uint64_t before, uint64_t after, double seconds)
{
	if (!(seconds > 0))
		return -1;
	return after < before ? 0 : (double)(after - before) / seconds;
}

int pit_uptime(struct pit_facts *f, double *ret_seconds, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(pit_facts_root(f), &text, "/proc/uptime");

	if (!rc)
		rc = pit_uptime_parse(text.data, ret_seconds);
	return rc ? pit_fail(err, -rc, "/proc/uptime") : 0;
}

double pit_uptime_or_0(struct pit_facts *f)
{
	double seconds = 0;

	(void)pit_uptime(f, &seconds, NULL);
	return seconds;
}

int pit_clock(struct pit_facts *f, int64_t *ret_seconds, struct pit_error *err)
{
	struct pit_text text;
	uint64_t boot;
	double up;
	int rc = pit_uptime(f, &up, err);

	if (rc)
		return rc;
	rc = pit_root_read(pit_facts_root(f), &text, "/proc/stat");
	if (!rc)
		rc = pit_kv_u64(text.data, "btime", &boot);
	if (rc)
		return pit_fail(err, -rc, "btime in /proc/stat");
	if (boot > INT32_MAX * UINT64_C(4) || up < 0 || up > INT32_MAX)
		return pit_fail(err, EBADMSG, "btime in /proc/stat");
	*ret_seconds = (int64_t)boot + (int64_t)up;
	return 0;
}

uint64_t pit_page_size(struct pit_facts *f)
{
	const struct pit_platform *p;

	return !pit_facts_platform(f, &p, NULL) && p->page_size > 0 ? (uint64_t)p->page_size : 4096;
}
