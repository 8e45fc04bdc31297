/* SPDX-License-Identifier: MIT
 *
 * The subset of YAML that kubelet and CDI files are written in: block mappings and sequences, scalars plain or in
 * quotes on one line, flow collections on one line, block scalars, comments; the first document only.
 */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "check/conf.h"

#define DEPTH_MAX 32

struct level {
	int indent;
	size_t prefix; /* length of the path that its children share */
	bool seq;
	int index; /* of the current item */
};

struct yaml {
	int line;
	struct level level[DEPTH_MAX];
	int depth;
	struct pit_buf path; /* of the entry read last */
	bool pending;        /* its value may follow in deeper lines */
	int block;           /* indentation of the key whose block scalar is being read; -1 none */
	struct pit_buf scalar;
	struct pit_conf *out;
	struct pit_error *err;
};

static int bad(struct yaml *y, const char *what)
{
	return pit_fail(y->err, EBADMSG, "line %d: %s", y->line, what);
}

static int add(struct yaml *y, const char *value, size_t len)
{
	y->pending = false;
	return y->path.failed ? -ENOMEM : pit_conf_add(y->out, y->path.data, value, len, y->line);
}

static void cut(struct pit_buf *path, size_t len)
{
	if (!path->failed && path->len > len)
		path->data[path->len = len] = '\0';
}

/* Reads "..." or '...' at *p into `ret` and moves *p behind it. */
static int read_quoted(struct yaml *y, const char **p, struct pit_buf *ret)
{
	char quote = *(*p)++;

	for (; **p; ++*p) {
		if (quote == '\'' && **p == '\'' && (*p)[1] == '\'')
			pit_buf_putc(ret, *(*p)++);
		else if (quote == '"' && **p == '\\' && (*p)[1])
			pit_buf_putc(ret, *++*p == 'n' ? '\n' : **p == 't' ? '\t' : **p);
		else if (**p == quote)
			break;
		else
			pit_buf_putc(ret, **p);
	}
	if (!**p)
		return bad(y, "a string without end");
	++*p;
	return 0;
}

/* Bytes of the plain scalar at `p`: up to a comment, the end, or one of `stops`. */
static size_t plain_length(const char *p, const char *stops)
{
	size_t len = 0;

	while (p[len] && !(p[len] == '#' && (!len || isblank((unsigned char)p[len - 1]))) && !strchr(stops, p[len]))
		len++;
	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	return len;
}

static int read_flow(struct yaml *y, const char **p, int depth);

/* One value inside of a flow collection. */
static int read_flow_value(struct yaml *y, const char **p, int depth)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	size_t len;
	int rc;

	*p += strspn(*p, " \t");
	if (**p == '[' || **p == '{')
		return read_flow(y, p, depth + 1);
	if (**p == '"' || **p == '\'') {
		rc = read_quoted(y, p, &text);
		return rc ? rc : add(y, text.data, text.len);
	}
	len = plain_length(*p, ",]}");
	rc = add(y, *p, len);
	*p += len;
	return rc;
}

static int read_flow_key(struct yaml *y, const char **p)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	size_t len;
	int rc = 0;

	if (**p == '"' || **p == '\'') {
		rc = read_quoted(y, p, &text);
	} else {
		len = strcspn(*p, ":,]}");
		pit_buf_add(&text, *p, len);
		*p += len;
	}
	if (rc)
		return rc;
	*p += strspn(*p, " \t");
	if (**p != ':')
		return bad(y, "no ':' behind a key");
	++*p;
	pit_buf_printf(&y->path, "/%s", text.data);
	return 0;
}

/* "[a, b]" or "{a: b}" at *p, on one line. */
static int read_flow(struct yaml *y, const char **p, int depth)
{
	char open = *(*p)++, close = open == '[' ? ']' : '}';
	size_t prefix = y->path.len, count = 0;
	int rc = 0;

	if (depth > DEPTH_MAX)
		return bad(y, "nested too deeply");
	for (*p += strspn(*p, " \t"); **p != close; count++) {
		if (open == '[')
			pit_buf_printf(&y->path, "/%zu", count);
		else
			rc = read_flow_key(y, p);
		if (!rc)
			rc = read_flow_value(y, p, depth);
		cut(&y->path, prefix);
		*p += strspn(*p, " \t");
		if (!rc && **p != ',' && **p != close)
			rc = bad(y, "a list without end on its line");
		if (rc)
			return rc;
		*p += **p == ',';
		*p += strspn(*p, " \t");
	}
	++*p;
	y->pending = false;
	return 0;
}

/* What stands behind a key or a "-". */
static int read_scalar(struct yaml *y, const char *p, int indent)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc = 0;

	if (strchr("&*!", *p))
		return bad(y, "anchors, aliases and tags are not read");
	if (*p == '|' || *p == '>') {
		y->block = indent;
		pit_buf_clear(&y->scalar);
		return 0;
	}
	if (*p == '[' || *p == '{')
		rc = read_flow(y, &p, 0);
	else if (*p == '"' || *p == '\'')
		rc = read_quoted(y, &p, &text);
	else
		return add(y, p, plain_length(p, ""));
	if (rc)
		return rc;
	p += strspn(p, " \t\r");
	if (*p && *p != '#')
		return bad(y, "text behind a value");
	return y->pending ? add(y, text.data, text.len) : 0;
}

static int push(struct yaml *y, int indent, bool seq)
{
	if (y->depth == DEPTH_MAX)
		return bad(y, "nested too deeply");
	y->level[y->depth++] = (struct level){.indent = indent, .prefix = y->path.len, .seq = seq, .index = -1};
	return 0;
}

/* Makes the top level the one to which a line with this indentation belongs. */
static int settle(struct yaml *y, int indent, bool seq)
{
	struct level *top;

	while (y->depth) {
		top = &y->level[y->depth - 1];
		if (top->indent < indent || (top->indent == indent && (top->seq == seq || (seq && y->pending))))
			break;
		y->depth--;
		y->pending = false;
	}
	top = y->depth ? &y->level[y->depth - 1] : NULL;
	if (top && top->indent == indent && top->seq == seq)
		return 0;
	if (!y->pending)
		return bad(y, "indentation that fits nothing above");
	return push(y, indent, seq);
}

/* Length of the key in "key: value", 0 when `p` is no such line. */
static size_t key_length(const char *p)
{
	char quote = *p == '"' || *p == '\'' ? *p : '\0';
	size_t len = quote ? 1 : 0;

	if (quote) {
		while (p[len] && p[len] != quote)
			len++;
		len += p[len] == quote;
		return p[len] == ':' ? len : 0;
	}
	for (; p[len] && p[len] != '#'; len++)
		if (p[len] == ':' && (!p[len + 1] || isspace((unsigned char)p[len + 1])))
			return len;
	return 0;
}

static int read_item(struct yaml *y, const char *p, int indent);

static int read_pair(struct yaml *y, const char *p, int indent, size_t len)
{
	bool quoted = *p == '"' || *p == '\'';
	const char *value = p + len + 1;
	int rc = settle(y, indent, false);

	if (rc)
		return rc;
	cut(&y->path, y->level[y->depth - 1].prefix);
	pit_buf_puts(&y->path, y->path.len ? "/" : "");
	pit_buf_add(&y->path, p + quoted, len - (quoted ? 2 : 0));
	y->pending = true;
	value += strspn(value, " \t\r");
	return *value && *value != '#' ? read_scalar(y, value, indent) : 0;
}

/* A line, or what stands behind a "-" as if it were a line of its own at that column. */
static int read_node(struct yaml *y, const char *p, int indent)
{
	size_t len;

	if (*p == '-' && (!p[1] || isspace((unsigned char)p[1])))
		return read_item(y, p, indent);
	if (*p == '?' || *p == '%' || *p == '@' || *p == '`')
		return bad(y, "not a mapping, list or value");
	len = key_length(p);
	if (len)
		return read_pair(y, p, indent, len);
	return y->pending ? read_scalar(y, p, indent) : bad(y, "a value over several lines, or no 'key: value'");
}

static int read_item(struct yaml *y, const char *p, int indent)
{
	int blanks = 1 + (int)strspn(p + 1, " ");
	struct level *top;
	int rc = settle(y, indent, true);

	if (rc)
		return rc;
	top = &y->level[y->depth - 1];
	cut(&y->path, top->prefix);
	pit_buf_printf(&y->path, "%s%d", y->path.len ? "/" : "", ++top->index);
	y->pending = true;
	p += blanks;
	return *p && *p != '#' && *p != '\r' ? read_node(y, p, indent + blanks) : 0;
}

/* Takes the line into the block scalar; false when it ended before this line. */
static bool in_block(struct yaml *y, const char *line, int indent, int *rc)
{
	if (y->block < 0)
		return false;
	if (!line[strspn(line, " \t\r")] || indent > y->block) {
		pit_buf_printf(&y->scalar, "%s\n", line + strspn(line, " "));
		return true;
	}
	y->block = -1;
	*rc = add(y, y->scalar.data, y->scalar.len);
	return false;
}

/* 1: the document ended. */
static int read_line(struct yaml *y, const char *line)
{
	int indent = (int)strspn(line, " "), rc = 0;
	const char *p = line + indent;

	y->line++;
	if (in_block(y, line, indent, &rc) || rc)
		return rc;
	if (!*p || *p == '#' || *p == '\r')
		return 0;
	if (!strncmp(line, "...", 3))
		return 1;
	if (!strncmp(line, "---", 3))
		return y->depth ? 1 : 0;
	if (*p == '\t')
		return p[strspn(p, " \t\r")] ? bad(y, "a tab in the indentation") : 0;
	if (y->path.failed || y->scalar.failed)
		return -ENOMEM;
	return read_node(y, p, indent);
}

int pit_conf_yaml(const char *text, struct pit_conf *ret, struct pit_error *err)
{
	struct yaml y = {
		.path = PIT_BUF_INIT, .pending = true, .block = -1, .scalar = PIT_BUF_INIT, .out = ret, .err = err};
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	int rc = 0;

	while (*text && !rc) {
		size_t len = strcspn(text, "\n");

		pit_buf_clear(&line);
		pit_buf_add(&line, text, len);
		rc = line.failed ? -ENOMEM : read_line(&y, line.data);
		text += len + (text[len] == '\n');
	}
	if (!rc && y.block >= 0)
		rc = add(&y, y.scalar.data, y.scalar.len);
	pit_buf_free(&y.path);
	pit_buf_free(&y.scalar);
	return rc < 0 ? rc : 0;
}
