/* SPDX-License-Identifier: MIT */
#include "host/procfs.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"

/* Behind `key` and its separator on the line that begins with it; NULL when there is none. */
static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		line += strspn(line, " \t");
		if (!strncmp(line, key, len) && line[len] && strchr(":= \t", line[len])) {
			line += len;
			return line + strspn(line, ":= \t");
		}
	}
	return NULL;
}

int pit_kv_u64(const char *text, const char *key, uint64_t *ret_value)
{
	const char *value = value_of(text, key);
	char word[32];

	if (!value)
		return -ENOENT;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(value, " \t\n"), value);
	return pit_parse_u64(word, ret_value) ? -EBADMSG : 0;
}

int pit_kv_str(const char *text, const char *key, char *ret, size_t size)
{
	const char *value = value_of(text, key);

	if (!value)
		return -ENOENT;
	pit_first_line(value, ret, size);
	return 0;
}

int pit_psi_parse(const char *text, struct pit_psi *ret, struct pit_error *err)
{
	const char *full = strstr(text, "full avg10=");
	struct pit_psi p = {0};

	if (sscanf(text, "some avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64, &p.some10, &p.some60, &p.some300,
		   &p.some_total_us) != 4)
		return pit_fail(err, EBADMSG, "'%.40s' is not pressure stall information", text);
	p.full_valid = full && sscanf(full, "full avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64, &p.full10, &p.full60,
				      &p.full300, &p.full_total_us) == 4;
	*ret = p;
	return 0;
}

int pit_uptime_parse(const char *text, double *ret_seconds)
{
	char word[32];
	double seconds;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " \n"), text);
	if (pit_parse_double(word, &seconds) || seconds < 0)
		return -EBADMSG;
	*ret_seconds = seconds;
	return 0;
}

int pit_cmdline_parse(const char *text, struct pit_strv *ret)
{
	const char *start;
	bool quoted;

	for (;;) {
		int rc;

		while (isspace((unsigned char)*text))
			text++;
		if (!*text)
			return 0;
		start = text;
		for (quoted = false; *text && (quoted || !isspace((unsigned char)*text)); text++)
			quoted ^= *text == '"';
		rc = pit_strv_add_len(ret, start, (size_t)(text - start));
		if (rc)
			return rc;
	}
}

static bool same_name(const char *word, const char *name)
{
	for (; *name; word++, name++) {
		char a = *word == '-' ? '_' : *word, b = *name == '-' ? '_' : *name;

		if (a != b)
			return false;
	}
	return !*word || *word == '=';
}

const char *pit_cmdline_get(const struct pit_strv *cmdline, const char *name)
{
	for (size_t i = cmdline->count; i--;)
		if (same_name(cmdline->item[i], name))
			return cmdline->item[i] + strlen(name) + (cmdline->item[i][strlen(name)] == '=');
	return NULL;
}

char *pit_bracketed(const char *text, char *ret, size_t size)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return pit_first_line(text, ret, size);
	snprintf(ret, size, "%.*s", (int)(close - open - 1), open + 1);
	return ret;
}
