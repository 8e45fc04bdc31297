/* SPDX-License-Identifier: MIT
 *
 * Settings of NVIDIA GPUs. A `which` is a UUID, a PCI address or an index, or a pattern of them.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/pattern.h"
#include "host/nvml_set.h"
#include "host/pid.h"
#include "tune/mig_layout.h"
#include "tune/resolve.h"

struct gpu_wish {
	const struct pit_setting *setting;
	const json_t *gpu;
	const char *uuid;
	struct pit_wishes *wishes;
};

static int64_t number(const json_t *gpu, const char *group, const char *key)
{
	const json_t *value = json_object_get(group ? json_object_get(gpu, group) : gpu, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static bool is_meant(const char *which, const json_t *gpu)
{
	const char *uuid = json_string_value(json_object_get(gpu, "uuid"));
	const char *pci = json_string_value(json_object_get(gpu, "pci"));
	char index[16];

	snprintf(index, sizeof(index), "%d", (int)number(gpu, NULL, "index"));
	return !which || (uuid && pit_fits(which, uuid)) || (pci && !fnmatch(which, pci, FNM_CASEFOLD)) ||
	       pit_fits(which, index);
}

static int add(const struct gpu_wish *g, const char *item, const char *value, const char *refuse)
{
	struct pit_cell cell = {0};
	int rc = pit_cell_set(&cell, PIT_TARGET_GPU, PIT_VALUE_TEXT, "%s %s", item, g->uuid);

	if (!rc)
		rc = refuse ? pit_wish_refuse(g->wishes, &cell, "%s", refuse) : pit_wish_add(g->wishes, &cell, value);
	pit_cell_free(&cell);
	return rc;
}

static size_t processes(const json_t *gpu)
{
	return json_array_size(json_object_get(gpu, "processes"));
}

static int resolve_switch(const struct gpu_wish *g, const char *item, struct pit_error *err)
{
	bool on;

	if (pit_parse_bool(g->setting->value, &on))
		return pit_fail(err, EINVAL, "%s takes on or off, not '%s'", g->setting->knob->id, g->setting->value);
	return add(g, item, on ? "on" : "off", NULL);
}

static int resolve_persistence(const struct gpu_wish *g, struct pit_error *err)
{
	return resolve_switch(g, "persistence", err);
}

static int resolve_ecc(const struct gpu_wish *g, struct pit_error *err)
{
	return resolve_switch(g, "ecc", err);
}

/* "default", "max", or watts. */
static int resolve_power(const struct gpu_wish *g, struct pit_error *err)
{
	const char *wanted = g->setting->value;
	int64_t min = number(g->gpu, "power", "min"), max = number(g->gpu, "power", "max"), limit;
	char text[32], why[128];
	double watts;

	if (min < 0 || max < 0)
		return add(g, "power-limit", NULL, "this GPU has no power limit to set");
	if (!strcmp(wanted, "default"))
		limit = number(g->gpu, "power", "default");
	else if (!strcmp(wanted, "max"))
		limit = max;
	else if (!pit_parse_double(wanted, &watts) && watts > 0 && watts < 1e6)
		limit = (int64_t)(watts * 1000 + 0.5);
	else
		return pit_fail(err, EINVAL, "gpu.power-limit takes watts, default or max, not '%s'", wanted);
	snprintf(why, sizeof(why), "its power limit can be %g to %g W", (double)min / 1000, (double)max / 1000);
	if (limit < min || limit > max)
		return add(g, "power-limit", NULL, why);
	snprintf(text, sizeof(text), "%.10g", (double)limit / 1000);
	return add(g, "power-limit", text, NULL);
}

/* "max", "default", or "MEMORY GRAPHICS". */
static int resolve_clocks(const struct gpu_wish *g, struct pit_error *err)
{
	const char *wanted = g->setting->value;
	bool most = !strcmp(wanted, "max"), usual = !strcmp(wanted, "default");
	int64_t mem = number(g->gpu, "clocks", most ? "mem_max" : "mem_app_default");
	int64_t sm = number(g->gpu, "clocks", most ? "sm_max" : "sm_app_default");
	char text[64];
	int end = 0;

	if (number(g->gpu, "clocks", "sm_app") < 0)
		return add(g, "clocks", NULL, "this GPU has no application clocks");
	if (!most && !usual && (sscanf(wanted, "%" SCNd64 " %" SCNd64 "%n", &mem, &sm, &end) != 2 || wanted[end]))
		return pit_fail(err, EINVAL, "gpu.clocks takes max, default or 'MEMORY GRAPHICS' in MHz, not '%s'",
				wanted);
	if (mem < 0 || sm < 0)
		return add(g, "clocks", NULL, "this GPU does not tell its clocks");
	snprintf(text, sizeof(text), "%" PRId64 " %" PRId64, mem, sm);
	return add(g, "clocks", text, NULL);
}

static int resolve_compute(const struct gpu_wish *g, struct pit_error *err)
{
	static const char *const modes[] = {"default", "exclusive-process", "prohibited"};
	const char *wanted = g->setting->value;

	for (size_t i = 0; i < PIT_COUNT(modes); i++) {
		if (strcmp(wanted, modes[i]))
			continue;
		if (i && processes(g->gpu) > 1)
			return add(g, "compute-mode", NULL, "several processes share it now");
		return add(g, "compute-mode", wanted, NULL);
	}
	return pit_fail(err, EINVAL, "gpu.compute-mode takes default, exclusive-process or prohibited, not '%s'",
			wanted);
}

static int resolve_layout(const struct gpu_wish *g, struct pit_error *err)
{
	const json_t *mig = json_object_get(g->gpu, "mig");
	const char *current = json_string_value(json_object_get(mig, "layout"));
	pit_auto_buf struct pit_buf layout = PIT_BUF_INIT;
	int rc;

	if (number(g->gpu, "mig", "current") != 1)
		return add(g, "mig-layout", NULL, "MIG is off: set gpu.mig=on first and reset the GPU, then divide it");
	if (!current)
		return add(g, "mig-layout", NULL, "only root may see how it is divided");
	rc = pit_mig_place(mig, g->setting->value, current, &layout, err);
	if (rc)
		return rc;
	if (strcmp(layout.data, current) && processes(g->gpu))
		return add(g, "mig-layout", NULL, "processes use it; its instances cannot be taken away");
	return add(g, "mig-layout", layout.data, NULL);
}

/* "on", "off", or a layout, for which MIG must be on. */
static int resolve_mig(const struct gpu_wish *g, struct pit_error *err)
{
	int64_t pending = number(g->gpu, "mig", "pending");
	bool on;

	if (pending < 0)
		return add(g, "mig", NULL, "this GPU has no MIG");
	if (pit_parse_bool(g->setting->value, &on))
		return resolve_layout(g, err);
	if (on != (pending == 1) && processes(g->gpu))
		return add(g, "mig", NULL, "processes use it; the mode changes on an idle GPU only");
	return add(g, "mig", on ? "on" : "off", NULL);
}

static const struct {
	const char *id;
	int (*resolve)(const struct gpu_wish *g, struct pit_error *err);
} kinds[] = {
	{.id = "gpu.persistence", .resolve = resolve_persistence},
	{.id = "gpu.power-limit", .resolve = resolve_power},
	{.id = "gpu.clocks", .resolve = resolve_clocks},
	{.id = "gpu.compute-mode", .resolve = resolve_compute},
	{.id = "gpu.ecc", .resolve = resolve_ecc},
	{.id = "gpu.mig", .resolve = resolve_mig},
};

static int resolve_one(const struct gpu_wish *g, struct pit_error *err)
{
	for (size_t i = 0; i < PIT_COUNT(kinds); i++)
		if (!strcmp(kinds[i].id, g->setting->knob->id))
			return kinds[i].resolve(g, err);
	return pit_fail(err, EINVAL, "%s is no setting of a GPU", g->setting->knob->id);
}

int pit_resolve_gpu(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		    struct pit_error *err)
{
	struct pit_error why = PIT_ERROR_INIT;
	struct gpu_wish g = {.setting = setting, .wishes = ret};
	const json_t *nvml;
	size_t i, meant = 0;
	int rc = pit_scene_nvml(scene, &nvml, &why);

	if (rc == -ENOMEM)
		return pit_fail(err, ENOMEM, "out of memory");
	if (rc)
		return pit_wishes_absent(ret, "%s", why.text);
	json_array_foreach(json_object_get(nvml, "gpus"), i, g.gpu)
	{
		g.uuid = json_string_value(json_object_get(g.gpu, "uuid"));
		if (!g.uuid || !is_meant(setting->which, g.gpu))
			continue;
		meant++;
		rc = resolve_one(&g, err);
		if (rc)
			return rc;
	}
	if (meant)
		return 0;
	return setting->which ? pit_wishes_absent(ret, "no GPU is %s", setting->which)
			      : pit_wishes_absent(ret, "NVML names no GPU");
}

static const char *const mps_programs[] = {"/usr/bin/nvidia-cuda-mps-control", "/usr/local/bin/nvidia-cuda-mps-control",
					   "/usr/local/nvidia/bin/nvidia-cuda-mps-control"};

/* "running" or "stopped". */
int pit_resolve_mps(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		    struct pit_error *err)
{
	struct pit_cell cell = {0};
	bool run = !strcmp(setting->value, "running"), there = false;
	int rc;

	if (!run && strcmp(setting->value, "stopped"))
		return pit_fail(err, EINVAL, "gpu.mps takes running or stopped, not '%s'", setting->value);
	for (size_t i = 0; i < PIT_COUNT(mps_programs); i++)
		there |= !pit_root_exists(pit_scene_root(scene), "%s", mps_programs[i]);
	if (!there)
		return pit_wishes_absent(ret, "nvidia-cuda-mps-control is not installed");
	rc = pit_cell_set(&cell, PIT_TARGET_MPS, PIT_VALUE_TEXT, "daemon");
	if (!rc)
		rc = pit_wish_add(ret, &cell, run ? "running" : NULL);
	pit_cell_free(&cell);
	return rc;
}
