/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "check/run.h"

void pit_waivers_free(struct pit_waivers *w)
{
	int saved = errno;

	for (size_t i = 0; i < w->count; i++)
		free(w->item[i].reason);
	free(w->item);
	*w = (struct pit_waivers){0};
	errno = saved;
}

static bool is_date(const char *text)
{
	static const char form[] = "dddd-dd-dd";
	int month, day;

	for (int i = 0; i < 10; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	month = (text[5] - '0') * 10 + text[6] - '0';
	day = (text[8] - '0') * 10 + text[9] - '0';
	return !text[10] && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static int parse_line(const char *line, const char *today, struct pit_waiver *ret, struct pit_error *err)
{
	struct pit_waiver w = {0};
	char until[16] = "";
	int at = 0;

	if (sscanf(line, "%63s %15s %n", w.id, until, &at) != 2 || !at || !line[at])
		return pit_fail(err, EBADMSG, "'%.80s' is not 'ID YYYY-MM-DD REASON'", line);
	if (!is_date(until))
		return pit_fail(err, EBADMSG, "'%s' is not a day such as 2027-01-31", until);
	if (!pit_catalog_find(w.id))
		return pit_fail(err, EBADMSG, "no check is named '%s'", w.id);
	memcpy(w.until, until, sizeof(w.until));
	w.expired = strcmp(w.until, today) < 0;
	w.reason = strdup(line + at);
	if (!w.reason)
		return pit_fail(err, ENOMEM, "out of memory");
	*ret = w;
	return 0;
}

static int add_line(struct pit_waivers *w, const char *line, const char *today, struct pit_error *err)
{
	struct pit_waiver *grown = reallocarray(w->item, w->count + 1, sizeof(*grown));
	int rc;

	if (!grown)
		return pit_fail(err, ENOMEM, "out of memory");
	w->item = grown;
	rc = parse_line(line, today, &grown[w->count], err);
	if (!rc)
		w->count++;
	return rc;
}

int pit_waivers_parse(const char *text, const char *today, struct pit_waivers *ret, struct pit_error *err)
{
	struct pit_waivers w = {0};
	int number = 0, rc = 0;

	while (*text && !rc) {
		size_t len = strcspn(text, "\n");
		pit_auto_free char *line = strndup(text, len);
		char *start = line ? line + strspn(line, " \t\r") : NULL;

		number++;
		text += len + (text[len] == '\n');
		for (char *end = start ? start + strlen(start) : NULL;
		     end && end > start && isspace((unsigned char)end[-1]);)
			*--end = '\0';
		if (!start)
			rc = pit_fail(err, ENOMEM, "out of memory");
		else if (*start && *start != '#')
			rc = add_line(&w, start, today, err);
	}
	if (rc) {
		pit_waivers_free(&w);
		return pit_wrap(err, rc, "line %d", number);
	}
	*ret = w;
	return 0;
}
