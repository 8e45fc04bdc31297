/* SPDX-License-Identifier: MIT */
#include "cli/tune_history.h"

#include <string.h>
#include <time.h>

#include "report/text.h"
#include "tune/standing.h"

#define WAIT 60 /* seconds for which another pitcrew is waited for; an apply takes about one */

static const struct argp_option argp_options[] = {
	{"state", 's', "DIR", 0, "Where the journals lie (default " PIT_STATE_DIR ")"},
	{"root", 'r', "DIR|TARBALL", 0, "Compare with a recorded machine instead of this one"},
	{"format", 'f', "FORMAT", 0, "text or json"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pit_history_options *o = state->input;

	switch (key) {
	case 's':
		o->state = pit_cli_absolute(state, "state", arg);
		break;
	case 'r':
		o->root = arg;
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp pit_history_argp = {.options = argp_options, .parser = parse};

int pit_history_load(const struct pit_history_options *o, struct pit_history *ret, struct pit_error *err)
{
	pit_auto_tune_state struct pit_tune_state *state = NULL;
	struct pit_history h = {.dir = o->state ? o->state : PIT_STATE_DIR};
	int rc = pit_root_open(o->root, &h.root, err);
	bool busy;

	if (rc)
		return rc;
	pit_boot_id(h.root, h.boot);
	rc = pit_tune_state_open(h.dir, false, &state, err);
	/* Asked on both sides of the look: what ends meanwhile, or begins, was not cut off. */
	busy = !rc && pit_tune_state_is_busy(state, h.busy, sizeof(h.busy));
	if (!rc)
		rc = pit_tune_state_list(state, &h.record, &h.records, err);
	if (!rc && !busy && !pit_tune_state_is_busy(state, h.busy, sizeof(h.busy)))
		h.busy[0] = '\0';
	if (rc && rc != -ENOENT) {
		pit_history_free(&h);
		return rc;
	}
	*ret = h;
	return 0;
}

void pit_history_free(struct pit_history *h)
{
	pit_records_free(h->record, h->records);
	pit_root_close(h->root);
	*h = (struct pit_history){.records = 0};
}

bool pit_history_is_cut_off(const struct pit_history *h, const struct pit_record *r)
{
	return !h->busy[0] && (r->state == PIT_TXN_INTERRUPTED || r->state == PIT_TXN_UNDOING);
}

/* Unfinished, and somebody holds the lock: the newest may just be writing down what it is going to do. */
static bool is_at_work(const struct pit_history *h, const struct pit_record *r)
{
	if (!h->busy[0])
		return false;
	if (r->state == PIT_TXN_EMPTY)
		return r == &h->record[h->records - 1];
	return r->state == PIT_TXN_INTERRUPTED || r->state == PIT_TXN_UNDOING;
}

const char *pit_history_state(const struct pit_history *h, const struct pit_record *r)
{
	return is_at_work(h, r) ? "at work" : pit_txn_state_name(r->state);
}

void pit_history_title(const struct pit_history *h, const struct pit_record *r, struct pit_buf *out)
{
	if (r->state == PIT_TXN_UNREADABLE) {
		pit_buf_puts(out, "its journal is of no use");
		return;
	}
	if (r->state == PIT_TXN_EMPTY && !is_at_work(h, r)) {
		pit_buf_puts(out, "its journal ends before the first write");
		return;
	}
	pit_page_clip(out, r->kind, 16);
	if (r->profile && strcmp(r->profile, r->kind) != 0) {
		pit_buf_puts(out, " of ");
		pit_page_clip(out, r->profile, 60);
	}
	if (r->persist)
		pit_buf_puts(out, ", persistent");
}

char *pit_history_when(int64_t seconds, char out[PIT_WHEN])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!seconds || !localtime_r(&t, &tm) || !strftime(out, PIT_WHEN, "%Y-%m-%d %H:%M", &tm))
		strcpy(out, "?");
	return out;
}

void pit_history_put_cell(const struct pit_entry *e, struct pit_buf *out)
{
	char name[320];

	pit_page_clip(out, pit_cell_name(&e->cell, name, sizeof(name)), sizeof(name));
}

void pit_history_put_value(const char *value, struct pit_buf *out)
{
	char brief[PIT_VALUE_BRIEF];

	pit_page_clip(out, pit_value_brief(value, brief), PIT_VALUE_BRIEF);
}

int pit_history_lock(struct pit_tune_state *state, struct pit_error *err)
{
	int rc = pit_tune_state_lock(state, 1, err);

	if (rc != -EBUSY)
		return rc;
	fprintf(stderr, "pitcrew: waiting: %s\n", err->text);
	return pit_tune_state_lock(state, WAIT, err);
}
