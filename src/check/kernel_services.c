/* SPDX-License-Identifier: MIT */
#include "check/kernel.h"

#include <string.h>

#include "check/offenders.h"
#include "host/unit.h"

int pit_apt_get(const char *text, const char *key, char *ret, size_t size)
{
	size_t len = strlen(key);
	int rc = -ENOENT;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *value;

		line += *line == '\n';
		line += strspn(line, " \t");
		if (strncmp(line, key, len) != 0 || !strchr(" \t\"", line[len]))
			continue;
		value = line + len + strspn(line + len, " \t");
		if (*value != '"')
			continue;
		value++;
		snprintf(ret, size, "%.*s", (int)strcspn(value, "\"\n"), value);
		rc = 0;
	}
	return rc;
}

/* What the files of apt.conf.d make of `key`, the last one winning. */
static int apt_setting(struct pit_root *root, const char *key, char *ret, size_t size, char *ret_file, size_t file_size)
{
	const struct pit_strv *names;
	struct pit_text text;
	int found = -ENOENT, rc = pit_root_list(root, &names, "/etc/apt/apt.conf.d");

	if (rc)
		return rc;
	for (size_t i = 0; i < names->count; i++) {
		if (pit_root_read(root, &text, "/etc/apt/apt.conf.d/%s", names->item[i]) ||
		    pit_apt_get(text.data, key, ret, size))
			continue;
		snprintf(ret_file, file_size, "/etc/apt/apt.conf.d/%s", names->item[i]);
		found = 0;
	}
	return found;
}

/* Whether unattended upgrades are told to leave the driver alone. */
static bool driver_is_held(struct pit_root *root)
{
	struct pit_text text;
	const char *list;

	if (pit_root_read(root, &text, "/etc/apt/apt.conf.d/50unattended-upgrades"))
		return false;
	list = strstr(text.data, "Unattended-Upgrade::Package-Blacklist");
	if (!list)
		return false;
	for (const char *line = strchr(list, '\n'); line && *line && !strchr("}", line[1]);
	     line = strchr(line + 1, '\n')) {
		const char *at = line + 1 + strspn(line + 1, " \t");

		if (!strncmp(at, "//", 2) || *at == '#')
			continue;
		if (memmem(at, strcspn(at, "\n"), "nvidia", 6))
			return true;
	}
	return false;
}

int pit_kernel_upgrades(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	static const char *const timers[] = {"dnf-automatic-install.timer", "dnf-automatic.timer",
					     "dnf5-automatic.timer", "yum-cron.service"};
	struct pit_root *root = pit_facts_root(facts);
	char value[32] = "", file[160] = "";

	pit_want(out, "no upgrades behind the jobs' back, or the driver held");
	for (size_t i = 0; i < PIT_COUNT(timers); i++) {
		if (pit_unit_is_enabled(root, timers[i]) != 1)
			continue;
		pit_evidence(out, timers[i], "enabled");
		pit_command(out, "systemctl disable --now %s", timers[i]);
		return pit_bad(out, "%s is enabled", timers[i]);
	}
	if (apt_setting(root, "APT::Periodic::Unattended-Upgrade", value, sizeof(value), file, sizeof(file)) ||
	    !*value || !strcmp(value, "0"))
		return pit_pass(out, "off");
	pit_evidence(out, file, "APT::Periodic::Unattended-Upgrade \"%s\"", value);
	if (pit_root_exists(root, "/usr/bin/unattended-upgrade"))
		return pit_pass(out, "asked for, not installed");
	if (!pit_unit_is_enabled(root, "apt-daily-upgrade.timer"))
		return pit_pass(out, "asked for, its timer is off");
	if (driver_is_held(root))
		return pit_pass(out, "on, the NVIDIA packages are left out");
	pit_command(out, "systemctl disable --now apt-daily-upgrade.timer");
	return pit_bad(out, "unattended-upgrades is on");
}

int pit_kernel_timers(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	static const char *const timers[] = {"plocate-updatedb.timer", "mlocate-updatedb.timer", "updatedb.timer",
					     "fwupd-refresh.timer", "apt-daily-upgrade.timer"};
	struct pit_offenders on = {0};

	for (size_t i = 0; i < PIT_COUNT(timers); i++) {
		if (pit_unit_is_enabled(pit_facts_root(facts), timers[i]) != 1)
			continue;
		pit_offenders_add(&on, "%s", timers[i]);
		pit_evidence(out, timers[i], "enabled");
	}
	pit_want(out, "no periodic work that reads disks or changes packages");
	if (on.count)
		return pit_bad(out, "%s", pit_offenders_text(&on));
	return pit_pass(out, "none enabled");
}

int pit_kernel_tuned(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		     struct pit_error *err)
{
	static const char *const slow[] = {
		"balanced",          "balanced-battery",         "powersave",          "desktop",
		"desktop-powersave", "laptop-battery-powersave", "laptop-ac-powersave"};
	const char *path = "/etc/tuned/active_profile";
	char profile[128] = "";

	if (!pit_facts_process(facts, "tuned"))
		return pit_pass(out, "tuned does not run");
	pit_want(out, "a profile for throughput");
	(void)pit_root_str(pit_facts_root(facts), profile, sizeof(profile), "%s", path);
	pit_evidence(out, path, "%s", *profile ? profile : "no profile");
	if (!*profile)
		return pit_bad(out, "tuned runs without a profile");
	for (size_t i = 0; i < PIT_COUNT(slow); i++)
		if (!strcmp(profile, slow[i]))
			return pit_bad(out, "%s", profile);
	return pit_pass(out, "%s", profile);
}

/* Programs that each set governor, energy preference and the like for the whole machine. */
static const struct {
	const char *name, *comm, *unit;
} tuners[] = {
	{.name = "tuned", .comm = "tuned", .unit = "tuned.service"},
	{.name = "power-profiles-daemon", .comm = "power-profiles-", .unit = "power-profiles-daemon.service"},
	{.name = "TLP", .unit = "tlp.service"},
	{.name = "cpupower", .unit = "cpupower.service"},
	{.name = "cpufrequtils", .unit = "cpufrequtils.service"},
	{.name = "auto-cpufreq", .comm = "auto-cpufreq", .unit = "auto-cpufreq.service"},
	{.name = "laptop-mode", .unit = "laptop-mode.service"},
	{.name = "ondemand", .unit = "ondemand.service"},
};

int pit_kernel_tuners(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct pit_offenders found = {0};

	for (size_t i = 0; i < PIT_COUNT(tuners); i++) {
		bool running = tuners[i].comm && pit_facts_process(facts, tuners[i].comm);

		if (!running && pit_unit_is_enabled(pit_facts_root(facts), tuners[i].unit) != 1)
			continue;
		pit_offenders_add(&found, "%s", tuners[i].name);
		pit_evidence(out, tuners[i].unit, running ? "runs" : "enabled");
	}
	pit_want(out, "at most one");
	if (found.count > 1)
		return pit_bad(out, "%s", pit_offenders_text(&found));
	return pit_pass(out, "%s", found.count ? pit_offenders_text(&found) : "none");
}

int pit_kernel_journal(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	static const char *const kept[] = {"/var/log/journal", "/var/log/kern.log", "/var/log/syslog",
					   "/var/log/messages"};
	const char *path = "/etc/systemd/journald.conf";
	struct pit_root *root = pit_facts_root(facts);
	char storage[32] = "auto";
	struct pit_text text;

	if (pit_root_exists(root, "/run/systemd/system"))
		return pit_skip(out, "not run by systemd");
	if (!pit_root_read(root, &text, "%s", path))
		(void)pit_ini_get(text.data, "Journal", "Storage", storage, sizeof(storage), NULL);
	pit_want(out, "logs that survive a reboot");
	pit_evidence(out, path, "Storage=%s", storage);
	for (size_t i = 0; i < PIT_COUNT(kept); i++) {
		bool journal = !i;

		if (pit_root_exists(root, "%s", kept[i]) ||
		    (journal && (!strcmp(storage, "volatile") || !strcmp(storage, "none"))))
			continue;
		pit_evidence(out, kept[i], "exists");
		return pit_pass(out, "kept in %s", kept[i]);
	}
	if (!strcmp(storage, "persistent"))
		return pit_pass(out, "persistent");
	return pit_bad(out, "logs are lost at reboot");
}
