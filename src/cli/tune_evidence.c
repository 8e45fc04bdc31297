/* SPDX-License-Identifier: MIT
 *
 * What the checks say of the knobs of a profile: the reason why a plan would change them.
 */
#include <string.h>

#include "base/words.h"
#include "check/run.h"
#include "cli/tune.h"

static bool names_one_of(const char *knobs, const struct pit_profile *p)
{
	for (size_t i = 0; i < p->settings; i++)
		if (pit_words_have(knobs, " ", p->setting[i].knob->id))
			return true;
	return false;
}

static int select_rows(const struct pit_profile *p, struct pit_selection *ret)
{
	int rc = 0;

	PIT_CATALOG_FOREACH (row)
		if (!rc && row->knob && names_one_of(row->knob, p))
			rc = pit_strv_add(&ret->only, row->id);
	return rc;
}

/* "60, wanted at most 10", with the reading that shows the cost when there is one. */
static char *tell(const struct pit_finding *f)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_buf_puts(&text, f->observed ? f->observed : f->check->title);
	if (f->wanted)
		pit_buf_printf(&text, ", wanted %s", f->wanted);
	if (f->impact == PIT_HURTING && f->evidences)
		pit_buf_printf(&text, " (%s: %s)", f->evidence[0].source, f->evidence[0].text);
	return pit_buf_take(&text);
}

static int add(struct pit_tune_evidence *to, const struct pit_finding *f)
{
	char *text = tell(f);
	struct pit_plan_evidence *more = text ? realloc(to->item, (to->count + 1) * sizeof(*more)) : NULL;

	if (!more) {
		free(text);
		return -ENOMEM;
	}
	to->item = more;
	more[to->count++] = (struct pit_plan_evidence){.knob = f->check->knob, .check = f->check->id, .text = text};
	return 0;
}

static int run_rows(struct pit_facts *facts, const struct pit_selection *rows, struct pit_tune_evidence *ret,
		    struct pit_error *err)
{
	struct pit_report report = {0};
	int rc = pit_check_run(facts, rows, NULL, &report, err);

	for (size_t i = 0; i < report.count && !rc; i++) {
		const struct pit_finding *f = &report.finding[i];

		if (f->status == PIT_WARN || f->status == PIT_FAIL)
			rc = add(ret, f);
	}
	pit_report_free(&report);
	return rc;
}

int pit_tune_evidence(struct pit_root *root, const struct pit_profile *profile, struct pit_tune_evidence *ret,
		      struct pit_error *err)
{
	struct pit_facts_options options = {.workload = PIT_TRAINING};
	struct pit_selection rows = {0};
	struct pit_tune_evidence e = {0};
	struct pit_facts *facts = NULL;
	int rc = select_rows(profile, &rows);

	if (profile->workload && !strcmp(profile->workload, "inference"))
		options.workload = PIT_INFERENCE;
	if (!rc && rows.only.count) { /* an empty list would mean all */
		rc = pit_facts_new(root, &options, &facts, err);
		rc = rc ? rc : run_rows(facts, &rows, &e, err);
		pit_facts_free(facts);
	}
	pit_strv_free(&rows.only);
	if (rc)
		pit_tune_evidence_free(&e);
	else
		*ret = e;
	return rc;
}

void pit_tune_evidence_free(struct pit_tune_evidence *e)
{
	for (size_t i = 0; i < e->count; i++)
		free((char *)e->item[i].text);
	free(e->item);
	*e = (struct pit_tune_evidence){0};
}
