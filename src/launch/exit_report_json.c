/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "launch/exit_report_parts.h"

static const char *const whys[] = {
	[PIT_JOB_DONE] = "done",
	[PIT_JOB_FAILED] = "failed",
	[PIT_JOB_STOPPED] = "stopped",
	[PIT_JOB_LOST_FRONT] = "lost-front",
	[PIT_JOB_NOT_STARTED] = "not-started",
};

static const char *const hows[] = {
	[PIT_RANK_RUNS] = "runs",
	[PIT_RANK_EXITED] = "exited",
	[PIT_RANK_SIGNALLED] = "signalled",
	[PIT_RANK_NOT_STARTED] = "not-started",
};

static const char *const killers[] = {
	[PIT_KILLER_UNKNOWN] = "unknown",     [PIT_KILLER_FAULT] = "self",
	[PIT_KILLER_SELF] = "likely-self",    [PIT_KILLER_CPU_LIMIT] = "cpu-limit",
	[PIT_KILLER_PASSED] = "passed-on",    [PIT_KILLER_US_CHECKPOINT] = "checkpoint-signal",
	[PIT_KILLER_US_STOP] = "stop-signal", [PIT_KILLER_US_GRACE] = "after-grace",
	[PIT_KILLER_OOM_GROUP] = "oom-group", [PIT_KILLER_OOM_HOST] = "oom-host",
};

static json_t *bytes(uint64_t n)
{
	return n > INT64_MAX ? json_null() : json_integer((json_int_t)n);
}

static json_t *seconds(int64_t ns)
{
	return json_real((double)ns / (1000.0 * PIT_MS));
}

static json_t *signal_name(int signal)
{
	char name[24];

	return signal > 0 ? json_string(pit_signal_name(signal, name, sizeof(name))) : json_null();
}

static json_t *memory(const struct pit_leaf_memory *m)
{
	if (!m->current && !m->peak && !m->max)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "current",
			 bytes(m->current), "peak", bytes(m->peak), "max", bytes(m->max), "high", bytes(m->high),
			 "anon", bytes(m->anon), "file", bytes(m->file), "shmem", bytes(m->shmem), "slab",
			 bytes(m->slab), "events_high", bytes(m->events_high), "events_max", bytes(m->events_max),
			 "oom", bytes(m->oom), "oom_kill", bytes(m->oom_kill), "oom_group_kill",
			 bytes(m->oom_group_kill));
}

static json_t *rank_end(const struct pit_rank_end *e)
{
	json_t *code = e->how == PIT_RANK_EXITED ? json_integer(e->code) : json_null();
	json_t *error = e->how == PIT_RANK_NOT_STARTED ? json_integer(e->code) : json_null();
	const char *killer = e->how == PIT_RANK_SIGNALLED ? killers[e->killer] : NULL;

	return json_pack("{s:i, s:o, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "rank", e->rank, "pid",
			 pit_json_number(e->pid > 0 ? e->pid : -1), "how", hows[e->how], "exit_code", code, "errno",
			 error, "signal", signal_name(e->how == PIT_RANK_SIGNALLED ? e->signal : 0), "core", e->core,
			 "killed_by", pit_json_text(killer), "seconds", seconds(e->after), "group",
			 pit_json_text(e->leaf), "memory", memory(&e->memory), "stderr", pit_json_text(e->tail),
			 "start", pit_json_text(e->gone));
}

static json_t *ranks(const struct pit_exit_report *r)
{
	json_t *list = json_array();

	for (int i = 0; i < r->ranks; i++)
		if (json_array_append_new(list, rank_end(&r->rank[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *notes(const struct pit_exit_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->notes.count; i++)
		if (json_array_append_new(list, pit_json_text(r->notes.item[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *asked(const struct pit_exit_report *r)
{
	if (r->why != PIT_JOB_STOPPED)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "signal", signal_name(r->asked_signal), "pid", pit_json_number(r->asked_by),
			 "command", pit_json_text(*r->asked_name ? r->asked_name : NULL));
}

int pit_exit_report_json(const struct pit_exit_report *r, struct pit_buf *out)
{
	int cause = r->why == PIT_JOB_FAILED ? pit_exit_report_cause(r) : -1;
	bool failed = r->first >= 0 && r->first < r->ranks;
	json_t *top = json_pack(
		"{s:i, s:s, s:i, s:o, s:o, s:o, s:i, s:i, s:o, s:i, s:i, s:o, s:b, s:o, s:b, s:o, s:o, s:o}", "schema",
		1, "result", whys[r->why], "exit_code", pit_exit_report_code(r), "first_failed",
		failed ? json_integer(r->rank[r->first].rank) : json_null(), "seconds", seconds(r->lasted), "asked",
		asked(r), "attempt", r->attempt, "restarts", r->restarts, "gave_up", pit_json_text(r->gave_up),
		"leftovers", r->leftovers, "orphans", r->orphans, "output_lost",
		pit_json_text(r->output_lost ? strerror(r->output_lost) : NULL), "checkpoint_sent",
		r->checkpoint_sent || r->pressed, "pressure_checkpoint", r->pressed ? seconds(r->pressed) : json_null(),
		"grace_over", r->grace_over, "notes", notes(r), "likely_cause",
		pit_json_number(cause < 0 ? -1 : r->rank[cause].rank), "ranks", ranks(r));

	return pit_json_put(top, out);
}
