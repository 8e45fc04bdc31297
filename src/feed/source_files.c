/* SPDX-License-Identifier: MIT */
#include "feed/source_body.h"

int pit_source_fill_files(struct pit_source *s, const struct pit_source_want *want,
			  const struct pit_source_extra *extra, struct pit_error *err)
{
	s->form = PIT_FORM_WHOLE;
	s->count = s->files.names.count;
	return 0;
}
