/* SPDX-License-Identifier: MIT */
#include "check/network.h"

#include <inttypes.h>
#include <string.h>

#include "check/offenders.h"

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

/* A port that somebody switched off, or one of Ethernet whose device is down, is not meant to work. */
static bool is_unused(struct pit_root *root, const struct pit_port *p)
{
	uint64_t flags;

	if (is(p->phys, "Disabled") && !*p->netdev)
		return true;
	return *p->netdev && !pit_root_hex(root, &flags, "/sys/class/net/%s/flags", p->netdev) && !(flags & 1);
}

int pit_rdma_ports_up(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	pit_auto_ports struct pit_ports ports = {0};
	struct pit_offenders bad = {0};
	size_t active = 0, waiting = 0;
	int rc = pit_ports_load(facts, &ports, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < ports.count; i++) {
		const struct pit_port *p = &ports.item[i];
		char path[96];

		if (is(p->state, "ACTIVE")) {
			active++;
			continue;
		}
		if (!*p->state || is_unused(pit_facts_root(facts), p))
			continue;
		waiting += is(p->state, "INIT") || is(p->state, "ARMED");
		pit_offenders_add(&bad, "%s/%d %s", p->device, p->port, p->state);
		snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/%d/state", p->device, p->port);
		pit_evidence(out, path, "%s, %s, %s", p->state, p->phys, p->layer);
	}
	pit_want(out, "ACTIVE");
	if (waiting)
		pit_remedy(
			out,
			"Start a subnet manager (opensm) or repair the one of the fabric: the link is there and waits for it.");
	if (bad.count)
		return pit_judge(out, waiting ? PIT_FAIL : PIT_WARN, PIT_RISK, "%s; %zu active",
				 pit_offenders_text(&bad), active);
	if (!active)
		return pit_skip(out, "no port that is meant to be up");
	return pit_pass(out, "%zu active", active);
}

int pit_rdma_rate(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_ports struct pit_ports ports = {0};
	struct pit_offenders slow = {0};
	size_t judged = 0;
	int rc = pit_ports_load(facts, &ports, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < ports.count; i++) {
		const struct pit_port *p = &ports.item[i], *best = p;

		if (!is(p->state, "ACTIVE") || p->gbit <= 0)
			continue;
		judged++;
		for (size_t j = 0; j < ports.count; j++) {
			const struct pit_port *o = &ports.item[j];

			if (is(o->state, "ACTIVE") && *p->board && is(o->board, p->board) && is(o->layer, p->layer) &&
			    o->gbit > best->gbit)
				best = o;
		}
		if (best == p)
			continue;
		pit_offenders_add(&slow, "%s/%d %.4g Gb/s", p->device, p->port, p->gbit);
		pit_evidence(out, "/sys/class/infiniband", "%s/%d runs at %.4g Gb/s, %s/%d of the same model at %.4g",
			     p->device, p->port, p->gbit, best->device, best->port, best->gbit);
	}
	if (!judged)
		return pit_skip(out, "no active port of known rate");
	pit_want(out, "one rate for ports of one model");
	if (slow.count)
		return pit_bad(out, "%s", pit_offenders_text(&slow));
	return pit_pass(out, "no port slower than its twins");
}

/* What a port has in its table of GIDs. */
struct gids {
	bool readable, any; /* any: one that is not zero and not link-local */
	bool v2;            /* a RoCE v2 one of a routable address */
	bool typed;         /* types could be read */
};

static bool is_routable(const char *gid)
{
	return strcmp(gid, "0000:0000:0000:0000:0000:0000:0000:0000") != 0 && strncmp(gid, "fe80:", 5) != 0;
}

static void read_gids(struct pit_root *root, const struct pit_port *p, struct gids *ret)
{
	const struct pit_strv *names;
	char gid[64], type[32];

	*ret = (struct gids){0};
	if (pit_root_list(root, &names, "/sys/class/infiniband/%s/ports/%d/gids", p->device, p->port))
		return;
	/* The table has up to 256 places, filled from the start. */
	for (size_t i = 0; i < names->count && i < 64; i++) {
		if (pit_root_str(root, gid, sizeof(gid), "/sys/class/infiniband/%s/ports/%d/gids/%s", p->device,
				 p->port, names->item[i]))
			continue;
		ret->readable = true;
		if (!is_routable(gid))
			continue;
		ret->any = true;
		if (pit_root_str(root, type, sizeof(type), "/sys/class/infiniband/%s/ports/%d/gid_attrs/types/%s",
				 p->device, p->port, names->item[i]))
			continue;
		ret->typed = true;
		ret->v2 |= is(type, "RoCE v2");
	}
}

int pit_rdma_gids(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_ports struct pit_ports ports = {0};
	struct pit_offenders bad = {0};
	size_t judged = 0;
	int rc = pit_ports_load(facts, &ports, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < ports.count; i++) {
		const struct pit_port *p = &ports.item[i];
		struct gids g;
		char path[96];

		if (!is(p->state, "ACTIVE") || !is(p->layer, "Ethernet"))
			continue;
		read_gids(pit_facts_root(facts), p, &g);
		if (!g.readable)
			continue;
		judged++;
		if (g.any && (g.v2 || !g.typed))
			continue;
		pit_offenders_add(&bad, "%s/%d", p->device, p->port);
		snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/%d/gids", p->device, p->port);
		pit_evidence(out, path, g.any ? "%s: addresses, but none of RoCE v2" : "%s: link-local addresses only",
			     *p->netdev ? p->netdev : p->device);
	}
	if (!judged)
		return pit_skip(out, "no active RoCE port");
	pit_want(out, "a GID of RoCE v2 with an address that other hosts can reach");
	if (bad.count)
		return pit_bad(out, "none on %s", pit_offenders_text(&bad));
	return pit_pass(out, "%zu RoCE port%s with one", judged, judged > 1 ? "s" : "");
}

/* Payload of 4096 and the headers of RoCE v2 do not fit into less. */
#define ROCE_MTU 4200

int pit_rdma_mtu(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_ports struct pit_ports ports = {0};
	struct pit_offenders bad = {0};
	size_t judged = 0;
	int rc = pit_ports_load(facts, &ports, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < ports.count; i++) {
		const struct pit_port *p = &ports.item[i];
		char path[64];
		int64_t mtu;

		if (!is(p->state, "ACTIVE") || !is(p->layer, "Ethernet") || !*p->netdev)
			continue;
		snprintf(path, sizeof(path), "/sys/class/net/%s/mtu", p->netdev);
		if (pit_root_i64(pit_facts_root(facts), &mtu, "%s", path))
			continue;
		judged++;
		if (mtu >= ROCE_MTU)
			continue;
		pit_offenders_add(&bad, "%s %" PRId64, p->netdev, mtu);
		pit_evidence(out, path, "%" PRId64 " (carries %s/%d)", mtu, p->device, p->port);
		pit_command(out, "ip link set dev %s mtu 9000", p->netdev);
	}
	if (!judged)
		return pit_skip(out, "no active RoCE port");
	pit_want(out, "at least %d", ROCE_MTU);
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "large enough on %zu port%s", judged, judged > 1 ? "s" : "");
}

#define CLASS_INFINIBAND 0x0207

/* PCI devices that can do nothing but RDMA, or are known for it beside a GPU. */
static bool is_rdma_adapter(const struct pit_device *d, bool with_gpu)
{
	static const char *const drivers[] = {"mlx5_core", "mlx4_core", "efa"};

	if (d->cls == PIT_DEVICE_IB || d->pci_class >> 8 == CLASS_INFINIBAND)
		return true;
	if (!with_gpu || d->cls != PIT_DEVICE_NIC)
		return false;
	for (size_t i = 0; i < PIT_COUNT(drivers); i++)
		if (is(d->driver, drivers[i]))
			return true;
	return false;
}

int pit_rdma_modules(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	struct pit_offenders adapters = {0};
	const struct pit_strv *names;
	const struct pit_topo *topo;
	bool devices, verbs;
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < topo->devices; i++)
		if (is_rdma_adapter(&topo->device[i], pit_topo_count(topo, PIT_DEVICE_GPU) > 0))
			pit_offenders_add(&adapters, "%s", topo->device[i].pci);
	if (!adapters.count)
		return pit_skip(out, "no RDMA adapter known here");
	if (pit_root_exists(root, "/sys/module"))
		return pit_skip(out, "which modules are loaded was not recorded");
	devices = !pit_root_list(root, &names, "/sys/class/infiniband") && names->count;
	verbs = !pit_root_exists(root, "/sys/class/infiniband_verbs/abi_version");
	pit_want(out, "RDMA devices and verbs");
	pit_evidence(out, "/sys/class/infiniband", devices ? "%zu devices" : "no device for %zu adapters",
		     devices ? names->count : adapters.count);
	pit_evidence(out, "/sys/class/infiniband_verbs", verbs ? "ib_uverbs is loaded" : "ib_uverbs is not loaded");
	if (devices && verbs)
		return pit_pass(out, "%zu RDMA devices with verbs", names->count);
	if (devices)
		pit_command(out, "modprobe ib_uverbs");
	return pit_bad(out, devices ? "ib_uverbs is not loaded" : "no RDMA device for %s",
		       pit_offenders_text(&adapters));
}
