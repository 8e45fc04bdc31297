/* SPDX-License-Identifier: MIT
 *
 * The fact "nvml", one JSON object. A value that the driver did not give is absent.
 *
 *	error		the library's refusal, an NVML code; nothing else is there then
 *	driver, nvml	versions of the kernel driver and of the library
 *	cuda		newest CUDA that the driver serves: 12040 = 12.4
 *	count		GPUs that the library counts
 *	incomplete	why `gpus` has fewer of them
 *	gpus[]		by index:
 *	  index, uuid, pci ("0000:65:00.0"), name, minor (of /dev/nvidiaN), vbios, inforom
 *	  error		NVML code: this GPU cannot be asked
 *	  cpus		CPUs near it as a list; node: the NUMA node of its own memory (coherent GPUs)
 *	  architecture	number of the GPU generation (6 Turing, 7 Ampere, 8 Ada, 9 Hopper, 10 Blackwell)
 *	  virtualization 0 none, 1 passthrough, 2 vGPU, 3 and 4 host of vGPUs
 *	  persistence	0, 1;  compute_mode 0 default, 1 exclusive thread, 2 prohibited, 3 exclusive process
 *	  display	0, 1: a monitor is in use;  auto_boost 0, 1;  pstate 0 ... 15
 *	  driver_model	0 WDDM, 1 TCC or none
 *	  memory	{total, used, reserved, free} bytes
 *	  ecc		{current, pending, corrected, uncorrected (since the driver was loaded), corrected_ever,
 *			 uncorrected_ever, sram_uncorrected, sram_uncorrected_ever}
 *	  retired	{sbe, dbe (pages), pending}
 *	  remapped	{corrected, uncorrected (rows), pending, failure}
 *	  temperature	{gpu, memory, slowdown, shutdown, gpu_max, memory_max} degrees Celsius
 *	  power		{usage, limit, enforced, default, min, max} milliwatts
 *	  clocks	{sm, mem, sm_max, mem_max, sm_app, mem_app, sm_app_default, mem_app_default} MHz
 *	  throttle	bit mask of clock event reasons
 *	  utilization	{gpu, memory} percent
 *	  mig		{current, pending, max, free (slices left for one-slice instances), instances (GPU instances),
 *			 devices:[{uuid, name, gi, ci, slices, memory_mb}],
 *			 layout (GPU instances by place: "3g.40gb@0 2g.20gb@4", "" none; only root may see it),
 *			 profiles:[{name, size, starts:[0,4]}] (memory slices that such an instance takes)}
 *	  link		{gen, gen_max (with this slot), gen_gpu_max, width, width_max, replays}
 *	  nvlink	{links, active, inactive ("3,7"), crc_flit, crc_data, replay, recovery}
 *	  fabric	{state 0 none, 1 not started, 2 in progress, 3 done; status, clique, health, summary}
 *	  gsp		{enabled, default}
 *	  recovery	action that the driver asks for: 0 none, 1 reset, 2 reboot, 3 drain, 4 drain and reset
 *	  processes	[{pid, type "C" or "G", memory}]
 */
#include "host/nvml.h"

#include "host/nvml_abi.h"
#include "host/nvml_ask.h"

static const struct {
	int code, rc;
	const char *text;
} refusals[] = {
	{PIT_NVML_NO_LIBRARY, -ENOENT, "libnvidia-ml.so.1 is not installed"},
	{PIT_NVML_NO_DRIVER, -ENODEV, "the NVIDIA kernel driver is not loaded"},
	{PIT_NVML_NO_GPU, -ENODEV, "the NVIDIA driver drives no GPU"},
	{PIT_NVML_NO_PERMISSION, -EPERM, "NVML: no permission"},
	{PIT_NVML_BLOCKED, -EPERM, "NVML: the operating system or a cgroup blocks the GPU's device files"},
	{PIT_NVML_MISMATCH, -ELIBBAD, "NVML: library and kernel driver have different versions"},
	{PIT_NVML_IRQ, -EIO, "NVML: a GPU's interrupts do not arrive"},
	{PIT_NVML_LOST, -EIO, "NVML: a GPU is lost"},
	{PIT_NVML_RESET_REQUIRED, -EIO, "NVML: a GPU needs a reset"},
	{PIT_NVML_UNKNOWN, -EIO, "NVML: unknown error"},
};

static int refused(int code, struct pit_error *err)
{
	for (size_t i = 0; i < PIT_COUNT(refusals); i++)
		if (refusals[i].code == code)
			return pit_fail(err, -refusals[i].rc, "%s", refusals[i].text);
	return pit_fail(err, EIO, "NVML: error %d", code);
}

struct question {
	struct pit_root *root;
	struct pit_error *err;
};

/* Without a loaded driver the library would load it (it starts nvidia-modprobe): looking must not change the machine.
 */
static bool has_driver(struct pit_root *root)
{
	static const char *const signs[] = {"/proc/driver/nvidia/version", "/sys/module/nvidia", "/dev/dxg"};

	for (size_t i = 0; i < PIT_COUNT(signs); i++)
		if (!pit_root_exists(root, "%s", signs[i]))
			return true;
	return false;
}

static int make(const char *name, void *arg, struct pit_buf *out)
{
	struct question *q = arg;

	if (!has_driver(q->root))
		return pit_fail(q->err, ENODEV, "no NVIDIA driver is loaded");
	return pit_nvml_ask(&pit_nvml_usual, out, q->err);
}

static const char *usual_reason(int rc)
{
	switch (rc) {
	case -ENODEV:
		return "no NVIDIA driver is loaded";
	case -ETIMEDOUT:
		return "NVML did not answer in time";
	case -ENODATA:
		return "NVML's answer is not in the recording";
	default:
		return "NVML";
	}
}

int pit_nvml_load(struct pit_root *root, json_t **ret, struct pit_error *err)
{
	struct question q = {.root = root, .err = err};
	struct pit_text text;
	json_error_t why;
	json_t *all;
	int rc = pit_root_fact(root, "nvml", make, &q, &text);

	if (rc)
		return err && err->text[0] ? rc : pit_fail(err, -rc, "%s", usual_reason(rc));
	all = json_loadb(text.data, text.len, 0, &why);
	if (!json_is_object(all)) {
		rc = pit_fail(err, EBADMSG, "NVML's recorded answer: %s", all ? "not an object" : why.text);
		json_decref(all);
		return rc;
	}
	if (json_object_get(all, "error")) {
		rc = refused((int)json_integer_value(json_object_get(all, "error")), err);
		json_decref(all);
		return rc;
	}
	*ret = all;
	return 0;
}
