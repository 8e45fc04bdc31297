/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "host/unit.h"
#include "tune/target.h"

#define SERVICE_SECONDS 120 /* systemd itself gives a service 90 to start or to stop */
#define ENABLE_SECONDS 60

static int no_unit(const struct pit_cell *cell, int rc, struct pit_error *err)
{
	if (rc == -ENOENT)
		return pit_fail(err, ENOENT, "this machine has no unit %s", cell->object);
	return pit_wrap(err, rc, "unit %s", cell->object);
}

static int give(const char *word, char **ret, struct pit_error *err)
{
	char *copy = strdup(word);

	if (!copy)
		return pit_fail(err, ENOMEM, "out of memory");
	*ret = copy;
	return 0;
}

static int read_service(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	int rc = pit_unit_is_enabled(root, cell->object);

	if (rc < 0)
		return no_unit(cell, rc, err);
	rc = pit_unit_is_active(root, cell->object);
	if (rc == -EOPNOTSUPP)
		return pit_fail(err, EOPNOTSUPP, "whether %s runs: systemd is not process 1 here", cell->object);
	if (rc < 0)
		return pit_wrap(err, rc, "whether %s runs", cell->object);
	return give(rc ? "running" : "stopped", ret, err);
}

static int write_service(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	bool run = value && !strcmp(value, "running");
	const char *const argv[] = {"systemctl", run ? "start" : "stop", "--", cell->object, NULL};

	if (!value || (!run && strcmp(value, "stopped") != 0))
		return pit_fail(err, EINVAL, "%s cannot be '%s', only running or stopped", cell->object,
				value ? value : "absent");
	if (pit_place_is_live(place) && pit_root_exists(pit_place_root(place), "/run/systemd/system"))
		return pit_fail(err, EOPNOTSUPP,
				"systemd is not process 1 here: %s %s by the means of this machine's own init",
				run ? "start" : "stop", cell->object);
	return pit_wrap(err, pit_place_command(place, argv, SERVICE_SECONDS, NULL, err), "systemctl %s %s", argv[1],
			cell->object);
}

static void shell_service(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	pit_buf_puts(out, value && !strcmp(value, "running") ? "systemctl start " : "systemctl stop ");
	pit_shell_quote(cell->object, out);
	pit_buf_putc(out, '\n');
}

/* True when the unit says itself what would start it at boot, so that it can be enabled at all. */
static bool has_install(struct pit_root *root, const char *unit)
{
	static const char *const keys[] = {"WantedBy", "RequiredBy", "UpheldBy", "Alias", "Also"};
	char value[512];

	for (size_t i = 0; i < PIT_COUNT(keys); i++)
		if (!pit_unit_get(root, unit, "Install", keys[i], value, sizeof(value), NULL, 0))
			return true;
	return false;
}

static int read_enabled(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	int rc = pit_unit_is_enabled(root, cell->object);

	if (rc < 0)
		return no_unit(cell, rc, err);
	if (pit_unit_is_masked(root, cell->object))
		return give("masked", ret, err);
	if (!has_install(root, cell->object))
		return give("static", ret, err);
	return give(rc ? "enabled" : "disabled", ret, err);
}

/* Without the hooks for SysV init, whose links systemctl would not put back as they were. */
static int systemctl(struct pit_place *place, const char *verb, const char *unit, struct pit_error *err)
{
	const char *const argv[] = {"env", "SYSTEMCTL_SKIP_SYSV=1", "systemctl", verb, "--", unit, NULL};
	int rc = pit_place_is_frozen(place, "/etc/systemd/system", err);

	/* It says that there is no such unit when it cannot write its links. */
	if (rc)
		return pit_wrap(err, rc, "systemctl %s %s", verb, unit);
	return pit_wrap(err, pit_place_command(place, argv, ENABLE_SECONDS, NULL, err), "systemctl %s %s", verb, unit);
}

static const char *verb_of(const char *state)
{
	static const struct {
		const char *state, *verb;
	} verbs[] = {{"enabled", "enable"}, {"disabled", "disable"}, {"masked", "mask"}};

	for (size_t i = 0; state && i < PIT_COUNT(verbs); i++)
		if (!strcmp(state, verbs[i].state))
			return verbs[i].verb;
	return NULL;
}

static int write_enabled(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	const char *verb = verb_of(value);
	int rc = 0;

	if (!verb)
		return pit_fail(err, EINVAL, "%s cannot be made '%s', only enabled, disabled or masked", cell->object,
				value ? value : "absent");
	if (strcmp(verb, "mask") != 0 && pit_unit_is_masked(pit_place_now(place), cell->object))
		rc = systemctl(place, "unmask", cell->object, err);
	return rc ? rc : systemctl(place, verb, cell->object, err);
}

static void shell_enabled(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	const char *verb = verb_of(value);

	if (!verb)
		return;
	if (strcmp(verb, "mask") != 0) {
		pit_buf_puts(out, "systemctl unmask ");
		pit_shell_quote(cell->object, out);
		pit_buf_putc(out, '\n');
	}
	pit_buf_printf(out, "SYSTEMCTL_SKIP_SYSV=1 systemctl %s ", verb);
	pit_shell_quote(cell->object, out);
	pit_buf_putc(out, '\n');
}

const struct pit_target pit_target_service = {
	.name = "service",
	.runtime = true,
	.read = read_service,
	.write = write_service,
	.shell = shell_service,
};

const struct pit_target pit_target_enabled = {
	.name = "enabled",
	.read = read_enabled,
	.write = write_enabled,
	.shell = shell_enabled,
};
