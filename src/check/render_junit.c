/* SPDX-License-Identifier: MIT */
#include "check/run.h"

/* Text for XML 1.0: marks escaped, characters that it forbids left out, bytes beyond ASCII kept as they are when they
 * can be UTF-8. */
static void put_escaped(struct pit_buf *out, const char *text)
{
	for (; text && *text; text++) {
		switch (*text) {
		case '<':
			pit_buf_puts(out, "&lt;");
			break;
		case '>':
			pit_buf_puts(out, "&gt;");
			break;
		case '&':
			pit_buf_puts(out, "&amp;");
			break;
		case '"':
			pit_buf_puts(out, "&quot;");
			break;
		default:
			if ((unsigned char)*text >= 0x20 && (unsigned char)*text < 0x7f)
				pit_buf_putc(out, *text);
			else
				pit_buf_putc(out, *text == '\n' || *text == '\t' ? ' ' : '?');
		}
	}
}

static void put_body(struct pit_buf *out, const struct pit_finding *f)
{
	for (size_t i = 0; i < f->evidences; i++) {
		put_escaped(out, f->evidence[i].source);
		pit_buf_puts(out, ": ");
		put_escaped(out, f->evidence[i].text);
		pit_buf_putc(out, '\n');
	}
	put_escaped(out, pit_finding_remedy(f));
	pit_buf_putc(out, '\n');
	put_escaped(out, pit_finding_command(f));
}

static void put_case(struct pit_buf *out, const struct pit_report *r, size_t i)
{
	const struct pit_finding *f = &r->finding[i];
	bool waived = r->waiver[i] && !r->waiver[i]->expired;

	pit_buf_printf(out, "  <testcase classname=\"pitcrew.%s\" name=\"%s\"", pit_area_name(f->check->area),
		       f->check->id);
	if (f->status == PIT_PASS) {
		pit_buf_puts(out, "/>\n");
		return;
	}
	if (f->status == PIT_SKIP || waived) {
		pit_buf_puts(out, ">\n   <skipped message=\"");
		put_escaped(out, f->status == PIT_SKIP ? f->skip_reason : r->waiver[i]->reason);
		pit_buf_puts(out, "\"/>\n  </testcase>\n");
		return;
	}
	pit_buf_printf(out, ">\n   <failure type=\"%s\" message=\"", pit_status_name(f->status));
	put_escaped(out, f->check->title);
	pit_buf_puts(out, ": ");
	put_escaped(out, f->observed);
	pit_buf_puts(out, "\">");
	put_body(out, f);
	pit_buf_puts(out, "</failure>\n  </testcase>\n");
}

void pit_report_junit(const struct pit_report *r, struct pit_buf *out)
{
	pit_buf_printf(out,
		       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"pitcrew check\" "
		       "tests=\"%zu\" failures=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
		       r->count, r->warn + r->fail, r->skip + r->waived, r->ms / 1000);
	for (size_t i = 0; i < r->count; i++)
		put_case(out, r, i);
	pit_buf_puts(out, " </testsuite>\n</testsuites>\n");
}
