/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "feed/reads.h"

#define END_MOST (INT64_MAX - (UINT64_C(1) << 32)) /* of a file, and room for widening */

struct run { /* bytes of a file that are read without a hole */
	uint32_t file;
	uint64_t begin, end; /* begin is aligned */
	uint64_t at;
};

struct plan {
	const struct pit_reads_rule *rule;
	struct pit_reads out;
	size_t room;
};

static int by_place(const void *x, const void *y)
{
	const struct pit_piece *a = *(struct pit_piece *const *)x, *b = *(struct pit_piece *const *)y;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return (a > b) - (a < b);
}

static uint64_t up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

static int add_read(struct plan *p, const struct pit_read *r)
{
	if (p->out.count == p->room) {
		size_t room = p->room ? p->room * 2 : 16;
		struct pit_read *more = reallocarray(p->out.reads, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->out.reads = more;
		p->room = room;
	}
	p->out.reads[p->out.count++] = *r;
	return 0;
}

/* Cuts the run, which is complete, into reads. */
static int end_run(struct plan *p, const struct run *run)
{
	uint64_t align = p->rule->align, end = up(run->end, align);
	uint64_t most = p->rule->most & ~(align - 1);
	int rc = 0;

	if (!p->rule->most)
		most = UINT64_MAX;
	else if (!most)
		most = align;
	for (uint64_t offset = run->begin; !rc && offset < end;) {
		uint64_t len = end - offset < most ? end - offset : most;

		rc = add_read(p, &(struct pit_read){
					 .file = run->file,
					 .offset = offset,
					 .len = len,
					 .need = offset + len > run->end ? run->end - offset : len,
					 .at = run->at + (offset - run->begin),
				 });
		offset += len;
	}
	if (end - run->begin > END_MOST - run->at)
		return -EOVERFLOW;
	p->out.bytes = run->at + (end - run->begin);
	return rc;
}

static bool joins(const struct run *run, const struct pit_piece *piece, const struct pit_reads_rule *rule)
{
	if (rule->apart || run->begin == run->end || run->file != piece->file || piece->offset < run->begin)
		return false;
	return piece->offset <= run->end || piece->offset - run->end <= rule->gap;
}

static int add_piece(struct plan *p, struct run *run, struct pit_piece *piece)
{
	int rc = 0;

	if (piece->offset > END_MOST || piece->len > END_MOST - piece->offset)
		return -EOVERFLOW;
	if (!piece->len) {
		piece->at = p->out.bytes;
		return 0;
	}
	if (!joins(run, piece, p->rule)) {
		rc = end_run(p, run);
		if (p->rule->pad)
			p->out.bytes = up(p->out.bytes, p->rule->pad);
		*run = (struct run){
			.file = piece->file,
			.begin = piece->offset & ~((uint64_t)p->rule->align - 1),
			.end = piece->offset,
			.at = p->out.bytes,
		};
	}
	piece->at = run->at + (piece->offset - run->begin);
	if (piece->offset + piece->len > run->end)
		run->end = piece->offset + piece->len;
	return rc;
}

static struct pit_piece **sorted(struct pit_piece *pieces, size_t count)
{
	struct pit_piece **list = reallocarray(NULL, count + 1, sizeof(struct pit_piece *));

	for (size_t i = 0; list && i < count; i++)
		list[i] = pieces + i;
	if (list)
		qsort(list, count, sizeof(struct pit_piece *), by_place);
	return list;
}

int pit_reads_plan(struct pit_piece *pieces, size_t count, const struct pit_reads_rule *rule, struct pit_reads *ret)
{
	struct plan p = {.rule = rule};
	pit_auto_free struct pit_piece **list = NULL;
	struct run run = {0};
	int rc = 0;

	if (!rule->keep_order) {
		list = sorted(pieces, count);
		if (!list)
			return -ENOMEM;
	}
	for (size_t i = 0; !rc && i < count; i++)
		rc = add_piece(&p, &run, list ? list[i] : pieces + i);
	if (!rc)
		rc = end_run(&p, &run);
	if (rc)
		free(p.out.reads);
	else
		*ret = p.out;
	return rc;
}

void pit_reads_free(struct pit_reads *r)
{
	free(r->reads);
	*r = (struct pit_reads){0};
}

size_t pit_reads_find(const struct pit_reads *r, uint64_t at)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->reads[middle].at + r->reads[middle].len <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
