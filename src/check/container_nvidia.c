/* SPDX-License-Identifier: MIT
 *
 * How GPUs of NVIDIA get into containers: CDI specifications, the container toolkit, links for device files.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "check/container.h"
#include "check/nvidia.h"
#include "check/offenders.h"

#define TEXT_MAX (4u << 20)

/* What the CDI files say in all. */
struct cdi {
	size_t files, gpus;
	struct pit_offenders p;
};

/* One specification: versions of the driver's libraries, and device files that are not there. */
static void judge_spec(struct pit_root *root, const struct pit_conf *spec, const char *path, const char *module,
		       struct cdi *c, struct pit_finding *out)
{
	char version[64];
	bool stale = false;

	c->files++;
	for (size_t i = 0; i < spec->count; i++) {
		const struct pit_conf_entry *e = &spec->item[i];
		const char *name = strrchr(e->key, '/');

		if (!name)
			continue;
		if (!strncmp(e->key, "devices/", 8) &&
		    strspn(e->key + 8, "0123456789") + 8 == (size_t)(name - e->key) && !strcmp(name, "/name"))
			c->gpus += strcmp(e->value, "all") != 0;
		if (!strcmp(name, "/hostPath") && strstr(e->value, "libcuda.so") && *module && !stale &&
		    !pit_nvidia_file_version(e->value, version, sizeof(version)) && strcmp(version, module) != 0) {
			stale = true;
			pit_problem(&c->p, out, path, "made for driver %s, loaded is %s", version, module);
		}
		if (!strcmp(name, "/path") && strstr(e->key, "/deviceNodes/") && !strncmp(e->value, "/dev/", 5) &&
		    pit_root_state(pit_root_exists(root, "%s", e->value)) == PIT_STATE_ABSENT)
			pit_problem(&c->p, out, path, "no %s", e->value);
	}
}

static int judge_file(struct pit_root *root, const char *path, const char *module, struct cdi *c,
		      struct pit_finding *out, struct pit_error *err)
{
	pit_auto_conf struct pit_conf spec = {0};
	struct pit_text text;
	const char *kind;
	int rc = pit_root_read(root, &text, "%s", path);

	if (!rc && text.len > TEXT_MAX)
		rc = -EFBIG;
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	rc = pit_conf_yaml_or_json(text.data, &spec, err);
	if (rc)
		return pit_wrap(err, rc, "%s", path);
	kind = pit_conf_get(&spec, "kind");
	if (kind && !strncmp(kind, "nvidia.com/", 11))
		judge_spec(root, &spec, path, module, c, out);
	return 0;
}

static bool is_spec(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml") || !strcmp(dot, ".json"));
}

int pit_container_cdi_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			    struct pit_error *err)
{
	static const char *const dirs[] = {"/etc/cdi", "/var/run/cdi"};
	struct cdi c = {0};
	struct pit_root *root = pit_facts_root(f);
	char module[64] = "", path[512];
	int rc = 0;

	if (pit_nvidia_driver(f, module, sizeof(module)))
		module[0] = '\0';
	for (size_t d = 0; d < PIT_COUNT(dirs); d++) {
		const struct pit_strv *names;

		if (pit_root_list(root, &names, "%s", dirs[d]))
			continue;
		for (size_t i = 0; i < names->count && !rc; i++) {
			snprintf(path, sizeof(path), "%s/%s", dirs[d], names->item[i]);
			if (is_spec(names->item[i]))
				rc = judge_file(root, path, module, &c, out, err);
		}
	}
	if (rc)
		return rc;
	if (!c.files)
		return pit_skip(out, "no CDI specification for NVIDIA in /etc/cdi or /var/run/cdi");
	pit_want(out, "made for the loaded driver%s%s", *module ? " " : "", module);
	if (c.p.count)
		return pit_bad(out, "%s", pit_offenders_text(&c.p));
	return pit_pass(out, "%zu file%s, %zu devices, driver %s", c.files, c.files == 1 ? "" : "s", c.gpus,
			*module ? module : "not known");
}

#define TOOLKIT "/etc/nvidia-container-runtime/config.toml"

static int load_toolkit(struct pit_root *root, struct pit_conf *ret, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(root, &text, TOOLKIT);

	if (rc)
		return pit_fail(err, -rc, TOOLKIT);
	return pit_wrap(err, pit_conf_toml(text.data, ret, err), TOOLKIT);
}

int pit_container_toolkit_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				struct pit_error *err)
{
	static const char *const modes[] = {"auto", "legacy", "cdi", "csv", "jit-cdi"};
	pit_auto_conf struct pit_conf c = {0};
	struct pit_offenders p = {0};
	struct pit_root *root = pit_facts_root(f);
	const char *no_cgroups, *ldconfig, *mode;
	bool known = false;
	int rc = load_toolkit(root, &c, err);

	if (rc)
		return rc;
	no_cgroups = pit_conf_get(&c, "nvidia-container-cli/no-cgroups");
	ldconfig = pit_conf_get(&c, "nvidia-container-cli/ldconfig");
	mode = pit_conf_get(&c, "nvidia-container-runtime/mode");
	mode = mode ? mode : "auto";
	for (size_t i = 0; i < PIT_COUNT(modes); i++)
		known |= !strcmp(mode, modes[i]);
	pit_evidence(out, TOOLKIT, "mode %s, no-cgroups %s, ldconfig %s", mode, no_cgroups ? no_cgroups : "unset",
		     ldconfig ? ldconfig : "unset");
	pit_want(out, "no-cgroups false, ldconfig of the host (@/sbin/ldconfig), a known mode");
	if (no_cgroups && !strcmp(no_cgroups, "true"))
		pit_problem(&p, out, TOOLKIT, "no-cgroups is true");
	if (ldconfig && *ldconfig == '@' &&
	    pit_root_state(pit_root_exists(root, "%s", ldconfig + 1)) == PIT_STATE_ABSENT)
		pit_problem(&p, out, TOOLKIT, "no %s on this host", ldconfig + 1);
	if (ldconfig && *ldconfig == '/')
		pit_problem(&p, out, TOOLKIT, "ldconfig %s is taken from the container", ldconfig);
	if (!known)
		pit_problem(&p, out, TOOLKIT, "mode %s is not known", mode);
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "mode %s", mode);
}

int pit_container_toolkit_envvar_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				       struct pit_error *err)
{
	pit_auto_conf struct pit_conf c = {0};
	const char *accept;
	int rc = load_toolkit(pit_facts_root(f), &c, err);

	if (rc)
		return rc;
	accept = pit_conf_get(&c, "accept-nvidia-visible-devices-envvar-when-unprivileged");
	pit_evidence(out, TOOLKIT, "accept-nvidia-visible-devices-envvar-when-unprivileged = %s",
		     accept ? accept : "unset (true)");
	pit_want(out, "false on a Kubernetes node");
	if (pit_root_exists(pit_facts_root(f), "/var/lib/kubelet"))
		return pit_pass(out, "no Kubernetes node: the variable is how GPUs are asked for");
	return accept && !strcmp(accept, "false") ? pit_pass(out, "false")
						  : pit_bad(out, "any pod may ask for all GPUs");
}

int pit_container_dev_char_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				 struct pit_error *err)
{
	static const char *const engines[] = {"/etc/docker", "/etc/containerd", "/run/containerd", "/run/crio",
					      "/var/lib/kubelet"};
	struct pit_offenders p = {0};
	struct pit_root *root = pit_facts_root(f);
	const struct pit_strv *dev;
	bool engine = false;
	size_t judged = 0;
	int rc = pit_root_list(root, &dev, "/dev");

	if (rc)
		return pit_fail(err, -rc, "/dev");
	for (size_t i = 0; i < PIT_COUNT(engines); i++)
		engine |= !pit_root_exists(root, "%s", engines[i]);
	for (size_t i = 0; i < dev->count && engine; i++) {
		struct pit_stat st;

		if (strncmp(dev->item[i], "nvidia", 6) != 0 || pit_root_stat(root, &st, "/dev/%s", dev->item[i]) ||
		    (st.mode & 0170000) != 0020000)
			continue;
		judged++;
		if (pit_root_exists(root, "/dev/char/%" PRIu64 ":%" PRIu64, st.rdev >> 32, st.rdev & UINT32_MAX) ==
		    -ENOENT)
			pit_problem(&p, out, "/dev/char", "no link %" PRIu64 ":%" PRIu64 " to %s", st.rdev >> 32,
				    st.rdev & UINT32_MAX, dev->item[i]);
	}
	if (!judged)
		return pit_skip(out, engine ? "no NVIDIA device files here" : "no container engine here");
	pit_want(out, "a link in /dev/char for each NVIDIA device file");
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "%zu links", judged);
}
