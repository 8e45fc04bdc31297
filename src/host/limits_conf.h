/* SPDX-License-Identifier: MIT
 *
 * /etc/security/limits.conf and limits.d: the limits that PAM gives to logins (and to nothing else). See
 * limits.conf(5).
 */
#ifndef PIT_HOST_LIMITS_CONF_H
#define PIT_HOST_LIMITS_CONF_H

#include "host/root.h"

struct pit_limits_line {
	char domain[64]; /* "*", "root", "@group", "%group", "1000:" */
	bool soft, hard; /* which it sets; both for "-" */
	char item[24];   /* "memlock"; "" a line that only exempts its domain */
	uint64_t value;  /* as the kernel counts (bytes, where the file counts KiB); UINT64_MAX unlimited */
};

/* One line: 0, -ENOENT for blank and comment lines, -EBADMSG when PAM cannot read it either. */
int pit_limits_parse_line(const char *line, struct pit_limits_line *ret);

/* Calls `fn` for each line that is not blank, in PAM's order: limits.conf, then limits.d by name. `parsed` is NULL for
 * a line that cannot be read. Stops at the first return that is not 0 and returns it. `text` is the line. */
typedef int (*pit_limits_fn)(const char *where, const char *text, const struct pit_limits_line *parsed, void *arg);
int pit_limits_each(struct pit_root *root, pit_limits_fn fn, void *arg);

/* What ordinary users get for `item` by "*", the last such line; -ENOENT none. `ret_where` is "FILE:LINE". */
int pit_limits_for_all(struct pit_root *root, const char *item, bool hard, uint64_t *ret, char *ret_where, size_t size);

#endif
