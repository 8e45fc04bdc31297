/* SPDX-License-Identifier: MIT
 *
 * What the news of pressure say.
 */
#include <inttypes.h>
#include <dirent.h>
#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "host/pid.h"
#include "host/procfs.h"
#include "launch/pressure_parts.h"

#define LOOK_NS (50 * PIT_MS)
#define TEXT 8192

static int read_text(int proc, const char *pid, const char *file, char *text)
{
	pit_auto_close int fd = -1;
	char name[300];
	ssize_t n;

	snprintf(name, sizeof(name), "%s/%s", pid, file);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, TEXT - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

/* Bytes that only the end of the process gives back; takes none of its locks. */
static uint64_t held(int proc, const char *pid)
{
	uint64_t anon = 0, shared = 0;
	char text[TEXT];

	if (read_text(proc, pid, "status", text))
		return 0;
	(void)pit_kv_u64(text, "RssAnon", &anon);
	(void)pit_kv_u64(text, "RssShmem", &shared);
	return (anon + shared) * 1024;
}

static int rank_of(int pgrp, const pid_t *leader, int ranks)
{
	for (int i = 0; i < ranks; i++)
		if (leader[i] > 0 && leader[i] == pgrp)
			return i;
	return -1;
}

static void add_process(int proc, const char *pid, const pid_t *leader, int ranks, uint64_t *sum)
{
	struct pit_proc p;
	char text[TEXT];
	int rank;

	if (!isdigit((unsigned char)*pid) || read_text(proc, pid, "stat", text) || pit_proc_parse_stat(text, &p, NULL))
		return;
	rank = rank_of(p.pgrp, leader, ranks);
	if (rank >= 0)
		sum[rank] += held(proc, pid);
}

int pit_pressure_largest(const char *proc, const pid_t *leader, int ranks, uint64_t *ret_bytes)
{
	pit_auto_free uint64_t *sum = calloc((size_t)ranks + 1, sizeof(*sum));
	pit_auto_closedir DIR *d = opendir(proc);
	int64_t until = pit_now() + LOOK_NS;
	int most = 0;

	if (!sum || !d || ranks < 1)
		return -1;
	for (struct dirent *e; pit_now() < until && (e = readdir(d));)
		add_process(dirfd(d), e->d_name, leader, ranks, sum);
	for (int i = 1; i < ranks; i++)
		if (sum[i] > sum[most])
			most = i;
	if (!sum[most])
		return -1;
	*ret_bytes = sum[most];
	return most;
}

static void say_why(const struct pit_forecast *f, const struct pit_pressure_news *news, struct pit_buf *b)
{
	char rate[32];

	if (news->over) {
		pit_buf_puts(b, "; it grows no more");
	} else if (f->why == PIT_FORECAST_STALL) {
		pit_buf_printf(b, "; tasks waited for memory %.0f %% of the last 2 s", f->stalled * 100);
	} else if (news->per_second > 0) {
		pit_format_size((uint64_t)news->per_second, rate, sizeof(rate));
		pit_buf_printf(b, ", growing by %s/s", rate);
		if (news->left < INT64_MAX)
			pit_buf_printf(b, ": %.1f s left", (double)news->left / 1e9);
	} else {
		pit_buf_puts(b, ", and it grows");
	}
}

void pit_pressure_say(const struct pit_pressure_source *s, const struct pit_forecast *f,
		      const struct pit_pressure_news *news, char *ret, size_t size)
{
	pit_auto_buf struct pit_buf b = PIT_BUF_INIT;
	char used[32], limit[32];

	pit_buf_printf(&b, "%s: %s of %s (%s) in use", s->name, pit_format_size(news->used, used, sizeof(used)),
		       pit_format_size(news->limit, limit, sizeof(limit)), s->limit_file);
	if (s->kind != PIT_PRESSURE_SOURCE_HOST)
		pit_buf_puts(&b, " without page cache");
	say_why(f, news, &b);
	snprintf(ret, size, "%s", b.data);
}
