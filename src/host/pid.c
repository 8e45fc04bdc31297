/* SPDX-License-Identifier: MIT */
#include "host/pid.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "host/procfs.h"

int pit_proc_parse_stat(const char *text, struct pit_proc *ret, struct pit_error *err)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct pit_proc p = {.policy = -1};
	int n;

	if (!open || !close || close < open || sscanf(text, "%d", &p.pid) != 1)
		return pit_fail(err, EBADMSG, "'%.60s' is not a line of /proc/PID/stat", text);
	snprintf(p.comm, sizeof(p.comm), "%.*s", (int)(close - open - 1), open + 1);
	n = sscanf(close + 1,
		   " %c %d %d %d %*d %*d %u %*u %*u %" SCNu64 " %*u %" SCNu64 " %" SCNu64 " %*d %*d %*d %" SCNd64
		   " %" SCNd64 " %*d %" SCNu64 " %" SCNu64 " %" SCNd64
		   " %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %*d %*u %d",
		   &p.state, &p.ppid, &p.pgrp, &p.session, &p.flags, &p.majflt, &p.utime, &p.stime, &p.nice, &p.threads,
		   &p.start, &p.vsize, &p.rss, &p.policy);
	if (n < 13)
		return pit_fail(err, EBADMSG, "/proc/%d/stat has %d of 14 fields", p.pid, n < 0 ? 0 : n);
	*ret = p;
	return 0;
}

static int add(struct pit_procs *procs, size_t *size, const struct pit_proc *p)
{
	if (procs->count == *size) {
		size_t more = *size ? *size * 2 : 256;
		struct pit_proc *grown = reallocarray(procs->item, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		procs->item = grown;
		*size = more;
	}
	procs->item[procs->count++] = *p;
	return 0;
}

static double read_uptime(struct pit_root *root)
{
	struct pit_text text;
	double uptime = 0;

	if (!pit_root_read(root, &text, "/proc/uptime"))
		(void)pit_uptime_parse(text.data, &uptime);
	return uptime;
}

int pit_procs_load(struct pit_root *root, struct pit_procs *ret, struct pit_error *err)
{
	struct pit_procs procs = {.uptime = read_uptime(root)};
	const struct pit_strv *names;
	struct pit_text text;
	size_t size = 0;
	int rc = pit_root_list(root, &names, "/proc");

	if (rc)
		return pit_fail(err, -rc, "/proc: %s", strerror(-rc));
	for (size_t i = 0; i < names->count && !rc; i++) {
		struct pit_proc p;

		if (!isdigit((unsigned char)names->item[i][0]))
			continue;
		if (pit_root_read(root, &text, "/proc/%s/stat", names->item[i]) ||
		    pit_proc_parse_stat(text.data, &p, NULL))
			procs.unreadable++;
		else
			rc = add(&procs, &size, &p);
	}
	if (!rc && !procs.count)
		rc = -ENOENT;
	if (rc) {
		pit_procs_free(&procs);
		return pit_fail(err, -rc, "no process can be read under /proc");
	}
	procs.hidden = !pit_procs_find(&procs, 1);
	*ret = procs;
	return 0;
}

void pit_procs_free(struct pit_procs *p)
{
	int saved = errno;

	free(p->item);
	*p = (struct pit_procs){0};
	errno = saved;
}

static int by_pid(const void *key, const void *item)
{
	int pid = *(const int *)key, other = ((const struct pit_proc *)item)->pid;

	return (pid > other) - (pid < other);
}

const struct pit_proc *pit_procs_find(const struct pit_procs *p, int pid)
{
	return p->count ? bsearch(&pid, p->item, p->count, sizeof(*p->item), by_pid) : NULL;
}

const struct pit_proc *pit_procs_named(const struct pit_procs *p, const char *comm)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strncmp(p->item[i].comm, comm, 15) && p->item[i].state != 'Z')
			return &p->item[i];
	return NULL;
}

double pit_proc_age(const struct pit_procs *p, const struct pit_proc *proc)
{
	double age = p->uptime - (double)proc->start / PIT_TICKS_PER_SECOND;

	if (!(p->uptime > 0))
		return -1;
	return age > 0 ? age : 0;
}

static int limit_value(const char *word, uint64_t *ret)
{
	if (!strcmp(word, "unlimited")) {
		*ret = UINT64_MAX;
		return 0;
	}
	return pit_parse_u64(word, ret) ? -EBADMSG : 0;
}

int pit_proc_limit(struct pit_root *root, int pid, const char *name, uint64_t *ret_soft, uint64_t *ret_hard)
{
	char rest[128], soft[32], hard[32];
	uint64_t s, h;
	struct pit_text text;
	int rc = pid ? pit_root_read(root, &text, "/proc/%d/limits", pid)
		     : pit_root_read(root, &text, "/proc/self/limits");

	if (rc)
		return rc;
	rc = pit_kv_str(text.data, name, rest, sizeof(rest));
	if (rc)
		return rc;
	if (sscanf(rest, "%31s %31s", soft, hard) != 2 || limit_value(soft, &s) || limit_value(hard, &h))
		return -EBADMSG;
	*ret_soft = s;
	*ret_hard = h;
	return 0;
}
