/* SPDX-License-Identifier: MIT
 *
 * CUDA_VISIBLE_DEVICES as the CUDA driver reads it: the list ends at its first bad entry, silently.
 */
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "check/env.h"

enum kind { KIND_BAD, KIND_INDEX, KIND_GPU, KIND_MIG };

static enum kind kind_of(const char *entry, uint64_t *ret_index)
{
	if (!pit_parse_u64(entry, ret_index))
		return KIND_INDEX;
	if (!strncmp(entry, "GPU-", 4))
		return KIND_GPU;
	return strncmp(entry, "MIG-", 4) ? KIND_BAD : KIND_MIG;
}

/* How many known devices have a UUID that begins so; MIG-GPU-UUID/GI/CI is the old form and not looked up. */
static size_t matches(const struct pit_strv *uuids, const char *entry)
{
	size_t count = 0;

	if (!strncmp(entry, "MIG-GPU-", 8))
		return 1;
	for (size_t i = 0; i < uuids->count; i++)
		count += !strncasecmp(uuids->item[i], entry, strlen(entry));
	return count;
}

/* What is wrong with one entry, given those before it; false when the list ends there. */
static bool take(const char *entry, enum kind kind, uint64_t index, size_t gpus, const struct pit_strv *uuids,
		 struct pit_buf *problem)
{
	size_t found = kind == KIND_GPU || kind == KIND_MIG ? matches(uuids, entry) : 1;

	if (kind == KIND_BAD)
		pit_buf_printf(problem, "'%.40s' is no device: the list ends there", entry);
	else if (kind == KIND_INDEX && gpus && index >= gpus)
		pit_buf_printf(problem, "%.20s is beyond the %zu GPUs: the list ends there", entry, gpus);
	else if (uuids->count && !found)
		pit_buf_printf(problem, "no device %.44s: the list ends there", entry);
	else if (uuids->count && found > 1)
		pit_buf_printf(problem, "%.44s fits %zu devices", entry, found);
	return !problem->len;
}

static bool hides_all(const char *text)
{
	static const char *const words[] = {"", "-1", "none", "void", "NoDevFiles"};

	for (size_t i = 0; i < PIT_COUNT(words); i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return false;
}

size_t pit_env_visible(const char *text, size_t gpus, const struct pit_strv *uuids, struct pit_buf *ret_problem)
{
	pit_auto_strv struct pit_strv entries = {0}, seen = {0};
	enum kind first = KIND_BAD;
	char entry[128];

	if (hides_all(text)) {
		pit_buf_printf(ret_problem, "%s hides all GPUs", *text ? text : "the empty value");
		return 0;
	}
	pit_env_split(text, ',', &entries);
	for (size_t i = 0; i < entries.count; i++) {
		uint64_t index = 0;
		enum kind kind;

		pit_first_line(entries.item[i], entry, sizeof(entry));
		kind = kind_of(entry, &index);
		if (pit_strv_has(&seen, entry))
			pit_buf_printf(ret_problem, "%.44s is there twice", entry);
		else if (i && kind != KIND_BAD && kind != first)
			pit_buf_printf(ret_problem, "indices, GPU and MIG UUIDs are mixed");
		else if (i && kind == KIND_MIG)
			pit_buf_printf(ret_problem, "CUDA uses one MIG device, not %zu", entries.count);
		if (ret_problem->len || !take(entry, kind, index, gpus, uuids, ret_problem))
			break;
		first = i ? first : kind;
		if (pit_strv_add(&seen, entry))
			break;
	}
	return seen.count;
}
