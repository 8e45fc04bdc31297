/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "launch/emit_parts.h"

const char *const pit_emit_names[] = {"numactl", "torchrun", "slurm", "systemd", "docker", NULL};

#define ENGINE(name) (1u << PIT_EMIT_##name)
#define SECOND INT64_C(1000000000)

static bool limits_io(const struct pit_job_options *o)
{
	for (size_t i = 0; i < o->io.count; i++)
		if (strchr(o->io.item[i], '='))
			return true;
	return false;
}

static bool ranks_io(const struct pit_job_options *o)
{
	return o->io.count && !limits_io(o);
}

static bool has_memory_max(const struct pit_job_options *o)
{
	return o->memory_max;
}

static bool has_memory_high(const struct pit_job_options *o)
{
	return o->memory_high;
}

static bool has_cpu_max(const struct pit_job_options *o)
{
	return o->cpu_max > 0;
}

static bool has_mps(const struct pit_job_options *o)
{
	return o->mps;
}

static bool has_realtime(const struct pit_job_options *o)
{
	return o->sched_set && (o->policy == SCHED_FIFO || o->policy == SCHED_RR);
}

static bool has_nice(const struct pit_job_options *o)
{
	return o->nice_set || (o->sched_set && !has_realtime(o));
}

static bool has_checkpoint(const struct pit_job_options *o)
{
	return o->ending.checkpoint_signal;
}

static bool has_restart(const struct pit_job_options *o)
{
	return o->restarts;
}

static bool has_log_dir(const struct pit_job_options *o)
{
	return o->log_dir;
}

static bool has_allocator(const struct pit_job_options *o)
{
	return o->allocator && strcmp(o->allocator, "system") != 0;
}

/* What was asked for and an engine does not have. */
static const struct loss {
	const char *option;
	bool (*asked)(const struct pit_job_options *o);
	unsigned fatal;  /* engines that must not go on without it */
	unsigned lesser; /* engines that say so in a comment */
	const char *says;
} losses[] = {
	{.option = "--mem-max",
	 .asked = has_memory_max,
	 .fatal = ENGINE(NUMACTL),
	 .says = "numactl limits no memory; systemd, docker and slurm do"},
	{.option = "--mem-high",
	 .asked = has_memory_high,
	 .fatal = ENGINE(NUMACTL) | ENGINE(DOCKER),
	 .says = "only systemd has it; docker has --mem-max"},
	{.option = "--cpu-max",
	 .asked = has_cpu_max,
	 .fatal = ENGINE(NUMACTL),
	 .says = "numactl limits no CPU time; systemd and docker do"},
	{.option = "--io",
	 .asked = limits_io,
	 .fatal = ENGINE(NUMACTL),
	 .says = "numactl limits no disk; systemd and docker do"},
	{.option = "--io",
	 .asked = ranks_io,
	 .lesser = ENGINE(DOCKER),
	 .says = "containers start with the usual I/O priority"},
	{.option = "--mps",
	 .asked = has_mps,
	 .fatal = ENGINE(NUMACTL) | ENGINE(SYSTEMD) | ENGINE(DOCKER),
	 .says = "nobody would start and stop the MPS daemon there; torchrun and slurm run pitcrew, which does"},
	{.option = "--sched",
	 .asked = has_realtime,
	 .fatal = ENGINE(DOCKER),
	 .says = "docker run sets no real-time scheduling"},
	{.option = "--nice or --sched",
	 .asked = has_nice,
	 .lesser = ENGINE(DOCKER),
	 .says = "containers start with the usual priority"},
	{.option = "--checkpoint-signal",
	 .asked = has_checkpoint,
	 .lesser = ENGINE(NUMACTL) | ENGINE(SYSTEMD) | ENGINE(DOCKER),
	 .says = "nobody sends it there"},
	{.option = "--restart",
	 .asked = has_restart,
	 .lesser = ENGINE(NUMACTL) | ENGINE(SYSTEMD) | ENGINE(DOCKER) | ENGINE(SLURM),
	 .says = "all ranks would have to start again together"},
	{.option = "--log-dir",
	 .asked = has_log_dir,
	 .lesser = ENGINE(NUMACTL) | ENGINE(SYSTEMD) | ENGINE(DOCKER),
	 .says = "output goes where the engine sends it"},
	{.option = "--allocator",
	 .asked = has_allocator,
	 .lesser = ENGINE(DOCKER),
	 .says = "the image must have the library of LD_PRELOAD at the same place"},
};

void pit_emit_header(const struct pit_job *j, enum pit_emit engine, struct pit_buf *out)
{
	char name[64];

	pit_buf_printf(out, "# %s: %d rank%s", pit_emit_name(j, name, sizeof(name)), j->placement.ranks,
		       j->placement.ranks == 1 ? "" : "s");
	if (j->site.gpus)
		pit_buf_printf(out, " on %zu GPU%s", j->site.gpus, j->site.gpus == 1 ? "" : "s");
	pit_buf_printf(out, ", planned by pitcrew run --emit %s\n", pit_emit_names[engine]);
	for (size_t i = 0; i < PIT_COUNT(losses); i++)
		if (losses[i].lesser & (1u << engine) && losses[i].asked(j->options))
			pit_buf_printf(out, "# Without %s: %s.\n", losses[i].option, losses[i].says);
}

char *pit_emit_name(const struct pit_job *j, char *out, size_t size)
{
	const char *command = j->options->argv[0], *last = strrchr(command, '/');

	snprintf(out, size, "%.40s", last && last[1] ? last + 1 : command);
	for (char *c = out; *c; c++)
		if (!isalnum((unsigned char)*c) && (!strchr("._-", *c) || c == out))
			*c = '_';
	return out;
}

char *pit_emit_signal(int signal, char *out, size_t size)
{
	const char *name = sigabbrev_np(signal);

	if (name)
		snprintf(out, size, "SIG%s", name);
	else
		snprintf(out, size, "%d", signal);
	return out;
}

int pit_emit_stop_signal(const struct pit_job *j)
{
	return j->options->ending.stop_signal ? j->options->ending.stop_signal : SIGTERM;
}

unsigned pit_emit_grace(const struct pit_job *j)
{
	int64_t grace = j->options->ending.grace;

	if (grace > PIT_EMIT_NEVER * SECOND)
		return PIT_EMIT_NEVER;
	return grace > 0 ? (unsigned)((grace + SECOND - 1) / SECOND) : 10;
}

const struct rlimit64 *pit_emit_files(const struct pit_job *j)
{
	for (size_t i = 0; i < j->limits; i++)
		if (j->limit[i].resource == RLIMIT_NOFILE)
			return &j->limit[i].value;
	return NULL;
}

int pit_emit_home(const struct pit_job *j, int seat)
{
	const struct pit_seat *s = &j->placement.seat[seat];

	if (s->home_at >= 0 && (size_t)s->home_at < j->site.nodes &&
	    pit_idset_has(&s->mems, (size_t)j->site.node[s->home_at].id))
		return j->site.node[s->home_at].id;
	return pit_idset_next(&s->mems, 0);
}

static int judge(const struct pit_job *j, enum pit_emit engine, struct pit_error *err)
{
	bool own = engine == PIT_EMIT_TORCHRUN || engine == PIT_EMIT_SLURM;

	if (!j->options->argv || !j->options->argv[0])
		return pit_fail(err, EINVAL, "--emit %s: give the command behind --", pit_emit_names[engine]);
	if (j->alone && !own)
		return pit_fail(
			err, EOPNOTSUPP,
			"--emit %s: it starts all ranks, and --rank-from knows of one; give --ranks N in its place",
			pit_emit_names[engine]);
	for (size_t i = 0; i < PIT_COUNT(losses); i++)
		if (losses[i].fatal & (1u << engine) && losses[i].asked(j->options))
			return pit_fail(err, EOPNOTSUPP, "--emit %s: no %s: %s", pit_emit_names[engine],
					losses[i].option, losses[i].says);
	return 0;
}

int pit_emit(const struct pit_job *j, enum pit_emit engine, struct pit_buf *out, struct pit_error *err)
{
	static int (*const engines[])(const struct pit_job *, struct pit_buf *, struct pit_error *) = {
		[PIT_EMIT_NUMACTL] = pit_emit_numactl, [PIT_EMIT_TORCHRUN] = pit_emit_torchrun,
		[PIT_EMIT_SLURM] = pit_emit_slurm,     [PIT_EMIT_SYSTEMD] = pit_emit_systemd,
		[PIT_EMIT_DOCKER] = pit_emit_docker,
	};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc = judge(j, engine, err);

	rc = rc ? rc : engines[engine](j, &text, err);
	if (rc)
		return rc;
	if (text.failed)
		return pit_fail(err, ENOMEM, "out of memory");
	pit_buf_add(out, text.data, text.len);
	return 0;
}
