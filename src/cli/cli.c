/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "cli/cmd.h"

int pit_cli_fail(const struct pit_error *err)
{
	fprintf(stderr, "pitcrew: %s\n", err->text[0] ? err->text : strerror(err->code));
	return PIT_EXIT_CANNOT;
}

void pit_cli_usage(const struct argp_state *state, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", state->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " ('%s --help')\n", state->name);
	exit(PIT_EXIT_USAGE);
}

static bool fwrite_all(const struct pit_buf *out)
{
	return fwrite(out->data, 1, out->len, stdout) == out->len && !fflush(stdout);
}

int pit_cli_print(const struct pit_buf *out, int code)
{
	struct pit_error err = PIT_ERROR_INIT;

	if (out->failed)
		pit_fail(&err, ENOMEM, "out of memory");
	else if (!fwrite_all(out))
		pit_fail(&err, errno, "cannot write the output: %s", strerror(errno));
	/* Whoever read our output has seen enough. */
	if (err.code == EPIPE)
		return code;
	return err.code ? pit_cli_fail(&err) : code;
}

int pit_cli_choice(struct argp_state *state, const char *option, const char *word, const char *const *choices)
{
	pit_auto_buf struct pit_buf list = PIT_BUF_INIT;

	for (int i = 0; choices[i]; i++) {
		if (!strcmp(word, choices[i]))
			return i;
		pit_buf_printf(&list, "%s%s", i ? ", " : "", choices[i]);
	}
	pit_cli_usage(state, "--%s=%s is not known; choose one of: %s", option, word, list.data);
}

/* Levenshtein's distance; words longer than 63 bytes are far from everything. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[64], left, diagonal;
	size_t n = strlen(b);

	if (n >= sizeof(row) / sizeof(row[0]))
		return ~0u;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = left = i;
		for (size_t j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (left + 1 < best)
				best = left + 1;
			diagonal = row[j];
			row[j] = left = best;
		}
	}
	return row[n];
}

const char *pit_cli_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned least = (unsigned)strlen(word) / 2 + 1;

	for (; *names; names++) {
		unsigned d = distance(word, *names);

		if (d < least) {
			least = d;
			best = *names;
		}
	}
	return best;
}
