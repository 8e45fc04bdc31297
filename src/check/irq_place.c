/* SPDX-License-Identifier: MIT */
#include "check/irq.h"

#include <inttypes.h>
#include <string.h>

#include "check/devices.h"
#include "check/irq_map.h"
#include "check/offenders.h"

/* Interrupts per second below which a device is idle: where its interrupts land does not matter. */
#define BUSY 100
/* Interrupts per second on the wrong node from which it costs now. */
#define HURTS 1000

/* What a device's interrupts do: per second in the window when it is busy now, else on average since boot. */
struct load {
	double all, away, away_now;
	size_t known;                /* interrupts of known affinity */
	size_t local;                /* those that can land on the device's node */
	const struct pit_irq *worst; /* the busiest away */
};

static double rate_of(const struct pit_irq *q, bool now)
{
	return now ? (q->rate > 0 ? q->rate : 0) : q->average;
}

static void measure(const struct pit_irqs *irqs, const struct pit_idset *local, struct load *ret)
{
	struct load l = {0};
	double rates = 0;
	bool now;

	for (size_t i = 0; i < irqs->count; i++)
		rates += rate_of(&irqs->item[i], true);
	now = rates >= BUSY;
	for (size_t i = 0; i < irqs->count; i++) {
		const struct pit_irq *q = &irqs->item[i];

		if (pit_idset_is_empty(&q->cpus))
			continue;
		l.known++;
		l.all += rate_of(q, now);
		if (pit_idset_intersects(&q->cpus, local)) {
			l.local++;
			continue;
		}
		l.away += rate_of(q, now);
		l.away_now += rate_of(q, true);
		if (!l.worst || rate_of(q, now) > rate_of(l.worst, now))
			l.worst = q;
	}
	*ret = l;
}

/* The CPUs near a device; NULL when none are known. */
static const struct pit_idset *local_cpus(const struct pit_topo *topo, const struct pit_device *d)
{
	const struct pit_node *n = d->node >= 0 ? pit_topo_nearest_cpus(topo, d->node) : NULL;

	if (n && !pit_idset_is_empty(&n->cpus))
		return &n->cpus;
	return d->node >= 0 && !pit_idset_is_empty(&d->cpus) ? &d->cpus : NULL;
}

static void blame_device(const struct pit_device *d, const struct load *l, const struct pit_idset *local,
			 struct pit_facts *facts, struct pit_finding *out)
{
	char path[64], there[64], near[64], action[64];

	snprintf(path, sizeof(path), "/proc/irq/%d/effective_affinity_list", l->worst->irq);
	pit_idset_format(&l->worst->cpus, there, sizeof(there));
	pit_idset_format(local, near, sizeof(near));
	pit_evidence(out, path, "%s (node %d, CPUs %s): irq %d %s lands on CPU %s, %.0f of %.0f per second are away",
		     pit_device_label(d), d->node, near, l->worst->irq,
		     pit_irq_action(facts, l->worst->irq, action, sizeof(action)), there, l->away, l->all);
	pit_command(out, "echo %s > /proc/irq/%d/smp_affinity_list", near, l->worst->irq);
}

int pit_irq_device_node(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	const struct pit_irq_devices *which = row->arg;
	struct pit_offenders away = {0};
	const struct pit_topo *topo;
	double away_now = 0;
	size_t judged = 0, busy = 0;
	int rc = pit_facts_topo(facts, &topo, err);

	for (size_t i = 0; !rc && i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];
		const struct pit_idset *local = local_cpus(topo, d);
		pit_auto_irqs struct pit_irqs irqs = {0};
		struct load l;

		if (d->cls < which->first || d->cls > which->last || !d->pci[0] || !local ||
		    pit_device_is_repeated(topo, i))
			continue;
		rc = pit_irqs_of_device(facts, d, &irqs, err);
		if (rc || !irqs.counted)
			continue;
		measure(&irqs, local, &l);
		judged += l.known > 0;
		busy += l.all >= BUSY;
		if (l.all < BUSY || l.away <= which->share * l.all)
			continue;
		away_now += l.away_now;
		pit_offenders_add(&away, "%s (%.0f%%)", pit_device_label(d), 100 * l.away / l.all);
		blame_device(d, &l, local, facts, out);
	}
	if (rc)
		return rc;
	if (!judged)
		return pit_skip(out, "no such device with a known node and counted interrupts");
	pit_want(out, "at most %.0f%% of the interrupts off the device's node", which->share * 100);
	if (!away.count)
		return pit_pass(out, busy ? "on their nodes" : "%zu device%s, too few interrupts to matter", judged,
				judged > 1 ? "s" : "");
	return pit_judge(out, PIT_WARN, away_now >= HURTS ? PIT_HURTING : PIT_RISK, "away: %s",
			 pit_offenders_text(&away));
}

int pit_irq_nvme_node(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct pit_offenders away = {0};
	const struct pit_topo *topo;
	size_t judged = 0;
	int rc = pit_facts_topo(facts, &topo, err);

	for (size_t i = 0; !rc && i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];
		const struct pit_idset *local = local_cpus(topo, d);
		pit_auto_irqs struct pit_irqs irqs = {0};
		struct load l;

		if (d->cls != PIT_DEVICE_NVME || !local)
			continue;
		rc = pit_irqs_of_device(facts, d, &irqs, err);
		if (rc)
			continue;
		measure(&irqs, local, &l);
		judged += l.known > 0;
		if (!l.known || l.local)
			continue;
		pit_offenders_add(&away, "%s", pit_device_label(d));
		blame_device(d, &l, local, facts, out);
	}
	if (rc)
		return rc;
	if (!judged)
		return pit_skip(out, "no NVMe with a known node and interrupts");
	pit_want(out, "at least one queue interrupt on the node of each NVMe");
	if (away.count)
		return pit_bad(out, "none: %s", pit_offenders_text(&away));
	return pit_pass(out, "%zu with local queue interrupts", judged);
}

int pit_irq_on_isolated(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	pit_auto_idset struct pit_idset isolated = {0};
	pit_auto_irqs struct pit_irqs irqs = {0};
	struct pit_offenders bad = {0};
	char cpus[64], action[64], path[64];
	bool now = false;
	int rc = pit_irq_isolated(facts, &isolated, err);

	if (rc)
		return rc;
	if (pit_idset_is_empty(&isolated))
		return pit_pass(out, "no isolated CPUs");
	rc = pit_irqs_of_host(facts, &irqs, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < irqs.count; i++) {
		const struct pit_irq *q = &irqs.item[i];

		if (!pit_idset_is_subset(&q->cpus, &isolated) || pit_idset_is_empty(&q->cpus) || pit_irq_weight(q) < 1)
			continue;
		pit_irq_action(facts, q->irq, action, sizeof(action));
		pit_idset_format(&q->cpus, cpus, sizeof(cpus));
		pit_offenders_add(&bad, "irq %d %s", q->irq, action);
		now |= q->rate >= 1;
		snprintf(path, sizeof(path), "/proc/irq/%d/effective_affinity_list", q->irq);
		pit_evidence(out, path, "%s: %" PRIu64 " since boot, %.1f per second", cpus, q->count,
			     pit_irq_weight(q));
	}
	pit_want(out, "no busy interrupt on CPUs %s", pit_idset_format(&isolated, cpus, sizeof(cpus)));
	if (bad.count)
		return pit_judge(out, PIT_WARN, now ? PIT_HURTING : PIT_RISK, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "none");
}

/* Whether two or more busy interrupts all land on one CPU; that CPU, or -1. */
static int common_cpu(const struct pit_irqs *irqs, double *ret_rate, size_t *ret_busy)
{
	pit_auto_idset struct pit_idset all = {0};
	size_t busy = 0;
	double rate = 0;

	for (size_t i = 0; i < irqs->count; i++) {
		const struct pit_irq *q = &irqs->item[i];

		if (pit_irq_weight(q) < 1 || pit_idset_is_empty(&q->cpus))
			continue;
		busy++;
		rate += pit_irq_weight(q);
		if (pit_idset_unite(&all, &q->cpus))
			return -1;
	}
	*ret_rate = rate;
	*ret_busy = busy;
	return busy > 1 && pit_idset_count(&all) == 1 ? pit_idset_next(&all, 0) : -1;
}

#define QUEUES_MIN 2
#define CPUS_MIN 4

int pit_irq_one_cpu(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		    struct pit_error *err)
{
	struct pit_offenders bad = {0};
	const struct pit_topo *topo;
	size_t judged = 0;
	int rc = pit_facts_topo(facts, &topo, err);

	for (size_t i = 0; !rc && i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];
		pit_auto_irqs struct pit_irqs irqs = {0};
		double rate = 0;
		size_t busy = 0;
		int cpu;

		if ((d->cls != PIT_DEVICE_NIC && d->cls != PIT_DEVICE_IB) || !d->pci[0] ||
		    pit_device_is_repeated(topo, i))
			continue;
		rc = pit_irqs_of_device(facts, d, &irqs, err);
		if (rc || !irqs.counted)
			continue;
		judged++;
		cpu = common_cpu(&irqs, &rate, &busy);
		if (cpu < 0 || busy < QUEUES_MIN || rate < BUSY || topo->cpus.count < CPUS_MIN)
			continue;
		pit_offenders_add(&bad, "%s on CPU %d", pit_device_label(d), cpu);
		pit_evidence(out, "/proc/irq", "%s: %zu busy interrupts, %.0f per second, all on CPU %d",
			     pit_device_label(d), busy, rate, cpu);
	}
	if (rc)
		return rc;
	if (!judged)
		return pit_skip(out, "no network device with counted interrupts");
	pit_want(out, "the queues of a busy adapter on several CPUs");
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "%zu adapter%s, none crowded on one CPU", judged, judged > 1 ? "s" : "");
}

#define SPREAD_CPUS 8
#define SPREAD_IRQS 4

int pit_irq_balance_running(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	pit_auto_irqs struct pit_irqs irqs = {0};
	const struct pit_procs *procs;
	const struct pit_topo *topo;
	double rate = 0;
	size_t busy = 0;
	int cpu, rc = pit_facts_topo(facts, &topo, err);

	rc = rc ? rc : pit_facts_procs(facts, &procs, err);
	rc = rc ? rc : pit_irqs_of_host(facts, &irqs, err);
	if (rc)
		return rc;
	pit_want(out, "busy interrupts spread over the CPUs");
	cpu = common_cpu(&irqs, &rate, &busy);
	if (pit_facts_process(facts, "irqbalance")) {
		pit_evidence(out, "process", "irqbalance runs");
		return pit_pass(out, "irqbalance runs");
	}
	pit_evidence(out, "process", "irqbalance does not run");
	if (cpu < 0 || busy < SPREAD_IRQS || rate < BUSY || topo->cpus.count < SPREAD_CPUS)
		return pit_pass(out, "irqbalance does not run; no need seen");
	pit_evidence(out, "/proc/irq", "%zu busy interrupts, %.0f per second, all on CPU %d of %d", busy, rate, cpu,
		     topo->cpus.count);
	return pit_bad(out, "not running, all %zu busy interrupts on CPU %d", busy, cpu);
}
