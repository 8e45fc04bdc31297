/* SPDX-License-Identifier: MIT
 *
 * The parts that pit_topo_load() is made of. Private to topo/.
 */
#ifndef PIT_TOPO_PARTS_H
#define PIT_TOPO_PARTS_H

#include "topo/model.h"

/* What hwloc finds: packages, cores, caches, kinds of memory. */
struct pit_shape {
	int packages, cores;       /* -1 unknown */
	struct pit_idset *package; /* CPUs of each */
	size_t package_count;
	struct pit_idset *core;
	size_t core_count;
	struct pit_cache *cache;
	size_t caches;
	struct pit_memory_kind {
		int node;
		enum pit_node_kind kind;
	} * memory;
	size_t memories;
};
void pit_shape_free(struct pit_shape *s);

/* Asks hwloc: about the live machine through its XML (kept between runs), about a recording through the XML that it
 * holds or else its files. -errno: nothing is known, and *ret is left alone. */
int pit_shape_load(struct pit_root *root, struct pit_shape *ret, struct pit_error *err);

/* One line of the text in which hwloc's findings come back from the helper process. -EBADMSG. */
int pit_shape_parse(const char *text, struct pit_shape *ret, struct pit_error *err);

/* hwloc itself. Each appends to `out` and returns 0 or -errno. All but pit_hwloc_shape_of_xml() ask in a helper process
 * under a deadline, since what they read is foreign or may hang. */
int pit_hwloc_live_xml(struct pit_buf *out);                                  /* XML of this machine */
int pit_hwloc_shape_of_xml(const char *xml, size_t len, struct pit_buf *out); /* a text for pit_shape_parse() */
int pit_hwloc_shape_of_foreign_xml(const char *xml, size_t len, struct pit_buf *out);
int pit_hwloc_shape_of_dir(const char *dir, struct pit_buf *out); /* the tree of files below `dir` */

/* Sets of CPUs; all-zero is none. */
struct pit_sets {
	struct pit_idset *item;
	size_t count;
};
void pit_sets_free(struct pit_sets *s);

/* What of each of the `count` sets is online (all, when `online` is empty: unknown), no CPU twice, in order of the
 * lowest. 0 or -ENOMEM. */
int pit_sets_divide(const struct pit_idset *set, size_t count, const struct pit_idset *online, struct pit_sets *ret);

enum pit_siblings { PIT_SIBLINGS_CORE, PIT_SIBLINGS_PACKAGE };
/* The distinct sets that the online CPUs tell, as they tell them. None: no CPU tells its own. 0 or -ENOMEM. */
int pit_topo_siblings(struct pit_root *root, const struct pit_idset *online, enum pit_siblings what,
		      struct pit_sets *ret);

/* Each fills its part of `t`; returns 0 or -ENOMEM, what is unknown stays so. In this order. */
int pit_topo_load_cpus(struct pit_root *root, const struct pit_shape *shape, struct pit_topo *t);
int pit_topo_load_packages(struct pit_root *root, struct pit_shape *shape, struct pit_topo *t);
int pit_topo_load_nodes(struct pit_root *root, const struct pit_shape *shape, struct pit_topo *t);
int pit_topo_load_allowed(struct pit_root *root, struct pit_topo *t);
int pit_topo_load_devices(struct pit_root *root, struct pit_topo *t);
int pit_topo_load_contradictions(struct pit_root *root, const struct pit_shape *shape, struct pit_topo *t);

/* Parts of pit_topo_load_devices(). */
struct pit_device *pit_topo_add_device(struct pit_topo *t, enum pit_device_class cls); /* NULL: no memory */
int pit_topo_scan_classes(struct pit_root *root, struct pit_topo *t); /* handles; devices that are on no PCI bus */
int pit_topo_scan_kfd(struct pit_root *root, struct pit_topo *t);
int pit_topo_ask_nvml(struct pit_root *root, struct pit_topo *t);
int pit_topo_locate(struct pit_root *root, struct pit_topo *t, struct pit_device *d);
/* Online CPUs that are local to the device, by list or mask; *ret is empty when it does not say. */
void pit_topo_local_cpus(struct pit_root *root, const struct pit_topo *t, const struct pit_device *d,
			 struct pit_idset *ret);
struct pit_device *pit_topo_device_at(struct pit_topo *t, enum pit_device_class cls, const char *pci);

/* "Name of this model" for a PCI id, from a small table; NULL unknown. */
const char *pit_pci_name(unsigned vendor, unsigned device);
const char *pit_pci_vendor(unsigned vendor); /* "NVIDIA"; NULL unknown */

/* True for "0000:65:00.0"; domains may have up to 8 digits. */
bool pit_is_pci_address(const char *text, size_t len);

#endif
