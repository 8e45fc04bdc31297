/* SPDX-License-Identifier: MIT
 *
 * Whether the NVIDIA driver drives the GPUs: module, library, device files.
 */
#include <inttypes.h>
#include <string.h>

#include "check/catalog.h"
#include "check/gpu.h"

#define DRIVER_VERSION "/proc/driver/nvidia/version"

static bool is_loaded(struct pit_root *root)
{
	return !pit_root_exists(root, DRIVER_VERSION) || !pit_root_exists(root, "/sys/module/nvidia");
}

/* NVIDIA GPUs on the bus; skips when there is none. Returns 1 when there are some. */
static int load_nvidia(struct pit_facts *facts, struct pit_pcis *ret, struct pit_finding *out, struct pit_error *err)
{
	int rc = pit_pcis_load(pit_facts_root(facts), ret, err);

	if (rc)
		return rc;
	if (pit_pcis_count_gpus(ret, PIT_PCI_NVIDIA))
		return 1;
	return pit_skip(out, "no NVIDIA GPU here");
}

static int probe_driver(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t driven = 0, bare = 0;
	char library[160];
	int rc = load_nvidia(facts, &pcis, out, err);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		const struct pit_pci *d = &pcis.item[i];
		char driver[32];

		if (!pit_pci_is_gpu(d, PIT_PCI_NVIDIA))
			continue;
		pit_pci_driver(root, d, driver, sizeof(driver));
		driven += driver[0] != '\0';
		bare += !driver[0];
		if (!driver[0])
			pit_evidence(out, "/sys/bus/pci/devices", "%s has no driver", d->address);
	}
	if (!bare)
		return pit_pass(out, "%zu NVIDIA GPU%s with a driver", driven, driven > 1 ? "s" : "");
	if (!pit_nvidia_find_library(root, "libnvidia-ml.so.1", library, sizeof(library)))
		pit_evidence(out, library, "the driver's library is installed");
	pit_evidence(out, "/sys/module/nvidia", is_loaded(root) ? "the module is loaded" : "the module is not loaded");
	pit_want(out, "every GPU has a driver");
	return pit_bad(out, "%zu of %zu NVIDIA GPUs have no driver", bare, bare + driven);
}

static int probe_nouveau(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t found = 0;
	int rc = load_nvidia(facts, &pcis, out, err);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		char driver[32];

		pit_pci_driver(root, &pcis.item[i], driver, sizeof(driver));
		if (!pit_pci_is_gpu(&pcis.item[i], PIT_PCI_NVIDIA) ||
		    (strcmp(driver, "nouveau") != 0 && strcmp(driver, "nova_core") != 0))
			continue;
		found++;
		pit_evidence(out, "/sys/bus/pci/devices", "%s is bound to %s", pcis.item[i].address, driver);
	}
	pit_want(out, "bound to nvidia");
	if (found)
		return pit_bad(out, "%zu GPU%s bound to nouveau", found, found > 1 ? "s are" : " is");
	return pit_pass(out, "no GPU is bound to nouveau");
}

static int judge_library(struct pit_facts *facts, const char *name, const char *what, struct pit_finding *out)
{
	struct pit_root *root = pit_facts_root(facts);
	char path[160];
	int rc;

	if (!is_loaded(root))
		return pit_skip(out, "no NVIDIA driver is loaded");
	pit_want(out, "%s is installed", name);
	rc = pit_nvidia_find_library(root, name, path, sizeof(path));
	if (!rc) {
		pit_evidence(out, path, "exists");
		return pit_pass(out, "%s", path);
	}
	if (pit_root_state(rc) != PIT_STATE_ABSENT)
		return rc;
	pit_evidence(out, DRIVER_VERSION, "the kernel driver is loaded");
	pit_evidence(out, name, "in none of the usual directories");
	return pit_bad(out, "no %s: %s", name, what);
}

static int probe_library(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	const json_t *nvml;
	int rc = pit_facts_nvml(facts, &nvml, NULL);

	if (!rc) {
		pit_evidence(out, "NVML", "version %s", pit_gpu_text(nvml, "nvml"));
		return pit_pass(out, "NVML answers");
	}
	return judge_library(facts, "libnvidia-ml.so.1", "nvidia-smi and NVML cannot work", out);
}

static int probe_libcuda(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	int rc = judge_library(facts, "libcuda.so.1", "CUDA cannot work", out);

	return rc ? pit_fail(err, -rc, "the directories of libraries") : 0;
}

/* Version of the installed library by its file name. */
static int version_on_disk(struct pit_root *root, char *path, size_t size, char *ret, size_t ret_size)
{
	int rc = pit_nvidia_find_library(root, "libnvidia-ml.so.1", path, size);

	return rc ? rc : pit_nvidia_library_version(root, path, ret, ret_size);
}

static int probe_version(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	char module[32], library[32] = "", path[160] = "libnvidia-ml.so.1";
	const json_t *nvml;
	bool open;
	int refused = pit_facts_nvml(facts, &nvml, NULL);
	int rc = pit_nvidia_module(root, module, sizeof(module), &open);

	if (rc)
		return pit_root_state(rc) == PIT_STATE_ABSENT ? pit_skip(out, "no NVIDIA driver is loaded")
							      : pit_fail(err, -rc, DRIVER_VERSION);
	rc = version_on_disk(root, path, sizeof(path), library, sizeof(library));
	pit_evidence(out, DRIVER_VERSION, "%s%s", module, open ? ", open kernel modules" : "");
	if (library[0])
		pit_evidence(out, path, "%s", library);
	pit_want(out, "the same version");
	if (refused == -ELIBBAD) {
		pit_evidence(out, "NVML", "driver/library version mismatch");
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "kernel %s, library %s", module,
				 library[0] ? library : "another");
	}
	if (rc && refused)
		return pit_skip(out, "the version of libnvidia-ml.so.1 is unknown");
	if (!rc && strcmp(module, library) != 0)
		return pit_bad(out, "kernel %s, library on disk %s", module, library);
	return pit_pass(out, "%s", module);
}

/* Device file number of the GPU; -1 unknown. */
static int64_t minor_of(struct pit_root *root, const char *address)
{
	struct pit_text text;
	uint64_t minor;

	if (pit_root_read(root, &text, "/proc/driver/nvidia/gpus/%s/information", address) ||
	    pit_kv_u64(text.data, "Device Minor", &minor))
		return -1;
	return (int64_t)minor;
}

static int probe_nodes(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_strv *gpus;
	size_t missing = 0;
	int rc = pit_root_list(root, &gpus, "/proc/driver/nvidia/gpus");

	if (rc)
		return pit_root_state(rc) == PIT_STATE_ABSENT ? pit_skip(out, "the NVIDIA driver drives no GPU")
							      : pit_fail(err, -rc, "/proc/driver/nvidia/gpus");
	pit_want(out, "/dev/nvidiactl and one /dev/nvidiaN for each GPU");
	if (pit_root_state(pit_root_exists(root, "/dev/nvidiactl")) == PIT_STATE_ABSENT) {
		missing++;
		pit_evidence(out, "/dev/nvidiactl", "does not exist");
	}
	for (size_t i = 0; i < gpus->count; i++) {
		int64_t minor = minor_of(root, gpus->item[i]);

		if (minor < 0 ||
		    pit_root_state(pit_root_exists(root, "/dev/nvidia%" PRId64, minor)) != PIT_STATE_ABSENT)
			continue;
		missing++;
		pit_evidence(out, gpus->item[i], "/dev/nvidia%" PRId64 " does not exist", minor);
	}
	if (missing)
		return pit_bad(out, "%zu device file%s missing for %zu GPUs", missing, missing > 1 ? "s are" : " is",
			       gpus->count);
	return pit_pass(out, "device files of %zu GPU%s are there", gpus->count, gpus->count == 1 ? "" : "s");
}

static int probe_uvm(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	bool module = !pit_root_exists(root, "/sys/module/nvidia_uvm");
	bool node = !pit_root_exists(root, "/dev/nvidia-uvm");

	if (!is_loaded(root) || pit_gpu_is_wsl(facts))
		return pit_skip(out, "no NVIDIA kernel driver is loaded");
	pit_evidence(out, "/sys/module/nvidia_uvm", module ? "loaded" : "not loaded");
	pit_evidence(out, "/dev/nvidia-uvm", node ? "exists" : "does not exist");
	pit_want(out, "loaded, with its device file");
	if (module && node)
		return pit_pass(out, "nvidia_uvm is loaded");
	return pit_bad(out, module ? "/dev/nvidia-uvm does not exist" : "nvidia_uvm is not loaded");
}

static int probe_count(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	const json_t *nvml;
	size_t driven = 0;
	int64_t count;
	int rc = pit_facts_nvml(facts, &nvml, err);

	if (!rc)
		rc = pit_pcis_load(root, &pcis, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		char driver[32];

		pit_pci_driver(root, &pcis.item[i], driver, sizeof(driver));
		driven += pit_pci_is_gpu(&pcis.item[i], PIT_PCI_NVIDIA) && !strcmp(driver, "nvidia");
	}
	if (!pit_gpu_number(nvml, NULL, "count", &count))
		count = (int64_t)json_array_size(json_object_get(nvml, "gpus"));
	pit_evidence(out, "/sys/bus/pci/devices", "%zu NVIDIA GPUs bound to nvidia", driven);
	pit_evidence(out, "NVML", "%" PRId64 " GPUs", count);
	pit_want(out, "as many as on the PCI bus");
	if (count < (int64_t)driven)
		return pit_bad(out, "NVML sees %" PRId64 " of %zu GPUs", count, driven);
	return pit_pass(out, "%" PRId64 " GPU%s", count, count == 1 ? "" : "s");
}

/* The first bytes of configuration space; a device that sleeps is not woken up for it. 1 all ones, 0 not, -errno. */
static int is_gone(struct pit_root *root, const char *address)
{
	struct pit_text text;
	char state[24];
	int rc;

	if (!pit_root_str(root, state, sizeof(state), "/sys/bus/pci/devices/%s/power/runtime_status", address) &&
	    !strcmp(state, "suspended"))
		return 0;
	rc = pit_root_read(root, &text, "/sys/bus/pci/devices/%s/config", address);
	if (rc)
		return rc;
	return text.len >= 4 && !memcmp(text.data, "\xff\xff\xff\xff", 4);
}

static int probe_lost(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_pcis struct pit_pcis pcis = {0};
	size_t seen = 0, gone = 0;
	int rc = pit_pcis_load(root, &pcis, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < pcis.count; i++) {
		char label[48];

		if (!pit_pci_is_gpu(&pcis.item[i], 0) && !pit_pci_is_nvswitch(&pcis.item[i]))
			continue;
		rc = is_gone(root, pcis.item[i].address);
		seen += rc >= 0;
		if (rc <= 0)
			continue;
		gone++;
		pit_evidence(out, pit_pci_label(&pcis.item[i], label, sizeof(label)),
			     "configuration space reads all ones");
	}
	pit_want(out, "every GPU answers on the PCI bus");
	if (gone)
		return pit_bad(out, "%zu GPU%s fallen off the bus", gone, gone > 1 ? "s have" : " has");
	if (!seen)
		return pit_skip(out, "no GPU whose configuration space can be read");
	return pit_pass(out, "%zu GPU%s on the bus", seen, seen == 1 ? " answers" : "s answer");
}

static const struct {
	const char *key;
	uint64_t bad;
	const char *text;
} parameters[] = {
	{.key = "EnableMSI", .bad = 0, .text = "interrupts take the slow legacy way"},
	{.key = "NvLinkDisable", .bad = 1, .text = "NVLink is off"},
};

static int probe_parameters(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	struct pit_text text;
	const char *first = NULL;
	uint64_t value;
	int rc = pit_root_read(pit_facts_root(facts), &text, "/proc/driver/nvidia/params");

	if (rc)
		return pit_root_state(rc) == PIT_STATE_ABSENT ? pit_skip(out, "no NVIDIA kernel driver is loaded")
							      : pit_fail(err, -rc, "/proc/driver/nvidia/params");
	for (size_t i = 0; i < PIT_COUNT(parameters); i++) {
		if (pit_kv_u64(text.data, parameters[i].key, &value) || value != parameters[i].bad)
			continue;
		first = first ? first : parameters[i].key;
		pit_evidence(out, "/proc/driver/nvidia/params", "%s: %" PRIu64 ", %s", parameters[i].key, value,
			     parameters[i].text);
	}
	pit_want(out, "EnableMSI 1, NvLinkDisable 0");
	if (first)
		return pit_bad(out, "%s is set badly", first);
	return pit_pass(out, "no harmful driver parameter");
}

const struct pit_check pit_check_gpu_driver[] = {
	{
		.id = "gpu.driver",
		.title = "NVIDIA GPUs have a kernel driver",
		.why = "A GPU without a driver cannot be used at all. This happens after a kernel update for which the "
		       "driver module was not built or not signed.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = probe_driver,
		.remedy =
			"Install the NVIDIA driver for the running kernel (dkms status shows whether it was built) and load "
			"it.",
		.command = "modprobe nvidia",
		.source = "leptonai/gpud; NVIDIA DCGM software checks",
		.refs = "https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/",
	},
	{
		.id = "gpu.nouveau",
		.title = "No GPU is bound to nouveau",
		.why = "The nouveau driver cannot run CUDA and keeps the NVIDIA driver from the GPU. It takes the GPU at boot "
		       "unless it is blacklisted in the initramfs too.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = probe_nouveau,
		.remedy = "Blacklist nouveau, rebuild the initramfs, install the NVIDIA driver and reboot.",
		.reboot = true,
		.source = "NVIDIA DCGM denylist; NVIDIA Grace benchmarking guide",
		.refs = "https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/",
	},
	{
		.id = "gpu.library",
		.title = "The driver's management library is installed",
		.why = "Without libnvidia-ml.so.1 nvidia-smi, device plugins and schedulers cannot see the GPUs. It is "
		       "missing when only the kernel part of the driver was installed, or when a container got devices "
		       "without libraries.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_library,
		.remedy = "Install the user-space part of the driver in the same version as the kernel module.",
		.source = "leptonai/gpud library; NVIDIA DCGM libraries_nvml",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.libcuda",
		.title = "The CUDA driver library is installed",
		.why = "Every CUDA program loads libcuda.so.1, and fails to start without it. A headless driver package or a "
		       "container without the compute capability leaves it out.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_libcuda,
		.remedy =
			"Install the driver's compute libraries, or give the container NVIDIA_DRIVER_CAPABILITIES=compute,utility.",
		.source = "leptonai/gpud library; NVIDIA DCGM libraries_cuda",
	},
	{
		.id = "gpu.driver-version",
		.title = "Kernel driver and library have the same version",
		.why = "With different versions NVML and CUDA refuse to start new processes. This comes after a driver "
		       "update, often an unattended one, until the module is reloaded.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.probe = probe_version,
		.remedy = "Drain the host and reboot, or stop all users of the GPUs and reload the nvidia modules.",
		.reboot = true,
		.source = "NVML error 18 (driver/library version mismatch)",
		.refs = PIT_GPU_NVML_REFS,
	},
	{
		.id = "gpu.device-nodes",
		.title = "Device files of the GPUs exist",
		.why = "Programs open /dev/nvidiactl and /dev/nvidiaN; only root can create missing ones. They are missing "
		       "after boot on hosts without a display until something privileged uses the GPUs.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = probe_nodes,
		.knob = "service.nvidia-persistenced",
		.remedy = "Start nvidia-persistenced at boot, or run nvidia-modprobe.",
		.command = "nvidia-modprobe -u -c=0",
		.source = "NVIDIA DCGM permissions check; NVIDIA driver README, device files",
	},
	{
		.id = "gpu.uvm",
		.title = "The unified memory module is loaded",
		.why = "CUDA fails to initialise without nvidia_uvm and its device file. Containers and unprivileged users "
		       "cannot load it themselves.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_HOST,
		.probe = probe_uvm,
		.remedy = "Load nvidia_uvm at boot and create its device files.",
		.command = "nvidia-modprobe -u -c=0",
		.source = "NVIDIA driver README, device files",
	},
	{
		.id = "gpu.count",
		.title = "NVML sees every GPU of the PCI bus",
		.why = "A GPU that the driver could not start is lost for jobs, and ranks then crowd on the others. It shows "
		       "after boot or after a GPU failed.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.needs = PIT_NEED_NVML | PIT_NEED_HOST,
		.probe = probe_count,
		.remedy = "Look for NVRM lines of that GPU in the kernel log, reset it or power-cycle the host.",
		.source = "leptonai/gpud gpu-counts; Azure, AWS node checks",
	},
	{
		.id = "gpu.lost",
		.title = "Every GPU answers on the PCI bus",
		.why = "A GPU whose registers read all ones has fallen off the bus, and every job on it fails. Causes are "
		       "power, heat, seating or a dead GPU.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_FAIL,
		.probe = probe_lost,
		.remedy =
			"Drain the host and power-cycle it; when it comes back, check seating, cables and temperature.",
		.reboot = true,
		.source = "PCI: reads of an absent device return all ones; Xid 79",
		.refs = "https://docs.nvidia.com/deploy/xid-errors/",
	},
	{
		.id = "gpu.driver-params",
		.title = "Parameters of the NVIDIA kernel module",
		.why = "Some module parameters slow down every job: interrupts without MSI, or NVLink switched off. They stay "
		       "behind from debugging in /etc/modprobe.d.",
		.area = PIT_AREA_GPU,
		.impact = PIT_HURTING,
		.otherwise = PIT_WARN,
		.probe = probe_parameters,
		.remedy = "Remove the option from /etc/modprobe.d, rebuild the initramfs and reload the driver.",
		.reboot = true,
		.source = "NVIDIA driver README, module parameters",
	},
	{.id = NULL},
};
