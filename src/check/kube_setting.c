/* SPDX-License-Identifier: MIT
 *
 * Rows about the kubelet's configuration alone, or against one reading of the machine.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/words.h"
#include "base/parse.h"
#include "check/kube.h"
#include "check/offenders.h"

const char *pit_kube_value(const struct pit_kube *k, const char *key, const char *unset, struct pit_finding *out)
{
	const struct pit_conf_entry *e = pit_conf_find(&k->conf, key);
	const char *path = k->path[0] ? k->path : "flags of the kubelet";

	if (!e) {
		pit_evidence(out, path, "%s is not set (default %s)", key, unset);
		return unset;
	}
	pit_evidence(out, path, "%s: %s", key, e->value);
	if (e->line)
		pit_origin(out, "%s:%d", path, e->line);
	return e->value;
}

int pit_kube_setting_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			   struct pit_error *err)
{
	const struct pit_kube_setting *s = row->arg;
	pit_auto_kube struct pit_kube k = {0};
	const char *value;
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	pit_want(out, strchr(s->want, ' ') ? "one of: %s" : "%s", s->want);
	value = pit_kube_value(&k, s->key, s->unset, out);
	return pit_words_have_in_any_case(s->want, " ", value) ? pit_pass(out, "%s", value) : pit_bad(out, "%s", value);
}

int pit_kube_cfs_quota_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	const char *quota, *policy;
	bool on = true;
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	quota = pit_kube_value(&k, "cpuCFSQuota", "true", out);
	policy = pit_kube_value(&k, "cpuManagerPolicy", "none", out);
	if (pit_parse_bool(quota, &on))
		return pit_fail(err, EBADMSG, "cpuCFSQuota: %s", quota);
	pit_want(out, "cpuCFSQuota: false, or cpuManagerPolicy: static");
	if (!on || !strcmp(policy, "static"))
		return pit_pass(out, "cpuCFSQuota: %s, CPU manager %s", quota, policy);
	return pit_bad(out, "CPU limits throttle, no exclusive CPUs");
}

/* SystemdCgroup of the runc or nvidia runtime of containerd: 1, 0, -1 not known. */
static int containerd_driver(struct pit_root *root, struct pit_finding *out)
{
	static const char path[] = "/etc/containerd/config.toml";
	pit_auto_conf struct pit_conf conf = {0};
	struct pit_text text;

	if (pit_root_read(root, &text, path) || text.len > 1 << 20 || pit_conf_toml(text.data, &conf, NULL))
		return -1;
	for (size_t i = 0; i < conf.count; i++) {
		const char *name = strrchr(conf.item[i].key, '/');

		if (!name || strcmp(name, "/SystemdCgroup") != 0)
			continue;
		pit_evidence(out, path, "SystemdCgroup = %s", conf.item[i].value);
		return !strcmp(conf.item[i].value, "true");
	}
	return -1;
}

int pit_kube_cgroup_driver_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				 struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	struct pit_root *root = pit_facts_root(f);
	const char *driver;
	int runtime, rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	driver = pit_kube_value(&k, "cgroupDriver", "cgroupfs", out);
	runtime = containerd_driver(root, out);
	pit_want(out, "systemd, for kubelet and container runtime");
	if (runtime >= 0 && runtime != !strcmp(driver, "systemd"))
		return pit_judge(out, PIT_FAIL, PIT_RISK, "kubelet %s, containerd %s", driver,
				 runtime ? "systemd" : "cgroupfs");
	if (!strcmp(driver, "systemd"))
		return pit_pass(out, "systemd");
	if (pit_root_exists(root, "/run/systemd/system"))
		return pit_pass(out, "%s, and no systemd here", driver);
	return pit_bad(out, "%s on a host with systemd", driver);
}

/* A threshold of evictionHard: "10%" or a quantity, in percent of `total`. 0, -ENOENT not set, -EBADMSG. */
static int threshold(const struct pit_kube *k, const char *signal, const char **ret_text, double *ret_percent,
		     uint64_t *ret_bytes)
{
	char key[96], number[32];
	const char *text;
	size_t len;

	snprintf(key, sizeof(key), "evictionHard/%s", signal);
	text = pit_conf_get(&k->conf, key);
	if (!text)
		return -ENOENT;
	*ret_text = text;
	*ret_percent = -1;
	len = strlen(text);
	if (!len || text[len - 1] != '%')
		return pit_kube_quantity(text, ret_bytes) ? -EBADMSG : 0;
	snprintf(number, sizeof(number), "%.*s", (int)(len - 1), text);
	return pit_parse_double(number, ret_percent) ? -EBADMSG : 0;
}

int pit_kube_eviction_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			    struct pit_error *err)
{
	static const char *const signals[] = {"memory.available", "nodefs.available", "imagefs.available"};
	pit_auto_kube struct pit_kube k = {0};
	struct pit_offenders p = {0};
	bool merged;
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	pit_want(out, "thresholds above 0 for %s, %s and %s", signals[0], signals[1], signals[2]);
	if (!pit_conf_has(&k.conf, "evictionHard"))
		return pit_pass(out, "defaults: 100Mi of memory, 10%% of disk");
	merged = pit_conf_get(&k.conf, "mergeDefaultEvictionSettings") &&
		 !strcmp(pit_conf_get(&k.conf, "mergeDefaultEvictionSettings"), "true");
	for (size_t i = 0; i < PIT_COUNT(signals); i++) {
		const char *text;
		uint64_t bytes = 0;
		double percent;

		rc = threshold(&k, signals[i], &text, &percent, &bytes);
		if (rc == -EBADMSG)
			pit_problem(&p, out, k.path, "%s: %s is no threshold", signals[i], text);
		else if (rc == -ENOENT && !merged)
			pit_problem(&p, out, k.path, "%s has none", signals[i]);
		else if (!rc && percent <= 0 && !bytes)
			pit_problem(&p, out, k.path, "%s: %s turns it off", signals[i], text);
	}
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "set for memory and disks");
}

int pit_kube_hugepages_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	const unsigned share = 10; /* percent of memory; below it the error hides in the usual reserves */
	pit_auto_kube struct pit_kube k = {0};
	struct pit_text meminfo;
	uint64_t total, pages, size, bytes = 100 << 20;
	const char *text = "100Mi";
	double percent = -1;
	int rc = pit_kube_load(f, &k, err);

	if (!rc)
		rc = pit_root_read(pit_facts_root(f), &meminfo, "/proc/meminfo");
	if (!rc)
		rc = pit_kv_u64(meminfo.data, "MemTotal", &total);
	if (rc || pit_kv_u64(meminfo.data, "HugePages_Total", &pages) ||
	    pit_kv_u64(meminfo.data, "Hugepagesize", &size))
		return rc ? rc : pit_skip(out, "this kernel has no huge page pool");
	pit_evidence(out, "/proc/meminfo", "HugePages_Total %" PRIu64 " of %" PRIu64 " kB, MemTotal %" PRIu64 " kB",
		     pages, size, total);
	if (pages > total / (size ? size : 1))
		return pit_fail(err, EBADMSG, "more huge pages than memory in /proc/meminfo");
	if (threshold(&k, "memory.available", &text, &percent, &bytes) == -EBADMSG)
		return pit_fail(err, EBADMSG, "evictionHard memory.available: %s", text);
	pit_want(out, "evictionHard memory.available above the reserved %" PRIu64 " MiB", pages * size / 1024);
	if (pages * size * 100 <= total * share)
		return pit_pass(out, "%" PRIu64 " MiB reserved", pages * size / 1024);
	if (percent >= 0 ? percent / 100 * (double)total > (double)(pages * size) : bytes / 1024 > pages * size)
		return pit_pass(out, "eviction at %s covers %" PRIu64 " MiB", text, pages * size / 1024);
	return pit_bad(out, "%" PRIu64 " MiB of huge pages, eviction at %s", pages * size / 1024, text);
}

int pit_kube_image_gc_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			    struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	const char *high, *low, *text;
	uint64_t high_percent, low_percent, bytes;
	double keep = 15; /* the default of imagefs.available */
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	high = pit_kube_value(&k, "imageGCHighThresholdPercent", "85", out);
	low = pit_kube_value(&k, "imageGCLowThresholdPercent", "80", out);
	if (pit_parse_u64(high, &high_percent) || pit_parse_u64(low, &low_percent))
		return pit_fail(err, EBADMSG, "image GC thresholds %s and %s", high, low);
	if (threshold(&k, "imagefs.available", &text, &keep, &bytes) || keep < 0)
		keep = 15;
	pit_want(out, "low below high, high at most %.0f%%", 100 - keep);
	if (low_percent >= high_percent)
		return pit_bad(out, "low threshold %s%% is not below high %s%%", low, high);
	if ((double)high_percent > 100 - keep)
		return pit_bad(out, "images are collected at %s%%, pods evicted at %.0f%%", high, 100 - keep);
	return pit_pass(out, "collects from %s%% down to %s%%", high, low);
}

int pit_kube_swap_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	struct pit_text meminfo;
	const char *fail_on, *behaviour;
	uint64_t swap;
	int rc = pit_kube_load(f, &k, err);

	if (!rc)
		rc = pit_root_read(pit_facts_root(f), &meminfo, "/proc/meminfo");
	if (!rc)
		rc = pit_kv_u64(meminfo.data, "SwapTotal", &swap);
	if (rc)
		return pit_wrap(err, rc, "swap");
	pit_evidence(out, "/proc/meminfo", "SwapTotal %" PRIu64 " kB", swap);
	if (!swap)
		return pit_pass(out, "no swap");
	fail_on = pit_kube_value(&k, "failSwapOn", "true", out);
	behaviour = pit_kube_value(&k, "memorySwap/swapBehavior", "NoSwap", out);
	pit_want(out, "no swap, or failSwapOn: false with swapBehavior: NoSwap");
	if (strcasecmp(fail_on, "false") != 0)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "swap is on, and the kubelet does not start with it");
	if (!strcasecmp(behaviour, "NoSwap") || !*behaviour)
		return pit_pass(out, "swap is on, pods do not use it");
	return pit_bad(out, "pods may swap (%s)", behaviour);
}

int pit_kube_pids_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			struct pit_error *err)
{
	const int64_t least = 4096;
	pit_auto_kube struct pit_kube k = {0};
	const char *value;
	int64_t limit;
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	value = pit_kube_value(&k, "podPidsLimit", "-1", out);
	if (pit_parse_i64(value, &limit))
		return pit_fail(err, EBADMSG, "podPidsLimit: %s", value);
	pit_want(out, "at least %" PRId64, least);
	if (limit < 0)
		return pit_judge(out, PIT_WARN, PIT_STYLE, "no limit on the processes of a pod");
	return limit < least ? pit_bad(out, "%s", value) : pit_pass(out, "%s", value);
}
