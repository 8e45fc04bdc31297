/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "tune/trial.h"

static json_t *text(const char *t)
{
	return pit_json_text(t);
}

static json_t *changes(const struct pit_plan *plan)
{
	json_t *all = json_array();
	char name[512];

	for (size_t i = 0; i < plan->changes; i++) {
		const struct pit_change *c = &plan->change[i];

		json_array_append_new(all, json_pack("{s:s, s:o, s:o, s:o, s:b}", "knob", c->knob ? c->knob->id : "",
						     "object", text(pit_cell_name(&c->cell, name, sizeof(name))), "old",
						     text(c->old), "new", text(c->new), "companion", c->companion));
	}
	return all;
}

static json_t *command(const char *const *argv)
{
	json_t *all = json_array();

	for (; *argv; argv++)
		json_array_append_new(all, text(*argv));
	return all;
}

static json_t *interval(const struct pit_pairs *p)
{
	return !p->judged ? json_null()
			  : json_pack("{s:f, s:f, s:f, s:f}", "low", p->ratio.low, "median", p->ratio.median, "high",
				      p->ratio.high, "confidence", p->ratio.confidence);
}

json_t *pit_pairs_json(const struct pit_pairs *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->count; i++)
		json_array_append_new(all, json_pack("{s:f, s:f, s:f}", "without", p->without[i], "with", p->with[i],
						     "ratio", p->with[i] / p->without[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pairs", all, "median_without",
			 p->count ? json_real(pit_median(p->without, p->count)) : json_null(), "median_with",
			 p->count ? json_real(pit_median(p->with, p->count)) : json_null(), "ratio", interval(p),
			 "effect", p->judged ? json_string(pit_effect_name(p->effect)) : json_null());
}

static json_t *sentences(const struct pit_strv *v)
{
	json_t *all = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(all, text(v->item[i]));
	return all;
}

json_t *pit_trial_end_json(const struct pit_trial *t)
{
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:b, s:o, s:o}", "txn", t->txn, "end", pit_trial_end_name(t->end),
			 "stopped", text(t->stopped), "signal", t->signal ? json_integer(t->signal) : json_null(),
			 "words", text(t->words), "restored", t->restored, "damage", text(t->damage),
			 "changed_by_others", sentences(&t->kept));
}

json_t *pit_trial_options_json(const struct pit_plan *plan, const struct pit_trial_options *o)
{
	bool higher = o->metric.pattern && o->metric.higher_is_better;

	return json_pack("{s:i, s:o, s:o, s:s, s:s, s:i, s:i, s:f, s:f}", "schema", 1, "changes", changes(plan),
			 "command", command(o->argv), "metric", o->metric.pattern ? o->metric.pattern : "wall",
			 "better", higher ? "higher" : "lower", "rounds", o->rounds, "warmup", o->warmup, "confidence",
			 o->confidence, "least", o->least);
}

json_t *pit_trial_json(const struct pit_trial *t, const struct pit_plan *plan, const struct pit_trial_options *o)
{
	json_t *all = pit_trial_options_json(plan, o), *pairs = pit_pairs_json(&t->pairs), *end = pit_trial_end_json(t);

	if (json_object_update(all, pairs) || json_object_update(all, end)) {
		json_decref(all);
		all = NULL;
	}
	json_decref(pairs);
	json_decref(end);
	return all;
}
