/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "launch/emit_parts.h"
#include "launch/leaf.h"

#define NVIDIA 0x10de
#define AMD 0x1002
#define INTEL 0x8086

/* One option with its value as one word. */
static void put(struct pit_buf *out, const char *option, const char *value)
{
	pit_auto_buf struct pit_buf word = PIT_BUF_INIT;

	pit_buf_printf(&word, "%s=%s", option, value);
	pit_buf_putc(out, ' ');
	pit_emit_word(out, word.data);
	out->failed |= word.failed;
}

static void put_number(struct pit_buf *out, const char *option, unsigned long long value)
{
	pit_buf_printf(out, " %s=%llu", option, value);
}

/* The GPUs that seat `at` is to see; NVIDIA's by UUID, the others through their devices and a variable. */
static void put_gpus(const struct pit_job *j, int at, struct pit_buf *out)
{
	const struct pit_seat *seat = &j->placement.seat[at];
	bool all = j->placement.view != PIT_GPU_VIEW_OWN, amd = false, intel = false;
	pit_auto_buf struct pit_buf list = PIT_BUF_INIT;

	for (size_t i = 0; i < j->site.gpus; i++) {
		const struct pit_site_gpu *g = &j->site.gpu[i];

		if (!all && ((int)i < seat->gpu_first || (int)i >= seat->gpu_first + seat->gpus))
			continue;
		amd |= g->vendor == AMD;
		intel |= g->vendor == INTEL;
		if (g->vendor != AMD && g->vendor != INTEL && *g->visible)
			pit_buf_printf(&list, "%s%s", list.len ? "," : "\"device=", g->visible);
	}
	if (list.len) {
		pit_buf_putc(&list, '"'); /* the quotes are docker's: a comma would end the option */
		put(out, "--gpus", list.data);
	}
	if (amd)
		pit_buf_puts(out, " --device=/dev/kfd");
	if (amd || intel)
		pit_buf_puts(out, " --device=/dev/dri");
	out->failed |= list.failed;
}

static void put_sets(const struct pit_job *j, int at, struct pit_buf *out)
{
	const struct pit_seat *seat = &j->placement.seat[at];

	if (!pit_idset_is_empty(&seat->cpus)) {
		pit_buf_puts(out, " --cpuset-cpus=");
		pit_idset_print(&seat->cpus, out);
	}
	if (j->placement.mem == PIT_MEM_BIND && !pit_idset_is_empty(&seat->mems)) {
		pit_buf_puts(out, " --cpuset-mems=");
		pit_idset_print(&seat->mems, out);
	}
}

/* "259:0 rbps=1 wiops=2" of io.max */
static void put_io(const char *line, struct pit_buf *out)
{
	static const struct {
		const char *key, *option;
	} keys[] = {
		{.key = "rbps=", .option = "--device-read-bps"},
		{.key = "wbps=", .option = "--device-write-bps"},
		{.key = "riops=", .option = "--device-read-iops"},
		{.key = "wiops=", .option = "--device-write-iops"},
	};
	pit_auto_strv struct pit_strv words = {0};

	out->failed |= pit_strv_split(&words, line, " \t") != 0;
	for (size_t w = 1; w < words.count; w++)
		for (size_t i = 0; i < PIT_COUNT(keys); i++) {
			size_t len = strlen(keys[i].key);
			char value[320];

			if (strncmp(words.item[w], keys[i].key, len) || !strcmp(words.item[w] + len, "max"))
				continue;
			snprintf(value, sizeof(value), "%s%.250s:%.40s", *words.item[0] == '/' ? "" : "/dev/block/",
				 words.item[0], words.item[w] + len);
			put(out, keys[i].option, value);
		}
}

static void put_limits(const struct pit_job *j, struct pit_buf *out)
{
	const struct pit_job_options *o = j->options;

	if (o->memory_max)
		put_number(out, "--memory", o->memory_max);
	/* The 64 MiB of /dev/shm by default are too few for data loaders; NCCL needs the same one in all ranks. */
	if (o->memory_max && j->placement.ranks == 1)
		put_number(out, "--shm-size", o->memory_max / 2);
	else
		pit_buf_puts(out, " --ipc=host");
	if (o->cpu_max > 0)
		pit_buf_printf(out, " --cpus=%.6g", o->cpu_max);
	if (o->memlock == PIT_UNLIMITED)
		pit_buf_puts(out, " --ulimit memlock=-1:-1");
	else if (o->memlock)
		pit_buf_printf(out, " --ulimit memlock=%llu:%llu", (unsigned long long)o->memlock,
			       (unsigned long long)o->memlock);
	if (o->oom_set)
		pit_buf_printf(out, " --oom-score-adj=%d", o->oom_score_adj);
	if (pit_emit_files(j))
		pit_buf_printf(out, " --ulimit nofile=%llu:%llu", (unsigned long long)pit_emit_files(j)->rlim_cur,
			       (unsigned long long)pit_emit_files(j)->rlim_max);
	for (size_t i = 0; i < j->io_max.count; i++)
		put_io(j->io_max.item[i], out);
}

static void put_environment(const struct pit_env *e, struct pit_buf *out)
{
	for (size_t i = 0; i < e->items; i++) {
		const struct pit_env_item *item = &e->item[i];
		pit_auto_buf struct pit_buf word = PIT_BUF_INIT;

		if (!item->value)
			continue;
		pit_buf_printf(&word, item->kept ? "%s" : "%s=%s", item->name, item->value);
		pit_buf_puts(out, " -e ");
		pit_emit_word(out, word.data);
		out->failed |= word.failed;
	}
}

static void put_rank(const struct pit_job *j, int at, struct pit_buf *out)
{
	const struct pit_job_options *o = j->options;
	char stop[16];

	pit_buf_printf(out, " docker run --rm --init%s --network=host", at ? "" : " -i"); /* stdin is rank 0's */
	put_sets(j, at, out);
	put_gpus(j, at, out);
	put_limits(j, out);
	pit_buf_printf(out, " --stop-signal=%s --stop-timeout=%d",
		       pit_emit_signal(pit_emit_stop_signal(j), stop, sizeof(stop)),
		       pit_emit_grace(j) == PIT_EMIT_NEVER ? -1 : (int)pit_emit_grace(j));
	if (o->dir)
		put(out, "--workdir", o->dir);
	put_environment(&j->env[at], out);
	pit_buf_puts(out, " \"$image\"");
	pit_emit_words(out, o->argv);
}

int pit_emit_docker(const struct pit_job *j, struct pit_buf *out, struct pit_error *err)
{
	enum pit_mem mem = j->placement.mem;

	pit_buf_puts(out, "#!/bin/sh\n# sh THIS IMAGE\n");
	pit_emit_header(j, PIT_EMIT_DOCKER, out);
	if (mem == PIT_MEM_PREFER)
		pit_buf_puts(
			out,
			"# Memory comes from the node of the CPU that touches it first, others when that is full.\n");
	if (mem == PIT_MEM_INTERLEAVE)
		pit_buf_puts(out, "# Without --mem interleave: containers have no such policy.\n");
	pit_buf_puts(out, "image=${1:-${IMAGE:?give the container image}}\n");
	pit_emit_run(j, put_rank, out);
	return 0;
}
