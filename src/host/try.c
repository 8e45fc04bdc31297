/* SPDX-License-Identifier: MIT */
#include "host/try.h"

#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <xxhash.h>

#include "base/clock.h"
#include "host/child.h"

#define ANSWER_MAX (1u << 20)

struct call {
	pit_fact_fn make;
	const char *name;
	void *arg;
};

struct reply {
	int rc;
	size_t len; /* of the text that follows */
};

/* In the child. */
static void run(int fd, const void *arg)
{
	const struct call *call = arg;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct reply r;

	prctl(PR_SET_DUMPABLE, 0); /* being killed by a filter is no crash to report */
	r.rc = call->make(call->name, call->arg, &out);
	if (out.failed)
		r.rc = -ENOMEM;
	r.len = out.len;
	if (!pit_child_write(fd, &r, sizeof(r)))
		(void)pit_child_write(fd, out.data, out.len);
}

int pit_try_most(int ms, size_t most, pit_fact_fn make, const char *name, void *arg, struct pit_buf *out)
{
	const struct call call = {.make = make, .name = name, .arg = arg};
	const struct pit_child_job job = {.name = "pitcrew-try", .run = run, .arg = &call};
	pit_auto_buf struct pit_buf answer = PIT_BUF_INIT;
	pit_auto_child struct pit_child child = PIT_CHILD_INIT;
	int64_t until = pit_now() + ms * PIT_MS;
	struct reply r = {0};
	int rc = pit_child_start(&job, &child), status;

	if (rc)
		return rc;
	do
		rc = pit_child_read(&child, until, most, &answer);
	while (rc > 0);
	if (rc)
		return rc;
	status = pit_child_stop(&child);
	if (answer.len >= sizeof(r))
		memcpy(&r, answer.data, sizeof(r));
	if (answer.len < sizeof(r) || answer.len < sizeof(r) + r.len)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? -EPERM : -EIO;
	if (!r.rc)
		pit_buf_add(out, answer.data + sizeof(r), r.len);
	return r.rc;
}

int pit_try(int ms, pit_fact_fn make, const char *name, void *arg, struct pit_buf *out)
{
	return pit_try_most(ms, ANSWER_MAX, make, name, arg, out);
}

char *pit_fact_name(char *ret, size_t size, const char *prefix, const char *path)
{
	size_t start = strlen(prefix) + 1;
	bool changed = false;

	snprintf(ret, size, "%s:%s", prefix, path);
	for (char *c = ret + start; start < size && *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("/._-", *c))
			continue;
		*c = '_';
		changed = true;
	}
	if ((changed || start + strlen(path) >= size) && size > 20) {
		size_t len = strlen(ret), at = len + 18 < size ? len : size - 18;

		snprintf(ret + at, size - at, "-%016" PRIx64, XXH3_64bits(path, strlen(path)));
	}
	return ret;
}
