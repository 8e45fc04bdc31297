/* SPDX-License-Identifier: MIT */
#include "tune/knob.h"

#include <stdarg.h>
#include <string.h>

/* Room for one more wish; NULL when memory runs out. */
static struct pit_wish *more(struct pit_wishes *w, const struct pit_cell *cell)
{
	struct pit_wish *grown = reallocarray(w->wish, w->wishes + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	w->wish = grown;
	grown[w->wishes] = (struct pit_wish){0};
	if (pit_cell_set(&grown[w->wishes].cell, cell->target, cell->kind, "%s", cell->object))
		return NULL;
	return &grown[w->wishes];
}

int pit_wish_add(struct pit_wishes *w, const struct pit_cell *cell, const char *value)
{
	pit_auto_free char *copy = value ? strdup(value) : NULL;
	struct pit_wish *wish;

	if (value && !copy)
		return -ENOMEM;
	wish = more(w, cell);
	if (!wish)
		return -ENOMEM;
	wish->value = pit_take(copy);
	w->wishes++;
	return 0;
}

int pit_wish_refuse(struct pit_wishes *w, const struct pit_cell *cell, const char *fmt, ...)
{
	pit_auto_free char *why = NULL;
	struct pit_wish *wish;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&why, fmt, ap);
	va_end(ap);
	if (n < 0) {
		why = NULL;
		return -ENOMEM;
	}
	wish = more(w, cell);
	if (!wish)
		return -ENOMEM;
	wish->refuse = pit_take(why);
	w->wishes++;
	return 0;
}

static void free_fragment(struct pit_fragment *f)
{
	free(f->path);
	free(f->section);
	free(f->line);
}

int pit_fragment_add(struct pit_wishes *w, const char *path, const char *section, const char *fmt, ...)
{
	struct pit_fragment *grown, f = {.path = strdup(path), .section = strdup(section)};
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&f.line, fmt, ap) < 0)
		f.line = NULL;
	va_end(ap);
	grown = reallocarray(w->fragment, w->fragments + 1, sizeof(*grown));
	if (grown)
		w->fragment = grown;
	if (!f.path || !f.section || !f.line || !grown) {
		free_fragment(&f);
		return -ENOMEM;
	}
	grown[w->fragments++] = f;
	return 0;
}

int pit_wishes_absent(struct pit_wishes *w, const char *fmt, ...)
{
	char *why;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&why, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	free(w->absent);
	w->absent = why;
	return 0;
}

void pit_wishes_free(struct pit_wishes *w)
{
	for (size_t i = 0; i < w->wishes; i++) {
		pit_cell_free(&w->wish[i].cell);
		free(w->wish[i].value);
		free(w->wish[i].refuse);
	}
	for (size_t i = 0; i < w->fragments; i++)
		free_fragment(&w->fragment[i]);
	free(w->wish);
	free(w->fragment);
	free(w->absent);
	*w = (struct pit_wishes){0};
}

char *pit_fragment_path(const char *dir, const char *suffix, int txn, char *out, size_t size)
{
	snprintf(out, size, "%s/99-zz-pitcrew-%04d%s", dir, txn, suffix);
	return out;
}
