/* SPDX-License-Identifier: MIT */
#include "check/kube_conf.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/parse.h"

#define TEXT_MAX (1u << 20)

/* Where kubeadm, the EKS images, Bottlerocket and GKE put it. */
static const char *const places[] = {
	"/var/lib/kubelet/config.yaml",
	"/etc/kubernetes/kubelet/config.json",
	"/etc/kubernetes/kubelet/kubelet-config.json",
	"/etc/kubernetes/kubelet/config",
	"/etc/kubernetes/kubelet-config.yaml",
	"/home/kubernetes/kubelet-config.yaml",
};

void pit_kube_free(struct pit_kube *k)
{
	pit_conf_free(&k->conf);
	k->path[0] = '\0';
}

/* "cpu-manager-policy" -> "cpuManagerPolicy". */
static void flag_to_key(const char *flag, size_t len, char *ret, size_t size)
{
	static const struct {
		const char *flag, *key;
	} odd[] = {
		{"cpu-cfs-quota", "cpuCFSQuota"},
		{"cpu-cfs-quota-period", "cpuCFSQuotaPeriod"},
		{"pod-max-pids", "podPidsLimit"},
		{"reserved-cpus", "reservedSystemCPUs"},
		{"image-gc-high-threshold", "imageGCHighThresholdPercent"},
		{"image-gc-low-threshold", "imageGCLowThresholdPercent"},
	};
	size_t n = 0;

	for (size_t i = 0; i < PIT_COUNT(odd); i++) {
		if (strlen(odd[i].flag) == len && !strncmp(odd[i].flag, flag, len)) {
			snprintf(ret, size, "%s", odd[i].key);
			return;
		}
	}
	for (size_t i = 0; i < len && n + 1 < size; i++)
		ret[n++] = flag[i] == '-' && i + 1 < len ? (char)toupper((unsigned char)flag[++i]) : flag[i];
	ret[n] = '\0';
}

/* "a=b,c=d" or "a<b,c<d" below `key`; anything else is the value itself. */
static int add_flag(struct pit_conf *ret, const char *key, const char *value)
{
	pit_auto_strv struct pit_strv items = {0};
	int rc = pit_conf_add(ret, key, value, strlen(value), 0);

	if (!rc)
		rc = pit_strv_split(&items, value, ",");
	for (size_t i = 0; i < items.count && !rc; i++) {
		size_t name = strcspn(items.item[i], "=<");
		char path[256];

		if (!items.item[i][name])
			continue;
		snprintf(path, sizeof(path), "%s/%.*s", key, (int)name, items.item[i]);
		rc = pit_conf_add(ret, path, items.item[i] + name + 1, strlen(items.item[i] + name + 1), 0);
	}
	return rc;
}

int pit_kube_parse_flags(const char *words, size_t len, struct pit_conf *ret)
{
	int rc = 0;

	for (size_t at = 0; at < len && !rc;) {
		const char *word = words + at, *value = NULL;
		size_t n = strcspn(word, "=");
		char key[128];

		at += strlen(word) + 1;
		if (strncmp(word, "--", 2) != 0)
			continue;
		if (word[n])
			value = word + n + 1;
		else if (at < len && strncmp(words + at, "--", 2) != 0)
			value = words + at;
		flag_to_key(word + 2, n - 2, key, sizeof(key));
		rc = add_flag(ret, key, value ? value : "true");
	}
	return rc;
}

int pit_kube_quantity(const char *text, uint64_t *ret_bytes)
{
	static const struct {
		const char *suffix;
		double factor;
	} suffixes[] = {
		{"", 1},     {"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50},
		{"m", 1e-3}, {"k", 1e3},     {"M", 1e6},     {"G", 1e9},     {"T", 1e12},    {"P", 1e15},
	};
	char number[32];
	size_t len = strspn(text, "0123456789.");
	double value;

	if (!len || len >= sizeof(number))
		return -EINVAL;
	snprintf(number, sizeof(number), "%.*s", (int)len, text);
	if (pit_parse_double(number, &value))
		return -EINVAL;
	for (size_t i = 0; i < PIT_COUNT(suffixes); i++) {
		if (strcmp(text + len, suffixes[i].suffix) != 0)
			continue;
		value *= suffixes[i].factor;
		if (!(value < 0x1p63))
			return -ERANGE;
		*ret_bytes = (uint64_t)(value + 0.5);
		return 0;
	}
	return -EINVAL;
}

static int load_file(struct pit_root *root, const char *path, struct pit_kube *ret, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(root, &text, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	if (text.len > TEXT_MAX)
		return pit_fail(err, EFBIG, "%s: too long", path);
	return pit_wrap(err, pit_conf_yaml_or_json(text.data, &ret->conf, err), "%s", path);
}

int pit_kube_load(struct pit_facts *f, struct pit_kube *ret, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(f);
	pit_auto_conf struct pit_conf flags = {0};
	const struct pit_proc *kubelet = pit_facts_process(f, "kubelet");
	struct pit_text words = {.data = "", .len = 0};
	const char *path;
	int rc = 0;

	ret->pid = kubelet ? kubelet->pid : 0;
	if (ret->pid && !pit_root_read(root, &words, "/proc/%d/cmdline", ret->pid))
		rc = pit_kube_parse_flags(words.data, words.len, &flags);
	if (rc)
		return pit_fail(err, -rc, "flags of the kubelet");
	path = pit_conf_get(&flags, "config");
	for (size_t i = 0; i < PIT_COUNT(places) && !path; i++)
		if (!pit_root_exists(root, "%s", places[i]))
			path = places[i];
	if (!path && !flags.count)
		return pit_fail(err, ENOENT, "the kubelet's configuration file");
	if (path)
		rc = load_file(root, path, ret, err);
	if (!rc && words.len)
		rc = pit_kube_parse_flags(words.data, words.len, &ret->conf);
	return rc;
}
