/* SPDX-License-Identifier: MIT */
#include <jansson.h>

#include "base/json.h"
#include "tune/plan.h"

static const char *left_name(enum pit_left_why why)
{
	static const char *const names[] = {
		[PIT_LEFT_RIGHT] = "right",     [PIT_LEFT_ABSENT] = "absent",   [PIT_LEFT_REFUSED] = "refused",
		[PIT_LEFT_UNKNOWN] = "unknown", [PIT_LEFT_PERSIST] = "persist",
	};

	return names[why];
}

static const char *takes_name(const struct pit_knob *k)
{
	static const char *const names[] = {
		[PIT_TAKES_NOW] = "now",     [PIT_TAKES_LOGIN] = "login",   [PIT_TAKES_RESTART] = "restart",
		[PIT_TAKES_RESET] = "reset", [PIT_TAKES_REBOOT] = "reboot",
	};

	return names[k->takes];
}

static json_t *change_object(const struct pit_change *c)
{
	const struct pit_setting *s = c->setting;

	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "knob",
			 pit_json_text(c->knob ? c->knob->id : NULL), "which", pit_json_text(s ? s->which : NULL),
			 "target", pit_target(c->cell.target)->name, "object", pit_json_text(c->cell.object), "old",
			 pit_json_text(c->old), "new", pit_json_text(c->new), "companion", c->companion, "origin",
			 pit_json_text(c->origin), "evidence", pit_json_text(c->evidence), "why",
			 pit_json_text(s ? s->why : NULL), "source", pit_json_text(s ? s->source : NULL), "where",
			 pit_json_text(s ? s->where : NULL), "blast", pit_json_text(c->knob ? c->knob->blast : NULL),
			 "takes", pit_json_text(c->knob ? takes_name(c->knob) : NULL));
}

static json_t *left_object(const struct pit_left_out *l)
{
	bool unknown = l->why == PIT_LEFT_UNKNOWN;

	return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o}", "knob", l->knob->id, "which",
			 pit_json_text(l->setting->which), "object", pit_json_text(*l->object ? l->object : NULL),
			 "reason", left_name(l->why), "state", pit_json_text(unknown ? pit_state_name(l->state) : NULL),
			 "text", pit_json_text(l->text));
}

static json_t *sentences(const struct pit_strv *v)
{
	json_t *array = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(array, pit_json_text(v->item[i]));
	return array;
}

static json_t *profile_object(const struct pit_profile *p)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "name", pit_json_text(p->name), "file", pit_json_text(p->file),
			 "summary", pit_json_text(p->summary), "local_files", sentences(&p->local));
}

static json_t *plan_object(const struct pit_plan *p)
{
	json_t *changes = json_array(), *left = json_array();
	struct pit_plan_counts n;

	pit_plan_counts(p, &n);
	for (size_t i = 0; i < p->changes; i++)
		json_array_append_new(changes, change_object(&p->change[i]));
	for (size_t i = 0; i < p->left_out; i++)
		json_array_append_new(left, left_object(&p->left[i]));
	return json_pack("{s:i, s:s, s:o, s:b, s:o, s:{s:i, s:i, s:i, s:i, s:i}, s:o, s:o, s:o, s:o, s:b, s:o}",
			 "schema", 1, "pitcrew", PITCREW_VERSION, "profile", profile_object(p->profile), "persist",
			 p->persist, "transaction", p->txn ? json_integer(p->txn) : json_null(), "summary", "values",
			 (int)n.values, "files", (int)n.files, "companions", (int)n.companions, "right", (int)n.right,
			 "left_out", (int)n.left, "changes", changes, "left_out", left, "conflicts",
			 sentences(&p->conflicts), "notes", sentences(&p->notes), "needs_reboot", p->needs_reboot,
			 "restarts", sentences(&p->restarts));
}

int pit_plan_json(const struct pit_plan *p, struct pit_buf *out)
{
	return pit_json_put(plan_object(p), out);
}
