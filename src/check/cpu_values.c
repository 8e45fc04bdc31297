/* SPDX-License-Identifier: MIT */
#include "check/cpu_values.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static int cpus_by_directory(struct pit_root *root, struct pit_idset *ret)
{
	const struct pit_strv *names;
	int rc = pit_root_list(root, &names, "/sys/devices/system/cpu");

	for (size_t i = 0; !rc && i < names->count; i++) {
		uint64_t id;

		if (!strncmp(names->item[i], "cpu", 3) && !pit_parse_u64(names->item[i] + 3, &id))
			rc = pit_idset_add(ret, id);
	}
	return !rc && pit_idset_is_empty(ret) ? -ENOENT : rc;
}

int pit_cpus_online(struct pit_root *root, struct pit_idset *ret)
{
	int rc = pit_root_idset(root, ret, "/sys/devices/system/cpu/online");

	return rc || pit_idset_is_empty(ret) ? cpus_by_directory(root, ret) : 0;
}

static int put(struct pit_cpu_values *v, const char *text, int cpu)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (!strcmp(v->item[i].text, text))
			break;
	if (i == PIT_CPU_VALUES_MAX) {
		i--;
		snprintf(v->item[i].text, sizeof(v->item[i].text), "...");
	} else if (i == v->count) {
		v->count++;
		snprintf(v->item[i].text, sizeof(v->item[i].text), "%s", text);
	}
	v->cpus++;
	return pit_idset_add(&v->item[i].cpus, (size_t)cpu);
}

int pit_cpu_values_load(struct pit_root *root, const char *leaf, struct pit_cpu_values *ret)
{
	pit_auto_idset struct pit_idset online = {0};
	int rc = pit_cpus_online(root, &online), bad = -ENOENT;
	char text[64];

	if (rc)
		return rc;
	PIT_IDSET_FOREACH (cpu, &online) {
		rc = pit_root_str(root, text, sizeof(text), "/sys/devices/system/cpu/cpu%d/%s", cpu, leaf);
		if (!rc)
			rc = put(ret, text, cpu);
		else if (pit_root_state(rc) != PIT_STATE_ABSENT && bad == -ENOENT)
			bad = rc;
		if (rc == -ENOMEM)
			return rc;
	}
	return ret->cpus ? 0 : bad;
}

void pit_cpu_values_free(struct pit_cpu_values *v)
{
	for (size_t i = 0; i < PIT_CPU_VALUES_MAX; i++)
		pit_idset_free(&v->item[i].cpus);
	*v = (struct pit_cpu_values){0};
}
