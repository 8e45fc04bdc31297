/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "host/kmsg.h"

/* A log of more lines keeps the newest. */
#define LINES_MAX 100000

/* What is known of a line so far; `text` moves on as prefixes are taken off. */
struct view {
	const char *text, *end;
	int64_t usec;
	int level;
	bool record;    /* a record of /dev/kmsg */
	bool continues; /* goes on with the record before it */
	bool foreign;   /* another program's line in a system log */
};

static const char *skip_digits(const char *s)
{
	return s + strspn(s, "0123456789");
}

/* "6,339,5140900,-;text": priority and facility, number, microseconds, flags. */
static void take_record(struct view *v)
{
	unsigned priority;
	uint64_t number;
	int64_t usec;
	char flag;
	const char *text = memchr(v->text, ';', (size_t)(v->end - v->text));

	if (!isdigit((unsigned char)*v->text) || !text ||
	    sscanf(v->text, "%9u,%" SCNu64 ",%" SCNd64 ",%c", &priority, &number, &usec, &flag) != 4)
		return;
	v->record = true;
	v->level = (int)(priority & 7);
	v->usec = usec < 0 ? -1 : usec;
	v->continues = flag == '+';
	v->text = text + 1;
}

/* "<6>", or "kern  :info  : " of dmesg --decode. */
static void take_level(struct view *v)
{
	static const char *const names[] = {"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};
	char facility[10], level[10];
	unsigned priority;
	int skip = 0;

	if (sscanf(v->text, "<%3u>%n", &priority, &skip) == 1 && skip) {
		v->level = (int)(priority & 7);
		v->text += skip;
		return;
	}
	if (!islower((unsigned char)*v->text) ||
	    sscanf(v->text, "%9[a-z0-9] :%9[a-z] :%n", facility, level, &skip) != 2 || !skip)
		return;
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		if (strcmp(level, names[i]) != 0)
			continue;
		v->level = (int)i;
		v->text += skip + (v->text[skip] == ' ');
	}
}

/* Behind "[    5.140900]", whose time goes to *ret_usec, or NULL. */
static const char *after_seconds(const char *s, int64_t *ret_usec)
{
	uint64_t seconds = 0;
	int64_t fraction = 0, unit = 100000;

	s++;
	s += strspn(s, " ");
	if (!isdigit((unsigned char)*s) || skip_digits(s) - s > 12)
		return NULL;
	for (; isdigit((unsigned char)*s); s++)
		seconds = seconds * 10 + (uint64_t)(*s - '0');
	if (*s++ != '.')
		return NULL;
	for (; isdigit((unsigned char)*s); s++, unit /= 10)
		fraction += (*s - '0') * unit;
	if (*s != ']')
		return NULL;
	*ret_usec = (int64_t)seconds * 1000000 + fraction;
	return s + 1;
}

/* Behind "[Mon Jan  1 12:00:00 2024]" or "[  +0.000003]" or "[<    0.000003>]", or NULL. */
static const char *after_other_stamp(const char *s)
{
	double ignored;
	int skip = 0;

	if (sscanf(s, "[%*3[A-Za-z] %*3[A-Za-z] %*2d %*2d:%*2d:%*2d %*4d]%n", &skip) == 0 && skip)
		return s + skip;
	if ((sscanf(s, "[ +%lf]%n", &ignored, &skip) == 1 || sscanf(s, "[< %lf>]%n", &ignored, &skip) == 1) && skip)
		return s + skip;
	return NULL;
}

/* "[  T1234]" or "[    C0]", behind the time where the kernel names the caller. */
static const char *after_caller(const char *s)
{
	const char *c;

	if (*s != '[')
		return s;
	c = s + 1 + strspn(s + 1, " ");
	if ((*c != 'T' && *c != 'C') || !isdigit((unsigned char)c[1]))
		return s;
	c = skip_digits(c + 1);
	return *c == ']' ? c + 1 : s;
}

static void take_bracket(struct view *v)
{
	const char *rest;

	if (*v->text != '[')
		return;
	rest = after_seconds(v->text, &v->usec);
	if (!rest)
		rest = after_other_stamp(v->text);
	if (!rest)
		return;
	rest = after_caller(rest);
	v->text = rest + (*rest == ' ');
}

/* Behind "2024-01-01T12:00:00.123456+00:00 ", or NULL. *ret_comma: the fraction is written as dmesg does. */
static const char *after_iso(const char *s, bool *ret_comma)
{
	int skip = 0;

	*ret_comma = false;
	if (!isdigit((unsigned char)*s) || sscanf(s, "%*4d-%*2d-%*2d%*1[T ]%*2d:%*2d:%*2d%n", &skip) != 0 || !skip)
		return NULL;
	s += skip;
	if (*s == '.' || *s == ',') {
		*ret_comma = *s == ',';
		s = skip_digits(s + 1);
	}
	if (*s == 'Z')
		s++;
	else if (*s == '+' || *s == '-')
		s += 1 + strspn(s + 1, "0123456789:");
	return *s == ' ' ? s + 1 : NULL;
}

/* Behind "Jan  1 12:00:00 ", or NULL. */
static const char *after_syslog(const char *s)
{
	int skip = 0;

	if (!isupper((unsigned char)*s) || sscanf(s, "%*3[A-Za-z] %*2d %*2d:%*2d:%*2d%n", &skip) != 0 || !skip)
		return NULL;
	return s[skip] == ' ' ? s + skip + 1 : NULL;
}

/* "HOST kernel: " behind the stamp of a system log. */
static void take_host(struct view *v)
{
	const char *tag = v->text + strcspn(v->text, " \n");
	size_t len;

	tag += *tag == ' ';
	len = strcspn(tag, " \n");
	if (len == strlen("kernel:") && !strncmp(tag, "kernel:", len))
		v->text = tag + len + (tag[len] == ' ');
	else
		v->foreign = true;
}

static void take_stamp(struct view *v)
{
	bool comma;
	const char *rest = after_iso(v->text, &comma);

	if (!rest)
		rest = after_syslog(v->text);
	if (!rest)
		return;
	v->text = rest;
	if (!comma)
		take_host(v);
}

/* Length of the UTF-8 character at `s`, 0 when it is none. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	size_t len = *s >= 0xc2 && *s < 0xe0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	if (!len || len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) || (*s == 0xf0 && s[1] < 0x90) ||
	    (*s == 0xf4 && s[1] >= 0x90))
		return 0;
	return len;
}

/* Decodes \xHH in place; returns the new length. */
static size_t unescape(char *text)
{
	char *to = text;
	unsigned byte;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] == 'x' && isxdigit((unsigned char)from[2]) &&
		    isxdigit((unsigned char)from[3]) && sscanf(from + 2, "%2x", &byte) == 1) {
			*to = (char)(byte ? byte : ' ');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

/* Leaves only printable text: a blank for white space, "?" for bytes that are no UTF-8 or control the terminal. */
static void make_printable(char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		size_t wide = c < 0x80 ? 1 : utf8_len((unsigned char *)text + i, len - i);

		if (isspace(c))
			text[i] = ' ';
		else if (c < 0x20 || c == 0x7f || !wide || (wide == 2 && c == 0xc2 && (text[i + 1] & 0x60) == 0))
			memset(text + i, '?', wide ? wide : 1);
		i += wide ? wide : 1;
	}
}

static void drop_oldest(struct pit_kmsg *k, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(k->item[i].text);
	memmove(k->item, k->item + n, (k->count - n) * sizeof(*k->item));
	k->count -= n;
}

/* Takes `text`, also on failure. */
static int add(struct pit_kmsg *k, size_t *size, const struct view *v, char *text)
{
	if (text && k->count == *size && *size >= 2 * LINES_MAX)
		drop_oldest(k, LINES_MAX);
	if (text && k->count == *size) {
		size_t more = *size ? *size * 2 : 1024;
		struct pit_kmsg_line *grown;

		if (more > 2 * LINES_MAX)
			more = 2 * LINES_MAX;
		grown = reallocarray(k->item, more, sizeof(*grown));
		if (!grown) {
			free(text);
			return -ENOMEM;
		}
		k->item = grown;
		*size = more;
	}
	if (!text)
		return -ENOMEM;
	k->item[k->count++] = (struct pit_kmsg_line){.usec = v->usec, .level = v->level, .text = text};
	return 0;
}

static int join(struct pit_kmsg *k, char *text)
{
	struct pit_kmsg_line *last = &k->item[k->count - 1];
	size_t have = strlen(last->text), more = strlen(text);
	char *grown = have + more < 65536 ? realloc(last->text, have + more + 1) : NULL;

	if (grown) {
		memcpy(grown + have, text, more + 1);
		last->text = grown;
	}
	free(text);
	return 0;
}

/* One record can hold several lines, with "\x0a" between them. */
static int add_texts(struct pit_kmsg *k, size_t *size, const struct view *v)
{
	pit_auto_free char *copy = strndup(v->text, (size_t)(v->end - v->text));
	char *at = copy;
	int rc = copy ? 0 : -ENOMEM;

	if (copy && v->record)
		unescape(copy);
	while (!rc && at) {
		char *line = strsep(&at, "\n");
		char *text;

		make_printable(line, strlen(line));
		text = strdup(line);
		if (text && v->continues && k->count)
			rc = join(k, text);
		else
			rc = add(k, size, v, text);
	}
	return rc;
}

static struct view look_at(const char *line, const char *end)
{
	struct view v = {.text = line, .end = end, .usec = -1, .level = -1};

	take_record(&v);
	if (v.record)
		return v;
	take_level(&v);
	take_stamp(&v);
	take_bracket(&v);
	if (v.text > v.end)
		v.text = v.end;
	return v;
}

int pit_kmsg_parse(const char *text, struct pit_kmsg *ret)
{
	pit_auto_free char *copy = strdup(text);
	struct pit_kmsg k = {0};
	size_t size = 0;
	bool in_record = false;
	char *at = copy;
	int rc = copy ? 0 : -ENOMEM;

	while (at && !rc) {
		char *line = strsep(&at, "\n");
		struct view v = look_at(line, line + strlen(line));

		/* Behind a record, " KEY=value" lines describe its device. */
		if (*line && !v.foreign && !(in_record && *line == ' '))
			rc = add_texts(&k, &size, &v);
		in_record = v.record || (in_record && *line == ' ');
	}
	if (k.count > LINES_MAX)
		drop_oldest(&k, k.count - LINES_MAX);
	if (rc) {
		pit_kmsg_free(&k);
		return rc;
	}
	*ret = k;
	return 0;
}

void pit_kmsg_free(struct pit_kmsg *k)
{
	int saved = errno;

	for (size_t i = 0; i < k->count; i++)
		free(k->item[i].text);
	free(k->item);
	*k = (struct pit_kmsg){0};
	errno = saved;
}
