/* SPDX-License-Identifier: MIT
 *
 * tuned sets the values of its profile when it starts and when the profile changes; after that, unless reapply_sysctl
 * is off, it writes those of sysctl.d once more. Which of two values stays depends on that order.
 */
#include <string.h>

#include "base/parse.h"
#include "host/origin.h"
#include "host/unit.h"
#include "tune/conflict.h"

#define MAIN_CONF "/etc/tuned/tuned-main.conf"

struct tuned {
	bool reapply;   /* sysctl.d after the profile */
	char where[96]; /* who says so */
};

static struct tuned read_main(struct pit_root *root)
{
	struct tuned t = {.reapply = true, .where = "tuned's default"};
	struct pit_text text;
	char value[32];
	int line;

	if (!pit_root_read(root, &text, MAIN_CONF) &&
	    !pit_ini_get(text.data, NULL, "reapply_sysctl", value, sizeof(value), &line) &&
	    !pit_parse_bool(value, &t.reapply))
		snprintf(t.where, sizeof(t.where), MAIN_CONF ":%d", line);
	return t;
}

static bool is_active(struct pit_root *root)
{
	char profile[256];

	return !pit_root_str(root, profile, sizeof(profile), "/etc/tuned/active_profile") && *profile &&
	       (pit_unit_is_active(root, "tuned.service") == 1 || pit_unit_is_enabled(root, "tuned.service") == 1 ||
		!pit_root_exists(root, "/run/tuned/tuned.pid"));
}

/* The profile sets `key`, too. */
static void dispute(struct pit_conflicts *c, const struct tuned *t, const char *key, const char *value,
		    const struct pit_change *change, const struct pit_origin *o)
{
	bool sysctl = change->cell.target != PIT_TARGET_KERNEL;

	if (pit_value_equal(change->cell.kind, value, o->value) || !value)
		return;
	if (sysctl && t->reapply && c->plan->persist)
		pit_conflict_say(
			c,
			"tuned's profile %s sets %s to %s (%s:%d), but with reapply_sysctl on (%s) tuned writes "
			"/etc/sysctl.d after its profile, so %s of this plan stays and tuned-adm verify will "
			"complain: take the line out of the profile",
			o->profile, key, o->value, o->file, o->line, t->where, value);
	else
		pit_conflict_say(
			c,
			"tuned's profile %s sets %s to %s (%s:%d) whenever tuned starts or changes its profile, "
			"so %s of this plan will not stay%s%s%s: make a profile of your own that includes %s and "
			"sets this one, or stop tuned",
			o->profile, key, o->value, o->file, o->line, value,
			sysctl && !t->reapply ? " (reapply_sysctl is off in " : "",
			sysctl && !t->reapply ? t->where : "", sysctl && !t->reapply ? ")" : "", o->profile);
}

/* Without --persist, what sysctl.d says comes back when tuned starts anew. */
static void reapplied(struct pit_conflicts *c, const struct tuned *t, const struct pit_change *change)
{
	const char *key = change->cell.object;
	struct pit_origin o;

	if (c->plan->persist || !t->reapply)
		return;
	pit_sysctl_file(c->root, key, NULL, &o);
	if (o.file[0] && !pit_value_equal(change->cell.kind, change->new, o.value))
		pit_conflict_say(
			c,
			"tuned runs with reapply_sysctl on (%s), so when it starts anew it sets %s back to %s as "
			"%s:%d says: apply with --persist",
			t->where, key, o.value, o.file, o.line);
}

/* "20%" is vm.dirty_ratio = 20. */
static void look_dirty(struct pit_conflicts *c, const struct tuned *t, const struct pit_change *change)
{
	static const char *const kinds[] = {"ratio", "bytes"};
	char key[64], value[32];
	struct pit_origin o;

	for (size_t i = 0; change->new &&i < PIT_COUNT(kinds); i++) {
		bool same = !!strchr(change->new, '%') == (i == 0);

		snprintf(key, sizeof(key), "%s_%s", change->cell.object, kinds[i]);
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(change->new, "%"), change->new);
		pit_tuned_sysctl(c->root, key, &o);
		if (o.file[0])
			dispute(c, t, key, same ? value : change->new, change, &o);
	}
}

static void look(struct pit_conflicts *c, const struct tuned *t, const struct pit_change *change)
{
	struct pit_origin o;

	if (pit_conflict_sets(change, PIT_TARGET_SYSCTL))
		pit_tuned_sysctl(c->root, change->cell.object, &o);
	else
		pit_tuned_sysfs(c->root, change->cell.object, &o);
	if (o.file[0])
		dispute(c, t, change->cell.target == PIT_TARGET_SYSCTL ? change->cell.object : change->knob->id,
			change->new, change, &o);
	else if (change->cell.target == PIT_TARGET_SYSCTL)
		reapplied(c, t, change);
}

void pit_conflict_tuned(struct pit_conflicts *c)
{
	const struct pit_knob *last = NULL; /* of the files of many CPUs or disks one is enough */
	struct tuned t;

	if (pit_conflict_is_stopped(c, "tuned.service") || !is_active(c->root))
		return;
	t = read_main(c->root);
	for (size_t i = 0; i < c->plan->changes; i++) {
		const struct pit_change *change = &c->plan->change[i];

		if (pit_conflict_sets(change, PIT_TARGET_DIRTY))
			look_dirty(c, &t, change);
		else if (pit_conflict_sets(change, PIT_TARGET_SYSCTL) ||
			 (pit_conflict_sets(change, PIT_TARGET_KERNEL) && change->knob != last))
			look(c, &t, change);
		if (!change->companion)
			last = change->knob;
	}
}
