/* SPDX-License-Identifier: MIT
 *
 * The parts that pit_site_load() is made of. Private to launch/site*.c. All return 0 or -errno; what is unknown stays
 * so and is no error.
 */
#ifndef PIT_LAUNCH_SITE_PARTS_H
#define PIT_LAUNCH_SITE_PARTS_H

#include "launch/site.h"

#define PIT_PCI_NVIDIA 0x10de
#define PIT_PCI_AMD 0x1002
#define PIT_PCI_INTEL 0x8086

/* A GPU of this host, or a part of one, that the job might use. */
struct pit_card {
	struct pit_site_gpu gpu;
	int index;      /* as its vendor's library numbers it without a variable; parts of one GPU of NVIDIA share it */
	char whole[64]; /* UUID of the GPU that it is a part of, or its own; "" unknown */
	int gi, ci;     /* MIG: GPU and compute instance; -1 */
};

struct pit_cards {
	struct pit_card *item; /* in order of index */
	size_t count;
	char from[64]; /* what named them: "NVML", ... */
};
void pit_cards_free(struct pit_cards *c); /* back to all-zero */
#define pit_auto_cards PIT_CLEANUP(pit_cards_free)

/* Adds a copy; -ENOMEM. */
int pit_cards_add(struct pit_cards *c, const struct pit_card *card);

/* Allowed CPUs, cores, nodes, caches. */
int pit_site_load_cores(struct pit_root *root, const struct pit_topo *t, const struct pit_site_options *o,
			struct pit_site *s, struct pit_error *err);

/* Sets core[].irq. */
int pit_site_load_interrupts(struct pit_root *root, const struct pit_topo *t, struct pit_site *s);

/* What each vendor's library would find without variables; none is no error. */
int pit_site_find_nvidia(struct pit_root *root, const struct pit_topo *t, struct pit_site *s, struct pit_cards *ret);
int pit_site_find_amd(struct pit_root *root, const struct pit_topo *t, struct pit_site *s, struct pit_cards *ret);
int pit_site_find_others(const struct pit_topo *t, struct pit_site *s, struct pit_cards *ret);

/* A card with all fields unknown that does not come from the device `d` (NULL: none of the topology), in a site whose
 * nodes are there. `parent` is `index`. */
void pit_card_of_device(const struct pit_site *s, const struct pit_device *d, int index, struct pit_card *ret);

/* GPUs of `vendor` (0: of no other) in order of their PCI addresses; *ret is the caller's to free. */
int pit_site_gpus_by_pci(const struct pit_topo *t, unsigned vendor, const struct pit_device ***ret, size_t *ret_count);

/* "0000:65:00.0" and "65:00.0", "00000000:65:00.0" are the same. */
bool pit_same_pci(const char *a, const char *b);

/* Narrows `cards` to what the variables and --gpus choose, in that order, into s->gpu; says why in s->gpus_why.
 * -EINVAL: it is not there. */
int pit_site_choose(struct pit_cards *cards, const struct pit_site_options *o, struct pit_site *s,
		    struct pit_error *err);

/* Network cards, and the nearest of each GPU. */
int pit_site_load_nics(struct pit_root *root, const struct pit_topo *t, struct pit_site *s);

int pit_site_node_at(const struct pit_site *s, int id); /* position; -1 none */

#endif
