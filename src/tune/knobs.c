/* SPDX-License-Identifier: MIT */
#include "tune/knob.h"

const struct pit_knob *pit_knob_find(const char *id)
{
	return NULL;
}

const char *pit_knob_nearest(const char *word)
{
	return NULL;
}

void pit_knobs_markdown(struct pit_buf *out)
{
}

const struct pit_knob *const pit_knobs[] = {NULL};
