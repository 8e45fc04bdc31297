/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "tune/knob.h"

static const char *const lasts[] = {
	[PIT_LASTS_SYSCTL] = "sysctl.d", [PIT_LASTS_TMPFILES] = "tmpfiles.d", [PIT_LASTS_UDEV] = "udev rule",
	[PIT_LASTS_BOOT] = "our unit",   [PIT_LASTS_ITSELF] = "by itself",    [PIT_LASTS_DRIVER] = "the device",
};

static const char *const takes[] = {
	[PIT_TAKES_NOW] = "at once",
	[PIT_TAKES_LOGIN] = "at the next login",
	[PIT_TAKES_RESTART] = "at a restart of",
	[PIT_TAKES_RESET] = "at a reset of the GPU",
	[PIT_TAKES_REBOOT] = "at the next boot",
};

static void put_values(const struct pit_knob *knob, struct pit_buf *out)
{
	if (knob->values)
		pit_buf_puts(out, knob->values);
	else if (knob->value == PIT_VALUE_BOOL)
		pit_buf_puts(out, "on, off");
	else if (knob->most == INT64_MAX || (knob->value == PIT_VALUE_INT && knob->most == INT32_MAX))
		pit_buf_printf(out, "from %" PRId64, knob->least);
	else if (knob->least || knob->most)
		pit_buf_printf(out, "%" PRId64 " to %" PRId64, knob->least, knob->most);
}

/* Names with a space between them, where a table would else be one long word. */
static void put_cell(const char *text, struct pit_buf *out)
{
	for (; *text; text++)
		if (*text == '|')
			pit_buf_puts(out, "\\|");
		else
			pit_buf_putc(out, *text);
}

static void put_row(const struct pit_knob *knob, struct pit_buf *out)
{
	pit_buf_printf(out, "| `%s` | ", knob->id);
	put_cell(knob->title, out);
	pit_buf_puts(out, " | ");
	put_values(knob, out);
	pit_buf_printf(out, " | %s%s%s | %s | %s | ", takes[knob->takes], knob->takes == PIT_TAKES_RESTART ? " " : "",
		       knob->takes == PIT_TAKES_RESTART ? knob->service : "", lasts[knob->lasts],
		       knob->in_container ? "yes" : "");
	put_cell(knob->blast, out);
	pit_buf_printf(out, " | %s | ", knob->checks);
	put_cell(knob->source, out);
	pit_buf_puts(out, " |\n");
}

void pit_knobs_markdown(struct pit_buf *out)
{
	size_t n = 0;

	PIT_KNOB_FOREACH (knob)
		n += knob->id != NULL;
	pit_buf_puts(out, "# Knobs\n\nGenerated from the table by `pitcrew tune plan --list --format markdown`; do not "
			  "edit.\n");
	pit_buf_printf(out, "%zu knobs, in the order in which a plan sets them.\n\n", n);
	pit_buf_puts(out, "| id | sets | values | takes effect | lasts by | in containers | who feels it | satisfies | "
			  "source |\n|---|---|---|---|---|---|---|---|---|\n");
	PIT_KNOB_FOREACH (knob)
		put_row(knob, out);
}
