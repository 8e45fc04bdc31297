/* SPDX-License-Identifier: MIT
 *
 * The engines that start pitcrew itself for each rank, which then plans alike in all of them: torchrun and Slurm.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "launch/emit_parts.h"
#include "launch/leaf.h"

static int put(struct pit_strv *v, const char *option, const char *value)
{
	int rc = pit_strv_add(v, option);

	return rc || !value ? rc : pit_strv_add(v, value);
}

static int put_text(struct pit_strv *v, const char *option, const char *value)
{
	return value ? put(v, option, value) : 0;
}

static int put_number(struct pit_strv *v, const char *option, bool wanted, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.15g", value);
	return wanted ? put(v, option, text) : 0;
}

/* A time as pit_parse_duration() reads it; 0 is the default and not said. */
static int put_time(struct pit_strv *v, const char *option, int64_t ns)
{
	char text[32];

	if (!ns)
		return 0;
	if (ns < 0 || ns == INT64_MAX)
		return put(v, option, "never");
	if (ns % 1000000000 == 0)
		snprintf(text, sizeof(text), "%llds", (long long)ns / 1000000000);
	else if (ns % 1000000 == 0)
		snprintf(text, sizeof(text), "%lldms", (long long)ns / 1000000);
	else
		snprintf(text, sizeof(text), "%.9fs", (double)ns / 1e9);
	return put(v, option, text);
}

/* In the largest unit that says it exactly. */
static int put_size(struct pit_strv *v, const char *option, uint64_t bytes)
{
	const char *unit = "\0\0K\0M\0G";
	char text[32];

	if (!bytes)
		return 0;
	if (bytes == PIT_UNLIMITED)
		return put(v, option, "unlimited");
	for (int i = 0; i < 3 && bytes % 1024 == 0; i++, unit += 2)
		bytes /= 1024;
	snprintf(text, sizeof(text), "%llu%s", (unsigned long long)bytes, unit);
	return put(v, option, text);
}

static int put_signal(struct pit_strv *v, const char *option, int signal)
{
	char text[16];

	return signal ? put(v, option, pit_emit_signal(signal, text, sizeof(text))) : 0;
}

static int put_sched(struct pit_strv *v, const struct pit_job_options *o)
{
	char text[32];

	if (!o->sched_set)
		return 0;
	if (o->policy == SCHED_FIFO || o->policy == SCHED_RR)
		snprintf(text, sizeof(text), "%s:%d", o->policy == SCHED_FIFO ? "fifo" : "rr", o->priority);
	else
		snprintf(text, sizeof(text), "%s", o->policy == SCHED_BATCH ? "batch" : "other");
	return put(v, "--sched", text);
}

static int put_placement(struct pit_strv *v, const struct pit_job_options *o)
{
	const struct pit_placement_request *p = &o->placement;
	int rc = p->bind ? put(v, "--bind", pit_bind_names[p->bind]) : 0;

	rc = rc || !p->mem ? rc : put(v, "--mem", pit_mem_names[p->mem]);
	rc = rc || !p->spill ? rc : put(v, "--spill", pit_spill_names[p->spill]);
	rc = rc || !p->view ? rc : put(v, "--gpu-view", pit_gpu_view_names[p->view]);
	rc = rc || !p->one_thread ? rc : put(v, "--smt", "1");
	rc = rc ? rc : put_number(v, "--cpus-reserve", p->reserve, p->reserve);
	rc = rc || !o->isolated ? rc : put(v, "--isolated", NULL);
	return rc ? rc : put_text(v, "--gpus", o->gpus);
}

static int put_limits(struct pit_strv *v, const struct pit_job_options *o)
{
	int rc = put_size(v, "--mem-max", o->memory_max);

	rc = rc ? rc : put_size(v, "--mem-high", o->memory_high);
	rc = rc ? rc : put_number(v, "--cpu-max", o->cpu_max > 0, o->cpu_max);
	for (size_t i = 0; i < o->io.count && !rc; i++)
		rc = put(v, "--io", o->io.item[i]);
	rc = rc ? rc : put_size(v, "--memlock", o->memlock);
	rc = rc ? rc : put_sched(v, o);
	rc = rc ? rc : put_number(v, "--nice", o->nice_set, o->nice);
	rc = rc ? rc : put_number(v, "--oom-score", o->oom_set, o->oom_score_adj);
	rc = rc ? rc : put_text(v, "--allocator", o->allocator);
	return rc ? rc : put_number(v, "--mps", o->mps, o->mps);
}

static int put_supervision(struct pit_strv *v, const struct pit_job_options *o)
{
	static const char *const pressure[] = {"warn", "checkpoint", "none"};
	const struct pit_ending_rules *e = &o->ending;
	int rc = 0;

	for (size_t i = 0; i < o->env.count && !rc; i++)
		rc = pit_strv_addf(v, "--env=%s", o->env.item[i]); /* one word: it may begin with "-" */
	rc = rc ? rc : put_text(v, "--chdir", o->dir);
	rc = rc || !o->stop_signal_set ? rc : put_signal(v, "--stop-signal", e->stop_signal);
	rc = rc ? rc : put_time(v, "--grace", e->grace);
	rc = rc ? rc : put_signal(v, "--checkpoint-signal", e->checkpoint_signal);
	rc = rc ? rc : put_time(v, "--checkpoint-grace", e->checkpoint_grace);
	rc = rc || !o->on_pressure ? rc : put(v, "--on-pressure", pressure[o->on_pressure]);
	rc = rc ? rc : put_time(v, "--pressure-horizon", o->pressure_horizon);
	rc = rc ? rc : put_time(v, "--after", o->after);
	rc = rc ? rc : put_text(v, "--log-dir", o->log_dir);
	return rc || !o->strict ? rc : put(v, "--strict", NULL);
}

int pit_emit_options(const struct pit_job *j, struct pit_strv *ret)
{
	int rc = put_placement(ret, j->options);

	rc = rc ? rc : put_limits(ret, j->options);
	return rc ? rc : put_supervision(ret, j->options);
}

/* "pitcrew run --rank-from NAME OPTIONS -- COMMAND" */
static int put_pitcrew(const struct pit_job *j, const char *rank_from, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_strv struct pit_strv options = {0};

	if (pit_emit_options(j, &options))
		return pit_fail(err, ENOMEM, "out of memory");
	pit_buf_printf(out, "pitcrew run --rank-from %s", rank_from);
	for (size_t i = 0; i < options.count; i++) {
		pit_buf_putc(out, ' ');
		pit_emit_word(out, options.item[i]);
	}
	pit_buf_puts(out, " --");
	pit_emit_words(out, j->options->argv);
	pit_buf_putc(out, '\n');
	return 0;
}

int pit_emit_torchrun(const struct pit_job *j, struct pit_buf *out, struct pit_error *err)
{
	pit_buf_puts(out, "#!/bin/sh\n");
	pit_emit_header(j, PIT_EMIT_TORCHRUN, out);
	pit_buf_puts(out,
		     "# Several hosts: in place of --standalone give --nnodes N --rdzv_backend c10d --rdzv_endpoint "
		     "HOST:PORT on each of them.\n");
	pit_buf_printf(out, "exec torchrun --standalone --nproc_per_node %d", j->placement.ranks);
	if (j->options->restarts)
		pit_buf_printf(out, " --max_restarts %d", j->options->restarts);
	pit_buf_puts(out, " --no_python ");
	return put_pitcrew(j, "LOCAL_RANK", out, err);
}

/* Hexadecimal, without leading zeros. */
static void put_mask(const struct pit_idset *set, struct pit_buf *out)
{
	size_t words = set->words;

	while (words > 1 && !set->word[words - 1])
		words--;
	pit_buf_printf(out, "0x%llx", words ? (unsigned long long)set->word[words - 1] : 0ull);
	while (words-- > 1)
		pit_buf_printf(out, "%016llx", (unsigned long long)set->word[words - 1]);
}

/* The plan of this host in Slurm's own words, for nodes without pitcrew. */
static void put_masks(const struct pit_job *j, struct pit_buf *out)
{
	const struct pit_placement *p = &j->placement;
	bool mems = p->mem == PIT_MEM_BIND || p->mem == PIT_MEM_PREFER;

	if (!p->ranks || pit_idset_is_empty(&p->seat[0].cpus))
		return;
	pit_buf_puts(
		out,
		"# Hosts that are built like this one can do without pitcrew, when the job has them whole (#SBATCH "
		"--exclusive):\n# srun --cpu-bind=mask_cpu:");
	for (int i = 0; i < p->ranks; i++) {
		pit_buf_puts(out, i ? "," : "");
		put_mask(&p->seat[i].cpus, out);
		mems &= !pit_idset_is_empty(&p->seat[i].mems);
	}
	for (int i = 0; i < p->ranks && mems; i++) {
		pit_buf_puts(out, i                        ? ","
				  : p->mem == PIT_MEM_BIND ? " --mem-bind=mask_mem:"
							   : " --mem-bind=prefer,mask_mem:");
		put_mask(&p->seat[i].mems, out);
	}
	pit_buf_puts(out, " COMMAND\n");
}

/* CPUs of each task: what all ranks have together, divided. 0 unknown. */
static size_t cpus_per_task(const struct pit_placement *p)
{
	pit_auto_idset struct pit_idset all = {0};

	for (int i = 0; i < p->ranks; i++)
		if (pit_idset_is_empty(&p->seat[i].cpus) || pit_idset_unite(&all, &p->seat[i].cpus))
			return 0;
	return (pit_idset_count(&all) + (size_t)p->ranks - 1) / (size_t)p->ranks;
}

int pit_emit_slurm(const struct pit_job *j, struct pit_buf *out, struct pit_error *err)
{
	const struct pit_placement *p = &j->placement;
	size_t cpus = cpus_per_task(p);
	char name[64];
	int rc;

	pit_buf_puts(out, "#!/bin/bash\n");
	pit_buf_printf(out, "#SBATCH --job-name=%s\n", pit_emit_name(j, name, sizeof(name)));
	pit_buf_printf(out, "#SBATCH --nodes=1\n#SBATCH --ntasks-per-node=%d\n", p->ranks);
	if (cpus)
		pit_buf_printf(out, "#SBATCH --cpus-per-task=%zu\n", cpus);
	if (j->site.gpus)
		pit_buf_printf(out, "#SBATCH --gpus-per-node=%zu\n", j->site.gpus);
	if (j->options->memory_max)
		pit_buf_printf(out, "#SBATCH --mem=%lluM\n",
			       (unsigned long long)((j->options->memory_max >> 20) + 1) * (unsigned)p->ranks);
	pit_emit_header(j, PIT_EMIT_SLURM, out);
	/* Tasks must see all CPUs and GPUs of the job to divide them alike. */
	pit_buf_printf(out, "srun --kill-on-bad-exit=1 --cpu-bind=none%s ", j->site.gpus ? " --gpu-bind=none" : "");
	rc = put_pitcrew(j, "SLURM_LOCALID", out, err);
	put_masks(j, out);
	return rc;
}
