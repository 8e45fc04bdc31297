/* SPDX-License-Identifier: MIT
 *
 * Containers without a daemon: enroot.
 */
#include <inttypes.h>
#include <string.h>

#include "check/container.h"

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
	const char *line;
	char data[256] = "";
	int rc = pit_root_read(root, &text, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	pit_want(out, "ENROOT_DATA_PATH on a local disk");
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
	return pit_pass(out, "%s", data[0] ? data : "the default below the home or run directory");
}
