/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/epoll.h>

#include "launch/attempt_inside.h"
#include "launch/explain.h"

#define NOTES_SAID 8 /* of all ranks together: what one is refused the others are, most often */

void pit_member_free(struct pit_member *m)
{
	if (m->block)
		pit_env_block_free(m->block);
	pit_env_free(&m->env);
	pit_cleanup_close(&m->child.report);
	pit_cleanup_close(&m->child.pidfd);
}

static void failed(struct pit_member *m, int rc, bool before_exec, const struct pit_error *e)
{
	struct pit_rank_end *end = &m->a->report->rank[m->at];

	end->how = PIT_RANK_NOT_STARTED;
	end->code = -rc;
	end->before_exec = before_exec;
	end->gone = strdup(e->text[0] ? e->text : strerror(-rc));
}

static int plan_block(struct pit_member *m, struct pit_error *e)
{
	const struct pit_attempt_request *q = m->a->q;
	const char *mps = q->mps ? pit_mps_dir(q->mps) : NULL;
	int rc = pit_job_env(m->a->job, m->seat, q->number, mps, &m->env, e);

	if (rc)
		return rc;
	m->block = pit_env_block(m->a->job->environ, &m->env);
	return m->block ? 0 : pit_fail(e, ENOMEM, "no memory for the environment");
}

/* Limits that the user asked for and cannot have end the rank when binding is strict, else they are said. */
static int join_leaf(struct pit_member *m, int *ret_fd, struct pit_error *e)
{
	const struct pit_job_options *o = m->a->options;
	const struct pit_seat *seat = &m->a->job->placement.seat[m->seat];
	const struct pit_leaf_limits limits = {
		.memory_max = o->memory_max ? o->memory_max : PIT_UNLIMITED,
		.memory_high = o->memory_high ? o->memory_high : PIT_UNLIMITED,
		.cpu_max = o->cpu_max,
		.io = &m->a->job->io_max,
		.cpus = pit_idset_is_empty(&seat->cpus) ? NULL : &seat->cpus,
		.mems = o->placement.mem == PIT_MEM_BIND ? &seat->mems : NULL,
		.oom_group = true, /* a rank that lost a worker would wait for it */
	};
	pit_auto_strv struct pit_strv notes = {0};
	int rc;

	if (!m->a->q->leaves)
		return 0;
	snprintf(m->leaf, sizeof(m->leaf), "rank-%d", m->at);
	rc = pit_leaves_add(m->a->q->leaves, m->leaf, &limits, &notes, ret_fd, e);
	for (size_t i = 0; i < notes.count; i++)
		(void)!pit_strv_add(&m->a->refused, notes.item[i]);
	if (rc) {
		m->leaf[0] = '\0';
		if (o->strict)
			return rc;
		(void)!pit_strv_add(&m->a->refused, e->text);
		return 0;
	}
	(void)!pit_leaves_memory(m->a->q->leaves, m->leaf, &m->before);
	return 0;
}

/* One rank reads what we read; of several the first does, unless that is a terminal, which belongs to one person at one
 * prompt. */
static int stdin_of(const struct pit_member *m)
{
	if (m->a->members == 1 || (m->at == 0 && !isatty(STDIN_FILENO)))
		return -1;
	return m->a->null;
}

static int plan_spawn(struct pit_member *m, struct pit_error *e)
{
	int rc = plan_block(m, e), fd[2] = {-1, -1};

	if (rc)
		return rc;
	pit_job_spawn(m->a->job, m->seat, m->block, &m->spawn);
	m->spawn.death = SIGKILL;
	m->spawn.mask = m->a->q->mask;
	rc = join_leaf(m, &m->spawn.cgroup, e);
	if (!rc)
		rc = pit_output_files(m->a->output, m->seat, fd, e);
	m->spawn.stdio[0] = stdin_of(m);
	m->spawn.stdio[1] = fd[0];
	m->spawn.stdio[2] = fd[1];
	return rc;
}

static int on_report(void *arg, uint32_t events)
{
	return events & (EPOLLHUP | EPOLLERR) ? pit_attempt_started(arg) : 0;
}

/* What cannot be watched ends with us: PR_SET_PDEATHSIG. */
static int start(struct pit_member *m, struct pit_error *err)
{
	struct pit_error e = PIT_ERROR_INIT;
	struct pit_attempt *a = m->a;
	bool planned;
	int rc = plan_spawn(m, &e);

	planned = !rc;
	if (!rc)
		rc = pit_spawn_start(&m->spawn, &m->child, &e);
	pit_output_started(a->output, m->seat);
	if (rc) {
		failed(m, rc, !planned || a->job->program, &e);
		pit_attempt_ended(m);
		return 0;
	}
	m->state = PIT_MEMBER_STARTS;
	a->leader[m->at] = m->child.pid;
	a->report->rank[m->at].pid = m->child.pid;
	rc = pit_loop_watch(a->loop, m->child.report, 0, on_report, m);
	return rc ? pit_fail(err, -rc, "cannot watch rank %d", m->seat) : 0;
}

/* The file system that the command lies on does not answer. */
static int on_late(void *arg, uint32_t events)
{
	struct pit_attempt *a = arg;
	char who[32];

	for (int i = 0; i < a->members; i++) {
		const struct pit_member *m = &a->member[i];

		if (m->state != PIT_MEMBER_STARTS)
			continue;
		pit_attempt_note(a,
				 "%s has not become the command within %lld s: the file system that it lies on may not "
				 "answer; it is killed",
				 pit_attempt_who(m, who, sizeof(who)), (long long)(PIT_SPAWN_WAIT / (1000 * PIT_MS)));
		kill(m->child.pid, SIGKILL);
	}
	return 0;
}

static void not_started(struct pit_member *m)
{
	const struct pit_error e = {.code = ECANCELED, .text = "not started, since another rank could not be"};

	failed(m, -ECANCELED, true, &e);
	pit_attempt_ended(m);
}

int pit_attempt_start(struct pit_attempt *a, struct pit_error *err)
{
	int rc = pit_loop_at(a->loop, a->started + PIT_SPAWN_WAIT, on_late, a);

	if (rc < 0)
		return pit_fail(err, -rc, "no memory");
	rc = 0;

	/* One that fails stops the others, and the rest is not started. */
	for (int i = 0; !rc && i < a->members && a->ending.phase == PIT_RUNNING; i++)
		rc = start(&a->member[i], err);
	for (int i = 0; !rc && i < a->members; i++)
		if (a->member[i].state == PIT_MEMBER_NONE)
			not_started(&a->member[i]);
	return rc;
}

static void say_refused(struct pit_attempt *a)
{
	size_t most = a->refused.count <= NOTES_SAID ? a->refused.count : NOTES_SAID;

	for (int i = 0; i < a->members; i++)
		if (a->member[i].state == PIT_MEMBER_STARTS)
			return;
	for (size_t i = 0; i < most; i++)
		pit_attempt_note(a, "%s", a->refused.item[i]);
	if (a->refused.count > most)
		pit_attempt_say(a, "%zu more such steps were refused", a->refused.count - most);
	pit_strv_free(&a->refused);
}

/* The last note is the step that failed. */
static bool is_ours(const struct pit_spawned *s)
{
	return s->notes && s->note[s->notes - 1].step != PIT_STEP_EXEC;
}

int pit_attempt_started(struct pit_member *m)
{
	struct pit_error e = PIT_ERROR_INIT;
	struct pit_attempt *a = m->a;
	int rc;

	if (m->state != PIT_MEMBER_STARTS)
		return 0;
	pit_loop_unwatch(a->loop, m->child.report);
	rc = pit_spawn_finish(&m->spawn, &m->child, &e);
	m->child.report = -1;
	m->state = PIT_MEMBER_RUNS;
	if (rc) {
		failed(m, rc, is_ours(&m->child), &e);
		pit_attempt_ended(m);
		say_refused(a);
		return pit_attempt_reap(a);
	}
	pit_explain_notes(a->job, m->seat, &m->child, &a->refused);
	say_refused(a);
	if (m->child.pidfd >= 0 && pit_loop_watch(a->loop, m->child.pidfd, EPOLLIN, pit_attempt_on_pidfd, m))
		pit_cleanup_close(&m->child.pidfd), m->child.pidfd = -1;
	return 0;
}
