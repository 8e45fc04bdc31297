/* SPDX-License-Identifier: MIT
 *
 * The small machines of rows/AREA*.cases; README.md has their form.
 */
#ifndef PIT_TEST_CASE_H
#define PIT_TEST_CASE_H

#include "base/buf.h"
#include "base/strv.h"
#include "check/facts.h"

struct test_case {
	char *file; /* where it stands, for messages */
	int line;
	char *row;             /* row id */
	char *verdict;         /* "pass", "warn", "fail", "skip" */
	struct pit_strv words; /* behind the verdict: "inference", "data=/x" */
	struct pit_strv lines; /* the body, `use` resolved */
};

struct test_cases {
	struct test_case *item;
	size_t count;
};

int test_cases_load(const char *path, struct test_cases *cases, struct pit_buf *why); /* appends; 0 or -errno */
void test_cases_free(struct test_cases *cases);

/* Writes the case's machine below `dir`, which exists. */
int test_case_build(const struct test_case *c, const char *dir, struct pit_buf *why);

/* Compares the finding with the case's verdict and assertions; false with the reason in `why`. */
bool test_case_agrees(const struct test_case *c, const struct pit_finding *f, struct pit_buf *why);

#endif
