/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "feed/ladder.h"
#include "feed/loader_mode.h"

#define LADDER "cache"
#define LOOK_AT 16        /* files that may be gone before we give up looking */
#define TURN 4            /* batches in one mode before the other has its turn */
#define TURNS 4           /* in all */
#define BETTER 1.10       /* what reading through the page cache must bring, as it takes memory and processor time */
#define DIRECT_ALIGN 4096 /* of buffers, and of whole files */

static const char *const names[] = {
	[PIT_IO_DIRECT] = "O_DIRECT",
	[PIT_IO_DONTCACHE] = "RWF_DONTCACHE",
	[PIT_IO_BUFFERED] = "page cache",
};

static int open_some(const struct pit_source *s, struct pit_error *err)
{
	uint32_t files = pit_source_files(s);
	int fd = -1, rc = -ENOENT;
	char name[300];

	for (uint32_t i = 0; fd < 0 && i < files && i < LOOK_AT; i++) {
		fd = pit_disk_open_file(pit_source_dir(s), pit_source_file(s, i), 0);
		if (fd < 0)
			rc = fd;
	}
	if (fd < 0)
		return pit_fail(err, -rc, "cannot open %s: %s",
				files ? pit_source_show(s, 0, name, sizeof(name)) : "any file", strerror(-rc));
	return fd;
}

static int fill(const struct pit_source *s, const struct pit_disk *d, bool by_path, struct pit_mode *ret)
{
	*ret = (struct pit_mode){
		.name = names[d->cache],
		.disk = *d,
		.direct = d->cache == PIT_IO_DIRECT,
		.dontcache = d->cache == PIT_IO_DONTCACHE,
		.align = 1,
	};
	if (ret->direct)
		ret->align = d->offset_align > d->mem_align ? d->offset_align : d->mem_align;
	if (ret->direct && pit_source_whole(s) && ret->align < DIRECT_ALIGN)
		ret->align = DIRECT_ALIGN;
	return by_path ? 0 : pit_files_open(s, 0, &ret->files);
}

/* Records that do not lie at multiples of the alignment would be read with as much again around each. */
static bool suits_direct(const struct pit_source *s, const struct pit_disk *d)
{
	struct pit_extent e;

	if (pit_source_kind_of(s) != PIT_SOURCE_RECORDS || !pit_source_count(s))
		return true;
	pit_source_extent(s, 0, 0, &e);
	return !(e.offset % d->offset_align) && !(e.len % d->offset_align);
}

static struct pit_disk other_way(const struct pit_disk *d)
{
	struct pit_disk other = *d;

	other.cache = d->dontcache ? PIT_IO_DONTCACHE : PIT_IO_BUFFERED;
	return other;
}

static int choose(const struct pit_source *s, int fd, bool by_path, bool fits, struct pit_modes *m,
		  struct pit_ladder *l, struct pit_error *err)
{
	char size[32];
	struct pit_disk d, other;
	int rc = pit_disk_probe_read(fd, fits ? PIT_IO_BUFFERED : PIT_IO_CACHE_AUTO, &d, l, err);

	if (rc)
		return rc;
	if (fits) {
		pit_ladder_add(l, LADDER, names[d.cache], PIT_RUNG_TAKEN,
			       "%s of samples fit in memory: later epochs come from there",
			       pit_format_size(pit_source_bytes(s), size, sizeof(size)));
		return fill(s, &d, by_path, m->mode);
	}
	other = other_way(&d);
	if (d.cache != PIT_IO_DIRECT)
		return fill(s, &d, by_path, m->mode);
	if (!suits_direct(s, &d)) {
		pit_ladder_add(l, LADDER, names[PIT_IO_DIRECT], PIT_RUNG_REFUSED,
			       "records are not multiples of %u bytes", d.offset_align);
		pit_ladder_add(l, LADDER, names[other.cache], PIT_RUNG_TAKEN, "records of odd sizes");
		return fill(s, &other, by_path, m->mode);
	}
	rc = fill(s, &d, by_path, m->mode);
	if (!rc)
		rc = fill(s, &other, by_path, m->mode + 1);
	m->count = 2;
	return rc;
}

int pit_modes_open(const struct pit_source *s, enum pit_io_cache want, bool by_path, bool fits, struct pit_modes *ret,
		   struct pit_ladder *l, struct pit_error *err)
{
	struct pit_modes m = {.count = 1};
	pit_auto_close int fd = open_some(s, err);
	struct pit_disk d;
	int rc = fd;

	if (fd < 0)
		return rc;
	if (want == PIT_IO_CACHE_AUTO) {
		rc = choose(s, fd, by_path, fits, &m, l, err);
	} else {
		rc = pit_disk_probe_read(fd, want, &d, l, err);
		if (!rc)
			rc = fill(s, &d, by_path, m.mode);
	}
	if (rc)
		pit_modes_close(&m);
	else
		*ret = m;
	return rc;
}

void pit_modes_close(struct pit_modes *m)
{
	for (unsigned i = 0; i < PIT_COUNT(m->mode); i++) {
		pit_files_close(m->mode[i].files);
		m->mode[i].files = NULL;
	}
}

struct pit_mode *pit_modes_next(struct pit_modes *m)
{
	if (m->count == 2)
		m->now = m->turn++ / TURN % 2;
	m->mode[m->now].users++;
	return m->mode + m->now;
}

static void close_loser(struct pit_modes *m)
{
	struct pit_mode *loser = m->mode + !m->now;

	if (m->count == 2 || loser->users)
		return;
	pit_files_close(loser->files);
	loser->files = NULL;
}

void pit_modes_put(struct pit_modes *m, struct pit_mode *mode)
{
	mode->users--;
	close_loser(m);
}

void pit_modes_settle(struct pit_modes *m)
{
	m->count = 1;
	m->now = 0;
	close_loser(m);
}

static void decide(struct pit_modes *m, struct pit_ladder *l)
{
	struct pit_mode *a = m->mode, *b = m->mode + 1, *best, *other;
	double x = (double)a->bytes / a->ns, y = (double)b->bytes / b->ns;

	best = y > x * BETTER ? b : a;
	other = best == a ? b : a;
	m->count = 1;
	m->now = best - m->mode;
	close_loser(m);
	pit_ladder_add(l, LADDER, other->name, PIT_RUNG_REFUSED, "measured: %.0f MiB/s",
		       (other == a ? x : y) * 1e9 / (1 << 20));
	pit_ladder_add(l, LADDER, best->name, PIT_RUNG_TAKEN, "measured: %.0f MiB/s",
		       (best == a ? x : y) * 1e9 / (1 << 20));
}

/* Time between two batches counts for the mode of both: where it changes, reads of both were under way. */
bool pit_modes_note(struct pit_modes *m, struct pit_mode *mode, uint64_t bytes, int64_t now, struct pit_ladder *l)
{
	unsigned which = mode - m->mode + 1;

	if (m->count < 2)
		return false;
	if (m->last == which) {
		mode->bytes += bytes;
		mode->ns += now - m->since;
	}
	m->last = which;
	m->since = now;
	if (m->turn < TURN * TURNS || !m->mode[0].bytes || !m->mode[1].bytes || !m->mode[0].ns || !m->mode[1].ns)
		return false;
	decide(m, l);
	return true;
}
