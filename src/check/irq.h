/* SPDX-License-Identifier: MIT
 *
 * Probes of the irq rows. Private to check/irq*.c.
 */
#ifndef PIT_CHECK_IRQ_H
#define PIT_CHECK_IRQ_H

#include "check/facts.h"

#define PIT_IRQ_PROBE(name)                                                                                            \
	int name(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)

/* Which devices pit_irq_device_node() judges, and when. */
struct pit_irq_devices {
	enum pit_device_class first, last; /* range of classes */
	double share;                      /* share of interrupts off the node that is still fine */
};

/* irq_place.c: on which CPUs interrupts land */
PIT_IRQ_PROBE(pit_irq_device_node); /* arg: struct pit_irq_devices */
PIT_IRQ_PROBE(pit_irq_nvme_node);
PIT_IRQ_PROBE(pit_irq_on_isolated);
PIT_IRQ_PROBE(pit_irq_one_cpu);
PIT_IRQ_PROBE(pit_irq_balance_running);

/* irq_masks.c: masks and queues that say where work may land */
PIT_IRQ_PROBE(pit_irq_default_mask);
PIT_IRQ_PROBE(pit_irq_banned);
PIT_IRQ_PROBE(pit_irq_workqueues);
PIT_IRQ_PROBE(pit_irq_rps);
PIT_IRQ_PROBE(pit_irq_queues);

/* irq_pressure.c: too many of them, or lost ones */
PIT_IRQ_PROBE(pit_irq_softnet_drops);
PIT_IRQ_PROBE(pit_irq_softnet_squeezed);
PIT_IRQ_PROBE(pit_irq_storm);
PIT_IRQ_PROBE(pit_irq_unhandled);
PIT_IRQ_PROBE(pit_irq_threaded);

/* /proc/net/softnet_stat: sums over CPUs. -EBADMSG. */
struct pit_softnet {
	uint64_t processed, dropped, squeezed;
	uint64_t worst_dropped; /* of one CPU */
	int worst_cpu;          /* position of that line; -1 none dropped */
};
int pit_softnet_parse(const char *text, struct pit_softnet *ret);

/* CPUs that irqbalance's settings (/etc/default/irqbalance) ban. 1 when there is such a setting, 0 none, -EBADMSG. */
int pit_irqbalance_banned_parse(const char *text, struct pit_idset *ret);

#endif
