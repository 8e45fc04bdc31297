/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/tune.h"
#include "cli/tune_history.h"
#include "report/text.h"
#include "tune/standing.h"

struct options {
	const char *state;
	int txn; /* 0: the newest in force */
	bool all, force, merge, json;
};

enum { KEY_ALL = 'a', KEY_FORCE = 256, KEY_MERGE };

static const struct argp_option argp_options[] = {
	{"all", KEY_ALL, NULL, 0, "Everything that is in force, newest first"},
	{"force", KEY_FORCE, NULL, 0, "Put the old values back even where somebody changed them since"},
	{"merge", KEY_MERGE, NULL, 0, "Leave what somebody changed since, put the rest back"},
	{"state", 's', "DIR", 0, "Where the journals lie (default " PIT_STATE_DIR ")"},
	{"format", 'f', "FORMAT", 0, "text or json"},
	{0},
};

static void set_txn(struct options *o, const char *arg, struct argp_state *state)
{
	uint64_t n;

	if (o->txn || pit_parse_u64(arg, &n) || n < 1 || n > INT_MAX)
		pit_cli_usage(state, "'%s': give one number of a transaction, --all, or nothing for the newest", arg);
	o->txn = (int)n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_ALL:
		o->all = true;
		break;
	case KEY_FORCE:
		o->force = true;
		break;
	case KEY_MERGE:
		o->merge = true;
		break;
	case 's':
		o->state = pit_cli_absolute(state, "state", arg);
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	case ARGP_KEY_ARG:
		set_txn(o, arg, state);
		break;
	case ARGP_KEY_END:
		if (o->force && o->merge)
			pit_cli_usage(state,
				      "--force overwrites what was changed since, --merge leaves it: choose one");
		if (o->all && o->txn)
			pit_cli_usage(state, "--all means every transaction, %d one of them: choose one", o->txn);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "[TXN]",
	.doc = "Put back what a transaction changed; without a number the newest that is in force. A value that somebody "
	       "changed since is not overwritten: then nothing is done and both values are shown.\v"
	       "A revert that was cut off can be run again. Exit codes: 0 all is back, or there was nothing to put back; 3 "
	       "could not; 64 usage.",
};

/* "vm.swappiness: was 60, set to 10, is 30 now". */
static void put_foreign(const struct pit_entry *e, const struct pit_undo *u, const char *what, struct pit_buf *out)
{
	pit_history_put_cell(e, out);
	pit_buf_printf(out, ": %swas ", what);
	pit_history_put_value(e->old, out);
	if (!e->companion) {
		pit_buf_puts(out, ", set to ");
		pit_history_put_value(e->new, out);
	}
	if (u->later)
		pit_buf_printf(out, ", set by transaction %d since", u->later);
	pit_buf_puts(out, ", is ");
	pit_history_put_value(u->now, out);
	pit_buf_puts(out, " now");
}

static void put_entry(const struct pit_entry *e, const struct pit_undo *u, bool refused, struct pit_buf *out)
{
	switch (u->how) {
	case PIT_UNDONE_RESTORED:
		pit_history_put_cell(e, out);
		pit_buf_puts(out, ": ");
		pit_history_put_value(u->now, out);
		pit_buf_puts(out, " -> ");
		pit_history_put_value(e->old, out);
		break;
	case PIT_UNDONE_KEPT:
		put_foreign(e, u, refused ? "" : "left alone: ", out);
		break;
	case PIT_UNDONE_GONE:
		pit_history_put_cell(e, out);
		pit_buf_puts(out, ": gone by itself, with a reboot or its device");
		break;
	case PIT_UNDONE_FAILED:
		pit_history_put_cell(e, out);
		pit_buf_printf(out, ": NOT put back: %s", u->error ? u->error : "");
		break;
	default:
		break;
	}
	if (u->how == PIT_UNDONE_KEPT && u->error)
		pit_buf_printf(out, " (%s)", u->error);
}

static void put_summary(const struct pit_revert *v, struct pit_buf *out)
{
	const struct {
		size_t n;
		const char *what;
	} parts[] = {
		{v->restored, "put back"},       {v->already, "had the old value"}, {v->kept, "left alone"},
		{v->gone, "gone by themselves"}, {v->failed, "NOT put back"},
	};
	bool first = true;

	pit_buf_printf(out, "Transaction %d: ", v->record.txn);
	for (size_t i = 0; i < PIT_COUNT(parts); i++) {
		if (!parts[i].n)
			continue;
		pit_buf_printf(out, "%s%zu %s", first ? "" : ", ", parts[i].n, parts[i].what);
		first = false;
	}
	pit_buf_puts(out, first ? "nothing to put back.\n" : ".\n");
}

static void put_text(const struct pit_revert *v, int rc, const struct pit_page *page)
{
	bool refused = rc == -EEXIST;

	for (size_t n = 0; n < v->record.entries; n++) {
		pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
		enum pit_undone how = v->undo[n].how;

		if (how == PIT_UNDONE_NOT || how == PIT_UNDONE_ALREADY || (refused && how != PIT_UNDONE_KEPT))
			continue;
		put_entry(&v->record.entry[n], &v->undo[n], refused, &line);
		pit_page_wrap(page, 4, "  ", line.data);
	}
	for (size_t i = 0; i < v->notes.count; i++)
		pit_page_wrap(page, 0, NULL, v->notes.item[i]);
	if (!refused && v->restored + v->already + v->kept + v->gone + v->failed)
		put_summary(v, page->out);
}

static json_t *entry_json(const struct pit_entry *e, const struct pit_undo *u)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "knob", pit_json_text(e->knob), "target",
			 pit_target(e->cell.target)->name, "object", pit_json_text(e->cell.object), "old",
			 pit_json_text(e->old), "new", pit_json_text(e->new), "found", pit_json_text(u->now), "how",
			 pit_undone_name(u->how), "later", u->later ? json_integer(u->later) : json_null(), "error",
			 pit_json_text(u->error));
}

static json_t *revert_json(const struct pit_revert *v, int rc, const struct pit_error *err)
{
	json_t *list = json_array(), *notes = json_array();

	for (size_t n = 0; n < v->record.entries; n++)
		if (v->undo[n].how != PIT_UNDONE_NOT)
			json_array_append_new(list, entry_json(&v->record.entry[n], &v->undo[n]));
	for (size_t i = 0; i < v->notes.count; i++)
		json_array_append_new(notes, pit_json_text(v->notes.item[i]));
	return json_pack("{s:i, s:b, s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "txn", v->record.txn, "done",
			 rc == 0, "refused", rc == -EEXIST, "error", pit_json_text(rc ? err->text : NULL), "restored",
			 (json_int_t)v->restored, "already", (json_int_t)v->already, "kept", (json_int_t)v->kept,
			 "gone", (json_int_t)v->gone, "failed", (json_int_t)v->failed, "notes", notes, "changes", list);
}

struct work {
	const struct options *o;
	struct pit_tune_state *state;
	struct pit_place *place;
	struct pit_page page;
	json_t *list; /* NULL: text */
	bool failed;
	bool done;   /* something was put back */
	bool kept;   /* and something left alone */
	bool untold; /* the report could not be written */
};

/* What could be told is told, and what went wrong behind it on stderr. A report that cannot be written says nothing
 * about the machine, so the message does. */
static void tell(struct work *w)
{
	struct pit_error err = PIT_ERROR_INIT;
	int rc = w->page.out->len || w->page.out->failed ? pit_cli_write(w->page.out, &err) : 0;

	pit_buf_clear(w->page.out);
	if (!rc)
		return;
	w->untold = true;
	if (!w->done || w->failed)
		pit_cli_fail(&err);
	else
		fprintf(stderr, "pitcrew: %s was put back, but the report could not be written: %s\n",
			w->kept ? "what was not left alone" : "all", strerror(-rc));
}

static void revert_one(struct work *w, int txn)
{
	enum pit_revert_mode mode = w->o->force   ? PIT_REVERT_FORCE
				    : w->o->merge ? PIT_REVERT_MERGE
						  : PIT_REVERT_CAREFUL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_revert v = {.record = {.txn = txn}};
	int rc = pit_revert(w->state, w->place, txn, mode, NULL, &v, &err);

	w->done |= v.restored + v.already > 0;
	w->kept |= v.kept > 0;
	w->failed |= rc != 0;
	if (w->list) {
		json_array_append_new(w->list, revert_json(&v, rc, &err));
	} else {
		if (!rc || rc == -EEXIST || rc == -EIO)
			put_text(&v, rc, &w->page);
		tell(w);
		if (rc)
			pit_cli_fail(&err);
	}
	pit_revert_free(&v);
}

/* Newest first; a transaction that cannot be used is told and passed by. */
static int revert_several(struct work *w, struct pit_error *err)
{
	struct pit_record *all = NULL;
	size_t count, tried = 0, unreadable = 0;
	int rc = pit_tune_state_list(w->state, &all, &count, err);

	if (rc)
		return rc;
	for (size_t i = count; i-- > 0 && (w->o->all || !tried);) {
		bool usable = all[i].state != PIT_TXN_UNREADABLE;

		if (usable && !pit_txn_in_force(&all[i]))
			continue;
		tried += usable;
		unreadable += !usable;
		revert_one(w, all[i].txn);
	}
	pit_records_free(all, count);
	if (!tried && !w->list)
		pit_buf_printf(w->page.out, "No transaction %sis in force, so there is nothing to put back.\n",
			       unreadable ? "whose journal can be used " : "");
	return 0;
}

static int revert(struct work *w, struct pit_error *err)
{
	int rc = pit_place_open(&w->place, err);

	if (rc)
		return rc;
	rc = pit_tune_state_open(w->o->state ? w->o->state : PIT_STATE_DIR, false, &w->state, err);
	if (rc == -ENOENT && !w->o->txn) {
		if (!w->list)
			pit_buf_puts(w->page.out, "Nothing was ever changed here, so there is nothing to put back.\n");
		return 0;
	}
	if (!rc)
		rc = pit_history_lock(w->state, err);
	if (rc)
		return rc;
	if (!w->o->txn)
		return revert_several(w, err);
	revert_one(w, w->o->txn);
	return 0;
}

static int run(int argc, char **argv)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct options o = {.txn = 0};
	struct work w = {.o = &o};
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	w.page = pit_page_for(STDOUT_FILENO, "auto", &out);
	w.list = o.json ? json_array() : NULL;
	rc = revert(&w, &err);
	if (!rc && w.list)
		(void)pit_json_put(pit_take(w.list), &out);
	json_decref(w.list);
	pit_tune_state_close(w.state);
	pit_place_close(w.place);
	if (rc)
		return pit_cli_fail(&err);
	tell(&w);
	return w.failed || w.untold ? PIT_EXIT_CANNOT : PIT_EXIT_OK;
}

const struct pit_cmd pit_tune_revert = {
	.name = "revert",
	.summary = "put back what a transaction changed, to the last byte",
	.run = run,
};
