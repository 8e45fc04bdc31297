/* SPDX-License-Identifier: MIT
 *
 * Probes of the irq rows. Private to check/irq*.c.
 */
#ifndef PIT_CHECK_IRQ_H
#define PIT_CHECK_IRQ_H

#include "check/facts.h"

/* Which devices pit_irq_device_node() judges, and when. */
struct pit_irq_devices {
	enum pit_device_class first, last; /* range of classes */
	double share;                      /* share of interrupts off the node that is still fine */
};

/* irq_place.c: on which CPUs interrupts land */
pit_probe pit_irq_device_node; /* arg: struct pit_irq_devices */
pit_probe pit_irq_nvme_node, pit_irq_on_isolated, pit_irq_one_cpu, pit_irq_balance_running;

/* irq_masks.c: masks and queues that say where work may land */
pit_probe pit_irq_default_mask, pit_irq_banned, pit_irq_workqueues, pit_irq_rps, pit_irq_queues;

/* irq_pressure.c: too many of them, or lost ones */
pit_probe pit_irq_softnet_drops, pit_irq_softnet_squeezed, pit_irq_storm, pit_irq_unhandled, pit_irq_threaded;

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
