/* SPDX-License-Identifier: MIT
 *
 * The files of ours that make a plan last: one a path and transaction, made of the lines that no earlier file of ours
 * has. So an earlier transaction's files are never touched, and a profile applied twice adds nothing the second time.
 */
#include <ctype.h>
#include <string.h>

#include "base/path.h"
#include "report/text.h"
#include "tune/plan_draft.h"

/* A line in an earlier file of ours. */
struct said {
	char *section, *line;
	size_t file; /* counts the files in the order in which they are read */
};

struct said_list {
	struct said *item;
	size_t count;
};

static void said_free(struct said_list *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->item[i].section);
		free(s->item[i].line);
	}
	free(s->item);
	*s = (struct said_list){0};
}

/* "99-zz-pitcrew-0007.conf" of transaction 7: what stands before and behind the number. False: the name has none. */
static bool split_name(const char *path, int txn, char *before, size_t size, const char **behind)
{
	const char *name = pit_base_name(path), *mark = strstr(name, "pitcrew-"), *at = NULL;
	char number[16];

	snprintf(number, sizeof(number), "-%04d", txn);
	for (const char *c = mark; c && (c = strstr(c, number)); c++)
		at = c + 1;
	if (!at)
		return false;
	snprintf(before, size, "%.*s", (int)(at - name), name);
	*behind = at + strspn(at, "0123456789");
	return true;
}

static bool is_other_of_family(const char *name, const char *before, const char *behind, const char *own)
{
	size_t len = strlen(before), digits;

	if (strncmp(name, before, len) != 0 || !strcmp(name, own))
		return false;
	digits = strspn(name + len, "0123456789");
	return digits >= 4 && !strcmp(name + len + digits, behind);
}

/* Replaces by '#' the number of a transaction behind each `mark`. */
static void hide_numbers(char *text, const char *mark, size_t least)
{
	while ((text = strstr(text, mark))) {
		size_t digits;

		text += strlen(mark);
		digits = strspn(text, "0123456789");
		if (digits >= least)
			memset(text, '#', digits);
	}
}

/* The line without blanks around it, and with '#' for the numbers of transactions. */
static char *normal(const char *line, size_t len)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	char *text;

	for (; len && isspace((unsigned char)*line); len--)
		line++;
	while (len && isspace((unsigned char)line[len - 1]))
		len--;
	pit_buf_add(&out, line, len);
	text = pit_buf_take(&out);
	if (!text)
		return NULL;
	hide_numbers(text, "pitcrew-", 4);
	hide_numbers(text, "pitcrew-tune-", 4);
	hide_numbers(text, "pitcrew-latency-", 4);
	hide_numbers(text, "transaction ", 1);
	return text;
}

static int add_said(struct said_list *to, size_t file, const char *section, char *line)
{
	struct said *more = line ? realloc(to->item, (to->count + 1) * sizeof(*more)) : NULL;

	if (more) {
		to->item = more;
		more[to->count] = (struct said){.section = strdup(section), .line = line, .file = file};
		if (more[to->count].section) {
			to->count++;
			return 0;
		}
	}
	free(line);
	return -ENOMEM;
}

/* "[Service]": its name in `ret`; false for other lines. */
static bool is_section(const char *line, char *ret, size_t size)
{
	if (*line != '[' || !pit_ends_with(line, "]"))
		return false;
	snprintf(ret, size, "%.*s", (int)strlen(line) - 2, line + 1);
	return true;
}

static bool says_nothing(const char *line)
{
	return !*line || *line == '#' || *line == ';';
}

/* Appends the lines of one file; comments and sections are no lines. */
static int add_text(struct said_list *to, size_t file, const char *text)
{
	char section[256] = "";
	int rc = 0;

	for (size_t len; *text && !rc; text += len + (text[len] == '\n')) {
		pit_auto_free char *line = NULL;

		len = strcspn(text, "\n");
		line = normal(text, len);
		if (!line)
			return -ENOMEM;
		if (!is_section(line, section, sizeof(section)) && !says_nothing(line))
			rc = add_said(to, file, section, pit_take(line));
	}
	return rc;
}

/* What earlier files of ours beside `path` say, in the order in which they are read. */
static int read_family(struct pit_draft *d, const char *path, struct said_list *ret)
{
	char before[256];
	const char *behind, *name = pit_base_name(path);
	const struct pit_strv *names;
	struct pit_text text;
	int rc = 0;

	if (!split_name(path, d->options->txn, before, sizeof(before), &behind) ||
	    pit_root_list(d->root, &names, "%.*s", (int)(name - path), path))
		return 0;
	for (size_t i = 0; i < names->count && !rc; i++)
		if (is_other_of_family(names->item[i], before, behind, name) &&
		    !pit_root_read(d->root, &text, "%.*s%s", (int)(name - path), path, names->item[i]))
			rc = add_text(ret, i, text.data);
	return rc ? pit_draft_no_memory(d) : 0;
}

/* How many bytes at the start of a line tell what it sets: all up to the '=' of the assignment (the last one that is
 * not part of "==" or "!=" and not in quotes), else up to the last blank. */
static size_t key_length(const char *line)
{
	const char *last = NULL, *blank = strrchr(line, ' ');
	bool quoted = false;

	for (const char *c = line; *c; c++) {
		quoted ^= *c == '"';
		if (*c != '=' || quoted || c == line)
			continue;
		if (c[1] == '=')
			c++;
		else if (c[-1] != '!')
			last = c;
		if (last && !strchr(line, '"'))
			break; /* "KEY = VALUE": the value may have one, too */
	}
	if (last)
		return (size_t)(last - line) + 1;
	return blank ? (size_t)(blank - line) : strlen(line);
}

/* "X=\"$X more\"" adds to what was there, and takes nothing back. */
static bool adds_to(const char *line, size_t key)
{
	char name[256];

	snprintf(name, sizeof(name), "$%.*s", (int)(key ? key - 1 : 0), line);
	return key && line[key - 1] == '=' && strstr(line + key, name);
}

/* An earlier file says the line, and no file behind it says something else of the same. */
static bool is_said(const struct said_list *said, const char *section, const char *line)
{
	size_t key = key_length(line), file = 0;
	bool adds = adds_to(line, key), there = false;

	for (size_t i = 0; i < said->count; i++) {
		const struct said *s = &said->item[i];

		if (strcmp(s->section, section) != 0)
			continue;
		if (!strcmp(s->line, line)) {
			there = true;
			file = s->file;
		} else if (!adds && s->file != file && key_length(s->line) == key && !strncmp(s->line, line, key)) {
			there = false;
		}
	}
	return there;
}

/* A fragment of several lines is there when all of them are. */
static int look_up(struct pit_draft *d, struct pit_draft_line *l, const struct said_list *said)
{
	char section[256];

	snprintf(section, sizeof(section), "%s", l->at.section);
	l->there = true;
	for (const char *text = l->at.line; *text && l->there;) {
		size_t len = strcspn(text, "\n");
		pit_auto_free char *line = normal(text, len);

		if (!line)
			return pit_draft_no_memory(d);
		if (!is_section(line, section, sizeof(section)) && !says_nothing(line))
			l->there = is_said(said, section, line);
		text += len + (text[len] == '\n');
	}
	return 0;
}

static int look_up_path(struct pit_draft *d, size_t first)
{
	struct said_list said = {0};
	int rc = read_family(d, d->line[first].at.path, &said);

	for (size_t i = first; i < d->lines && !rc; i++)
		if (!strcmp(d->line[i].at.path, d->line[first].at.path))
			rc = look_up(d, &d->line[i], &said);
	said_free(&said);
	return rc;
}

static bool is_first_of_path(const struct pit_draft *d, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!strcmp(d->line[i].at.path, d->line[at].at.path))
			return false;
	return true;
}

/* The file at `path` will be written. */
static bool is_written(const struct pit_draft *d, const char *path)
{
	for (size_t i = 0; i < d->lines; i++)
		if (!d->line[i].there && !strcmp(d->line[i].at.path, path))
			return true;
	return false;
}

/* What `text` of the file (or link) `path` says about other files of this transaction: 1 it names one that is written,
 * -1 only such as are not, 0 none. A unit without the settings that it would load is of no use. */
static int names_other(const struct pit_draft *d, const char *path, const char *text)
{
	int found = 0;

	for (size_t i = 0; i < d->lines && found < 1; i++) {
		const char *other = d->line[i].at.path;

		if (!strcmp(other, path) || !strstr(text, pit_base_name(other)))
			continue;
		found = is_written(d, other) ? 1 : -1;
	}
	return found;
}

/* Files that name others stand and fall with them. */
static void follow(struct pit_draft *d, const char *path)
{
	int named = 0;

	for (size_t i = 0; i < d->lines && named < 1; i++) {
		int n = strcmp(d->line[i].at.path, path) ? 0 : names_other(d, path, d->line[i].at.line);

		named = n ? n : named;
	}
	for (size_t i = 0; i < d->lines && named; i++)
		if (!strcmp(d->line[i].at.path, path))
			d->line[i].there = named < 0;
}

static void put_header(const struct pit_draft *d, struct pit_buf *out)
{
	const char *name = d->profile->name ? d->profile->name : "of the command line";

	pit_buf_puts(out, "# Made by pitcrew tune, ");
	if (d->options->txn)
		pit_buf_printf(out, "transaction %d, ", d->options->txn);
	pit_buf_puts(out, "profile ");
	pit_page_clip(out, name, 200);
	if (d->options->txn)
		pit_buf_printf(out, ". Undo: pitcrew tune revert %d\n", d->options->txn);
	else
		pit_buf_puts(out, " (--format sh). Undo: sh THAT_SCRIPT undo\n");
}

static void put_reason(const struct pit_setting *s, struct pit_buf *out)
{
	pit_buf_printf(out, "# %s%s", s->knob->id, s->why ? ": " : "");
	if (s->why)
		pit_page_clip(out, s->why, 300);
	pit_buf_putc(out, '\n');
}

static bool is_repeated(const struct pit_draft *d, size_t at)
{
	const struct pit_fragment *a = &d->line[at].at;

	for (size_t i = 0; i < at; i++) {
		const struct pit_fragment *b = &d->line[i].at;

		if (!strcmp(a->path, b->path) && !strcmp(a->section, b->section) && !strcmp(a->line, b->line))
			return true;
	}
	return false;
}

/* The lines of one section of one file, from line `first` on, which is the first of it. */
static void put_section(const struct pit_draft *d, size_t first, struct pit_buf *out)
{
	const struct pit_fragment *f = &d->line[first].at;
	const struct pit_setting *said = NULL;

	if (*f->section)
		pit_buf_printf(out, "\n[%s]\n", f->section);
	for (size_t i = first; i < d->lines; i++) {
		const struct pit_draft_line *l = &d->line[i];

		if (l->there || strcmp(l->at.path, f->path) != 0 || strcmp(l->at.section, f->section) != 0 ||
		    is_repeated(d, i))
			continue;
		if (l->setting != said)
			put_reason(l->setting, out);
		said = l->setting;
		pit_buf_printf(out, "%s\n", l->at.line);
	}
}

static bool is_first_of_section(const struct pit_draft *d, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!d->line[i].there && !strcmp(d->line[i].at.path, d->line[at].at.path) &&
		    !strcmp(d->line[i].at.section, d->line[at].at.section))
			return false;
	return true;
}

static void put_file(const struct pit_draft *d, const char *path, struct pit_buf *out)
{
	put_header(d, out);
	for (size_t i = 0; i < d->lines; i++)
		if (!d->line[i].there && !strcmp(d->line[i].at.path, path) && is_first_of_section(d, i))
			put_section(d, i, out);
}

static bool is_changed(const struct pit_draft *d, const struct pit_cell *cell)
{
	for (size_t i = 0; i < d->plan.changes; i++)
		if (pit_cell_equal(&d->plan.change[i].cell, cell))
			return true;
	return false;
}

/* The directories above `path` that are not there, the uppermost first. What a recording does not tell may be missing,
 * too: to make it again does no harm. */
static int add_directories(struct pit_draft *d, const char *path)
{
	char dir[4096];
	struct pit_cell cell = {0};
	int rc = 0;

	snprintf(dir, sizeof(dir), "%s", path);
	for (char *slash = strchr(dir + 1, '/'); slash && !rc; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		rc = pit_root_exists(d->root, "%s", dir);
		if (rc == -ENOENT || rc == -ENODATA) {
			rc = pit_cell_set(&cell, PIT_TARGET_DIR, PIT_VALUE_TEXT, "%s", dir);
			if (!rc && !is_changed(d, &cell) && !pit_draft_change(d, NULL, &cell, NULL, "present"))
				rc = -ENOMEM;
		} else {
			rc = 0;
		}
		*slash = '/';
	}
	pit_cell_free(&cell);
	return rc ? pit_draft_no_memory(d) : 0;
}

static int add_file(struct pit_draft *d, const char *path)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	pit_auto_free char *old = NULL;
	struct pit_cell cell = {0};
	int rc;

	put_file(d, path, &text);
	if (text.failed || pit_cell_set(&cell, PIT_TARGET_FILE, PIT_VALUE_TEXT, "%s", path))
		return pit_draft_no_memory(d);
	rc = pit_cell_read(d->root, &cell, &old, d->err);
	if (rc == -ENODATA) /* a recording that was not asked for a file of ours */
		rc = 0;
	if (!rc && (!old || strcmp(old, text.data) != 0)) {
		rc = add_directories(d, path);
		if (!rc && !pit_draft_change(d, NULL, &cell, old, text.data))
			rc = pit_draft_no_memory(d);
	}
	pit_cell_free(&cell);
	return rc;
}

/* A whole file, a directory or a link that a setting asks for by itself. */
static int add_candidates(struct pit_draft *d, bool links)
{
	int rc = 0;

	for (size_t i = 0; i < d->candidates && !rc; i++) {
		const struct pit_candidate *c = &d->candidate[i];

		if (c->state != PIT_CANDIDATE_CHANGE || !pit_draft_is_file(&c->cell) ||
		    (c->cell.target == PIT_TARGET_LINK) != links ||
		    (c->value && names_other(d, c->cell.object, c->value) < 0))
			continue;
		if (c->value)
			rc = add_directories(d, c->cell.object);
		if (!rc && !is_changed(d, &c->cell) && !pit_draft_change(d, c->setting, &c->cell, c->old, c->value))
			rc = pit_draft_no_memory(d);
	}
	return rc;
}

int pit_draft_files(struct pit_draft *d)
{
	int rc = 0;

	for (size_t i = 0; i < d->lines && !rc; i++)
		if (is_first_of_path(d, i))
			rc = look_up_path(d, i);
	for (size_t i = 0; i < d->lines; i++)
		if (is_first_of_path(d, i))
			follow(d, d->line[i].at.path);
	for (size_t i = 0; i < d->lines && !rc; i++)
		if (is_first_of_path(d, i) && is_written(d, d->line[i].at.path))
			rc = add_file(d, d->line[i].at.path);
	rc = rc ? rc : add_candidates(d, false);
	return rc ? rc : add_candidates(d, true);
}
