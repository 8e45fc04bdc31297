/* SPDX-License-Identifier: MIT
 *
 * What an error of a write means, and what to do.
 */
#ifndef PIT_FEED_SAVE_WORDS_H
#define PIT_FEED_SAVE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `need` bytes were to be written in directory `dirfd`; `lies`: on an overlay mounted "volatile". */
void pit_save_words(int code, int dirfd, uint64_t need, bool lies, char *out, size_t size);

#endif
