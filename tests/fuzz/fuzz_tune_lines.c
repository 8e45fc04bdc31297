/* SPDX-License-Identifier: MIT
 *
 * Lines of other people's files that a plan is compared with: limits of units, "key = value"; and what is written for
 * such readers.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "tune/conflict.h"
#include "tune/limits.h"
#include "tune/persist.h"

static void check_limit(const char *text)
{
	struct pit_pair pair, again;
	char printed[64];

	if (pit_limit_parse(text, &pair))
		return;
	if (pair.soft > pair.hard || pit_limit_parse(pit_limit_print(&pair, printed, sizeof(printed)), &again) ||
	    again.soft != pair.soft || again.hard != pair.hard)
		abort();
}

/* What is escaped stays on its line and in its field. */
static void check_escapes(const char *text)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	pit_escape_tmpfiles_path(text, &out);
	pit_escape_exec(text, &out);
	if (strpbrk(out.data, " \t\n\"'"))
		abort();
	pit_buf_clear(&out);
	pit_escape_tmpfiles_argument(text, &out);
	pit_escape_udev(text, &out);
	if (strpbrk(out.data, "\t\n"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *key, *value;

	check_limit(text);
	check_escapes(text);
	if (pit_conflict_split(text, &key, &value) && strlen(key) + strlen(value) > size)
		abort();
	free(text);
	return 0;
}
