/* SPDX-License-Identifier: MIT
 *
 * A plan for a person: what would change, from what to what, why, who feels it; then what would not, and why.
 */
#include <ctype.h>
#include <string.h>

#include "base/idset.h"
#include "report/text.h"
#include "tune/plan_page.h"

#define GROUPS_SHOWN 4 /* of one setting */
#define NAMES_SHOWN 4
#define LINES_SHOWN 12 /* of a file */

static bool is_file(const struct pit_change *c)
{
	return c->cell.target == PIT_TARGET_FILE || c->cell.target == PIT_TARGET_DIR ||
	       c->cell.target == PIT_TARGET_LINK;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Changes that one line can tell. */
static bool same_group(const struct pit_change *a, const struct pit_change *b)
{
	return a->setting == b->setting && a->companion == b->companion && !is_file(a) && !is_file(b) &&
	       same_text(a->old, b->old) && same_text(a->new, b->new);
}

/* The parts in which the objects of a group differ: "cpu0" of "/sys/devices/system/cpu/cpu0/cpufreq/...". */
static void split_names(const struct pit_change *first, const struct pit_strv *objects, struct pit_strv *ret)
{
	const char *a = first->cell.object;
	size_t head = strlen(a), tail = strlen(a);

	for (size_t i = 0; i < objects->count; i++) {
		const char *b = objects->item[i];
		size_t n = 0, len = strlen(b);

		while (n < head && a[n] == b[n])
			n++;
		head = n;
		for (n = 0; n < tail && n < len && a[strlen(a) - 1 - n] == b[len - 1 - n]; n++)
			;
		tail = n;
	}
	while (head && isalnum((unsigned char)a[head - 1]))
		head--;
	if (head && a[head - 1] == '/' && isdigit((unsigned char)a[head])) /* "irq/62": a number alone tells nothing */
		for (head--; head && a[head - 1] != '/';)
			head--;
	while (tail && isalnum((unsigned char)a[strlen(a) - tail]))
		tail--;
	for (size_t i = 0; i < objects->count; i++) {
		size_t len = strlen(objects->item[i]);

		if (head + tail < len)
			(void)pit_strv_add_len(ret, objects->item[i] + head, len - head - tail);
	}
}

/* "cpu0-255" when all names are one word and a number. */
static bool put_numbered(const struct pit_strv *names, struct pit_buf *out)
{
	pit_auto_idset struct pit_idset ids = {0};
	size_t word = strcspn(names->item[0], "0123456789");

	for (size_t i = 0; i < names->count; i++) {
		const char *digits = names->item[i] + word;

		if (strncmp(names->item[i], names->item[0], word) != 0 || !*digits ||
		    digits[strspn(digits, "0123456789")] || pit_idset_add(&ids, (size_t)atoi(digits)))
			return false;
	}
	pit_buf_printf(out, "%.*s", (int)word, names->item[0]);
	pit_idset_print(&ids, out);
	return true;
}

static void put_names(const struct pit_strv *names, struct pit_buf *out)
{
	size_t shown = names->count > NAMES_SHOWN ? NAMES_SHOWN - 1 : names->count;

	if (put_numbered(names, out))
		return;
	for (size_t i = 0; i < shown; i++) {
		pit_buf_puts(out, i ? ", " : "");
		pit_page_clip(out, names->item[i], 40);
	}
	if (shown < names->count)
		pit_buf_printf(out, " and %zu more", names->count - shown);
}

/* Which of the knob's things a cell is: what the '*' of its row stands for, else the cell's name; "" the only one. */
static void put_thing(const struct pit_change *c, struct pit_buf *out)
{
	const char *object = c->knob && !c->knob->resolve ? c->knob->object : NULL;
	const char *star = object ? strchr(object, '*') : NULL;
	size_t head = star ? (size_t)(star - object) : 0;
	char name[512];

	pit_cell_name(&c->cell, name, sizeof(name));
	if (c->knob && ((object && !star) || !strcmp(name, c->knob->id)))
		return;
	while (head && object[head - 1] != '/')
		head--;
	if (star && strlen(c->cell.object) > head)
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(c->cell.object + head, "/"), c->cell.object + head);
	pit_page_clip(out, name, 100);
}

static void put_things(const struct pit_plan *p, size_t at, size_t count, struct pit_buf *out)
{
	const struct pit_change *c = &p->change[at];
	pit_auto_strv struct pit_strv objects = {0}, names = {0};

	for (size_t i = at; objects.count < count && i < p->changes; i++)
		if (same_group(c, &p->change[i]))
			(void)pit_strv_add(&objects, p->change[i].cell.object);
	split_names(c, &objects, &names);
	if (names.count && names.count == objects.count)
		put_names(&names, out);
	else
		pit_buf_printf(out, "%zu things", count);
}

/* What is set: the knob, and which of its things. */
static void put_subject(const struct pit_plan *p, size_t at, size_t count, struct pit_buf *out)
{
	const struct pit_change *c = &p->change[at];
	pit_auto_buf struct pit_buf which = PIT_BUF_INIT;

	if (count == 1)
		put_thing(c, &which);
	else
		put_things(p, at, count, &which);
	if (c->knob && (strncmp(which.data, c->knob->id, strlen(c->knob->id)) != 0 || count > 1))
		pit_buf_printf(out, "%s%s", c->knob->id, which.len ? " on " : "");
	pit_buf_puts(out, which.data);
}

static void put_value(const char *value, struct pit_buf *out)
{
	if (!value)
		pit_buf_puts(out, "nothing");
	else if (!*value)
		pit_buf_puts(out, "''");
	else
		pit_page_clip(out, value, 120);
}

void pit_plan_put_title(const struct pit_page *page, const char *subject, enum pit_colour colour, const char *text)
{
	pit_auto_buf struct pit_buf head = PIT_BUF_INIT, wrapped = PIT_BUF_INIT;
	struct pit_page inner = {.out = &wrapped, .width = page->width, .colours = false};

	pit_buf_printf(&head, "  %s: ", subject);
	pit_page_wrap(&inner, 6, head.data, text);
	pit_page_colour(page, colour, head.data);
	pit_buf_puts(page->out, wrapped.len > head.len ? wrapped.data + head.len : "\n");
}

static void put_reason(const struct pit_setting *s, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	if (s->why)
		pit_buf_puts(&line, s->why);
	if (s->source)
		pit_buf_printf(&line, "%s(%s)", s->why ? " " : "", s->source);
	pit_page_part(page, "why", line.data);
}

static const char *takes_text(const struct pit_knob *k)
{
	static const char *const texts[] = {[PIT_TAKES_LOGIN] = "at the next login",
					    [PIT_TAKES_RESTART] = "when services are restarted, see below",
					    [PIT_TAKES_RESET] = "when the GPU is reset",
					    [PIT_TAKES_REBOOT] = "at the next boot"};

	return k->takes == PIT_TAKES_NOW ? NULL : texts[k->takes];
}

static size_t count_group(const struct pit_plan *p, size_t at)
{
	size_t count = 0;

	for (size_t i = at; i < p->changes; i++)
		count += same_group(&p->change[at], &p->change[i]);
	return count;
}

static bool is_first_of_group(const struct pit_plan *p, size_t at)
{
	for (size_t i = at; i-- > 0 && p->change[i].setting == p->change[at].setting;)
		if (same_group(&p->change[i], &p->change[at]))
			return false;
	return true;
}

static void put_group(const struct pit_plan *p, size_t at, const struct pit_page *page)
{
	const struct pit_change *c = &p->change[at];
	pit_auto_buf struct pit_buf subject = PIT_BUF_INIT, text = PIT_BUF_INIT;

	put_subject(p, at, count_group(p, at), &subject);
	put_value(c->old, &text);
	pit_buf_puts(&text, " -> ");
	put_value(c->new, &text);
	pit_plan_put_title(page, subject.data, PIT_CYAN, text.data);
}

/* What the kernel changes along with changes `from` to `to`. */
static void put_companions(const struct pit_plan *p, size_t from, size_t to, bool verbose, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	size_t count = 0;
	char name[512];

	for (size_t i = from; i < to; i++) {
		if (!p->change[i].companion)
			continue;
		if (++count > NAMES_SHOWN && !verbose)
			continue;
		pit_buf_puts(&text, count > 1 ? ", " : "");
		pit_page_clip(&text, pit_cell_name(&p->change[i].cell, name, sizeof(name)), 120);
		pit_buf_puts(&text, " (");
		put_value(p->change[i].old, &text);
		pit_buf_putc(&text, ')');
	}
	if (count > NAMES_SHOWN && !verbose)
		pit_buf_printf(&text, " and %zu more", count - NAMES_SHOWN);
	if (count)
		pit_buf_puts(&text, "; the kernel changes that with it, and it is put back with it");
	pit_page_part(page, "along", text.data);
}

/* What all changes of a setting have in common. */
static void put_details(const struct pit_change *c, const struct pit_page *page)
{
	pit_page_part(page, "set by", c->origin);
	pit_page_part(page, "seen", c->evidence);
	put_reason(c->setting, page);
	pit_page_part(page, "felt by", c->knob->blast);
	pit_page_part(page, "counts", takes_text(c->knob));
}

/* All changes of values of the setting of change `at`, which is the first of it; returns the index behind them. */
static size_t put_setting(const struct pit_plan *p, size_t at, bool verbose, const struct pit_page *page)
{
	const struct pit_change *first = NULL;
	size_t shown = 0, hidden = 0, i;

	for (i = at; i < p->changes && p->change[i].setting == p->change[at].setting && !is_file(&p->change[i]); i++) {
		if (p->change[i].companion || !is_first_of_group(p, i))
			continue;
		first = first ? first : &p->change[i];
		if (shown++ < GROUPS_SHOWN || verbose)
			put_group(p, i, page);
		else
			hidden += count_group(p, i);
	}
	if (hidden)
		pit_buf_printf(page->out, "  and %zu more of %s; --verbose shows them all\n", hidden,
			       p->change[at].knob->id);
	if (first)
		put_details(first, page);
	put_companions(p, at, i, verbose, page);
	pit_buf_putc(page->out, '\n');
	return i;
}

static void put_values(const struct pit_plan *p, bool will, bool verbose, const struct pit_page *page)
{
	size_t i = 0;

	if (!p->changes || is_file(&p->change[0]))
		return;
	pit_page_colour(page, PIT_BOLD, will ? "WILL CHANGE\n\n" : "WOULD CHANGE\n\n");
	while (i < p->changes && !is_file(&p->change[i]))
		i = put_setting(p, i, verbose, page);
}

static bool is_told(const char *line)
{
	return *line != '#' && *line != '\n' && *line;
}

/* The lines of a file that say something. */
static void put_lines(const char *text, bool verbose, const struct pit_page *page)
{
	size_t shown = 0, hidden = 0;

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (!is_told(text))
			continue;
		if (shown++ >= LINES_SHOWN && !verbose) {
			hidden++;
			continue;
		}
		pit_auto_free char *line = strndup(text, len);

		pit_buf_puts(page->out, "      ");
		pit_page_clip(page->out, line ? line : "", 200);
		pit_buf_putc(page->out, '\n');
	}
	if (hidden)
		pit_buf_printf(page->out, "      and %zu more lines; --verbose shows them all\n", hidden);
}

static void put_file(const struct pit_change *c, bool verbose, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (c->cell.target == PIT_TARGET_LINK && c->new) {
		pit_buf_puts(&text, "a link to ");
		pit_page_clip(&text, c->new, 200);
	} else {
		pit_buf_printf(&text, "%s%s",
			       !c->new  ? "removed"
			       : c->old ? "replaced"
					: "new",
			       c->cell.target == PIT_TARGET_DIR ? ", a directory" : "");
	}
	pit_plan_put_title(page, c->cell.object, PIT_CYAN, text.data);
	if (c->setting)
		put_reason(c->setting, page);
	if (c->cell.target == PIT_TARGET_FILE && c->new)
		put_lines(c->new, verbose, page);
}

static void put_files(const struct pit_plan *p, bool will, bool verbose, const struct pit_page *page)
{
	bool any = false;

	for (size_t i = 0; i < p->changes; i++) {
		if (!is_file(&p->change[i]))
			continue;
		if (!any)
			pit_page_colour(page, PIT_BOLD,
					will ? "WILL WRITE, so that it lasts over a reboot\n\n"
					     : "WOULD WRITE, so that it lasts over a reboot\n\n");
		any = true;
		put_file(&p->change[i], verbose, page);
	}
	if (any)
		pit_buf_putc(page->out, '\n');
}

static void put_sentences(const struct pit_strv *sentences, const char *head, const struct pit_page *page)
{
	if (!sentences->count)
		return;
	pit_page_colour(page, PIT_BOLD, head);
	for (size_t i = 0; i < sentences->count; i++)
		pit_page_wrap(page, 4, "  - ", sentences->item[i]);
	pit_buf_putc(page->out, '\n');
}

void pit_plan_text(const struct pit_plan *p, bool will, bool verbose, const struct pit_page *page)
{
	put_values(p, will, verbose, page);
	put_files(p, will, verbose, page);
	pit_plan_put_left(p, verbose, page);
	put_sentences(&p->conflicts, "CONFLICTS\n\n", page);
	put_sentences(&p->notes, "NOTES\n\n", page);
	put_sentences(&p->restarts, "AFTERWARDS\n\n", page);
	if (p->needs_reboot)
		pit_buf_puts(page->out, "Some of it counts from the next boot on.\n\n");
}
