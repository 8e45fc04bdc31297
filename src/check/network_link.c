/* SPDX-License-Identifier: MIT */
#include "base/path.h"
#include "check/network.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

#define IFF_UP 1

/* Vendor and device of a PCI device directory, without "0x". */
static void read_model(struct pit_root *root, const char *dir, char *out, size_t size)
{
	uint64_t vendor, device;

	*out = '\0';
	if (!pit_root_hex(root, &vendor, "%s/vendor", dir) && !pit_root_hex(root, &device, "%s/device", dir))
		snprintf(out, size, "%04" PRIx64 ":%04" PRIx64, vendor & 0xffff, device & 0xffff);
}

static void read_link(struct pit_root *root, const char *name, struct pit_link *ret)
{
	struct pit_link l = {.carrier = -1, .mbit = -1, .mtu = -1, .type = -1};
	char dir[96], device[128];
	const char *target;
	uint64_t flags;
	int64_t n;

	snprintf(l.name, sizeof(l.name), "%s", name);
	snprintf(dir, sizeof(dir), "/sys/class/net/%s", l.name);
	snprintf(device, sizeof(device), "%s/device", dir);
	l.up = !pit_root_hex(root, &flags, "%s/flags", dir) && (flags & IFF_UP);
	l.physical = !pit_root_exists(root, "%s", device);
	*ret = l;
	if (!l.physical) /* a node has one or more of these for each of its pods, and no row wants to know more */
		return;
	read_model(root, device, l.model, sizeof(l.model));
	l.rdma = !pit_root_exists(root, "%s/infiniband", device);
	if (l.up && !pit_root_i64(root, &n, "%s/carrier", dir))
		l.carrier = n != 0;
	if (l.up && !pit_root_i64(root, &n, "%s/speed", dir) && n > 0 && n < INT32_MAX)
		l.mbit = n;
	if (!pit_root_i64(root, &n, "%s/mtu", dir) && n > 0)
		l.mtu = n;
	if (!pit_root_i64(root, &n, "%s/type", dir))
		l.type = (int)n;
	if (!pit_root_link(root, &target, "%s/master", dir))
		snprintf(l.master, sizeof(l.master), "%s", pit_base_name(target));
	*ret = l;
}

int pit_links_load(struct pit_facts *facts, struct pit_links *ret, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *names;
	struct pit_links l = {0};
	int rc = pit_root_list(root, &names, "/sys/class/net");

	if (rc)
		return pit_fail(err, -rc, "/sys/class/net");
	l.item = calloc(names->count + 1, sizeof(*l.item));
	if (!l.item)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < names->count; i++)
		if (!pit_root_exists(root, "/sys/class/net/%s/flags", names->item[i]))
			read_link(root, names->item[i], &l.item[l.count++]);
	*ret = l;
	return 0;
}

void pit_links_free(struct pit_links *l)
{
	pit_cleanup_free(&l->item);
	*l = (struct pit_links){0};
}

bool pit_link_is_fast(const struct pit_link *l)
{
	return l->physical && l->carrier == 1 && l->mbit >= PIT_FAST_MBIT;
}

static size_t count_fast(const struct pit_links *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += pit_link_is_fast(&l->item[i]);
	return n;
}

/* What follows the number in "4: ACTIVE". */
static void read_named(struct pit_root *root, const char *dir, const char *file, char *out, size_t size)
{
	char line[64];
	const char *colon;

	*out = '\0';
	if (pit_root_str(root, line, sizeof(line), "%s/%s", dir, file))
		return;
	colon = strchr(line, ':');
	pit_first_line(colon ? colon + 1 : line, out, size);
}

double pit_port_rate_parse(const char *text)
{
	double gbit;
	int end = 0;

	return sscanf(text, "%lf Gb/sec%n", &gbit, &end) == 1 && end && gbit > 0 && gbit < 1e6 ? gbit : 0;
}

/* The Ethernet device that carries a RoCE port. */
static void read_netdev(struct pit_root *root, const char *dir, const char *device, char *out, size_t size)
{
	const struct pit_strv *names;

	*out = '\0';
	if (!pit_root_str(root, out, size, "%s/gid_attrs/ndevs/0", dir) && *out)
		return;
	if (!pit_root_list(root, &names, "/sys/class/infiniband/%s/device/net", device) && names->count == 1)
		snprintf(out, size, "%s", names->item[0]);
}

static void read_port(struct pit_root *root, const char *device, const char *number, struct pit_port *ret)
{
	struct pit_port p = {.port = atoi(number)};
	char dir[128], rate[64];

	snprintf(p.device, sizeof(p.device), "%s", device);
	snprintf(dir, sizeof(dir), "/sys/class/infiniband/%s/ports/%s", device, number);
	read_named(root, dir, "state", p.state, sizeof(p.state));
	read_named(root, dir, "phys_state", p.phys, sizeof(p.phys));
	read_named(root, dir, "link_layer", p.layer, sizeof(p.layer));
	if (!pit_root_str(root, rate, sizeof(rate), "%s/rate", dir))
		p.gbit = pit_port_rate_parse(rate);
	if (pit_root_str(root, p.board, sizeof(p.board), "/sys/class/infiniband/%s/board_id", device))
		(void)pit_root_str(root, p.board, sizeof(p.board), "/sys/class/infiniband/%s/hca_type", device);
	if (!strcmp(p.layer, "Ethernet"))
		read_netdev(root, dir, device, p.netdev, sizeof(p.netdev));
	*ret = p;
}

static int add_ports(struct pit_root *root, const char *device, struct pit_ports *p)
{
	const struct pit_strv *numbers;
	struct pit_port *grown;

	if (pit_root_list(root, &numbers, "/sys/class/infiniband/%s/ports", device) || !numbers->count)
		return 0;
	grown = reallocarray(p->item, p->count + numbers->count, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->item = grown;
	for (size_t i = 0; i < numbers->count; i++)
		read_port(root, device, numbers->item[i], &p->item[p->count++]);
	return 0;
}

int pit_ports_load(struct pit_facts *facts, struct pit_ports *ret, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_ports struct pit_ports p = {0};
	const struct pit_strv *devices;
	int rc = pit_root_list(root, &devices, "/sys/class/infiniband");

	if (rc)
		return pit_fail(err, -rc, "/sys/class/infiniband");
	for (size_t i = 0; i < devices->count && !rc; i++)
		rc = add_ports(root, devices->item[i], &p);
	if (rc)
		return pit_fail(err, -rc, "out of memory");
	*ret = p;
	p = (struct pit_ports){0};
	return 0;
}

void pit_ports_free(struct pit_ports *p)
{
	pit_cleanup_free(&p->item);
	*p = (struct pit_ports){0};
}

bool pit_network_is_fast(struct pit_facts *facts)
{
	pit_auto_links struct pit_links links = {0};
	pit_auto_ports struct pit_ports ports = {0};

	if (!pit_links_load(facts, &links, NULL) && count_fast(&links))
		return true;
	if (pit_ports_load(facts, &ports, NULL))
		return false;
	for (size_t i = 0; i < ports.count; i++)
		if (!strcmp(ports.item[i].state, "ACTIVE"))
			return true;
	return false;
}
