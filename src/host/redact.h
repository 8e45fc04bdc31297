/* SPDX-License-Identifier: MIT
 *
 * What leaves the machine in a snapshot: secrets and addresses are replaced, the same one always by the same stand-in
 * of the same form, so that a recording is judged as the machine was.
 *
 *	10.1.2.3                    10.93.177.3      equal first three bytes stay equal; loopback and the like stay
 *	52:54:00:12:34:56           02:00:5e:a1:07:c9
 *	2001:db8::5                 fd00:..., and link-local prefixes, zero groups and ::ffff: stay
 *	password=hunter2            password=REDACTED     also "authToken": "x", --token x, Authorization: Bearer x
 *	https://user:pass@host      https://REDACTED@host
 *	alice:x:1000:1000:Alice A.: alice:x:1000:1000::         (/etc/passwd only)
 */
#ifndef PIT_HOST_REDACT_H
#define PIT_HOST_REDACT_H

#include <stdint.h>

#include "base/buf.h"

/* Appends the redacted text to `out`. `path` is where it was read; `seed` is random, one per snapshot. */
void pit_redact(const char *path, const char *text, size_t len, uint64_t seed, struct pit_buf *out);

#endif
