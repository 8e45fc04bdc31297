/* SPDX-License-Identifier: MIT */
#include "host/limits_conf.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "host/conf_files.h"

static const struct {
	const char *name;
	unsigned unit; /* bytes or pieces that 1 in the file means */
} items[] = {
	{"core", 1024},   {"data", 1024},  {"fsize", 1024},     {"memlock", 1024}, {"nofile", 1},
	{"rss", 1024},    {"stack", 1024}, {"cpu", 1},          {"nproc", 1},      {"as", 1024},
	{"maxlogins", 1}, {"locks", 1},    {"maxsyslogins", 1}, {"sigpending", 1}, {"msgqueue", 1},
	{"rtprio", 1},    {"nice", 1},     {"priority", 1},     {"nonewprivs", 1},
};

static int parse_value(const char *text, unsigned unit, uint64_t *ret)
{
	int64_t value;

	if (!strcasecmp(text, "unlimited") || !strcasecmp(text, "infinity") || !strcmp(text, "-1")) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (pit_parse_i64(text, &value))
		return -EBADMSG;
	if (value < 0 || __builtin_mul_overflow((uint64_t)value, (uint64_t)unit, ret))
		*ret = value < 0 ? 0 : UINT64_MAX; /* nice and priority go below zero */
	return 0;
}

int pit_limits_parse_line(const char *line, struct pit_limits_line *ret)
{
	pit_auto_strv struct pit_strv words = {0};
	struct pit_limits_line l = {0};
	pit_auto_free char *text = strndup(line, strcspn(line, "#"));

	if (!text || pit_strv_split(&words, text, " \t\r\n"))
		return -ENOMEM;
	if (!words.count)
		return -ENOENT;
	snprintf(l.domain, sizeof(l.domain), "%s", words.item[0]);
	l.soft = words.count > 1 && (!strcmp(words.item[1], "soft") || !strcmp(words.item[1], "-"));
	l.hard = words.count > 1 && (!strcmp(words.item[1], "hard") || !strcmp(words.item[1], "-"));
	if (words.count == 2 && l.soft && l.hard) {
		*ret = l;
		return 0;
	}
	if (words.count != 4 || (!l.soft && !l.hard))
		return -EBADMSG;
	for (size_t i = 0; i < PIT_COUNT(items); i++) {
		if (strcmp(words.item[2], items[i].name) != 0)
			continue;
		snprintf(l.item, sizeof(l.item), "%s", items[i].name);
		if (parse_value(words.item[3], items[i].unit, &l.value))
			return -EBADMSG;
		*ret = l;
		return 0;
	}
	return strcmp(words.item[2], "chroot") != 0 ? -EBADMSG : -ENOENT; /* Debian's: a path */
}

static int each_line(struct pit_root *root, const char *file, pit_limits_fn fn, void *arg)
{
	struct pit_limits_line parsed;
	struct pit_text text;
	char line[1024], where[300];
	const char *at;
	int rc = pit_root_read(root, &text, "%s", file);

	at = rc ? "" : text.data;
	rc = 0;
	for (int number = 1; !rc && pit_conf_line(&at, line, sizeof(line)); number++) {
		int how = pit_limits_parse_line(line, &parsed);

		if (how == -ENOENT)
			continue;
		snprintf(where, sizeof(where), "%s:%d", file, number);
		rc = fn(where, line, how ? NULL : &parsed, arg);
	}
	return rc;
}

int pit_limits_each(struct pit_root *root, pit_limits_fn fn, void *arg)
{
	static const char *const dirs[] = {"/etc/security/limits.d", NULL};
	pit_auto_strv struct pit_strv files = {0};
	int rc = pit_conf_files(root, dirs, ".conf", &files);

	if (!rc)
		rc = each_line(root, "/etc/security/limits.conf", fn, arg);
	for (size_t i = 0; i < files.count && !rc; i++)
		rc = each_line(root, files.item[i], fn, arg);
	return rc;
}

struct search {
	const char *item;
	bool hard, found;
	uint64_t value;
	char *where;
	size_t size;
};

static int take(const char *where, const char *text, const struct pit_limits_line *l, void *arg)
{
	struct search *s = arg;

	if (!l || strcmp(l->domain, "*") != 0 || strcmp(l->item, s->item) != 0 || !(s->hard ? l->hard : l->soft))
		return 0;
	s->found = true;
	s->value = l->value;
	if (s->where)
		snprintf(s->where, s->size, "%s", where);
	return 0;
}

int pit_limits_for_all(struct pit_root *root, const char *item, bool hard, uint64_t *ret, char *ret_where, size_t size)
{
	struct search s = {.item = item, .hard = hard, .where = ret_where, .size = size};
	int rc = pit_limits_each(root, take, &s);

	if (!rc && !s.found)
		rc = -ENOENT;
	if (!rc)
		*ret = s.value;
	return rc;
}
