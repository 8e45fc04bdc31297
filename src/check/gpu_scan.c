/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "check/gpu.h"

bool pit_gpu_number(const json_t *gpu, const char *group, const char *key, int64_t *ret)
{
	const json_t *value = json_object_get(group ? json_object_get(gpu, group) : gpu, key);

	if (!json_is_integer(value))
		return false;
	*ret = json_integer_value(value);
	return true;
}

const char *pit_gpu_text(const json_t *gpu, const char *key)
{
	const char *text = json_string_value(json_object_get(gpu, key));

	return text ? text : "";
}

#define INDEX "<INDEX>"

/* The row's command with the GPU's index in its place. */
static void name_gpu(const char *command, int64_t index, struct pit_finding *out)
{
	const char *at = command ? strstr(command, INDEX) : NULL;
	char text[128];

	if (!at || index < 0)
		return;
	snprintf(text, sizeof(text), "%.*s%d%s", (int)(at - command), command, (int)index, at + strlen(INDEX));
	pit_command(out, "%s", text);
}

struct scan {
	size_t known, bad;
	enum pit_gpu_verdict worst;
	char first[160]; /* text of the first that is worst so far */
	int64_t index;   /* of that GPU */
};

static void take_verdict(struct scan *s, const json_t *gpu, enum pit_gpu_verdict verdict, const char *text,
			 struct pit_finding *out)
{
	pit_auto_buf struct pit_buf source = PIT_BUF_INIT;
	int64_t index = -1;

	if (verdict == PIT_GPU_UNKNOWN)
		return;
	pit_gpu_number(gpu, NULL, "index", &index);
	s->known++;
	s->bad += verdict > PIT_GPU_FINE;
	if (verdict > s->worst) {
		s->worst = verdict;
		s->index = index;
		snprintf(s->first, sizeof(s->first), "%s", text);
	}
	if (verdict == PIT_GPU_FINE && s->known > 1)
		return;
	pit_buf_printf(&source, "NVML GPU %d %s", (int)index, pit_gpu_text(gpu, "pci"));
	pit_evidence(out, source.data, "%s", text);
}

static int conclude(const struct scan *s, size_t count, const struct pit_gpu_rule *rule, struct pit_finding *out)
{
	enum pit_status status = s->worst == PIT_GPU_BROKEN ? PIT_FAIL : out->check->otherwise;
	enum pit_impact impact = s->worst == PIT_GPU_BAD ? out->check->impact : PIT_HURTING;

	if (!s->known)
		return pit_skip(out, "%s", rule->unknown);
	if (rule->wanted)
		pit_want(out, "%s", rule->wanted);
	if (!s->bad)
		return pit_pass(out, "%s", rule->fine ? rule->fine : s->first);
	name_gpu(out->check->command, s->index, out);
	if (s->bad == 1)
		return pit_judge(out, status, impact, "GPU %d: %s", (int)s->index, s->first);
	return pit_judge(out, status, impact, "%zu of %zu GPUs: %s", s->bad, count, s->first);
}

int pit_gpu_probe(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	const struct pit_gpu_rule *rule = row->arg;
	struct scan s = {.index = -1};
	const json_t *nvml, *gpus, *gpu;
	size_t i;
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return rc;
	gpus = json_object_get(nvml, "gpus");
	json_array_foreach(gpus, i, gpu)
	{
		char text[160] = "";

		if (json_is_object(gpu) && !json_object_get(gpu, "error"))
			take_verdict(&s, gpu, rule->judge(gpu, text, sizeof(text)), text, out);
	}
	return conclude(&s, json_array_size(gpus), rule, out);
}

bool pit_gpu_is_mobile(const json_t *gpu)
{
	static const char *const words[] = {"Laptop GPU", "Max-Q", "Mobile"};

	for (size_t i = 0; i < PIT_COUNT(words); i++)
		if (strstr(pit_gpu_text(gpu, "name"), words[i]))
			return true;
	return false;
}

bool pit_gpu_is_wsl(struct pit_facts *facts)
{
	const struct pit_platform *p;

	return (!pit_facts_platform(facts, &p, NULL) && p->virt == PIT_VIRT_WSL) ||
	       !pit_root_exists(pit_facts_root(facts), "/dev/dxg");
}
