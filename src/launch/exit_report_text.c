/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/idset.h"
#include "base/parse.h"
#include "launch/exit_report_parts.h"
#include "report/text.h"

#define WIDTH 100
#define INDENT 10
#define GROUPS 4        /* lines about the other ranks */
#define NOTES 3         /* lines of notes, */
#define TAILS 3         /* ranks of which that is shown */
#define TAIL_SHARE 4    /* lines of each, at least */
#define TAIL_AT_LEAST 6 /* which leave this many to stderr */

static const char *format_duration(int64_t ns, char *out, size_t size)
{
	int64_t s = ns / (1000 * PIT_MS);

	if (ns < 1000 * PIT_MS)
		snprintf(out, size, "%d ms", (int)(ns / PIT_MS));
	else if (s < 60)
		snprintf(out, size, "%.1f s", (double)ns / (1000.0 * PIT_MS));
	else if (s < 3600)
		snprintf(out, size, "%d min %d s", (int)(s / 60), (int)(s % 60));
	else
		snprintf(out, size, "%d h %d min", (int)(s / 3600), (int)(s / 60 % 60));
	return out;
}

static const char *subject(const struct pit_exit_report *r, const struct pit_rank_end *e, char *out, size_t size)
{
	if (r->ranks == 1 && !e->rank)
		return "the command";
	snprintf(out, size, "rank %d", e->rank);
	return out;
}

/* Wraps `text` behind `label`, and keeps `most` lines of that. Returns how many there were. */
static int put_part(struct pit_buf *out, const char *label, const char *text, int indent, int most)
{
	pit_auto_buf struct pit_buf all = PIT_BUF_INIT;
	const struct pit_page page = {.out = &all, .width = WIDTH - 4}; /* and " ..." */
	const char *line = all.data;
	int lines = 0;

	pit_page_wrap(&page, indent, label, text);
	for (line = all.data; *line && lines < most; lines++) {
		size_t len = strcspn(line, "\n");

		pit_buf_printf(out, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
		pit_buf_puts(out, *line && lines + 1 == most ? " ...\n" : "\n");
	}
	out->failed |= all.failed;
	return lines;
}

static void put_asked(struct pit_buf *out, const struct pit_exit_report *r, const char *when)
{
	char name[24];

	pit_buf_printf(out, "stopped by %s", pit_signal_name(r->asked_signal, name, sizeof(name)));
	if (!r->asked_by)
		pit_buf_puts(out, " of the terminal or the kernel");
	else if (r->asked_by > 0 && *r->asked_name)
		pit_buf_printf(out, " from %s (pid %d)", r->asked_name, (int)r->asked_by);
	else if (r->asked_by > 0)
		pit_buf_printf(out, " from pid %d", (int)r->asked_by);
	pit_buf_printf(out, " after %s", when);
}

static const struct pit_rank_end *first_of(const struct pit_exit_report *r)
{
	return r->first >= 0 && r->first < r->ranks ? &r->rank[r->first] : NULL;
}

/* Who failed at nearly the same time. */
static void put_near(struct pit_buf *out, const struct pit_exit_report *r)
{
	char when[32];
	int near = 0, last = -1;

	for (int i = 0; i < r->ranks; i++) {
		if (!pit_exit_report_near(r, i))
			continue;
		near++;
		if (last < 0 || r->rank[i].after > r->rank[last].after)
			last = i;
	}
	if (!near)
		return;
	format_duration(r->rank[last].after - first_of(r)->after, when, sizeof(when));
	if (near == 1)
		pit_buf_printf(out, " (rank %d %s later)", r->rank[last].rank, when);
	else
		pit_buf_printf(out, " (%d more within %s)", near, when);
}

static void put_failed(struct pit_buf *out, const struct pit_exit_report *r, const struct pit_rank_end *e)
{
	char name[24], when[32];

	pit_buf_puts(out, subject(r, e, name, sizeof(name)));
	if (e->how != PIT_RANK_NOT_STARTED) {
		pit_buf_printf(out, " %s after %s", r->ranks > 1 ? "failed first," : "failed",
			       format_duration(e->after, when, sizeof(when)));
		put_near(out, r);
		pit_buf_putc(out, ':');
	}
	pit_buf_putc(out, ' ');
	pit_exit_report_put_how(out, e);
	if (e->pid > 0)
		pit_buf_printf(out, " (pid %d)", (int)e->pid);
}

static int put_head(struct pit_buf *out, const struct pit_exit_report *r)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char when[32];

	format_duration(r->lasted, when, sizeof(when));
	if (r->why == PIT_JOB_DONE)
		pit_buf_printf(&text, "done after %s", when);
	else if (r->why == PIT_JOB_STOPPED)
		put_asked(&text, r, when);
	else if (r->why == PIT_JOB_LOST_FRONT)
		pit_buf_printf(&text, "the pitcrew that was called is gone after %s; its ranks were ended", when);
	else if (first_of(r))
		put_failed(&text, r, first_of(r));
	else
		pit_buf_puts(&text, r->why == PIT_JOB_FAILED ? "the job failed" : "the job could not be started");
	if (r->output_lost)
		pit_buf_printf(&text, "; output was lost: %s", strerror(r->output_lost));
	return put_part(out, "pitcrew: ", text.data, 9, 3);
}

static int put_why(struct pit_buf *out, const struct pit_rank_end *e)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_exit_report_put_why(&text, e);
	return text.len ? put_part(out, "  why", text.data, INDENT, 4) : 0;
}

/* True when `e` is the first rank, but for `skip`, that ended in this way; its kin go into `ranks`. */
static bool first_of_kind(const struct pit_exit_report *r, int at, char *const *how, struct pit_idset *ranks)
{
	for (int i = 0; i < r->ranks; i++) {
		if (!how[i] || strcmp(how[i], how[at]) != 0)
			continue;
		if (i < at)
			return false;
		if (r->rank[i].rank >= 0)
			pit_idset_add(ranks, (size_t)r->rank[i].rank);
	}
	return true;
}

/* A line for each way in which the other ranks ended. */
static int put_kinds(struct pit_buf *out, const struct pit_exit_report *r, char *const *how)
{
	int lines = 0;

	for (int i = 0; i < r->ranks && lines < GROUPS + 1; i++) {
		pit_auto_idset struct pit_idset ranks = {0};
		pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
		char list[48];

		if (!how[i] || !first_of_kind(r, i, how, &ranks))
			continue;
		pit_idset_format(&ranks, list, sizeof(list));
		if (lines < GROUPS)
			pit_buf_printf(&line, "%s %s: %s", pit_idset_count(&ranks) > 1 ? "ranks" : "rank", list,
				       how[i]);
		else
			pit_buf_puts(&line, "and more, which ended in other ways");
		lines += put_part(out, lines ? "" : "  others", line.data, INDENT, 1);
	}
	return lines;
}

static int put_others(struct pit_buf *out, const struct pit_exit_report *r)
{
	const struct pit_rank_end *first = r->why == PIT_JOB_STOPPED ? NULL : first_of(r);
	pit_auto_free char **how = r->ranks > 0 ? calloc((size_t)r->ranks, sizeof(*how)) : NULL;
	int lines;

	if (!how || (first && r->ranks == 1))
		return 0;
	for (int i = 0; i < r->ranks; i++) {
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

		if (&r->rank[i] == first)
			continue;
		pit_exit_report_put_how(&text, &r->rank[i]);
		how[i] = pit_buf_take(&text);
	}
	lines = put_kinds(out, r, how);
	for (int i = 0; i < r->ranks; i++)
		free(how[i]);
	return lines;
}

static int put_stop(struct pit_buf *out, const struct pit_exit_report *r)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char name[24];

	if (!r->checkpoint_sent && !r->grace_over)
		return 0;
	if (r->checkpoint_sent)
		pit_buf_puts(&text, "the checkpoint signal was sent first");
	if (r->checkpoint_sent && r->grace_over)
		pit_buf_puts(&text, "; ");
	if (r->grace_over && r->stop_signal > 0)
		pit_buf_printf(&text, "%s did not end all in the grace: SIGKILL did",
			       pit_signal_name(r->stop_signal, name, sizeof(name)));
	else if (r->grace_over)
		pit_buf_puts(&text, "not all ended in the grace: SIGKILL did it");
	return put_part(out, "  stop", text.data, INDENT, 2);
}

static int put_pressed(struct pit_buf *out, const struct pit_exit_report *r)
{
	const struct pit_rank_end *first = first_of(r);
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char when[32];
	int64_t end = first ? first->after : r->lasted;

	if (!r->pressed || end < r->pressed)
		return 0;
	pit_buf_printf(&text, "it ran short %s before: the checkpoint signal was sent then",
		       format_duration(end - r->pressed, when, sizeof(when)));
	return put_part(out, "  memory", text.data, INDENT, 2);
}

static int put_left(struct pit_buf *out, const struct pit_exit_report *r)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (!r->leftovers)
		return 0;
	pit_buf_printf(&text, "%d %s that the ranks left behind %s ended", r->leftovers,
		       r->leftovers > 1 ? "processes" : "process", r->leftovers > 1 ? "were" : "was");
	if (r->orphans)
		pit_buf_printf(&text, "; %d more had ended by themselves", r->orphans);
	return put_part(out, "  left", text.data, INDENT, 1);
}

static int put_restart(struct pit_buf *out, const struct pit_exit_report *r)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (r->restarts <= 0)
		return 0;
	pit_buf_printf(&text, "this was start %d of at most %d", r->attempt + 1, r->restarts + 1);
	if (r->gave_up)
		pit_buf_printf(&text, "; no further one: %s", r->gave_up);
	return put_part(out, "  starts", text.data, INDENT, 2);
}

static int put_notes(struct pit_buf *out, const struct pit_exit_report *r, int most)
{
	int lines = 0;

	for (size_t i = 0; i < r->notes.count && lines < most; i++)
		lines += put_part(out, lines ? "" : "  notes", r->notes.item[i], INDENT, 1);
	return lines;
}

/* Where the last `lines` lines of `text` begin, empty ones not counted. */
static const char *last_lines(const char *text, int lines)
{
	const char *at = text + strlen(text);

	for (; at > text && lines > 0; lines--) {
		while (at > text && at[-1] == '\n')
			at--;
		while (at > text && at[-1] != '\n')
			at--;
	}
	return at + strspn(at, "\n");
}

static bool has_tail(const struct pit_rank_end *e)
{
	return e->tail && e->tail[strspn(e->tail, " \t\r\n")];
}

/* Returns the lines. */
static int put_tail(struct pit_buf *out, const struct pit_exit_report *r, const struct pit_rank_end *e, int most)
{
	const char *line;
	char name[24];
	int lines = 1;

	if (most < 2)
		return 0;
	pit_buf_printf(out, "  stderr  last lines of %s:\n", subject(r, e, name, sizeof(name)));
	for (line = last_lines(e->tail, most - 1); *line; line += strspn(line, "\n"), lines++) {
		size_t len = strcspn(line, "\n");
		pit_auto_free char *copy = strndup(line, len);

		pit_buf_puts(out, "    ");
		if (copy)
			pit_page_clip(out, copy, WIDTH - 4);
		pit_buf_putc(out, '\n');
		line += len;
	}
	return lines;
}

/* Of the one that looks like the cause, of the first, and of who failed soon after it. */
static void put_tails(struct pit_buf *out, const struct pit_exit_report *r, int most)
{
	const struct pit_rank_end *of[TAILS];
	int cause = pit_exit_report_cause(r), count = 0;

	if (r->why != PIT_JOB_FAILED || !first_of(r))
		return;
	if (cause >= 0 && has_tail(&r->rank[cause]))
		of[count++] = &r->rank[cause];
	if (has_tail(first_of(r)))
		of[count++] = first_of(r);
	for (int i = 0; i < r->ranks && count < TAILS; i++)
		if (i != cause && pit_exit_report_near(r, i) && has_tail(&r->rank[i]))
			of[count++] = &r->rank[i];
	while (count > 1 && most / count < TAIL_SHARE)
		count--;
	for (int i = 0; i < count; i++)
		most -= put_tail(out, r, of[i], most / (count - i));
}

static int put_cause(struct pit_buf *out, const struct pit_exit_report *r)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int cause = pit_exit_report_cause(r);

	if (r->why != PIT_JOB_FAILED || cause < 0)
		return 0;
	pit_buf_printf(&text, "rank %d looks like it: rank %d only says that it lost a peer", r->rank[cause].rank,
		       first_of(r)->rank);
	return put_part(out, "  cause", text.data, INDENT, 2);
}

void pit_exit_report_text(const struct pit_exit_report *r, struct pit_buf *out)
{
	int lines, room;

	if (r->why == PIT_JOB_DONE && !r->leftovers && !r->output_lost)
		return;
	lines = put_head(out, r);
	lines += put_cause(out, r);
	if (r->why == PIT_JOB_FAILED && first_of(r))
		lines += put_why(out, first_of(r));
	if (r->why != PIT_JOB_DONE)
		lines += put_others(out, r);
	if (r->why != PIT_JOB_DONE)
		lines += put_pressed(out, r);
	lines += put_stop(out, r);
	lines += put_left(out, r);
	lines += put_restart(out, r);
	if (pit_exit_report_code(r) || r->why != PIT_JOB_DONE) {
		pit_buf_printf(out, "  code    %d\n", pit_exit_report_code(r));
		lines++;
	}
	room = PIT_EXIT_REPORT_LINES - TAIL_AT_LEAST - lines;
	lines += put_notes(out, r, room < NOTES ? room : NOTES);
	put_tails(out, r, PIT_EXIT_REPORT_LINES - lines);
}
