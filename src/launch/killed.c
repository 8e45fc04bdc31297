/* SPDX-License-Identifier: MIT */
#include "launch/killed.h"

#include <limits.h>
#include <string.h>

#define KILLED "Killed process "

/* A number of a process; 0 it is none. */
static pid_t number(const char *text, const char **ret_end)
{
	char *end;
	long n = strtol(text, &end, 10);

	*ret_end = end;
	return end == text || n <= 0 || n > INT_MAX ? 0 : (pid_t)n;
}

/* "Memory cgroup out of memory: Killed process 123 (python3) total-vm:...", "Out of memory: Killed process ..."; older
 * kernels have a comma behind the name. */
static bool read_killed(const char *line, struct pit_killed *ret)
{
	const char *at = strstr(line, KILLED), *name, *close;
	struct pit_killed k = {.group = strstr(line, "Memory cgroup") != NULL};

	k.pid = at ? number(at + strlen(KILLED), &name) : 0;
	if (!k.pid || strncmp(name, " (", 2) != 0)
		return false;
	name += 2;
	for (close = name; *close && !(close[0] == ')' && (!close[1] || strchr(" ,", close[1]))); close++)
		;
	snprintf(k.name, sizeof(k.name), "%.*s", (int)(close - name), name);
	*ret = k;
	return true;
}

/* "oom-kill:constraint=CONSTRAINT_MEMCG,...,task_memcg=/pitcrew-12/rank-3,task=python3,pid=123,uid=0"; a name may hold
 * commas, so the number is searched for from the end. */
static bool read_oom_kill(const char *line, const char *group, struct pit_killed *ret)
{
	const char *memcg = strstr(line, "task_memcg="), *task, *pid = NULL, *end;
	struct pit_killed k = {.group = strstr(line, "CONSTRAINT_MEMCG") != NULL};
	size_t len = strlen(group);

	task = memcg ? strstr(memcg, ",task=") : NULL;
	if (!task || (size_t)(task - memcg) < len || strncmp(task - len, group, len) != 0)
		return false;
	task += strlen(",task=");
	for (const char *at = strstr(task, ",pid="); at; at = strstr(at + 1, ",pid="))
		pid = at;
	k.pid = pid ? number(pid + strlen(",pid="), &end) : 0;
	if (!k.pid)
		return false;
	snprintf(k.name, sizeof(k.name), "%.*s", (int)(pid - task), task);
	*ret = k;
	return true;
}

static bool is_old(const struct pit_kmsg_line *line, int64_t since)
{
	return line->usec >= 0 && line->usec < since;
}

bool pit_killed_pid(const struct pit_kmsg *k, int64_t since, pid_t pid, struct pit_killed *ret)
{
	struct pit_killed found;

	for (size_t i = k->count; i > 0 && !is_old(&k->item[i - 1], since); i--)
		if (read_killed(k->item[i - 1].text, &found) && found.pid == pid) {
			*ret = found;
			return true;
		}
	return false;
}

bool pit_killed_in(const struct pit_kmsg *k, int64_t since, const char *end, struct pit_killed *ret)
{
	for (size_t i = k->count; i > 0 && !is_old(&k->item[i - 1], since); i--)
		if (read_oom_kill(k->item[i - 1].text, end, ret))
			return true;
	return false;
}

/* x86 "name[pid]: segfault at", "traps: name[pid] general protection fault"; arm64 "name[pid]: unhandled exception". */
bool pit_killed_fault(const struct pit_kmsg *k, int64_t since, pid_t pid)
{
	static const char *const words[] = {"]: segfault", "traps: ", "]: unhandled"};
	char mark[24];

	snprintf(mark, sizeof(mark), "[%d]", (int)pid);
	for (size_t i = k->count; i > 0 && !is_old(&k->item[i - 1], since); i--)
		for (size_t w = 0; w < PIT_COUNT(words); w++)
			if (strstr(k->item[i - 1].text, mark) && strstr(k->item[i - 1].text, words[w]))
				return true;
	return false;
}
