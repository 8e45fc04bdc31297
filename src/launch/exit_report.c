/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/exit_report.h"

void pit_exit_report_free(struct pit_exit_report *r)
{
}

int pit_exit_report_code(const struct pit_exit_report *r)
{
	return -ENOSYS;
}

void pit_exit_report_text(const struct pit_exit_report *r, struct pit_buf *out)
{
}

int pit_exit_report_json(const struct pit_exit_report *r, struct pit_buf *out)
{
	return -ENOSYS;
}

char *pit_signal_name(int signal, char *out, size_t size)
{
	return NULL;
}

int pit_signal_parse(const char *text, int *ret)
{
	return -ENOSYS;
}
