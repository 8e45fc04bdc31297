/* SPDX-License-Identifier: MIT
 *
 * Those who set a machine up: cloud-init, kubelet, the kernel's command line.
 */
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/pattern.h"
#include "base/words.h"
#include "host/conf_files.h"
#include "host/procfs.h"
#include "host/unit.h"
#include "tune/conflict.h"

#define CLOUD "/etc/cloud"

/* True when `line` holds `word` and not only a longer word with it inside. */
static bool mentions(const char *line, const char *word)
{
	static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t len = strlen(word);

	for (const char *at = line; len && (at = strstr(at, word)); at++)
		if ((at == line || !strchr(more, at[-1])) && (!at[len] || !strchr(more, at[len])))
			return true;
	return false;
}

/* As it stands in a script: "vm.swappiness", "/proc/sys/vm/swappiness", a path under /sys. */
static bool names_it(const char *line, const struct pit_change *change)
{
	char path[512];

	if (change->cell.target == PIT_TARGET_DIRTY) /* "vm.dirty": vm.dirty_ratio, vm/dirty_bytes */
		return strstr(line, change->cell.object + strlen("vm.")) != NULL;
	if (mentions(line, change->cell.object))
		return true;
	if (change->cell.target != PIT_TARGET_SYSCTL)
		return false;
	snprintf(path, sizeof(path), "/proc/sys/%s", change->cell.object);
	for (char *p = path + strlen("/proc/sys/"); *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return mentions(line, path);
}

static void look_cloud_file(struct pit_conflicts *c, const char *file)
{
	struct pit_text text;
	char line[2048];
	const char *at;

	if (pit_root_read(c->root, &text, "%s", file))
		return;
	at = text.data;
	for (int number = 1; pit_conf_line(&at, line, sizeof(line)); number++) {
		for (size_t i = 0; *line && *line != '#' && i < c->plan->changes; i++) {
			const struct pit_change *change = &c->plan->change[i];

			if ((pit_conflict_sets(change, PIT_TARGET_SYSCTL) ||
			     pit_conflict_sets(change, PIT_TARGET_DIRTY) ||
			     pit_conflict_sets(change, PIT_TARGET_KERNEL)) &&
			    names_it(line, change))
				pit_conflict_say(
					c,
					"cloud-init is told about %s in %s:%d (%.80s): it may set it again, bootcmd at "
					"each boot, the rest on machines made from this image; take the line out",
					change->knob->id, file, number, line);
		}
	}
}

static void look_cloud(struct pit_conflicts *c)
{
	static const char *const dirs[] = {CLOUD "/cloud.cfg.d", NULL};
	pit_auto_strv struct pit_strv files = {0};

	if (!pit_root_exists(c->root, CLOUD "/cloud-init.disabled"))
		return;
	look_cloud_file(c, CLOUD "/cloud.cfg");
	c->failed |= pit_conf_files(c->root, dirs, ".cfg", &files) != 0;
	for (size_t i = 0; i < files.count; i++)
		look_cloud_file(c, files.item[i]);
}

/* What kubelet wants, see its --protect-kernel-defaults. */
static const struct {
	const char *key, *value;
} kubelet_keys[] = {
	{"vm.overcommit_memory", "1"},
	{"vm.panic_on_oom", "0"},
	{"kernel.panic", "10"},
	{"kernel.panic_on_oops", "1"},
	{"kernel.keys.root_maxkeys", "1000000"},
	{"kernel.keys.root_maxbytes", "25000000"},
};

static bool kubelet_protects(struct pit_root *root)
{
	struct pit_text text;
	char value[16];
	bool on = false;

	return !pit_root_read(root, &text, "/var/lib/kubelet/config.yaml") &&
	       !pit_kv_str(text.data, "protectKernelDefaults", value, sizeof(value)) && !pit_parse_bool(value, &on) &&
	       on;
}

static void look_kubelet(struct pit_conflicts *c, const struct pit_change *change)
{
	for (size_t i = 0; i < PIT_COUNT(kubelet_keys); i++) {
		const char *value = kubelet_keys[i].value;

		if (strcmp(change->cell.object, kubelet_keys[i].key) != 0 ||
		    pit_value_equal(PIT_VALUE_INT, change->new, value) ||
		    (pit_unit_is_active(c->root, "kubelet.service") != 1 &&
		     pit_unit_is_enabled(c->root, "kubelet.service") != 1))
			continue;
		if (kubelet_protects(c->root))
			pit_conflict_say(
				c,
				"kubelet runs with protectKernelDefaults (/var/lib/kubelet/config.yaml) and will not "
				"start when %s is not %s: leave it out",
				change->cell.object, value);
		else
			pit_conflict_say(c, "kubelet sets %s to %s when it starts, so %s will not stay: leave it out",
					 change->cell.object, value, change->new ? change->new : "its value");
	}
}

/* The command line acts before any file is read, so what starts early sees its value. */
static void look_cmdline(struct pit_conflicts *c, const struct pit_change *change)
{
	static const struct {
		const char *object, *argument;
	} early[] = {
		{"/sys/kernel/mm/transparent_hugepage/enabled", "transparent_hugepage"},
		{"/sys/devices/system/cpu/*/scaling_governor", "cpufreq.default_governor"},
	};
	pit_auto_strv struct pit_strv words = {0};
	struct pit_text text;
	const char *value;

	for (size_t i = 0; i < PIT_COUNT(early); i++) {
		if (!pit_fits(early[i].object, change->cell.object) || pit_root_read(c->root, &text, "/proc/cmdline") ||
		    pit_cmdline_parse(text.data, &words))
			continue;
		value = pit_cmdline_get(&words, early[i].argument);
		if (value && change->new &&strcmp(value, change->new) != 0)
			pit_conflict_say(
				c,
				"the kernel's command line says %s=%s (/proc/cmdline), so %s is that until the files of "
				"this plan are read at boot: take the argument out",
				early[i].argument, value, change->knob->id);
	}
}

void pit_conflict_setup(struct pit_conflicts *c)
{
	if (c->plan->persist)
		look_cloud(c);
	for (size_t i = 0; i < c->plan->changes; i++) {
		const struct pit_change *change = &c->plan->change[i];

		if (pit_conflict_sets(change, PIT_TARGET_SYSCTL))
			look_kubelet(c, change);
		if (c->plan->persist &&
		    (pit_conflict_sets(change, PIT_TARGET_SYSCTL) || pit_conflict_sets(change, PIT_TARGET_KERNEL)))
			look_cmdline(c, change);
	}
}
