/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "base/path.h"
#include "topo/parts.h"

#define PCI_DIR "/sys/bus/pci/devices"
#define DEVICES_MAX 4096 /* a recording can claim anything; more are left out, which is said */

bool pit_is_pci_address(const char *text, size_t len)
{
	size_t domain = strspn(text, "0123456789abcdef");
	const char *rest = text + domain;

	/* DOMAIN:BB:DD.F */
	return domain >= 4 && domain <= 8 && len == domain + 8 && rest[0] == ':' && isxdigit((unsigned char)rest[1]) &&
	       isxdigit((unsigned char)rest[2]) && rest[3] == ':' && isxdigit((unsigned char)rest[4]) &&
	       isxdigit((unsigned char)rest[5]) && rest[6] == '.' && isdigit((unsigned char)rest[7]);
}

struct pit_device *pit_topo_add_device(struct pit_topo *t, enum pit_device_class cls)
{
	struct pit_device *grown = reallocarray(t->device, t->devices + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	t->device = grown;
	grown[t->devices] = (struct pit_device){.cls = cls, .node = -1};
	return &grown[t->devices++];
}

struct pit_device *pit_topo_device_at(struct pit_topo *t, enum pit_device_class cls, const char *pci)
{
	for (size_t i = 0; *pci && i < t->devices; i++)
		if (t->device[i].cls == cls && !strcmp(t->device[i].pci, pci))
			return &t->device[i];
	return NULL;
}

/* Displays of management controllers and of virtual machines have other vendors. The class of accelerators is shared
 * with NPUs of laptops (Intel) and with test devices (QEMU); Habana is Intel's maker of Gaudi. */
static bool is_gpu(unsigned pci_class, unsigned vendor)
{
	switch (pci_class >> 8) {
	case 0x0300:
	case 0x0302:
	case 0x0380:
		return vendor == 0x10de || vendor == 0x1002 || vendor == 0x8086;
	case 0x1200:
		return vendor == 0x10de || vendor == 0x1002 || vendor == 0x1da3;
	default:
		return false;
	}
}

/* False: not of a class that we show. */
static bool classify(unsigned pci_class, unsigned vendor, enum pit_device_class *ret)
{
	if (is_gpu(pci_class, vendor))
		*ret = PIT_DEVICE_GPU;
	else if (pci_class >> 8 == 0x0207)
		*ret = PIT_DEVICE_IB;
	else if (pci_class >> 16 == 0x02)
		*ret = PIT_DEVICE_NIC;
	else if (pci_class >> 8 == 0x0108)
		*ret = PIT_DEVICE_NVME;
	else
		return false;
	return true;
}

/* "../../../devices/pci0000:64/0000:64:00.0/0000:65:00.0": what stands before the device itself. */
static void read_bridges(struct pit_root *root, struct pit_device *d)
{
	const char *path, *start, *last;

	if (pit_root_link(root, &path, "%s", d->sysfs))
		path = d->sysfs;
	start = strstr(path, "/devices/pci");
	last = strrchr(path, '/');
	if (!start || last <= start + 9 || last - start - 9 >= (ptrdiff_t)sizeof(d->bridges))
		return;
	snprintf(d->bridges, sizeof(d->bridges), "%.*s", (int)(last - start - 9), start + 9);
}

static void read_driver(struct pit_root *root, struct pit_device *d)
{
	const char *path;

	if (pit_root_link(root, &path, "%s/driver", d->sysfs))
		return;
	snprintf(d->driver, sizeof(d->driver), "%s", pit_base_name(path));
}

static void name_device(struct pit_device *d)
{
	const char *name = pit_pci_name(d->vendor, d->device), *vendor = pit_pci_vendor(d->vendor);

	if (name)
		snprintf(d->name, sizeof(d->name), "%s", name);
	else if (vendor)
		snprintf(d->name, sizeof(d->name), "%s %04x", vendor, d->device);
}

static int look_at(struct pit_root *root, struct pit_topo *t, const char *dir, const char *address)
{
	uint64_t pci_class, vendor, device;
	enum pit_device_class cls;
	struct pit_device *d;
	const char *link;

	if (pit_root_hex(root, &pci_class, "%s/%s/class", dir, address) || pci_class > 0xffffff ||
	    !(pci_class >> 16 == 0x01 || pci_class >> 16 == 0x02 || pci_class >> 16 == 0x03 || pci_class >> 16 == 0x12))
		return 0;
	if (pit_root_hex(root, &vendor, "%s/%s/vendor", dir, address) || vendor > 0xffff ||
	    !classify((unsigned)pci_class, (unsigned)vendor, &cls))
		return 0;
	/* Virtual functions are parts of a device that is shown; inside a guest they have no such link. */
	if (!pit_root_link(root, &link, "%s/%s/physfn", dir, address))
		return 0;
	if (t->devices == DEVICES_MAX)
		return 0;
	d = pit_topo_add_device(t, cls);
	if (!d)
		return -ENOMEM;
	d->pci_class = (unsigned)pci_class;
	d->vendor = (unsigned)vendor;
	if (!pit_root_hex(root, &device, "%s/%s/device", dir, address) && device <= 0xffff)
		d->device = (unsigned)device;
	snprintf(d->pci, sizeof(d->pci), "%s", address);
	snprintf(d->sysfs, sizeof(d->sysfs), "%s/%s", dir, address);
	read_bridges(root, d);
	read_driver(root, d);
	name_device(d);
	return 0;
}

static int scan_dir(struct pit_root *root, struct pit_topo *t, const char *dir, const struct pit_strv *names)
{
	int rc = 0;

	for (size_t i = 0; i < names->count && !rc; i++)
		if (pit_is_pci_address(names->item[i], strlen(names->item[i])))
			rc = look_at(root, t, dir, names->item[i]);
	return rc;
}

/* Deeper than any chain of switches that has been built; a recording can claim anything. */
#define DEPTH_MAX 12

/* Parts of trees lack the list and have only the directories of the devices, each below its bridge. */
static int scan_below(struct pit_root *root, struct pit_topo *t, const char *dir, int depth)
{
	const struct pit_strv *names;
	char below[160];
	int rc;

	if (depth > DEPTH_MAX || pit_root_list(root, &names, "%s", dir))
		return 0;
	rc = scan_dir(root, t, dir, names);
	for (size_t i = 0; i < names->count && !rc; i++) {
		if (!pit_is_pci_address(names->item[i], strlen(names->item[i])) ||
		    snprintf(below, sizeof(below), "%s/%s", dir, names->item[i]) >= (int)sizeof(below))
			continue;
		rc = scan_below(root, t, below, depth + 1);
	}
	return rc;
}

static int scan_roots(struct pit_root *root, struct pit_topo *t)
{
	const struct pit_strv *names;
	char dir[160];
	int rc = 0;

	if (pit_root_list(root, &names, "/sys/devices"))
		return 0;
	for (size_t i = 0; i < names->count && !rc; i++) {
		if (strncmp(names->item[i], "pci", 3) != 0 || strlen(names->item[i]) > 32)
			continue;
		t->pci_known = true;
		snprintf(dir, sizeof(dir), "/sys/devices/%s", names->item[i]);
		rc = scan_below(root, t, dir, 0);
	}
	return rc;
}

/* A kernel that runs without PCI has no such bus. In foreign recordings its absence says nothing. */
static bool kernel_has_no_pci(struct pit_root *root)
{
	const struct pit_strv *buses;
	struct pit_text text;

	return !pit_root_fact(root, "affinity", NULL, NULL, &text) && !pit_root_list(root, &buses, "/sys/bus") &&
	       buses->count > 0 && !pit_strv_has(buses, "pci");
}

static int scan_pci(struct pit_root *root, struct pit_topo *t)
{
	const struct pit_strv *names;

	if (!pit_root_list(root, &names, PCI_DIR)) {
		t->pci_known = true;
		return scan_dir(root, t, PCI_DIR, names);
	}
	t->pci_known = kernel_has_no_pci(root);
	return t->pci_known ? 0 : scan_roots(root, t);
}

int pit_topo_load_devices(struct pit_root *root, struct pit_topo *t)
{
	int rc = scan_pci(root, t);

	if (!rc && !t->pci_known)
		rc = pit_topo_scan_kfd(root, t);
	if (!rc)
		rc = pit_topo_scan_classes(root, t);
	for (size_t i = 0; i < t->devices && !rc; i++)
		rc = pit_topo_locate(root, t, &t->device[i]);
	if (!rc && t->devices >= DEVICES_MAX)
		rc = pit_strv_addf(&t->contradictions, "there are %d devices or more; the rest is left out",
				   DEVICES_MAX);
	return rc ? rc : pit_topo_ask_nvml(root, t);
}
