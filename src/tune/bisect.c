/* SPDX-License-Identifier: MIT */
#include "tune/bisect.h"

#include <math.h>
#include <string.h>

struct hunt {
	struct pit_bench bench;
	struct pit_bisect *b;
	pit_bisect_tell tell;
	void *arg;
	const bool *on; /* of the comparison that runs */
};

static void free_step(struct pit_bisect_step *s)
{
	free(s->on);
	pit_pairs_free(&s->pairs);
}

void pit_bisect_free(struct pit_bisect *b)
{
	for (size_t i = 0; i < b->steps; i++)
		free_step(&b->step[i]);
	free(b->step);
	free(b->unit);
	pit_strv_free(&b->left);
	pit_culprits_free(&b->found);
	pit_trial_free(&b->end);
	*b = (struct pit_bisect){0};
}

char *pit_setting_name(const struct pit_setting *s, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", s->knob->id, s->which ? " " : "", s->which ? s->which : "");
	return out;
}

static bool has_unit(const struct pit_bisect *b, const struct pit_setting *s)
{
	for (size_t i = 0; i < b->units; i++)
		if (b->unit[i] == s)
			return true;
	return false;
}

static int collect_units(struct pit_bisect *b, const struct pit_plan *plan, struct pit_error *err)
{
	char why[600];
	int rc = 0;

	b->unit = calloc(plan->changes + 1, sizeof(*b->unit));
	if (!b->unit)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; !rc && i < plan->changes; i++) {
		const struct pit_change *c = &plan->change[i];

		if (!pit_lab_takes(c, why, sizeof(why)))
			rc = pit_strv_add(&b->left, why);
		else if (c->setting && !c->companion && !has_unit(b, c->setting))
			b->unit[b->units++] = c->setting;
	}
	if (rc)
		return pit_fail(err, -rc, "out of memory");
	return b->units ? 0
			: pit_fail(err, ENOENT, "there is nothing to try: nothing would change that counts at once");
}

static bool wanted(const struct pit_setting *setting, void *arg)
{
	const struct hunt *h = arg;

	for (size_t i = 0; i < h->b->units; i++)
		if (h->b->unit[i] == setting)
			return h->on[i];
	return false;
}

/* The end of the interval on the side where it hurts, and what all together cost: as logarithms, above 0 is worse. */
static double hurt(const struct hunt *h, double ratio)
{
	bool higher = h->bench.options->metric.pattern && h->bench.options->metric.higher_is_better;

	return higher ? -log(ratio) : log(ratio);
}

/* Not worse is what cannot be half of what is looked for. */
static enum pit_guilt judge(const struct hunt *h, const struct pit_pairs *p)
{
	const struct pit_pairs *whole = &h->b->step[0].pairs;
	double worst = fmax(hurt(h, p->ratio.low), hurt(h, p->ratio.high));

	if (p->effect == PIT_EFFECT_WORSE)
		return PIT_GUILT_YES;
	if (p == whole)
		return PIT_GUILT_NO;
	return worst > hurt(h, whole->ratio.median) / 2 ? PIT_GUILT_UNSURE : PIT_GUILT_NO;
}

/* The same comparison, undecided until now, or a new one. */
static struct pit_bisect_step *step_for(struct pit_bisect *b, const bool *on)
{
	struct pit_bisect_step *s = b->steps ? &b->step[b->steps - 1] : NULL;

	if (s && s->guilt == PIT_GUILT_UNSURE && !memcmp(s->on, on, b->units * sizeof(*on)))
		return s;
	s = reallocarray(b->step, b->steps + 1, sizeof(*s));
	if (!s)
		return NULL;
	b->step = s;
	s += b->steps;
	*s = (struct pit_bisect_step){.on = malloc(b->units * sizeof(*on))};
	if (!s->on)
		return NULL;
	memcpy(s->on, on, b->units * sizeof(*on));
	b->steps++;
	return s;
}

static int compare(const bool *on, int effort, enum pit_guilt *ret, void *arg)
{
	struct hunt *h = arg;
	struct pit_bisect_step *s = step_for(h->b, on);
	size_t pairs = (size_t)h->bench.options->rounds << effort;
	int rc;

	if (!s)
		return -ENOMEM;
	h->on = on;
	s->effort = effort;
	rc = pit_bench_pairs(&h->bench, wanted, h, pairs > s->pairs.count ? pairs - s->pairs.count : 0, &s->pairs);
	if (rc)
		return rc;
	*ret = s->guilt = judge(h, &s->pairs);
	if (h->tell)
		h->tell(h->b, s, h->arg);
	return 0;
}

static int hunt(struct hunt *h)
{
	pit_auto_free bool *all = calloc(h->b->units, sizeof(bool));
	enum pit_guilt guilt;
	int rc = all ? pit_bench_warm_up(&h->bench) : -ENOMEM;

	if (rc)
		return rc;
	memset(all, true, h->b->units * sizeof(bool));
	rc = compare(all, 0, &guilt, h);
	if (!rc && guilt == PIT_GUILT_YES)
		rc = pit_search(h->b->units, compare, h, &h->b->found);
	return rc;
}

static int run(struct hunt *h, struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
	       struct pit_error *err)
{
	int rc = pit_lab_open(state, place, plan, "bisect", &h->bench.lab, err);

	if (rc)
		return rc;
	h->b->end.txn = pit_lab_txn(h->bench.lab);
	rc = hunt(h);
	h->b->runs = h->bench.runs;
	return pit_bench_close(&h->bench, rc, err);
}

/* Comparisons that can never say "worse" would clear every setting. */
static int check_rounds(const struct pit_trial_options *o, struct pit_error *err)
{
	size_t needed = pit_pairs_needed(o->confidence);

	return (size_t)o->rounds >= needed ? 0
					   : pit_fail(err, EINVAL,
						      "%d pairs cannot bear %.4g %% confidence, which needs %zu: "
						      "--rounds=%zu",
						      o->rounds, o->confidence * 100, needed, needed);
}

int pit_bisect_run(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		   const struct pit_trial_options *options, pit_bisect_tell tell, void *arg, struct pit_bisect *ret,
		   struct pit_error *err)
{
	pit_auto_interrupt struct pit_interrupt signals = PIT_INTERRUPT_INIT;
	struct pit_bisect b = {.units = 0};
	struct hunt h = {
		.bench = {.options = options, .signals = &signals, .end = &b.end},
		.b = &b,
		.tell = tell,
		.arg = arg,
	};
	int rc = check_rounds(options, err);

	if (!rc)
		rc = collect_units(&b, plan, err);
	if (!rc)
		rc = pit_meter_new(&options->metric, options->argv, options->hear, options->hear_arg, &h.bench.meter,
				   err);
	if (!rc) {
		rc = pit_interrupt_hold(&signals);
		if (rc)
			rc = pit_fail(err, -rc, "cannot hold back signals: %s", strerror(-rc));
	}
	if (!rc)
		rc = run(&h, state, place, plan, err);
	pit_meter_free(h.bench.meter);
	if (rc)
		pit_bisect_free(&b);
	else
		*ret = b;
	return rc;
}

const struct pit_bisect_step *pit_bisect_proof(const struct pit_bisect *b, const struct pit_culprit *c)
{
	for (size_t i = b->steps; i-- > 0;) {
		size_t same = 0, on = 0;

		for (size_t k = 0; k < c->count; k++)
			same += b->step[i].on[c->unit[k]];
		for (size_t k = 0; k < b->units; k++)
			on += b->step[i].on[k];
		if (same == c->count && on == c->count)
			return &b->step[i];
	}
	return NULL;
}
