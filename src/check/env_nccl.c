/* SPDX-License-Identifier: MIT
 *
 * Variables of NCCL, libfabric and UCX that name interfaces, devices and files.
 */
#include <string.h>

#include "base/path.h"
#include "check/env.h"
#include "check/offenders.h"

/* NCCL's own form of a list: "^a,b" leaves out, "=a,b" is exact, else a name stands for all that begin so. */
struct spec {
	bool except, exact;
	struct pit_strv names;
};

static void spec_free(struct spec *s)
{
	pit_strv_free(&s->names);
}
#define auto_spec PIT_CLEANUP(spec_free)

static int read_spec(const char *text, struct spec *ret)
{
	ret->except = *text == '^';
	text += ret->except;
	ret->exact = *text == '=';
	text += ret->exact;
	return pit_strv_split(&ret->names, text, ", ");
}

/* Whether `name` (in the list up to ":") stands for `real`. */
static bool stands_for(const char *name, const char *real, bool exact)
{
	size_t len = strcspn(name, ":");

	return !strncmp(name, real, len) && (!exact || !real[len]);
}

static bool has_device(const struct pit_strv *devices, const char *name, bool exact)
{
	for (size_t i = 0; i < devices->count; i++)
		if (stands_for(name, devices->item[i], exact))
			return true;
	return false;
}

static bool is_local(const char *name)
{
	static const char *const heads[] = {"lo", "docker", "veth", "virbr", "cni", "flannel", "cali", "br-"};

	for (size_t i = 0; i < PIT_COUNT(heads); i++)
		if (!strncmp(name, heads[i], strlen(heads[i])) && (i || !name[2] || name[2] == ':'))
			return true;
	return false;
}

static void judge_ifnames(const char *name, const char *value, const struct pit_strv *devices, struct pit_offenders *p,
			  struct pit_finding *out)
{
	auto_spec struct spec s = {0};
	size_t found = 0;

	if (read_spec(value, &s) || s.except)
		return;
	for (size_t i = 0; i < s.names.count; i++) {
		bool there = has_device(devices, s.names.item[i], s.exact);

		found += there;
		if (is_local(s.names.item[i]))
			pit_problem(p, out, name, "%s=%s: %s does not leave this host", name, value, s.names.item[i]);
		else if (!there && s.names.count == 1)
			pit_problem(p, out, name, "%s=%s: no such interface here", name, value);
	}
	if (!found && s.names.count > 1)
		pit_problem(p, out, name, "%s=%s: none of them is here", name, value);
}

int pit_env_ifname_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			 struct pit_error *err)
{
	static const char *const names[] = {"NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME"};
	struct pit_offenders p = {0};
	const struct pit_strv *devices;
	const char *value, *seen = NULL;

	pit_want(out, "an interface of this host that other hosts reach");
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		int rc = pit_env_get(f, names[i], &value, err);

		if (rc)
			return rc;
		if (!value || !*value)
			continue;
		seen = value;
		rc = pit_root_list(pit_facts_root(f), &devices, "/sys/class/net");
		if (rc)
			return pit_fail(err, -rc, "/sys/class/net");
		judge_ifnames(names[i], value, devices, &p, out);
	}
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%s", seen ? seen : "unset");
}

int pit_env_ib_hca_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			 struct pit_error *err)
{
	struct pit_offenders p = {0};
	auto_spec struct spec s = {0};
	const struct pit_strv *devices, none = {0};
	const char *value;
	int rc = pit_env_get(f, "NCCL_IB_HCA", &value, err);

	if (rc)
		return rc;
	pit_want(out, "names in /sys/class/infiniband");
	if (!value || !*value)
		return pit_pass(out, "unset");
	rc = pit_root_list(pit_facts_root(f), &devices, "/sys/class/infiniband");
	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
		return pit_fail(err, -rc, "/sys/class/infiniband");
	devices = rc ? &none : devices;
	rc = read_spec(value, &s);
	if (rc)
		return rc;
	for (size_t i = 0; i < s.names.count && !s.except; i++)
		if (!has_device(devices, s.names.item[i], s.exact))
			pit_problem(&p, out, "NCCL_IB_HCA", "no RDMA device %s", s.names.item[i]);
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "%s", value);
}

int pit_env_nccl_files_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	static const char *const names[] = {"NCCL_TOPO_FILE", "NCCL_GRAPH_FILE",     "NCCL_TUNER_CONFIG_PATH",
					    "NCCL_CONF_FILE", "NCCL_NET_PLUGIN",     "NCCL_TUNER_PLUGIN",
					    "NCCL_TUNER",     "NCCL_PROFILER_PLUGIN"};
	struct pit_offenders p = {0};
	const char *value, *seen = NULL;

	pit_want(out, "files that exist");
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		int rc = pit_env_get(f, names[i], &value, err);

		if (rc)
			return rc;
		if (!value || !*value)
			continue;
		seen = value;
		if (*value == '/' && pit_env_is_missing(f, value))
			pit_problem(&p, out, names[i], "%s: no file %s", names[i], value);
		else if (i < 4 && *value != '/')
			pit_problem(&p, out, names[i], "%s: %s is a relative path", names[i], value);
	}
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%s", seen ? seen : "unset");
}

/* Parts of NCCL that are switched off. */
int pit_env_nccl_off_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			   struct pit_error *err)
{
	static const struct {
		const char *name, *off, *what;
		bool rdma; /* nothing is lost without an RDMA device */
	} switches[] = {
		{"NCCL_P2P_DISABLE", "1", "GPUs of a host talk through memory", false},
		{"NCCL_IB_DISABLE", "1", "RDMA is not used", true},
		{"NCCL_NET", "Socket", "RDMA is not used", true},
		{"NCCL_SHM_DISABLE", "1", "ranks of a host talk over the network", false},
		{"NCCL_NVLS_ENABLE", "0", "no NVLink SHARP", false},
		{"NCCL_NET_GDR_LEVEL", "LOC", "no GPUDirect RDMA", true},
		{"NCCL_NET_GDR_LEVEL", "0", "no GPUDirect RDMA", true},
	};
	struct pit_offenders p = {0};
	const char *value;
	bool rdma = pit_need_is_met(f, PIT_NEED_RDMA, NULL);

	pit_want(out, "unset");
	for (size_t i = 0; i < PIT_COUNT(switches); i++) {
		int rc = pit_env_get(f, switches[i].name, &value, err);

		if (rc)
			return rc;
		if (value && !strcmp(value, switches[i].off) && (rdma || !switches[i].rdma))
			pit_problem(&p, out, switches[i].name, "%s=%s: %s", switches[i].name, value, switches[i].what);
	}
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "nothing is switched off");
}

/* An EFA device: its RDMA device is driven by "efa", or named so. */
static bool has_efa(struct pit_facts *f)
{
	const struct pit_strv *devices;
	const char *driver;

	if (pit_root_list(pit_facts_root(f), &devices, "/sys/class/infiniband"))
		return false;
	for (size_t i = 0; i < devices->count; i++) {
		const char *name = devices->item[i];

		if (!pit_root_link(pit_facts_root(f), &driver, "/sys/class/infiniband/%s/device/driver", name) &&
		    !strcmp(pit_base_name(driver), "efa"))
			return true;
		if (!strncmp(name, "efa", 3) || !strncmp(name, "rdmap", 5))
			return true;
	}
	return false;
}

int pit_env_efa_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
{
	struct pit_offenders p = {0};
	const struct pit_platform *platform;
	const char *provider, *fork, *rdma;
	bool modern = false;
	int rc = pit_env_get(f, "FI_PROVIDER", &provider, err);

	rc = rc ? rc : pit_env_get(f, "FI_EFA_FORK_SAFE", &fork, err);
	rc = rc ? rc : pit_env_get(f, "FI_EFA_USE_DEVICE_RDMA", &rdma, err);
	if (rc)
		return rc;
	if (!pit_facts_platform(f, &platform, NULL))
		modern = platform->kernel_major > 5 || (platform->kernel_major == 5 && platform->kernel_minor >= 13);
	pit_want(out, "FI_PROVIDER=efa only with EFA devices; no leftovers of older kernels");
	if (provider && !strcmp(provider, "efa") && !has_efa(f))
		pit_problem(&p, out, "FI_PROVIDER", "FI_PROVIDER=efa, but no EFA device here");
	if (rdma && !strcmp(rdma, "0") && has_efa(f))
		pit_problem(&p, out, "FI_EFA_USE_DEVICE_RDMA", "FI_EFA_USE_DEVICE_RDMA=0: no RDMA on EFA");
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	if (fork && !strcmp(fork, "1") && modern) {
		pit_evidence(out, "FI_EFA_FORK_SAFE", "1 on kernel %s", platform->kernel);
		return pit_judge(out, PIT_WARN, PIT_STYLE, "FI_EFA_FORK_SAFE is not needed since kernel 5.13");
	}
	return pit_pass(out, "%s", provider ? provider : fork || rdma ? "suits this host" : "unset");
}

int pit_env_ucx_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
{
	struct pit_offenders p = {0};
	pit_auto_strv struct pit_strv names = {0};
	struct pit_root *root = pit_facts_root(f);
	const char *value;
	int rc = pit_env_get(f, "UCX_NET_DEVICES", &value, err);

	if (!rc && value)
		rc = pit_strv_split(&names, value, ", ");
	if (rc)
		return rc;
	pit_want(out, "RDMA devices with port (mlx5_0:1) or interfaces that exist");
	for (size_t i = 0; i < names.count; i++) {
		int len = (int)strcspn(names.item[i], ":");

		if (!strcmp(names.item[i], "all") || *names.item[i] == '^' || strpbrk(names.item[i], "*?[/"))
			continue;
		if (names.item[i][len] ? pit_root_exists(root, "/sys/class/infiniband/%.*s/ports/%s", len,
							 names.item[i], names.item[i] + len + 1)
				       : pit_root_exists(root, "/sys/class/net/%s", names.item[i]) &&
						 pit_root_exists(root, "/sys/class/infiniband/%s", names.item[i]))
			pit_problem(&p, out, "UCX_NET_DEVICES", "no device %s", names.item[i]);
	}
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%s", names.count ? value : "unset");
}
