/* SPDX-License-Identifier: MIT
 *
 * Running the catalogue on one machine, and the report that comes of it.
 */
#ifndef PIT_CHECK_RUN_H
#define PIT_CHECK_RUN_H

#include "check/facts.h"

/* Which rows: words are ids, areas, or patterns with '*' and '?'; an empty list of `only` means all. */
struct pit_selection {
	struct pit_strv only, skip;
};

/* Splits a comma-separated list into `words`; -ENOENT when a word fits no row, with the nearest id in `err`. */
int pit_selection_add(struct pit_strv *words, const char *list, struct pit_error *err);

/* A finding that somebody has decided to live with until a day. */
struct pit_waiver {
	char id[64];
	char until[11]; /* YYYY-MM-DD, the last day */
	char *reason;
	bool expired;
};

struct pit_waivers {
	struct pit_waiver *item;
	size_t count;
};

/* Lines "ID YYYY-MM-DD REASON"; blank lines and '#' lines are left out. `today` is YYYY-MM-DD. -EBADMSG names the line.
 */
int pit_waivers_parse(const char *text, const char *today, struct pit_waivers *ret, struct pit_error *err);
void pit_waivers_free(struct pit_waivers *w);

struct pit_report {
	struct pit_finding *finding;
	const struct pit_waiver **waiver; /* of each finding; NULL none. An expired one is given, and does not count */
	size_t count;
	size_t pass, warn, fail, skip, waived; /* a waived finding counts in `waived` only */
	double ms;                             /* wall time of the run */
	char tool[32];
	enum pit_workload workload;
	struct pit_platform platform;
	char root[256]; /* "live" or the recording's name */
	bool live;
	bool as_root;
	int cpus, nodes, gpus; /* -1 unknown */
	int64_t mem_kb;        /* -1 unknown */
};

int pit_check_run(struct pit_facts *facts, const struct pit_selection *selection, const struct pit_waivers *waivers,
		  struct pit_report *ret, struct pit_error *err);
void pit_report_free(struct pit_report *r);

/* Indexes of the findings that count (warn, fail, not waived), the worst first; `ret` has room for r->count. */
size_t pit_report_worst(const struct pit_report *r, size_t *ret);

/* Findings that were skipped because a read was denied, timed out, failed or made no sense. */
bool pit_finding_is_unseen(const struct pit_finding *f);
size_t pit_report_unseen(const struct pit_report *r);

/* What to do about a finding: its command, or NULL; its sentence. */
const char *pit_finding_command(const struct pit_finding *f);
const char *pit_finding_remedy(const struct pit_finding *f);

struct pit_page;
void pit_report_text(const struct pit_report *r, bool verbose, const struct pit_page *page);
int pit_report_json(const struct pit_report *r, struct pit_buf *out); /* 0 or -ENOMEM */
void pit_report_junit(const struct pit_report *r, struct pit_buf *out);

/* The catalogue itself. */
void pit_catalog_text(const struct pit_selection *selection, const struct pit_page *page);
int pit_catalog_json(const struct pit_selection *selection, struct pit_buf *out);
void pit_catalog_markdown(struct pit_buf *out);
void pit_explain(const struct pit_check *row, const struct pit_page *page);
bool pit_selection_has(const struct pit_selection *s, const struct pit_check *row);

#endif
