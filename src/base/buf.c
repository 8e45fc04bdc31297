/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <string.h>

char pit_buf_empty[1];

void pit_buf_free(struct pit_buf *b)
{
	int saved = errno;

	if (b->size)
		free(b->data);
	*b = (struct pit_buf)PIT_BUF_INIT;
	errno = saved;
}

int pit_buf_reserve(struct pit_buf *b, size_t more)
{
	size_t want = b->len + more + 1, size = b->size ? b->size : 64;
	char *grown;

	if (b->failed)
		return -ENOMEM;
	if (want <= b->size)
		return 0;
	while (size < want)
		size *= 2;
	grown = realloc(b->size ? b->data : NULL, size);
	if (!grown) {
		b->failed = true;
		return -ENOMEM;
	}
	if (!b->size)
		grown[0] = '\0';
	b->data = grown;
	b->size = size;
	return 0;
}

void pit_buf_add(struct pit_buf *b, const void *bytes, size_t len)
{
	if (!len || pit_buf_reserve(b, len))
		return;
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void pit_buf_puts(struct pit_buf *b, const char *text)
{
	pit_buf_add(b, text, strlen(text));
}

void pit_buf_putc(struct pit_buf *b, char c)
{
	pit_buf_add(b, &c, 1);
}

void pit_buf_printf(struct pit_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0 || pit_buf_reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void pit_buf_clear(struct pit_buf *b)
{
	b->len = 0;
	if (b->size)
		b->data[0] = '\0';
}

char *pit_buf_take(struct pit_buf *b)
{
	char *text = NULL;

	if (!b->failed)
		text = b->size ? b->data : strdup("");
	if (text && b->size)
		b->size = 0;
	pit_buf_free(b);
	return text;
}
