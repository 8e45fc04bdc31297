/* SPDX-License-Identifier: MIT
 *
 * What an exported batch is as text: "pitcrew-batch 1 PID BEGAN FD OFFSET BYTES NONCE BELL", where the memory is the
 * sender's descriptor FD, and BELL is the offset of its bell there, or -1.
 */
#ifndef PIT_FEED_SHARE_H
#define PIT_FEED_SHARE_H

#include <stdint.h>
#include <sys/types.h>

#include "pitcrew/error.h"

struct pit_share {
	pid_t pid;
	uint64_t began; /* when the sender began, by the kernel's count; 0: unknown */
	int fd;
	uint64_t offset, bytes, nonce;
	int64_t bell;
};

int pit_share_text(const struct pit_share *s, char *text, size_t size); /* the length, as snprintf */
int pit_share_parse(const char *text, struct pit_share *ret, struct pit_error *err);

/* When a process began: /proc/PID/stat; 0 when that cannot be read. */
uint64_t pit_share_began(pid_t pid);

#endif
