/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json.h"
#include "cli/tune.h"
#include "cli/tune_history.h"
#include "report/text.h"
#include "tune/standing.h"

#define SHOWN 10 /* transactions that are over and done with; all in force are shown */

struct counts {
	size_t values, hold, old, other, replaced, gone, missing, unknown;
};

static void count_one(const struct pit_verdict *v, struct counts *c)
{
	switch (v->holds) {
	case PIT_HOLDS:
		c->hold++;
		break;
	case PIT_HOLDS_OLD:
		c->old++;
		break;
	case PIT_HOLDS_OTHER:
		c->other++;
		break;
	case PIT_HOLDS_GONE:
		c->gone++;
		break;
	case PIT_HOLDS_MISSING:
		c->missing++;
		break;
	case PIT_HOLDS_UNKNOWN:
		c->unknown++;
		break;
	}
}

static int count(const struct pit_history *h, const struct pit_record *r, struct counts *ret, struct pit_error *err)
{
	struct pit_verdict *v = NULL;
	struct counts c = {0};
	int rc = pit_verify(h->root, r, &v, err);

	if (rc)
		return rc;
	for (size_t n = 0; n < r->entries; n++) {
		const struct pit_entry *e = &r->entry[n];

		if (e->companion)
			continue;
		c.values++;
		if (pit_standing_later(h->record, h->records, r, e, h->boot))
			c.replaced++;
		else
			count_one(&v[n], &c);
	}
	pit_verdicts_free(v, r->entries);
	*ret = c;
	return 0;
}

static bool is_half(const struct pit_record *r)
{
	return r->state == PIT_TXN_INTERRUPTED || r->state == PIT_TXN_UNDOING;
}

static enum pit_colour colour_of(enum pit_txn_state s)
{
	static const enum pit_colour colours[] = {
		[PIT_TXN_EMPTY] = PIT_DIM,   [PIT_TXN_INTERRUPTED] = PIT_RED, [PIT_TXN_APPLIED] = PIT_GREEN,
		[PIT_TXN_UNDOING] = PIT_RED, [PIT_TXN_REVERTED] = PIT_DIM,    [PIT_TXN_UNREADABLE] = PIT_RED,
	};

	return colours[s];
}

static void put_part(struct pit_buf *out, size_t n, const char *what, bool *first)
{
	if (!n)
		return;
	pit_buf_printf(out, "%s%zu %s", *first ? ": " : ", ", n, what);
	*first = false;
}

static void put_counts(const struct pit_page *page, const struct pit_record *r, const struct counts *c)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	bool first = true;

	pit_buf_printf(&line, "%zu value%s", c->values, c->values == 1 ? "" : "s");
	put_part(&line, c->hold, is_half(r) ? "set" : "hold", &first);
	put_part(&line, c->old, is_half(r) ? "as before" : "back at the old value", &first);
	put_part(&line, c->other, "changed since by somebody else", &first);
	put_part(&line, c->replaced, "replaced by a later transaction", &first);
	put_part(&line, c->gone, "gone with a reboot", &first);
	put_part(&line, c->missing, "not there any more", &first);
	put_part(&line, c->unknown, "cannot be read", &first);
	pit_page_wrap(page, 6, NULL, line.data);
}

/* Left alone by the revert, and not as it was before the transaction since then either. */
static bool is_kept(const struct pit_entry *e, const struct pit_verdict *v)
{
	return e->undone == PIT_UNDONE_KEPT && !e->companion &&
	       (v->holds == PIT_HOLDS || v->holds == PIT_HOLDS_OTHER || v->holds == PIT_HOLDS_UNKNOWN);
}

/* Indices of the entries that is_kept() has; `ret_count` of them. */
static int find_kept(const struct pit_history *h, const struct pit_record *r, size_t **ret, size_t *ret_count,
		     struct pit_error *err)
{
	size_t count = 0, *kept = calloc(r->entries + 1, sizeof(*kept));
	struct pit_verdict *v = NULL;
	int rc = kept ? pit_verify(h->root, r, &v, err) : pit_fail(err, ENOMEM, "out of memory");

	if (rc) {
		free(kept);
		return rc;
	}
	for (size_t n = 0; n < r->entries; n++)
		if (is_kept(&r->entry[n], &v[n]))
			kept[count++] = n;
	pit_verdicts_free(v, r->entries);
	*ret = kept;
	*ret_count = count;
	return 0;
}

/* "left alone by the revert: 2 values, /etc/x.conf": a file goes on counting, at the next boot at the latest. */
static int put_kept(const struct pit_page *page, const struct pit_history *h, const struct pit_record *r,
		    struct pit_error *err)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	pit_auto_free size_t *kept = NULL;
	size_t count, values = 0;
	int rc = find_kept(h, r, &kept, &count, err);

	if (rc || !count)
		return rc;
	for (size_t i = 0; i < count; i++)
		values += pit_target(r->entry[kept[i]].cell.target)->runtime;
	pit_buf_printf(&line, "left alone by the %s: ", r->why);
	if (values)
		pit_buf_printf(&line, "%zu value%s%s", values, values == 1 ? "" : "s", values < count ? ", " : "");
	for (size_t i = 0, told = 0; i < count; i++) {
		if (pit_target(r->entry[kept[i]].cell.target)->runtime)
			continue;
		pit_buf_puts(&line, told++ ? ", " : "");
		pit_history_put_cell(&r->entry[kept[i]], &line);
	}
	pit_buf_printf(&line, "; 'pitcrew tune revert %d --force' puts back what was there before", r->txn);
	pit_page_wrap(page, 6, NULL, line.data);
	return 0;
}

static int put_transaction(const struct pit_page *page, const struct pit_history *h, const struct pit_record *r,
			   struct pit_error *err)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char when[PIT_WHEN], word[24];
	struct counts c;
	int rc;

	pit_buf_printf(page->out, "%4d  ", r->txn);
	snprintf(word, sizeof(word), "%-13s", pit_history_state(h, r));
	pit_page_colour(page, colour_of(r->state), word);
	pit_buf_printf(page->out, "  %-16s  ", pit_history_when(r->time, when));
	pit_history_title(h, r, page->out);
	pit_buf_putc(page->out, '\n');
	if (r->damaged) {
		pit_buf_printf(&line, "%s%s", r->state == PIT_TXN_UNREADABLE ? "" : "damaged: ", r->damage);
		pit_page_wrap(page, 6, NULL, line.data);
	}
	if (!pit_txn_in_force(r))
		return r->state == PIT_TXN_REVERTED ? put_kept(page, h, r, err) : 0;
	rc = count(h, r, &c, err);
	if (rc)
		return rc;
	put_counts(page, r, &c);
	if (pit_history_is_cut_off(h, r))
		pit_buf_printf(page->out, "      Put it right: pitcrew tune revert %d%s\n", r->txn,
			       c.other || c.replaced ? " --merge" : "");
	else if (c.gone == c.values)
		pit_buf_printf(page->out, "      Nothing of it is left; 'pitcrew tune revert %d' closes it.\n", r->txn);
	return 0;
}

static int put_text(const struct pit_page *page, const struct pit_history *h, struct pit_error *err)
{
	size_t in_force = 0, unreadable = 0, shown = 0, hidden = 0;

	for (size_t i = 0; i < h->records; i++) {
		in_force += pit_txn_in_force(&h->record[i]);
		unreadable += h->record[i].state == PIT_TXN_UNREADABLE;
	}
	if (!h->records) {
		pit_buf_printf(page->out, "Nothing was changed here yet: there is no journal in %s.\n", h->dir);
		return 0;
	}
	pit_buf_printf(page->out, "%zu transaction%s in %s, %zu in force", h->records, h->records == 1 ? "" : "s",
		       h->dir, in_force);
	if (unreadable)
		pit_buf_printf(page->out, ", of %zu nobody can tell: %s journal cannot be used", unreadable,
			       unreadable == 1 ? "its" : "their");
	pit_buf_puts(page->out, ".\n\n");
	if (h->busy[0])
		pit_buf_printf(page->out, "%s is at work now.\n\n", h->busy);
	for (size_t i = h->records; i-- > 0;) {
		int rc;

		if (!pit_txn_in_force(&h->record[i]) && shown++ >= SHOWN) {
			hidden++;
			continue;
		}
		rc = put_transaction(page, h, &h->record[i], err);
		if (rc)
			return rc;
	}
	if (hidden)
		pit_buf_printf(page->out, "\n%zu older ones are over; 'pitcrew tune log' tells them all.\n", hidden);
	return 0;
}

static json_t *counts_json(const struct counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "all", (json_int_t)c->values, "hold",
			 (json_int_t)c->hold, "old", (json_int_t)c->old, "other", (json_int_t)c->other, "replaced",
			 (json_int_t)c->replaced, "gone", (json_int_t)c->gone, "missing", (json_int_t)c->missing,
			 "unknown", (json_int_t)c->unknown);
}

static json_t *kept_json(const struct pit_history *h, const struct pit_record *r)
{
	pit_auto_free size_t *kept = NULL;
	json_t *list = json_array();
	size_t count;

	if (r->state != PIT_TXN_REVERTED || find_kept(h, r, &kept, &count, NULL))
		return list;
	for (size_t i = 0; i < count; i++) {
		const struct pit_cell *c = &r->entry[kept[i]].cell;

		json_array_append_new(list, json_pack("{s:s, s:o}", "target", pit_target(c->target)->name, "object",
						      pit_json_text(c->object)));
	}
	return list;
}

static json_t *transaction_json(const struct pit_history *h, const struct pit_record *r)
{
	struct counts c = {0};
	char command[48];
	json_t *values = json_null(), *remedy = json_null();

	if (pit_txn_in_force(r) && !count(h, r, &c, NULL))
		values = counts_json(&c);
	if (pit_history_is_cut_off(h, r)) {
		snprintf(command, sizeof(command), "pitcrew tune revert %d%s", r->txn,
			 c.other || c.replaced ? " --merge" : "");
		remedy = json_string(command);
	}
	return json_pack("{s:i, s:s, s:I, s:o, s:o, s:b, s:I, s:o, s:o, s:o, s:o}", "txn", r->txn, "state",
			 pit_history_state(h, r), "time", (json_int_t)r->time, "kind", pit_json_text(r->kind),
			 "profile", pit_json_text(r->profile), "persist", r->persist, "uid", (json_int_t)r->uid,
			 "damage", pit_json_text(r->damaged ? r->damage : NULL), "values", values, "kept",
			 kept_json(h, r), "remedy", remedy);
}

static void put_json(const struct pit_history *h, struct pit_buf *out)
{
	json_t *list = json_array();
	json_t *all =
		json_pack("{s:s, s:o, s:o}", "state_dir", h->dir, "boot", pit_json_text(h->boot), "transactions", list);

	for (size_t i = 0; i < h->records; i++)
		json_array_append_new(list, transaction_json(h, &h->record[i]));
	(void)pit_json_put(all, out);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = state->input;
	else if (key == ARGP_KEY_ARG)
		pit_cli_usage(state, "'%s': status takes no arguments; 'pitcrew tune log %s' tells one transaction",
			      arg, arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_child children[] = {{.argp = &pit_history_argp}, {0}};
static const struct argp argp = {
	.parser = parse,
	.children = children,
	.doc = "Tell which transactions there are, which of their values still hold, and how to put right what was cut "
	       "off.\vExit codes: 0 told, 3 could not, 64 usage.",
};

static int run(int argc, char **argv)
{
	pit_auto_history struct pit_history h = {.records = 0};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_history_options o = {0};
	struct pit_page page;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (pit_history_load(&o, &h, &err))
		return pit_cli_fail(&err);
	page = pit_page_for(STDOUT_FILENO, "auto", &out);
	if (o.json)
		put_json(&h, &out);
	else if (put_text(&page, &h, &err))
		return pit_cli_fail(&err);
	return pit_cli_print(&out, PIT_EXIT_OK);
}

const struct pit_cmd pit_tune_status = {
	.name = "status",
	.summary = "what was changed, whether it holds, and what was cut off",
	.run = run,
};
