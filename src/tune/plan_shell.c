/* SPDX-License-Identifier: MIT
 *
 * A plan as a script that does the same, and takes it back.
 */
#include <string.h>

#include "report/text.h"
#include "tune/hook.h"
#include "tune/plan_draft.h"

static void put_comment(struct pit_buf *out, const char *indent, const char *text)
{
	pit_buf_printf(out, "%s# ", indent);
	pit_page_clip(out, text, 500);
	pit_buf_putc(out, '\n');
}

static void put_why(const struct pit_change *c, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	if (c->knob)
		pit_buf_puts(&line, c->knob->id);
	else
		pit_buf_puts(&line, c->cell.object);
	if (c->cell.target != PIT_TARGET_FILE)
		pit_buf_printf(&line, ", %s -> %s", c->old ? c->old : "nothing", c->new ? c->new : "nothing");
	if (c->setting && c->setting->why)
		pit_buf_printf(&line, ": %s", c->setting->why);
	put_comment(out, "", line.data);
	if (c->origin) {
		pit_buf_clear(&line);
		pit_buf_printf(&line, "the old value is set by %s", c->origin);
		put_comment(out, "", line.data);
	}
}

static void put_command(const char *const *argv, struct pit_buf *out)
{
	for (; *argv; argv++) {
		pit_shell_quote(*argv, out);
		if (argv[1])
			pit_buf_putc(out, ' ');
	}
}

/* What makes changed files count. Run only where its program is. */
static void put_hook(const struct pit_hook *hook, struct pit_buf *out)
{
	pit_buf_puts(out, "if command -v ");
	pit_shell_quote(hook->argv[0], out);
	pit_buf_puts(out, " >/dev/null");
	if (hook->needs) {
		pit_buf_puts(out, " && [ -e ");
		pit_shell_quote(hook->needs, out);
		pit_buf_puts(out, " ]");
	}
	pit_buf_puts(out, "; then\n");
	if (hook->check) {
		pit_buf_puts(out, "\t");
		put_command(hook->check, out);
		pit_buf_puts(out, "\n");
	}
	pit_buf_puts(out, "\t");
	put_command(hook->argv, out);
	pit_buf_printf(out, "%s\nfi\n", hook->vital ? "" : " || true");
}

static void put_hooks(const struct pit_plan *p, struct pit_buf *out)
{
	for (const struct pit_hook *hook = pit_hooks; hook->path; hook++) {
		for (size_t i = 0; i < p->changes; i++) {
			if (!pit_hook_fits(hook, &p->change[i].cell))
				continue;
			put_hook(hook, out);
			break;
		}
	}
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The comment of the change before says it all. */
static bool is_told(const struct pit_plan *p, size_t at)
{
	const struct pit_change *c = &p->change[at], *before = at ? c - 1 : NULL;

	return before && c->setting && before->setting == c->setting && same_text(before->old, c->old) &&
	       same_text(before->new, c->new);
}

static void put_apply(const struct pit_plan *p, struct pit_buf *out)
{
	for (size_t i = 0; i < p->changes; i++) {
		const struct pit_change *c = &p->change[i];

		if (c->companion)
			continue;
		if (!is_told(p, i))
			put_why(c, out);
		pit_target(c->cell.target)->shell(&c->cell, c->new, out);
	}
}

/* True when undoing another change disturbs this one again. */
static bool is_disturbed(const struct pit_plan *p, const struct pit_change *c)
{
	for (size_t i = 0; i < p->changes; i++)
		if (p->change[i].knob && p->change[i].knob != c->knob && p->change[i].knob->disturbs &&
		    pit_draft_disturbs(p->change[i].knob, &c->cell))
			return true;
	return false;
}

static void put_undo(const struct pit_plan *p, struct pit_buf *out)
{
	for (size_t i = p->changes; i-- > 0;) {
		const struct pit_change *c = &p->change[i];

		if (c->companion)
			put_comment(out, "", "changed along by the kernel");
		pit_target(c->cell.target)->shell(&c->cell, c->old, out);
	}
	for (size_t i = 0; i < p->changes; i++) {
		const struct pit_change *c = &p->change[i];

		if (c->companion || !c->knob || !is_disturbed(p, c))
			continue;
		put_comment(out, "", "once more, for the kernel changed it along");
		pit_target(c->cell.target)->shell(&c->cell, c->old, out);
	}
}

static void put_sentences(const struct pit_strv *v, struct pit_buf *out)
{
	for (size_t i = 0; i < v->count; i++)
		put_comment(out, "", v->item[i]);
}

void pit_plan_shell(const struct pit_plan *p, struct pit_buf *out)
{
	pit_buf_puts(out, "#!/bin/sh\n");
	put_comment(
		out, "",
		"Made by pitcrew tune plan --format sh. As root: \"sh THIS\" applies it, \"sh THIS undo\" takes it back.");
	pit_buf_puts(
		out,
		"# Nothing is journalled; \"pitcrew tune apply\" does the same and keeps the old values itself.\n");
	put_sentences(&p->conflicts, out);
	pit_buf_puts(out, "set -eu\n\napply() {\n:\n");
	put_apply(p, out);
	put_hooks(p, out);
	pit_buf_puts(
		out,
		"}\n\n# The old values, the last change first. What fails does not keep the rest from being put back.\nundo() {\nset +e\n");
	put_undo(p, out);
	put_hooks(p, out);
	pit_buf_puts(
		out,
		"}\n\ncase ${1-apply} in\napply) apply ;;\nundo) undo ;;\n*)\n\techo \"usage: sh THIS [undo]\" >&2\n\texit 64\n\t;;\nesac\n");
	if (p->needs_reboot)
		pit_buf_puts(out, "# Some of it counts from the next boot on.\n");
	put_sentences(&p->restarts, out);
}
