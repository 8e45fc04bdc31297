/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "host/unit.h"

/* Where a reader of an INI-like text stands. */
struct ini {
	const char *at;
	int line;            /* of what `at` points at */
	struct pit_buf text; /* the logical line: continued lines joined by blanks, trimmed */
	int first;           /* number of its first line */
};

static void trim(struct pit_buf *b)
{
	while (b->len && isspace((unsigned char)b->data[b->len - 1]))
		b->data[--b->len] = '\0';
}

static bool is_comment(const char *line, size_t len)
{
	size_t blank = strspn(line, " \t\r");

	return blank < len && (line[blank] == '#' || line[blank] == ';');
}

/* Reads the next logical line; false at the end. Comments between continued lines are left out. */
static bool next_line(struct ini *r)
{
	bool open = false;

	pit_buf_clear(&r->text);
	while (*r->at) {
		const char *line = r->at;
		size_t len = strcspn(line, "\n");

		r->at += len + (line[len] == '\n');
		r->line++;
		if (is_comment(line, len))
			continue;
		if (!open)
			r->first = r->line;
		pit_buf_add(&r->text, line, len);
		trim(&r->text);
		open = r->text.len && r->text.data[r->text.len - 1] == '\\';
		if (!open)
			return true;
		r->text.data[r->text.len - 1] = ' ';
	}
	trim(&r->text);
	return open;
}

/* The name of a section line "[name]" in `ret`; false for other lines. */
static bool read_section(const char *line, char *ret, size_t size)
{
	const char *end = strrchr(line, ']');

	if (*line != '[' || !end)
		return false;
	snprintf(ret, size, "%.*s", (int)(end - line - 1), line + 1);
	return true;
}

/* What `line` gives to `key`; NULL when it is about something else. */
static const char *value_of(const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0)
		return NULL;
	line += len + strspn(line + len, " \t");
	return *line == '=' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

int pit_ini_get(const char *text, const char *section, const char *key, char *ret_value, size_t size, int *ret_line)
{
	struct ini r = {.at = text, .text = PIT_BUF_INIT};
	char now[128] = "";
	int rc = -ENOENT;

	while (next_line(&r)) {
		const char *line = r.text.data + strspn(r.text.data, " \t\r");
		const char *value;

		if (read_section(line, now, sizeof(now)))
			continue;
		value = !section || !strcmp(section, now) ? value_of(line, key) : NULL;
		if (!value)
			continue;
		snprintf(ret_value, size, "%s", value);
		if (ret_line)
			*ret_line = r.first;
		rc = 0;
	}
	pit_buf_free(&r.text);
	return rc;
}
