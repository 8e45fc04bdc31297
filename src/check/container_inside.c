/* SPDX-License-Identifier: MIT
 *
 * What a container gives to those inside of it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/container.h"
#include "check/offenders.h"

int pit_container_runtime_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				struct pit_error *err)
{
	static const char *const known[] = {"docker",    "podman", "kubernetes",     "lxc",
					    "apptainer", "enroot", "systemd-nspawn", "wsl"};
	static const char *const layers[] = {"/docker/", "/containerd/", "/containers/storage/", "/overlay2/"};
	const struct pit_platform *platform;
	const struct pit_mounts *mounts;
	const struct pit_mount *slash = NULL;
	int rc = pit_facts_platform(f, &platform, err);

	if (rc)
		return rc;
	pit_want(out, "no container, or a known engine");
	for (size_t i = 0; i < PIT_COUNT(known); i++)
		if (!strcmp(platform->container, known[i]))
			return pit_pass(out, "%s", platform->container);
	if (platform->container[0])
		return pit_bad(out, "an engine named '%s'", platform->container);
	if (!pit_facts_mounts(f, &mounts, NULL))
		slash = pit_mounts_find(mounts, "/");
	for (size_t i = 0; i < PIT_COUNT(layers) && slash; i++) {
		if (strcmp(slash->type, "overlay") != 0 || !strstr(slash->super_options, layers[i]))
			continue;
		pit_evidence(out, slash->file, "/ is an overlay over %s", layers[i]);
		return pit_bad(out, "a container without a name");
	}
	return pit_pass(out, "no container");
}

/* One line of /proc/self/status, hexadecimal or decimal. */
static int status_number(struct pit_facts *f, const char *key, bool hex, uint64_t *ret, struct pit_error *err)
{
	struct pit_text text;
	char value[64];
	int rc = pit_root_read(pit_facts_root(f), &text, "/proc/self/status");

	if (!rc)
		rc = pit_kv_str(text.data, key, value, sizeof(value));
	if (!rc && (hex ? pit_parse_hex(value, ret) : pit_parse_u64(value, ret)))
		rc = -EBADMSG;
	return rc ? pit_fail(err, -rc, "%s in /proc/self/status", key) : 0;
}

/* Capabilities count for no more than what belongs to the user namespace; that of the host maps each id to itself. */
static bool is_in_own_userns(struct pit_facts *f, struct pit_finding *out)
{
	const char *path = "/proc/self/uid_map";
	unsigned long long inside, outside, count;
	struct pit_text text;

	if (pit_root_read(pit_facts_root(f), &text, "%s", path) ||
	    sscanf(text.data, "%llu %llu %llu", &inside, &outside, &count) != 3 ||
	    (!inside && !outside && count >= UINT32_MAX))
		return false;
	pit_evidence(out, path, "%llu user ids from %llu are those from %llu outside: a user namespace of its own",
		     count, inside, outside);
	return true;
}

int pit_container_privileged_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				   struct pit_error *err)
{
	uint64_t caps, last;
	bool all;
	int rc = status_number(f, "CapEff", true, &caps, err);

	if (rc)
		return rc;
	if (pit_root_u64(pit_facts_root(f), &last, "/proc/sys/kernel/cap_last_cap") || last > 62)
		last = 36;
	pit_evidence(out, "/proc/self/status", "CapEff %016" PRIx64 " of capabilities 0 to %" PRIu64, caps, last);
	pit_want(out, "the capabilities that the job needs");
	all = (caps & ((UINT64_C(2) << last) - 1)) == (UINT64_C(2) << last) - 1;
	if (all && is_in_own_userns(f, out))
		return pit_pass(out, "all capabilities, but of a user namespace only");
	if (all)
		return pit_bad(out, "all capabilities: a privileged container");
	return pit_pass(out, "%d capabilities", __builtin_popcountll(caps));
}

int pit_container_cgroup_version_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				       struct pit_error *err)
{
	const struct pit_mounts *mounts;
	const struct pit_mount *m;
	bool hybrid = false;
	int rc = pit_facts_mounts(f, &mounts, err);

	if (rc)
		return rc;
	m = pit_mounts_find(mounts, "/sys/fs/cgroup");
	for (size_t i = 0; i < mounts->count; i++)
		hybrid |= !strcmp(mounts->item[i].target, "/sys/fs/cgroup/unified");
	if (!m || strncmp(m->target, "/sys/fs/cgroup", 14) != 0)
		return pit_skip(out, "no control groups are mounted here");
	pit_evidence(out, m->file, "%s of type %s", m->target, m->type);
	pit_want(out, "version 2");
	if (!pit_root_exists(pit_facts_root(f), "/run/systemd/system"))
		pit_remedy(out, "Boot with systemd.unified_cgroup_hierarchy=1.");
	return !strcmp(m->type, "cgroup2") ? pit_pass(out, "version 2")
					   : pit_bad(out, hybrid ? "hybrid of versions 1 and 2" : "version 1");
}

int pit_container_pids_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	const uint64_t least = 4096;
	struct pit_root *root = pit_facts_root(f);
	const struct pit_cgroup *g;
	uint64_t most, now = 0;
	char file[512] = "", dir[512];
	bool v2;
	int rc = pit_facts_cgroup(f, &g, err);

	if (rc)
		return rc;
	rc = pit_cgroup_limit(root, g, "pids", "pids.max", "pids.max", &most, file, sizeof(file));
	if (rc)
		return pit_fail(err, -rc, "pids.max of this container");
	if (!pit_cgroup_dir(g, "pids", dir, sizeof(dir), &v2))
		(void)pit_root_u64(root, &now, "%s/pids.current", dir);
	pit_want(out, "%" PRIu64 " or more", least);
	if (most == UINT64_MAX)
		return pit_pass(out, "no limit");
	pit_evidence(out, file, "%" PRIu64 ", %" PRIu64 " in use", most, now);
	if (now > most / 10 * 8)
		return pit_judge(out, PIT_WARN, PIT_HURTING, "%" PRIu64 " of %" PRIu64 " in use", now, most);
	return most < least ? pit_bad(out, "%" PRIu64, most) : pit_pass(out, "%" PRIu64, most);
}

int pit_container_userns_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	const uint64_t usual = 65536; /* what images expect: users to 65534 */
	pit_auto_strv struct pit_strv words = {0};
	struct pit_text text;
	uint64_t first = 0, outside = 0, count, total = 0;
	int rc = pit_root_read(pit_facts_root(f), &text, "/proc/self/uid_map");

	if (!rc)
		rc = pit_strv_split(&words, text.data, " \t\n");
	if (rc)
		return pit_fail(err, -rc, "/proc/self/uid_map");
	for (size_t i = 0; i + 2 < words.count; i += 3) {
		if (pit_parse_u64(words.item[i], &first) || pit_parse_u64(words.item[i + 1], &outside) ||
		    pit_parse_u64(words.item[i + 2], &count))
			return pit_fail(err, EBADMSG, "/proc/self/uid_map");
		total += count;
	}
	if (!total)
		return pit_fail(err, EBADMSG, "/proc/self/uid_map is empty");
	pit_evidence(out, "/proc/self/uid_map", "%" PRIu64 " user ids; the last range begins at %" PRIu64 " outside",
		     total, outside);
	pit_want(out, "%" PRIu64 " user ids or more", usual);
	if (total < usual)
		return pit_bad(out, "only %" PRIu64 " user id%s mapped", total, total == 1 ? " is" : "s are");
	return pit_pass(out, first == outside ? "the host's user ids" : "shifted user ids");
}

int pit_container_init_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	const struct pit_procs *procs;
	const struct pit_proc *init;
	size_t zombies = 0;
	int rc = pit_facts_procs(f, &procs, err);

	if (rc)
		return rc;
	init = pit_procs_find(procs, 1);
	if (!init)
		return pit_skip(out, "process 1 is not seen here");
	for (size_t i = 0; i < procs->count; i++)
		zombies += procs->item[i].state == 'Z' && procs->item[i].ppid == 1;
	pit_evidence(out, "/proc/1/stat", "process 1 is %s; %zu zombies are its children", init->comm, zombies);
	pit_want(out, "a process 1 that reaps its children");
	return zombies ? pit_bad(out, "%zu zombie%s of process 1 (%s)", zombies, zombies == 1 ? "" : "s", init->comm)
		       : pit_pass(out, "process 1 is %s", init->comm);
}

int pit_container_sys_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			    struct pit_error *err)
{
	const struct pit_mounts *mounts;
	const struct pit_mount *sys;
	int rc = pit_facts_mounts(f, &mounts, err);

	if (rc)
		return rc;
	sys = pit_mounts_find(mounts, "/sys");
	pit_want(out, "sysfs at /sys, with the nodes and PCI devices");
	if (!sys || strcmp(sys->target, "/sys") != 0 || strcmp(sys->type, "sysfs") != 0)
		return pit_bad(out, "no sysfs at /sys");
	pit_evidence(out, sys->file, "/sys %s", sys->options);
	if (pit_root_exists(pit_facts_root(f), "/sys/devices/system/cpu") == -ENOENT)
		return pit_bad(out, "/sys has no CPUs: parts of it are hidden");
	return pit_pass(out,
			pit_mount_option(sys, "ro", NULL) ? "there, read-only: tune from the host" : "there, writable");
}

static size_t count_gpu_files(const struct pit_strv *dev)
{
	size_t count = 0;

	for (size_t i = 0; i < dev->count; i++)
		count += !strncmp(dev->item[i], "nvidia", 6) && dev->item[i][6] &&
			 strspn(dev->item[i] + 6, "0123456789") == strlen(dev->item[i] + 6);
	return count;
}

/* The devices controller of cgroup v1 tells what may be opened; that of v2 is a program and tells nothing. */
static bool is_refused(struct pit_facts *f, struct pit_finding *out)
{
	const struct pit_cgroup *g;
	struct pit_text text;
	char dir[512];
	bool v2;

	if (pit_facts_cgroup(f, &g, NULL) || pit_cgroup_dir(g, "devices", dir, sizeof(dir), &v2) || v2 ||
	    pit_root_read(pit_facts_root(f), &text, "%s/devices.list", dir))
		return false;
	if (strstr(text.data, "a *:*") || strstr(text.data, "c 195:"))
		return false;
	pit_evidence(out, "devices.list", "no c 195:* rw");
	return true;
}

int pit_container_nvidia_devices_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				       struct pit_error *err)
{
	static const char *const others[] = {"/dev/nvidiactl", "/dev/nvidia-uvm"};
	struct pit_offenders p = {0};
	const struct pit_strv *dev;
	size_t count;
	int rc = pit_root_list(pit_facts_root(f), &dev, "/dev");

	if (rc)
		return pit_fail(err, -rc, "/dev");
	count = count_gpu_files(dev);
	if (!count && !pit_strv_has(dev, "nvidiactl"))
		return pit_skip(out, "no NVIDIA device files in this container");
	pit_want(out, "/dev/nvidiaN, nvidiactl and nvidia-uvm, all permitted");
	if (!count)
		pit_problem(&p, out, "/dev", "nvidiactl without any GPU");
	for (size_t i = 0; i < PIT_COUNT(others); i++)
		if (!pit_strv_has(dev, others[i] + 5))
			pit_problem(&p, out, "/dev", "no %s", others[i]);
	if (is_refused(f, out))
		pit_problem(&p, out, "devices.list", "the control group refuses them");
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "%zu GPU files", count);
}
