/* SPDX-License-Identifier: MIT
 *
 * Parsers of the texts under /proc that are not about one process.
 */
#ifndef PIT_HOST_PROCFS_H
#define PIT_HOST_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"
#include "pitcrew/error.h"

/* The number behind `key` on a line "key: N kB", "key N" or "key=N" (meminfo, vmstat, status, memory.events ...).
 * -ENOENT no such key, -EBADMSG no number there. The unit is left to the caller (meminfo: kB). */
int pit_kv_u64(const char *text, const char *key, uint64_t *ret_value);

/* The rest of the line behind `key` and its ":" or "=", trimmed, in `ret` of `size` bytes. -ENOENT no such key. */
int pit_kv_str(const char *text, const char *key, char *ret, size_t size);

/* Pressure stall information (/proc/pressure/X, cgroup X.pressure): shares of wall time in percent over 10, 60, 300 s.
 * `full` is absent for cpu on kernels before 5.13: full_valid false. */
struct pit_psi {
	double some10, some60, some300;
	double full10, full60, full300;
	uint64_t some_total_us, full_total_us;
	bool full_valid;
};
int pit_psi_parse(const char *text, struct pit_psi *ret, struct pit_error *err);

/* Seconds since boot from /proc/uptime. -EBADMSG. */
int pit_uptime_parse(const char *text, double *ret_seconds);

/* Kernel command line split as the kernel does: blanks separate, double quotes group (and stay in the word). */
int pit_cmdline_parse(const char *text, struct pit_strv *ret);

/* The value of the last "name=value", "" for a bare "name"; NULL when absent. '-' and '_' are the same in names. */
const char *pit_cmdline_get(const struct pit_strv *cmdline, const char *name);

/* The choice in brackets of "always [madvise] never", or the whole trimmed first line when there are no brackets. */
char *pit_bracketed(const char *text, char *ret, size_t size);

#endif
