/* SPDX-License-Identifier: MIT
 *
 * What a plan leaves out, for a person: refusals each with its reason, the rest in a few lines unless more is asked
 * for.
 */
#include <string.h>

#include "tune/plan_page.h"

static const struct kind {
	enum pit_left_why why;
	enum pit_state state; /* of UNKNOWN */
	const char *what;
	const char *together; /* said once for all; NULL: each has a line of its own */
} kinds[] = {
	{.why = PIT_LEFT_REFUSED, .what = "refused"},
	{.why = PIT_LEFT_UNKNOWN, .state = PIT_STATE_MALFORMED, .what = "makes no sense"},
	{.why = PIT_LEFT_UNKNOWN, .state = PIT_STATE_TIMED_OUT, .what = "could not be read"},
	{.why = PIT_LEFT_UNKNOWN, .state = PIT_STATE_UNSUPPORTED, .what = "could not be read"},
	{.why = PIT_LEFT_UNKNOWN, .state = PIT_STATE_ERROR, .what = "could not be read"},
	{.why = PIT_LEFT_UNKNOWN, .state = PIT_STATE_ABSENT, .what = "could not be read"},
	{.why = PIT_LEFT_UNKNOWN, .state = PIT_STATE_OK, .what = "could not be read"},
	{.why = PIT_LEFT_UNKNOWN,
	 .state = PIT_STATE_DENIED,
	 .what = "could not be read",
	 .together = "not for this user to read (root sees more)"},
	{.why = PIT_LEFT_UNKNOWN,
	 .state = PIT_STATE_NOT_RECORDED,
	 .what = "not recorded",
	 .together = "the recording does not tell"},
	{.why = PIT_LEFT_PERSIST, .what = "needs --persist", .together = "on disk, so only with --persist"},
	{.why = PIT_LEFT_ABSENT, .what = "not here", .together = "this machine has nothing of it"},
};

static bool is_of(const struct pit_left_out *l, const struct kind *k)
{
	return l->why == k->why && (l->why != PIT_LEFT_UNKNOWN || l->state == k->state);
}

static bool same(const struct pit_left_out *a, const struct pit_left_out *b)
{
	return a->setting == b->setting && a->why == b->why && !strcmp(a->text, b->text);
}

void pit_left_out_subject(const struct pit_left_out *l, struct pit_buf *out)
{
	size_t len = strlen(l->knob->id);

	if (strncmp(l->object, l->knob->id, len) != 0 || l->object[len] != ' ')
		pit_buf_puts(out, l->knob->id);
	if (!*l->object || !strcmp(l->object, l->knob->id))
		return;
	pit_buf_puts(out, out->len ? " on " : "");
	pit_page_clip(out, l->object, 100);
}

/* One reason, one entry: of what one setting leaves out for it. */
static void put_one(const struct pit_plan *p, size_t at, const char *what, const struct pit_page *page)
{
	const struct pit_left_out *l = &p->left[at];
	pit_auto_buf struct pit_buf subject = PIT_BUF_INIT, text = PIT_BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < p->left_out; i++) {
		if (!same(&p->left[i], l))
			continue;
		if (i < at)
			return;
		count++;
	}
	if (count > 1)
		pit_buf_printf(&subject, "%s (%zu)", l->knob->id, count);
	else
		pit_left_out_subject(l, &subject);
	pit_buf_printf(&text, "%s: %s", what, l->text);
	pit_plan_put_title(page, subject.data, PIT_YELLOW, text.data);
}

/* Do other settings of the knob find something here, which is changed, right already or left out for another reason? */
static bool is_otherwise_here(const struct pit_plan *p, const struct kind *k, const struct pit_knob *knob)
{
	for (size_t i = 0; i < p->changes; i++)
		if (p->change[i].knob == knob)
			return true;
	for (size_t i = 0; i < p->left_out; i++)
		if (p->left[i].knob == knob && !is_of(&p->left[i], k))
			return true;
	return false;
}

/* Several settings of one knob may all be left out; it is named once. When others of its settings find something,
 * those that do not are told apart. */
static void put_together(const struct pit_plan *p, const struct kind *k, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf ids = PIT_BUF_INIT;
	const struct pit_knob *last = NULL;

	for (size_t i = 0; i < p->left_out; i++) {
		const struct pit_left_out *l = &p->left[i];
		bool apart = l->setting && l->setting->which && is_otherwise_here(p, k, l->knob);

		if (!is_of(l, k) || (l->knob == last && !apart))
			continue;
		pit_buf_printf(&ids, "%s%s%s%s", ids.len ? ", " : "", l->knob->id, apart ? " " : "",
			       apart ? l->setting->which : "");
		last = l->knob;
	}
	pit_plan_put_title(page, k->together, PIT_YELLOW, ids.data);
}

static size_t count(const struct pit_plan *p, const struct kind *k)
{
	size_t n = 0;

	for (size_t i = 0; i < p->left_out; i++)
		n += is_of(&p->left[i], k);
	return n;
}

void pit_plan_put_left(const struct pit_plan *p, bool verbose, const struct pit_page *page)
{
	bool any = false;

	for (const struct kind *k = kinds; k < kinds + PIT_COUNT(kinds); k++) {
		if (!count(p, k))
			continue;
		if (!any)
			pit_page_colour(page, PIT_BOLD, "LEFT OUT\n\n");
		any = true;
		if (k->together && !verbose) {
			put_together(p, k, page);
			continue;
		}
		for (size_t i = 0; i < p->left_out; i++)
			if (is_of(&p->left[i], k))
				put_one(p, i, k->what, page);
	}
	if (any)
		pit_buf_putc(page->out, '\n');
}
