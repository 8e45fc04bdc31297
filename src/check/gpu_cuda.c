/* SPDX-License-Identifier: MIT
 *
 * The CUDA toolkit on disk against the driver.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/catalog.h"
#include "check/gpu.h"

/* Oldest driver for each CUDA version, newest first: CUDA Toolkit release notes, minor version compatibility. */
static const struct {
	int cuda;   /* 12000: 12.0 and all later ones of that major up to the row above */
	int driver; /* major */
} minima[] = {
	{13000, 580}, {12000, 525}, {11010, 450}, {11000, 450}, {10020, 440}, {10010, 418}, {10000, 410}, {9000, 384},
};

static int minimum_for(int cuda)
{
	for (size_t i = 0; i < PIT_COUNT(minima); i++)
		if (cuda >= minima[i].cuda)
			return minima[i].driver;
	return 0;
}

/* "12.4.1" -> 12040; 0 it is no version. */
static int parse_cuda(const char *text)
{
	unsigned major = 0, minor = 0;

	return sscanf(text, "%3u.%3u", &major, &minor) == 2 && minor < 100 ? (int)(major * 1000 + minor * 10) : 0;
}

/* The same of the toolkit in `home`; `where` is the file that says so. -ENOENT none, -EBADMSG. */
static int toolkit_version(struct pit_root *root, const char *home, char *where, size_t size)
{
	char version[32];
	int rc = pit_cuda_toolkit(root, home, version, sizeof(version), where, size);

	if (rc)
		return rc;
	rc = parse_cuda(version);
	return rc ? rc : -EBADMSG;
}

static int driver_major(struct pit_facts *facts, char *version, size_t size)
{
	return pit_nvidia_driver(facts, version, size) ? 0 : atoi(version);
}

static int probe_runtime(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	const char *set = pit_facts_env(facts, "CUDA_HOME");
	const char *home = set && *set == '/' ? set : "/usr/local/cuda";
	char where[512], driver[32] = "";
	int cuda = toolkit_version(root, home, where, sizeof(where)), major, least;

	if (pit_root_state(cuda) == PIT_STATE_ABSENT)
		return pit_skip(out, "no CUDA toolkit in %s", home);
	if (cuda < 0)
		return pit_fail(err, -cuda, "%s", where);
	major = driver_major(facts, driver, sizeof(driver));
	if (!major)
		return pit_skip(out, "no NVIDIA driver is loaded");
	least = minimum_for(cuda);
	pit_evidence(out, where, "CUDA %d.%d", cuda / 1000, cuda % 1000 / 10);
	pit_evidence(out, "driver", "%s", driver);
	pit_want(out, "driver R%d or later", least);
	if (major >= least)
		return pit_pass(out, "CUDA %d.%d on driver %s", cuda / 1000, cuda % 1000 / 10, driver);
	if (pit_root_exists(root, "%s/compat/libcuda.so.1", home))
		return pit_bad(out, "CUDA %d.%d needs R%d, driver is %s", cuda / 1000, cuda % 1000 / 10, least, driver);
	pit_evidence(out, home, "compat/libcuda.so.1 exists: usable on data centre GPUs with LD_LIBRARY_PATH");
	return pit_judge(out, PIT_WARN, PIT_RISK, "CUDA %d.%d on driver %s needs its compat library", cuda / 1000,
			 cuda % 1000 / 10, driver);
}

/* Minor version compatibility does not cover PTX: what an older driver has to compile must not be newer than it. */
static int probe_ptx(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	const char *set = pit_facts_env(facts, "CUDA_HOME");
	const char *home = set && *set == '/' ? set : "/usr/local/cuda";
	const json_t *nvml;
	char where[512];
	int64_t serves;
	int cuda, rc = pit_facts_nvml(facts, &nvml, err);

	if (rc)
		return rc;
	cuda = toolkit_version(pit_facts_root(facts), home, where, sizeof(where));
	if (pit_root_state(cuda) == PIT_STATE_ABSENT)
		return pit_skip(out, "no CUDA toolkit in %s", home);
	if (cuda < 0)
		return pit_fail(err, -cuda, "%s", where);
	if (!pit_gpu_number(nvml, NULL, "cuda", &serves))
		return pit_skip(out, "the driver does not tell which CUDA it serves");
	pit_evidence(out, where, "CUDA %d.%d", cuda / 1000, cuda % 1000 / 10);
	pit_evidence(out, "NVML", "the driver serves CUDA %d.%d", (int)serves / 1000, (int)serves % 1000 / 10);
	pit_want(out, "a toolkit not newer than the driver's CUDA");
	if (cuda <= serves)
		return pit_pass(out, "toolkit %d.%d, driver %d.%d", cuda / 1000, cuda % 1000 / 10, (int)serves / 1000,
				(int)serves % 1000 / 10);
	return pit_bad(out, "toolkit %d.%d is newer than the driver's %d.%d", cuda / 1000, cuda % 1000 / 10,
		       (int)serves / 1000, (int)serves % 1000 / 10);
}

const struct pit_check pit_check_gpu_cuda[] = {
	{
		.id = "gpu.cuda-runtime",
		.title = "The CUDA toolkit fits the driver",
		.why = "A program built with a toolkit that the driver is too old for stops at its first CUDA call. It happens "
		       "when images are updated and hosts are not; toolkits inside Python packages are not seen here.",
		.area = PIT_AREA_GPU,
		.impact = PIT_RISK,
		.otherwise = PIT_FAIL,
		.probe = probe_runtime,
		.remedy = "Update the driver to the minimum of that toolkit, or use an older toolkit.",
		.source = "CUDA Toolkit release notes: R525 for 12.x, R580 for 13.x, R450 for 11.x",
		.refs = "https://docs.nvidia.com/deploy/cuda-compatibility/ https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/",
	},
	{
		.id = "gpu.cuda-ptx",
		.title = "The driver can compile what the toolkit emits",
		.why = "Kernels compiled at run time (Triton, torch.compile, custom extensions) fail with an unsupported PTX "
		       "version when the toolkit is newer than the driver's CUDA. Prebuilt kernels go on to work, so it shows late.",
		.area = PIT_AREA_GPU,
		.impact = PIT_STYLE,
		.otherwise = PIT_WARN,
		.needs = PIT_NEED_NVML,
		.probe = probe_ptx,
		.remedy = "Update the driver, or use a toolkit of the driver's CUDA version.",
		.source = "CUDA compatibility guide, minor version compatibility",
		.refs = "https://docs.nvidia.com/deploy/cuda-compatibility/",
	},
	{.id = NULL},
};
