/* SPDX-License-Identifier: MIT
 *
 * The text of a profile.
 */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "tune/profile.h"

struct reader {
	const char *file;
	int line;
	struct pit_profile part; /* what was read so far */
	char *include;
	enum { NOWHERE, IN_PROFILE, IN_SETTING } in;
	bool had_profile;
	struct pit_error *err;
};

static int bad(const struct reader *r, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int bad(const struct reader *r, int line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return pit_fail(r->err, EBADMSG, "%s:%d: %s", r->file, line, text);
}

static int no_memory(const struct reader *r)
{
	return pit_fail(r->err, ENOMEM, "out of memory");
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

static struct pit_setting *open_setting(const struct reader *r)
{
	return r->in == IN_SETTING ? &r->part.setting[r->part.settings - 1] : NULL;
}

static int line_of(const struct pit_setting *s)
{
	return atoi(strrchr(s->where, ':') + 1);
}

/* A section has ended: it must have a value, and one that can be. */
static int close_section(struct reader *r)
{
	const struct pit_setting *s = open_setting(r);
	struct pit_error why = PIT_ERROR_INIT;

	r->in = NOWHERE;
	if (s && !s->value)
		return bad(r, line_of(s), "[%s] has no line 'value = ...'", s->knob->id);
	if (s && pit_profile_check(s->knob, s->value, &why))
		return bad(r, line_of(s), "%s", why.text);
	return 0;
}

static int check_new(const struct reader *r, const struct pit_knob *knob, const char *which)
{
	for (size_t i = 0; i < r->part.settings; i++) {
		const struct pit_setting *s = &r->part.setting[i];

		if (s->knob == knob && !strcmp(s->which ? s->which : "", which))
			return bad(r, r->line, "[%s%s%s] stands here twice, first in line %d", knob->id,
				   *which ? " " : "", which, line_of(s));
	}
	return 0;
}

static int add_setting(struct reader *r, const struct pit_knob *knob, const char *which)
{
	struct pit_setting *more = realloc(r->part.setting, (r->part.settings + 1) * sizeof(*more));
	struct pit_setting *s;

	if (!more)
		return no_memory(r);
	r->part.setting = more;
	s = &more[r->part.settings];
	*s = (struct pit_setting){.knob = knob, .which = *which ? strdup(which) : NULL};
	if (asprintf(&s->where, "%s:%d", r->file, r->line) < 0)
		s->where = NULL;
	if (!s->where || (*which && !s->which)) {
		free(s->where);
		free(s->which);
		return no_memory(r);
	}
	r->part.settings++;
	r->in = IN_SETTING;
	return 0;
}

/* "[profile]", "[ID]", "[ID WHICH]"; `text` is the line without blanks around it. */
static int read_section(struct reader *r, char *text)
{
	size_t len = strlen(text), id_len;
	char *which, *id;
	const struct pit_knob *knob;
	struct pit_error why = PIT_ERROR_INIT;
	int rc;

	if (text[len - 1] != ']')
		return bad(r, r->line, "'%.80s' begins a section without a ']' at its end", text);
	text[len - 1] = '\0';
	id = trim(text + 1);
	id_len = strcspn(id, " \t");
	which = id[id_len] ? trim(id + id_len) : id + id_len;
	id[id_len] = '\0';
	if (which > id + id_len && !strcmp(id, "profile"))
		return bad(r, r->line, "[profile] takes no further words");
	if (!strcmp(id, "profile")) {
		r->in = IN_PROFILE;
		if (r->had_profile)
			return bad(r, r->line, "[profile] stands here twice");
		r->had_profile = true;
		return 0;
	}
	knob = pit_knob_find(id);
	if (!knob) {
		pit_profile_no_knob(id, &why);
		return bad(r, r->line, "%s", why.text);
	}
	rc = check_new(r, knob, which);
	return rc ? rc : add_setting(r, knob, which);
}

static int check_workload(const struct reader *r, const char *value)
{
	if (strcmp(value, "training") != 0 && strcmp(value, "inference") != 0)
		return bad(r, r->line, "workload '%.80s' is not known; choose training or inference", value);
	return 0;
}

/* Where the value of `key` belongs; NULL: there is no such key in this section. */
static char **place_of(struct reader *r, const char *key)
{
	struct pit_setting *s = open_setting(r);
	const struct {
		const char *key;
		char **place;
	} keys[] = {
		{"summary", s ? NULL : &r->part.summary},
		{"include", s ? NULL : &r->include},
		{"workload", s ? NULL : &r->part.workload},
		{"value", s ? &s->value : NULL},
		{"why", s ? &s->why : NULL},
		{"source", s ? &s->source : NULL},
	};

	for (size_t i = 0; i < PIT_COUNT(keys); i++)
		if (keys[i].place && !strcmp(key, keys[i].key))
			return keys[i].place;
	return NULL;
}

/* "KEY = VALUE". */
static int read_key(struct reader *r, char *text)
{
	char *equals = strchr(text, '='), *value, **place;

	if (!equals)
		return bad(r, r->line, "'%.80s' is neither '[SECTION]' nor 'KEY = VALUE'", text);
	*equals = '\0';
	text = trim(text);
	value = trim(equals + 1);
	if (r->in == NOWHERE)
		return bad(r, r->line, "'%.80s' stands before the first section", text);
	place = place_of(r, text);
	if (!place)
		return bad(r, r->line, "there is no key '%.80s' in %s; there are %s", text,
			   r->in == IN_PROFILE ? "[profile]" : "a knob's section",
			   r->in == IN_PROFILE ? "summary, include, workload" : "value, why, source");
	if (*place)
		return bad(r, r->line, "'%s' stands twice in one section", text);
	if (!*value)
		return bad(r, r->line, "'%s' has no value", text);
	*place = strdup(value);
	if (!*place)
		return no_memory(r);
	return place == &r->part.workload ? check_workload(r, value) : 0;
}

static int read_line(struct reader *r, char *line)
{
	char *text = trim(line);
	int rc;

	for (const char *c = text; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return bad(r, r->line, "a control character (0x%02x)", (unsigned char)*c);
	if (!*text || *text == '#' || *text == ';')
		return 0;
	if (*text != '[')
		return read_key(r, text);
	rc = close_section(r);
	return rc ? rc : read_section(r, text);
}

static int read_all(struct reader *r, char *text)
{
	char *next;
	int rc = 0;

	for (; text && !rc; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		r->line++;
		rc = read_line(r, text);
	}
	return rc ? rc : close_section(r);
}

int pit_profile_parse(const char *text, const char *file, struct pit_profile *ret, char **ret_include,
		      struct pit_error *err)
{
	pit_auto_free char *copy = strdup(text);
	struct reader r = {.file = file, .err = err};
	int rc = copy ? read_all(&r, copy) : no_memory(&r);

	r.part.file = rc ? NULL : strdup(file);
	if (!rc && !r.part.file)
		rc = no_memory(&r);
	if (rc) {
		free(r.include);
		pit_profile_free(&r.part);
		return rc;
	}
	*ret = r.part;
	*ret_include = r.include;
	return 0;
}
