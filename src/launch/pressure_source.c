/* SPDX-License-Identifier: MIT */
#include "launch/pressure_source.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "host/procfs.h"

#define TEXT 16384 /* memory.stat has some 3 KiB */
#define LIMIT_NS (5000 * PIT_MS)
#define HUGE_V1 (UINT64_C(1) << 62) /* v1 writes "none" as the highest page-aligned number */
#define KIB 1024
#define KEPT_BELOW 512 /* half of the usual soft limit of open files */

enum { USE, STAT, EVENTS, STALLS };

/* Files of these kinds come whole with one read, from their begin each time. */
static int read_fd(int fd, char *text)
{
	ssize_t n;

	do
		n = pread(fd, text, TEXT - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

static int read_file(const struct pit_pressure_source *s, const char *name, char *text)
{
	pit_auto_close int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_fd(fd, text);
}

/* A file that is read often stays open, unless so many are that others may find no room. */
static int read_often(struct pit_pressure_source *s, int which, const char *name, char *text)
{
	pit_auto_close int fd = -1;

	if (s->file[which] >= 0)
		return read_fd(s->file[which], text);
	fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fd >= KEPT_BELOW)
		return read_fd(fd, text);
	s->file[which] = pit_take_fd(&fd);
	return read_fd(s->file[which], text);
}

static int read_use(struct pit_pressure_source *s, const char *name, uint64_t *ret)
{
	char text[TEXT];
	int rc = read_often(s, USE, name, text);

	if (rc)
		return rc;
	return pit_parse_u64(text, ret) ? -EBADMSG : 0;
}

/* The number of a line; 0 when there is none: not every kernel has all of them. */
static uint64_t line(const char *text, const char *key)
{
	uint64_t n = 0;

	(void)pit_kv_u64(text, key, &n);
	return n;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void lower(struct pit_pressure_source *s, const char *file)
{
	char text[TEXT];
	uint64_t n;

	if (read_file(s, file, text) || pit_parse_u64(text, &n) || n >= HUGE_V1 || n >= s->limit)
		return; /* "max" is no number */
	s->limit = n;
	s->limit_file = file;
}

/* Limits may be moved while the job runs, but that is rare. */
static void read_limit(struct pit_pressure_source *s, int64_t now)
{
	if (s->limit_at && now - s->limit_at < LIMIT_NS)
		return;
	s->limit_at = now;
	s->limit = UINT64_MAX;
	s->limit_file = "no limit";
	if (s->kind == PIT_PRESSURE_SOURCE_GROUP) {
		lower(s, "memory.max");
		lower(s, "memory.high");
	} else {
		lower(s, "memory.limit_in_bytes");
	}
}

/* Share of the time since the last reading that tasks stalled; -1 unknown. */
static double stalled(struct pit_pressure_source *s, const char *file, int64_t now)
{
	uint64_t before = s->stall_us;
	int64_t since = s->stall_at;
	struct pit_psi psi;
	char text[TEXT];
	double share;

	s->stall_at = 0;
	if (read_often(s, STALLS, file, text) || pit_psi_parse(text, &psi, NULL))
		return -1;
	s->stall_us = psi.some_total_us;
	s->stall_at = now;
	if (!since || now <= since || psi.some_total_us < before)
		return -1;
	share = (double)(psi.some_total_us - before) * 1000 / (double)(now - since);
	return share < 1 ? share : 1;
}

static int begin_group(struct pit_pressure_source *s, const char *file, int64_t now, struct pit_forecast_sample *ret)
{
	int rc = read_use(s, file, &ret->used);

	if (rc)
		return rc;
	read_limit(s, now);
	ret->limit = s->limit;
	return 0;
}

/* Nothing more is read of what has room, and its stalls count anew from when it has none. */
static bool has_room(struct pit_pressure_source *s, double need, const struct pit_forecast_sample *sample)
{
	if ((double)sample->used >= need * (double)sample->limit)
		return false;
	s->stall_at = 0;
	return true;
}

/* Not use: what reclaim takes. That is less than all file pages, since tmpfs and shared memory are none of these. */
static int read_group(struct pit_pressure_source *s, int64_t now, double need, struct pit_forecast_sample *ret)
{
	char text[TEXT];
	int rc = begin_group(s, "memory.current", now, ret);

	if (rc)
		return rc;
	if (has_room(s, need, ret))
		return 0;
	rc = read_often(s, STAT, "memory.stat", text);
	if (rc)
		return rc;
	ret->used = minus(ret->used, line(text, "inactive_file") + line(text, "active_file"));
	ret->used = minus(ret->used, line(text, "slab_reclaimable"));
	if (has_room(s, need, ret))
		return 0;
	if (!read_often(s, EVENTS, "memory.events", text))
		ret->events = line(text, "high") + line(text, "max");
	ret->stalled = stalled(s, "memory.pressure", now);
	return 0;
}

static int read_group_v1(struct pit_pressure_source *s, int64_t now, double need, struct pit_forecast_sample *ret)
{
	char text[TEXT];
	int rc = begin_group(s, "memory.usage_in_bytes", now, ret);

	if (rc)
		return rc;
	if (has_room(s, need, ret))
		return 0;
	rc = read_often(s, STAT, "memory.stat", text);
	if (rc)
		return rc;
	ret->used = minus(ret->used, line(text, "total_inactive_file") + line(text, "total_active_file"));
	return 0;
}

static int read_host(struct pit_pressure_source *s, int64_t now, double need, struct pit_forecast_sample *ret)
{
	uint64_t total, available;
	char text[TEXT];
	int rc = read_often(s, USE, "meminfo", text);

	if (rc)
		return rc;
	if (pit_kv_u64(text, "MemTotal", &total) || pit_kv_u64(text, "MemAvailable", &available))
		return -EBADMSG;
	ret->used = (minus(total, available) + minus(line(text, "SwapTotal"), line(text, "SwapFree"))) * KIB;
	ret->limit = (total + line(text, "SwapTotal")) * KIB;
	if (!has_room(s, need, ret))
		ret->stalled = stalled(s, "pressure/memory", now);
	return 0;
}

static uint64_t node_line(const char *text, int node, const char *key)
{
	char full[64];

	snprintf(full, sizeof(full), "Node %d %s", node, key);
	return line(text, full);
}

static int read_nodes(struct pit_pressure_source *s, int64_t now, double need, struct pit_forecast_sample *ret)
{
	uint64_t room = 0;

	ret->limit = 0;
	PIT_IDSET_FOREACH (node, &s->nodes) {
		char name[32], text[TEXT];
		int rc;

		snprintf(name, sizeof(name), "node%d/meminfo", node);
		rc = read_file(s, name, text);
		if (rc)
			return rc;
		ret->limit += node_line(text, node, "MemTotal") * KIB;
		room += (node_line(text, node, "MemFree") + node_line(text, node, "Active(file)") +
			 node_line(text, node, "Inactive(file)") + node_line(text, node, "SReclaimable")) *
			KIB;
	}
	ret->used = minus(ret->limit, room);
	return ret->limit ? 0 : -EBADMSG;
}

int pit_pressure_source_read(struct pit_pressure_source *s, int64_t now, double need, struct pit_forecast_sample *ret)
{
	static int (*const readers[])(struct pit_pressure_source *, int64_t, double, struct pit_forecast_sample *) = {
		[PIT_PRESSURE_SOURCE_GROUP] = read_group,
		[PIT_PRESSURE_SOURCE_GROUP_V1] = read_group_v1,
		[PIT_PRESSURE_SOURCE_HOST] = read_host,
		[PIT_PRESSURE_SOURCE_NODES] = read_nodes,
	};
	struct pit_forecast_sample r = {.when = now, .stalled = -1, .events = UINT64_MAX};
	int rc = readers[s->kind](s, now, need, &r);

	if (!rc)
		*ret = r;
	return rc;
}

/* A source that reads; *ret is written on success only. */
static int begin(struct pit_pressure_source *s, const char *path, struct pit_pressure_source *ret)
{
	struct pit_forecast_sample sample;
	int rc;

	s->trigger = -1;
	for (int i = 0; i < PIT_PRESSURE_SOURCE_FILES; i++)
		s->file[i] = -1;
	s->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = s->dir < 0 ? -errno : pit_pressure_source_read(s, pit_now(), 0, &sample);
	if (rc) {
		pit_pressure_source_close(s);
		return rc;
	}
	*ret = *s;
	return 0;
}

int pit_pressure_source_group(const char *path, bool v2, int rank, struct pit_pressure_source *ret)
{
	struct pit_pressure_source s = {.kind = v2 ? PIT_PRESSURE_SOURCE_GROUP : PIT_PRESSURE_SOURCE_GROUP_V1,
					.rank = rank};

	snprintf(s.name, sizeof(s.name), "%s", path);
	return begin(&s, path, ret);
}

int pit_pressure_source_host(const char *proc, struct pit_pressure_source *ret)
{
	struct pit_pressure_source s = {
		.kind = PIT_PRESSURE_SOURCE_HOST, .rank = -1, .limit_file = "MemTotal and SwapTotal"};

	snprintf(s.name, sizeof(s.name), "%s/meminfo", proc);
	return begin(&s, proc, ret);
}

int pit_pressure_source_nodes(const char *path, const struct pit_idset *nodes, struct pit_pressure_source *ret)
{
	struct pit_pressure_source s = {.kind = PIT_PRESSURE_SOURCE_NODES, .rank = -1, .limit_file = "MemTotal"};
	char list[256];

	if (pit_idset_copy(&s.nodes, nodes))
		return -ENOMEM;
	snprintf(s.name, sizeof(s.name), "memory of node %s", pit_idset_format(nodes, list, sizeof(list)));
	return begin(&s, path, ret);
}

void pit_pressure_source_close(struct pit_pressure_source *s)
{
	pit_cleanup_close(&s->dir);
	pit_cleanup_close(&s->trigger);
	s->dir = s->trigger = -1;
	for (int i = 0; i < PIT_PRESSURE_SOURCE_FILES; i++) {
		pit_cleanup_close(&s->file[i]);
		s->file[i] = -1;
	}
	pit_idset_free(&s->nodes);
}

int pit_pressure_source_set_trigger(struct pit_pressure_source *s)
{
	/* 7.5 % of two seconds: unprivileged triggers must have windows of whole two seconds. */
	static const char wish[] = "some 150000 2000000";
	static const char *const files[] = {
		[PIT_PRESSURE_SOURCE_GROUP] = "memory.pressure",
		[PIT_PRESSURE_SOURCE_HOST] = "pressure/memory",
		[PIT_PRESSURE_SOURCE_GROUP_V1] = NULL,
		[PIT_PRESSURE_SOURCE_NODES] = NULL,
	};
	pit_auto_close int fd = -1;

	if (!files[s->kind])
		return -EOPNOTSUPP;
	fd = openat(s->dir, files[s->kind], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || write(fd, wish, sizeof(wish)) < 0)
		return -errno;
	s->trigger = pit_take_fd(&fd);
	return 0;
}
