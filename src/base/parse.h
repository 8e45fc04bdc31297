/* SPDX-License-Identifier: MIT
 *
 * Strict readers of numbers that come from outside. Each takes a NUL-terminated text, allows white space (and the NUL
 * bytes that some recorded sysfs files end with) around the value and nothing else, and writes its output on success
 * only. Errors: -EINVAL not such a value, -ERANGE does not fit.
 */
#ifndef PIT_BASE_PARSE_H
#define PIT_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int pit_parse_u64(const char *text, uint64_t *ret_value); /* decimal */
int pit_parse_i64(const char *text, int64_t *ret_value);  /* decimal, optional sign */
int pit_parse_hex(const char *text, uint64_t *ret_value); /* hexadecimal, optional 0x */
int pit_parse_double(const char *text, double *ret_value);

/* "64", "64k", "64K", "64kB", "64KiB", "16M", "2G", "1T" in powers of 1024; the result is in bytes. */
int pit_parse_size(const char *text, uint64_t *ret_bytes);

/* "10", "10s", "1.5 s" seconds, "500ms", "2m", "2min", "1h", "1d"; the result is in nanoseconds. */
int pit_parse_duration(const char *text, int64_t *ret_ns);

/* 1/0, yes/no, on/off, true/false, y/n, enabled/disabled in any case. */
int pit_parse_bool(const char *text, bool *ret_value);

/* "8192" -> "8.0 KiB": bytes for a person, in `out` of `size` bytes; returns `out`. */
char *pit_format_size(uint64_t bytes, char *out, size_t size);

/* "500 ms", "1.5 s", "90 s", "5 min", "2 h": nanoseconds (0 or more) for a person. Returns `out`. */
char *pit_format_duration(int64_t ns, char *out, size_t size);

/* "12 s", "5 min", "30 h", "12 days"; "unknown age" below 0. Returns `out`. */
char *pit_format_age(double seconds, char *out, size_t size);

/* Copies the first line of `text` without white space around it into `out`, cut to `size`; returns `out`. */
char *pit_first_line(const char *text, char *out, size_t size);

#endif
