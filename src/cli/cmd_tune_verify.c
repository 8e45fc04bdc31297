/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json.h"
#include "cli/tune.h"
#include "cli/tune_history.h"
#include "host/sysctl_origin.h"
#include "report/text.h"
#include "tune/standing.h"

struct options {
	struct pit_history_options history;
	bool verbose;
};

enum { KEY_VERBOSE = 'v' };

/* One value that ought to hold. */
struct item {
	const struct pit_record *record;
	const struct pit_entry *entry;
	struct pit_verdict *verdict;
	char origin[512]; /* what sets it; "" unknown */
};

struct result {
	struct item *item;
	size_t items;
	struct pit_verdict **verdict; /* of each record of the history, to be freed */
	size_t wrong, gone, cut_off;
	size_t incomparable; /* interrupts, whose numbers change with each boot */
};

static const char *holds_name(enum pit_holds h)
{
	static const char *const names[] = {
		[PIT_HOLDS] = "holds",     [PIT_HOLDS_OLD] = "old",         [PIT_HOLDS_OTHER] = "other",
		[PIT_HOLDS_GONE] = "gone", [PIT_HOLDS_MISSING] = "missing", [PIT_HOLDS_UNKNOWN] = "unknown",
	};

	return names[h];
}

static void find_origin(struct pit_root *root, struct item *i)
{
	const char *now = i->verdict->now;
	int rc = -ENOENT;

	if (i->verdict->holds != PIT_HOLDS_OLD && i->verdict->holds != PIT_HOLDS_OTHER)
		return;
	if (i->entry->cell.target == PIT_TARGET_SYSCTL)
		rc = pit_sysctl_origin(root, i->entry->cell.object, now, i->origin, sizeof(i->origin));
	else if (i->entry->cell.target == PIT_TARGET_KERNEL)
		rc = pit_sysfs_origin(root, i->entry->cell.object, NULL, i->origin, sizeof(i->origin));
	if (rc)
		i->origin[0] = '\0';
}

static void add_item(const struct pit_history *h, const struct pit_record *r, size_t n, struct pit_verdict *v,
		     struct result *ret)
{
	struct item *i = &ret->item[ret->items];

	if (r->entry[n].companion || pit_standing_later(h->record, h->records, r, &r->entry[n], h->boot))
		return;
	*i = (struct item){.record = r, .entry = &r->entry[n], .verdict = v};
	find_origin(h->root, i);
	ret->items++;
	if (v->holds != PIT_HOLDS_GONE)
		ret->wrong += v->holds != PIT_HOLDS;
	else if (r->persist)
		ret->incomparable++;
	else
		ret->gone++;
}

static int collect(const struct pit_history *h, struct result *ret, struct pit_error *err)
{
	size_t most = 1;

	for (size_t i = 0; i < h->records; i++)
		most += h->record[i].entries;
	ret->item = calloc(most, sizeof(*ret->item));
	ret->verdict = calloc(h->records + 1, sizeof(*ret->verdict));
	if (!ret->item || !ret->verdict)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < h->records; i++) {
		const struct pit_record *r = &h->record[i];
		int rc;

		if (pit_history_is_cut_off(h, r) || r->state == PIT_TXN_UNREADABLE)
			ret->cut_off++;
		if (r->state != PIT_TXN_APPLIED)
			continue;
		rc = pit_verify(h->root, r, &ret->verdict[i], err);
		if (rc)
			return rc;
		for (size_t n = 0; n < r->entries; n++)
			add_item(h, r, n, &ret->verdict[i][n], ret);
	}
	return 0;
}

static void result_free(const struct pit_history *h, struct result *r)
{
	for (size_t i = 0; r->verdict && i < h->records; i++)
		pit_verdicts_free(r->verdict[i], h->record[i].entries);
	free(r->verdict);
	free(r->item);
}

static const char *wanted(const struct item *i)
{
	return i->entry->set ? i->entry->now : i->entry->new;
}

static bool is_bad(const struct item *i)
{
	return i->verdict->holds != PIT_HOLDS && !(i->verdict->holds == PIT_HOLDS_GONE && i->record->persist);
}

static void put_item(const struct item *i, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	pit_history_put_cell(i->entry, &line);
	pit_buf_puts(&line, ": wanted ");
	pit_history_put_value(wanted(i), &line);
	switch (i->verdict->holds) {
	case PIT_HOLDS:
		pit_buf_puts(&line, ", holds");
		break;
	case PIT_HOLDS_GONE:
		pit_buf_puts(&line, i->record->persist ? ", set again at boot under another number of the interrupt"
						       : ", gone with the reboot");
		break;
	case PIT_HOLDS_MISSING:
		pit_buf_printf(&line, ", but this machine has no such thing: %s", i->verdict->now);
		break;
	case PIT_HOLDS_UNKNOWN:
		pit_buf_printf(&line, ", but it cannot be read: %s", i->verdict->now);
		break;
	default:
		pit_buf_puts(&line, ", found ");
		pit_history_put_value(i->verdict->now, &line);
		pit_buf_puts(&line, i->verdict->holds == PIT_HOLDS_OLD ? " as it was before" : "");
	}
	if (i->origin[0])
		pit_buf_printf(&line, "; set by %s", i->origin);
	pit_page_wrap(page, 4, is_bad(i) ? "  ! " : " ok ", line.data);
}

static void put_cut_off(const struct pit_history *h, const struct pit_page *page)
{
	for (size_t i = 0; i < h->records; i++) {
		const struct pit_record *r = &h->record[i];

		if (r->state == PIT_TXN_UNREADABLE)
			pit_buf_printf(page->out, "Transaction %d cannot be judged: %s\n", r->txn, r->damage);
		else if (pit_history_is_cut_off(h, r))
			pit_buf_printf(page->out, "Transaction %d is %s; put it right with: pitcrew tune revert %d\n",
				       r->txn, pit_txn_state_name(r->state), r->txn);
	}
}

static void put_gone(const struct pit_history *h, const struct result *r, struct pit_buf *out)
{
	if (!r->gone)
		return;
	pit_buf_printf(
		out,
		"%zu run-time value%s gone since the machine was booted; 'pitcrew tune apply --persist' makes them last.\n",
		r->gone, r->gone == 1 ? " is" : "s are");
}

static void put_text(const struct pit_history *h, const struct result *r, bool verbose, const struct pit_page *page)
{
	size_t bad = r->wrong + r->gone;

	for (size_t i = 0; i < r->items; i++) {
		enum pit_holds holds = r->item[i].verdict->holds;

		if (verbose || (holds != PIT_HOLDS && holds != PIT_HOLDS_GONE)) /* those are told in a line */
			put_item(&r->item[i], page);
	}
	put_cut_off(h, page);
	put_gone(h, r, page->out);
	if (!r->items)
		pit_buf_puts(page->out, "No transaction is in force, so there is nothing to verify.\n");
	else if (!bad)
		pit_buf_printf(page->out, "All %zu values hold.\n", r->items - r->incomparable);
	else
		pit_buf_printf(page->out, "%zu of %zu values hold, %zu %s not.\n", r->items - r->incomparable - bad,
			       r->items - r->incomparable, bad, bad == 1 ? "does" : "do");
	if (r->incomparable)
		pit_buf_printf(page->out,
			       "%zu of interrupts cannot be compared: their numbers change with each boot.\n",
			       r->incomparable);
}

static json_t *item_json(const struct item *i)
{
	bool readable = i->verdict->holds < PIT_HOLDS_GONE;

	return json_pack("{s:i, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o}", "txn", i->record->txn, "knob",
			 pit_json_text(i->entry->knob), "target", pit_target(i->entry->cell.target)->name, "object",
			 pit_json_text(i->entry->cell.object), "wanted", pit_json_text(wanted(i)), "found",
			 pit_json_text(readable ? i->verdict->now : NULL), "state", holds_name(i->verdict->holds),
			 "reason", pit_json_text(readable ? NULL : i->verdict->now), "origin",
			 pit_json_text(i->origin[0] ? i->origin : NULL));
}

static void put_json(const struct result *r, bool ok, struct pit_buf *out)
{
	json_t *list = json_array();
	json_t *all = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "ok", ok, "values", (json_int_t)r->items,
				"wrong", (json_int_t)r->wrong, "gone", (json_int_t)r->gone, "incomparable",
				(json_int_t)r->incomparable, "cut_off", (json_int_t)r->cut_off, "items", list);

	for (size_t i = 0; i < r->items; i++)
		json_array_append_new(list, item_json(&r->item[i]));
	(void)pit_json_put(all, out);
}

static const struct argp_option argp_options[] = {
	{"verbose", KEY_VERBOSE, NULL, 0, "Show the values that hold, too"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = &o->history;
	else if (key == KEY_VERBOSE)
		o->verbose = true;
	else if (key == ARGP_KEY_ARG)
		pit_cli_usage(state, "'%s': verify takes no arguments", arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_child children[] = {{.argp = &pit_history_argp}, {0}};
static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.children = children,
	.doc = "Read every value that the transactions in force set, and tell those that do not hold: what was wanted, "
	       "what is there, and what sets it.\vExit codes: 0 all hold, 1 some do not, 3 could not look, 64 usage.",
};

static int run(int argc, char **argv)
{
	pit_auto_history struct pit_history h = {.records = 0};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct result result = {.items = 0};
	struct options o = {.verbose = false};
	struct pit_page page;
	bool ok;
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (pit_history_load(&o.history, &h, &err))
		return pit_cli_fail(&err);
	page = pit_page_for(STDOUT_FILENO, "auto", &out);
	rc = collect(&h, &result, &err);
	ok = !result.wrong && !result.gone && !result.cut_off;
	if (!rc && o.history.json)
		put_json(&result, ok, &out);
	else if (!rc)
		put_text(&h, &result, o.verbose, &page);
	result_free(&h, &result);
	return rc ? pit_cli_fail(&err) : pit_cli_print(&out, ok ? PIT_EXIT_OK : PIT_EXIT_WARN);
}

const struct pit_cmd pit_tune_verify = {
	.name = "verify",
	.summary = "does every value that was set still hold? Names those that do not",
	.run = run,
};
