/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "feed/source_body.h"
#include "feed/utf8.h"

void *pit_source_room(void *array, size_t count, size_t *room, size_t item)
{
	size_t more = *room ? *room * 2 : 64;
	void *p;

	if (count < *room)
		return array;
	if (more <= *room)
		return NULL;
	p = reallocarray(array, more, item);
	if (p)
		*room = more;
	return p;
}

static int make_text_room(struct pit_names *n, size_t more)
{
	size_t room = n->text_room ? n->text_room : 1024;
	char *p;

	while (room - n->len < more) {
		if (room > SIZE_MAX / 2)
			return -ENOMEM;
		room *= 2;
	}
	if (room == n->text_room)
		return 0;
	p = realloc(n->text, room);
	if (!p)
		return -ENOMEM;
	n->text = p;
	n->text_room = room;
	return 0;
}

int pit_names_add(struct pit_names *n, const char *name, size_t len)
{
	uint64_t *at = pit_source_room(n->at, n->count, &n->room, sizeof(*at));

	if (!at)
		return -ENOMEM;
	n->at = at;
	if (make_text_room(n, len + 1))
		return -ENOMEM;
	n->at[n->count++] = n->len;
	memcpy(n->text + n->len, name, len);
	n->text[n->len + len] = '\0';
	n->len += len + 1;
	return 0;
}

const char *pit_names_get(const struct pit_names *n, size_t i)
{
	return n->text + n->at[i];
}

void pit_names_cut(struct pit_names *n, size_t count)
{
	if (count < n->count)
		n->len = n->at[count];
	n->count = count;
}

void pit_names_free(struct pit_names *n)
{
	int saved = errno;

	free(n->text);
	free(n->at);
	*n = (struct pit_names){0};
	errno = saved;
}

void pit_file_list_free(struct pit_file_list *l)
{
	int saved = errno;

	pit_names_free(&l->names);
	free(l->size);
	free(l->top);
	if (l->dir >= 0)
		close(l->dir);
	*l = (struct pit_file_list){.dir = -1};
	errno = saved;
}

const char *pit_file_list_show(const struct pit_file_list *l, size_t i, char *out, size_t size)
{
	const char *name = pit_names_get(&l->names, i);
	pit_auto_buf struct pit_buf path = PIT_BUF_INIT;

	if (l->place)
		l->place(l->place_arg, i, &path);
	if (l->top && *name != '/')
		pit_buf_puts(&path, l->top);
	pit_buf_puts(&path, name);
	return pit_utf8_show(path.failed ? name : path.data, out, size);
}

bool pit_source_tell(const struct pit_source_extra *extra, int rc, const struct pit_file_list *l, size_t i,
		     const struct pit_error *why)
{
	const char *text = *why->text ? why->text : strerror(-rc);
	char name[300];

	if (!rc || rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE || !extra->bad || (rc == -ENOTSUP && !extra->odd))
		return false;
	pit_file_list_show(l, i, name, sizeof(name));
	if (rc == -ENOTSUP)
		extra->odd(extra->arg, true, name, text);
	else
		extra->bad(extra->arg, name, text);
	return true;
}
