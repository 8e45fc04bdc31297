/* SPDX-License-Identifier: MIT */
#include "launch/exit_report_parts.h"

#include <string.h>

#include "base/clock.h"

#define NEAR (1000 * PIT_MS)

/* What a rank says whose peer has gone. */
static const char *const lost_peer[] = {
	"Connection closed by peer",          /* gloo, transport/tcp/pair.cc */
	"Connection reset by peer",           /* ECONNRESET: gloo, NCCL's sockets, c10d's TCPStore */
	"Broken pipe",                        /* EPIPE: the same */
	"remote process exited",              /* NCCL, ncclGetErrorString(ncclRemoteError) */
	"remote process exiting prematurely", /* PyTorch, NCCLUtils.cpp, of ncclRemoteError */
	"unexpected exit of a remote peer",   /* the same, of ncclSystemError */
};

static bool lost_a_peer(const struct pit_rank_end *e)
{
	for (size_t i = 0; e->tail && i < PIT_COUNT(lost_peer); i++)
		if (strstr(e->tail, lost_peer[i]))
			return true;
	return false;
}

static bool stopped_by_us(const struct pit_exit_report *r, const struct pit_rank_end *e)
{
	if (e->how == PIT_RANK_EXITED)
		return r->stop_signal > 0 && e->code == 128 + r->stop_signal;
	return e->killer == PIT_KILLER_US_STOP || e->killer == PIT_KILLER_US_CHECKPOINT ||
	       e->killer == PIT_KILLER_US_GRACE;
}

static bool has_failed(const struct pit_rank_end *e)
{
	return (e->how == PIT_RANK_EXITED && e->code) || e->how == PIT_RANK_SIGNALLED;
}

static bool soon_after_first(const struct pit_exit_report *r, int at)
{
	if (r->why != PIT_JOB_FAILED || r->first < 0 || r->first >= r->ranks || at == r->first)
		return false;
	return has_failed(&r->rank[at]) && r->rank[at].after >= r->rank[r->first].after &&
	       r->rank[at].after - r->rank[r->first].after <= NEAR;
}

bool pit_exit_report_near(const struct pit_exit_report *r, int at)
{
	return soon_after_first(r, at) && !stopped_by_us(r, &r->rank[at]);
}

/* It was on its way out when our signal came. */
static bool raised(const struct pit_rank_end *e)
{
	return e->tail && strstr(e->tail, "Traceback (most recent call last)") && !strstr(e->tail, "KeyboardInterrupt");
}

int pit_exit_report_cause(const struct pit_exit_report *r)
{
	int cause = -1;

	if (r->first < 0 || r->first >= r->ranks || !lost_a_peer(&r->rank[r->first]))
		return -1;
	for (int i = 0; i < r->ranks; i++) {
		const struct pit_rank_end *e = &r->rank[i];

		if (!soon_after_first(r, i) || lost_a_peer(e) || (stopped_by_us(r, e) && !raised(e)))
			continue;
		if (cause < 0 || e->after < r->rank[cause].after)
			cause = i;
	}
	return cause;
}
