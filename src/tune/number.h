/* SPDX-License-Identifier: MIT
 *
 * The number that a command prints about its own speed.
 */
#ifndef PIT_TUNE_NUMBER_H
#define PIT_TUNE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* The number at the start of `text`, blanks before it left out: "12.5", "1e3", "1,234.5". A unit changes it, so that
 * "980 MiB/s" and "1.1 GiB/s" are of one scale: k, M, G, T times 1000, Ki, Mi, Gi, Ti times 1024 (a letter alone only
 * when it touches the number), ns, us, ms, s, min in seconds. -EINVAL: there is none, or it is no plain decimal number
 * ("0x10", "nan", "12,5"). */
int pit_number_read(const char *text, double *ret);

/* What is looked for in lines. */
struct pit_pattern;

/* A POSIX extended regular expression. Its first group begins with the number, else the first
 * number after the match counts. -EINVAL with what is
 * wrong with it in `why`. */
int pit_pattern_new(const char *expression, struct pit_pattern **ret, char *why, size_t size);
void pit_pattern_free(struct pit_pattern *p); /* NULL is fine */

/* 0 and the number; -ENOENT: the line does not match; -EINVAL: it matches, and there is no number. */
int pit_pattern_find(const struct pit_pattern *p, const char *line, double *ret);

#endif
