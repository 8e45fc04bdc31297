/* SPDX-License-Identifier: MIT
 *
 * The CPUs that serve the interrupts of the busiest devices. Queues that are spread over all CPUs make none of them
 * stand out.
 */
#include <string.h>

#include "host/intr.h"
#include "launch/site_parts.h"

#define TIMES_MEAN 4
#define LEAST 1000000      /* since boot */
#define WORTH (LEAST / 16) /* of one interrupt: below, its CPU is not looked up */
#define NUMBERS_MAX 1024   /* looked up at most: more such interrupts are spread over many CPUs */

struct load {
	double *of; /* by CPU, PIT_IDSET_MAX of them */
	double total;
};

/* Where it lands now. Those of every CPU for itself (timers of Arm) land nowhere in particular, nor do those of old
 * kernels that may go to several; they are left out. */
static bool find_cpus(struct pit_root *root, int number, struct pit_idset *ret)
{
	if (!pit_root_idset(root, ret, "/proc/irq/%d/effective_affinity_list", number) && !pit_idset_is_empty(ret))
		return true;
	pit_idset_free(ret);
	return !pit_root_idset(root, ret, "/proc/irq/%d/smp_affinity_list", number) && pit_idset_count(ret) == 1;
}

/* Over several CPUs in equal parts. */
static void add_interrupt(struct pit_root *root, int number, uint64_t count, struct load *l)
{
	pit_auto_idset struct pit_idset cpus = {0};
	size_t many;

	if (!find_cpus(root, number, &cpus))
		return;
	many = pit_idset_count(&cpus);
	PIT_IDSET_FOREACH (cpu, &cpus)
		l->of[cpu] += (double)count / (double)many;
	l->total += (double)count;
}

static void flag(const struct pit_topo *t, const struct load *l, struct pit_site *s)
{
	double mean = l->total / (t->cpus.count > 0 ? t->cpus.count : 1);

	for (size_t i = 0; i < s->cores; i++) {
		PIT_IDSET_FOREACH (cpu, &s->core[i].cpus) {
			s->core[i].irq |= l->of[cpu] > LEAST && l->of[cpu] > TIMES_MEAN * mean;
		}
	}
}

int pit_site_load_interrupts(struct pit_root *root, const struct pit_topo *t, struct pit_site *s)
{
	PIT_CLEANUP(pit_intr_free) struct pit_intr counts = {0};
	pit_auto_free double *of = calloc(PIT_IDSET_MAX, sizeof(*of));
	struct load l = {.of = of};
	struct pit_text text;
	int numbers = 0;

	if (!of)
		return -ENOMEM;
	if (pit_root_read(root, &text, "/proc/stat") || pit_intr_parse(text.data, &counts))
		return 0;
	for (size_t i = 0; i < counts.counts && numbers < NUMBERS_MAX; i++) {
		if (counts.count[i] < WORTH)
			continue;
		add_interrupt(root, (int)i, counts.count[i], &l);
		numbers++;
	}
	flag(t, &l, s);
	return 0;
}
