/* SPDX-License-Identifier: MIT
 *
 * Variables that choose GPUs.
 */
#include <string.h>

#include "base/parse.h"
#include "check/env.h"
#include "check/offenders.h"

static int add_uuids(const json_t *gpus, struct pit_strv *ret)
{
	size_t i, j;
	json_t *gpu, *mig;
	const char *uuid;
	int rc = 0;

	json_array_foreach(gpus, i, gpu)
	{
		uuid = json_string_value(json_object_get(gpu, "uuid"));
		if (uuid && !rc)
			rc = pit_strv_add(ret, uuid);
		json_array_foreach(json_object_get(json_object_get(gpu, "mig"), "devices"), j, mig)
		{
			uuid = json_string_value(json_object_get(mig, "uuid"));
			if (uuid && !rc)
				rc = pit_strv_add(ret, uuid);
		}
	}
	return rc;
}

/* GPUs of NVIDIA that this place may use: as NVML counts them; on a host without NVML, as PCI does; 0 not known. */
static size_t count_gpus(struct pit_facts *f, struct pit_strv *uuids)
{
	const struct pit_platform *platform;
	const struct pit_topo *topo;
	const json_t *nvml;
	size_t count = 0;

	if (!pit_facts_nvml(f, &nvml, NULL)) {
		const json_t *gpus = json_object_get(nvml, "gpus");
		size_t counted = (size_t)json_integer_value(json_object_get(nvml, "count"));

		count = json_array_size(gpus);
		if (!json_object_get(nvml, "incomplete"))
			add_uuids(gpus, uuids);
		return counted > count ? counted : count;
	}
	if (pit_facts_platform(f, &platform, NULL) || platform->container[0] || pit_facts_topo(f, &topo, NULL))
		return 0;
	for (size_t i = 0; i < topo->devices; i++)
		count += topo->device[i].cls == PIT_DEVICE_GPU && topo->device[i].vendor == 0x10de;
	return count;
}

int pit_env_visible_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_buf struct pit_buf problem = PIT_BUF_INIT;
	pit_auto_strv struct pit_strv uuids = {0};
	const char *value;
	size_t gpus, left;
	int rc = pit_env_get(f, "CUDA_VISIBLE_DEVICES", &value, err);

	if (rc)
		return rc;
	gpus = count_gpus(f, &uuids);
	pit_want(out, "each device once, all of one form, all present");
	if (!value)
		return pit_pass(out, "unset: all GPUs");
	left = pit_env_visible(value, gpus, &uuids, &problem);
	if (gpus)
		pit_evidence(out, "CUDA_VISIBLE_DEVICES", "%s; %zu GPUs here, %zu visible", value, gpus, left);
	else
		pit_evidence(out, "CUDA_VISIBLE_DEVICES", "%s", value);
	return problem.len ? pit_bad(out, "%s", problem.data) : pit_pass(out, "%s", value);
}

static size_t list_length(const char *list)
{
	size_t n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

int pit_env_rocm_visible_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	pit_auto_strv struct pit_strv entries = {0};
	const char *rocr, *hip;
	uint64_t index;
	int rc = pit_env_get(f, "ROCR_VISIBLE_DEVICES", &rocr, err);

	if (!rc)
		rc = pit_env_get(f, "HIP_VISIBLE_DEVICES", &hip, err);
	if (rc)
		return rc;
	pit_want(out, "indices of HIP_VISIBLE_DEVICES within what ROCR_VISIBLE_DEVICES leaves");
	if (!hip || !rocr)
		return pit_pass(out, "%s", hip ? hip : rocr ? rocr : "unset");
	pit_evidence(out, "ROCR_VISIBLE_DEVICES", "%s", rocr);
	pit_evidence(out, "HIP_VISIBLE_DEVICES", "%s", hip);
	pit_strv_split(&entries, hip, ", ");
	for (size_t i = 0; i < entries.count; i++)
		if (!pit_parse_u64(entries.item[i], &index) && index >= list_length(rocr))
			return pit_bad(out, "HIP index %s of %zu devices", entries.item[i], list_length(rocr));
	return pit_pass(out, "HIP %s of ROCR %s", hip, rocr);
}

/* Two GPUs of NVIDIA of different models; false when they are of one model or it is not known. */
static bool is_mixed(struct pit_facts *f, struct pit_finding *out)
{
	const struct pit_device *first = NULL;
	const struct pit_topo *topo;

	if (pit_facts_topo(f, &topo, NULL))
		return false;
	for (size_t i = 0; i < topo->devices; i++) {
		const struct pit_device *d = &topo->device[i];

		if (d->cls != PIT_DEVICE_GPU || d->vendor != 0x10de)
			continue;
		if (first && first->device != d->device) {
			pit_evidence(out, "/sys/bus/pci/devices", "%s (%04x) and %s (%04x)", first->pci, first->device,
				     d->pci, d->device);
			return true;
		}
		first = first ? first : d;
	}
	return false;
}

int pit_env_device_order_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	const char *value;
	int rc = pit_env_get(f, "CUDA_DEVICE_ORDER", &value, err);

	if (rc)
		return rc;
	pit_want(out, "PCI_BUS_ID where GPUs differ");
	if (value && strcmp(value, "PCI_BUS_ID") != 0 && strcmp(value, "FASTEST_FIRST") != 0)
		return pit_bad(out, "'%s' is neither PCI_BUS_ID nor FASTEST_FIRST", value);
	if (value && !strcmp(value, "PCI_BUS_ID"))
		return pit_pass(out, "PCI_BUS_ID");
	return is_mixed(f, out) ? pit_bad(out, "%s with different GPUs", value ? value : "unset (FASTEST_FIRST)")
				: pit_pass(out, "%s, GPUs of one model", value ? value : "unset");
}

int pit_env_nvidia_visible_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				 struct pit_error *err)
{
	const char *value, *pod;
	const struct pit_platform *platform;
	int rc = pit_env_get(f, "NVIDIA_VISIBLE_DEVICES", &value, err);

	if (!rc)
		rc = pit_env_get(f, "KUBERNETES_PORT", &pod, err);
	if (rc)
		return rc;
	pit_want(out, "the GPUs that were given to this container");
	if (!value)
		return pit_pass(out, "unset");
	if (!*value || !strcmp(value, "none"))
		return pit_bad(out, "'%s' gives no GPU", value);
	if (!strcmp(value, "all") &&
	    (pod || (!pit_facts_platform(f, &platform, NULL) && !strcmp(platform->container, "kubernetes"))))
		return pit_bad(out, "'all' in a pod: GPUs that were not asked for");
	return pit_pass(out, "%s", value);
}

int pit_env_capabilities_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	const char *value;
	int rc = pit_env_get(f, "NVIDIA_DRIVER_CAPABILITIES", &value, err);

	if (!rc && value)
		rc = pit_strv_split(&words, value, ", ");
	if (rc)
		return rc;
	pit_want(out, "compute,utility or all");
	if (!value || pit_strv_has(&words, "all"))
		return pit_pass(out, "%s", value ? value : "unset");
	if (!pit_strv_has(&words, "compute"))
		return pit_bad(out, "'%s' has no compute: no libcuda", value);
	return pit_strv_has(&words, "utility") ? pit_pass(out, "%s", value)
					       : pit_bad(out, "'%s' has no utility: no NVML", value);
}

int pit_env_mps_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
{
	struct pit_offenders p = {0};
	const char *pipe, *share;
	double percent;
	int rc = pit_env_get(f, "CUDA_MPS_PIPE_DIRECTORY", &pipe, err);

	if (!rc)
		rc = pit_env_get(f, "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", &share, err);
	if (rc)
		return rc;
	pit_want(out, "a directory with the control daemon's pipe; a share above 0 and up to 100");
	if (pipe && *pipe && pit_env_is_missing(f, pipe))
		pit_problem(&p, out, "CUDA_MPS_PIPE_DIRECTORY", "no directory %s: no MPS", pipe);
	else if (pipe && *pipe && pit_root_exists(pit_facts_root(f), "%s/control", pipe) == -ENOENT)
		pit_problem(&p, out, "CUDA_MPS_PIPE_DIRECTORY", "no daemon answers in %s", pipe);
	if (share && (pit_parse_double(share, &percent) || !(percent > 0 && percent <= 100)))
		pit_problem(&p, out, "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", "'%s' is no share from 1 to 100", share);
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%s", pipe ? pipe : share ? share : "unset");
}
