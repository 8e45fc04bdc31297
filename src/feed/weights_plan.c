/* SPDX-License-Identifier: MIT */
#include "feed/weights_plan.h"

#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>

#include "feed/ladder.h"

#ifndef __NR_cachestat
#define __NR_cachestat 451 /* Linux 6.5; the same number everywhere */
#endif

#define GAP (UINT64_C(128) << 10) /* of unwanted bytes that are read along rather than skipped */
#define ENTRIES_MOST (SIZE_MAX / 64)

void pit_weights_plan_free(struct pit_weights_plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->lanes[i].pieces);
		pit_reads_free(&p->lanes[i].reads);
	}
	free(p->lanes);
	free(p->disks);
	*p = (struct pit_weights_plan){0};
}

static int by_number(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int pit_weights_wanted(const struct pit_weights *w, const struct pit_weights_want *want, size_t **ret,
		       size_t *ret_count, struct pit_error *err)
{
	size_t count = want->only ? want->only_count : w->count, kept = 0;
	size_t *list = reallocarray(NULL, count + 1, sizeof(*list));

	if (!list)
		return pit_fail(err, ENOMEM, "no memory for a list of %zu tensors", count);
	for (size_t i = 0; i < count; i++) {
		list[i] = want->only ? want->only[i] : i;
		if (list[i] < w->count)
			continue;
		pit_fail(err, EINVAL, "there is no tensor %zu: there are %zu", list[i], w->count);
		free(list);
		return -EINVAL;
	}
	if (want->only && count)
		qsort(list, count, sizeof(*list), by_number);
	for (size_t i = 0; i < count; i++)
		if (!kept || list[kept - 1] != list[i])
			list[kept++] = list[i];
	*ret = list;
	*ret_count = kept;
	return 0;
}

/* How much of a file is in the page cache, in per cent; -1 when the kernel does not tell. */
static int cached(int fd, uint64_t size)
{
	struct {
		uint64_t offset, len;
	} range = {.offset = 0, .len = 0};
	struct {
		uint64_t cache, dirty, writeback, evicted, recently_evicted;
	} stat = {0};

	if (!size || syscall(__NR_cachestat, fd, &range, &stat, 0))
		return -1;
	return (int)(stat.cache * (uint64_t)sysconf(_SC_PAGESIZE) * 100 / size);
}

/* What the page cache holds already is faster copied from there. */
static int look_at_file(const struct pit_weights *w, size_t file, enum pit_io_cache want, struct pit_ladder *l,
			struct pit_disk *ret, struct pit_error *err)
{
	const struct pit_weights_file *f = &w->files[file];
	bool to_close = false;
	int fd = pit_weights_file_fd(f, &to_close, err), share, rc;

	if (fd < 0)
		return fd;
	share = want == PIT_IO_CACHE_AUTO ? cached(fd, (uint64_t)f->st.st_size) : -1;
	rc = pit_disk_probe_read(fd, share >= 90 ? PIT_IO_BUFFERED : want, ret, l, err);
	if (!rc && share >= 90) {
		pit_ladder_add(l, "cache", "O_DIRECT", PIT_RUNG_UNUSED, "%d %% of the file is in the page cache",
			       share > 100 ? 100 : share);
		pit_ladder_add(l, "cache", "page cache", PIT_RUNG_TAKEN, "it holds the file already");
	}
	if (to_close)
		close(fd);
	return pit_wrap(err, rc, "%s", f->path);
}

struct planner {
	const struct pit_weights *w;
	struct pit_weights_plan plan;
	size_t room;
	uint64_t side;
	const size_t *wanted;
	size_t wanted_count;
};

/* The wanted tensors from number `from` on that make one lane; gives how many, and their bytes. */
static size_t lane_length(const struct planner *p, size_t from)
{
	uint32_t file = p->w->tensors[p->wanted[from]].file;
	uint64_t bytes = 0;
	size_t i = from;

	for (; i < p->wanted_count && p->w->tensors[p->wanted[i]].file == file; i++) {
		uint64_t more = p->w->tensors[p->wanted[i]].entry->tensor.bytes;

		if (bytes && bytes + more > PIT_WEIGHTS_LANE)
			break;
		bytes += more;
	}
	return i - from;
}

static int plan_reads(const struct planner *p, struct pit_lane *lane, struct pit_error *err)
{
	const struct pit_disk *disk = &p->plan.disks[lane->file];
	struct pit_reads_rule rule = {.align = disk->offset_align, .gap = GAP, .most = PIT_WEIGHTS_BLOCK};
	pit_auto_free struct pit_piece *pieces = reallocarray(NULL, lane->count + 1, sizeof(*pieces));
	uint64_t size = (uint64_t)p->w->files[lane->file].st.st_size;
	int rc;

	for (size_t i = 0; pieces && i < lane->count; i++)
		pieces[i] = (struct pit_piece){
			.file = lane->file,
			.offset = pit_weights_offset(p->w, lane->pieces[i].tensor),
			.len = lane->pieces[i].len,
		};
	rc = pieces ? pit_reads_plan(pieces, lane->count, &rule, &lane->reads) : -ENOMEM;
	if (rc)
		return pit_fail(err, -rc, "cannot plan the reads of %zu tensors: %s", lane->count, strerror(-rc));
	for (size_t i = 0; i < lane->count; i++)
		lane->pieces[i].at = pieces[i].at;
	for (size_t i = 0; i < lane->reads.count; i++) {
		const struct pit_read *r = &lane->reads.reads[i];

		lane->bytes += size - r->offset < r->len ? size - r->offset : r->len;
	}
	return 0;
}

static int add_lane(struct planner *p, size_t from, size_t length, struct pit_error *err)
{
	struct pit_lane *lane, *grown;

	if (p->plan.count == p->room) {
		size_t room = p->room ? p->room * 2 : 16;

		grown = reallocarray(p->plan.lanes, room, sizeof(*grown));
		if (!grown)
			return pit_fail(err, ENOMEM, "out of memory");
		p->plan.lanes = grown;
		p->room = room;
	}
	lane = &p->plan.lanes[p->plan.count++];
	*lane = (struct pit_lane){.file = p->w->tensors[p->wanted[from]].file};
	lane->pieces = reallocarray(NULL, length, sizeof(*lane->pieces));
	if (!lane->pieces)
		return pit_fail(err, ENOMEM, "no memory to plan the reads of %zu tensors", length);
	for (size_t i = 0; i < length; i++) {
		size_t n = p->wanted[from + i];
		uint64_t len = p->w->tensors[n].entry->tensor.bytes;

		if (len)
			lane->pieces[lane->count++] = (struct pit_lane_piece){.tensor = n, .len = len};
	}
	return plan_reads(p, lane, err);
}

/* Disks of the files that hold wanted tensors; shards lie on one disk as a rule, but need not. */
static int look_at_files(struct planner *p, enum pit_io_cache want, struct pit_ladder *l, struct pit_error *err)
{
	size_t last = p->w->file_count;

	p->plan.disks = calloc(p->w->file_count + 1, sizeof(*p->plan.disks));
	if (!p->plan.disks)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < p->wanted_count; i++) {
		size_t file = p->w->tensors[p->wanted[i]].file;
		int rc;

		if (file == last)
			continue;
		rc = look_at_file(p->w, file, want, l, &p->plan.disks[file], err);
		if (rc)
			return rc;
		last = file;
	}
	return 0;
}

static int plan_lanes(struct planner *p, struct pit_error *err)
{
	for (size_t from = 0, length; from < p->wanted_count; from += length) {
		struct pit_lane *lane;
		int rc;

		length = lane_length(p, from);
		rc = add_lane(p, from, length, err);
		if (rc)
			return rc;
		lane = &p->plan.lanes[p->plan.count - 1];
		p->plan.arena = pit_lane_place(lane, p->plan.arena, p->plan.disks[lane->file].mem_align, &p->side);
		p->plan.bytes += lane->bytes;
		if (p->plan.arena > INT64_MAX / 2 || p->side > INT64_MAX / 2)
			return pit_fail(err, EOVERFLOW, "more bytes than any machine has memory");
	}
	return 0;
}

/* What must lie at the end gets its place there. */
static void add_side(struct planner *p)
{
	uint64_t end = (p->plan.arena + PIT_WEIGHTS_ALIGN - 1) & ~(uint64_t)(PIT_WEIGHTS_ALIGN - 1);

	for (size_t i = 0; i < p->plan.count; i++)
		for (size_t k = 0; k < p->plan.lanes[i].count; k++) {
			struct pit_lane_piece *piece = &p->plan.lanes[i].pieces[k];

			if (piece->to & PIT_LANE_SIDE)
				piece->to = end + (piece->to & ~PIT_LANE_SIDE);
		}
	p->plan.arena = end + p->side;
}

int pit_weights_plan(const struct pit_weights *w, const struct pit_weights_want *want, struct pit_ladder *l,
		     struct pit_weights_plan *ret, struct pit_error *err)
{
	struct planner p = {.w = w};
	size_t *wanted = NULL;
	int rc = pit_weights_wanted(w, want, &wanted, &p.wanted_count, err);

	if (rc)
		return rc;
	p.wanted = wanted;
	rc = look_at_files(&p, want->io.cache, l, err);
	if (!rc)
		rc = plan_lanes(&p, err);
	free(wanted);
	if (rc) {
		pit_weights_plan_free(&p.plan);
		return rc;
	}
	add_side(&p);
	*ret = p.plan;
	return 0;
}
