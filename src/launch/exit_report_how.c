/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>

#include "base/parse.h"
#include "launch/exit_report_parts.h"

#define WORTH (64 << 20) /* bytes that are worth a word */

/* What a signal that a process gets for a reason of its own usually means. */
static const struct {
	int signal;
	const char *act; /* by which a process brings it upon itself */
	const char *means;
} meanings[] = {
	{.signal = SIGSEGV,
	 .act = "a fault",
	 .means = "it used memory that is not mapped: a fault in native code, or a stack overflow"},
	{.signal = SIGBUS,
	 .act = "a fault",
	 .means =
		 "a mapped file could not be read or grown: often a full /dev/shm (DataLoader workers), or a cut file"},
	{.signal = SIGTRAP, .act = "a breakpoint", .means = "a trap or an assertion of a library"},
	{.signal = SIGILL,
	 .act = "a fault",
	 .means = "an instruction that this CPU does not have: a build for another machine"},
	{.signal = SIGFPE, .act = "a fault", .means = "an integer division by zero, or a trapped floating-point error"},
	{.signal = SIGABRT,
	 .act = "abort()",
	 .means = "it ended itself: a failed assertion, or a watchdog such as NCCL's"},
	{.signal = SIGSYS, .act = "a system call", .means = "a system call that seccomp forbids here"},
	{.signal = SIGXCPU, .act = "a limit", .means = "its limit of CPU time (ulimit -t)"},
	{.signal = SIGXFSZ, .act = "a limit", .means = "its limit of file size (ulimit -f)"},
	{.signal = SIGPIPE, .act = "a write", .means = "it wrote to a pipe that nobody reads any more"},
	{.signal = SIGKILL, .means = "somebody's kill -9, or an OOM killer whose message cannot be read here"},
};

static void put_exit(struct pit_buf *out, int code)
{
	char name[24];

	pit_buf_printf(out, "exited with %d", code);
	if (code > 128 && code <= 128 + SIGRTMAX)
		pit_buf_printf(out, ", as a shell does whose command was ended by %s",
			       pit_signal_name(code - 128, name, sizeof(name)));
}

static const char *act_of(int signal)
{
	for (size_t i = 0; i < PIT_COUNT(meanings); i++)
		if (meanings[i].signal == signal && meanings[i].act)
			return meanings[i].act;
	return "itself";
}

static void put_passed(struct pit_buf *out, const struct pit_rank_end *e, const char *name)
{
	pit_buf_printf(out, "ended by %s, which pitcrew passed on", name);
	if (e->sender > 0)
		pit_buf_printf(out, " from pid %d", (int)e->sender);
	pit_buf_puts(out, ": it had no handler");
}

static void put_signal(struct pit_buf *out, const struct pit_rank_end *e)
{
	char name[24];

	pit_signal_name(e->signal, name, sizeof(name));
	switch (e->killer) {
	case PIT_KILLER_FAULT:
		pit_buf_printf(out, "ended by %s of its own%s", name, e->core ? ", core file written" : "");
		break;
	case PIT_KILLER_SELF:
		pit_buf_printf(out, "ended by %s (%s, or a signal that somebody sent)%s", name, act_of(e->signal),
			       e->core ? ", core file written" : "");
		break;
	case PIT_KILLER_CPU_LIMIT:
		pit_buf_printf(out, "ended by the kernel (%s): its limit of CPU time, %lld s", name,
			       (long long)e->cpu_limit);
		break;
	case PIT_KILLER_PASSED:
		put_passed(out, e, name);
		break;
	case PIT_KILLER_US_CHECKPOINT:
		pit_buf_printf(out, "ended by the checkpoint signal: it had no handler for %s any more", name);
		break;
	case PIT_KILLER_US_STOP:
		pit_buf_printf(out, "stopped by our %s", name);
		break;
	case PIT_KILLER_US_GRACE:
		pit_buf_printf(out, "ended by our %s after the grace", name);
		break;
	case PIT_KILLER_OOM_GROUP:
		pit_buf_printf(out, "killed by the kernel (%s): out of memory in its group", name);
		break;
	case PIT_KILLER_OOM_HOST:
		pit_buf_printf(out, "killed by the kernel (%s): out of memory on the host", name);
		break;
	case PIT_KILLER_UNKNOWN:
		pit_buf_printf(out, "ended by a %s that pitcrew did not send%s", name,
			       e->core ? ", core file written" : "");
		break;
	}
}

void pit_exit_report_put_how(struct pit_buf *out, const struct pit_rank_end *e)
{
	switch (e->how) {
	case PIT_RANK_RUNS:
		pit_buf_puts(out, e->pid > 0 ? "did not end, not even by SIGKILL" : "not started");
		break;
	case PIT_RANK_EXITED:
		if (e->code)
			put_exit(out, e->code);
		else
			pit_buf_puts(out, "ended well");
		break;
	case PIT_RANK_SIGNALLED:
		put_signal(out, e);
		break;
	case PIT_RANK_NOT_STARTED:
		pit_buf_printf(out, "could not be started: %s", e->gone ? e->gone : strerror(e->code));
		break;
	}
}

static bool known(uint64_t bytes)
{
	return bytes != UINT64_MAX;
}

static void put_group_oom(struct pit_buf *out, const struct pit_rank_end *e)
{
	const struct pit_leaf_memory *m = &e->memory;
	char size[32];

	if (m->max && known(m->max))
		pit_buf_printf(out, "its processes may have %s together (memory.max%s%s)",
			       pit_format_size(m->max, size, sizeof(size)), e->leaf ? " of " : "",
			       e->leaf ? e->leaf : "");
	else
		pit_buf_puts(out, "its own group has no limit: that of a group above was reached");
	if (m->peak && known(m->peak))
		pit_buf_printf(out, ", most used %s", pit_format_size(m->peak, size, sizeof(size)));
	if (known(m->shmem) && m->shmem > WORTH)
		pit_buf_printf(out, ", of which still in /dev/shm and the like %s",
			       pit_format_size(m->shmem, size, sizeof(size)));
	if (e->oom_killed)
		pit_buf_printf(out, "; %d %s killed", (int)e->oom_killed, e->oom_killed > 1 ? "processes" : "process");
}

static void put_meaning(struct pit_buf *out, const struct pit_rank_end *e)
{
	for (size_t i = 0; i < PIT_COUNT(meanings); i++)
		if (meanings[i].signal == e->signal)
			pit_buf_printf(out, "%s%s", e->killer == PIT_KILLER_SELF ? "most often: " : "",
				       meanings[i].means);
}

void pit_exit_report_put_why(struct pit_buf *out, const struct pit_rank_end *e)
{
	if (e->how != PIT_RANK_SIGNALLED)
		return;
	if (e->killer == PIT_KILLER_OOM_GROUP)
		put_group_oom(out, e);
	else if (e->killer == PIT_KILLER_OOM_HOST)
		pit_buf_puts(out,
			     "the host had no memory left, and the kernel chose this process (kernel log); --mem-max "
			     "keeps a job from taking the host's last memory");
	else if (e->killer == PIT_KILLER_CPU_LIMIT)
		pit_buf_puts(out, "RLIMIT_CPU (ulimit -t), which it had from whoever started us, or set itself");
	else if (e->killer == PIT_KILLER_UNKNOWN || e->killer == PIT_KILLER_SELF || e->killer == PIT_KILLER_FAULT)
		put_meaning(out, e);
}
