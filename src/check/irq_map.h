/* SPDX-License-Identifier: MIT
 *
 * The interrupts of devices: on which CPUs they land and how often they come.
 */
#ifndef PIT_CHECK_IRQ_MAP_H
#define PIT_CHECK_IRQ_MAP_H

#include "check/facts.h"
#include "host/intr.h"

struct pit_irq {
	int irq;
	struct pit_idset cpus; /* effective affinity, else the affinity asked for; empty unknown */
	uint64_t count;        /* since boot */
	double rate;           /* per second in the window of this run; -1 unknown */
	double average;        /* per second since boot; 0 when the age is unknown */
};

struct pit_irqs {
	struct pit_irq *item;
	size_t count;
	bool counted; /* false: nobody says how often they came */
};

/* All message-signalled interrupts of a PCI device (or its one line interrupt). An empty list is no error. -EAGAIN as
 * of pit_facts_again(). */
int pit_irqs_of_device(struct pit_facts *facts, const struct pit_device *d, struct pit_irqs *ret,
		       struct pit_error *err);

/* All interrupts in /proc/irq. */
int pit_irqs_of_host(struct pit_facts *facts, struct pit_irqs *ret, struct pit_error *err);
void pit_irqs_free(struct pit_irqs *i); /* back to empty */
#define pit_auto_irqs PIT_CLEANUP(pit_irqs_free)

/* Who asked for interrupt `irq` ("mlx5_comp0@pci:..."), "" unknown. */
char *pit_irq_action(struct pit_facts *facts, int irq, char *out, size_t size);

/* CPUs that the boot line or a cpuset took away from ordinary work: isolated and nohz_full ones. May be empty; fails
 * when the kernel does not show its CPUs. */
int pit_irq_isolated(struct pit_facts *facts, struct pit_idset *ret, struct pit_error *err);

/* How often an interrupt comes: its rate in the window when it is known and not 0, else the average since boot. */
double pit_irq_weight(const struct pit_irq *irq);

#endif
