/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "base/pattern.h"
#include "host/conf_files.h"
#include "host/origin.h"
#include "host/procfs.h"
#include "host/sysctl_origin.h"

static const char *const tmpfiles_dirs[] = {
	"/etc/tmpfiles.d",     "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d",
	"/usr/lib/tmpfiles.d", "/lib/tmpfiles.d", NULL,
};
static const char *const udev_dirs[] = {
	"/etc/udev/rules.d",     "/run/udev/rules.d", "/usr/local/lib/udev/rules.d",
	"/usr/lib/udev/rules.d", "/lib/udev/rules.d", NULL,
};
static const char *const modprobe_dirs[] = {
	"/etc/modprobe.d",     "/run/modprobe.d", "/usr/local/lib/modprobe.d",
	"/usr/lib/modprobe.d", "/lib/modprobe.d", NULL,
};
static const char *const sysfs_dirs[] = {"/etc/sysfs.d", NULL};

/* What tuned calls some files; patterns as in fnmatch(3). */
static const struct {
	const char *path, *section, *key;
} tuned_names[] = {
	{"/sys/kernel/mm/transparent_hugepage/enabled", "vm", "transparent_hugepages"},
	{"/sys/kernel/mm/transparent_hugepage/enabled", "vm", "transparent_hugepage"},
	{"/sys/kernel/mm/transparent_hugepage/defrag", "vm", "transparent_hugepage.defrag"},
	{"/sys/devices/system/cpu/*/scaling_governor", "cpu", "governor"},
	{"/sys/devices/system/cpu/*/energy_performance_preference", "cpu", "energy_performance_preference"},
	{"/sys/devices/system/cpu/*/energy_perf_bias", "cpu", "energy_perf_bias"},
	{"/sys/devices/system/cpu/intel_pstate/min_perf_pct", "cpu", "min_perf_pct"},
	{"/sys/devices/system/cpu/intel_pstate/max_perf_pct", "cpu", "max_perf_pct"},
	{"/sys/devices/system/cpu/intel_pstate/no_turbo", "cpu", "no_turbo"},
	{"/sys/firmware/acpi/platform_profile", "acpi", "platform_profile"},
	{"/sys/block/*/queue/read_ahead_kb", "disk", "readahead"},
	{"/sys/block/*/queue/scheduler", "disk", "elevator"},
};

static void set(struct pit_origin *o, const char *file, int line, const char *value, size_t len)
{
	snprintf(o->file, sizeof(o->file), "%s", file);
	snprintf(o->value, sizeof(o->value), "%.*s", (int)len, value);
	o->line = line;
}

/* Calls `take` for each line of the files until it returns true. */
typedef bool (*take_fn)(const char *line, const char *path, const char *file, int number, struct pit_origin *ret);

static void scan_files(struct pit_root *root, const char *const *dirs, const char *suffix, const char *path,
		       take_fn take, struct pit_origin *ret)
{
	pit_auto_strv struct pit_strv files = {0};
	struct pit_text text;
	char line[2048];

	if (pit_conf_files(root, dirs, suffix, &files))
		return;
	for (size_t i = 0; i < files.count; i++) {
		const char *at = pit_root_read(root, &text, "%s", files.item[i]) ? "" : text.data;

		for (int number = 1; pit_conf_line(&at, line, sizeof(line)); number++)
			if (*line != '#' && take(line, path, files.item[i], number, ret))
				return;
	}
}

/* "w /sys/... - - - - value": the first line for a path counts. */
static bool take_tmpfile(const char *line, const char *path, const char *file, int number, struct pit_origin *ret)
{
	char pattern[512];
	int skip = 0;
	size_t len;

	if (*line != 'w' || sscanf(line, "%*s %511s %*s %*s %*s %*s %n", pattern, &skip) != 1 || !skip)
		return false;
	if (fnmatch(pattern, path, FNM_PATHNAME) != 0)
		return false;
	line += skip;
	len = strlen(line);
	if (len > 1 && (*line == '"' || *line == '\'') && line[len - 1] == *line) {
		line++;
		len -= 2;
	}
	set(ret, file, number, line, len);
	return true;
}

/* "kernel/mm/... = value" of sysfsutils; the last line counts. */
static bool take_sysfs_conf(const char *line, const char *path, const char *file, int number, struct pit_origin *ret)
{
	const char *name = path + strlen("/sys/"), *equal = strchr(line, '=');
	size_t len = strlen(name);

	if (!equal || strncmp(line, name, len) != 0 || strcspn(line + len, "=") != strspn(line + len, " \t"))
		return false;
	equal += 1 + strspn(equal + 1, " \t");
	set(ret, file, number, equal, strlen(equal));
	return false;
}

/* True when `name` fits one of the patterns between quotes at `text`, "sd*|nvme*". */
static bool fits(const char *text, const char *name)
{
	pit_auto_strv struct pit_strv patterns = {0};
	pit_auto_free char *inside = strndup(text, strcspn(text, "\""));

	if (!inside || pit_strv_split(&patterns, inside, "|"))
		return false;
	for (size_t i = 0; i < patterns.count; i++)
		if (pit_fits(patterns.item[i], name))
			return true;
	return false;
}

/* The name of the device in `path` whose attribute is `attribute`; false when the path does not end with it. */
static bool device_of(const char *path, const char *attribute, size_t len, char *ret, size_t size)
{
	size_t whole = strlen(path), end, start;

	if (whole < len + 2 || strncmp(path + whole - len, attribute, len) != 0 || path[whole - len - 1] != '/')
		return false;
	end = whole - len - 1;
	for (start = end; start && path[start - 1] != '/';)
		start--;
	snprintf(ret, size, "%.*s", (int)(end - start), path + start);
	return true;
}

/* ATTR{queue/read_ahead_kb}="4096" for a device whose name fits KERNEL=="..."; the last rule counts. */
static bool take_udev_rule(const char *line, const char *path, const char *file, int number, struct pit_origin *ret)
{
	const char *kernel = strstr(line, "KERNEL==\""), *subsystem = strstr(line, "SUBSYSTEM==\"");
	char device[128];

	for (const char *a = strstr(line, "ATTR{"); a; a = strstr(a + 1, "ATTR{")) {
		size_t len = strcspn(a + 5, "}");
		const char *value = a + 5 + len;

		if (strncmp(value, "}=\"", 3) != 0 || !device_of(path, a + 5, len, device, sizeof(device)))
			continue;
		if (kernel && !fits(kernel + strlen("KERNEL==\""), device))
			continue;
		if (subsystem && !strncmp(path, "/sys/block/", 11) &&
		    !fits(subsystem + strlen("SUBSYSTEM==\""), "block"))
			continue;
		set(ret, file, number, value + 3, strcspn(value + 3, "\""));
	}
	return false;
}

/* "/sys/module/nvme/parameters/poll_queues" -> module "nvme" and parameter. */
static bool split_module(const char *path, char *module, char *parameter)
{
	return sscanf(path, "/sys/module/%63[^/]/parameters/%63s", module, parameter) == 2;
}

static bool same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return !*a && !*b;
}

/* "options nvme poll_queues=4"; the last line counts. */
static bool take_modprobe(const char *line, const char *path, const char *file, int number, struct pit_origin *ret)
{
	pit_auto_strv struct pit_strv words = {0};
	char module[64], parameter[64];

	if (strncmp(line, "options", 7) != 0 || !split_module(path, module, parameter) ||
	    pit_strv_split(&words, line, " \t") || words.count < 3 || !same_module(words.item[1], module))
		return false;
	for (size_t i = 2; i < words.count; i++) {
		size_t len = strlen(parameter);

		if (!strncmp(words.item[i], parameter, len) && words.item[i][len] == '=')
			set(ret, file, number, words.item[i] + len + 1, strlen(words.item[i] + len + 1));
	}
	return false;
}

static void find_cmdline(struct pit_root *root, const char *path, const char *name, char *ret, size_t size)
{
	pit_auto_strv struct pit_strv words = {0};
	char module[64], parameter[64], own[136];
	const char *value = NULL;
	struct pit_text text;

	if (pit_root_read(root, &text, "/proc/cmdline") || pit_cmdline_parse(text.data, &words))
		return;
	if (!name && split_module(path, module, parameter)) {
		snprintf(own, sizeof(own), "%s.%s", module, parameter);
		name = own;
	}
	if (name)
		value = pit_cmdline_get(&words, name);
	if (value)
		snprintf(ret, size, "%s%s%s", name, *value ? "=" : "", value);
}

static bool is_path(const char *pattern, const char *path)
{
	return !fnmatch(pattern, path, FNM_PATHNAME);
}

void pit_tuned_sysfs(struct pit_root *root, const char *path, struct pit_origin *ret)
{
	pit_tuned_find(root, "sysfs", path, is_path, ret);
	for (size_t i = 0; i < PIT_COUNT(tuned_names) && !ret->file[0]; i++)
		if (pit_fits(tuned_names[i].path, path))
			pit_tuned_find(root, tuned_names[i].section, tuned_names[i].key, NULL, ret);
}

void pit_sysfs_file(struct pit_root *root, const char *path, struct pit_origin *ret)
{
	bool device = !strncmp(path, "/sys/block/", 11) || !strncmp(path, "/sys/class/", 11) ||
		      !strncmp(path, "/sys/devices/", 13) || !strncmp(path, "/sys/bus/", 9);

	*ret = (struct pit_origin){0};
	if (!strncmp(path, "/sys/module/", 12))
		scan_files(root, modprobe_dirs, ".conf", path, take_modprobe, ret);
	if (device)
		scan_files(root, udev_dirs, ".rules", path, take_udev_rule, ret);
	scan_files(root, sysfs_dirs, ".conf", path, take_sysfs_conf, ret);
	scan_files(root, tmpfiles_dirs, ".conf", path, take_tmpfile, ret);
}

int pit_sysfs_origin(struct pit_root *root, const char *path, const char *cmdline_name, char *ret, size_t size)
{
	struct pit_origin file = {0}, tuned = {0};
	char cmdline[256] = "", line[256], value[256] = "";
	bool known;

	if (strncmp(path, "/sys/", 5) != 0)
		return -EINVAL;
	pit_sysfs_file(root, path, &file);
	pit_tuned_sysfs(root, path, &tuned);
	find_cmdline(root, path, cmdline_name, cmdline, sizeof(cmdline));
	known = !pit_root_str(root, line, sizeof(line), "%s", path);
	if (known)
		pit_bracketed(line, value, sizeof(value));
	return pit_origin_print(&file, &tuned, cmdline, known ? value : NULL, ret, size);
}
