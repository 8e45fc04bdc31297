/* SPDX-License-Identifier: MIT
 *
 * The names that drivers gave to devices: /sys/class/net/eth0 and the like lead to a device on the PCI bus, or on
 * another one.
 */
#include <string.h>

#include "topo/parts.h"

#define OFF_BUS_MAX 4096 /* a recording can claim anything */

/* The last PCI address in a path of components; "" none. */
static void last_address(const char *path, char *ret, size_t size)
{
	*ret = '\0';
	for (const char *c = path; *c;) {
		size_t len = strcspn(c, "/");

		if (pit_is_pci_address(c, len))
			snprintf(ret, size, "%.*s", (int)len, c);
		c += len + (c[len] == '/');
	}
}

/* Where /sys/class/CLASS/NAME leads: by the link itself, or by its "device" where the tree holds a directory; "" when
 * that has none. NULL: to no device but to something that software made. */
static const char *way_to(struct pit_root *root, const char *cls, const char *name)
{
	const char *path;

	if (!pit_root_link(root, &path, "/sys/class/%s/%s", cls, name))
		return strstr(path, "/virtual/") ? NULL : path;
	return pit_root_link(root, &path, "/sys/class/%s/%s/device", cls, name) ? "" : path;
}

static void append_handle(struct pit_device *d, const char *name)
{
	size_t used = strlen(d->handle);

	if (used + strlen(name) + 2 < sizeof(d->handle))
		snprintf(d->handle + used, sizeof(d->handle) - used, "%s%s", used ? " " : "", name);
}

/* An interface of a function that is InfiniBand's carries IP over it and is no network card of its own. */
static bool is_ip_over_ib(struct pit_topo *t, const char *pci)
{
	const struct pit_device *d = pit_topo_device_at(t, PIT_DEVICE_IB, pci);

	return d && d->pci_class >> 8 == 0x0207;
}

/* A device without PCI address: on a virtio-mmio or platform bus. */
static int add_off_bus(struct pit_topo *t, enum pit_device_class cls, const char *class_name, const char *name)
{
	struct pit_device *d;

	if (t->devices >= OFF_BUS_MAX)
		return 0;
	d = pit_topo_add_device(t, cls);
	if (!d)
		return -ENOMEM;
	snprintf(d->handle, sizeof(d->handle), "%s", name);
	snprintf(d->sysfs, sizeof(d->sysfs), "/sys/class/%.20s/%.60s/device", class_name, name);
	return 0;
}

static int take_net(struct pit_root *root, struct pit_topo *t, const char *name)
{
	const char *path = way_to(root, "net", name);
	struct pit_device *d;
	char pci[24];

	if (!path)
		return 0;
	last_address(path, pci, sizeof(pci));
	if (is_ip_over_ib(t, pci))
		return 0;
	d = pit_topo_device_at(t, PIT_DEVICE_NIC, pci);
	if (d)
		append_handle(d, name);
	else if (!*pci && !strstr(path, "/usb") && !pit_root_exists(root, "/sys/class/net/%s/device", name))
		return add_off_bus(t, PIT_DEVICE_NIC, "net", name);
	return 0;
}

/* An RDMA device shares its PCI function with a network card when it speaks Ethernet (RoCE) or is Amazon's EFA. */
static int take_infiniband(struct pit_root *root, struct pit_topo *t, const char *name)
{
	const char *path = way_to(root, "infiniband", name);
	struct pit_device *d, *twin;
	char pci[24];

	if (!path)
		return 0;
	last_address(path, pci, sizeof(pci));
	if (!*pci)
		return add_off_bus(t, PIT_DEVICE_IB, "infiniband", name);
	d = pit_topo_device_at(t, PIT_DEVICE_IB, pci);
	if (d) {
		append_handle(d, name);
		return 0;
	}
	if (t->devices >= OFF_BUS_MAX)
		return 0;
	d = pit_topo_add_device(t, PIT_DEVICE_IB);
	twin = pit_topo_device_at(t, PIT_DEVICE_NIC, pci);
	if (!d)
		return -ENOMEM;
	if (twin) {
		*d = *twin;
		d->cls = PIT_DEVICE_IB;
		d->cpus = (struct pit_idset){0};
	}
	snprintf(d->pci, sizeof(d->pci), "%s", pci);
	snprintf(d->sysfs, sizeof(d->sysfs), "/sys/bus/pci/devices/%s", pci);
	snprintf(d->handle, sizeof(d->handle), "%s", name);
	return 0;
}

static int take_nvme(struct pit_root *root, struct pit_topo *t, const char *name)
{
	const char *path = way_to(root, "nvme", name);
	struct pit_device *d;
	char pci[24], model[64];

	if (!path)
		return 0;
	last_address(path, pci, sizeof(pci));
	d = pit_topo_device_at(t, PIT_DEVICE_NVME, pci);
	if (!d)
		return 0;
	append_handle(d, name);
	if (!pit_root_str(root, model, sizeof(model), "/sys/class/nvme/%s/model", name) && *model)
		snprintf(d->name, sizeof(d->name), "%s", model);
	return 0;
}

/* "card0", but not its connectors "card0-DP-1". */
static int take_drm(struct pit_root *root, struct pit_topo *t, const char *name)
{
	const char *path;
	struct pit_device *d;
	char pci[24];

	if (strncmp(name, "card", 4) != 0 || strchr(name, '-'))
		return 0;
	path = way_to(root, "drm", name);
	if (!path)
		return 0;
	last_address(path, pci, sizeof(pci));
	d = pit_topo_device_at(t, PIT_DEVICE_GPU, pci);
	if (d)
		append_handle(d, name);
	return 0;
}

int pit_topo_scan_classes(struct pit_root *root, struct pit_topo *t)
{
	static const struct {
		const char *name;
		int (*take)(struct pit_root *root, struct pit_topo *t, const char *name);
	} classes[] = {
		{.name = "net", .take = take_net},
		{.name = "infiniband", .take = take_infiniband},
		{.name = "nvme", .take = take_nvme},
		{.name = "drm", .take = take_drm},
	};
	int rc = 0;

	for (size_t c = 0; c < PIT_COUNT(classes); c++) {
		const struct pit_strv *names;

		if (pit_root_list(root, &names, "/sys/class/%s", classes[c].name))
			continue;
		for (size_t i = 0; i < names->count && !rc; i++)
			rc = classes[c].take(root, t, names->item[i]);
	}
	return rc;
}
