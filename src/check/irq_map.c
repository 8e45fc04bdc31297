/* SPDX-License-Identifier: MIT */
#include "check/irq_map.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/counters.h"

void pit_irqs_free(struct pit_irqs *i)
{
	for (size_t k = 0; k < i->count; k++)
		pit_idset_free(&i->item[k].cpus);
	pit_cleanup_free(&i->item);
	*i = (struct pit_irqs){0};
}

/* Where interrupt `irq` goes; unknown stays empty. */
static void read_affinity(struct pit_root *root, struct pit_irq *irq)
{
	if (pit_root_idset(root, &irq->cpus, "/proc/irq/%d/effective_affinity_list", irq->irq) ||
	    pit_idset_is_empty(&irq->cpus))
		(void)pit_root_idset(root, &irq->cpus, "/proc/irq/%d/smp_affinity_list", irq->irq);
}

static int add_irq(struct pit_root *root, uint64_t number, struct pit_irqs *irqs)
{
	struct pit_irq *grown = reallocarray(irqs->item, irqs->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	irqs->item = grown;
	grown[irqs->count] = (struct pit_irq){.irq = (int)number, .rate = -1};
	read_affinity(root, &grown[irqs->count++]);
	return 0;
}

static int add_listed(struct pit_root *root, const struct pit_strv *names, struct pit_irqs *irqs)
{
	uint64_t number;
	int rc = 0;

	for (size_t i = 0; i < names->count && !rc; i++)
		if (!pit_parse_u64(names->item[i], &number) && number < PIT_INTR_MAX)
			rc = add_irq(root, number, irqs);
	return rc;
}

static uint64_t count_of(const struct pit_intr *intr, int irq)
{
	return irq >= 0 && (size_t)irq < intr->counts ? intr->count[irq] : 0;
}

/* Counts and rates for all of `irqs` from both readings of /proc/stat. */
static int count_all(struct pit_facts *facts, struct pit_irqs *irqs)
{
	PIT_CLEANUP(pit_intr_free) struct pit_intr first = {0}, second = {0};
	const char *before, *after;
	double seconds, uptime = pit_uptime_or_0(facts);

	int rc = pit_two_readings(facts, "/proc/stat", &before, &after, &seconds);

	if (rc || pit_intr_parse(before, &first) || pit_intr_parse(after, &second))
		return rc == -EAGAIN ? rc : 0;
	irqs->counted = second.counts > 0;
	for (size_t i = 0; i < irqs->count; i++) {
		struct pit_irq *q = &irqs->item[i];

		q->count = count_of(&second, q->irq);
		q->rate = pit_growth(count_of(&first, q->irq), q->count, seconds);
		q->average = uptime > 0 ? (double)q->count / uptime : 0;
	}
	return 0;
}

int pit_irqs_of_device(struct pit_facts *facts, const struct pit_device *d, struct pit_irqs *ret, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_irqs struct pit_irqs irqs = {0};
	const struct pit_strv *names;
	uint64_t line;
	int rc = 0;

	if (!pit_root_list(root, &names, "%s/msi_irqs", d->sysfs))
		rc = add_listed(root, names, &irqs);
	else if (!pit_root_u64(root, &line, "%s/irq", d->sysfs) && line && line < PIT_INTR_MAX)
		rc = add_irq(root, line, &irqs);
	if (rc)
		return pit_fail(err, -rc, "interrupts of %s", d->pci);
	rc = count_all(facts, &irqs);
	if (rc)
		return rc;
	*ret = irqs;
	irqs = (struct pit_irqs){0};
	return 0;
}

int pit_irqs_of_host(struct pit_facts *facts, struct pit_irqs *ret, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_irqs struct pit_irqs irqs = {0};
	const struct pit_strv *names;
	int rc = pit_root_list(root, &names, "/proc/irq");

	rc = rc ? rc : add_listed(root, names, &irqs);
	if (rc)
		return pit_fail(err, -rc, "/proc/irq");
	rc = count_all(facts, &irqs);
	if (rc)
		return rc;
	*ret = irqs;
	irqs = (struct pit_irqs){0};
	return 0;
}

char *pit_irq_action(struct pit_facts *facts, int irq, char *out, size_t size)
{
	if (pit_root_str(pit_facts_root(facts), out, size, "/sys/kernel/irq/%d/actions", irq))
		*out = '\0';
	return out;
}

/* 0 when the kernel says which CPUs are isolated, or is one from before it said so. */
static int can_see_isolated(struct pit_root *root, struct pit_error *err)
{
	static const char path[] = "/sys/devices/system/cpu/isolated";
	pit_auto_idset struct pit_idset isolated = {0}, possible = {0};
	int rc = pit_root_idset(root, &isolated, "%s", path);

	if (pit_root_state(rc) == PIT_STATE_ABSENT &&
	    !pit_root_idset(root, &possible, "/sys/devices/system/cpu/possible"))
		return 0;
	return rc ? pit_fail(err, -rc, "%s", path) : 0;
}

int pit_irq_isolated(struct pit_facts *facts, struct pit_idset *ret, struct pit_error *err)
{
	pit_auto_idset struct pit_idset tickless = {0};
	const struct pit_topo *topo;
	int rc = can_see_isolated(pit_facts_root(facts), err);

	rc = rc ? rc : pit_facts_topo(facts, &topo, err);
	if (rc)
		return rc;
	(void)pit_root_idset(pit_facts_root(facts), &tickless, "/sys/devices/system/cpu/nohz_full");
	rc = pit_idset_copy(ret, &topo->cpus.isolated);
	rc = rc ? rc : pit_idset_unite(ret, &tickless);
	return rc ? pit_fail(err, -rc, "the isolated CPUs") : 0;
}

double pit_irq_weight(const struct pit_irq *irq)
{
	return irq->rate > 0 ? irq->rate : irq->average;
}
