/* SPDX-License-Identifier: MIT
 *
 * The kernel's messages: from /dev/kmsg (or the recorded fact "kmsg"), else from files where logs are kept.
 */
#ifndef PIT_HOST_KMSG_H
#define PIT_HOST_KMSG_H

#include "host/root.h"

struct pit_kmsg_line {
	int64_t usec; /* since boot; -1 unknown */
	int level;    /* 0 emerg ... 7 debug; -1 unknown */
	char *text;   /* without prefix; \x escapes of /dev/kmsg decoded to printable text */
};

struct pit_kmsg {
	struct pit_kmsg_line *item; /* oldest first */
	size_t count;
	const char *source; /* "kmsg", or the file used */
};

/* Reads records "6,339,5140900,-;text", lines "[ 5.140900] text", "<6>[ 5.14] text", and ISO or syslog stamped lines;
 * lines of any other form are kept whole with usec -1, but lines of other programs in a system log are left out. At
 * most the newest 100000 lines are kept. */
int pit_kmsg_parse(const char *text, struct pit_kmsg *ret);
int pit_kmsg_load(struct pit_root *root, struct pit_kmsg *ret, struct pit_error *err); /* -EPERM: dmesg_restrict */
void pit_kmsg_free(struct pit_kmsg *k);

#endif
