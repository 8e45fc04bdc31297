/* SPDX-License-Identifier: MIT
 *
 * How fast the CPUs may run: governor, hints, turbo, caps and what heat takes away.
 */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "check/catalog.h"
#include "check/devices.h"
#include "check/counters.h"
#include "check/cpu_values.h"

#define CPU0 "/sys/devices/system/cpu/cpu0/"

static const char *list_of(const struct pit_idset *s, char text[64])
{
	return pit_idset_format(s, text, 64);
}

static void show_values(const struct pit_cpu_values *v, const char *leaf, struct pit_finding *out)
{
	char path[128], cpus[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu*/%s", leaf);
	for (size_t i = 0; i < v->count; i++)
		pit_evidence(out, path, "%s on CPUs %s", v->item[i].text, list_of(&v->item[i].cpus, cpus));
}

static int load_values(struct pit_facts *facts, const char *leaf, const char *absent, struct pit_cpu_values *ret,
		       struct pit_error *err)
{
	int rc = pit_cpu_values_load(pit_facts_root(facts), leaf, ret);

	if (rc == -ENOENT)
		return pit_fail(err, -rc, "%s", absent);
	return rc ? pit_fail(err, -rc, "/sys/devices/system/cpu/cpu*/%s", leaf) : 0;
}

/* CPUs whose value is not among the words of `good`. */
static int offenders(const struct pit_cpu_values *v, const char *good, struct pit_idset *ret)
{
	pit_auto_strv struct pit_strv words = {0};
	int rc = pit_strv_split(&words, good, " ");

	for (size_t i = 0; i < v->count && !rc; i++)
		if (!pit_strv_has(&words, v->item[i].text))
			rc = pit_idset_unite(ret, &v->item[i].cpus);
	return rc;
}

/* In these drivers' active modes "powersave" lets the hardware choose by the energy hint; in all others it pins the
 * lowest frequency. */
static bool is_active_driver(const char *driver)
{
	return !strcmp(driver, "intel_pstate") || !strcmp(driver, "amd-pstate-epp");
}

static const struct pit_cpu_value *find_value(const struct pit_cpu_values *v, const char *text)
{
	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->item[i].text, text))
			return &v->item[i];
	return NULL;
}

/* Adds the measured frequency of one such CPU when it sits at its lowest. */
static bool is_pinned_low(struct pit_facts *facts, int cpu, struct pit_finding *out)
{
	struct pit_root *root = pit_facts_root(facts);
	char path[96];
	uint64_t now, low, high;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/cpufreq", cpu);
	if (pit_root_u64(root, &now, "%s/scaling_cur_freq", path) ||
	    pit_root_u64(root, &low, "%s/cpuinfo_min_freq", path) ||
	    pit_root_u64(root, &high, "%s/cpuinfo_max_freq", path) || now > low + low / 10 || high <= low + low / 10)
		return false;
	pit_evidence(out, path, "runs at %.2f GHz of %.2f GHz", (double)now / 1e6, (double)high / 1e6);
	return true;
}

static int probe_governor(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_cpu_values struct pit_cpu_values v = {0};
	pit_auto_idset struct pit_idset bad = {0};
	const struct pit_cpu_value *slow;
	enum pit_impact impact;
	char driver[32] = "", cpus[64];
	int rc = load_values(facts, "cpufreq/scaling_governor",
			     "no frequency scaling here; the firmware or the hypervisor sets the clock", &v, err);

	if (rc)
		return rc;
	(void)pit_root_str(pit_facts_root(facts), driver, sizeof(driver), CPU0 "cpufreq/scaling_driver");
	pit_want(out, "performance");
	show_values(&v, "cpufreq/scaling_governor", out);
	if (offenders(&v, "performance", &bad))
		return pit_fail(err, ENOMEM, "out of memory");
	if (pit_idset_is_empty(&bad))
		return pit_pass(out, "performance on %zu CPUs", v.cpus);
	pit_origin_of(facts, CPU0 "cpufreq/scaling_governor", v.item[0].text, "cpufreq.default_governor", out);
	slow = find_value(&v, "powersave");
	if (slow && !is_active_driver(driver))
		return pit_judge(out, PIT_FAIL,
				 is_pinned_low(facts, pit_idset_next(&slow->cpus, 0), out) ? PIT_HURTING : PIT_RISK,
				 "powersave on %zu of %zu CPUs pins the lowest clock", pit_idset_count(&slow->cpus),
				 v.cpus);
	impact = pit_gpu_count(facts) ? row->impact : PIT_STYLE;
	if (v.count == 1)
		return pit_judge(out, row->otherwise, impact, "%s on %zu of %zu CPUs", v.item[0].text, v.cpus, v.cpus);
	return pit_judge(out, row->otherwise, impact, "not performance on %zu of %zu CPUs (%s)", pit_idset_count(&bad),
			 v.cpus, list_of(&bad, cpus));
}

/* /proc/cpuinfo's maker of an x86 CPU; "" unknown. */
static void read_vendor(struct pit_facts *facts, char *ret, size_t size)
{
	struct pit_text text;

	*ret = '\0';
	if (!pit_root_read(pit_facts_root(facts), &text, "/proc/cpuinfo"))
		(void)pit_kv_str(text.data, "vendor_id", ret, size);
}

static bool has_hwp(struct pit_facts *facts)
{
	struct pit_text text;
	const char *at = NULL;

	if (!pit_root_read(pit_facts_root(facts), &text, "/proc/cpuinfo"))
		at = strstr(text.data, " hwp");
	return at && strchr(" \n_", at[4]) != NULL && at[4];
}

static int probe_driver(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	pit_auto_cpu_values struct pit_cpu_values v = {0};
	const struct pit_strv *cmdline;
	const char *argument = NULL, *driver;
	char vendor[32];
	int rc = load_values(facts, "cpufreq/scaling_driver",
			     "no frequency scaling here; the firmware or the hypervisor sets the clock", &v, err);

	if (rc)
		return rc;
	driver = v.item[0].text;
	show_values(&v, "cpufreq/scaling_driver", out);
	pit_want(out, "intel_pstate on Intel CPUs with hardware P-states, not pcc-cpufreq");
	if (!strcmp(driver, "pcc-cpufreq"))
		return pit_judge(out, PIT_WARN, PIT_RISK, "pcc-cpufreq serialises all CPUs on one lock");
	if (strcmp(driver, "acpi-cpufreq") != 0)
		return pit_pass(out, "%s", driver);
	read_vendor(facts, vendor, sizeof(vendor));
	if (strcmp(vendor, "GenuineIntel") != 0 || !has_hwp(facts))
		return pit_pass(out, "%s", driver);
	if (!pit_facts_cmdline(facts, &cmdline, NULL))
		argument = pit_cmdline_get(cmdline, "intel_pstate");
	if (argument)
		pit_origin(out, "/proc/cmdline (intel_pstate=%s)", argument);
	return pit_bad(out, "%s on an Intel CPU with hardware P-states", driver);
}

/* The energy hint as 0 (performance) to 255 (power): EPP by its five names or a number; -1 unknown. */
static int epp_of(const char *text)
{
	static const struct {
		const char *name;
		int value;
	} names[] = {
		{.name = "performance", .value = 0},     {.name = "balance_performance", .value = 128},
		{.name = "balance_power", .value = 192}, {.name = "power", .value = 255},
		{.name = "default", .value = 128},
	};
	uint64_t n;

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (!strcmp(text, names[i].name))
			return names[i].value;
	return !pit_parse_u64(text, &n) && n <= 255 ? (int)n : -1;
}

static int probe_epp(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	pit_auto_cpu_values struct pit_cpu_values v = {0};
	const struct pit_cpu_value *worst = NULL;
	int rc = load_values(facts, "cpufreq/energy_performance_preference", "no energy hint (EPP) on this CPU", &v,
			     err);
	int high = -1;

	if (rc)
		return rc;
	show_values(&v, "cpufreq/energy_performance_preference", out);
	pit_want(out, "performance");
	for (size_t i = 0; i < v.count; i++) {
		int value = epp_of(v.item[i].text);

		if (value < 0)
			return pit_fail(err, EBADMSG, "'%s' is no energy hint", v.item[i].text);
		if (value > high)
			worst = &v.item[i];
		high = value > high ? value : high;
	}
	if (!high)
		return pit_pass(out, "performance on %zu CPUs", v.cpus);
	return pit_judge(out, PIT_WARN, high > 128 ? PIT_RISK : PIT_STYLE, "%s on %zu of %zu CPUs", worst->text,
			 pit_idset_count(&worst->cpus), v.cpus);
}

/* 0 (performance) to 15 (power), also by name. */
static int epb_of(const char *text)
{
	static const char *const names[] = {[0] = "performance",
					    [4] = "balance-performance",
					    [6] = "normal",
					    [8] = "balance-power",
					    [15] = "power"};
	uint64_t n;

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (names[i] && !strcmp(text, names[i]))
			return (int)i;
	return !pit_parse_u64(text, &n) && n <= 15 ? (int)n : -1;
}

static int probe_epb(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	pit_auto_cpu_values struct pit_cpu_values v = {0};
	int rc = load_values(facts, "power/energy_perf_bias", "no energy bias (EPB) on this CPU", &v, err);
	int high = 0;

	if (rc)
		return rc;
	show_values(&v, "power/energy_perf_bias", out);
	pit_want(out, "0 (performance)");
	for (size_t i = 0; i < v.count; i++) {
		int value = epb_of(v.item[i].text);

		if (value < 0)
			return pit_fail(err, EBADMSG, "'%s' is no energy bias", v.item[i].text);
		high = value > high ? value : high;
	}
	if (!high)
		return pit_pass(out, "performance on %zu CPUs", v.cpus);
	return pit_judge(out, PIT_WARN, high > 6 ? PIT_RISK : PIT_STYLE, "up to %d of 15 (0 is performance)", high);
}

static int probe_turbo(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	static const char *const no_turbo = "/sys/devices/system/cpu/intel_pstate/no_turbo";
	static const char *const boost = "/sys/devices/system/cpu/cpufreq/boost";
	struct pit_root *root = pit_facts_root(facts);
	const char *path = no_turbo;
	uint64_t value;
	bool on;
	int rc = pit_root_u64(root, &value, "%s", path);

	if (pit_root_state(rc) == PIT_STATE_ABSENT) {
		path = boost;
		rc = pit_root_u64(root, &value, "%s", path);
	}
	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_fail(err, -rc, "no turbo switch here");
	if (rc || value > 1)
		return pit_fail(err, rc ? -rc : EBADMSG, "%s", path);
	on = path == no_turbo ? !value : value;
	pit_evidence(out, path, "%d", (int)value);
	pit_want(out, "on");
	if (on)
		return pit_pass(out, "on");
	pit_origin_of(facts, path, value ? "1" : "0", NULL, out);
	pit_command(out, "echo %d > %s", path == boost, path);
	return pit_bad(out, "off");
}

static int probe_min_perf(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	char governor[32] = "";
	uint64_t percent;
	int rc = pit_root_u64(root, &percent, "%s", row->path);

	if (rc)
		return pit_fail(err, -rc, "intel_pstate does not drive this CPU");
	(void)pit_root_str(root, governor, sizeof(governor), CPU0 "cpufreq/scaling_governor");
	pit_evidence(out, row->path, "%d", (int)percent);
	pit_want(out, "100%%, or the performance governor");
	if (percent >= 100 || !strcmp(governor, "performance"))
		return pit_pass(out, "%d%%, governor %s", (int)percent, governor[0] ? governor : "unknown");
	pit_origin_of(facts, row->path, NULL, NULL, out);
	return pit_bad(out, "%d%%, governor %s", (int)percent, governor[0] ? governor : "unknown");
}

/* Percent of the hardware's highest frequency that policy leaves the CPU; 100 unknown or not capped. */
static double share_left(struct pit_root *root, int cpu)
{
	uint64_t most, cap;

	if (pit_root_u64(root, &most, "/sys/devices/system/cpu/cpu%d/cpufreq/cpuinfo_max_freq", cpu) ||
	    pit_root_u64(root, &cap, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_max_freq", cpu) || !most)
		return 100;
	return cap >= most ? 100 : 100.0 * (double)cap / (double)most;
}

static int probe_cap(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_idset struct pit_idset online = {0}, capped = {0};
	double low = 100, share;
	char cpus[64];
	int rc = pit_root_exists(root, CPU0 "cpufreq/scaling_max_freq");

	if (rc)
		return pit_fail(err, -rc, "no frequency scaling here; the firmware or the hypervisor sets the clock");
	rc = pit_cpus_online(root, &online);
	if (rc)
		return pit_fail(err, -rc, "/sys/devices/system/cpu/online");
	PIT_IDSET_FOREACH (cpu, &online) {
		share = share_left(root, cpu);
		low = share < low ? share : low;
		if (share < 95 && pit_idset_add(&capped, (size_t)cpu))
			return pit_fail(err, ENOMEM, "out of memory");
	}
	pit_want(out, "scaling_max_freq at cpuinfo_max_freq");
	if (pit_idset_is_empty(&capped))
		return pit_pass(out, "no CPU is capped");
	pit_evidence(out, "/sys/devices/system/cpu/cpu*/cpufreq/scaling_max_freq", "capped on CPUs %s",
		     list_of(&capped, cpus));
	return pit_bad(out, "%zu CPUs capped, lowest at %.0f%%", pit_idset_count(&capped), low);
}

struct throttle {
	uint64_t events, worst_ms;
	int worst_cpu;
};

static void add_throttle(struct pit_root *root, int cpu, const char *kind, struct throttle *t)
{
	uint64_t n, ms = 0;

	if (pit_root_u64(root, &n, "/sys/devices/system/cpu/cpu%d/thermal_throttle/%s_throttle_count", cpu, kind) || !n)
		return;
	(void)pit_root_u64(root, &ms, "/sys/devices/system/cpu/cpu%d/thermal_throttle/%s_throttle_total_time_ms", cpu,
			   kind);
	if (t->worst_cpu < 0 || ms > t->worst_ms) {
		t->worst_ms = ms;
		t->worst_cpu = cpu;
	}
	t->events = n > t->events ? n : t->events;
}

static int probe_throttle(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_idset struct pit_idset online = {0};
	struct throttle t = {.worst_cpu = -1};
	double up, share;
	int rc = pit_root_exists(root, CPU0 "thermal_throttle");

	if (rc)
		return pit_fail(err, -rc, "no thermal counters on this CPU");
	rc = pit_cpus_online(root, &online);
	if (!rc)
		rc = pit_uptime(facts, &up, err);
	if (rc)
		return pit_wrap(err, rc, "thermal counters");
	PIT_IDSET_FOREACH (cpu, &online) {
		add_throttle(root, cpu, "core", &t);
		add_throttle(root, cpu, "package", &t);
	}
	pit_want(out, "below 1%% of the uptime");
	if (t.worst_cpu < 0)
		return pit_pass(out, "never since boot");
	share = up > 0 ? (double)t.worst_ms / 10 / up : 0;
	pit_evidence(out, "/sys/devices/system/cpu/cpu*/thermal_throttle",
		     "up to %llu events on one CPU; CPU %d throttled %.1f s since boot", (unsigned long long)t.events,
		     t.worst_cpu, (double)t.worst_ms / 1000);
	if (share >= 1)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "hot for %.1f%% of the uptime", share);
	if (up > 0 && !t.worst_ms && (double)t.events / (up / 3600) >= 10)
		return pit_bad(out, "%llu events since boot", (unsigned long long)t.events);
	return pit_pass(out, "hot for %.2f%% of the uptime", share);
}

const struct pit_check pit_check_cpu[] = {
	{
		.id = "cpu.governor",
		.title = "Frequency governor of every CPU",
		.why = "A governor other than performance lets clocks fall between bursts, so data loading, kernel "
		       "launches and interrupts start slowly. It costs most when GPUs wait for short CPU work, and "
		       "powersave without hardware P-states holds the lowest clock for good.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_governor,
		.knob = "cpu.governor",
		.remedy = "Set the performance governor on every CPU.",
		.command = "echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
		.source = "tuned throughput-performance; NVIDIA nvidia-base; gcm check_processor",
		.refs = "https://docs.kernel.org/admin-guide/pm/cpufreq.html",
	},
	{
		.id = "cpu.scaling-driver",
		.title = "Driver that scales CPU frequency",
		.why = "acpi-cpufreq on an Intel CPU with hardware P-states reacts late and in coarse steps, and pcc-cpufreq "
		       "makes all CPUs wait for one lock. It shows when many short tasks run next to the GPUs.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = probe_driver,
		.knob = "cmdline.intel_pstate",
		.remedy =
			"Remove intel_pstate=disable from the kernel command line, or turn hardware P-states on in the firmware.",
		.reboot = true,
		.source = "PerfSpect; kernel documentation of intel_pstate",
		.refs = "https://docs.kernel.org/admin-guide/pm/intel_pstate.html",
	},
	{
		.id = "cpu.epp",
		.title = "Energy hint to the CPU (EPP)",
		.why = "The hint tells the CPU to raise its clock late in order to save power. It costs latency whenever "
		       "short bursts of CPU work feed the GPUs.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = probe_epp,
		.knob = "cpu.epp",
		.remedy = "Set the energy hint to performance on every CPU.",
		.command = "echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/energy_performance_preference",
		.source = "tuned throughput-performance; PerfSpect",
		.refs = "https://docs.kernel.org/admin-guide/pm/intel_pstate.html",
	},
	{
		.id = "cpu.epb",
		.title = "Energy bias of the CPU (EPB)",
		.why = "A bias towards power saves energy by slower turbo and slower uncore. It costs memory latency and "
		       "single-thread speed on Intel CPUs whose firmware leaves this choice to the system.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.probe = probe_epb,
		.knob = "cpu.epb",
		.remedy = "Set the energy bias to 0 on every CPU.",
		.command = "echo 0 | tee /sys/devices/system/cpu/cpu*/power/energy_perf_bias",
		.source = "tuned throughput-performance; PerfSpect",
		.refs = "https://docs.kernel.org/admin-guide/pm/intel_epb.html",
	},
	{
		.id = "cpu.turbo",
		.title = "Turbo (boost)",
		.why = "Without turbo a CPU stays at its base clock although heat and power would allow more. Single-threaded "
		       "parts such as the Python main thread and kernel launches lose most.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_turbo,
		.knob = "cpu.turbo",
		.remedy = "Turn turbo on.",
		.source = "tuned throughput-performance; PerfSpect",
		.refs = "https://docs.kernel.org/admin-guide/pm/intel_pstate.html",
	},
	{
		.id = "cpu.min-perf",
		.title = "Lowest performance level of intel_pstate",
		.why = "A low floor lets clocks fall when the CPU idles for moments. It costs a ramp at each burst unless the "
		       "performance governor holds the clock up.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.path = "/sys/devices/system/cpu/intel_pstate/min_perf_pct",
		.probe = probe_min_perf,
		.knob = "cpu.min-perf",
		.remedy = "Set the performance governor, or min_perf_pct to 100.",
		.command = "echo 100 > /sys/devices/system/cpu/intel_pstate/min_perf_pct",
		.source = "tuned throughput-performance",
		.refs = "https://docs.kernel.org/admin-guide/pm/intel_pstate.html",
	},
	{
		.id = "cpu.platform-profile",
		.title = "Firmware's platform profile",
		.why = "A balanced or quiet profile lets the firmware lower power limits behind the system's back. It costs "
		       "clock speed under long load on machines that have such a profile.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_GPU,
		.path = "/sys/firmware/acpi/platform_profile",
		.op = PIT_OP_ONE_OF,
		.want = "performance balanced-performance custom",
		.absent = "the firmware offers no platform profile",
		.knob = "cpu.platform-profile",
		.remedy = "Choose the performance profile.",
		.source = "tuned throughput-performance",
		.refs = "https://docs.kernel.org/userspace-api/sysfs-platform_profile.html",
	},
	{
		.id = "cpu.frequency-cap",
		.title = "Frequency cap below what the CPU can do",
		.why = "A cap in scaling_max_freq holds the CPU below its own limit, often left behind by a power-saving tool "
		       "or a benchmark. It costs speed in all CPU work until someone raises it.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_cap,
		.remedy = "Write cpuinfo_max_freq into scaling_max_freq of the capped CPUs.",
		.source = "kernel documentation of cpufreq",
		.refs = "https://docs.kernel.org/admin-guide/pm/cpufreq.html",
	},
	{
		.id = "cpu.thermal-throttle",
		.title = "CPUs slowed down by heat",
		.why = "A CPU that is too hot cuts its own clock and all ranks wait for the slowest one. It happens under long "
		       "load when cooling, paste, dust or room air is at fault.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_METAL,
		.probe = probe_throttle,
		.remedy = "Look after fans, air flow and power limits in the firmware's log.",
		.source = "Intel thermal monitor counters; 1% is pitcrew's threshold",
	},
	{.id = NULL},
};
