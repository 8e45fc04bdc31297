/* SPDX-License-Identifier: MIT
 *
 * Configuration of the container engines on a host: Docker, containerd, apptainer, enroot.
 */
#include <string.h>

#include "base/parse.h"
#include "base/pattern.h"
#include "check/container.h"
#include "check/offenders.h"

#define TEXT_MAX (1u << 20)

static int load_toml(struct pit_root *root, const char *path, struct pit_conf *ret, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(root, &text, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	if (text.len > TEXT_MAX)
		return pit_fail(err, EFBIG, "%s: too long", path);
	return pit_wrap(err, pit_conf_toml(text.data, ret, err), "%s", path);
}

/* The files that match "DIRECTORY/PATTERN". */
static int load_import(struct pit_root *root, const char *pattern, struct pit_conf *ret, struct pit_error *err)
{
	const char *base = strrchr(pattern, '/');
	const struct pit_strv *names;
	char dir[512], path[1024];
	int rc = 0;

	if (!base || *pattern != '/')
		return 0;
	snprintf(dir, sizeof(dir), "%.*s", (int)(base - pattern), pattern);
	if (pit_root_list(root, &names, "%s", dir))
		return 0;
	for (size_t i = 0; i < names->count && !rc; i++) {
		if (!pit_fits(base + 1, names->item[i]))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, names->item[i]);
		rc = load_toml(root, path, ret, err);
	}
	return rc;
}

/* The configuration of containerd with its imports; `path` gets the main file. -ENOENT: no containerd configuration. */
static int load_containerd(struct pit_root *root, struct pit_conf *ret, char *path, size_t size, struct pit_error *err)
{
	static const char *const places[] = {
		"/etc/containerd/config.toml",
		"/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
		"/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
	};
	size_t i = 0, count;
	int rc;

	while (i + 1 < PIT_COUNT(places) && pit_root_exists(root, "%s", places[i]))
		i++;
	i = pit_root_exists(root, "%s", places[i]) ? 0 : i;
	snprintf(path, size, "%s", places[i]);
	rc = load_toml(root, places[i], ret, err);
	count = ret->count;
	for (i = 0; i < count && !rc; i++) {
		pit_auto_free char *pattern = NULL;

		if (!pit_conf_below(&ret->item[i], "imports"))
			continue;
		pattern = strdup(ret->item[i].value);
		rc = pattern ? load_import(root, pattern, ret, err) : -ENOMEM;
	}
	return rc;
}

#define DOCKER_CONF "/etc/docker/daemon.json"

/* Empty when dockerd is here without that file. -ENOENT: no Docker here. */
static int load_docker(struct pit_facts *f, struct pit_conf *ret, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(f);
	struct pit_text text;
	int rc = pit_root_read(root, &text, DOCKER_CONF);

	if (!rc && text.len > TEXT_MAX)
		rc = -EFBIG;
	if (!rc)
		return pit_wrap(err, pit_conf_json(text.data, ret, err), DOCKER_CONF);
	if (pit_root_state(rc) != PIT_STATE_ABSENT)
		return pit_fail(err, -rc, DOCKER_CONF);
	if (pit_facts_process(f, "dockerd") || !pit_root_exists(root, "/var/lib/docker"))
		return 0;
	return pit_fail(err, ENOENT, "Docker on this host");
}

static void name_setting(const struct pit_conf *c, const char *path, const char *key, struct pit_finding *out)
{
	const struct pit_conf_entry *e = pit_conf_find(c, key);

	if (e && e->line)
		pit_origin(out, "%s:%d", path, e->line);
	else if (e)
		pit_origin(out, "%s", path);
	pit_evidence(out, path, e ? "%s = %s" : "%s is not set", key, e ? e->value : "");
}

/* "systemd" or "cgroupfs": what dockerd takes, by exec-opts or its default. */
static const char *docker_driver(struct pit_facts *f, const struct pit_conf *c)
{
	const struct pit_mounts *mounts;
	const struct pit_mount *m;

	for (size_t i = 0; i < c->count; i++)
		if (pit_conf_below(&c->item[i], "exec-opts") && !strncmp(c->item[i].value, "native.cgroupdriver=", 20))
			return c->item[i].value + 20;
	m = pit_facts_mounts(f, &mounts, NULL) ? NULL : pit_mounts_find(mounts, "/sys/fs/cgroup");
	return m && !strcmp(m->type, "cgroup2") ? "systemd" : "cgroupfs";
}

/* Docker's own containerd comes with the part for Kubernetes switched off. */
static bool is_cri_off(const struct pit_conf *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (pit_conf_below(&c->item[i], "disabled_plugins") &&
		    (!strcmp(c->item[i].value, "cri") || strstr(c->item[i].value, ".cri")))
			return true;
	return false;
}

/* SystemdCgroup of any runtime of containerd that is false. */
static void judge_containerd_driver(struct pit_facts *f, struct pit_offenders *p, struct pit_finding *out, size_t *seen)
{
	pit_auto_conf struct pit_conf c = {0};
	char path[160];

	if (load_containerd(pit_facts_root(f), &c, path, sizeof(path), NULL) || is_cri_off(&c))
		return;
	for (size_t i = 0; i < c.count; i++) {
		const char *name = strrchr(c.item[i].key, '/');
		const char *runtime = strstr(c.item[i].key, "/runtimes/");

		if (!name || !runtime || strcmp(name, "/SystemdCgroup") != 0)
			continue;
		++*seen;
		if (strcmp(c.item[i].value, "true") != 0)
			pit_problem(p, out, path, "containerd's runtime %.*s has SystemdCgroup = %s",
				    (int)strcspn(runtime + 10, "/"), runtime + 10, c.item[i].value);
	}
}

int pit_container_cgroup_driver_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				      struct pit_error *err)
{
	struct pit_offenders p = {0};
	pit_auto_conf struct pit_conf docker = {0};
	size_t seen = 0, docker_only;
	int rc = load_docker(f, &docker, err);

	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
		return rc;
	if (pit_root_exists(pit_facts_root(f), "/run/systemd/system"))
		return pit_skip(out, "no systemd here");
	if (!rc) {
		const char *driver = docker_driver(f, &docker);

		seen++;
		pit_evidence(out, DOCKER_CONF, "Docker's driver is %s", driver);
		if (strcmp(driver, "systemd") != 0)
			pit_problem(&p, out, DOCKER_CONF, "Docker uses %s", driver);
	}
	docker_only = p.count;
	judge_containerd_driver(f, &p, out, &seen);
	if (!seen)
		return pit_skip(out, "no configuration of Docker or containerd here");
	pit_want(out, "systemd");
	if (!p.count)
		return pit_pass(out, "systemd");
	return p.count > docker_only ? pit_bad(out, "%s", pit_offenders_text(&p))
				     : pit_judge(out, PIT_WARN, PIT_STYLE, "%s", pit_offenders_text(&p));
}

/* From version 3 of the file (containerd 2) on CDI is on unless it is switched off. */
static bool has_cdi(const struct pit_conf *c, const char *enable)
{
	const char *version = pit_conf_get(c, "version");

	return enable ? !strcmp(enable, "true") : version && !strcmp(version, "3");
}

int pit_container_containerd_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				   struct pit_error *err)
{
	pit_auto_conf struct pit_conf c = {0};
	const char *runtime = NULL, *standard = "runc", *cdi = NULL;
	char path[160];
	int rc = load_containerd(pit_facts_root(f), &c, path, sizeof(path), err);

	if (rc)
		return rc;
	if (is_cri_off(&c))
		return pit_skip(out, "containerd works for Docker only here");
	for (size_t i = 0; i < c.count; i++) {
		const char *name = strrchr(c.item[i].key, '/');

		if (strstr(c.item[i].key, "/runtimes/nvidia"))
			runtime = strstr(c.item[i].key, "/runtimes/nvidia") + 10;
		if (name && !strcmp(name, "/default_runtime_name"))
			standard = c.item[i].value;
		if (name && !strcmp(name, "/enable_cdi"))
			cdi = c.item[i].value;
	}
	pit_evidence(out, path, "runtime %.*s, default_runtime_name %s, enable_cdi %s",
		     runtime ? (int)strcspn(runtime, "/") : 4, runtime ? runtime : "none", standard,
		     cdi ? cdi : "unset");
	pit_want(out, "a runtime 'nvidia', or enable_cdi = true");
	if (!strncmp(standard, "nvidia", 6) && !runtime)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "default runtime %s is not defined", standard);
	if (runtime || has_cdi(&c, cdi))
		return pit_pass(out, "%s, default %s", runtime ? "runtime nvidia" : "CDI", standard);
	return pit_bad(out, "neither a runtime for NVIDIA nor CDI");
}

int pit_container_docker_nvidia_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				      struct pit_error *err)
{
	pit_auto_conf struct pit_conf c = {0};
	const char *path, *standard, *cdi;
	int rc = load_docker(f, &c, err);

	if (rc)
		return rc;
	path = pit_conf_get(&c, "runtimes/nvidia/path");
	standard = pit_conf_get(&c, "default-runtime");
	cdi = pit_conf_get(&c, "features/cdi");
	name_setting(&c, DOCKER_CONF, "runtimes/nvidia/path", out);
	name_setting(&c, DOCKER_CONF, "default-runtime", out);
	pit_want(out, "runtimes.nvidia with a program that exists, features.cdi, or the toolkit's hook");
	if (standard && !strcmp(standard, "nvidia") && !path)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "default-runtime nvidia is not defined");
	if (path && *path == '/' && pit_root_state(pit_root_exists(pit_facts_root(f), "%s", path)) == PIT_STATE_ABSENT)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "%s is not there", path);
	if (path || (cdi && !strcmp(cdi, "true")))
		return pit_pass(out, "%s, default %s", path ? path : "CDI", standard ? standard : "runc");
	/* docker run --gpus asks for this program and for no entry in daemon.json. */
	if (!pit_root_exists(pit_facts_root(f), "/usr/bin/nvidia-container-runtime-hook"))
		return pit_pass(out, "--gpus works by nvidia-container-runtime-hook");
	return pit_bad(out, "no runtime nvidia, no CDI, no toolkit");
}

int pit_container_docker_logs_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				    struct pit_error *err)
{
	pit_auto_conf struct pit_conf c = {0};
	const char *driver, *size;
	int rc = load_docker(f, &c, err);

	if (rc)
		return rc;
	driver = pit_conf_get(&c, "log-driver");
	size = pit_conf_get(&c, "log-opts/max-size");
	name_setting(&c, DOCKER_CONF, "log-driver", out);
	name_setting(&c, DOCKER_CONF, "log-opts/max-size", out);
	pit_want(out, "log-opts max-size, or the driver local or journald");
	if (driver && strcmp(driver, "json-file") != 0)
		return pit_pass(out, "driver %s", driver);
	return size ? pit_pass(out, "at most %s each", size) : pit_bad(out, "json-file without a limit");
}

int pit_container_docker_defaults_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
					struct pit_error *err)
{
	pit_auto_conf struct pit_conf c = {0};
	struct pit_offenders p = {0};
	const char *shm, *soft, *hard;
	uint64_t bytes = 64 << 20;
	int rc = load_docker(f, &c, err);

	if (rc)
		return rc;
	shm = pit_conf_get(&c, "default-shm-size");
	soft = pit_conf_get(&c, "default-ulimits/memlock/Soft");
	hard = pit_conf_get(&c, "default-ulimits/memlock/Hard");
	if (shm && pit_parse_size(shm, &bytes))
		return pit_fail(err, EBADMSG, "default-shm-size %s in " DOCKER_CONF, shm);
	pit_want(out, "default-shm-size of 1 GiB or more, default-ulimits memlock -1");
	if (bytes < UINT64_C(1) << 30)
		pit_problem(&p, out, DOCKER_CONF, "/dev/shm of %s", shm ? shm : "64 MiB (default)");
	if (!soft || !hard || strcmp(soft, "-1") != 0 || strcmp(hard, "-1") != 0)
		pit_problem(&p, out, DOCKER_CONF, "memlock %s", soft ? soft : "is that of dockerd");
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "shm %s, memlock unlimited", shm);
}

int pit_container_storage_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				struct pit_error *err)
{
	static const char *const slow[] = {"vfs", "devicemapper", "aufs", "overlay"};
	pit_auto_conf struct pit_conf c = {0};
	const struct pit_mounts *mounts;
	const struct pit_mount *m = NULL;
	const char *driver, *data;
	int rc = load_docker(f, &c, err);

	if (rc)
		return rc;
	driver = pit_conf_get(&c, "storage-driver");
	data = pit_conf_get(&c, "data-root");
	data = data && *data == '/' ? data : "/var/lib/docker";
	name_setting(&c, DOCKER_CONF, "storage-driver", out);
	if (!pit_facts_mounts(f, &mounts, NULL))
		m = pit_mounts_find(mounts, data);
	if (m)
		pit_evidence(out, m->file, "%s lies on %s (%s)", data, m->target, m->type);
	pit_want(out, "overlay2 (or zfs, btrfs) on a local disk");
	for (size_t i = 0; i < PIT_COUNT(slow) && driver; i++)
		if (!strcmp(driver, slow[i]))
			return pit_bad(out, "storage driver %s", driver);
	if (m && pit_mount_is_network(m))
		return pit_bad(out, "%s is on a network disk (%s)", data, m->type);
	return pit_pass(out, "%s in %s", driver ? driver : "the default (overlay2)", data);
}
