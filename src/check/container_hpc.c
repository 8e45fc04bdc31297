/* SPDX-License-Identifier: MIT
 *
 * Containers without a daemon: apptainer and enroot.
 */
#include <inttypes.h>
#include <string.h>

#include "check/container.h"

const char *pit_userns_obstacle(struct pit_root *root, const char *profile, struct pit_finding *out)
{
	static const struct {
		const char *path, *bad, *text;
	} switches[] = {
		{"/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces is 0"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone is 0"},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		 "kernel.apparmor_restrict_unprivileged_userns is 1"},
	};
	char value[32];

	for (size_t i = 0; i < PIT_COUNT(switches); i++) {
		if (pit_root_str(root, value, sizeof(value), "%s", switches[i].path) ||
		    strcmp(value, switches[i].bad) != 0)
			continue;
		if (strstr(switches[i].path, "apparmor") && !pit_root_exists(root, "/etc/apparmor.d/%s", profile))
			continue;
		pit_evidence(out, switches[i].path, "%s", value);
		return switches[i].text;
	}
	return NULL;
}

/* True when apptainer's helper with the set-user-ID bit is there and allowed. */
static bool has_setuid(struct pit_root *root, const char *conf)
{
	static const char *const helpers[] = {
		"/usr/libexec/apptainer/bin/starter-suid",
		"/usr/lib/x86_64-linux-gnu/apptainer/bin/starter-suid",
		"/usr/libexec/singularity/bin/starter-suid",
		"/usr/local/libexec/apptainer/bin/starter-suid",
		"/usr/local/libexec/singularity/bin/starter-suid",
	};
	char allowed[16];

	if (!pit_kv_str(conf, "allow setuid ", allowed, sizeof(allowed)) && !strncmp(allowed, "no", 2))
		return false;
	for (size_t i = 0; i < PIT_COUNT(helpers); i++)
		if (!pit_root_exists(root, "%s", helpers[i]))
			return true;
	return false;
}

int pit_container_apptainer_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				  struct pit_error *err)
{
	static const char *const places[] = {"/etc/apptainer/apptainer.conf", "/etc/singularity/singularity.conf",
					     "/usr/local/etc/apptainer/apptainer.conf"};
	struct pit_root *root = pit_facts_root(f);
	struct pit_text text = {.data = NULL};
	const char *obstacle;
	size_t i = 0;
	int rc = 0;

	for (; i < PIT_COUNT(places); i++) {
		rc = pit_root_read(root, &text, "%s", places[i]);
		if (pit_root_state(rc) != PIT_STATE_ABSENT)
			break;
	}
	if (rc)
		return pit_fail(err, -rc, "apptainer's configuration");
	pit_evidence(out, places[i], "read");
	pit_want(out, "the set-user-ID helper, or user namespaces for everybody");
	if (has_setuid(root, text.data))
		return pit_pass(out, "by its set-user-ID helper");
	obstacle = pit_userns_obstacle(root, "apptainer", out);
	return obstacle ? pit_bad(out, "%s", obstacle) : pit_pass(out, "by user namespaces");
}

/* The fixed beginning of a path such as "/raid/enroot/user-$(id -u)"; "" when it begins with a variable. */
static void fixed_part(const char *value, char *ret, size_t size)
{
	size_t len = strcspn(value, "$ \t\n");

	while (len > 1 && value[len] == '$' && value[len - 1] != '/')
		len--;
	snprintf(ret, size, "%.*s", *value == '/' ? (int)len : 0, value);
}

int pit_container_enroot_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	static const char path[] = "/etc/enroot/enroot.conf";
	struct pit_root *root = pit_facts_root(f);
	const struct pit_mounts *mounts;
	const struct pit_mount *m = NULL;
	struct pit_text text;
	const char *obstacle, *line;
	char data[256] = "";
	int rc = pit_root_read(root, &text, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_want(out, "user namespaces for everybody, ENROOT_DATA_PATH on a local disk");
	obstacle = pit_userns_obstacle(root, "enroot", out);
	if (obstacle)
		return pit_bad(out, "%s", obstacle);
	line = strncmp(text.data, "ENROOT_DATA_PATH", 16) ? strstr(text.data, "\nENROOT_DATA_PATH") : text.data;
	if (line)
		line += 16 + (*line == '\n');
	if (line)
		fixed_part(line + strspn(line, " \t="), data, sizeof(data));
	if (data[0] && !pit_facts_mounts(f, &mounts, NULL))
		m = pit_mounts_find(mounts, data);
	if (m)
		pit_evidence(out, path, "ENROOT_DATA_PATH %s lies on %s (%s)", data, m->target, m->type);
	if (m && pit_mount_is_network(m))
		return pit_bad(out, "images are unpacked to %s (%s)", data, m->type);
	return pit_pass(out, "user namespaces work%s%s", data[0] ? ", data in " : "", data);
}
