/* SPDX-License-Identifier: MIT
 *
 * GPUs that a host has, whether this job may use them or not: what the vendors have in common.
 */
#include <inttypes.h>
#include <string.h>

#include "launch/site_parts.h"

void pit_cards_free(struct pit_cards *c)
{
	pit_cleanup_free(&c->item);
	*c = (struct pit_cards){0};
}

int pit_cards_add(struct pit_cards *c, const struct pit_card *card)
{
	struct pit_card *grown = reallocarray(c->item, c->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	c->item = grown;
	grown[c->count++] = *card;
	return 0;
}

/* All ones: no PCI address. */
static uint64_t pci_number(const char *text)
{
	unsigned domain = 0, bus, device, function;
	int end = 0;

	if (sscanf(text, "%8x:%2x:%2x.%1u%n", &domain, &bus, &device, &function, &end) == 4 && !text[end])
		return (uint64_t)domain << 16 | bus << 8 | device << 3 | function;
	domain = 0;
	if (sscanf(text, "%2x:%2x.%1u%n", &bus, &device, &function, &end) == 3 && !text[end])
		return bus << 8 | device << 3 | function;
	return UINT64_MAX;
}

bool pit_same_pci(const char *a, const char *b)
{
	uint64_t n = pci_number(a);

	return n != UINT64_MAX && n == pci_number(b);
}

static int by_pci(const void *a, const void *b)
{
	const struct pit_device *const *x = a, *const *y = b;
	uint64_t n = pci_number((*x)->pci), m = pci_number((*y)->pci);

	return n < m ? -1 : n > m;
}

int pit_site_gpus_by_pci(const struct pit_topo *t, unsigned vendor, const struct pit_device ***ret, size_t *ret_count)
{
	const struct pit_device **list = calloc(t->devices + 1, sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < t->devices; i++)
		if (t->device[i].cls == PIT_DEVICE_GPU && t->device[i].vendor == vendor)
			list[count++] = &t->device[i];
	qsort(list, count, sizeof(*list), by_pci);
	*ret = list;
	*ret_count = count;
	return 0;
}

void pit_card_of_device(const struct pit_site *s, const struct pit_device *d, int index, struct pit_card *ret)
{
	*ret = (struct pit_card){
		.gpu = {.parent = index, .node_at = -1, .nic_at = -1},
		.index = index,
		.gi = -1,
		.ci = -1,
	};
	snprintf(ret->gpu.visible, sizeof(ret->gpu.visible), "%d", index);
	if (!d)
		return;
	snprintf(ret->gpu.name, sizeof(ret->gpu.name), "%s", d->name);
	snprintf(ret->gpu.pci, sizeof(ret->gpu.pci), "%s", d->pci);
	ret->gpu.vendor = d->vendor;
	ret->gpu.node_at = pit_site_node_at(s, d->node);
	ret->gpu.source = ret->gpu.node_at < 0 ? PIT_NODE_FROM_NOTHING : d->node_source;
}
