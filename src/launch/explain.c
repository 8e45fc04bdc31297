/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/explain.h"

void pit_explain_text(const struct pit_job *j, const struct pit_page *page, struct pit_buf *out)
{
}

int pit_explain_json(const struct pit_job *j, struct pit_buf *out)
{
	return -ENOSYS;
}

void pit_explain_notes(const struct pit_job *j, int seat, const struct pit_spawned *s, struct pit_strv *out)
{
}
