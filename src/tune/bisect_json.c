/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "tune/bisect.h"

static json_t *names(const struct pit_bisect *b, const bool *on)
{
	json_t *all = json_array();
	char name[256];

	for (size_t i = 0; i < b->units; i++)
		if (on[i])
			json_array_append_new(all, pit_json_text(pit_setting_name(b->unit[i], name, sizeof(name))));
	return all;
}

static json_t *steps(const struct pit_bisect *b)
{
	json_t *all = json_array();

	for (size_t i = 0; i < b->steps; i++) {
		json_t *one = pit_pairs_json(&b->step[i].pairs);

		json_object_set_new(one, "settings", names(b, b->step[i].on));
		json_object_set_new(one, "hurts", json_string(pit_guilt_name(b->step[i].guilt)));
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *guilty(const struct pit_bisect *b)
{
	json_t *all = json_array();
	char name[256];

	for (size_t i = 0; i < b->found.count; i++) {
		const struct pit_culprit *c = &b->found.culprit[i];
		const struct pit_bisect_step *proof = pit_bisect_proof(b, c);
		json_t *one = json_object(), *settings = json_array();

		for (size_t k = 0; k < c->count; k++)
			json_array_append_new(settings,
					      pit_json_text(pit_setting_name(b->unit[c->unit[k]], name, sizeof(name))));
		json_object_set_new(one, "settings", settings);
		json_object_set_new(one, "together", json_boolean(c->count > 1));
		json_object_set_new(one, "step", proof ? json_integer(proof - b->step) : json_null());
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *left_out(const struct pit_bisect *b)
{
	json_t *all = json_array();

	for (size_t i = 0; i < b->left.count; i++)
		json_array_append_new(all, pit_json_text(b->left.item[i]));
	return all;
}

json_t *pit_bisect_json(const struct pit_bisect *b, const struct pit_plan *plan, const struct pit_trial_options *o)
{
	json_t *all = pit_trial_options_json(plan, o), *end = pit_trial_end_json(&b->end);
	json_t *own = json_pack("{s:o, s:o, s:o, s:b, s:I}", "left_out", left_out(b), "steps", steps(b), "guilty",
				guilty(b), "unresolved", b->found.unresolved, "runs", (json_int_t)b->runs);

	if (json_object_update(all, end) || json_object_update(all, own)) {
		json_decref(all);
		all = NULL;
	}
	json_decref(end);
	json_decref(own);
	return all;
}
