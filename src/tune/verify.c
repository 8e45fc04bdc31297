/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tune/standing.h"
#include "tune/txn.h"

static void judge(struct pit_root *root, const char *boot, const struct pit_record *r, const struct pit_entry *e,
		  struct pit_verdict *v)
{
	struct pit_error err = PIT_ERROR_INIT;
	int rc;

	v->holds = PIT_HOLDS_GONE;
	if (pit_entry_past(r, e, boot) == PIT_PAST_GONE)
		return;
	rc = pit_cell_read(root, &e->cell, &v->now, &err);
	if (rc) {
		v->holds = pit_root_state(rc) == PIT_STATE_ABSENT ? PIT_HOLDS_MISSING : PIT_HOLDS_UNKNOWN;
		v->now = strdup(err.text);
	} else if (e->companion || pit_value_equal(e->cell.kind, v->now, e->set ? e->now : e->new)) {
		v->holds = PIT_HOLDS;
	} else if (pit_value_equal(e->cell.kind, v->now, e->old)) {
		v->holds = PIT_HOLDS_OLD;
	} else {
		v->holds = PIT_HOLDS_OTHER;
	}
}

int pit_verify(struct pit_root *root, const struct pit_record *record, struct pit_verdict **ret, struct pit_error *err)
{
	struct pit_verdict *v = calloc(record->entries + 1, sizeof(*v));
	char boot[37];

	if (!v)
		return pit_fail(err, ENOMEM, "out of memory");
	pit_boot_id(root, boot);
	for (size_t n = 0; n < record->entries; n++)
		judge(root, boot, record, &record->entry[n], &v[n]);
	*ret = v;
	return 0;
}

void pit_verdicts_free(struct pit_verdict *v, size_t count)
{
	for (size_t n = 0; v && n < count; n++)
		free(v[n].now);
	free(v);
}
