/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/path.h"
#include "base/words.h"
#include "host/unit.h"
#include "tune/resolve.h"

/* What a setting asks for: "running", "stopped", and for the next boots "enabled", "disabled", "masked". */
struct asked {
	const char *run, *boot; /* NULL: not said */
};

static int parse(const struct pit_setting *s, struct asked *ret, struct pit_error *err)
{
	static const char *const boot[] = {"enabled", "disabled", "masked"};
	pit_auto_strv struct pit_strv words = {0};
	struct asked a = {0};

	if (pit_strv_split(&words, s->value, " \t,"))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < words.count; i++) {
		const char *known = NULL;

		for (size_t k = 0; k < PIT_COUNT(boot); k++)
			known = strcmp(words.item[i], boot[k]) ? known : boot[k];
		if (known && !a.boot)
			a.boot = known;
		else if (!a.run && !strcmp(words.item[i], "running"))
			a.run = "running";
		else if (!a.run && !strcmp(words.item[i], "stopped"))
			a.run = "stopped";
		else
			return pit_fail(err, EINVAL, "%s = %s: say running or stopped", s->knob->id, s->value);
	}
	if (!a.run && !a.boot)
		return pit_fail(err, EINVAL, "%s has no value: say running or stopped", s->knob->id);
	if (a.run && !a.boot)
		a.boot = !strcmp(a.run, "running") ? "enabled" : "disabled";
	*ret = a;
	return 0;
}

/* The row's object, or what follows "service." in its id, as the name of a unit. */
static void unit_of(const struct pit_knob *knob, char *ret, size_t size)
{
	const char *name = knob->object ? knob->object : knob->id;

	if (!strncmp(name, "service.", 8))
		name += 8;
	snprintf(ret, size, "%s%s", name, strchr(name, '.') ? "" : ".service");
}

static int want_state(struct pit_root *root, const char *unit, bool masked, const char *state, struct pit_wishes *ret)
{
	PIT_CLEANUP(pit_cell_free) struct pit_cell cell = {0};
	int rc = pit_cell_set(&cell, PIT_TARGET_SERVICE, PIT_VALUE_TEXT, "%s", unit);

	if (!rc && pit_root_exists(root, "/run/systemd/system") == -ENOENT)
		rc = pit_wish_refuse(ret, &cell, "systemd is not process 1 here; see to %s by this machine's own init",
				     unit);
	else if (!rc && masked && !strcmp(state, "running"))
		rc = pit_wish_refuse(ret, &cell,
				     "%s is masked, so somebody wants it never to run: systemctl unmask it "
				     "if that is over",
				     unit);
	else if (!rc)
		rc = pit_wish_add(ret, &cell, state);
	return rc;
}

/* True when `dir`, such as "multi-user.target.wants", is what enabling the unit would make: it cannot be put back
 * otherwise. */
static bool is_own_link(struct pit_root *root, const char *unit, const char *dir)
{
	const char *dot = strrchr(dir, '.');
	const char *key = !strcmp(dot, ".wants") ? "WantedBy" : "RequiredBy";
	pit_auto_free char *target = strndup(dir, (size_t)(dot - dir));
	char value[1024];

	return target && !pit_unit_get(root, unit, "Install", key, value, sizeof(value), NULL, 0) &&
	       pit_words_have(value, " \t", target);
}

/* A link in /etc that an admin made by hand: "systemctl enable" would not bring it back. */
static bool has_foreign_link(struct pit_root *root, const char *unit, char *ret, size_t size)
{
	static const char etc[] = "/etc/systemd/system";
	const struct pit_strv *dirs, *links;

	if (pit_root_list(root, &dirs, etc))
		return false;
	for (size_t i = 0; i < dirs->count; i++) {
		const char *dir = dirs->item[i];

		if ((!pit_ends_with(dir, ".wants") && !pit_ends_with(dir, ".requires")) ||
		    pit_root_list(root, &links, "%s/%s", etc, dir) || !pit_strv_has(links, unit) ||
		    is_own_link(root, unit, dir))
			continue;
		snprintf(ret, size, "%s/%s/%s", etc, dir, unit);
		return true;
	}
	return false;
}

static int want_at_boot(struct pit_root *root, const char *unit, const char *state, struct pit_wishes *ret,
			struct pit_error *err)
{
	PIT_CLEANUP(pit_cell_free) struct pit_cell cell = {0};
	pit_auto_free char *now = NULL;
	char link[512];
	int rc = pit_cell_set(&cell, PIT_TARGET_ENABLED, PIT_VALUE_TEXT, "%s", unit);

	if (!rc)
		rc = pit_cell_read(root, &cell, &now, err);
	if (rc)
		return rc;
	if (!strcmp(now, "static") && strcmp(state, "masked") != 0)
		rc = pit_wish_refuse(ret, &cell,
				     "%s cannot be enabled or disabled: it has no [Install], other units start it",
				     unit);
	else if (!strcmp(now, "masked") && !strcmp(state, "enabled"))
		rc = pit_wish_refuse(ret, &cell, "%s is masked: systemctl unmask it if that is over", unit);
	else if (!strcmp(now, "masked") && !strcmp(state, "disabled"))
		rc = 0; /* it is more than that */
	else if (!strcmp(now, "enabled") && !strcmp(state, "disabled") &&
		 has_foreign_link(root, unit, link, sizeof(link)))
		rc = pit_wish_refuse(ret, &cell,
				     "%s was made by hand, and systemctl would not bring it back: remove it first",
				     link);
	else
		rc = pit_wish_add(ret, &cell, state);
	return rc;
}

int pit_resolve_service(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
			struct pit_error *err)
{
	struct pit_root *root = pit_scene_root(scene);
	char asked_unit[256], unit[256];
	struct asked asked = {0};
	bool masked;
	int rc = parse(setting, &asked, err);

	if (rc)
		return rc;
	unit_of(setting->knob, asked_unit, sizeof(asked_unit));
	masked = pit_unit_is_masked(root, asked_unit);
	snprintf(unit, sizeof(unit), "%s", asked_unit);
	if (!masked && pit_unit_name(root, asked_unit, unit, sizeof(unit)))
		return pit_wishes_absent(ret, "there is no unit %s", asked_unit);
	if (asked.run)
		rc = want_state(root, unit, masked, asked.run, ret);
	if (!rc && asked.boot && ret->persist)
		rc = want_at_boot(root, unit, asked.boot, ret, err);
	return rc;
}
