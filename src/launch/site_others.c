/* SPDX-License-Identifier: MIT
 *
 * GPUs of AMD as ROCm numbers them: in the order of the compute driver's nodes, each part of a divided card by itself.
 * GPUs of others in the order of their PCI addresses.
 */
#include <inttypes.h>
#include <string.h>

#include "host/procfs.h"
#include "launch/site_parts.h"

#define KFD_NODES "/sys/class/kfd/kfd/topology/nodes"

static uint64_t number(const char *text, const char *key)
{
	uint64_t value;

	return pit_kv_u64(text, key, &value) ? 0 : value;
}

static const struct pit_device *device_at(const struct pit_topo *t, const char *pci)
{
	for (size_t i = 0; i < t->devices; i++)
		if (t->device[i].cls == PIT_DEVICE_GPU && pit_same_pci(t->device[i].pci, pci))
			return &t->device[i];
	return NULL;
}

/* Parts of a divided card share their PCI device but for the function; they get the number of the first. */
static void find_parent(const struct pit_cards *cards, uint64_t unique, struct pit_card *card)
{
	size_t card_len = strcspn(card->gpu.pci, ".");

	if (unique)
		snprintf(card->whole, sizeof(card->whole), "GPU-%016" PRIx64, unique);
	snprintf(card->gpu.uuid, sizeof(card->gpu.uuid), "%s", card->whole);
	for (size_t i = 0; i < cards->count; i++) {
		const struct pit_card *other = &cards->item[i];

		if (*card->whole ? strcmp(other->whole, card->whole) != 0
				 : strncmp(other->gpu.pci, card->gpu.pci, card_len + 1) != 0)
			continue;
		card->gpu.parent = other->gpu.parent;
		return;
	}
}

static bool is_hidden(struct pit_root *root, const char *properties)
{
	uint64_t minor;

	return pit_root_is_live(root) && !pit_kv_u64(properties, "drm_render_minor", &minor) &&
	       pit_root_exists(root, "/dev/dri/renderD%" PRIu64, minor);
}

static int add_node(struct pit_root *root, const struct pit_topo *t, struct pit_site *s, const char *properties,
		    struct pit_cards *cards, size_t *hidden)
{
	uint64_t location = number(properties, "location_id"), domain = number(properties, "domain");
	struct pit_card card;
	char pci[24];

	if (!number(properties, "simd_count"))
		return 0;
	if (is_hidden(root, properties)) {
		(*hidden)++;
		return 0;
	}
	snprintf(pci, sizeof(pci), "%04x:%02x:%02x.%x", (unsigned)domain, (unsigned)(location >> 8) & 0xff,
		 (unsigned)(location >> 3) & 0x1f, (unsigned)location & 7);
	pit_card_of_device(s, device_at(t, pci), (int)cards->count, &card);
	snprintf(card.gpu.pci, sizeof(card.gpu.pci), "%s", pci);
	card.gpu.vendor = PIT_PCI_AMD;
	find_parent(cards, number(properties, "unique_id"), &card);
	return pit_cards_add(cards, &card);
}

static int from_kfd(struct pit_root *root, const struct pit_topo *t, struct pit_site *s, struct pit_cards *cards)
{
	const struct pit_strv *names;
	size_t hidden = 0;
	int rc = 0;

	if (pit_root_list(root, &names, KFD_NODES))
		return 0;
	snprintf(cards->from, sizeof(cards->from), "the amdkfd driver");
	for (size_t i = 0; i < names->count && !rc; i++) {
		struct pit_text text;
		int read = pit_root_read(root, &text, KFD_NODES "/%s/properties", names->item[i]);

		if (!read)
			rc = add_node(root, t, s, text.data, cards, &hidden);
		else
			hidden += pit_root_state(read) == PIT_STATE_DENIED; /* by a device cgroup */
	}
	if (!rc && hidden)
		rc = pit_strv_addf(&s->notes, "%zu AMD GPUs are hidden from this job (device cgroup or container)",
				   hidden);
	return rc;
}

static int from_pci(const struct pit_device **device, size_t count, struct pit_site *s, struct pit_cards *cards)
{
	int rc = 0;

	if (count)
		snprintf(cards->from, sizeof(cards->from), "the PCI bus");
	for (size_t i = 0; i < count && !rc; i++) {
		struct pit_card card;

		pit_card_of_device(s, device[i], (int)i, &card);
		rc = pit_cards_add(cards, &card);
	}
	return rc;
}

int pit_site_find_amd(struct pit_root *root, const struct pit_topo *t, struct pit_site *s, struct pit_cards *ret)
{
	pit_auto_free const struct pit_device **device = NULL;
	size_t devices = 0;
	int rc = pit_site_gpus_by_pci(t, PIT_PCI_AMD, &device, &devices);

	if (!rc)
		rc = from_kfd(root, t, s, ret);
	if (rc || *ret->from || !devices)
		return rc;
	if (pit_root_is_live(root)) /* without the compute driver they only draw */
		return 0;
	return from_pci(device, devices, s, ret);
}

/* Graphics inside of a processor sit at this place since there are any. */
static bool is_integrated(const struct pit_device *d)
{
	return d->vendor == PIT_PCI_INTEL && pit_same_pci(d->pci, "0000:00:02.0");
}

int pit_site_find_others(const struct pit_topo *t, struct pit_site *s, struct pit_cards *ret)
{
	static const unsigned vendors[] = {PIT_PCI_INTEL, 0x1da3 /* Habana */};
	int rc = 0;

	for (size_t v = 0; v < PIT_COUNT(vendors) && !rc && !ret->count; v++) {
		pit_auto_free const struct pit_device **device = NULL;
		size_t all = 0, count = 0;

		rc = pit_site_gpus_by_pci(t, vendors[v], &device, &all);
		for (size_t i = 0; i < all && !rc; i++)
			if (!is_integrated(device[i]))
				device[count++] = device[i];
		rc = rc ? rc : from_pci(device, count, s, ret);
	}
	return rc;
}
