/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "launch/exit_report.h"
#include "launch/explain_parts.h"
#include "launch/leaf.h"

const char *pit_explain_limit_name(int resource)
{
	return resource == RLIMIT_MEMLOCK ? "locked memory" : resource == RLIMIT_NOFILE ? "open files" : "a limit";
}

const char *pit_explain_limit_text(int resource, uint64_t value, char *out, size_t size)
{
	if (value == RLIM64_INFINITY)
		snprintf(out, size, "unlimited");
	else if (resource == RLIMIT_NOFILE)
		snprintf(out, size, "%llu", (unsigned long long)value);
	else
		pit_format_size(value, out, size);
	return out;
}

static void put_process_limits(const struct pit_job *j, const struct pit_page *page)
{
	for (size_t i = 0; i < j->limits; i++) {
		const struct pit_job_limit *l = &j->limit[i];
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		char was[32], is[32];

		pit_buf_printf(&text, "%s: %s, was %s", pit_explain_limit_name(l->resource),
			       pit_explain_limit_text(l->resource, l->value.rlim_cur, is, sizeof(is)),
			       pit_explain_limit_text(l->resource, l->was.rlim_cur, was, sizeof(was)));
		pit_page_wrap(page, 2, "", text.data);
	}
}

static void put_group_limits(const struct pit_job *j, const struct pit_page *page)
{
	const struct pit_job_options *o = j->options;
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char size[32];

	if (o->memory_max)
		pit_buf_printf(&text, "memory: ended at %s; ", pit_format_size(o->memory_max, size, sizeof(size)));
	if (o->memory_high)
		pit_buf_printf(&text, "memory: slowed at %s; ", pit_format_size(o->memory_high, size, sizeof(size)));
	if (o->cpu_max > 0)
		pit_buf_printf(&text, "CPU time: %g CPUs; ", o->cpu_max);
	for (size_t i = 0; i < j->io_max.count; i++)
		pit_buf_printf(&text, "disk %s; ", j->io_max.item[i]);
	if (!text.len)
		return;
	text.data[text.len - 2] = '\0';
	pit_page_wrap(page, 2, "", text.data);
}

const char *pit_explain_policy_name(int policy)
{
	return policy == SCHED_FIFO ? "fifo" : policy == SCHED_RR ? "rr" : policy == SCHED_BATCH ? "batch" : "other";
}

static void put_scheduling(const struct pit_job_options *o, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (o->sched_set && o->priority)
		pit_buf_printf(&text, "scheduled as %s, priority %d; ", pit_explain_policy_name(o->policy),
			       o->priority);
	else if (o->sched_set)
		pit_buf_printf(&text, "scheduled as %s; ", pit_explain_policy_name(o->policy));
	if (o->nice_set)
		pit_buf_printf(&text, "nice %d; ", o->nice);
	if (o->oom_set)
		pit_buf_printf(&text, "OOM score %d; ", o->oom_score_adj);
	for (size_t i = 0; i < o->io.count; i++)
		if (!strchr(o->io.item[i], '='))
			pit_buf_printf(&text, "disk priority %s; ", o->io.item[i]);
	if (!text.len)
		return;
	text.data[text.len - 2] = '\0';
	pit_page_wrap(page, 2, "", text.data);
}

static char *time_text(int64_t ns, int64_t usual, char *out, size_t size)
{
	return pit_format_duration(ns ? ns : usual, out, size);
}

static void put_ending(const struct pit_job_options *o, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char name[32], time[32];

	pit_buf_puts(&text, "when a rank fails, or on a signal: ");
	if (o->ending.checkpoint_signal)
		pit_buf_printf(&text, "%s to each rank's first process, up to %s to save, then ",
			       pit_signal_name(o->ending.checkpoint_signal, name, sizeof(name)),
			       time_text(o->ending.checkpoint_grace, 60 * 1000 * PIT_MS, time, sizeof(time)));
	pit_buf_printf(&text, "%s to all of them, and ",
		       o->stop_signal_set ? pit_signal_name(o->ending.stop_signal, name, sizeof(name))
					  : "SIGTERM (or the signal that asked)");
	if (o->ending.grace == INT64_MAX)
		pit_buf_puts(&text, "no SIGKILL, however long they take");
	else
		pit_buf_printf(&text, "SIGKILL after %s",
			       time_text(o->ending.grace, 10 * 1000 * PIT_MS, time, sizeof(time)));
	pit_page_wrap(page, 2, "", text.data);
}

static void put_pressure(const struct pit_job_options *o, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char time[32];

	if (o->on_pressure != PIT_ON_PRESSURE_NONE) {
		pit_buf_printf(&text, "when memory will run out within %s: a warning%s",
			       time_text(o->pressure_horizon, 10 * 1000 * PIT_MS, time, sizeof(time)),
			       o->on_pressure == PIT_ON_PRESSURE_CHECKPOINT ? ", and the checkpoint signal" : "");
		pit_page_wrap(page, 2, "", text.data);
	}
	pit_buf_clear(&text);
	if (o->restarts) {
		pit_buf_printf(&text, "after a failure: all ranks again, at most %d time%s", o->restarts,
			       o->restarts == 1 ? "" : "s");
		pit_page_wrap(page, 2, "", text.data);
	}
}

void pit_explain_rules(const struct pit_job *j, const struct pit_page *page)
{
	pit_explain_heading(page, "LIMITS AND END");
	put_process_limits(j, page);
	put_group_limits(j, page);
	put_scheduling(j->options, page);
	put_ending(j->options, page);
	put_pressure(j->options, page);
	pit_buf_putc(page->out, '\n');
}
