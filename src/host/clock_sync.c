/* SPDX-License-Identifier: MIT */
#include "host/clock_sync.h"

#include <inttypes.h>
#include <sys/timex.h>

#include "base/parse.h"
#include "host/procfs.h"

static int ask_kernel(const char *name, void *arg, struct pit_buf *out)
{
	struct timex t = {.modes = 0};

	if (adjtimex(&t) < 0)
		return -errno;
	pit_buf_printf(out, "synchronized %d\nmaxerror_us %ld\noffset_us %ld\n", !(t.status & STA_UNSYNC), t.maxerror,
		       t.status & STA_NANO ? t.offset / 1000 : t.offset);
	return 0;
}

int pit_clock_sync(struct pit_root *root, struct pit_clock_sync *ret, struct pit_error *err)
{
	struct pit_clock_sync c = {0};
	struct pit_text text;
	char offset[32];
	uint64_t yes, max;
	int rc = pit_root_fact(root, "adjtimex", ask_kernel, NULL, &text);

	if (rc)
		return pit_fail(err, -rc, "the state of the kernel's clock");
	if (pit_kv_u64(text.data, "synchronized", &yes) || pit_kv_u64(text.data, "maxerror_us", &max) ||
	    pit_kv_str(text.data, "offset_us", offset, sizeof(offset)) || pit_parse_i64(offset, &c.offset_us) ||
	    max > INT64_MAX)
		return pit_fail(err, EBADMSG, "the state of the kernel's clock");
	c.synchronized = yes != 0;
	c.max_error_us = (int64_t)max;
	*ret = c;
	return 0;
}
