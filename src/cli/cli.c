/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "base/parse.h"
#include "cli/cmd.h"
#include "host/root.h"
#include "report/text.h"

int pit_cli_fail(const struct pit_error *err)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	pit_page_clip(&line, err->text[0] ? err->text : strerror(err->code), sizeof(err->text)); /* names are foreign */
	fprintf(stderr, "pitcrew: %s\n", line.data);
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

static bool lacks(struct pit_root *root, const char *path)
{
	struct pit_stat st;
	int rc = pit_root_stat(root, &st, "%s", path);

	return rc == -ENOENT || rc == -ENOTDIR;
}

int pit_cli_check_root(struct pit_root *root, struct pit_error *err)
{
	if (pit_root_is_live(root) || !lacks(root, "/proc") || !lacks(root, "/sys") || !lacks(root, "/etc") ||
	    !lacks(root, "/.pitcrew"))
		return 0;
	return pit_fail(err, ENOENT, "%s holds no recorded machine: no /proc, /sys or /etc in it", pit_root_name(root));
}

static bool fwrite_all(const struct pit_buf *out)
{
	return fwrite(out->data, 1, out->len, stdout) == out->len && !fflush(stdout);
}

int pit_cli_write(const struct pit_buf *out, struct pit_error *err)
{
	if (out->failed)
		return pit_fail(err, ENOMEM, "out of memory");
	if (fwrite_all(out) || errno == EPIPE)
		return 0;
	return pit_fail(err, errno, "cannot write the output: %s", strerror(errno));
}

int pit_cli_print(const struct pit_buf *out, int code)
{
	struct pit_error err = PIT_ERROR_INIT;

	return pit_cli_write(out, &err) ? pit_cli_fail(&err) : code;
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

bool pit_cli_is_json(struct argp_state *state, const char *word)
{
	static const char *const formats[] = {"text", "json", NULL};

	return pit_cli_choice(state, "format", word, formats) == 1;
}

const char *pit_cli_colour(struct argp_state *state, const char *word)
{
	static const char *const colours[] = {"auto", "always", "never", NULL};

	return colours[pit_cli_choice(state, "color", word, colours)];
}

int pit_cli_number(struct argp_state *state, const char *option, const char *arg, int least, int most)
{
	uint64_t value;

	if (pit_parse_u64(arg, &value) || value < (uint64_t)least || value > (uint64_t)most)
		pit_cli_usage(state, "--%s=%s is not a number from %d to %d", option, arg, least, most);
	return (int)value;
}

const char *pit_cli_absolute(struct argp_state *state, const char *option, const char *arg)
{
	if (*arg != '/')
		pit_cli_usage(state, "--%s=%s: give an absolute path", option, arg);
	return arg;
}
