/* SPDX-License-Identifier: MIT
 *
 * The report for a person: worst first, grouped by what it costs, ending with what to do first.
 */
#include <string.h>

#include "base/parse.h"
#include "check/run.h"
#include "report/text.h"

static void put_number(struct pit_buf *out, int n, const char *one, const char *many)
{
	if (n < 0)
		pit_buf_printf(out, "? %s", many);
	else
		pit_buf_printf(out, "%d %s", n, n == 1 ? one : many);
}

/* "host gpu01 (live), Debian ..., Linux 6.1 x86_64, kvm". */
static void put_head(const struct pit_report *r, const struct pit_page *page)
{
	const struct pit_platform *p = &r->platform;
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char size[32];

	pit_buf_printf(&line, "pitcrew %s: %s (%s)", r->tool, p->hostname[0] ? p->hostname : "host", r->root);
	if (p->distro[0])
		pit_buf_printf(&line, ", %s", p->distro);
	if (p->kernel[0])
		pit_buf_printf(&line, ", Linux %s %s", p->kernel, p->arch);
	if (p->virt == PIT_VIRT_VM)
		pit_buf_printf(&line, ", virtual machine%s%s", p->hypervisor[0] ? " on " : "", p->hypervisor);
	if (p->container[0])
		pit_buf_printf(&line, ", inside %s", p->container);
	pit_buf_puts(&line, "; ");
	put_number(&line, r->cpus, "CPU", "CPUs");
	pit_buf_puts(&line, ", ");
	put_number(&line, r->nodes, "NUMA node", "NUMA nodes");
	if (r->mem_kb >= 0)
		pit_buf_printf(&line, ", %s RAM", pit_format_size((uint64_t)r->mem_kb * 1024, size, sizeof(size)));
	pit_buf_puts(&line, ", ");
	put_number(&line, r->gpus, "GPU", "GPUs");
	pit_buf_printf(&line, ". Judged for %s.", r->workload == PIT_TRAINING ? "training" : "inference");
	pit_page_wrap(page, 0, NULL, line.data);
}

static enum pit_colour colour_of(enum pit_status s)
{
	static const enum pit_colour colours[] = {
		[PIT_PASS] = PIT_GREEN, [PIT_SKIP] = PIT_DIM, [PIT_WARN] = PIT_YELLOW, [PIT_FAIL] = PIT_RED};

	return colours[s];
}

static void put_evidence(const struct pit_page *page, const struct pit_finding *f, bool verbose)
{
	size_t shown = verbose ? f->evidences : f->evidences < 3 ? f->evidences : 3;

	for (size_t i = 0; i < shown; i++) {
		pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

		pit_buf_printf(&line, "%s: %s", f->evidence[i].source, f->evidence[i].text);
		pit_page_part(page, i ? "" : "seen", line.data);
	}
	if (f->evidences + f->evidence_left_out > shown) {
		pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

		pit_buf_printf(&line, "and %zu more", f->evidences + f->evidence_left_out - shown);
		pit_page_part(page, "", line.data);
	}
}

static void put_waiver(const struct pit_page *page, const struct pit_waiver *w)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	if (!w)
		return;
	pit_buf_printf(&line, "%s %s: %s", w->expired ? "waiver expired on" : "until", w->until, w->reason);
	pit_page_part(page, "waived", line.data);
}

/* Title line: "  FAIL  memory.oom-kills  2 processes killed". */
static void put_title(const struct pit_page *page, const struct pit_finding *f, bool with_id)
{
	static const char *const words[] = {
		[PIT_PASS] = "  pass  ", [PIT_SKIP] = "  skip  ", [PIT_WARN] = "  warn  ", [PIT_FAIL] = "  FAIL  "};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT, wrapped = PIT_BUF_INIT;
	struct pit_page inner = {.out = &wrapped, .width = page->width, .colours = false};
	const char *said = f->status == PIT_SKIP ? f->skip_reason : f->observed;

	pit_buf_printf(&text, "%s: %s", f->check->title, said ? said : "");
	if (with_id)
		pit_buf_printf(&text, "  (%s)", f->check->id);
	pit_page_wrap(&inner, 8, words[f->status], text.data);
	pit_page_colour(page, colour_of(f->status), words[f->status]);
	pit_buf_puts(page->out, wrapped.data + 8);
}

static void put_finding(const struct pit_report *r, size_t at, bool verbose, const struct pit_page *page)
{
	const struct pit_finding *f = &r->finding[at];
	const char *command = pit_finding_command(f);

	put_title(page, f, false);
	pit_page_part(page, "wanted", f->wanted);
	put_evidence(page, f, verbose);
	pit_page_part(page, "set by", f->origin);
	if (verbose)
		pit_page_part(page, "why", f->check->why);
	pit_page_part(page, "fix", pit_finding_remedy(f));
	pit_page_part(page, "run", command);
	if (command && (!strncmp(command, "sysctl -w", 9) || !strncmp(command, "echo ", 5)))
		pit_page_part(page, "", "(until the next boot)");
	if (f->check->reboot)
		pit_page_part(page, "", "(needs a reboot)");
	pit_page_part(page, "id", f->check->id);
	put_waiver(page, r->waiver[at]);
	pit_buf_putc(page->out, '\n');
}

static void put_group(const struct pit_report *r, const size_t *worst, size_t count, enum pit_impact impact,
		      bool verbose, const struct pit_page *page)
{
	static const char *const heads[] = {
		[PIT_STYLE] = "STYLE: good practice, nothing is lost today\n\n",
		[PIT_RISK] = "RISK: harmless until something happens\n\n",
		[PIT_HURTING] = "HURTING NOW: a reading shows the cost\n\n",
	};
	bool first = true;

	for (size_t i = 0; i < count; i++) {
		if (r->finding[worst[i]].impact != impact)
			continue;
		if (first)
			pit_page_colour(page, PIT_BOLD, heads[impact]);
		first = false;
		put_finding(r, worst[i], verbose, page);
	}
}

static bool same_reason(const struct pit_finding *a, const struct pit_finding *b)
{
	return pit_finding_is_unseen(a) && pit_finding_is_unseen(b) && !strcmp(a->skip_reason, b->skip_reason);
}

/* One cause, one entry: the reason and all checks that it keeps from looking. Nothing when an earlier entry had it. */
static void put_reason(const struct pit_report *r, size_t at, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	const char *comma = " (";

	for (size_t i = 0; i < at; i++)
		if (same_reason(&r->finding[i], &r->finding[at]))
			return;
	pit_buf_puts(&line, r->finding[at].skip_reason);
	for (size_t i = at; i < r->count; i++) {
		if (!same_reason(&r->finding[i], &r->finding[at]))
			continue;
		pit_buf_printf(&line, "%s%s", comma, r->finding[i].check->id);
		comma = ", ";
	}
	pit_buf_putc(&line, ')');
	pit_page_wrap(page, 8, "  ?", line.data);
}

static void put_unseen(const struct pit_report *r, const struct pit_page *page)
{
	bool any = false;

	for (size_t i = 0; i < r->count; i++) {
		if (!pit_finding_is_unseen(&r->finding[i]))
			continue;
		if (!any)
			pit_page_colour(page, PIT_BOLD, "COULD NOT SEE\n\n");
		any = true;
		put_reason(r, i, page);
	}
	if (!any)
		return;
	if (r->live && !r->as_root)
		pit_buf_puts(page->out, "        Run as root to see what was denied.\n");
	pit_buf_putc(page->out, '\n');
}

static void put_quiet(const struct pit_report *r, enum pit_status status, const char *head, const struct pit_page *page)
{
	bool first = true;

	for (size_t i = 0; i < r->count; i++) {
		const struct pit_finding *f = &r->finding[i];

		if (f->status != status)
			continue;
		if (first)
			pit_page_colour(page, PIT_BOLD, head);
		first = false;
		put_title(page, f, true);
		put_evidence(page, f, false);
	}
	if (!first)
		pit_buf_putc(page->out, '\n');
}

/* Three different things; findings with the same command are one thing. */
static void put_first_steps(const struct pit_report *r, const size_t *worst, size_t count, const struct pit_page *page)
{
	const char *said[3] = {0};
	size_t n = 0;

	for (size_t i = 0; i < count && n < 3; i++) {
		const struct pit_finding *f = &r->finding[worst[i]];
		const char *command = pit_finding_command(f), *todo = command ? command : pit_finding_remedy(f);
		pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
		char head[16];
		bool again = !todo;

		for (size_t j = 0; j < n; j++)
			again |= todo && !strcmp(said[j], todo);
		if (again)
			continue;
		said[n++] = todo;
		if (n == 1)
			pit_page_colour(page, PIT_BOLD, "DO FIRST\n\n");
		snprintf(head, sizeof(head), "  %zu. ", n);
		pit_buf_printf(&line, "%s  (%s)", todo, f->check->id);
		pit_page_wrap(page, 5, head, line.data);
	}
	if (n)
		pit_buf_putc(page->out, '\n');
}

static void put_summary(const struct pit_report *r, bool verbose, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	pit_buf_printf(&line, "%zu failed, %zu warned, %zu passed, %zu skipped", r->fail, r->warn, r->pass, r->skip);
	if (r->waived)
		pit_buf_printf(&line, ", %zu waived", r->waived);
	pit_buf_printf(&line, " of %zu checks in %.0f ms.", r->count, r->ms);
	if (!verbose)
		pit_buf_puts(&line, " 'pitcrew check --verbose' shows all, 'pitcrew explain ID' one.");
	pit_page_wrap(page, 0, NULL, line.data);
}

void pit_report_text(const struct pit_report *r, bool verbose, const struct pit_page *page)
{
	pit_auto_free size_t *worst = calloc(r->count + 1, sizeof(*worst));
	size_t count = worst ? pit_report_worst(r, worst) : 0;

	put_head(r, page);
	pit_buf_putc(page->out, '\n');
	for (int impact = PIT_HURTING; impact >= PIT_STYLE; impact--)
		put_group(r, worst, count, (enum pit_impact)impact, verbose, page);
	put_unseen(r, page);
	if (verbose) {
		put_quiet(r, PIT_PASS, "PASSED\n\n", page);
		put_quiet(r, PIT_SKIP, "SKIPPED\n\n", page);
	}
	put_first_steps(r, worst, count, page);
	put_summary(r, verbose, page);
}
