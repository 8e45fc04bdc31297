/* SPDX-License-Identifier: MIT */
#include "check/offenders.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX 3      /* spelt out */
#define SENTENCES_MAX 2  /* spelt out */
#define SENTENCES_LEN 70 /* bytes after which no second one is spelt out */
#define MORE_LEN 32      /* bytes kept for " and 12 more" */

static void show(struct pit_offenders *o, const char *separator, const char *fmt, va_list ap)
{
	size_t used = strlen(o->text), room = sizeof(o->text) - MORE_LEN;

	if (o->shown++ && used < room)
		used += (size_t)snprintf(o->text + used, room - used, "%s", separator);
	if (used < room)
		vsnprintf(o->text + used, room - used, fmt, ap);
}

void pit_offenders_add(struct pit_offenders *o, const char *fmt, ...)
{
	va_list ap;

	if (o->count++ >= NAMES_MAX)
		return;
	va_start(ap, fmt);
	show(o, ", ", fmt, ap);
	va_end(ap);
}

/* Evidence is shown behind its source: "A: A=1" says it twice. */
static const char *without_name(const char *text, const char *source)
{
	size_t len = strlen(source);

	if (strncmp(text, source, len) != 0 || !text[len] || !strchr("=: ", text[len]))
		return text;
	return text + len + 1 + (text[len] == ':' && text[len + 1] == ' ');
}

void pit_problem(struct pit_offenders *o, struct pit_finding *out, const char *source, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	if (o->shown < SENTENCES_MAX && strlen(o->text) < SENTENCES_LEN && o->shown == o->count) {
		va_start(ap, fmt);
		show(o, "; ", fmt, ap);
		va_end(ap);
	}
	o->count++;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n >= 0)
		pit_evidence(out, source, "%s", without_name(text, source));
	else
		out->failed = true;
	free(n >= 0 ? text : NULL);
}

const char *pit_offenders_text(struct pit_offenders *o)
{
	size_t used = strlen(o->text);

	if (o->count > o->shown)
		snprintf(o->text + used, sizeof(o->text) - used, " and %zu more", o->count - o->shown);
	o->shown = o->count;
	return o->text;
}

void pit_offend(struct pit_offenders *o, enum pit_status status, enum pit_impact impact, const char *fmt, ...)
{
	bool worse = !o->count || status > o->status || (status == o->status && impact > o->impact);
	va_list ap;

	o->count++;
	if (!worse)
		return;
	va_start(ap, fmt);
	vsnprintf(o->text, sizeof(o->text) - MORE_LEN, fmt, ap);
	va_end(ap);
	o->impact = o->count == 1 || impact > o->impact ? impact : o->impact;
	o->status = status;
}

int pit_offenders_judge(const struct pit_offenders *o, struct pit_finding *out, const char *fine, ...)
{
	char text[256];
	va_list ap;

	if (!o->count) {
		va_start(ap, fine);
		vsnprintf(text, sizeof(text), fine, ap);
		va_end(ap);
		return pit_pass(out, "%s", text);
	}
	if (o->count == 1)
		return pit_judge(out, o->status, o->impact, "%s", o->text);
	return pit_judge(out, o->status, o->impact, "%s, and %zu more", o->text, o->count - 1);
}
