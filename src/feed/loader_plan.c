/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "feed/loader.h"

static uint64_t up(uint64_t n, uint64_t align)
{
	return (n + align - 1) / align * align;
}

void pit_load_free(struct pit_load *load)
{
	if (!load)
		return;
	if (load->mode)
		pit_modes_put(&load->reader->modes, load->mode);
	pit_reads_free(&load->reads);
	free(load->samples);
	free(load->firsts);
	free(load->extents);
	free(load->pieces);
	free(load->cached);
	free(load->ops);
	free(load);
}

/* Which samples, and how many parts they have. */
static int list_samples(struct pit_load *load, uint64_t first)
{
	const struct pit_reader *r = load->reader;
	const struct pit_source *s = r->loader->source;
	uint64_t parts = 0;

	load->samples = calloc(load->count, sizeof(*load->samples));
	load->firsts = calloc(load->count + 1, sizeof(*load->firsts));
	if (!load->samples || !load->firsts)
		return -ENOMEM;
	for (uint32_t i = 0; i < load->count; i++) {
		load->samples[i] = pit_order_sample(&r->leg.order, (first + i) % r->leg.deal.count);
		parts += pit_source_parts(s, load->samples[i]);
		if (parts >= UINT32_MAX)
			return -EOVERFLOW;
		load->firsts[i + 1] = parts;
	}
	load->parts = parts;
	return 0;
}

static int list_parts(struct pit_load *load)
{
	const struct pit_source *s = load->reader->loader->source;

	load->extents = calloc(load->parts + 1, sizeof(*load->extents));
	load->pieces = calloc(load->parts + 1, sizeof(*load->pieces));
	load->cached = calloc(load->parts + 1, sizeof(*load->cached));
	if (!load->extents || !load->pieces || !load->cached)
		return -ENOMEM;
	for (uint32_t i = 0; i < load->count; i++)
		for (uint32_t p = load->firsts[i]; p < load->firsts[i + 1]; p++) {
			struct pit_extent *e = load->extents + p;

			pit_source_extent(s, load->samples[i], p - load->firsts[i], e);
			load->pieces[p] = (struct pit_piece){.file = e->file, .offset = e->offset, .len = e->len};
		}
	return 0;
}

static struct pit_batch_want batch_want(const struct pit_load *load)
{
	return (struct pit_batch_want){
		.source = load->reader->loader->source,
		.position = load->position,
		.count = load->count,
		.parts = load->parts,
		.samples = load->samples,
		.firsts = load->firsts,
		.extents = load->extents,
	};
}

/* Where everything comes to lie: the description, then the data. */
static int lay_out(struct pit_load *load)
{
	struct pit_reads_rule rule = load->reader->rule;
	struct pit_batch_want want = batch_want(load);
	uint64_t description = pit_batch_describe_size(&want);
	int rc;

	if (!description)
		return -EOVERFLOW;
	rule.align = load->mode->align;
	/* What a stage has got must not be spoilt by a read that fails for its neighbour. */
	rule.apart = load->reader->stages;
	rule.pad = rule.pad > rule.align ? rule.pad : rule.align;
	rc = pit_reads_plan(load->pieces, load->parts, &rule, &load->reads);
	if (rc)
		return rc;
	load->data = up(description, rule.pad > 64 ? rule.pad : 64);
	load->bytes = load->data + load->reads.bytes;
	return 0;
}

struct pit_load *pit_load_plan(struct pit_reader *r, int *ret_rc)
{
	struct pit_load *load = calloc(1, sizeof(*load));
	uint64_t first = 0;
	int rc = load ? 0 : -ENOMEM;

	if (!rc) {
		load->reader = r;
		load->serial = r->leg.serial;
		load->number = r->number;
		pit_deal_batch(&r->leg.deal, r->number, &first, &load->count);
		load->position = first;
		load->mode = pit_modes_next(&r->modes);
		rc = list_samples(load, first);
	}
	if (!rc)
		rc = list_parts(load);
	if (!rc)
		rc = lay_out(load);
	if (!rc)
		return load;
	pit_load_free(load);
	*ret_rc = rc;
	return NULL;
}

static void need_reads(struct pit_load *load, const struct pit_piece *piece)
{
	for (size_t i = pit_reads_find(&load->reads, piece->at);
	     i < load->reads.count && load->reads.reads[i].at < piece->at + piece->len; i++)
		load->ops[i].needed = true;
}

static bool is_staged(const struct pit_load *load, uint32_t i, uint32_t p)
{
	const struct pit_piece *piece = load->pieces + p;
	void *data = pit_batch_at(load->batch->head, load->data + piece->at);

	return load->reader->stages && pit_stages_get(load->reader->stages, load->serial, load->position + i,
						      p - load->firsts[i], data, piece->len);
}

static void expect_cached(struct pit_load *load)
{
	struct pit_sample_cache *c = load->reader->loader->cache;
	uint64_t key;

	for (uint32_t i = 0; i < load->count; i++)
		for (uint32_t p = load->firsts[i]; p < load->firsts[i + 1]; p++)
			if (pit_cache_key(load->samples[i], p - load->firsts[i], &key))
				pit_sample_cache_expect(c, key, load->pieces[p].len);
}

bool pit_load_from_cache(struct pit_load *load, uint32_t i, uint32_t p)
{
	struct pit_sample_cache *c = load->reader->loader->cache;
	const struct pit_piece *piece = load->pieces + p;
	void *data = pit_batch_at(load->batch->head, load->data + piece->at);
	uint64_t key;

	return c && piece->len && pit_cache_key(load->samples[i], p - load->firsts[i], &key) &&
	       pit_sample_cache_get(c, key, data, piece->len) == 1;
}

/* Puts the part to its place when a stage or the sample cache has got it. */
static bool is_had(struct pit_load *load, uint32_t i, uint32_t p)
{
	struct pit_batch *b = load->batch;

	if (!load->pieces[p].len)
		return false;
	if (is_staged(load, i, p))
		return true;
	if (!load->reader->loader->cache)
		return false;
	b->cache_requests++;
	if (!pit_load_from_cache(load, i, p))
		return false;
	b->cache_hits++;
	b->cache_hit_bytes += load->pieces[p].len;
	return true;
}

static void ask_cache(struct pit_load *load)
{
	if (load->reader->loader->cache)
		expect_cached(load);
	for (uint32_t i = 0; i < load->count; i++)
		for (uint32_t p = load->firsts[i]; p < load->firsts[i + 1]; p++) {
			load->cached[p] = is_had(load, i, p);
			if (!load->cached[p])
				need_reads(load, load->pieces + p);
		}
}

static void finish(struct pit_load *load)
{
	struct pit_reader *r = load->reader;

	load->next = NULL;
	*r->finished_end = load;
	r->finished_end = &load->next;
}

void pit_load_done(struct pit_load *load, size_t count)
{
	load->done += count;
	if (load->done == load->reads.count)
		finish(load);
}

static void op_done(struct pit_io_op *io)
{
	struct pit_op *op = (struct pit_op *)io;
	struct pit_load *load = op->load;
	struct pit_reader *r = load->reader;
	const struct pit_read *read = load->reads.reads + (op - load->ops);

	if (op->file)
		pit_files_put(load->mode->files, op->file);
	op->file = NULL;
	r->reads++;
	if (io->res > 0) {
		load->read += io->res;
		r->read += io->res;
	}
	if (io->res < 0 || (uint64_t)io->res < read->need)
		load->trouble = true;
	pit_load_done(load, 1);
}

static void make_ops(struct pit_load *load, char *data)
{
	const struct pit_source *s = load->reader->loader->source;
	bool by_path = load->reader->by_path;

	for (size_t i = 0; i < load->reads.count; i++) {
		const struct pit_read *read = load->reads.reads + i;

		load->ops[i].load = load;
		load->ops[i].io = (struct pit_io_op){
			.kind = by_path ? PIT_IO_FILE : PIT_IO_READ,
			.fd = pit_source_dir(s),
			.path = pit_source_file(s, read->file),
			.flags = load->mode->direct ? O_DIRECT : 0,
			.dontcache = load->mode->dontcache,
			.waits = load->mode->disk.waits,
			.buf = data + read->at,
			.len = read->len,
			.enough = read->need,
			.offset = read->offset,
			.done = op_done,
		};
	}
}

static void place_parts(struct pit_load *load, struct pit_batch_head *h)
{
	struct pit_batch_entry *entries = pit_batch_at(h, h->entries);

	for (uint32_t p = 0; p < load->parts; p++)
		entries[p].at = load->data + load->pieces[p].at;
}

int pit_load_start(struct pit_load *load, bool large, struct pit_error *err)
{
	struct pit_loader *l = load->reader->loader;
	struct pit_batch_want want = batch_want(load);
	char *data;
	int rc;

	if (!load->ops)
		load->ops = calloc(load->reads.count + 1, sizeof(*load->ops));
	if (!load->ops)
		return -ENOMEM;
	rc = pit_store_get(l->store, load->bytes, large, &load->batch, err);
	if (rc)
		return rc;
	load->batch->serial = load->serial;
	load->batch->number = load->number;
	pit_batch_describe(&want, load->bytes, load->batch->head);
	place_parts(load, load->batch->head);
	data = pit_batch_at(load->batch->head, load->data);
	make_ops(load, data);
	ask_cache(load);
	return 0;
}
