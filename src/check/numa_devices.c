/* SPDX-License-Identifier: MIT */
#include "check/numa.h"

#include <inttypes.h>
#include <string.h>

#include "check/devices.h"
#include "check/offenders.h"

/* Distances below this lie inside one socket (sub-NUMA clusters, NPS modes have 11 to 15); sockets begin at 20. */
#define OTHER_SOCKET 20

int pit_numa_device_unknown(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	struct pit_offenders lost = {0};
	const struct pit_topo *topo;
	size_t seen = 0;
	char path[192];
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	if (!topo->pci_known)
		return pit_skip(out, "no list of PCI devices here");
	for (size_t i = 0; i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];

		if (!d->pci[0] || pit_device_is_repeated(topo, i))
			continue;
		seen++;
		if (d->node >= 0)
			continue;
		pit_offenders_add(&lost, "%s %s", pit_device_class_name(d->cls), pit_device_label(d));
		snprintf(path, sizeof(path), "%s/numa_node", d->sysfs);
		pit_evidence(out, path, "says no node, and no other source knows it");
	}
	pit_want(out, "a known node for every GPU, NIC and NVMe");
	if (lost.count)
		return pit_bad(out, "%s", pit_offenders_text(&lost));
	return pit_pass(out, "%zu devices, all on known nodes", seen);
}

int pit_numa_device_cpuless(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	struct pit_offenders bare = {0};
	const struct pit_topo *topo;
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];
		const struct pit_node *n = d->node >= 0 ? pit_topo_node(topo, d->node) : NULL;
		const struct pit_node *near;

		if (!n || !pit_idset_is_empty(&n->cpus) || pit_device_is_repeated(topo, i))
			continue;
		near = pit_topo_nearest_cpus(topo, n->id);
		pit_offenders_add(&bare, "%s %s on node %d", pit_device_class_name(d->cls), pit_device_label(d), n->id);
		if (near)
			pit_evidence(out, d->sysfs, "node %d has no CPUs; nearest with CPUs: node %d", n->id, near->id);
		else
			pit_evidence(out, d->sysfs, "node %d has no CPUs", n->id);
	}
	pit_want(out, "CPUs on the node of every GPU, NIC and NVMe");
	if (bare.count)
		return pit_bad(out, "%s", pit_offenders_text(&bare));
	return pit_pass(out, "none");
}

/* A port that a job between machines would use: RDMA, or Ethernet of 10 Gb/s or more with a link. */
static bool is_fast(struct pit_root *root, const struct pit_device *d)
{
	int64_t mbit;

	if (d->cls == PIT_DEVICE_IB)
		return true;
	return d->cls == PIT_DEVICE_NIC && d->handle[0] &&
	       !pit_root_i64(root, &mbit, "/sys/class/net/%s/speed", d->handle) && mbit >= PIT_FAST_MBIT;
}

static size_t position_of(const struct pit_topo *topo, int id)
{
	size_t i;

	for (i = 0; i < topo->nodes && topo->node[i].id != id; i++)
		;
	return i;
}

/* Whether two nodes belong to one socket, by their distance; different nodes of unknown distance do not. */
static bool is_near(const struct pit_topo *topo, int a, int b)
{
	size_t i = position_of(topo, a), j = position_of(topo, b);

	if (a == b)
		return true;
	if (i == topo->nodes || j == topo->nodes || !topo->node[i].distance)
		return false;
	return topo->node[i].distance[j] < OTHER_SOCKET;
}

/* The fast port nearest to `gpu`: *ret_near false when all of known node are on other sockets. -1: no port known. */
static int nearest_port(struct pit_root *root, const struct pit_topo *topo, const struct pit_device *gpu,
			bool *ret_near)
{
	int found = -1;

	*ret_near = false;
	for (size_t i = 0; i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];

		if (d->node < 0 || !is_fast(root, d))
			continue;
		if (found < 0)
			found = (int)i;
		if (is_near(topo, gpu->node, d->node)) {
			*ret_near = true;
			return (int)i;
		}
	}
	return found;
}

int pit_numa_gpu_nic(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_offenders far = {0};
	const struct pit_topo *topo;
	size_t judged = 0;
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];
		bool near;
		int port;

		if (d->cls != PIT_DEVICE_GPU || d->node < 0)
			continue;
		port = nearest_port(pit_facts_root(facts), topo, d, &near);
		if (port < 0)
			continue;
		judged++;
		if (near)
			continue;
		pit_offenders_add(&far, "GPU %s (node %d)", d->pci, d->node);
		pit_evidence(out, d->sysfs, "node %d; nearest fast port %s on node %d", d->node,
			     pit_device_label(&topo->device[port]), topo->device[port].node);
	}
	if (!judged)
		return pit_skip(out, "no GPU and no fast network port of known nodes");
	pit_want(out, "a fast network port on the socket of every GPU");
	if (far.count)
		return pit_bad(out, "%zu of %zu without: %s", far.count, judged, pit_offenders_text(&far));
	return pit_pass(out, "all %zu GPUs have one", judged);
}

/* Also when nothing is known of its CPUs. */
static bool has_allowed_cpu(const struct pit_topo *topo, const struct pit_device *d)
{
	const struct pit_node *n = pit_topo_nearest_cpus(topo, d->node);

	if (!n && pit_idset_is_empty(&d->cpus))
		return true;
	return pit_idset_intersects(&d->cpus, &topo->allowed.cpus) ||
	       (n && pit_idset_intersects(&n->cpus, &topo->allowed.cpus));
}

int pit_numa_gpu_cpus(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct pit_offenders bare = {0};
	const struct pit_topo *topo;
	size_t judged = 0;
	char allowed[64];
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	if (pit_idset_is_empty(&topo->allowed.cpus))
		return pit_skip(out, "which CPUs this process may use is unknown");
	pit_idset_format(&topo->allowed.cpus, allowed, sizeof(allowed));
	for (size_t i = 0; i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];

		if (d->cls != PIT_DEVICE_GPU || d->node < 0)
			continue;
		judged++;
		if (has_allowed_cpu(topo, d))
			continue;
		pit_offenders_add(&bare, "%s (node %d)", d->pci, d->node);
		pit_evidence(out, topo->allowed.source, "CPUs %s; GPU %s is on node %d", allowed, d->pci, d->node);
	}
	if (!judged)
		return pit_skip(out, "the nodes of the GPUs are unknown");
	pit_want(out, "a local CPU among the allowed ones for every GPU");
	if (bare.count)
		return pit_bad(out, "GPU %s", pit_offenders_text(&bare));
	return pit_pass(out, "all %zu GPUs have local CPUs", judged);
}
