/* SPDX-License-Identifier: MIT
 *
 * CPUs taken away from the scheduler at boot, and what is left for a job.
 */
#include "check/cpu_isolation.h"
#include "check/devices.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "check/catalog.h"
#include "check/cpu_values.h"

#define WORKERS 2 /* loader workers per GPU below which training starves; stas00's worked example */
#define SPARE 4   /* CPUs for the system */

/* Copies one element of the list with N and "all" replaced. */
static void put_element(const char *at, size_t len, unsigned last, struct pit_buf *out)
{
	if (len == 3 && !strncmp(at, "all", 3)) {
		pit_buf_printf(out, "0-%u,", last);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (at[i] == 'N')
			pit_buf_printf(out, "%u", last);
		else
			pit_buf_putc(out, at[i]);
	}
	pit_buf_putc(out, ',');
}

static bool is_flag(const char *at, size_t len)
{
	return len > 1 && isalpha((unsigned char)at[0]) && isalpha((unsigned char)at[1]) &&
	       !(len == 3 && !strncmp(at, "all", 3));
}

int pit_isolation_parse(const char *value, unsigned last, struct pit_idset *ret, bool *ret_domain)
{
	pit_auto_buf struct pit_buf list = PIT_BUF_INIT;
	bool flags = false, domain = false;
	int rc;

	for (const char *at = value; *at;) {
		size_t len = strcspn(at, ",");

		if (is_flag(at, len)) {
			flags = true;
			domain |= len == 6 && !strncmp(at, "domain", 6);
		} else {
			put_element(at, len, last, &list);
		}
		at += len + (at[len] == ',');
	}
	if (list.failed)
		return -ENOMEM;
	rc = pit_idset_parse(list.data, ret, NULL);
	if (!rc && ret_domain)
		*ret_domain = !flags || domain;
	return rc;
}

/* The CPUs of command line argument `name`; an empty set when it is not given. */
static int from_cmdline(struct pit_facts *facts, const char *name, struct pit_idset *ret, struct pit_error *err)
{
	pit_auto_idset struct pit_idset possible = {0};
	const struct pit_strv *cmdline;
	const char *value;
	unsigned last = 0;
	bool domain = true;
	int rc = pit_facts_cmdline(facts, &cmdline, err);

	if (rc)
		return rc;
	value = pit_cmdline_get(cmdline, name);
	if (!value)
		return 0;
	if (pit_root_idset(pit_facts_root(facts), &possible, "/sys/devices/system/cpu/possible"))
		(void)pit_cpus_online(pit_facts_root(facts), &possible);
	PIT_IDSET_FOREACH (cpu, &possible)
		last = (unsigned)cpu;
	rc = pit_isolation_parse(value, last, ret, &domain);
	if (rc)
		return pit_fail(err, -rc == EINVAL ? EBADMSG : -rc, "%s=%s on the kernel command line", name, value);
	if (!domain)
		pit_idset_free(ret);
	return 0;
}

/* Isolated from the scheduler: as the kernel says, else as its command line asks. */
static int isolated_cpus(struct pit_facts *facts, struct pit_idset *ret, struct pit_error *err)
{
	int rc = pit_root_idset(pit_facts_root(facts), ret, "/sys/devices/system/cpu/isolated");

	if (pit_root_state(rc) != PIT_STATE_ABSENT)
		return rc ? pit_fail(err, -rc, "/sys/devices/system/cpu/isolated") : 0;
	return from_cmdline(facts, "isolcpus", ret, err);
}

/* A node all of whose CPUs are in `set`; -1 none. A machine of one node has none: that is another finding. */
static int swallowed_node(struct pit_facts *facts, const struct pit_idset *set)
{
	pit_auto_idset struct pit_idset nodes = {0};
	struct pit_root *root = pit_facts_root(facts);

	if (pit_root_idset(root, &nodes, "/sys/devices/system/node/online") || pit_idset_count(&nodes) < 2)
		return -1;
	PIT_IDSET_FOREACH (node, &nodes) {
		pit_auto_idset struct pit_idset cpus = {0};

		if (!pit_root_idset(root, &cpus, "/sys/devices/system/node/node%d/cpulist", node) &&
		    !pit_idset_is_empty(&cpus) && pit_idset_is_subset(&cpus, set))
			return node;
	}
	return -1;
}

/* The name of a handler of interrupt `irq`: the one directory beside its well-known files; NULL nobody asked for it. */
static const char *handler_of(struct pit_root *root, const char *irq)
{
	static const char *const files[] = {"affinity_hint", "effective_affinity", "effective_affinity_list",
					    "node",          "smp_affinity",       "smp_affinity_list",
					    "spurious"};
	const struct pit_strv *names;

	if (pit_root_list(root, &names, "/proc/irq/%s", irq))
		return NULL;
	for (size_t i = 0; i < names->count; i++) {
		bool known = false;

		for (size_t j = 0; j < PIT_COUNT(files); j++)
			known |= !strcmp(names->item[i], files[j]);
		if (!known)
			return names->item[i];
	}
	return NULL;
}

/* Device interrupts delivered to CPUs of `set`; names the first few as evidence. */
static size_t interrupts_on(struct pit_facts *facts, const struct pit_idset *set, struct pit_finding *out)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *irqs;
	size_t hits = 0;

	if (pit_root_list(root, &irqs, "/proc/irq"))
		return 0;
	for (size_t i = 0; i < irqs->count; i++) {
		pit_auto_idset struct pit_idset cpus = {0};
		const char *irq = irqs->item[i], *handler;
		char path[96], list[64];

		snprintf(path, sizeof(path), "/proc/irq/%.32s/effective_affinity_list", irq);
		if (pit_root_idset(root, &cpus, "%s", path) || !pit_idset_intersects(&cpus, set))
			continue;
		handler = handler_of(root, irq);
		if (handler && ++hits <= 3)
			pit_evidence(out, path, "%s on CPU %s", handler, pit_idset_format(&cpus, list, sizeof(list)));
	}
	return hits;
}

static void say_who_isolates(struct pit_facts *facts, struct pit_finding *out)
{
	const struct pit_strv *cmdline;
	const char *value = NULL;

	if (pit_facts_cmdline(facts, &cmdline, NULL))
		return;
	value = pit_cmdline_get(cmdline, "isolcpus");
	if (value)
		pit_origin(out, "/proc/cmdline (isolcpus=%s)", value);
	else
		pit_origin(out, "an isolated cpuset");
}

static int probe_isolcpus(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_idset struct pit_idset set = {0}, online = {0};
	char cpus[64];
	size_t lost, all, irqs;
	int node, rc = isolated_cpus(facts, &set, err);

	if (!rc)
		rc = pit_cpus_online(pit_facts_root(facts), &online);
	if (rc)
		return pit_wrap(err, rc, "isolated CPUs");
	pit_want(out, "none; never CPU 0, a whole node, or CPUs that take interrupts");
	pit_idset_intersect(&set, &online);
	if (pit_idset_is_empty(&set))
		return pit_pass(out, "no CPU is isolated");
	lost = pit_idset_count(&set);
	all = pit_idset_count(&online);
	pit_idset_format(&set, cpus, sizeof(cpus));
	pit_evidence(out, "/sys/devices/system/cpu/isolated", "%s", cpus);
	say_who_isolates(facts, out);
	if (pit_idset_has(&set, 0))
		return pit_judge(out, PIT_FAIL, PIT_RISK, "CPU 0 is isolated (%s)", cpus);
	if (lost * 2 >= all)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "%zu of %zu CPUs isolated (%s)", lost, all, cpus);
	node = swallowed_node(facts, &set);
	if (node >= 0)
		return pit_bad(out, "all CPUs of node %d isolated (%s)", node, cpus);
	irqs = interrupts_on(facts, &set, out);
	if (irqs)
		return pit_bad(out, "%zu device interrupts on isolated CPUs (%s)", irqs, cpus);
	return pit_bad(out, "%zu of %zu CPUs isolated (%s)", lost, all, cpus);
}

static int probe_nohz_full(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	static const char path[] = "/sys/devices/system/cpu/nohz_full";
	pit_auto_idset struct pit_idset set = {0}, isolated = {0};
	bool inference = pit_facts_options(facts)->workload == PIT_INFERENCE;
	char text[128], cpus[64];
	int rc = pit_root_str(pit_facts_root(facts), text, sizeof(text), "%s", path);

	if (rc)
		return pit_fail(err, -rc, "this kernel cannot stop the tick on busy CPUs");
	if (text[0] != '(' && pit_idset_parse(text, &set, NULL))
		return pit_fail(err, EBADMSG, "%s", path);
	pit_want(out, inference ? "none, or isolated CPUs only" : "none");
	if (pit_idset_is_empty(&set))
		return pit_pass(out, "none");
	pit_idset_format(&set, cpus, sizeof(cpus));
	pit_evidence(out, path, "%s", cpus);
	pit_origin(out, "/proc/cmdline (nohz_full)");
	(void)isolated_cpus(facts, &isolated, NULL);
	if (pit_idset_has(&set, 0))
		return pit_bad(out, "CPU 0 is among %s", cpus);
	if (!pit_idset_is_subset(&set, &isolated))
		return pit_bad(out, "%s, not all of them isolated", cpus);
	if (inference)
		return pit_pass(out, "%s, isolated", cpus);
	return pit_judge(out, PIT_WARN, PIT_STYLE, "%s", cpus);
}

static int probe_rcu_nocbs(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			   struct pit_error *err)
{
	pit_auto_idset struct pit_idset set = {0}, quiet = {0}, nohz = {0};
	char cpus[64];
	int rc = from_cmdline(facts, "rcu_nocbs", &set, err);

	if (!rc)
		rc = from_cmdline(facts, "nohz_full", &nohz, err);
	if (!rc)
		rc = isolated_cpus(facts, &quiet, err);
	if (rc)
		return rc;
	pit_want(out, "none, or isolated CPUs only");
	if (pit_idset_is_empty(&set))
		return pit_pass(out, "none");
	if (pit_idset_unite(&quiet, &nohz))
		return pit_fail(err, ENOMEM, "out of memory");
	pit_idset_format(&set, cpus, sizeof(cpus));
	pit_evidence(out, "/proc/cmdline", "rcu_nocbs for CPUs %s", cpus);
	if (pit_idset_has(&set, 0))
		return pit_bad(out, "CPU 0 is among %s", cpus);
	if (!pit_idset_is_subset(&set, &quiet))
		return pit_bad(out, "%s, not all of them isolated", cpus);
	return pit_pass(out, "%s, isolated", cpus);
}

static int probe_cores(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct pit_topo *topo;
	int gpus = pit_gpu_count(facts), need, cpus, rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	if (gpus <= 0)
		return pit_fail(err, ENOENT, "the number of GPUs is unknown");
	cpus = (int)pit_idset_count(&topo->allowed.cpus);
	if (!cpus)
		cpus = topo->cpus.count;
	if (topo->cores > 0 && topo->cores < cpus)
		cpus = topo->cores;
	if (cpus <= 0)
		return pit_fail(err, ENOENT, "the number of CPUs is unknown");
	need = gpus * (WORKERS + 1) + SPARE;
	pit_want(out, "at least %d: %d GPUs x (%d workers + 1) + %d", need, gpus, WORKERS, SPARE);
	pit_evidence(out, topo->allowed.source[0] ? topo->allowed.source : "topology",
		     "%d cores for %d GPUs: %d loader workers for each", cpus, gpus,
		     cpus > SPARE + gpus ? (cpus - SPARE) / gpus - 1 : 0);
	return cpus >= need ? pit_pass(out, "%d cores for %d GPUs", cpus, gpus)
			    : pit_bad(out, "%d cores for %d GPUs", cpus, gpus);
}

const struct pit_check pit_check_cpu_isolation[] = {
	{
		.id = "cpu.isolcpus",
		.title = "CPUs isolated from the scheduler",
		.why = "Tasks that are not bound by hand never run on isolated CPUs, so loaders and servers crowd "
		       "on the rest; NVIDIA took isolcpus out of its inference profiles after one had lost two "
		       "thirds of its throughput. Real-time profiles such as OpenShift's isolate for pods that bind "
		       "each thread, and CPU 0, where interrupts go by default, is the worst choice even there.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_isolcpus,
		.knob = "cmdline.isolcpus",
		.remedy =
			"Remove isolcpus= from the kernel command line, or bind every rank by hand to the isolated CPUs.",
		.reboot = true,
		.source = "NVIDIA nodewright-packages#95 and #96: removed from all inference profiles",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{
		.id = "cpu.nohz-full",
		.title = "CPUs without a timer tick (nohz_full)",
		.why = "Every entry into the kernel costs more on such CPUs, and the tick stays anyway where two tasks share one. "
		       "Loaders and servers, which call the kernel all the time, pay and gain nothing.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_nohz_full,
		.knob = "cmdline.nohz_full",
		.remedy =
			"Remove nohz_full= from the kernel command line, or keep it to isolated CPUs that run one bound task.",
		.reboot = true,
		.source = "kernel documentation of NO_HZ",
		.refs = "https://docs.kernel.org/timers/no_hz.html",
	},
	{
		.id = "cpu.rcu-nocbs",
		.title = "CPUs with RCU callbacks moved away (rcu_nocbs)",
		.why = "Callbacks then run in threads that compete with jobs elsewhere. Without isolated CPUs to protect there "
		       "is only the cost.",
		.area = PIT_AREA_CPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.probe = probe_rcu_nocbs,
		.knob = "cmdline.rcu_nocbs",
		.remedy = "Keep rcu_nocbs= to the isolated CPUs, or remove it.",
		.reboot = true,
		.source = "tuned cpu-partitioning sets it for isolated CPUs only",
		.refs = "https://docs.kernel.org/admin-guide/kernel-parameters.html",
	},
	{
		.id = "cpu.cores-per-gpu",
		.title = "Cores per GPU for data loading",
		.why = "Each GPU needs a core for its rank and some for loader workers; with too few the GPU waits for data. It "
		       "shows in training on images, video and text that is prepared on the fly.",
		.area = PIT_AREA_CPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.workloads = PIT_TRAINING,
		.needs = PIT_NEED_GPU,
		.probe = probe_cores,
		.remedy = "Ask for more cores per GPU, or prepare the data beforehand.",
		.source = "stas00 ml-engineering: GPUs x (workers + 1) + 4",
		.refs = "https://github.com/stas00/ml-engineering/tree/master/compute/cpu",
	},
	{.id = NULL},
};
