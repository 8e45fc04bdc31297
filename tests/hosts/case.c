/* SPDX-License-Identifier: MIT */
#include "case.h"

#include <libgen.h>
#include <string.h>

#include "../tempdir.h"
#include "host/answer.h"

static bool is_comment(const char *line)
{
	return !*line || *line == '#';
}

static bool opens_text(const char *line)
{
	size_t len = strlen(line);

	return len > 3 && !strcmp(line + len - 3, " <<");
}

struct reader {
	const char *file;
	struct test_cases *cases;
	struct pit_strv block_names;
	struct pit_strv blocks[64];
	struct pit_strv *body; /* where lines go now */
};

static void reader_free(struct reader *r)
{
	pit_strv_free(&r->block_names);
	for (size_t i = 0; i < PIT_COUNT(r->blocks); i++)
		pit_strv_free(&r->blocks[i]);
}

static int start_block(struct reader *r, const char *name)
{
	if (r->block_names.count == PIT_COUNT(r->blocks))
		return -E2BIG;
	r->body = &r->blocks[r->block_names.count];
	return pit_strv_add(&r->block_names, name);
}

static int start_case(struct reader *r, const char *head, int line)
{
	pit_auto_strv struct pit_strv words = {0};
	struct test_case *grown = reallocarray(r->cases->item, r->cases->count + 1, sizeof(*grown));
	struct test_case *c;

	if (!grown || pit_strv_split(&words, head, " ") || words.count < 2)
		return -EINVAL;
	r->cases->item = grown;
	c = &grown[r->cases->count++];
	*c = (struct test_case){
		.file = strdup(r->file), .line = line, .row = strdup(words.item[0]), .verdict = strdup(words.item[1])};
	for (size_t i = 2; i < words.count; i++)
		pit_strv_add(&c->words, words.item[i]);
	r->body = &c->lines;
	return 0;
}

static int use_block(struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->block_names.count; i++) {
		if (strcmp(r->block_names.item[i], name) != 0)
			continue;
		for (size_t j = 0; j < r->blocks[i].count; j++)
			if (pit_strv_add(r->body, r->blocks[i].item[j]))
				return -ENOMEM;
		return 0;
	}
	return -ENOENT;
}

static int take_line(struct reader *r, const char *line, int number, bool inside)
{
	if (inside)
		return pit_strv_add(r->body, line);
	if (is_comment(line))
		return 0;
	if (!strncmp(line, ":: ", 3))
		return start_block(r, line + 3);
	if (!strncmp(line, "== ", 3))
		return start_case(r, line + 3, number);
	if (!r->body)
		return -EINVAL;
	if (!strncmp(line, "use ", 4))
		return use_block(r, line + 4);
	return pit_strv_add(r->body, line);
}

int test_cases_load(const char *path, struct test_cases *cases, struct pit_buf *why)
{
	pit_auto_fclose FILE *f = fopen(path, "re");
	PIT_CLEANUP(reader_free) struct reader r = {.file = path, .cases = cases};
	pit_auto_free char *line = NULL;
	bool inside = false;
	size_t size = 0;
	int number = 0;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) >= 0) {
		int rc;

		line[strcspn(line, "\n")] = '\0';
		rc = take_line(&r, line, ++number, inside);
		if (rc) {
			pit_buf_printf(why, "%s:%d: cannot read '%s'", path, number, line);
			return rc;
		}
		inside = inside ? strcmp(line, ".") != 0 : !is_comment(line) && opens_text(line);
	}
	return 0;
}

void test_cases_free(struct test_cases *cases)
{
	for (size_t i = 0; i < cases->count; i++) {
		free(cases->item[i].file);
		free(cases->item[i].row);
		free(cases->item[i].verdict);
		pit_strv_free(&cases->item[i].words);
		pit_strv_free(&cases->item[i].lines);
	}
	free(cases->item);
}

static int append_missing(const char *dir, const char *kind, const char *path, const char *code)
{
	char full[4096];
	pit_auto_fclose FILE *f = NULL;

	tempdir_parents(dir, "/.pitcrew/missing", full, sizeof(full));
	f = fopen(full, "ae");
	if (!f)
		return -errno;
	fprintf(f, "%s %s %s\n", code, kind, path);
	return 0;
}

/* An answer that is no file of the machine; "again" gets its interval of one second. */
static int write_answer(const char *dir, const char *kind, const char *path, const char *bytes)
{
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT, text = PIT_BUF_INIT;

	for (int k = 0; k < PIT_KINDS; k++)
		if (!strcmp(kind, pit_kind_names[k]))
			pit_recording_name((enum pit_kind)k, path, &name);
	if (!strcmp(kind, "again"))
		pit_buf_puts(&text, "interval_ns 1000000000\n");
	pit_buf_puts(&text, bytes);
	return name.len ? tempdir_write(dir, name.data, text.data, text.len) : -EINVAL;
}

static int write_content(const char *dir, char *what, const char *bytes)
{
	char *blank = strchr(what, ' ');

	if (*what == '/')
		return tempdir_write(dir, what, bytes, strlen(bytes));
	if (!blank)
		return -EINVAL;
	*blank = '\0';
	return write_answer(dir, what, blank + 1, bytes);
}

/* "OFFSET:BYTES ..." in hexadecimal, zeros between: the configuration space of a PCI device. */
static int write_hex(const char *dir, const char *path, const char *text)
{
	unsigned char bytes[4096] = {0};
	pit_auto_strv struct pit_strv parts = {0};
	size_t end = 0;

	if (pit_strv_split(&parts, text, " "))
		return -ENOMEM;
	for (size_t i = 0; i < parts.count; i++) {
		char *at;
		size_t to = strtoul(parts.item[i], &at, 16);
		unsigned byte;

		if (*at++ != ':')
			return -EINVAL;
		for (; to < sizeof(bytes) && sscanf(at, "%2x", &byte) == 1; at += 2)
			bytes[to++] = (unsigned char)byte;
		end = to > end ? to : end;
	}
	return tempdir_write(dir, path, (const char *)bytes, end);
}

static int make_dir(const char *dir, const char *path)
{
	char full[4096], below[4096];

	snprintf(below, sizeof(below), "%s/", path);
	tempdir_parents(dir, below, full, sizeof(full));
	return 0;
}

static bool is_assertion(const char *line)
{
	static const char *const heads[] = {"observed ~ ", "wanted ~ ", "origin ~ ",  "evidence ~ ",
					    "reason ~ ",   "remedy ~ ", "command ~ ", "impact = "};

	for (size_t i = 0; i < PIT_COUNT(heads); i++)
		if (!strncmp(line, heads[i], strlen(heads[i])))
			return true;
	return false;
}

/* The lines behind "WHAT <<" up to "."; moves *i to that line. */
static void gather(const struct test_case *c, size_t *i, struct pit_buf *ret)
{
	for (++*i; *i < c->lines.count && strcmp(c->lines.item[*i], ".") != 0; ++*i)
		pit_buf_printf(ret, "%s\n", c->lines.item[*i]);
}

static int build_line(const struct test_case *c, size_t *i, const char *dir)
{
	char line[8192], *middle, kind[16], path[4096], code[16];
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	snprintf(line, sizeof(line), "%s", c->lines.item[*i]);
	if (is_assertion(line))
		return 0;
	if (opens_text(line)) {
		line[strlen(line) - 3] = '\0';
		gather(c, i, &text);
		return write_content(dir, line, text.data);
	}
	if (!strncmp(line, "dir ", 4))
		return make_dir(dir, line + 4);
	if (!strncmp(line, "link ", 5) && (middle = strstr(line, " -> "))) {
		*middle = '\0';
		return tempdir_symlink(dir, line + 5, middle + 4);
	}
	if (!strncmp(line, "hex ", 4) && (middle = strstr(line, " = "))) {
		*middle = '\0';
		return write_hex(dir, line + 4, middle + 3);
	}
	if (sscanf(line, "missing %15s %4095s %15s", kind, path, code) == 3)
		return append_missing(dir, kind, path, code);
	middle = strstr(line, " =");
	if (!middle || (middle[2] && middle[2] != ' '))
		return -EINVAL;
	*middle = '\0';
	pit_buf_printf(&text, "%s\n", middle[2] ? middle + 3 : "");
	return write_content(dir, line, text.data);
}

int test_case_build(const struct test_case *c, const char *dir, struct pit_buf *why)
{
	for (size_t i = 0; i < c->lines.count; i++) {
		const char *line = c->lines.item[i];
		int rc = build_line(c, &i, dir);

		if (rc) {
			pit_buf_printf(why, "%s:%d: cannot build '%s': %s", c->file, c->line, line, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static bool evidence_holds(const struct pit_finding *f, const char *part)
{
	for (size_t i = 0; i < f->evidences; i++)
		if (strstr(f->evidence[i].text, part) || strstr(f->evidence[i].source, part))
			return true;
	return false;
}

static bool assertion_holds(const char *line, const struct pit_finding *f)
{
	const char *part = strstr(line, *line == 'i' ? " = " : " ~ ") + 3;
	const char *text = NULL;

	if (!strncmp(line, "impact", 6))
		return !strcmp(pit_impact_name(f->impact), part);
	if (!strncmp(line, "evidence", 8))
		return evidence_holds(f, part);
	if (!strncmp(line, "observed", 8))
		text = f->observed;
	else if (!strncmp(line, "wanted", 6))
		text = f->wanted;
	else if (!strncmp(line, "origin", 6))
		text = f->origin;
	else if (!strncmp(line, "reason", 6))
		text = f->skip_reason;
	else if (!strncmp(line, "remedy", 6))
		text = f->remedy ? f->remedy : f->check->remedy;
	else if (!strncmp(line, "command", 7))
		text = f->command ? f->command : f->check->command;
	return text && strstr(text, part);
}

static void describe(const struct pit_finding *f, struct pit_buf *why)
{
	pit_buf_printf(why, " [%s, %s; observed: %s; wanted: %s; origin: %s; skip: %s", pit_status_name(f->status),
		       pit_impact_name(f->impact), f->observed ? f->observed : "-", f->wanted ? f->wanted : "-",
		       f->origin ? f->origin : "-", f->skip_reason ? f->skip_reason : "-");
	for (size_t i = 0; i < f->evidences; i++)
		pit_buf_printf(why, "; %s: %s", f->evidence[i].source, f->evidence[i].text);
	pit_buf_puts(why, "]");
}

bool test_case_agrees(const struct test_case *c, const struct pit_finding *f, struct pit_buf *why)
{
	if (strcmp(pit_status_name(f->status), c->verdict) != 0) {
		pit_buf_printf(why, "expected %s", c->verdict);
		describe(f, why);
		return false;
	}
	for (size_t i = 0; i < c->lines.count; i++) {
		if (opens_text(c->lines.item[i])) {
			while (i < c->lines.count && strcmp(c->lines.item[i], ".") != 0)
				i++;
		} else if (is_assertion(c->lines.item[i]) && !assertion_holds(c->lines.item[i], f)) {
			pit_buf_printf(why, "not so: %s", c->lines.item[i]);
			describe(f, why);
			return false;
		}
	}
	return true;
}
