/* SPDX-License-Identifier: MIT */
#include "launch/exit_report.h"

#include <errno.h>
#include <signal.h>

#define CODE_OURS 125       /* pitcrew could not do its part */
#define CODE_NO_PROGRAM 126 /* found, but it cannot be executed */
#define CODE_NOT_FOUND 127

void pit_exit_report_free(struct pit_exit_report *r)
{
	for (int i = 0; r->rank && i < r->ranks; i++) {
		pit_cleanup_free(&r->rank[i].leaf);
		pit_cleanup_free(&r->rank[i].tail);
		pit_cleanup_free(&r->rank[i].gone);
	}
	pit_cleanup_free(&r->rank);
	pit_strv_free(&r->notes);
	*r = (struct pit_exit_report){.first = -1};
}

/* As shells and env(1) have it; a lack of memory or processes is no property of the command. */
static int code_not_started(const struct pit_rank_end *e)
{
	if (e->before_exec)
		return CODE_OURS;
	switch (e->code) {
	case ENOENT:
		return CODE_NOT_FOUND;
	case ENOMEM:
	case EAGAIN:
	case EMFILE:
	case ENFILE:
	case EIO:
	case ENOSYS:
		return CODE_OURS;
	default:
		return CODE_NO_PROGRAM;
	}
}

static int code_of_rank(const struct pit_rank_end *e)
{
	switch (e->how) {
	case PIT_RANK_EXITED:
		return e->code ? e->code : CODE_OURS;
	case PIT_RANK_SIGNALLED:
		return 128 + e->signal;
	case PIT_RANK_NOT_STARTED:
		return code_not_started(e);
	case PIT_RANK_RUNS:
		break;
	}
	return CODE_OURS;
}

static int code_of_stop(const struct pit_exit_report *r)
{
	for (int i = 0; i < r->ranks; i++)
		if (r->rank[i].how != PIT_RANK_EXITED || r->rank[i].code)
			return 128 + (r->asked_signal > 0 ? r->asked_signal : SIGTERM);
	return 0;
}

static int code_of_job(const struct pit_exit_report *r)
{
	switch (r->why) {
	case PIT_JOB_DONE:
		return 0;
	case PIT_JOB_STOPPED:
		return code_of_stop(r);
	case PIT_JOB_FAILED:
	case PIT_JOB_NOT_STARTED:
		return r->first >= 0 && r->first < r->ranks ? code_of_rank(&r->rank[r->first]) : CODE_OURS;
	case PIT_JOB_LOST_FRONT:
		break;
	}
	return CODE_OURS;
}

int pit_exit_report_code(const struct pit_exit_report *r)
{
	int code = code_of_job(r);

	return code || !r->output_lost ? code : CODE_OURS;
}
