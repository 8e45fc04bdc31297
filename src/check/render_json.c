/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "check/run.h"

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static json_t *words_array(const char *words)
{
	pit_auto_strv struct pit_strv v = {0};
	json_t *array = json_array();

	if (words)
		pit_strv_split(&v, words, " ");
	for (size_t i = 0; i < v.count; i++)
		json_array_append_new(array, json_string(v.item[i]));
	return array;
}

static json_t *evidence_array(const struct pit_finding *f)
{
	json_t *array = json_array();

	for (size_t i = 0; i < f->evidences; i++)
		json_array_append_new(array, json_pack("{s:o, s:o}", "source", pit_json_text(f->evidence[i].source),
						       "text", pit_json_text(f->evidence[i].text)));
	return array;
}

static json_t *remedy_object(const struct pit_finding *f)
{
	return json_pack("{s:o, s:o, s:o, s:b}", "text", pit_json_text(pit_finding_remedy(f)), "command",
			 pit_json_text(pit_finding_command(f)), "knobs", words_array(f->check->knob), "reboot",
			 f->check->reboot);
}

static json_t *waiver_object(const struct pit_waiver *w)
{
	if (!w)
		return json_null();
	return json_pack("{s:s, s:o, s:b}", "until", w->until, "reason", pit_json_text(w->reason), "expired",
			 w->expired);
}

static json_t *finding_object(const struct pit_report *r, size_t i)
{
	const struct pit_finding *f = &r->finding[i];
	const char *state = f->skip_state == PIT_STATE_OK ? "not applicable" : pit_state_name(f->skip_state);

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:i, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", f->check->id,
		"area", pit_area_name(f->check->area), "status", pit_status_name(f->status), "impact",
		pit_impact_name(f->impact), "title", f->check->title, "observed", pit_json_text(f->observed), "wanted",
		pit_json_text(f->wanted), "evidence", evidence_array(f), "evidence_left_out", (int)f->evidence_left_out,
		"origin", pit_json_text(f->origin), "why", f->check->why, "remedy", remedy_object(f), "refs",
		words_array(f->check->refs), "skip_reason", pit_json_text(f->skip_reason), "skip_state",
		f->status == PIT_SKIP ? json_string(state) : json_null(), "waiver", waiver_object(r->waiver[i]));
}

static json_t *host_object(const struct pit_report *r)
{
	static const char *const virts[] = {
		[PIT_VIRT_UNKNOWN] = NULL, [PIT_VIRT_NONE] = "none", [PIT_VIRT_VM] = "vm", [PIT_VIRT_WSL] = "wsl"};
	const struct pit_platform *p = &r->platform;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "name",
			 pit_json_text(or_null(p->hostname)), "distro", pit_json_text(or_null(p->distro)), "kernel",
			 pit_json_text(or_null(p->kernel)), "arch", pit_json_text(or_null(p->arch)), "virt",
			 pit_json_text(virts[p->virt]), "hypervisor", pit_json_text(or_null(p->hypervisor)),
			 "container", pit_json_text(or_null(p->container)), "cpus", pit_json_number(r->cpus), "nodes",
			 pit_json_number(r->nodes), "mem_kb", pit_json_number(r->mem_kb), "gpus",
			 pit_json_number(r->gpus), "live", r->live, "as_root", r->as_root);
}

int pit_report_json(const struct pit_report *r, struct pit_buf *out)
{
	json_t *findings = json_array(), *top;

	for (size_t i = 0; i < r->count; i++)
		if (json_array_append_new(findings, finding_object(r, i)))
			r = NULL;
	if (!r) {
		json_decref(findings);
		return -ENOMEM;
	}
	top = json_pack("{s:i, s:s, s:o, s:s, s:{s:i, s:i, s:i, s:i, s:i, s:o}, s:o}", "schema", 1, "pitcrew", r->tool,
			"host", host_object(r), "workload", r->workload == PIT_TRAINING ? "training" : "inference",
			"summary", "pass", (int)r->pass, "warn", (int)r->warn, "fail", (int)r->fail, "skip",
			(int)r->skip, "waived", (int)r->waived, "ms", json_real(round(r->ms * 10) / 10), "findings",
			findings);
	return pit_json_put(top, out);
}

int pit_catalog_json(const struct pit_selection *selection, struct pit_buf *out)
{
	json_t *array = json_array();

	PIT_CATALOG_FOREACH (row) {
		if (pit_selection_has(selection, row))
			json_array_append_new(array,
					      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:o, s:s?}", "id", row->id,
							"area", pit_area_name(row->area), "title", row->title, "impact",
							pit_impact_name(row->impact), "otherwise",
							pit_status_name(row->otherwise), "remedy", row->remedy, "knobs",
							words_array(row->knob), "source", row->source));
	}
	return pit_json_put(array, out);
}
