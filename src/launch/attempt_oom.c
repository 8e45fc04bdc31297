/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/path.h"
#include "host/cgroup.h"
#include "host/procfs.h"
#include "launch/attempt_inside.h"
#include "launch/killed.h"

#define SLACK_US 1000000 /* the clock of the kernel's messages and ours are nearly the same */

static uint64_t grown(uint64_t now, uint64_t before)
{
	return now == UINT64_MAX || before == UINT64_MAX || now < before ? 0 : now - before;
}

/* In another PID namespace than the first the log has other numbers than we. */
static enum pit_killer ask_kernel_log(struct pit_attempt *a, pid_t pid)
{
	struct pit_killed killed;
	struct pit_kmsg k = {0};
	enum pit_killer who = PIT_KILLER_UNKNOWN;

	pit_root_forget(a->root);
	if (pit_kmsg_load(a->root, &k, NULL))
		return who;
	if (pit_killed_pid(&k, a->started / 1000 - SLACK_US, pid, &killed))
		who = killed.group ? PIT_KILLER_OOM_GROUP : PIT_KILLER_OOM_HOST;
	pit_kmsg_free(&k);
	return who;
}

/* "python3 (pid 123)", else "a process". */
static void name_victim(struct pit_member *m, char *out, size_t size)
{
	struct pit_attempt *a = m->a;
	struct pit_killed killed;
	struct pit_kmsg k = {0};
	char end[128];

	snprintf(out, size, "a process");
	snprintf(end, sizeof(end), "/%s/%s", pit_base_name(pit_leaves_path(a->q->leaves)), m->leaf);
	pit_root_forget(a->root);
	if (pit_kmsg_load(a->root, &k, NULL))
		return;
	if (pit_killed_in(&k, a->started / 1000 - SLACK_US, end, &killed))
		snprintf(out, size, "%s (pid %d)", killed.name, killed.pid);
	pit_kmsg_free(&k);
}

/* The leader of a group whose worker was killed often fails in another way, or hangs. */
static void note_workers(struct pit_member *m, uint64_t kills)
{
	char who[32], victim[64], more[64] = "";

	name_victim(m, victim, sizeof(victim));
	if (kills > 1)
		snprintf(more, sizeof(more), " and %llu more", (unsigned long long)kills - 1);
	pit_attempt_note(m->a, "for want of memory the kernel killed %s%s, which %s had started", victim, more,
			 pit_attempt_who(m, who, sizeof(who)));
}

uint64_t pit_attempt_own_kills(struct pit_attempt *a)
{
	PIT_CLEANUP(pit_mounts_free) struct pit_mounts mounts = {0};
	struct pit_cgroup *g = NULL;
	const char *dir, *base;
	struct pit_text text;
	uint64_t kills = UINT64_MAX;

	pit_root_forget(a->root);
	if (!pit_mounts_load(a->root, &mounts, NULL) && !pit_cgroup_load(a->root, &mounts, 0, &g, NULL) &&
	    !pit_cgroup_v2_dir(g, &dir, &base) && !pit_root_read(a->root, &text, "%s/memory.events", dir))
		(void)pit_kv_u64(text.data, "oom_kill", &kills);
	pit_cgroup_free(g);
	return kills;
}

/* The log is exact, but seldom to be read by users. Without a leaf the rank was in our own group. */
static enum pit_killer ask_outside(struct pit_member *m)
{
	enum pit_killer who = ask_kernel_log(m->a, m->child.pid);
	uint64_t kills;

	if (who != PIT_KILLER_UNKNOWN || m->leaf[0])
		return who;
	kills = pit_attempt_own_kills(m->a);
	if (!grown(kills, m->a->own_kills))
		return who;
	m->a->own_kills = kills;
	return PIT_KILLER_OOM_GROUP;
}

void pit_attempt_find_oom(struct pit_member *m, struct pit_rank_end *end)
{
	uint64_t kills = m->leaf[0] ? grown(end->memory.oom_kill, m->before.oom_kill) : 0;

	if (end->signal == SIGKILL && end->killer == PIT_KILLER_UNKNOWN)
		end->killer = kills ? PIT_KILLER_OOM_GROUP : ask_outside(m);
	else if (kills)
		note_workers(m, kills);
}
