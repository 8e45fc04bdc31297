/* SPDX-License-Identifier: MIT
 *
 * Profiles as lists of settings: putting them together and choosing from them.
 */
#include "tune/profile.h"

#include <string.h>

#include "base/pattern.h"
#include "tune/resolve.h"

static void setting_free(struct pit_setting *s)
{
	free(s->which);
	free(s->value);
	free(s->why);
	free(s->source);
	free(s->where);
	*s = (struct pit_setting){0};
}

void pit_profile_free(struct pit_profile *p)
{
	int saved = errno;

	free(p->name);
	free(p->file);
	free(p->summary);
	free(p->workload);
	for (size_t i = 0; i < p->settings; i++)
		setting_free(&p->setting[i]);
	free(p->setting);
	pit_strv_free(&p->local);
	free(p->doubt);
	*p = (struct pit_profile){0};
	errno = saved;
}

static bool same_words(const struct pit_setting *a, const struct pit_setting *b)
{
	if (a->knob != b->knob || !a->which || !b->which)
		return a->knob == b->knob && a->which == b->which;
	return !strcmp(a->which, b->which);
}

static void remove_at(struct pit_profile *p, size_t at)
{
	setting_free(&p->setting[at]);
	memmove(&p->setting[at], &p->setting[at + 1], (p->settings - at - 1) * sizeof(*p->setting));
	p->settings--;
}

static bool is_before(const struct pit_knob *a, const struct pit_knob *b)
{
	PIT_KNOB_FOREACH (knob) {
		if (knob == a || knob == b)
			return knob == a && a != b;
	}
	return false;
}

/* Puts the setting at its place; `p` owns its texts afterwards. 0 or -ENOMEM, and then it is freed. */
static int put(struct pit_profile *p, struct pit_setting *setting)
{
	bool keep = !strcmp(setting->value, "keep");
	size_t at = p->settings;
	void *more;

	for (size_t i = p->settings; i-- > 0;)
		if (same_words(&p->setting[i], setting))
			remove_at(p, i);
	more = keep ? NULL : realloc(p->setting, (p->settings + 1) * sizeof(*p->setting));
	if (!more) {
		setting_free(setting);
		return keep ? 0 : -ENOMEM;
	}
	p->setting = more;
	for (at = p->settings; at && is_before(setting->knob, p->setting[at - 1].knob); at--)
		;
	memmove(&p->setting[at + 1], &p->setting[at], (p->settings - at) * sizeof(*p->setting));
	p->setting[at] = *setting;
	p->settings++;
	*setting = (struct pit_setting){0};
	return 0;
}

static void replace_text(char **text, char **with)
{
	if (!*with)
		return;
	free(*text);
	*text = pit_take(*with);
}

int pit_profile_merge(struct pit_profile *p, struct pit_profile *later)
{
	int rc = 0;

	replace_text(&p->name, &later->name);
	replace_text(&p->file, &later->file);
	replace_text(&p->summary, &later->summary);
	replace_text(&p->workload, &later->workload);
	for (size_t i = 0; i < later->settings && !rc; i++)
		rc = put(p, &later->setting[i]);
	pit_profile_free(later);
	return rc;
}

/* Copies; `values` owns the original. */
static int put_copy(struct pit_profile *p, const struct pit_setting *from)
{
	struct pit_setting copy = {
		.knob = from->knob,
		.which = from->which ? strdup(from->which) : NULL,
		.value = strdup(from->value),
		.why = from->why ? strdup(from->why) : NULL,
		.source = from->source ? strdup(from->source) : NULL,
		.where = from->where ? strdup(from->where) : NULL,
	};

	if (!copy.value || !copy.which != !from->which || !copy.why != !from->why || !copy.source != !from->source ||
	    !copy.where != !from->where) {
		setting_free(&copy);
		return -ENOMEM;
	}
	return put(p, &copy);
}

int pit_profile_no_knob(const char *word, struct pit_error *err)
{
	const char *nearest = pit_knob_nearest(word);

	return pit_fail(err, ENOENT, "no knob is named '%.80s'%s%s%s; 'pitcrew tune plan --list' has them all", word,
			nearest ? " (near: " : "", nearest ? nearest : "", nearest ? ")" : "");
}

static int put_from_profile(struct pit_profile *ret, const struct pit_setting *wanted, const char *word,
			    const struct pit_profile *values, struct pit_error *err)
{
	size_t found = 0;
	int rc = 0;

	for (size_t i = 0; values && i < values->settings && !rc; i++) {
		const struct pit_setting *s = &values->setting[i];

		if (s->knob != wanted->knob || (wanted->which && (!s->which || strcmp(s->which, wanted->which) != 0)))
			continue;
		rc = put_copy(ret, s);
		found++;
	}
	if (rc)
		return pit_fail(err, ENOMEM, "out of memory");
	if (!found)
		return pit_fail(err, ENOENT, "%s: profile %s has no value for it; give one as %s=VALUE", word,
				values && values->name ? values->name : "(none)", word);
	return 0;
}

int pit_profile_check(const struct pit_knob *knob, const char *value, struct pit_error *err)
{
	const struct pit_setting setting = {.knob = knob, .value = (char *)value};

	if (!*value)
		return pit_fail(err, EINVAL, "%s: an empty value", knob->id);
	if (knob->resolve || !strcmp(value, "keep"))
		return 0;
	return pit_wrap(err, pit_setting_check(&setting, UINT64_C(1) << 40, err), "%s", knob->id);
}

int pit_profile_add_knob(struct pit_profile *ret, const char *word, const struct pit_profile *values,
			 struct pit_error *err)
{
	size_t id_len = strcspn(word, ":="), word_len = strcspn(word, "=");
	pit_auto_free char *id = strndup(word, id_len), *which = NULL;
	const char *value = word[word_len] ? word + word_len + 1 : NULL;
	struct pit_setting wanted = {.value = (char *)value, .where = (char *)"--knob"};
	int rc;

	if (word[id_len] == ':')
		which = strndup(word + id_len + 1, word_len - id_len - 1);
	if (!id || (word[id_len] == ':' && !which))
		return pit_fail(err, ENOMEM, "out of memory");
	wanted.which = which;
	wanted.knob = pit_knob_find(id);
	if (!wanted.knob)
		return pit_profile_no_knob(id, err);
	if (which && !*which)
		return pit_fail(err, EINVAL, "%s: nothing stands behind the ':'", word);
	if (!value)
		return put_from_profile(ret, &wanted, word, values, err);
	rc = pit_profile_check(wanted.knob, value, err);
	if (rc)
		return rc;
	return put_copy(ret, &wanted) ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static bool fits_any(const struct pit_strv *patterns, const char *id)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (pit_fits(patterns->item[i], id))
			return true;
	return false;
}

static bool names_a_knob(const char *pattern)
{
	PIT_KNOB_FOREACH (knob)
		if (pit_fits(pattern, knob->id))
			return true;
	return false;
}

static int select_settings(struct pit_profile *p, const char *list, bool keep, struct pit_error *err)
{
	pit_auto_strv struct pit_strv patterns = {0};

	if (pit_strv_split(&patterns, list, ", "))
		return pit_fail(err, ENOMEM, "out of memory");
	if (!patterns.count)
		return pit_fail(err, ENOENT, "an empty list of knobs");
	for (size_t i = 0; i < patterns.count; i++)
		if (!names_a_knob(patterns.item[i]))
			return pit_profile_no_knob(patterns.item[i], err);
	for (size_t i = p->settings; i-- > 0;)
		if (fits_any(&patterns, p->setting[i].knob->id) != keep)
			remove_at(p, i);
	return 0;
}

int pit_profile_only(struct pit_profile *p, const char *list, struct pit_error *err)
{
	return select_settings(p, list, true, err);
}

int pit_profile_skip(struct pit_profile *p, const char *list, struct pit_error *err)
{
	return select_settings(p, list, false, err);
}
