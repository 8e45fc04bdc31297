/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "host/kmsg.h"
#include "launch/attempt_inside.h"

#define SLACK_US 1000000 /* the kernel's clock of messages and ours are nearly the same */

static uint64_t grown(uint64_t now, uint64_t before)
{
	return now == UINT64_MAX || before == UINT64_MAX || now < before ? 0 : now - before;
}

/* "Memory cgroup out of memory: Killed process 123 (python) ..." or "Out of memory: Killed process ..." of that
 * process, since this attempt began; NULL none. In another PID namespace than the first the numbers are not ours. */
static const char *killed_line(const struct pit_kmsg *k, const struct pit_attempt *a, pid_t pid)
{
	char words[64];

	snprintf(words, sizeof(words), "Killed process %d (", pid);
	for (size_t i = k->count; i-- > 0;) {
		const struct pit_kmsg_line *line = &k->item[i];

		if (line->usec >= 0 && line->usec < a->started / 1000 - SLACK_US)
			break;
		if (strstr(line->text, words))
			return line->text;
	}
	return NULL;
}

static enum pit_killer ask_kernel_log(struct pit_attempt *a, pid_t pid)
{
	struct pit_kmsg k = {0};
	const char *line;
	enum pit_killer who = PIT_KILLER_UNKNOWN;

	pit_root_forget(a->root);
	if (pit_kmsg_load(a->root, &k, NULL))
		return who;
	line = killed_line(&k, a, pid);
	if (line)
		who = strstr(line, "Memory cgroup") ? PIT_KILLER_OOM_GROUP : PIT_KILLER_OOM_HOST;
	pit_kmsg_free(&k);
	return who;
}

void pit_attempt_find_oom(struct pit_member *m, struct pit_rank_end *end)
{
	struct pit_attempt *a = m->a;
	uint64_t kills = m->leaf[0] ? grown(end->memory.oom_kill, m->before.oom_kill) : 0;
	char who[32];

	if (end->signal == SIGKILL && end->killer == PIT_KILLER_UNKNOWN) {
		end->killer = kills ? PIT_KILLER_OOM_GROUP : ask_kernel_log(a, m->child.pid);
	} else if (kills) {
		pit_attempt_note(
			a, "the kernel killed %llu process%s of %s for memory, not its leader: workers that it started",
			(unsigned long long)kills, kills == 1 ? "" : "es", pit_attempt_who(m, who, sizeof(who)));
	}
}
