/* SPDX-License-Identifier: MIT
 *
 * The catalogue itself: its list, one row in full, and the reference page docs/checks.md.
 */
#include <string.h>

#include "check/run.h"
#include "report/text.h"

static const struct {
	unsigned need;
	const char *text;
} needs[] = {
	{PIT_NEED_GPU, "a GPU"},
	{PIT_NEED_NVIDIA, "an NVIDIA GPU"},
	{PIT_NEED_NVML, "the NVIDIA driver's library"},
	{PIT_NEED_RDMA, "an RDMA device"},
	{PIT_NEED_NODES, "two or more NUMA nodes"},
	{PIT_NEED_METAL, "bare metal"},
	{PIT_NEED_CONTAINER, "a container"},
	{PIT_NEED_HOST, "the host itself (no container)"},
	{PIT_NEED_KUBELET, "a kubelet"},
	{PIT_NEED_SLURM, "slurm.conf"},
	{PIT_NEED_X86, "x86"},
};

static void put_needs(const struct pit_check *row, struct pit_buf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < PIT_COUNT(needs); i++) {
		if (!(row->needs & needs[i].need))
			continue;
		pit_buf_printf(out, "%s%s", comma, needs[i].text);
		comma = ", ";
	}
	if (row->workloads)
		pit_buf_printf(out, "%sonly for %s", comma, row->workloads == PIT_TRAINING ? "training" : "inference");
}

/* What a data row compares, in words. */
static void put_rule(const struct pit_check *row, struct pit_buf *out)
{
	static const char *const words[] = {
		[PIT_OP_EQ] = "is",          [PIT_OP_NE] = "is not",       [PIT_OP_LE] = "is at most",
		[PIT_OP_GE] = "is at least", [PIT_OP_RANGE] = "is within", [PIT_OP_ONE_OF] = "is one of",
		[PIT_OP_CHOICE] = "chooses", [PIT_OP_EXISTS] = "exists",   [PIT_OP_ABSENT] = "does not exist",
	};

	if (!row->path || row->op == PIT_OP_NONE)
		return;
	pit_buf_printf(out, "%s %s", row->path, words[row->op]);
	if (row->want)
		pit_buf_printf(out, " %s%s%s", row->want, row->unit ? " " : "", row->unit ? row->unit : "");
	if (row->want_inference)
		pit_buf_printf(out, " (inference: %s)", row->want_inference);
}

void pit_catalog_text(const struct pit_selection *selection, const struct pit_page *page)
{
	size_t n = 0;

	PIT_CATALOG_FOREACH (row) {
		if (!pit_selection_has(selection, row))
			continue;
		pit_buf_printf(page->out, "%-34s %-5s %-12s %s\n", row->id, pit_status_name(row->otherwise),
			       pit_impact_name(row->impact), row->title);
		n++;
	}
	pit_buf_printf(page->out, "%zu checks\n", n);
}

static void put_part(const struct pit_page *page, const char *label, const char *text)
{
	char head[24];

	if (!text || !*text)
		return;
	snprintf(head, sizeof(head), "  %s", label);
	pit_page_wrap(page, 12, head, text);
}

void pit_explain(const struct pit_check *row, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf rule = PIT_BUF_INIT, where = PIT_BUF_INIT, verdict = PIT_BUF_INIT;

	put_rule(row, &rule);
	put_needs(row, &where);
	pit_buf_printf(&verdict, "%s, %s", pit_status_name(row->otherwise), pit_impact_name(row->impact));
	pit_page_colour(page, PIT_BOLD, row->id);
	pit_buf_printf(page->out, ": %s\n\n", row->title);
	put_part(page, "why", row->why);
	put_part(page, "passes if", rule.data);
	put_part(page, "else", verdict.data);
	put_part(page, "needs", where.data);
	put_part(page, "fix", row->remedy);
	put_part(page, "run", row->command);
	put_part(page, "knobs", row->knob);
	put_part(page, "reboot", row->reboot ? "the remedy needs one" : NULL);
	put_part(page, "source", row->source);
	put_part(page, "see", row->refs);
}

/* '|' would end a cell of the table. */
static void put_cell(struct pit_buf *out, const char *text)
{
	for (; text && *text; text++) {
		if (*text == '|')
			pit_buf_putc(out, '\\');
		pit_buf_putc(out, *text);
	}
	pit_buf_puts(out, " | ");
}

static void put_row(const struct pit_check *row, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf rule = PIT_BUF_INIT, where = PIT_BUF_INIT;

	put_rule(row, &rule);
	put_needs(row, &where);
	pit_buf_printf(out, "| `%s` | ", row->id);
	put_cell(out, row->title);
	put_cell(out, pit_status_name(row->otherwise));
	put_cell(out, pit_impact_name(row->impact));
	put_cell(out, rule.data);
	put_cell(out, where.data);
	put_cell(out, row->remedy);
	put_cell(out, row->knob);
	put_cell(out, row->source);
	pit_buf_putc(out, '\n');
}

void pit_catalog_markdown(struct pit_buf *out)
{
	int area = -1;

	pit_buf_puts(
		out,
		"# Checks\n\nGenerated from the catalogue by `pitcrew check --list --format markdown`; do not edit.\n");
	pit_buf_printf(out, "%zu checks. `pitcrew explain ID` shows one in full.\n", pit_catalog_count());
	PIT_CATALOG_FOREACH (row) {
		if ((int)row->area != area)
			pit_buf_printf(
				out,
				"\n## %s\n\n| id | judges | else | impact | passes if | needs | fix | knobs | source |\n"
				"|---|---|---|---|---|---|---|---|---|\n",
				pit_area_name(row->area));
		area = (int)row->area;
		put_row(row, out);
	}
}
