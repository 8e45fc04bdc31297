/* SPDX-License-Identifier: MIT
 *
 * What settings have to do with each other: which of two counts, and what the kernel changes along.
 */
#include <fnmatch.h>
#include <string.h>

#include "base/pattern.h"
#include "base/strmap.h"
#include "tune/plan_draft.h"
#include "tune/resolve_parts.h"

const char *pit_draft_key(const struct pit_cell *cell, char *out, size_t size)
{
	snprintf(out, size, "%d %s", (int)cell->target, cell->object);
	return out;
}

static int say(struct pit_draft *d, struct pit_strv *to, const char *text)
{
	if (pit_strv_has(to, text))
		return 0;
	return pit_strv_add(to, text) ? pit_draft_no_memory(d) : 0;
}

static const char *or_absent(const char *value)
{
	return value ? value : "absent";
}

/* "[block.readahead nvme*]". */
static const char *section(const struct pit_setting *s, char *out, size_t size)
{
	snprintf(out, size, "[%s%s%s]", s->knob->id, s->which ? " " : "", s->which ? s->which : "");
	return out;
}

static int say_choice(struct pit_draft *d, const struct pit_candidate *winner, const struct pit_candidate *loser)
{
	char won[128], lost[128], name[256], text[700];

	section(winner->setting, won, sizeof(won));
	section(loser->setting, lost, sizeof(lost));
	if (winner->setting->knob == loser->setting->knob) {
		snprintf(text, sizeof(text), "%s (%s) counts instead of %s (%s) for what both name", won,
			 winner->setting->value, lost, loser->setting->value);
		return say(d, &d->plan.notes, text);
	}
	snprintf(text, sizeof(text), "%s and %s both set %s: it gets '%s' of the later one, not '%s'", lost, won,
		 pit_cell_name(&winner->cell, name, sizeof(name)), or_absent(winner->value), or_absent(loser->value));
	return say(d, &d->plan.conflicts, text);
}

/* Settles which of the two counts, the earlier or the later. */
static struct pit_candidate *settle(struct pit_candidate *a, struct pit_candidate *b)
{
	bool same = pit_value_equal(a->cell.kind, a->value, b->value);
	bool first = same || (a->setting->which && !b->setting->which);
	struct pit_candidate *loser = first ? b : a;

	loser->state = PIT_CANDIDATE_DROPPED;
	return first ? a : b;
}

int pit_draft_choose(struct pit_draft *d)
{
	for (size_t i = 0; i < d->candidates; i++) {
		struct pit_candidate *c = &d->candidate[i], *winner = c;
		char key[4200];
		size_t other;
		int rc = 0;

		if (c->state != PIT_CANDIDATE_OPEN)
			continue;
		other = (size_t)(uintptr_t)pit_strmap_get(&d->cells, pit_draft_key(&c->cell, key, sizeof(key)));
		if (other) {
			struct pit_candidate *before = &d->candidate[other - 1];

			winner = settle(before, c);
			if (before->setting != c->setting && !pit_value_equal(c->cell.kind, before->value, c->value))
				rc = say_choice(d, winner, winner == c ? before : c);
		}
		if (rc)
			return rc;
		if (pit_strmap_put(&d->cells, key, (void *)(uintptr_t)(winner - d->candidate + 1)))
			return pit_draft_no_memory(d);
	}
	return 0;
}

bool pit_draft_disturbs(const struct pit_knob *knob, const struct pit_cell *cell)
{
	pit_auto_strv struct pit_strv patterns = {0};

	if (!knob->disturbs || (cell->target != PIT_TARGET_SYSCTL && cell->target != PIT_TARGET_KERNEL) ||
	    pit_strv_split(&patterns, knob->disturbs, " "))
		return false;
	for (size_t i = 0; i < patterns.count; i++)
		if (!fnmatch(patterns.item[i], cell->object, FNM_PATHNAME))
			return true;
	return false;
}

static bool disturbs_any(const struct pit_draft *d, const struct pit_knob *knob, const struct pit_setting *setting)
{
	for (size_t i = 0; knob->disturbs && i < d->candidates; i++)
		if (d->candidate[i].setting == setting && d->candidate[i].state == PIT_CANDIDATE_OPEN &&
		    pit_draft_disturbs(knob, &d->candidate[i].cell))
			return true;
	return false;
}

static int drop_disturbed(struct pit_draft *d, const struct pit_setting *early, const struct pit_setting *late)
{
	char text[300];
	int rc = 0;

	for (size_t i = 0; i < d->candidates && !rc; i++) {
		struct pit_candidate *c = &d->candidate[i];

		if (c->setting != early || c->state != PIT_CANDIDATE_OPEN || !pit_draft_disturbs(late->knob, &c->cell))
			continue;
		c->state = PIT_CANDIDATE_DROPPED;
		rc = pit_draft_leave(d, early, &c->cell, PIT_LEFT_REFUSED, "%s sets the same in another way",
				     late->knob->id);
	}
	snprintf(text, sizeof(text),
		 "%s and %s exclude each other, for the kernel lets one replace the other: %s counts", early->knob->id,
		 late->knob->id, late->knob->id);
	return rc ? rc : say(d, &d->plan.conflicts, text);
}

int pit_draft_exclude(struct pit_draft *d)
{
	const struct pit_setting *s = d->profile->setting;
	int rc = 0;

	for (size_t i = 0; i < d->profile->settings; i++)
		for (size_t j = i + 1; j < d->profile->settings && !rc; j++)
			if (s[i].knob != s[j].knob && disturbs_any(d, s[i].knob, &s[j]) &&
			    disturbs_any(d, s[j].knob, &s[i]))
				rc = drop_disturbed(d, &s[i], &s[j]);
	return rc;
}

/* True when the plan sets the cell itself. */
static bool is_set(const struct pit_draft *d, const struct pit_cell *cell)
{
	char key[4200];
	size_t at = (size_t)(uintptr_t)pit_strmap_get(&d->cells, pit_draft_key(cell, key, sizeof(key)));

	return at && d->candidate[at - 1].state == PIT_CANDIDATE_CHANGE;
}

static bool is_companion(const struct pit_draft *d, const struct pit_cell *cell)
{
	for (size_t i = 0; i < d->plan.changes; i++)
		if (d->plan.change[i].companion && pit_cell_equal(&d->plan.change[i].cell, cell))
			return true;
	return false;
}

/* Of what form the kernel prints it is told by what is there: "[a] b" is a choice. */
static enum pit_value_kind kind_of(struct pit_root *root, const struct pit_cell *cell)
{
	pit_auto_free char *text = NULL;

	if (pit_cell_read(root, cell, &text, NULL) || !text)
		return PIT_VALUE_TEXT;
	return strchr(text, '[') ? PIT_VALUE_CHOICE : PIT_VALUE_WORDS;
}

static int add_companion(struct pit_draft *d, const struct pit_setting *setting, enum pit_target_kind target,
			 const char *object)
{
	struct pit_cell cell = {0};
	pit_auto_free char *old = NULL;
	struct pit_change *c;
	int rc = 0;

	if (pit_cell_set(&cell, target, PIT_VALUE_TEXT, "%s", object))
		return pit_draft_no_memory(d);
	cell.kind = kind_of(d->root, &cell);
	if (!is_set(d, &cell) && !is_companion(d, &cell) && !pit_cell_read(d->root, &cell, &old, NULL) && old) {
		c = pit_draft_change(d, setting, &cell, old, NULL);
		if (c)
			c->companion = true;
		rc = c ? 0 : pit_draft_no_memory(d);
	}
	pit_cell_free(&cell);
	return rc;
}

/* A path in which each '*' stands for the names that there are. */
static int add_paths(struct pit_draft *d, const struct pit_setting *setting, const char *path)
{
	const char *star = strchr(path, '*'), *slash = star, *end;
	const struct pit_strv *names;
	char dir[4096], pattern[256];
	int rc = 0;

	if (!star)
		return add_companion(d, setting, PIT_TARGET_KERNEL, path);
	while (slash > path && slash[-1] != '/')
		slash--;
	end = star + strcspn(star, "/");
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	snprintf(pattern, sizeof(pattern), "%.*s", (int)(end - slash), slash);
	if (pit_root_list(d->root, &names, "%s", dir))
		return 0;
	for (size_t i = 0; i < names->count && !rc; i++) {
		pit_auto_free char *below = NULL;

		if (!pit_fits(pattern, names->item[i]))
			continue;
		if (asprintf(&below, "%s%s%s", dir, names->item[i], end) < 0)
			return pit_draft_no_memory(d);
		rc = add_paths(d, setting, below);
	}
	return rc;
}

/* What the '*' of the knob's object stands for in the cell, in `ret`; false: it has none, or `pattern` does not begin
 * as the object does, so its '*' stands for other things. */
static bool name_in(const struct pit_knob *knob, const char *pattern, const struct pit_cell *cell, char *ret,
		    size_t size)
{
	const char *star = knob->object ? strchr(knob->object, '*') : NULL;
	size_t head = star ? (size_t)(star - knob->object) : 0, tail;

	if (!star || strncmp(pattern, knob->object, head + 1) != 0 || strncmp(cell->object, pattern, head) != 0)
		return false;
	tail = strcspn(star + 1, "/");
	snprintf(ret, size, "%.*s", (int)(strcspn(cell->object + head, "/") - tail), cell->object + head);
	return true;
}

/* The setting's cells that are changed have companions of their own where the pattern is about the same things. */
static int add_matching(struct pit_draft *d, const struct pit_setting *setting, const char *pattern)
{
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < d->candidates && !rc; i++) {
		const struct pit_candidate *c = &d->candidate[i];
		pit_auto_free char *path = NULL;
		const char *star = strchr(pattern, '*');
		char name[256];

		if (c->setting != setting || c->state != PIT_CANDIDATE_CHANGE ||
		    !name_in(setting->knob, pattern, &c->cell, name, sizeof(name)))
			continue;
		any = true;
		if (asprintf(&path, "%.*s%s%s", (int)(star - pattern), pattern, name, star + 1) < 0)
			return pit_draft_no_memory(d);
		rc = add_paths(d, setting, path);
	}
	return rc || any ? rc : add_paths(d, setting, pattern);
}

/* A sysctl key with '*'. */
static int add_keys(struct pit_draft *d, const struct pit_setting *setting, const char *pattern)
{
	pit_auto_strv struct pit_strv keys = {0};
	int rc = 0;

	if (!strchr(pattern, '*'))
		return add_companion(d, setting, PIT_TARGET_SYSCTL, pattern);
	if (pit_pattern_expand(d->root, PIT_TARGET_SYSCTL, pattern, NULL, &keys, NULL))
		return 0;
	for (size_t i = 0; i < keys.count && !rc; i++)
		rc = add_companion(d, setting, PIT_TARGET_SYSCTL, keys.item[i]);
	return rc;
}

int pit_draft_companions(struct pit_draft *d, const struct pit_setting *setting)
{
	pit_auto_strv struct pit_strv words = {0};
	int rc = 0;

	if (setting->knob->disturbs && pit_strv_split(&words, setting->knob->disturbs, " "))
		return pit_draft_no_memory(d);
	for (size_t i = 0; i < words.count && !rc; i++)
		rc = *words.item[i] == '/' ? add_matching(d, setting, words.item[i])
					   : add_keys(d, setting, words.item[i]);
	return rc;
}
