/* SPDX-License-Identifier: MIT
 *
 * What one GPU says. Most functions of the library have one of a few forms, so most questions are rows of a table.
 */
#include <ctype.h>
#include <string.h>

#include "base/idset.h"
#include "host/nvml_abi.h"
#include "host/nvml_ask.h"

enum form {
	FORM_TEXT,    /* (gpu, char *, unsigned) */
	FORM_U32,     /* (gpu, unsigned *) */
	FORM_U64,     /* (gpu, unsigned long long *) */
	FORM_OF,      /* (gpu, a, unsigned *) */
	FORM_OF_TWO,  /* (gpu, a, b, unsigned long long *) */
	FORM_OF_THREE /* (gpu, a, b, c, unsigned long long *) */
};

struct question {
	const char *group, *key; /* group NULL: the GPU's own */
	const char *function, *older;
	enum form form;
	int a, b, c;
};

static const struct question questions[] = {
	{.key = "uuid", .function = "nvmlDeviceGetUUID", .form = FORM_TEXT},
	{.key = "name", .function = "nvmlDeviceGetName", .form = FORM_TEXT},
	{.key = "vbios", .function = "nvmlDeviceGetVbiosVersion", .form = FORM_TEXT},
	{.key = "inforom", .function = "nvmlDeviceGetInforomImageVersion", .form = FORM_TEXT},
	{.key = "minor", .function = "nvmlDeviceGetMinorNumber", .form = FORM_U32},
	{.key = "node", .function = "nvmlDeviceGetNumaNodeId", .form = FORM_U32},
	{.key = "architecture", .function = "nvmlDeviceGetArchitecture", .form = FORM_U32},
	{.key = "virtualization", .function = "nvmlDeviceGetVirtualizationMode", .form = FORM_U32},
	{.key = "persistence", .function = "nvmlDeviceGetPersistenceMode", .form = FORM_U32},
	{.key = "compute_mode", .function = "nvmlDeviceGetComputeMode", .form = FORM_U32},
	{.key = "display", .function = "nvmlDeviceGetDisplayActive", .form = FORM_U32},
	{.key = "pstate", .function = "nvmlDeviceGetPerformanceState", .form = FORM_U32},
	{.key = "throttle",
	 .function = "nvmlDeviceGetCurrentClocksEventReasons",
	 .older = "nvmlDeviceGetCurrentClocksThrottleReasons",
	 .form = FORM_U64},
	{.group = "ecc",
	 .key = "corrected",
	 .function = "nvmlDeviceGetTotalEccErrors",
	 .form = FORM_OF_TWO,
	 .a = PIT_NVML_CORRECTED,
	 .b = PIT_NVML_VOLATILE},
	{.group = "ecc",
	 .key = "uncorrected",
	 .function = "nvmlDeviceGetTotalEccErrors",
	 .form = FORM_OF_TWO,
	 .a = PIT_NVML_UNCORRECTED,
	 .b = PIT_NVML_VOLATILE},
	{.group = "ecc",
	 .key = "corrected_ever",
	 .function = "nvmlDeviceGetTotalEccErrors",
	 .form = FORM_OF_TWO,
	 .a = PIT_NVML_CORRECTED,
	 .b = PIT_NVML_AGGREGATE},
	{.group = "ecc",
	 .key = "uncorrected_ever",
	 .function = "nvmlDeviceGetTotalEccErrors",
	 .form = FORM_OF_TWO,
	 .a = PIT_NVML_UNCORRECTED,
	 .b = PIT_NVML_AGGREGATE},
	{.group = "ecc",
	 .key = "sram_uncorrected",
	 .function = "nvmlDeviceGetMemoryErrorCounter",
	 .form = FORM_OF_THREE,
	 .a = PIT_NVML_UNCORRECTED,
	 .b = PIT_NVML_VOLATILE,
	 .c = PIT_NVML_SRAM},
	{.group = "ecc",
	 .key = "sram_uncorrected_ever",
	 .function = "nvmlDeviceGetMemoryErrorCounter",
	 .form = FORM_OF_THREE,
	 .a = PIT_NVML_UNCORRECTED,
	 .b = PIT_NVML_AGGREGATE,
	 .c = PIT_NVML_SRAM},
	{.group = "temperature", .key = "gpu", .function = "nvmlDeviceGetTemperature", .form = FORM_OF},
	{.group = "temperature",
	 .key = "shutdown",
	 .function = "nvmlDeviceGetTemperatureThreshold",
	 .form = FORM_OF,
	 .a = PIT_NVML_SHUTDOWN},
	{.group = "temperature",
	 .key = "slowdown",
	 .function = "nvmlDeviceGetTemperatureThreshold",
	 .form = FORM_OF,
	 .a = PIT_NVML_SLOWDOWN},
	{.group = "temperature",
	 .key = "memory_max",
	 .function = "nvmlDeviceGetTemperatureThreshold",
	 .form = FORM_OF,
	 .a = PIT_NVML_MEM_MAX},
	{.group = "temperature",
	 .key = "gpu_max",
	 .function = "nvmlDeviceGetTemperatureThreshold",
	 .form = FORM_OF,
	 .a = PIT_NVML_GPU_MAX},
	{.group = "power", .key = "usage", .function = "nvmlDeviceGetPowerUsage", .form = FORM_U32},
	{.group = "power", .key = "limit", .function = "nvmlDeviceGetPowerManagementLimit", .form = FORM_U32},
	{.group = "power", .key = "enforced", .function = "nvmlDeviceGetEnforcedPowerLimit", .form = FORM_U32},
	{.group = "power", .key = "default", .function = "nvmlDeviceGetPowerManagementDefaultLimit", .form = FORM_U32},
	{.group = "clocks", .key = "sm", .function = "nvmlDeviceGetClockInfo", .form = FORM_OF, .a = PIT_NVML_CLOCK_SM},
	{.group = "clocks",
	 .key = "mem",
	 .function = "nvmlDeviceGetClockInfo",
	 .form = FORM_OF,
	 .a = PIT_NVML_CLOCK_MEM},
	{.group = "clocks",
	 .key = "sm_max",
	 .function = "nvmlDeviceGetMaxClockInfo",
	 .form = FORM_OF,
	 .a = PIT_NVML_CLOCK_SM},
	{.group = "clocks",
	 .key = "mem_max",
	 .function = "nvmlDeviceGetMaxClockInfo",
	 .form = FORM_OF,
	 .a = PIT_NVML_CLOCK_MEM},
	{.group = "clocks",
	 .key = "sm_app",
	 .function = "nvmlDeviceGetApplicationsClock",
	 .form = FORM_OF,
	 .a = PIT_NVML_CLOCK_SM},
	{.group = "clocks",
	 .key = "mem_app",
	 .function = "nvmlDeviceGetApplicationsClock",
	 .form = FORM_OF,
	 .a = PIT_NVML_CLOCK_MEM},
	{.group = "clocks",
	 .key = "sm_app_default",
	 .function = "nvmlDeviceGetDefaultApplicationsClock",
	 .form = FORM_OF,
	 .a = PIT_NVML_CLOCK_SM},
	{.group = "clocks",
	 .key = "mem_app_default",
	 .function = "nvmlDeviceGetDefaultApplicationsClock",
	 .form = FORM_OF,
	 .a = PIT_NVML_CLOCK_MEM},
	{.group = "link", .key = "gen", .function = "nvmlDeviceGetCurrPcieLinkGeneration", .form = FORM_U32},
	{.group = "link", .key = "gen_max", .function = "nvmlDeviceGetMaxPcieLinkGeneration", .form = FORM_U32},
	{.group = "link", .key = "gen_gpu_max", .function = "nvmlDeviceGetGpuMaxPcieLinkGeneration", .form = FORM_U32},
	{.group = "link", .key = "width", .function = "nvmlDeviceGetCurrPcieLinkWidth", .form = FORM_U32},
	{.group = "link", .key = "width_max", .function = "nvmlDeviceGetMaxPcieLinkWidth", .form = FORM_U32},
	{.group = "link", .key = "replays", .function = "nvmlDeviceGetPcieReplayCounter", .form = FORM_U32},
};

/* Functions (gpu, unsigned *, unsigned *). */
static const struct {
	const char *group, *first, *second, *function, *older;
} pairs[] = {
	{.group = "ecc", .first = "current", .second = "pending", .function = "nvmlDeviceGetEccMode"},
	{.group = "mig", .first = "current", .second = "pending", .function = "nvmlDeviceGetMigMode"},
	{.group = "gsp", .first = "enabled", .second = "default", .function = "nvmlDeviceGetGspFirmwareMode"},
	{.group = "power", .first = "min", .second = "max", .function = "nvmlDeviceGetPowerManagementLimitConstraints"},
	{.first = "driver_model",
	 .second = "driver_model_pending",
	 .function = "nvmlDeviceGetDriverModel_v2",
	 .older = "nvmlDeviceGetDriverModel"},
	{.first = "auto_boost", .second = "auto_boost_default", .function = "nvmlDeviceGetAutoBoostedClocksEnabled"},
};

static const struct {
	unsigned id;
	const char *group, *key;
} fields[] = {
	{PIT_NVML_FIELD_RETIRED_SBE, "retired", "sbe"},         {PIT_NVML_FIELD_RETIRED_DBE, "retired", "dbe"},
	{PIT_NVML_FIELD_RETIRED_PENDING, "retired", "pending"}, {PIT_NVML_FIELD_CRC_FLIT, "nvlink", "crc_flit"},
	{PIT_NVML_FIELD_CRC_DATA, "nvlink", "crc_data"},        {PIT_NVML_FIELD_REPLAY, "nvlink", "replay"},
	{PIT_NVML_FIELD_RECOVERY, "nvlink", "recovery"},        {PIT_NVML_FIELD_LINK_COUNT, "nvlink", "links"},
	{PIT_NVML_FIELD_MEMORY_TEMP, "temperature", "memory"},  {PIT_NVML_FIELD_RECOVERY_ACTION, NULL, "recovery"},
};

struct gpu {
	void *lib;
	pit_nvml_handle handle;
	json_t *all;
};

static json_t *group_of(const struct gpu *g, const char *name)
{
	json_t *group;

	if (!name)
		return g->all;
	group = json_object_get(g->all, name);
	if (!group) {
		group = json_object();
		json_object_set_new(g->all, name, group);
	}
	return group;
}

static void set(const struct gpu *g, const char *group, const char *key, json_int_t value)
{
	json_object_set_new(group_of(g, group), key, json_integer(value));
}

static void ask_text(const struct gpu *g, const struct question *q, void *function)
{
	char text[96] = "";
	int (*ask)(pit_nvml_handle, char *, unsigned) = (int (*)(pit_nvml_handle, char *, unsigned))function;

	if (ask(g->handle, text, sizeof(text)) == PIT_NVML_OK && text[0])
		json_object_set_new(group_of(g, q->group), q->key, json_string(text));
}

static void ask_number(const struct gpu *g, const struct question *q, void *f)
{
	unsigned long long wide = 0;
	unsigned narrow = 0;
	int code;

	switch (q->form) {
	case FORM_U32:
		code = ((int (*)(pit_nvml_handle, unsigned *))f)(g->handle, &narrow);
		break;
	case FORM_U64:
		code = ((int (*)(pit_nvml_handle, unsigned long long *))f)(g->handle, &wide);
		break;
	case FORM_OF:
		code = ((int (*)(pit_nvml_handle, int, unsigned *))f)(g->handle, q->a, &narrow);
		break;
	case FORM_OF_TWO:
		code = ((int (*)(pit_nvml_handle, int, int, unsigned long long *))f)(g->handle, q->a, q->b, &wide);
		break;
	default:
		code = ((int (*)(pit_nvml_handle, int, int, int, unsigned long long *))f)(g->handle, q->a, q->b, q->c,
											  &wide);
	}
	/* All ones stand for "not available" in several functions. */
	if (code == PIT_NVML_OK && narrow != ~0u && wide != ~0ull)
		set(g, q->group, q->key, (json_int_t)(wide | narrow));
}

static void ask_questions(const struct gpu *g)
{
	for (size_t i = 0; i < PIT_COUNT(questions); i++) {
		const struct question *q = &questions[i];
		void *function = pit_nvml_symbol(g->lib, q->function, q->older);

		if (function && q->form == FORM_TEXT)
			ask_text(g, q, function);
		else if (function)
			ask_number(g, q, function);
	}
}

static void ask_pairs(const struct gpu *g)
{
	for (size_t i = 0; i < PIT_COUNT(pairs); i++) {
		int (*ask)(pit_nvml_handle, unsigned *, unsigned *) =
			(int (*)(pit_nvml_handle, unsigned *, unsigned *))pit_nvml_symbol(g->lib, pairs[i].function,
											  pairs[i].older);
		unsigned first, second;

		if (!ask || ask(g->handle, &first, &second) != PIT_NVML_OK)
			continue;
		set(g, pairs[i].group, pairs[i].first, first);
		set(g, pairs[i].group, pairs[i].second, second);
	}
}

static json_int_t field_value(const struct pit_nvml_field *f)
{
	switch (f->type) {
	case PIT_NVML_REAL:
		return (json_int_t)f->value.real;
	case PIT_NVML_U32:
		return f->value.u32;
	case PIT_NVML_ULONG:
		return (json_int_t)f->value.ulong;
	case PIT_NVML_I32:
		return f->value.i32;
	case PIT_NVML_U16:
		return f->value.u16;
	default:
		return f->value.i64;
	}
}

static void ask_fields(const struct gpu *g)
{
	int (*ask)(pit_nvml_handle, int, struct pit_nvml_field *) =
		(int (*)(pit_nvml_handle, int, struct pit_nvml_field *))pit_nvml_symbol(
			g->lib, "nvmlDeviceGetFieldValues", NULL);
	struct pit_nvml_field values[PIT_COUNT(fields)] = {0};

	for (size_t i = 0; i < PIT_COUNT(fields); i++)
		values[i] = (struct pit_nvml_field){.id = fields[i].id, .code = PIT_NVML_NOT_SUPPORTED};
	if (!ask || ask(g->handle, (int)PIT_COUNT(values), values) != PIT_NVML_OK)
		return;
	for (size_t i = 0; i < PIT_COUNT(fields); i++)
		if (values[i].code == PIT_NVML_OK)
			set(g, fields[i].group, fields[i].key, field_value(&values[i]));
}

/* "00000000:65:00.0" as sysfs has it: the domain in four digits unless it needs more. */
static void ask_pci(const struct gpu *g)
{
	int (*ask)(pit_nvml_handle, struct pit_nvml_pci *) =
		(int (*)(pit_nvml_handle, struct pit_nvml_pci *))pit_nvml_symbol(g->lib, "nvmlDeviceGetPciInfo_v3",
										 NULL);
	struct pit_nvml_pci pci = {0};

	if (ask && ask(g->handle, &pci) == PIT_NVML_OK)
		json_object_set_new(g->all, "pci", json_sprintf("%04x:%02x:%02x.0", pci.domain, pci.bus, pci.device));
}

static void ask_memory(const struct gpu *g)
{
	int (*ask)(pit_nvml_handle, struct pit_nvml_memory *) =
		(int (*)(pit_nvml_handle, struct pit_nvml_memory *))pit_nvml_symbol(g->lib,
										    "nvmlDeviceGetMemoryInfo_v2", NULL);
	int (*old)(pit_nvml_handle, struct pit_nvml_memory_v1 *) =
		(int (*)(pit_nvml_handle, struct pit_nvml_memory_v1 *))pit_nvml_symbol(g->lib,
										       "nvmlDeviceGetMemoryInfo", NULL);
	struct pit_nvml_memory m = {.version = PIT_NVML_MEMORY_VERSION};
	struct pit_nvml_memory_v1 v1;

	if (ask && ask(g->handle, &m) == PIT_NVML_OK) {
		set(g, "memory", "reserved", (json_int_t)m.reserved);
	} else if (old && old(g->handle, &v1) == PIT_NVML_OK) {
		m = (struct pit_nvml_memory){.total = v1.total, .used = v1.used, .free = v1.free};
	} else {
		return;
	}
	set(g, "memory", "total", (json_int_t)m.total);
	set(g, "memory", "used", (json_int_t)m.used);
	set(g, "memory", "free", (json_int_t)m.free);
}

static void ask_utilization(const struct gpu *g)
{
	int (*ask)(pit_nvml_handle, struct pit_nvml_utilization *) =
		(int (*)(pit_nvml_handle, struct pit_nvml_utilization *))pit_nvml_symbol(
			g->lib, "nvmlDeviceGetUtilizationRates", NULL);
	struct pit_nvml_utilization u;

	if (!ask || ask(g->handle, &u) != PIT_NVML_OK)
		return;
	set(g, "utilization", "gpu", u.gpu);
	set(g, "utilization", "memory", u.memory);
}

static void ask_rows(const struct gpu *g)
{
	int (*ask)(pit_nvml_handle, unsigned *, unsigned *, unsigned *, unsigned *) =
		(int (*)(pit_nvml_handle, unsigned *, unsigned *, unsigned *, unsigned *))pit_nvml_symbol(
			g->lib, "nvmlDeviceGetRemappedRows", NULL);
	unsigned corrected, uncorrected, pending, failure;

	if (!ask || ask(g->handle, &corrected, &uncorrected, &pending, &failure) != PIT_NVML_OK)
		return;
	set(g, "remapped", "corrected", corrected);
	set(g, "remapped", "uncorrected", uncorrected);
	set(g, "remapped", "pending", pending);
	set(g, "remapped", "failure", failure);
}

static void ask_cpus(const struct gpu *g)
{
	enum { WORDS = 8192 / 64 };
	int (*ask)(pit_nvml_handle, unsigned, unsigned long *) =
		(int (*)(pit_nvml_handle, unsigned, unsigned long *))pit_nvml_symbol(g->lib, "nvmlDeviceGetCpuAffinity",
										     NULL);
	unsigned long mask[WORDS] = {0};
	pit_auto_idset struct pit_idset cpus = {0};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (!ask || ask(g->handle, WORDS, mask) != PIT_NVML_OK)
		return;
	for (size_t i = 0; i < WORDS * 64; i++)
		if (mask[i / 64] >> i % 64 & 1)
			(void)pit_idset_add(&cpus, i);
	pit_idset_print(&cpus, &text);
	json_object_set_new(g->all, "cpus", json_string(text.data));
}

static void ask_processes(const struct gpu *g, const char *function, const char *older, const char *type)
{
	int (*ask)(pit_nvml_handle, unsigned *, struct pit_nvml_process *) =
		(int (*)(pit_nvml_handle, unsigned *, struct pit_nvml_process *))pit_nvml_symbol(g->lib, function,
												 older);
	struct pit_nvml_process list[1024] = {0};
	unsigned count = PIT_COUNT(list);
	json_t *all = json_object_get(g->all, "processes");

	if (!ask || ask(g->handle, &count, list) != PIT_NVML_OK || count > PIT_COUNT(list))
		return;
	if (!all) {
		all = json_array();
		json_object_set_new(g->all, "processes", all);
	}
	for (unsigned i = 0; i < count; i++) {
		json_t *p = json_pack("{s:i,s:s}", "pid", (int)list[i].pid, "type", type);

		if (list[i].memory != ~0ull)
			json_object_set_new(p, "memory", json_integer((json_int_t)list[i].memory));
		json_array_append_new(all, p);
	}
}

static void ask_links(const struct gpu *g)
{
	enum { LINKS = 36 };
	int (*ask)(pit_nvml_handle, unsigned, unsigned *) =
		(int (*)(pit_nvml_handle, unsigned, unsigned *))pit_nvml_symbol(g->lib, "nvmlDeviceGetNvLinkState",
										NULL);
	pit_auto_idset struct pit_idset down = {0};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	unsigned active = 0, seen = 0;

	for (unsigned link = 0; ask && link < LINKS; link++) {
		unsigned on = 0;

		if (ask(g->handle, link, &on) != PIT_NVML_OK)
			continue;
		seen++;
		active += on == 1;
		if (on != 1)
			(void)pit_idset_add(&down, link);
	}
	if (!seen)
		return;
	pit_idset_print(&down, &text);
	set(g, "nvlink", "active", active);
	json_object_set_new(group_of(g, "nvlink"), "inactive", json_string(text.data));
	if (!json_object_get(group_of(g, "nvlink"), "links"))
		set(g, "nvlink", "links", seen);
}

static void ask_fabric(const struct gpu *g)
{
	int (*ask)(pit_nvml_handle, struct pit_nvml_fabric *) = (int (*)(
		pit_nvml_handle, struct pit_nvml_fabric *))pit_nvml_symbol(g->lib, "nvmlDeviceGetGpuFabricInfoV", NULL);

	for (unsigned version = 3; ask && version >= 2; version--) {
		struct pit_nvml_fabric f = {.version = (unsigned)PIT_NVML_FABRIC_VERSION(version)};

		if (ask(g->handle, &f) != PIT_NVML_OK)
			continue;
		set(g, "fabric", "state", f.state);
		set(g, "fabric", "status", f.status);
		set(g, "fabric", "clique", f.clique);
		set(g, "fabric", "health", f.health);
		if (version == 3)
			set(g, "fabric", "summary", f.summary);
		return;
	}
}

json_t *pit_nvml_query_gpu(void *library, unsigned index)
{
	struct gpu g = {.lib = library, .all = json_pack("{s:i}", "index", (int)index)};
	int (*ask)(unsigned, pit_nvml_handle *) = (int (*)(unsigned, pit_nvml_handle *))pit_nvml_symbol(
		library, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex");
	int code = ask ? ask(index, &g.handle) : PIT_NVML_NOT_SUPPORTED;

	if (code != PIT_NVML_OK) {
		set(&g, NULL, "error", code);
		return g.all;
	}
	ask_pci(&g);
	ask_questions(&g);
	ask_pairs(&g);
	ask_fields(&g);
	ask_memory(&g);
	ask_utilization(&g);
	ask_rows(&g);
	ask_cpus(&g);
	ask_links(&g);
	ask_fabric(&g);
	ask_processes(&g, "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2", "C");
	ask_processes(&g, "nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2", "G");
	pit_nvml_query_mig(library, g.handle, g.all);
	return g.all;
}
