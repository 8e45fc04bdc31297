/* SPDX-License-Identifier: MIT */
#include "check/oom.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *pit_oom_constraint_name(enum pit_oom_constraint c)
{
	static const char *const names[] = {
		[PIT_OOM_UNKNOWN] = "unknown", [PIT_OOM_NONE] = "host",           [PIT_OOM_MEMCG] = "memcg",
		[PIT_OOM_CPUSET] = "cpuset",   [PIT_OOM_MEMPOLICY] = "mempolicy",
	};

	return names[c];
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
	snprintf(to, size, "%.*s", (int)(len < size ? len : size), from);
}

/* The number behind `key`, 0 when it is not there. */
static uint64_t number_behind(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

#define REPORT_MAX (60 * INT64_C(1000000)) /* us from the first line of a report to its last, on a slow console */

/* The last report, when a line of time `usec` may still belong to it: nobody was killed in it yet. */
static struct pit_oom *open_report(struct pit_ooms *o, int64_t usec)
{
	struct pit_oom *r = o->count ? &o->item[o->count - 1] : NULL;

	if (!r || r->killed || (usec >= 0 && r->usec >= 0 && usec - r->usec > REPORT_MAX))
		return NULL;
	return r;
}

static struct pit_oom *new_report(struct pit_ooms *o, int64_t usec)
{
	struct pit_oom *grown = reallocarray(o->item, o->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	o->item = grown;
	grown[o->count] = (struct pit_oom){.usec = usec, .adj = INT_MIN};
	return &grown[o->count++];
}

/* "NAME invoked oom-killer: gfp_mask=0x..(...), order=N, oom_score_adj=N" */
static int take_invoked(struct pit_ooms *o, const struct pit_kmsg_line *line, const char *at)
{
	const char *order = strstr(at, "order=");
	struct pit_oom *r = new_report(o, line->usec);

	if (!r)
		return -ENOMEM;
	copy(r->invoker, sizeof(r->invoker), line->text, (size_t)(at - line->text));
	if (order)
		r->order = (int)strtol(order + 6, NULL, 10);
	r->manual = r->order == -1;
	return 0;
}

/* What stands between `key` and the nearest of `ends` behind it (else the end of the text). */
static void field(const char *text, const char *key, const char *const ends[], char *ret, size_t size)
{
	const char *at = strstr(text, key);
	size_t len;

	if (!at)
		return;
	at += strlen(key);
	len = strlen(at);
	for (; *ends; ends++) {
		const char *end = strstr(at, *ends);

		if (end && (size_t)(end - at) < len)
			len = (size_t)(end - at);
	}
	copy(ret, size, at, len);
}

static enum pit_oom_constraint constraint_of(const char *text)
{
	static const struct {
		const char *name;
		enum pit_oom_constraint value;
	} names[] = {
		{.name = "CONSTRAINT_NONE", .value = PIT_OOM_NONE},
		{.name = "CONSTRAINT_MEMCG", .value = PIT_OOM_MEMCG},
		{.name = "CONSTRAINT_CPUSET", .value = PIT_OOM_CPUSET},
		{.name = "CONSTRAINT_MEMORY_POLICY", .value = PIT_OOM_MEMPOLICY},
	};

	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (!strncmp(text, names[i].name, strlen(names[i].name)))
			return names[i].value;
	return PIT_OOM_UNKNOWN;
}

/* "oom-kill:constraint=C,nodemask=N,cpuset=NAME,mems_allowed=LIST[,global_oom|,oom_memcg=PATH],task_memcg=PATH,
 * task=NAME,pid=N,uid=N", since 4.19. Names and lists may hold commas themselves. */
static void take_summary(struct pit_oom *r, const char *text)
{
	static const char *const behind_mems[] = {",global_oom", ",oom_memcg=", ",task_memcg=", NULL};
	static const char *const behind_limited[] = {",task_memcg=", NULL};
	static const char *const behind_group[] = {",task=", NULL};

	r->constraint = constraint_of(text + strlen("oom-kill:constraint="));
	field(text, ",mems_allowed=", behind_mems, r->mems, sizeof(r->mems));
	field(text, ",oom_memcg=", behind_limited, r->limited, sizeof(r->limited));
	field(text, ",task_memcg=", behind_group, r->group, sizeof(r->group));
}

/* "Task in PATH killed as a result of limit of PATH", before 4.19. */
static void take_old_group(struct pit_oom *r, const char *text)
{
	static const char *const behind_group[] = {" killed as a result of limit of ", NULL};
	static const char *const nothing[] = {NULL};

	r->constraint = PIT_OOM_MEMCG;
	field(text, "Task in ", behind_group, r->group, sizeof(r->group));
	field(text, " killed as a result of limit of ", nothing, r->limited, sizeof(r->limited));
}

/* "... Killed process 123 (NAME) total-vm:1kB, anon-rss:2kB, ..."; NAME may hold blanks and parentheses. */
static void take_victim(struct pit_oom *r, const char *at)
{
	const char *open = strchr(at, '('), *numbers = strstr(at, ") total-vm:"), *close = NULL;
	const char *adj = strstr(at, "oom_score_adj:");

	r->pid = (int)strtol(at, NULL, 10);
	if (open)
		close = numbers ? numbers : strrchr(open, ')');
	for (const char *next = numbers; next; next = strstr(next + 1, ") total-vm:"))
		close = next;
	if (close && close > open)
		copy(r->task, sizeof(r->task), open + 1, (size_t)(close - open - 1));
	if (close) {
		r->anon_kb = number_behind(close, "anon-rss:");
		r->file_kb = number_behind(close, "file-rss:");
		r->shmem_kb = number_behind(close, "shmem-rss:");
	}
	if (adj)
		r->adj = (int)strtol(adj + strlen("oom_score_adj:"), NULL, 10);
	r->killed = true;
}

/* A line that names a victim. Without a report that it belongs to it makes one: the beginning was lost. */
static int take_kill(struct pit_ooms *o, const struct pit_kmsg_line *line, const char *at)
{
	struct pit_oom *r = open_report(o, line->usec);

	if (!r)
		r = new_report(o, line->usec);
	if (!r)
		return -ENOMEM;
	if (strstr(line->text, "Memory cgroup out of memory"))
		r->constraint = PIT_OOM_MEMCG;
	r->usec = line->usec;
	take_victim(r, at);
	return 0;
}

static void take_detail(struct pit_oom *r, const char *text)
{
	static const char *const nothing[] = {NULL};

	if (!strncmp(text, "oom-kill:constraint=", 20))
		take_summary(r, text);
	else if (!strncmp(text, "Task in ", 8) && strstr(text, " killed as a result of limit of "))
		take_old_group(r, text);
	else if (!strncmp(text, "Memory cgroup out of memory", 27))
		r->constraint = PIT_OOM_MEMCG;
	else if (strstr(text, "moom_callback"))
		r->manual = true;
	else if (!*r->mems && strstr(text, " cpuset=") && strstr(text, " mems_allowed="))
		field(text, " mems_allowed=", nothing, r->mems, sizeof(r->mems));
	if (!strncmp(text, "memory: usage ", 14)) {
		r->usage_kb = number_behind(text, "memory: usage ");
		r->limit_kb = number_behind(text, ", limit ");
		r->constraint = PIT_OOM_MEMCG;
	}
}

static int take_line(struct pit_ooms *o, const struct pit_kmsg_line *line)
{
	const char *invoked = strstr(line->text, " invoked oom-killer");
	const char *killed = strstr(line->text, "Killed process ");
	struct pit_oom *r;

	if (invoked)
		return take_invoked(o, line, invoked);
	if (killed && (killed == line->text || strstr(line->text, "ut of memory")))
		return take_kill(o, line, killed + strlen("Killed process "));
	r = open_report(o, line->usec);
	if (!r && !strncmp(line->text, "oom-kill:constraint=", 20)) {
		r = new_report(o, line->usec);
		if (!r)
			return -ENOMEM;
	}
	if (r)
		take_detail(r, line->text);
	return 0;
}

/* What the messages imply without saying it: before 4.19 only control groups and old-style limits were named. */
static void conclude(struct pit_oom *r)
{
	if (r->constraint == PIT_OOM_UNKNOWN && r->killed && *r->invoker)
		r->constraint = PIT_OOM_NONE;
}

int pit_oom_parse(const struct pit_kmsg *log, struct pit_ooms *ret)
{
	struct pit_ooms o = {0};

	for (size_t i = 0; i < log->count; i++) {
		int rc = take_line(&o, &log->item[i]);

		if (rc) {
			pit_oom_free(&o);
			return rc;
		}
	}
	for (size_t i = 0; i < o.count; i++)
		conclude(&o.item[i]);
	*ret = o;
	return 0;
}

void pit_oom_free(struct pit_ooms *o)
{
	int saved = errno;

	free(o->item);
	*o = (struct pit_ooms){0};
	errno = saved;
}
