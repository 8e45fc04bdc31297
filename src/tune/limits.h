/* SPDX-License-Identifier: MIT
 *
 * Limits as systemd's units say them, compared as numbers: "64G", "infinity", "65536:524288" (soft:hard).
 */
#ifndef PIT_TUNE_LIMITS_H
#define PIT_TUNE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pit_pair {
	uint64_t soft, hard; /* bytes or pieces; UINT64_MAX unlimited */
};

struct pit_limit_item {
	const char *item;   /* in limits.conf: "memlock" */
	const char *key;    /* in units: "LimitMEMLOCK" */
	const char *proc;   /* in /proc/PID/limits: "Max locked memory" */
	bool bytes;         /* limits.conf counts KiB */
	const char *common; /* what systemd gives without being told, as a unit would say it; NULL the kernel's */
};
extern const struct pit_limit_item pit_limit_items[]; /* ends with item NULL */
const struct pit_limit_item *pit_limit_item(const char *item);

/* The value of a "Limit...=" line: K, M, G, T, P, E are powers of 1024; "infinity". -EINVAL it is none. */
int pit_limit_parse(const char *text, struct pit_pair *ret);

/* The other way round. Returns `out`. */
char *pit_limit_print(const struct pit_pair *pair, char *out, size_t size);

#endif
