/* SPDX-License-Identifier: MIT
 *
 * TOML as container engines write it: tables, arrays of tables, dotted and quoted keys, strings, numbers, booleans,
 * arrays over several lines, inline tables.
 */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "check/conf.h"

#define DEPTH_MAX 32

struct toml {
	const char *p;
	int line;
	struct pit_buf path; /* of the current table */
	struct pit_conf *out;
	struct pit_error *err;
};

static int bad(struct toml *t, const char *what)
{
	return pit_fail(t->err, EBADMSG, "line %d: %s", t->line, what);
}

static void skip_blanks(struct toml *t)
{
	t->p += strspn(t->p, " \t");
}

static void skip_comment(struct toml *t)
{
	skip_blanks(t);
	if (*t->p == '#')
		t->p += strcspn(t->p, "\n");
	if (*t->p == '\r')
		t->p++;
}

/* Blanks, comments and line ends: inside of arrays, and between statements. */
static void skip_lines(struct toml *t)
{
	for (skip_comment(t); *t->p == '\n'; skip_comment(t)) {
		t->p++;
		t->line++;
	}
}

static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* A string in single or double quotes. */
static int read_quoted(struct toml *t, struct pit_buf *ret)
{
	char quote = *t->p;

	if (!strncmp(t->p, "\"\"\"", 3) || !strncmp(t->p, "'''", 3))
		return bad(t, "strings over several lines are not read");
	for (t->p++; *t->p && *t->p != '\n' && *t->p != quote; t->p++) {
		if (quote == '"' && *t->p == '\\' && t->p[1] && t->p[1] != '\n')
			pit_buf_putc(ret, unescape(*++t->p));
		else
			pit_buf_putc(ret, *t->p);
	}
	if (*t->p != quote)
		return bad(t, "a string without end");
	t->p++;
	return 0;
}

/* A bare, quoted or dotted key; appended to `path`. */
static int read_key(struct toml *t, struct pit_buf *path)
{
	for (;;) {
		pit_auto_buf struct pit_buf part = PIT_BUF_INIT;
		size_t len;
		int rc = 0;

		skip_blanks(t);
		len = strspn(t->p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
		if (*t->p == '"' || *t->p == '\'')
			rc = read_quoted(t, &part);
		else if (len)
			pit_buf_add(&part, t->p, len);
		else
			rc = bad(t, "no key where one must be");
		if (rc)
			return rc;
		t->p += part.len && len ? len : 0;
		pit_buf_printf(path, "%s%s", path->len ? "/" : "", part.data);
		skip_blanks(t);
		if (*t->p != '.')
			return 0;
		t->p++;
	}
}

static int read_value(struct toml *t, struct pit_buf *path, int depth);

static void cut(struct pit_buf *path, size_t len)
{
	if (!path->failed && path->len > len)
		path->data[path->len = len] = '\0';
}

static int read_array(struct toml *t, struct pit_buf *path, int depth)
{
	size_t len = path->len, count = 0;

	for (t->p++;; count++) {
		int rc;

		skip_lines(t);
		if (*t->p == ']')
			break;
		pit_buf_printf(path, "/%zu", count);
		rc = read_value(t, path, depth + 1);
		cut(path, len);
		if (rc)
			return rc;
		skip_lines(t);
		if (*t->p == ',')
			t->p++;
		else if (*t->p != ']')
			return bad(t, "an array without end");
	}
	t->p++;
	return 0;
}

static int read_inline_table(struct toml *t, struct pit_buf *path, int depth)
{
	size_t len = path->len;

	t->p++;
	skip_blanks(t);
	while (*t->p != '}') {
		int rc = read_key(t, path);

		if (!rc && *t->p != '=')
			rc = bad(t, "no '=' behind a key");
		if (!rc) {
			t->p++;
			rc = read_value(t, path, depth + 1);
		}
		cut(path, len);
		if (rc)
			return rc;
		skip_blanks(t);
		if (*t->p == ',')
			t->p++;
		else if (*t->p != '}')
			return bad(t, "a table without end");
		skip_blanks(t);
	}
	t->p++;
	return 0;
}

static int read_bare(struct toml *t, struct pit_buf *path)
{
	size_t len = strcspn(t->p, ",]}#\r\n");

	while (len && isblank((unsigned char)t->p[len - 1]))
		len--;
	if (!len)
		return bad(t, "no value");
	t->p += len;
	return pit_conf_add(t->out, path->data, t->p - len, len, t->line);
}

static int read_value(struct toml *t, struct pit_buf *path, int depth)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc;

	skip_blanks(t);
	if (depth > DEPTH_MAX)
		return bad(t, "nested too deeply");
	if (path->failed)
		return -ENOMEM;
	if (*t->p == '[')
		return read_array(t, path, depth);
	if (*t->p == '{')
		return read_inline_table(t, path, depth);
	if (*t->p != '"' && *t->p != '\'')
		return read_bare(t, path);
	rc = read_quoted(t, &text);
	return rc ? rc : pit_conf_add(t->out, path->data, text.data, text.len, t->line);
}

/* How many items the array of tables at `key` has so far. */
static size_t count_items(const struct toml *t, const char *key)
{
	size_t count = 0;

	for (size_t i = 0; i < t->out->count; i++) {
		const char *rest = pit_conf_below(&t->out->item[i], key);

		if (rest && strtoul(rest, NULL, 10) >= count)
			count = strtoul(rest, NULL, 10) + 1;
	}
	return count;
}

static int read_header(struct toml *t)
{
	bool array = t->p[1] == '[';
	int rc;

	pit_buf_clear(&t->path);
	t->p += array ? 2 : 1;
	rc = read_key(t, &t->path);
	if (rc)
		return rc;
	if (strncmp(t->p, array ? "]]" : "]", array ? 2 : 1) != 0)
		return bad(t, "a table header without end");
	t->p += array ? 2 : 1;
	if (array)
		pit_buf_printf(&t->path, "/%zu", count_items(t, t->path.data));
	return t->path.failed ? -ENOMEM : 0;
}

static int read_statement(struct toml *t)
{
	size_t len = t->path.len;
	int rc = 0;

	if (*t->p == '[') {
		rc = read_header(t);
	} else {
		rc = read_key(t, &t->path);
		if (!rc && *t->p != '=')
			rc = bad(t, "no '=' behind a key");
		if (!rc) {
			t->p++;
			rc = read_value(t, &t->path, 0);
		}
		cut(&t->path, len);
	}
	if (rc)
		return rc;
	skip_comment(t);
	return *t->p && *t->p != '\n' ? bad(t, "text behind a value") : 0;
}

int pit_conf_toml(const char *text, struct pit_conf *ret, struct pit_error *err)
{
	struct toml t = {.p = text, .line = 1, .path = PIT_BUF_INIT, .out = ret, .err = err};
	int rc = 0;

	for (skip_lines(&t); *t.p && !rc; skip_lines(&t))
		rc = read_statement(&t);
	pit_buf_free(&t.path);
	return rc;
}
