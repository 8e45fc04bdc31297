/* SPDX-License-Identifier: MIT */
#include "tune/harm.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "host/pid.h"

#define RESERVE_PERCENT 5    /* the kernel's own reserve stays far below: 64 MiB at 256 GiB */
#define TCP_LEAST_PERCENT 2  /* the kernel gives 9 */
#define TCP_MOST_PERCENT 50  /* it cannot be swapped out nor reclaimed */
#define RT_LEAST_US 10000    /* below, one time slice of a real-time task does not fit into a second */
#define RT_PERIOD_US 1000000 /* the kernel's default of kernel.sched_rt_period_us */

/* The `n`th number of a file, counted from 0; blanks and "/" stand between them. False: it cannot be read. */
static bool number_in(struct pit_scene *scene, const char *path, size_t n, uint64_t *ret)
{
	pit_auto_strv struct pit_strv words = {0};
	struct pit_text text;

	return !pit_root_read(pit_scene_root(scene), &text, "%s", path) &&
	       !pit_strv_split(&words, text.data, " \t\n/") && n < words.count && !pit_parse_u64(words.item[n], ret);
}

/* A value of /proc/meminfo in KiB. */
static bool meminfo(struct pit_scene *scene, const char *name, uint64_t *ret)
{
	struct pit_text text;
	const char *at;
	char key[64];

	snprintf(key, sizeof(key), "\n%s:", name);
	if (pit_root_read(pit_scene_root(scene), &text, "/proc/meminfo"))
		return false;
	at = strstr(text.data, key);
	return at && sscanf(at + strlen(key), "%" SCNu64, ret) == 1;
}

int pit_judge_reserve(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t memory = pit_scene_memory(scene), want, have, most = memory / 1024 / 100 * RESERVE_PERCENT;

	if (pit_parse_u64(value, &want) || (now && !pit_parse_u64(now, &have) && want <= have))
		return 0;
	if (!memory)
		return pit_fail(err, EPERM, "how much memory there is cannot be read from /proc/meminfo");
	if (want <= most)
		return 0;
	return pit_fail(err, EPERM,
			"%s KiB are more than %d%% of the memory (%" PRIu64
			" KiB): nobody could use them, and the kernel would end processes",
			value, RESERVE_PERCENT, most);
}

int pit_judge_overcommit(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t limit, promised;

	(void)now;
	if (strcmp(value, "2") != 0)
		return 0;
	if (!meminfo(scene, "CommitLimit", &limit) || !meminfo(scene, "Committed_AS", &promised))
		return pit_fail(err, EPERM, "what is promised cannot be read from /proc/meminfo");
	if (promised <= limit)
		return 0;
	return pit_fail(err, EPERM,
			"%" PRIu64
			" KiB are promised to processes (Committed_AS), and strict accounting would allow %" PRIu64
			" KiB (CommitLimit): no process could be started any more",
			promised, limit);
}

/* Lowering to less than twice what is in use, of what `what` names. */
static int judge_use(const char *value, const char *now, uint64_t used, const char *what, struct pit_error *err)
{
	uint64_t want, have;

	if (pit_parse_u64(value, &want) || (now && !pit_parse_u64(now, &have) && want >= have) || want / 2 >= used)
		return 0;
	return pit_fail(err, EPERM,
			"%" PRIu64 " %s at the moment, and %s is less than twice as many: soon there would be no more",
			used, what, value);
}

int pit_judge_tasks(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t used;

	return number_in(scene, "/proc/loadavg", 4, &used) ? judge_use(value, now, used, "threads run or wait", err)
							   : 0;
}

int pit_judge_files(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t used;

	return number_in(scene, "/proc/sys/fs/file-nr", 0, &used) ? judge_use(value, now, used, "files are open", err)
								  : 0;
}

int pit_judge_aio(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t used;

	return number_in(scene, "/proc/sys/fs/aio-nr", 0, &used)
		       ? judge_use(value, now, used, "requests are reserved", err)
		       : 0;
}

int pit_judge_conntrack(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t used;

	return number_in(scene, "/proc/sys/net/netfilter/nf_conntrack_count", 0, &used)
		       ? judge_use(value, now, used, "connections are followed", err)
		       : 0;
}

int pit_judge_nr_open(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t want, have, soft, hard;

	if (pit_parse_u64(value, &want) || !now || pit_parse_u64(now, &have) || want >= have ||
	    pit_proc_limit(pit_scene_root(scene), 1, "Max open files", &soft, &hard) || want >= hard)
		return 0;
	return pit_fail(err, EPERM,
			"process 1 hands on a limit of %" PRIu64 " open files, and below it services and sessions that "
			"set their limit again would not start",
			hard);
}

int pit_judge_tcp_memory(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t memory = pit_scene_memory(scene), pages, most;
	int64_t page = pit_scene_platform(scene)->page_size;
	const char *last = strrchr(value, ' ');

	(void)now;
	if (!memory || !last || pit_parse_u64(last + 1, &most))
		return 0;
	pages = memory / (uint64_t)(page > 0 ? page : 4096);
	if (most >= pages / 100 * TCP_LEAST_PERCENT && most <= pages / 100 * TCP_MOST_PERCENT)
		return 0;
	return pit_fail(err, EPERM,
			"%" PRIu64 " pages are not from %d%% to %d%% of the memory, which is %" PRIu64
			" pages: connections would stall, or take the memory of all others",
			most, TCP_LEAST_PERCENT, TCP_MOST_PERCENT, pages);
}

int pit_judge_rt(struct pit_scene *scene, const char *value, const char *now, struct pit_error *err)
{
	uint64_t period = RT_PERIOD_US, want;

	(void)now;
	if (pit_parse_u64(value, &want)) /* -1: no limit */
		return 0;
	(void)number_in(scene, "/proc/sys/kernel/sched_rt_period_us", 0, &period);
	if (want >= RT_LEAST_US && want <= period)
		return 0;
	return pit_fail(err, EPERM,
			"%s is not from %d to kernel.sched_rt_period_us = %" PRIu64
			": real-time tasks would never run, or the kernel refuses it",
			value, RT_LEAST_US, period);
}

int pit_knob_order(const struct pit_knob *knob, const char *value, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	uint64_t before = 0, n;

	if (!knob->ascends)
		return 0;
	if (pit_strv_split(&words, value, " \t\n"))
		return pit_fail(err, ENOMEM, "out of memory");
	if (words.count != knob->ascends)
		return pit_fail(err, EINVAL, "'%.80s' is not %zu numbers", value, knob->ascends);
	for (size_t i = 0; i < words.count; i++) {
		if (pit_parse_u64(words.item[i], &n))
			return pit_fail(err, EINVAL, "'%.40s' is not a number", words.item[i]);
		if (n < before)
			return pit_fail(err, EINVAL, "'%.80s': no number may be below the one before it", value);
		before = n;
	}
	return 0;
}

int pit_knob_harm(const struct pit_knob *knob, struct pit_scene *scene, const char *value, const char *now,
		  struct pit_error *err)
{
	if (pit_value_equal(knob->value, value, now))
		return 0;
	if (pit_knob_order(knob, value, err))
		return -EPERM;
	return knob->judge ? knob->judge(scene, value, now, err) : 0;
}
