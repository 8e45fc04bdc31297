/* SPDX-License-Identifier: MIT
 *
 * Some cores divided among some ranks, so that no CPU is given twice while there are enough.
 */
#ifndef PIT_LAUNCH_PLACEMENT_LOT_H
#define PIT_LAUNCH_PLACEMENT_LOT_H

#include "launch/placement_draft.h"

struct pit_lot_cpu {
	int cpu;
	const struct pit_unit *unit;
};

struct pit_lot_share {
	int rank;
	unsigned weight;
	unsigned has; /* CPUs that the rank has from elsewhere */
	bool must;    /* the lot is to give it a CPU in any case */

	/* The answer. */
	unsigned cores, cpus;
	struct pit_idset groups; /* of its CPUs */
};

/* What was kept whole, from best to worst. */
enum pit_lot_grain { PIT_LOT_L3, PIT_LOT_CORE, PIT_LOT_THREAD, PIT_LOT_NOTHING };

struct pit_lot {
	struct pit_lot_cpu *cpu; /* in order of group, L3, core */
	size_t cpus, cores;
	struct pit_lot_share *share; /* in the order in which they take CPUs */
	size_t shares;

	enum pit_lot_grain grain; /* the answer */
};

int pit_lot_init(struct pit_lot *l, const struct pit_draft *d); /* empty, with room for everything */
void pit_lot_add_group(struct pit_lot *l, const struct pit_draft *d, int group);
void pit_lot_add_share(struct pit_lot *l, int rank, unsigned weight, bool must); /* once for a rank */
void pit_lot_free(struct pit_lot *l);

/* Gives the CPUs to the seats of `d`. 0 or -ENOMEM. */
int pit_lot_divide(struct pit_lot *l, struct pit_draft *d);

size_t pit_lot_l3s(const struct pit_lot *l); /* 0 unknown */

#endif
