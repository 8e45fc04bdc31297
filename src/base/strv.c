/* SPDX-License-Identifier: MIT */
#include "base/strv.h"

#include <stdarg.h>
#include <string.h>

void pit_strv_free(struct pit_strv *v)
{
	int saved = errno;

	for (size_t i = 0; i < v->count; i++)
		free(v->item[i]);
	free(v->item);
	*v = (struct pit_strv){0};
	errno = saved;
}

/* Takes `text`, also on failure. */
static int append(struct pit_strv *v, char *text)
{
	if (text && v->count == v->size) {
		size_t size = v->size ? v->size * 2 : 8;
		char **grown = reallocarray(v->item, size, sizeof(*grown));

		if (!grown) {
			free(text);
			return -ENOMEM;
		}
		v->item = grown;
		v->size = size;
	}
	if (!text)
		return -ENOMEM;
	v->item[v->count++] = text;
	return 0;
}

int pit_strv_add(struct pit_strv *v, const char *text)
{
	return append(v, strdup(text));
}

int pit_strv_add_len(struct pit_strv *v, const char *text, size_t len)
{
	return append(v, strndup(text, len));
}

int pit_strv_addf(struct pit_strv *v, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return append(v, n < 0 ? NULL : text);
}

int pit_strv_split(struct pit_strv *v, const char *text, const char *separators)
{
	while (*(text += strspn(text, separators))) {
		size_t len = strcspn(text, separators);
		int rc = pit_strv_add_len(v, text, len);

		if (rc)
			return rc;
		text += len;
	}
	return 0;
}

bool pit_strv_has(const struct pit_strv *v, const char *text)
{
	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->item[i], text))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

void pit_strv_sort(struct pit_strv *v)
{
	if (v->count > 1)
		qsort(v->item, v->count, sizeof(*v->item), compare);
}
