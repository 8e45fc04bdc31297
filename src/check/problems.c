/* SPDX-License-Identifier: MIT */
#include "check/problems.h"

#include <stdarg.h>
#include <string.h>

#define SHOWN_MAX 2  /* objections spelt out in `observed` */
#define SHOWN_LEN 70 /* bytes after which no second one is spelt out */

void pit_problem(struct pit_problems *p, struct pit_finding *out, const char *source, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		out->failed = true;
		return;
	}
	pit_evidence(out, source, "%s", text);
	if (p->shown < SHOWN_MAX && p->text.len < SHOWN_LEN && p->shown == p->count) {
		pit_buf_printf(&p->text, "%s%s", p->shown ? "; " : "", text);
		p->shown++;
	}
	p->count++;
	free(text);
}

const char *pit_problems_text(struct pit_problems *p)
{
	if (p->count > p->shown)
		pit_buf_printf(&p->text, " and %zu more", p->count - p->shown);
	p->shown = p->count;
	return p->text.data;
}
