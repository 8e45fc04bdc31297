/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/tune.h"
#include "cli/tune_history.h"
#include "report/text.h"

struct options {
	struct pit_history_options history;
	int txn; /* 0 all */
};

static void put_head(const struct pit_history *h, const struct pit_record *r, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char when[PIT_WHEN], head[96];

	snprintf(head, sizeof(head), "Transaction %d, %s: ", r->txn, pit_history_state(h, r));
	pit_page_colour(page, PIT_BOLD, head);
	pit_history_title(h, r, page->out);
	pit_buf_putc(page->out, '\n');
	if (r->damaged) {
		pit_buf_printf(&line, "damaged: %s", r->damage);
		pit_page_wrap(page, 2, NULL, line.data);
	}
	if (r->time) {
		pit_buf_clear(&line);
		pit_buf_printf(&line, "begun %s by user %lld with pitcrew %s, boot %s", pit_history_when(r->time, when),
			       (long long)r->uid, r->tool, r->boot);
		pit_page_wrap(page, 2, NULL, line.data);
	}
	if (r->why[0]) {
		pit_buf_clear(&line);
		pit_buf_printf(&line, "undone %s (%s)", pit_history_when(r->undo_time, when), r->why);
		pit_page_wrap(page, 2, NULL, line.data);
	}
}

/* The lines of a file with a sign before each. */
static void put_lines(const char *text, char sign, struct pit_buf *out)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");
		pit_auto_free char *line = strndup(text, n);

		pit_buf_printf(out, "      %c ", sign);
		if (line)
			pit_page_clip(out, line, 1000);
		pit_buf_putc(out, '\n');
		text += n + (text[n] == '\n');
	}
}

static void put_entry(const struct pit_entry *e, struct pit_buf *out)
{
	pit_buf_puts(out, "  ");
	pit_history_put_cell(e, out);
	pit_buf_puts(out, ": ");
	pit_history_put_value(e->old, out);
	pit_buf_puts(out, e->companion ? ", changed along to " : " -> ");
	pit_history_put_value(e->companion ? e->now : e->new, out);
	if (!e->set)
		pit_buf_puts(out, ", not known to have been set");
	else if (!e->companion && !pit_value_equal(e->cell.kind, e->now, e->new)) {
		pit_buf_puts(out, ", the kernel took ");
		pit_history_put_value(e->now, out);
	}
	if (e->undone != PIT_UNDONE_NOT)
		pit_buf_printf(out, "; undone: %s", pit_undone_name(e->undone));
	pit_buf_putc(out, '\n');
	if (e->cell.target == PIT_TARGET_FILE) {
		put_lines(e->old, '-', out);
		put_lines(e->new, '+', out);
	}
}

static json_t *entry_json(const struct pit_entry *e)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:s}", "knob", pit_json_text(e->knob), "target",
			 pit_target(e->cell.target)->name, "object", pit_json_text(e->cell.object), "old",
			 pit_json_text(e->old), "new", pit_json_text(e->new), "companion", e->companion, "set", e->set,
			 "now", pit_json_text(e->now), "undone", pit_undone_name(e->undone));
}

static json_t *record_json(const struct pit_record *r)
{
	json_t *list = json_array();

	for (size_t n = 0; n < r->entries; n++)
		json_array_append_new(list, entry_json(&r->entry[n]));
	return json_pack("{s:i, s:s, s:o, s:o, s:b, s:I, s:o, s:I, s:o, s:o, s:I, s:o, s:o}", "txn", r->txn, "state",
			 pit_txn_state_name(r->state), "kind", pit_json_text(r->kind), "profile",
			 pit_json_text(r->profile), "persist", r->persist, "time", (json_int_t)r->time, "boot",
			 pit_json_text(r->boot), "uid", (json_int_t)r->uid, "tool", pit_json_text(r->tool), "why",
			 pit_json_text(r->why[0] ? r->why : NULL), "undo_time", (json_int_t)r->undo_time, "damage",
			 pit_json_text(r->damaged ? r->damage : NULL), "changes", list);
}

static void put_json(const struct pit_history *h, int txn, struct pit_buf *out)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->records; i++)
		if (!txn || h->record[i].txn == txn)
			json_array_append_new(list, record_json(&h->record[i]));
	(void)pit_json_put(list, out);
}

static void put_text(const struct pit_history *h, int txn, const struct pit_page *page)
{
	if (!h->records)
		pit_buf_printf(page->out, "Nothing was changed here yet: there is no journal in %s.\n", h->dir);
	for (size_t i = 0; i < h->records; i++) {
		const struct pit_record *r = &h->record[i];

		if (txn && r->txn != txn)
			continue;
		if (page->out->len)
			pit_buf_putc(page->out, '\n');
		put_head(h, r, page);
		for (size_t n = 0; n < r->entries; n++)
			put_entry(&r->entry[n], page->out);
	}
}

static bool has(const struct pit_history *h, int txn)
{
	for (size_t i = 0; i < h->records; i++)
		if (h->record[i].txn == txn)
			return true;
	return !txn;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	uint64_t n;

	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = &o->history;
		return 0;
	}
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (o->txn || pit_parse_u64(arg, &n) || n < 1 || n > INT_MAX)
		pit_cli_usage(state, "'%s': give one number of a transaction, or none", arg);
	o->txn = (int)n;
	return 0;
}

static const struct argp_child children[] = {{.argp = &pit_history_argp}, {0}};
static const struct argp argp = {
	.parser = parse,
	.children = children,
	.args_doc = "[TXN]",
	.doc = "Tell everything that the journals say: who changed what, when, from which value to which.\v"
	       "Exit codes: 0 told, 3 could not, 64 usage.",
};

static int run(int argc, char **argv)
{
	pit_auto_history struct pit_history h = {.records = 0};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct options o = {.txn = 0};
	struct pit_page page;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (pit_history_load(&o.history, &h, &err))
		return pit_cli_fail(&err);
	if (!has(&h, o.txn)) {
		pit_fail(&err, ENOENT, "there is no transaction %d in %s", o.txn, h.dir);
		return pit_cli_fail(&err);
	}
	page = pit_page_for(STDOUT_FILENO, "auto", &out);
	if (o.history.json)
		put_json(&h, o.txn, &out);
	else
		put_text(&h, o.txn, &page);
	return pit_cli_print(&out, PIT_EXIT_OK);
}

const struct pit_cmd pit_tune_log = {
	.name = "log",
	.summary = "everything that the journals say: who changed what, when, from which value",
	.run = run,
};
