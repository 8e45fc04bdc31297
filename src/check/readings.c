/* SPDX-License-Identifier: MIT */
#include "check/readings.h"

#include <stdio.h>
#include <string.h>

double pit_uptime_or_0(struct pit_facts *facts)
{
	char line[64];
	double seconds;

	if (pit_root_str(pit_facts_root(facts), line, sizeof(line), "/proc/uptime"))
		return 0;
	return sscanf(line, "%lf", &seconds) == 1 && seconds > 0 ? seconds : 0;
}

int pit_two_readings(struct pit_facts *facts, const char *path, const char **ret_first, const char **ret_second,
		     double *ret_seconds)
{
	struct pit_root *root = pit_facts_root(facts);
	struct pit_text first, second;
	double unused, seconds = 0;
	int64_t ns;
	int rc = pit_root_read(root, &first, "%s", path);

	if (rc)
		return rc;
	/* For its wait: the second reading comes sample_ms after the first. */
	(void)pit_facts_rate(facts, "/proc/stat", "ctxt", &unused, NULL);
	rc = pit_root_again(root, path, &second, &ns);
	if (!rc)
		seconds = (double)ns / 1e9;
	if (seconds < PIT_READINGS_MIN) {
		second = first;
		seconds = 0;
	}
	*ret_first = first.data;
	*ret_second = second.data;
	*ret_seconds = seconds;
	return 0;
}

double pit_growth(uint64_t before, uint64_t after, double seconds)
{
	if (!(seconds > 0))
		return -1;
	return after < before ? 0 : (double)(after - before) / seconds;
}

void pit_blame_sysctl(struct pit_facts *facts, struct pit_finding *out, const char *path, const char *value)
{
	pit_origin_of(facts, path, value, NULL, out);
}
