/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "feed/loader.h"

#define SAMPLE_MOST (64 * 1024) /* larger ones are read as fast one by one */
#define SAMPLE_EXTRA 1024       /* what lies between samples: headers of tar */
#define STAGES 2                /* one is used while the other is read */

struct stage_op {
	struct pit_io_op io;
	struct stage *stage;
	struct pit_file *file;
};

struct stage { /* a window */
	struct pit_stages *all;
	bool used, stale;
	uint64_t serial, first, end; /* positions */
	uint32_t count;              /* samples of this rank there */
	uint64_t *positions;         /* [count], growing */
	uint32_t *firsts;            /* [count + 1], into the pieces */
	struct pit_piece *pieces;
	struct pit_reads reads;
	struct stage_op *ops; /* one for each read; NULL: this window was too large */
	size_t submitted, done;
	char *memory;
};

struct pit_stages {
	struct pit_stages_want want;
	struct pit_pool *pool;
	struct stage stage[STAGES];
	uint64_t read, reads;
};

uint64_t pit_stages_bytes(const struct pit_source *s, const struct pit_order *o, const struct pit_deal *d, uint64_t gap)
{
	uint64_t mean = pit_source_bytes(s) / o->count + 1, window, all;

	if (o->shuffle != PIT_SHUFFLE_BLOCKS || pit_source_whole(s) || mean > SAMPLE_MOST)
		return 0;
	if (__builtin_mul_overflow(o->block, o->window, &window) || window > o->count)
		window = o->count;
	if (window > UINT32_MAX)
		return 0;
	all = (uint64_t)d->batch * d->world;
	if (all > window)
		return 0;
	/* Other ranks' samples that lie between are read, too, when they are small. A quarter more: windows differ. */
	if (d->world > 1 && mean * (d->world - 1) > 2 * gap)
		window = window / d->world + d->batch;
	return window * (mean + SAMPLE_EXTRA) / 4 * 5 * STAGES + STAGES * PIT_POOL_ALIGN;
}

int pit_stages_open(const struct pit_stages_want *want, const struct pit_io_want *memory, struct pit_stages **ret,
		    struct pit_error *err)
{
	struct pit_stages *s = calloc(1, sizeof(*s));
	int rc = s ? pit_pool_open_soon(want->bytes, 0, memory, NULL, &s->pool, err)
		   : pit_fail(err, ENOMEM, "no memory for a loader");

	if (rc) {
		free(s);
		return rc;
	}
	s->want = *want;
	for (unsigned i = 0; i < STAGES; i++)
		s->stage[i].all = s;
	*ret = s;
	return 0;
}

static void drop(struct stage *g)
{
	struct pit_stages *all = g->all;

	pit_pool_put(all->pool, g->memory);
	pit_reads_free(&g->reads);
	free(g->positions);
	free(g->firsts);
	free(g->pieces);
	free(g->ops);
	*g = (struct stage){.all = all};
}

void pit_stages_close(struct pit_stages *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < STAGES; i++)
		drop(s->stage + i);
	pit_pool_unref(s->pool);
	free(s);
}

static bool is_done(const struct stage *g)
{
	return !g->ops || g->done == g->reads.count;
}

/* Calls for each position of this rank in the window, from batch `number` on. */
static uint32_t list_positions(const struct pit_leg *leg, uint64_t number, uint64_t first, uint64_t end, uint64_t *ret)
{
	uint64_t at;
	uint32_t n, count = 0;

	for (; pit_deal_batch(&leg->deal, number, &at, &n) && at < end; number++)
		for (uint32_t i = 0; i < n; i++)
			if (at + i >= first && at + i < end) {
				if (ret)
					ret[count] = at + i;
				count++;
			}
	return count;
}

static int list_pieces(struct stage *g, const struct pit_leg *leg)
{
	const struct pit_source *s = g->all->want.source;
	uint64_t parts = 0;

	for (uint32_t i = 0; i < g->count; i++) {
		parts += pit_source_parts(s, pit_order_sample(&leg->order, g->positions[i]));
		if (parts > UINT32_MAX)
			return -EOVERFLOW;
		g->firsts[i + 1] = parts;
	}
	g->pieces = calloc(parts + 1, sizeof(*g->pieces));
	if (!g->pieces)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->count; i++)
		for (uint32_t p = g->firsts[i]; p < g->firsts[i + 1]; p++) {
			struct pit_extent e;

			pit_source_extent(s, pit_order_sample(&leg->order, g->positions[i]), p - g->firsts[i], &e);
			g->pieces[p] = (struct pit_piece){.file = e.file, .offset = e.offset, .len = e.len};
		}
	return 0;
}

static void op_done(struct pit_io_op *io)
{
	struct stage_op *op = (struct stage_op *)io;
	struct pit_stages *s = op->stage->all;

	if (op->file)
		pit_files_put(s->want.mode->files, op->file);
	op->file = NULL;
	op->stage->done++;
	s->reads++;
	if (io->res > 0)
		s->read += io->res;
}

static int make_reads(struct stage *g)
{
	const struct pit_stages_want *w = &g->all->want;
	struct pit_reads_rule rule = {.align = w->mode->align, .gap = w->gap, .most = w->most};
	int rc = pit_reads_plan(g->pieces, g->firsts[g->count], &rule, &g->reads);

	if (!rc)
		g->memory = pit_pool_get(g->all->pool, g->reads.bytes);
	if (rc || !g->memory)
		return rc ? rc : -ENOMEM;
	g->ops = calloc(g->reads.count + 1, sizeof(*g->ops));
	if (!g->ops)
		return -ENOMEM;
	for (size_t i = 0; i < g->reads.count; i++) {
		const struct pit_read *read = g->reads.reads + i;

		g->ops[i].stage = g;
		g->ops[i].io = (struct pit_io_op){
			.kind = PIT_IO_READ,
			.dontcache = w->mode->dontcache,
			.buf = g->memory + read->at,
			.len = read->len,
			.enough = read->need,
			.offset = read->offset,
			.done = op_done,
		};
	}
	return 0;
}

/* A window that cannot be had remains as one without any samples: batches then read theirs themselves. */
static void begin(struct stage *g, const struct pit_leg *leg, uint64_t number, uint64_t first, uint64_t end)
{
	uint32_t count = list_positions(leg, number, first, end, NULL);
	int rc;

	g->used = true;
	g->serial = leg->serial;
	g->first = first;
	g->end = end;
	g->count = count;
	g->positions = calloc(count + 1, sizeof(*g->positions));
	g->firsts = calloc(count + 1, sizeof(*g->firsts));
	rc = g->positions && g->firsts ? 0 : -ENOMEM;
	if (!rc) {
		list_positions(leg, number, first, end, g->positions);
		rc = list_pieces(g, leg);
	}
	if (!rc)
		rc = make_reads(g);
	if (rc) {
		struct stage none = {
			.all = g->all, .used = true, .serial = g->serial, .first = g->first, .end = g->end};

		drop(g);
		*g = none;
	}
}

static struct stage *find(const struct pit_stages *s, uint64_t serial, uint64_t position)
{
	for (unsigned i = 0; i < STAGES; i++) {
		const struct stage *g = s->stage + i;

		if (g->used && g->serial == serial && position >= g->first && position < g->end)
			return (struct stage *)g;
	}
	return NULL;
}

/* Nobody needs it any more, and nothing of it is under way: what was not submitted never will be. */
static bool is_over(struct stage *g, uint64_t serial, uint64_t position)
{
	g->stale = g->serial != serial || position >= g->end;
	return g->stale && (!g->ops || g->done == g->submitted);
}

static struct stage *free_slot(struct pit_stages *s)
{
	for (unsigned i = 0; i < STAGES; i++)
		if (!s->stage[i].used)
			return s->stage + i;
	return NULL;
}

void pit_stages_step(struct pit_stages *s, const struct pit_leg *leg, uint64_t number)
{
	uint64_t position, first, end;
	uint32_t n;

	if (!pit_deal_batch(&leg->deal, number, &position, &n))
		position = UINT64_MAX;
	for (unsigned i = 0; i < STAGES; i++)
		if (s->stage[i].used && is_over(s->stage + i, leg->serial, position))
			drop(s->stage + i);
	for (unsigned i = 0; i < STAGES && position < leg->order.count; i++) {
		struct stage *slot = free_slot(s);

		pit_order_window(&leg->order, position, &first, &end);
		if (!find(s, leg->serial, position) && slot)
			begin(slot, leg, number, first, end);
		position = end;
	}
}

static bool submit(struct pit_stages *s, struct stage *g, struct stage_op *op)
{
	const struct pit_stages_want *w = &s->want;
	int rc = pit_files_get(w->mode->files, &w->mode->disk, g->reads.reads[op - g->ops].file, &op->file);

	if (rc == -EBUSY)
		return false;
	g->submitted++;
	op->io.res = rc;
	if (rc) {
		op_done(&op->io);
	} else {
		op->io.fd = op->file->fd;
		pit_io_submit(w->io, &op->io);
	}
	return true;
}

static struct stage *unsubmitted(struct pit_stages *s)
{
	struct stage *best = NULL;

	for (unsigned i = 0; i < STAGES; i++) {
		struct stage *g = s->stage + i;

		if (g->used && !g->stale && g->ops && g->submitted < g->reads.count &&
		    (!best || g->serial < best->serial || (g->serial == best->serial && g->first < best->first)))
			best = g;
	}
	return best;
}

bool pit_stages_submit(struct pit_stages *s, unsigned most)
{
	struct stage *g;

	while ((g = unsubmitted(s)))
		if (pit_io_pending(s->want.io) >= most || !submit(s, g, g->ops + g->submitted))
			return false;
	return true;
}

bool pit_stages_ready(const struct pit_stages *s, const struct pit_leg *leg, uint64_t number)
{
	uint64_t position, end;
	uint32_t n;

	if (!pit_deal_batch(&leg->deal, number, &position, &n))
		return true;
	end = position + n < leg->order.count ? position + n : leg->order.count;
	while (position < end) {
		const struct stage *g = find(s, leg->serial, position);

		if (!g || !is_done(g))
			return false;
		position = g->end;
	}
	return true;
}

static int by_number(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

/* Whether the reads brought all of a piece. */
static bool is_there(const struct stage *g, const struct pit_piece *piece)
{
	for (size_t i = pit_reads_find(&g->reads, piece->at);
	     i < g->reads.count && g->reads.reads[i].at < piece->at + piece->len; i++) {
		const struct pit_read *read = g->reads.reads + i;
		uint64_t end = piece->at + piece->len, read_end = read->at + read->len;
		int64_t res = g->ops[i].io.res;

		if (res < 0 || read->at + res < (end < read_end ? end : read_end))
			return false;
	}
	return true;
}

bool pit_stages_get(struct pit_stages *s, uint64_t serial, uint64_t position, unsigned part, void *to, uint64_t len)
{
	const struct stage *g = find(s, serial, position);
	const uint64_t *at = g && g->ops && is_done(g)
				     ? bsearch(&position, g->positions, g->count, sizeof(position), by_number)
				     : NULL;
	const struct pit_piece *piece;

	if (!at)
		return false;
	piece = g->pieces + g->firsts[at - g->positions] + part;
	if (piece->len != len || !is_there(g, piece))
		return false;
	memcpy(to, g->memory + piece->at, len);
	return true;
}

void pit_stages_count(struct pit_stages *s, uint64_t *ret_bytes, uint64_t *ret_reads)
{
	*ret_bytes = s->read;
	*ret_reads = s->reads;
	s->read = s->reads = 0;
}
