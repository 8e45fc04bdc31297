/* SPDX-License-Identifier: MIT */
#ifndef PIT_FEED_SOURCE_GUESS_H
#define PIT_FEED_SOURCE_GUESS_H

#include "feed/source_body.h"

/* What the listed files are: by what is asked for, else by their names; `named`: the caller named files, not
 * directories. Never PIT_SOURCE_AUTO. */
enum pit_source_kind pit_source_guess(const struct pit_file_list *l, const struct pit_source_want *want, bool named);

#endif
