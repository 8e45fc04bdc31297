/* SPDX-License-Identifier: MIT
 *
 * AMD's compute driver lists GPUs by itself. A card that is split into partitions has several entries with one
 * unique_id. Only where the PCI bus cannot be read, as in recordings of this directory alone.
 */
#include <inttypes.h>
#include <string.h>

#include "host/procfs.h"
#include "topo/parts.h"

#define CARDS_MAX 1024 /* a recording can claim anything */
#define KFD_DIR "/sys/class/kfd/kfd/topology/nodes"

struct entry {
	uint64_t simd, unique, location, domain, vendor, device;
};

static uint64_t number(const char *text, const char *key)
{
	uint64_t value;

	return pit_kv_u64(text, key, &value) ? 0 : value;
}

static void read_entry(const char *text, struct entry *ret)
{
	*ret = (struct entry){
		.simd = number(text, "simd_count"),
		.unique = number(text, "unique_id"),
		.location = number(text, "location_id"),
		.domain = number(text, "domain"),
		.vendor = number(text, "vendor_id"),
		.device = number(text, "device_id"),
	};
}

/* Partitions of one card: the same identity; where none is told, the same PCI device. */
static bool is_same_card(const struct entry *a, const struct entry *b)
{
	if (a->unique || b->unique)
		return a->unique == b->unique;
	return a->domain == b->domain && a->location >> 3 == b->location >> 3;
}

static int add_card(struct pit_topo *t, const struct entry *e)
{
	struct pit_device *d = pit_topo_add_device(t, PIT_DEVICE_GPU);
	const char *name;

	if (!d)
		return -ENOMEM;
	d->vendor = (unsigned)e->vendor & 0xffff;
	d->device = (unsigned)e->device & 0xffff;
	snprintf(d->pci, sizeof(d->pci), "%04" PRIx32 ":%02x:%02x.%x", (uint32_t)e->domain,
		 (unsigned)(e->location >> 8) & 0xff, (unsigned)(e->location >> 3) & 0x1f, (unsigned)e->location & 7);
	name = pit_pci_name(d->vendor, d->device);
	snprintf(d->name, sizeof(d->name), "%s", name ? name : "AMD GPU");
	return 0;
}

static int take_entry(struct pit_topo *t, struct entry *seen, size_t *count, const char *text)
{
	struct entry *e = &seen[*count];

	read_entry(text, e);
	if (!e->simd)
		return 0;
	for (size_t i = 0; i < *count; i++)
		if (is_same_card(&seen[i], e))
			return 0;
	(*count)++;
	return add_card(t, e);
}

int pit_topo_scan_kfd(struct pit_root *root, struct pit_topo *t)
{
	pit_auto_free struct entry *seen = NULL;
	const struct pit_strv *names;
	size_t count = 0;
	int rc = 0;

	if (pit_root_list(root, &names, KFD_DIR) || !names->count)
		return 0;
	seen = calloc(names->count, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < names->count && count < CARDS_MAX && !rc; i++) {
		struct pit_text text;

		if (!pit_root_read(root, &text, KFD_DIR "/%s/properties", names->item[i]))
			rc = take_entry(t, seen, &count, text.data);
	}
	return rc;
}
