/* SPDX-License-Identifier: MIT */
#include "check/offenders.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pit_offenders_add(struct pit_offenders *o, const char *fmt, ...)
{
	size_t used = strlen(o->text);
	va_list ap;

	if (o->count++ >= PIT_OFFENDERS_SHOWN)
		return;
	if (used)
		used += (size_t)snprintf(o->text + used, sizeof(o->text) - used, ", ");
	if (used >= sizeof(o->text))
		return;
	va_start(ap, fmt);
	vsnprintf(o->text + used, sizeof(o->text) - used, fmt, ap);
	va_end(ap);
}

const char *pit_offenders_text(struct pit_offenders *o)
{
	if (o->count <= PIT_OFFENDERS_SHOWN)
		return o->text;
	snprintf(o->whole, sizeof(o->whole), "%s and %zu more", o->text, o->count - PIT_OFFENDERS_SHOWN);
	return o->whole;
}
