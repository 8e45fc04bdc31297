/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "report/text.h"
#include "tune/trial.h"

#define CHANGES_SHOWN 12

static bool is_higher_better(const struct pit_trial_options *o)
{
	return o->metric.pattern && o->metric.higher_is_better;
}

static void changes(const struct pit_plan *plan, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char name[512];

	for (size_t i = 0; i < plan->changes && i < CHANGES_SHOWN; i++) {
		const struct pit_change *c = &plan->change[i];

		if (c->companion)
			continue;
		pit_buf_clear(&line);
		pit_buf_printf(&line, "%s: %s -> %s", pit_cell_name(&c->cell, name, sizeof(name)),
			       c->old ? c->old : "absent", c->new ? c->new : "absent");
		pit_page_wrap(page, 2, NULL, line.data);
	}
	if (plan->changes > CHANGES_SHOWN)
		pit_buf_printf(page->out, "  and %zu more\n", plan->changes - CHANGES_SHOWN);
}

static void side(const char *name, const double *value, size_t count, const char *unit, struct pit_buf *out)
{
	double least = value[0], most = value[0];

	for (size_t i = 1; i < count; i++) {
		least = fmin(least, value[i]);
		most = fmax(most, value[i]);
	}
	pit_buf_printf(out, "  %-8s %10.5g%s   %.5g to %.5g\n", name, pit_median(value, count), unit, least, most);
}

void pit_pairs_text(const struct pit_pairs *p, const struct pit_trial_options *o, struct pit_buf *out)
{
	const char *unit = o->metric.pattern ? "" : " s";

	if (!p->count)
		return;
	side("without", p->without, p->count, unit, out);
	side("with", p->with, p->count, unit, out);
	if (p->judged)
		pit_buf_printf(out, "  %-8s %10.4f%s   %.4f to %.4f (%.4g %% interval)\n", "ratio", p->ratio.median,
			       o->metric.pattern ? "" : "  ", p->ratio.low, p->ratio.high, p->ratio.confidence * 100);
}

/* "0.25", "3.1", "160": so many digits, and all of those before the point. */
static const char *percent(double share, int digits, char out[32])
{
	double value = 100 * fabs(share);

	if (value >= pow(10, digits) - 0.5)
		snprintf(out, 32, "%.0f", value);
	else
		snprintf(out, 32, "%.*g", digits, value);
	return out;
}

static void effect(const struct pit_pairs *p, const struct pit_trial_options *o, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf s = PIT_BUF_INIT;
	bool more = p->ratio.median > 1;
	double low = fabs(p->ratio.low - 1), high = fabs(p->ratio.high - 1);
	char middle[32], from[32], to[32];

	pit_buf_printf(&s, "with it %s %s %% %s (%s %% to %s %%).",
		       o->metric.pattern ? "the number is" : "the command takes",
		       percent(p->ratio.median - 1, 3, middle),
		       o->metric.pattern ? (more ? "higher" : "lower") : (more ? "more time" : "less time"),
		       percent(fmin(low, high), 3, from), percent(fmax(low, high), 3, to));
	if (p->effect == PIT_EFFECT_BETTER)
		pit_page_colour(page, PIT_GREEN, "Better: ");
	else
		pit_page_colour(page, PIT_RED, "Worse: ");
	pit_page_wrap(page, 0, NULL, s.data);
}

/* What this many pairs did not rule out. */
static void no_effect(const struct pit_pairs *p, const struct pit_trial_options *o, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf s = PIT_BUF_INIT;
	double widest = fmax(fabs(p->ratio.low - 1), fabs(p->ratio.high - 1));
	char text[32];

	if (p->ratio.low > 1 || p->ratio.high < 1)
		pit_buf_printf(&s, "The difference is smaller than %s %%, which is what counts (--least).",
			       percent(o->least, 3, text));
	else
		pit_buf_printf(&s,
			       "The interval holds 1. An effect of up to %s %% may hide in it; more rounds narrow it "
			       "down.",
			       percent(widest, 2, text));
	pit_page_colour(page, PIT_BOLD, "No measurable effect. ");
	pit_page_wrap(page, 0, NULL, s.data);
}

static void unsure(const struct pit_pairs *p, const struct pit_trial_options *o, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf s = PIT_BUF_INIT;

	pit_buf_printf(&s,
		       "Of %zu, chance alone puts all on one side too often: they bear %.3g %% confidence, and %.4g %% "
		       "needs %zu (--rounds=%zu).",
		       p->count, p->ratio.confidence * 100, o->confidence * 100, pit_pairs_needed(o->confidence),
		       pit_pairs_needed(o->confidence));
	pit_page_colour(page, PIT_YELLOW, "Not enough pairs to tell. ");
	pit_page_wrap(page, 0, NULL, s.data);
}

static void verdict(const struct pit_pairs *p, const struct pit_trial_options *o, const struct pit_page *page)
{
	if (p->effect == PIT_EFFECT_UNSURE)
		unsure(p, o, page);
	else if (p->effect == PIT_EFFECT_NONE)
		no_effect(p, o, page);
	else
		effect(p, o, page);
}

void pit_trial_end_text(const struct pit_trial *t, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf s = PIT_BUF_INIT;

	if (t->stopped) {
		pit_buf_printf(&s, "Ended early: %s.", t->stopped);
		pit_page_wrap(page, 0, NULL, s.data);
	}
	if (t->words && *t->words) {
		pit_buf_puts(page->out, "The last that the command printed:\n");
		pit_auto_strv struct pit_strv lines = {0};

		if (!pit_strv_split(&lines, t->words, "\n\r"))
			for (size_t i = 0; i < lines.count; i++)
				pit_page_wrap(page, 4, NULL, lines.item[i]);
	}
	for (size_t i = 0; i < t->kept.count; i++)
		pit_page_wrap(page, 0, NULL, t->kept.item[i]);
	if (t->damage) {
		pit_page_colour(page, PIT_RED, "NOT RESTORED: ");
		pit_page_wrap(page, 0, NULL, t->damage);
	} else {
		pit_buf_printf(page->out, "%s is as it was before the trial.\n",
			       t->kept.count ? "All else" : "Every value");
	}
}

void pit_trial_text(const struct pit_trial *t, const struct pit_plan *plan, const struct pit_trial_options *o,
		    const struct pit_page *page)
{
	pit_buf_puts(page->out, "Tried:\n");
	changes(plan, page);
	pit_buf_printf(page->out, "%zu of %d pairs, %s, %s is better\n\n", t->pairs.count, o->rounds,
		       o->metric.pattern ? "the number that the command prints" : "wall clock",
		       is_higher_better(o) ? "higher" : "lower");
	if (t->pairs.count) {
		pit_pairs_text(&t->pairs, o, page->out);
		pit_buf_putc(page->out, '\n');
	}
	if (t->pairs.judged)
		verdict(&t->pairs, o, page);
	pit_trial_end_text(t, page);
}
