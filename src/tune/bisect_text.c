/* SPDX-License-Identifier: MIT */
#include "report/text.h"
#include "tune/bisect.h"

static void list_units(const struct pit_bisect *b, const struct pit_culprit *c, struct pit_buf *out)
{
	char name[256];

	for (size_t i = 0; i < c->count; i++) {
		const struct pit_setting *s = b->unit[c->unit[i]];

		pit_buf_printf(out, "%s%s (%s)", i ? ", " : "", pit_setting_name(s, name, sizeof(name)), s->value);
	}
}

static void culprit(const struct pit_bisect *b, const struct pit_culprit *c, const struct pit_trial_options *o,
		    const struct pit_page *page)
{
	const struct pit_bisect_step *proof = pit_bisect_proof(b, c);
	pit_auto_buf struct pit_buf s = PIT_BUF_INIT;

	list_units(b, c, &s);
	pit_buf_puts(&s, c->count > 1 ? ": these hurt together, none of them alone." : " hurts.");
	pit_page_colour(page, PIT_RED, "Guilty: ");
	pit_page_wrap(page, 0, NULL, s.data);
	if (proof)
		pit_pairs_text(&proof->pairs, o, page->out);
}

static void outcome(const struct pit_bisect *b, const struct pit_trial_options *o, const struct pit_page *page)
{
	bool whole_hurts = b->steps && b->step[0].guilt == PIT_GUILT_YES;

	for (size_t i = 0; i < b->found.count; i++)
		culprit(b, &b->found.culprit[i], o, page);
	if (b->found.unresolved)
		pit_page_wrap(page, 0, NULL,
			      b->found.count
				      ? "What is left without it hurts, too, but no part of that could be named: the "
					"measurements vary too much. More --rounds may help."
				      : "All settings together hurt, but no part of them could be named: the "
					"measurements vary too much. More --rounds may help.");
	else if (b->found.count)
		pit_page_wrap(page, 0, NULL,
			      b->units > 1 ? "The other settings, without it, were not shown to hurt."
					   : "It is the only setting.");
	else if (whole_hurts)
		pit_page_wrap(page, 0, NULL,
			      "The first comparison said that the settings hurt; asked again with more pairs, they do "
			      "not. None is guilty.");
	else
		pit_page_wrap(page, 0, NULL, "All settings together do not hurt this command: none is guilty.");
}

void pit_bisect_text(const struct pit_bisect *b, const struct pit_trial_options *o, const struct pit_page *page)
{
	pit_buf_printf(page->out, "%zu settings, %zu comparisons, %zu runs of the command\n", b->units, b->steps,
		       b->runs);
	for (size_t i = 0; i < b->left.count; i++)
		pit_page_wrap(page, 2, "- ", b->left.item[i]);
	if (b->steps) {
		pit_buf_puts(page->out, "\nAll together against none:\n");
		pit_pairs_text(&b->step[0].pairs, o, page->out);
	}
	pit_buf_putc(page->out, '\n');
	if (b->end.end == PIT_TRIAL_DONE)
		outcome(b, o, page);
	pit_trial_end_text(&b->end, page);
}
