/* SPDX-License-Identifier: MIT
 *
 * MIG layouts: which GPU instances lie where, and dividing a GPU anew. Runs in helper processes only.
 */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "host/nvml_abi.h"
#include "host/nvml_ask.h"

#define INSTANCES_MAX 64u

struct profile {
	unsigned index, id, instances;
	char name[96];
};

struct instance {
	const char *name;
	unsigned start;
};

/* Profile `index` of this GPU; false: it has none there. */
static bool profile_at(void *lib, pit_nvml_handle gpu, unsigned index, struct profile *ret)
{
	int (*ask)(pit_nvml_handle, unsigned, struct pit_nvml_named_profile *) =
		(int (*)(pit_nvml_handle, unsigned, struct pit_nvml_named_profile *))pit_nvml_symbol(
			lib, "nvmlDeviceGetGpuInstanceProfileInfoV", NULL);
	struct pit_nvml_named_profile info = {.version = PIT_NVML_NAMED_PROFILE_VERSION};
	const char *name = info.name;

	if (!ask || ask(gpu, index, &info) != PIT_NVML_OK || !memchr(info.name, '\0', sizeof(info.name)))
		return false;
	if (!strncmp(name, "MIG ", 4))
		name += 4;
	*ret = (struct profile){.index = index, .id = info.id, .instances = info.instances};
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return *name;
}

static unsigned instances_of(void *lib, pit_nvml_handle gpu, unsigned id, void **ret)
{
	int (*list)(pit_nvml_handle, unsigned, void **, unsigned *) = (int (*)(
		pit_nvml_handle, unsigned, void **, unsigned *))pit_nvml_symbol(lib, "nvmlDeviceGetGpuInstances", NULL);
	unsigned count = INSTANCES_MAX;

	return list && list(gpu, id, ret, &count) == PIT_NVML_OK && count <= INSTANCES_MAX ? count : 0;
}

static bool may_list(void *lib, pit_nvml_handle gpu, unsigned id)
{
	int (*list)(pit_nvml_handle, unsigned, void **, unsigned *) = (int (*)(
		pit_nvml_handle, unsigned, void **, unsigned *))pit_nvml_symbol(lib, "nvmlDeviceGetGpuInstances", NULL);
	void *some[INSTANCES_MAX];
	unsigned count = INSTANCES_MAX;

	return list && list(gpu, id, some, &count) == PIT_NVML_OK;
}

static int by_start(const void *a, const void *b)
{
	const struct instance *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static size_t add_instances(void *lib, pit_nvml_handle gpu, const struct profile *p, struct instance *to, size_t count)
{
	int (*info)(void *, struct pit_nvml_instance_info *) =
		(int (*)(void *, struct pit_nvml_instance_info *))pit_nvml_symbol(lib, "nvmlGpuInstanceGetInfo", NULL);
	void *found[INSTANCES_MAX];
	unsigned n = instances_of(lib, gpu, p->id, found);
	struct pit_nvml_instance_info i;

	for (unsigned k = 0; info && k < n && count < INSTANCES_MAX; k++)
		if (info(found[k], &i) == PIT_NVML_OK)
			to[count++] = (struct instance){.name = p->name, .start = i.placement.start};
	return count;
}

static json_t *places_of(void *lib, pit_nvml_handle gpu, const struct profile *p)
{
	int (*ask)(pit_nvml_handle, unsigned, struct pit_nvml_placement *, unsigned *) =
		(int (*)(pit_nvml_handle, unsigned, struct pit_nvml_placement *, unsigned *))pit_nvml_symbol(
			lib, "nvmlDeviceGetGpuInstancePossiblePlacements_v2", NULL);
	struct pit_nvml_placement places[INSTANCES_MAX];
	unsigned count = INSTANCES_MAX;
	json_t *starts;

	if (!ask || ask(gpu, p->id, places, &count) != PIT_NVML_OK || !count || count > INSTANCES_MAX)
		return NULL;
	starts = json_array();
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(starts, json_integer(places[i].start));
	return json_pack("{s:s, s:i, s:o}", "name", p->name, "size", (int)places[0].size, "starts", starts);
}

static void put_layout(json_t *mig, struct instance *instance, size_t count)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	qsort(instance, count, sizeof(*instance), by_start);
	for (size_t i = 0; i < count; i++)
		pit_buf_printf(&text, "%s%s@%u", i ? " " : "", instance[i].name, instance[i].start);
	json_object_set_new(mig, "layout", json_string(text.data));
}

void pit_nvml_query_layout(void *lib, pit_nvml_handle gpu, json_t *mig)
{
	struct profile profile[PIT_NVML_SLICE_PROFILES];
	struct instance instance[INSTANCES_MAX];
	json_t *profiles = json_array();
	bool seen = false;
	size_t count = 0;

	for (unsigned i = 0; i < PIT_NVML_SLICE_PROFILES; i++) {
		json_t *places;

		if (!profile_at(lib, gpu, i, &profile[i]))
			continue;
		seen |= may_list(lib, gpu, profile[i].id);
		count = add_instances(lib, gpu, &profile[i], instance, count);
		places = places_of(lib, gpu, &profile[i]);
		if (places)
			json_array_append_new(profiles, places);
	}
	json_object_set_new(mig, "profiles", profiles);
	if (seen)
		put_layout(mig, instance, count);
}

/* All compute instances of a GPU instance. */
static int empty(void *lib, void *gi)
{
	int (*list)(void *, unsigned, void **, unsigned *) = (int (*)(
		void *, unsigned, void **, unsigned *))pit_nvml_symbol(lib, "nvmlGpuInstanceGetComputeInstances", NULL);
	int (*destroy)(void *) = (int (*)(void *))pit_nvml_symbol(lib, "nvmlComputeInstanceDestroy", NULL);
	int (*ask)(void *, unsigned, unsigned, struct pit_nvml_compute_profile *) =
		(int (*)(void *, unsigned, unsigned, struct pit_nvml_compute_profile *))pit_nvml_symbol(
			lib, "nvmlGpuInstanceGetComputeInstanceProfileInfo", NULL);
	struct pit_nvml_compute_profile p;
	int code = PIT_NVML_OK;

	if (!list || !destroy || !ask)
		return PIT_NVML_NOT_SUPPORTED;
	for (unsigned i = 0; i < PIT_NVML_COMPUTE_PROFILES; i++) {
		void *ci[INSTANCES_MAX];
		unsigned count = INSTANCES_MAX;

		if (ask(gi, i, 0, &p) != PIT_NVML_OK || list(gi, p.id, ci, &count) != PIT_NVML_OK)
			continue;
		for (unsigned k = 0; k < count && k < INSTANCES_MAX && code == PIT_NVML_OK; k++)
			code = destroy(ci[k]);
	}
	return code;
}

static int clear(void *lib, pit_nvml_handle gpu)
{
	int (*destroy)(void *) = (int (*)(void *))pit_nvml_symbol(lib, "nvmlGpuInstanceDestroy", NULL);
	int code = destroy ? PIT_NVML_OK : PIT_NVML_NOT_SUPPORTED;
	struct profile p;

	for (unsigned i = 0; i < PIT_NVML_SLICE_PROFILES && code == PIT_NVML_OK; i++) {
		void *found[INSTANCES_MAX];
		unsigned n = profile_at(lib, gpu, i, &p) ? instances_of(lib, gpu, p.id, found) : 0;

		for (unsigned k = 0; k < n && code == PIT_NVML_OK; k++) {
			code = empty(lib, found[k]);
			if (code == PIT_NVML_OK)
				code = destroy(found[k]);
		}
	}
	return code;
}

/* The compute instance that takes all of a GPU instance: the profile with the most slices. */
static int fill(void *lib, void *gi)
{
	int (*create)(void *, unsigned, void **) =
		(int (*)(void *, unsigned, void **))pit_nvml_symbol(lib, "nvmlGpuInstanceCreateComputeInstance", NULL);
	int (*ask)(void *, unsigned, unsigned, struct pit_nvml_compute_profile *) =
		(int (*)(void *, unsigned, unsigned, struct pit_nvml_compute_profile *))pit_nvml_symbol(
			lib, "nvmlGpuInstanceGetComputeInstanceProfileInfo", NULL);
	struct pit_nvml_compute_profile p, most = {0};
	void *ci;

	for (unsigned i = 0; ask && i < PIT_NVML_COMPUTE_PROFILES; i++)
		if (ask(gi, i, 0, &p) == PIT_NVML_OK && p.slices > most.slices)
			most = p;
	return create && most.slices ? create(gi, most.id, &ci) : PIT_NVML_NOT_SUPPORTED;
}

static int place(void *lib, pit_nvml_handle gpu, const char *name, unsigned start)
{
	int (*create)(pit_nvml_handle, unsigned, const struct pit_nvml_placement *, void **) =
		(int (*)(pit_nvml_handle, unsigned, const struct pit_nvml_placement *, void **))pit_nvml_symbol(
			lib, "nvmlDeviceCreateGpuInstanceWithPlacement", NULL);
	struct pit_nvml_placement where = {.start = start};
	struct profile p;
	void *gi;
	int code;

	for (unsigned i = 0; create && i < PIT_NVML_SLICE_PROFILES; i++) {
		json_t *places;

		if (!profile_at(lib, gpu, i, &p) || strcmp(p.name, name))
			continue;
		places = places_of(lib, gpu, &p);
		where.size = (unsigned)json_integer_value(json_object_get(places, "size"));
		json_decref(places);
		code = create(gpu, p.id, &where, &gi);
		return code == PIT_NVML_OK ? fill(lib, gi) : code;
	}
	return create ? PIT_NVML_INVALID : PIT_NVML_NOT_SUPPORTED;
}

/* "3g.40gb@0"; cuts the word in two. */
static bool parse(char *word, struct instance *ret)
{
	char *at = strchr(word, '@');
	uint64_t start;

	if (!at || pit_parse_u64(at + 1, &start) || start > INSTANCES_MAX)
		return false;
	*at = '\0';
	*ret = (struct instance){.name = word, .start = (unsigned)start};
	return true;
}

int pit_nvml_divide(void *lib, pit_nvml_handle gpu, const char *layout)
{
	pit_auto_strv struct pit_strv words = {0};
	struct instance wanted[INSTANCES_MAX];
	int code = pit_strv_split(&words, layout, " ") ? PIT_NVML_UNKNOWN : PIT_NVML_OK;

	/* All of them before the first instance is destroyed. */
	for (size_t i = 0; i < words.count && code == PIT_NVML_OK; i++)
		if (i >= INSTANCES_MAX || !parse(words.item[i], &wanted[i]))
			code = PIT_NVML_INVALID;
	if (code == PIT_NVML_OK)
		code = clear(lib, gpu);
	for (size_t i = 0; i < words.count && code == PIT_NVML_OK; i++)
		code = place(lib, gpu, wanted[i].name, wanted[i].start);
	return code;
}
