/* SPDX-License-Identifier: MIT
 *
 * What belongs to one process: environment, control groups and their mounts, limits. The input is split at its first
 * three newline-dollar marks.
 */
#include <stdio.h>

#include "check/facts.h"
#include "fuzz.h"
#include "host/answer.h"

static void put(struct pit_root *root, enum pit_kind kind, const char *path, const char **text)
{
	const char *mark = strstr(*text, "\n$");
	size_t len = mark ? (size_t)(mark - *text) : strlen(*text);

	if (pit_root_put(root, kind, path, *text, len))
		abort();
	*text += len + (mark ? 2 : 0);
}

static void ask(struct pit_facts *facts, struct pit_root *root)
{
	const struct pit_cgroup *group;
	const struct pit_strv *env;
	uint64_t soft, hard;
	char file[64];
	double cpus;

	(void)pit_facts_environ(facts, &env, NULL);
	(void)pit_proc_limit(root, 0, "Max locked memory", &soft, &hard);
	if (pit_facts_cgroup(facts, &group, NULL))
		return;
	(void)pit_cgroup_limit(root, group, "memory", "memory.max", "memory.limit_in_bytes", &soft, file, sizeof(file));
	(void)pit_cgroup_cpu_quota(root, group, &cpus, file, sizeof(file));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pit_facts_options options = {.workload = PIT_TRAINING};
	char *text = fuzz_text(data, size);
	const char *at = text;
	struct pit_root *root;
	struct pit_facts *facts;

	if (pit_root_open("/var/empty", &root, NULL) && pit_root_open("/mnt", &root, NULL))
		abort();
	put(root, PIT_KIND_FACT, "environ", &at);
	put(root, PIT_KIND_FILE, "/proc/self/cgroup", &at);
	put(root, PIT_KIND_FILE, "/proc/self/mountinfo", &at);
	put(root, PIT_KIND_FILE, "/proc/self/limits", &at);
	if (pit_facts_new(root, &options, &facts, NULL))
		abort();
	ask(facts, root);
	pit_facts_free(facts);
	pit_root_close(root);
	free(text);
	return 0;
}
