/* SPDX-License-Identifier: MIT
 *
 * Every case of rows/AREA*.cases against its row, and every row against the cases: one that never passes or never fails
 * there is a failure. Speaks TAP.
 *
 *	test_rows DIR-OF-CASES [ROW-ID-PREFIX]
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "../tempdir.h"
#include "case.h"

static void read_words(const struct test_case *c, struct pit_facts_options *o)
{
	uint64_t pid;

	for (size_t i = 0; i < c->words.count; i++) {
		const char *word = c->words.item[i];

		if (!strcmp(word, "inference"))
			o->workload = PIT_INFERENCE;
		else if (!strncmp(word, "data=", 5))
			o->data = word + 5;
		else if (!strncmp(word, "checkpoint=", 11))
			o->checkpoint = word + 11;
		else if (!strncmp(word, "pid=", 4) && !pit_parse_u64(word + 4, &pid))
			o->pid = (int)pid;
	}
}

/* Builds the machine of the case, judges the row on it and compares. */
static bool run_case(const struct test_case *c, const struct pit_check *row, const char *dir, struct pit_buf *why)
{
	struct pit_facts_options options = {.workload = PIT_TRAINING};
	pit_auto_root struct pit_root *root = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_facts *facts = NULL;
	struct pit_finding finding = {0};
	bool ok;

	read_words(c, &options);
	if (test_case_build(c, dir, why))
		return false;
	if (pit_root_open(dir, &root, &err) || pit_facts_new(root, &options, &facts, &err)) {
		pit_buf_puts(why, err.text);
		return false;
	}
	pit_check_eval(row, facts, &finding);
	ok = test_case_agrees(c, &finding, why);
	pit_finding_clear(&finding);
	pit_facts_free(facts);
	return ok;
}

static bool run_in_new_dir(const struct test_case *c, struct pit_buf *why)
{
	const struct pit_check *row = pit_catalog_find(c->row);
	char dir[64];
	bool ok;

	if (!row) {
		pit_buf_puts(why, "no such row");
		return false;
	}
	tempdir_new(dir, sizeof(dir));
	ok = run_case(c, row, dir, why);
	tempdir_remove(dir);
	return ok;
}

static int load_all(const char *dir, struct test_cases *cases)
{
	pit_auto_buf struct pit_buf why = PIT_BUF_INIT, pattern = PIT_BUF_INIT;
	glob_t files;
	int rc = 0;

	pit_buf_printf(&pattern, "%s/*.cases", dir);
	if (glob(pattern.data, 0, NULL, &files))
		return -ENOENT;
	for (size_t i = 0; i < files.gl_pathc && !rc; i++)
		rc = test_cases_load(files.gl_pathv[i], cases, &why);
	globfree(&files);
	if (rc)
		printf("Bail out! %s\n", why.data);
	return rc;
}

static bool report(int *number, bool ok, const char *what, const char *where, const char *why)
{
	printf("%s %d - %s%s%s%s%s\n", ok ? "ok" : "not ok", ++*number, what, where ? " " : "", where ? where : "",
	       ok ? "" : ": ", ok ? "" : why);
	return ok;
}

static bool is_covered(const struct test_cases *cases, const char *id, bool passing)
{
	for (size_t i = 0; i < cases->count; i++) {
		const struct test_case *c = &cases->item[i];

		if (!strcmp(c->row, id) && (passing ? !strcmp(c->verdict, "pass")
						    : !strcmp(c->verdict, "warn") || !strcmp(c->verdict, "fail")))
			return true;
	}
	return false;
}

static int check_coverage(const struct test_cases *cases, const char *prefix, int *number)
{
	int bad = 0;

	PIT_CATALOG_FOREACH (row) {
		bool passes = is_covered(cases, row->id, true), fails = is_covered(cases, row->id, false);

		if (!strncmp(row->id, prefix, strlen(prefix)))
			bad += !report(number, passes && fails, row->id, "is covered",
				       passes ? "no case in which it warns or fails" : "no case in which it passes");
	}
	return bad;
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 2 ? argv[2] : "";
	struct test_cases cases = {0};
	int number = 0, bad = 0;

	if (argc < 2 || load_all(argv[1], &cases))
		return 99;
	for (size_t i = 0; i < cases.count; i++) {
		const struct test_case *c = &cases.item[i];
		pit_auto_buf struct pit_buf why = PIT_BUF_INIT, where = PIT_BUF_INIT;
		bool ok;

		if (strncmp(c->row, prefix, strlen(prefix)) != 0)
			continue;
		pit_buf_printf(&where, "%s (%s:%d)", c->verdict, strrchr(c->file, '/') + 1, c->line);
		ok = run_in_new_dir(c, &why);
		bad += !report(&number, ok, c->row, where.data, why.data);
		fflush(stdout);
	}
	bad += check_coverage(&cases, prefix, &number);
	printf("1..%d\n", number);
	test_cases_free(&cases);
	return bad ? 1 : 0;
}
