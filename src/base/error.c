/* SPDX-License-Identifier: MIT */
#include "pitcrew/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void format(struct pit_error *err, const char *fmt, va_list ap)
{
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);

	if (n >= (int)sizeof(err->text))
		memcpy(err->text + sizeof(err->text) - 4, "...", 4);
}

int pit_fail(struct pit_error *err, int code, const char *fmt, ...)
{
	if (err) {
		int saved = errno;
		va_list ap;

		err->code = code;
		va_start(ap, fmt);
		format(err, fmt, ap);
		va_end(ap);
		errno = saved;
	}
	return -code;
}

int pit_wrap(struct pit_error *err, int rc, const char *fmt, ...)
{
	struct pit_error inner;
	va_list ap;
	size_t n;

	if (rc >= 0 || !err)
		return rc;
	inner = *err;
	if (!inner.text[0])
		snprintf(inner.text, sizeof(inner.text), "%s", strerror(-rc));
	va_start(ap, fmt);
	format(err, fmt, ap);
	va_end(ap);
	err->code = -rc;
	n = strlen(err->text);
	if (snprintf(err->text + n, sizeof(err->text) - n, ": %s", inner.text) >= (int)(sizeof(err->text) - n))
		memcpy(err->text + sizeof(err->text) - 4, "...", 4);
	return rc;
}
