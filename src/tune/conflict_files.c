/* SPDX-License-Identifier: MIT
 *
 * Files of others that are read after ours, and lines that go before ours because they are more special. What ours say
 * is taken from the plan's own files.
 */
#include <string.h>

#include "base/path.h"
#include "host/conf_files.h"
#include "host/limits_conf.h"
#include "host/origin.h"
#include "host/unit.h"
#include "tune/conflict.h"
#include "tune/limits.h"

/* /etc/sysctl.conf comes last where procps reads it, whatever the files of sysctl.d are called. */
static void look_sysctl_conf(struct pit_conflicts *c, const char *key, const char *value)
{
	static const char conf[] = "/etc/sysctl.conf";
	struct pit_text text;
	char other[256];
	int line;

	if (!pit_root_read(c->root, &text, conf) && !pit_ini_get(text.data, NULL, key, other, sizeof(other), &line) &&
	    !pit_value_equal(PIT_VALUE_WORDS, value, other))
		pit_conflict_say(
			c,
			"%s:%d sets %s to %s: 'sysctl --system', which admins and packages run, reads that file "
			"last and would undo %s; take the line out",
			conf, line, key, other, value);
}

/* The kernel keeps one of a pair: the other one, set later, clears ours. */
static const char *other_of_pair(const char *key)
{
	static const char *const pairs[][2] = {
		{"vm.dirty_ratio", "vm.dirty_bytes"},
		{"vm.dirty_background_ratio", "vm.dirty_background_bytes"},
	};

	for (size_t i = 0; i < PIT_COUNT(pairs); i++)
		for (size_t k = 0; k < 2; k++)
			if (!strcmp(key, pairs[i][k]))
				return pairs[i][!k];
	return NULL;
}

static void look_sysctl(struct pit_conflicts *c, const char *file, const char *key, const char *value)
{
	const char *other = other_of_pair(key);
	struct pit_origin o;

	pit_sysctl_file(c->root, key, pit_base_name(file), &o);
	if (o.file[0] && !pit_value_equal(PIT_VALUE_WORDS, value, o.value))
		pit_conflict_say(c,
				 "%s:%d sets %s to %s and is read after %s at boot, so %s will be there after the next "
				 "boot: take the line out%s",
				 o.file, o.line, key, o.value, pit_base_name(file), o.value,
				 strstr(o.file, "sysctl.d/") ? ", or call the file something that sorts before \"99\""
							     : "");
	else if (!o.file[0])
		look_sysctl_conf(c, key, value);
	if (!other)
		return;
	pit_sysctl_file(c->root, other, pit_base_name(file), &o);
	if (o.file[0] && strcmp(o.value, "0") != 0)
		pit_conflict_say(c, "%s:%d sets %s at boot after %s, which clears %s = %s: take the line out", o.file,
				 o.line, other, pit_base_name(file), key, value);
}

/* Lines of limits.d that ours meets. */
struct rule {
	struct pit_conflicts *c;
	const struct pit_limits_line *ours;
	const char *file;
};

static const char *number(uint64_t value, const struct pit_limits_line *l, char *out, size_t size)
{
	const struct pit_limit_item *item = pit_limit_item(l->item);
	const struct pit_pair pair = {value, value};

	if (value == UINT64_MAX)
		snprintf(out, size, "unlimited");
	else
		pit_limit_print(&(struct pit_pair){item && item->bytes ? pair.soft / 1024 : pair.soft,
						   item && item->bytes ? pair.hard / 1024 : pair.hard},
				out, size);
	return out;
}

static int meet(const char *where, const char *text, const struct pit_limits_line *l, void *arg)
{
	const struct rule *r = arg;
	char file[300], theirs[32];
	bool special, later;

	if (!l || strcmp(l->item, r->ours->item) != 0 || l->value >= r->ours->value ||
	    !((l->soft && r->ours->soft) || (l->hard && r->ours->hard)))
		return 0;
	snprintf(file, sizeof(file), "%.*s", (int)strcspn(where, ":"), where);
	later = !strncmp(file, "/etc/security/limits.d/", 23) &&
		strcmp(pit_base_name(file), pit_base_name(r->file)) > 0;
	special = strcmp(l->domain, "*") != 0 && strcmp(l->domain, "root") != 0 && !strcmp(r->ours->domain, "*");
	if (later && !strcmp(l->domain, r->ours->domain))
		pit_conflict_say(
			r->c, "%s sets %s of %s to %s and is read after %s: logins get that; take the line out", where,
			l->item, l->domain, number(l->value, l, theirs, sizeof(theirs)), pit_base_name(r->file));
	else if (special)
		pit_conflict_say(r->c,
				 "%s sets %s of %s to %s, which goes before any line for all: raise it there, too",
				 where, l->item, l->domain, number(l->value, l, theirs, sizeof(theirs)));
	return 0;
}

static void look_limits(struct pit_conflicts *c, const char *file, const char *line)
{
	struct pit_limits_line ours;
	struct rule rule = {.c = c, .ours = &ours, .file = file};

	if (!pit_limits_parse_line(line, &ours) && ours.item[0])
		c->failed |= pit_limits_each(c->root, meet, &rule) == -ENOMEM;
}

/* "/etc/systemd/system/slurmd.service.d/99-zz-pitcrew-0007.conf" */
static void look_drop_in(struct pit_conflicts *c, const char *file, const char *key, const char *value)
{
	static const char head[] = "/etc/systemd/system/";
	const char *name = file + strlen(head), *end = strstr(name, ".d/");
	struct pit_pair ours, theirs;
	char unit[256], other[256], where[512], path[512];

	if (!end || strchr(end + 3, '/') || pit_limit_parse(value, &ours))
		return;
	snprintf(unit, sizeof(unit), "%.*s", (int)(end - name), name);
	if (pit_unit_get(c->root, unit, "Service", key, other, sizeof(other), where, sizeof(where)) ||
	    pit_limit_parse(other, &theirs))
		return;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(where, ":"), where);
	if (strstr(path, ".d/") && strcmp(pit_base_name(path), pit_base_name(file)) > 0 &&
	    (theirs.soft < ours.soft || theirs.hard < ours.hard))
		pit_conflict_say(c, "%s sets %s=%s and is read after %s: %s keeps that; take the line out", where, key,
				 other, pit_base_name(file), unit);
}

static void look_line(struct pit_conflicts *c, const char *file, char *line)
{
	char *key, *value;

	if (!strncmp(file, "/etc/security/limits.d/", 23))
		look_limits(c, file, line);
	else if (!pit_conflict_split(line, &key, &value))
		return;
	else if (!strncmp(file, "/etc/sysctl.d/", 14))
		look_sysctl(c, file, key, value);
	else if (!strncmp(file, "/etc/systemd/system/", 20))
		look_drop_in(c, file, key, value);
}

/* Who else writes a file under /sys at boot, after us: "NAME is read after ours" for udev's rules and for tmpfiles.d,
 * and sysfsutils in any case. */
static void look_sysfs(struct pit_conflicts *c, const struct pit_change *change)
{
	char ours[64];
	struct pit_origin o;
	bool sysfsutils, udev, tmpfiles;

	pit_sysfs_file(c->root, change->cell.object, &o);
	if (!o.file[0] || pit_value_equal(change->cell.kind, change->new, o.value))
		return;
	sysfsutils = !strncmp(o.file, "/etc/sysfs.", 11);
	udev = change->knob->lasts == PIT_LASTS_UDEV && strstr(o.file, "/udev/");
	tmpfiles = change->knob->lasts == PIT_LASTS_TMPFILES && strstr(o.file, "/tmpfiles.d/");
	pit_fragment_path("", udev ? ".rules" : ".conf", c->plan->txn, ours, sizeof(ours));
	if (sysfsutils || ((udev || tmpfiles) && strcmp(pit_base_name(o.file), ours + 1) > 0))
		pit_conflict_say(c, "%s:%d sets %s to %s %s: take the line out", o.file, o.line, change->knob->id,
				 o.value,
				 sysfsutils ? "when sysfsutils start, after what this plan writes for the boot"
					    : "and is read after the files of this plan");
}

void pit_conflict_files(struct pit_conflicts *c)
{
	const struct pit_knob *last = NULL;
	char line[1024];

	for (size_t i = 0; i < c->plan->changes; i++) {
		const struct pit_change *change = &c->plan->change[i];
		const char *at = change->cell.target == PIT_TARGET_FILE && change->new ? change->new : "";

		while (pit_conf_line(&at, line, sizeof(line)))
			look_line(c, change->cell.object, line);
		if (pit_conflict_sets(change, PIT_TARGET_KERNEL) && change->knob != last &&
		    !strncmp(change->cell.object, "/sys/", 5))
			look_sysfs(c, change);
		if (!change->companion)
			last = change->knob;
	}
}
