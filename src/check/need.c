/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check/devices.h"
#include "check/slurm_conf.h"

static bool has_gpu(struct pit_facts *facts, unsigned vendor)
{
	const struct pit_topo *topo;

	if (pit_facts_topo(facts, &topo, NULL))
		return false;
	for (size_t i = 0; i < topo->devices; i++)
		if (topo->device[i].cls == PIT_DEVICE_GPU && (!vendor || topo->device[i].vendor == vendor) &&
		    !pit_gpu_is_integrated(facts, &topo->device[i]))
			return true;
	return false;
}

static bool has_nvml(struct pit_facts *facts)
{
	const json_t *nvml;

	return !pit_facts_nvml(facts, &nvml, NULL);
}

static bool has_nodes(struct pit_facts *facts)
{
	const struct pit_topo *topo;

	return !pit_facts_topo(facts, &topo, NULL) && topo->nodes > 1;
}

static bool has_rdma(struct pit_facts *facts)
{
	const struct pit_strv *names;

	return !pit_root_list(pit_facts_root(facts), &names, "/sys/class/infiniband") && names->count;
}

static bool has_kubelet(struct pit_facts *facts)
{
	struct pit_root *root = pit_facts_root(facts);

	return !pit_root_exists(root, "/var/lib/kubelet/config.yaml") ||
	       !pit_root_exists(root, "/etc/kubernetes/kubelet") || pit_facts_process(facts, "kubelet");
}

static bool has_slurm(struct pit_facts *facts)
{
	struct pit_root *root = pit_facts_root(facts);

	for (const char *const *dir = pit_slurm_dirs; *dir; dir++)
		if (!pit_root_exists(root, "%s/slurm.conf", *dir))
			return true;
	return false;
}

bool pit_need_is_met(struct pit_facts *facts, enum pit_need need, const char **ret_reason)
{
	const struct pit_platform *p;
	const char *unused;
	int rc = pit_facts_platform(facts, &p, NULL);

	if (!ret_reason)
		ret_reason = &unused;
	switch (need) {
	case PIT_NEED_GPU:
		*ret_reason = "no GPU here";
		return has_gpu(facts, 0) || has_nvml(facts);
	case PIT_NEED_NVIDIA:
		*ret_reason = "no NVIDIA GPU here";
		return has_gpu(facts, 0x10de) || has_nvml(facts);
	case PIT_NEED_NVML:
		*ret_reason = "the NVIDIA driver's library does not answer here";
		return has_nvml(facts);
	case PIT_NEED_RDMA:
		*ret_reason = "no RDMA device here";
		return has_rdma(facts);
	case PIT_NEED_NODES:
		*ret_reason = "fewer than two NUMA nodes";
		return has_nodes(facts);
	case PIT_NEED_METAL:
		*ret_reason = "a virtual machine: the host decides";
		return rc || p->virt == PIT_VIRT_NONE || p->virt == PIT_VIRT_UNKNOWN;
	case PIT_NEED_CONTAINER:
		*ret_reason = "not inside a container";
		return !rc && p->container[0];
	case PIT_NEED_HOST:
		*ret_reason = "inside a container: the host decides";
		return rc || !p->container[0];
	case PIT_NEED_KUBELET:
		*ret_reason = "no kubelet here";
		return has_kubelet(facts);
	case PIT_NEED_SLURM:
		*ret_reason = "no slurm.conf here";
		return has_slurm(facts);
	case PIT_NEED_X86:
		*ret_reason = "not an x86 machine";
		return rc || !p->arch[0] || !strcmp(p->arch, "x86_64");
	default:
		return true;
	}
}
