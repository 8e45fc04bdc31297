/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "feed/loader.h"

struct verdict {   /* on a batch */
	bool *bad; /* [count] */
	uint32_t bads;
	struct pit_error first;
};

static void note_failure(struct pit_loader *l, const char *text)
{
	pthread_mutex_lock(&l->lock);
	l->stats.failed++;
	if (l->failed < PIT_FAILED_MOST) {
		l->failures[l->failed] = strdup(text);
		if (l->failures[l->failed])
			l->failed++;
	}
	pthread_mutex_unlock(&l->lock);
}

/* Names the sample, and the part and the file where these say more. */
static int name_it(const struct pit_load *load, uint32_t i, uint32_t p, struct pit_error *err, int code,
		   const char *reason)
{
	const struct pit_source *s = load->reader->loader->source;
	const char *name = pit_source_name(s, load->samples[i]);
	char file[300];

	pit_source_show(s, load->extents[p].file, file, sizeof(file));

	if (pit_source_whole(s) || !name || !*name)
		return pit_fail(err, code, "sample %" PRIu64 ": %s %s", load->samples[i], file, reason);
	return pit_fail(err, code, "sample %" PRIu64 " (%s): %s %s", load->samples[i], name, file, reason);
}

/* A read behind the end does not tell where that is. */
static void say_short(const struct pit_load *load, const struct pit_read *read, const struct pit_piece *piece,
		      uint64_t res, char *why, size_t size)
{
	const struct pit_source *s = load->reader->loader->source;
	uint64_t end = read->offset + res;
	struct stat st;

	if (!res && !fstatat(pit_source_dir(s), pit_source_file(s, read->file), &st, 0) && (uint64_t)st.st_size < end)
		end = st.st_size;
	snprintf(why, size, "is shorter than when it was listed: it ends at byte %" PRIu64 " of %" PRIu64, end,
		 piece->offset + piece->len);
}

static int check_read(const struct pit_load *load, size_t k, uint32_t i, uint32_t p, struct pit_error *err)
{
	const struct pit_read *read = load->reads.reads + k;
	const struct pit_piece *piece = load->pieces + p;
	uint64_t end = piece->at + piece->len, read_end = read->at + read->len;
	int64_t res = load->ops[k].io.res;
	char why[160];

	if (res < 0) {
		snprintf(why, sizeof(why), "cannot be read: %s",
			 res == -ESPIPE || res == -ENXIO ? "it is no regular file any more" : strerror(-res));
		return name_it(load, i, p, err, -res, why);
	}
	if (read->at + res >= (end < read_end ? end : read_end))
		return 0;
	say_short(load, read, piece, res, why, sizeof(why));
	return name_it(load, i, p, err, ENODATA, why);
}

/* Whether all reads of this part brought what it needs. */
static int check_reads(const struct pit_load *load, uint32_t i, uint32_t p, struct pit_error *err)
{
	const struct pit_piece *piece = load->pieces + p;
	size_t k = pit_reads_find(&load->reads, piece->at);
	int rc = 0;

	for (; !rc && k < load->reads.count && load->reads.reads[k].at < piece->at + piece->len; k++)
		rc = check_read(load, k, i, p, err);
	return rc;
}

static int check_sum(const struct pit_load *load, uint32_t i, uint32_t p, struct pit_error *err)
{
	const struct pit_extent *e = load->extents + p;
	uint64_t sum;
	char why[96];

	if (!load->reader->loader->check || !e->has_sum)
		return 0;
	sum = XXH3_64bits(pit_batch_at(load->batch->head, load->data + load->pieces[p].at), e->len);
	if (sum == e->sum)
		return 0;
	snprintf(why, sizeof(why), "has changed: its checksum is %016" PRIx64 ", not %016" PRIx64, sum, e->sum);
	return name_it(load, i, p, err, EBADMSG, why);
}

static int check_sample(struct pit_load *load, uint32_t i, struct pit_error *err)
{
	int rc = 0;

	for (uint32_t p = load->firsts[i]; !rc && p < load->firsts[i + 1]; p++) {
		if (load->trouble && load->pieces[p].len)
			rc = check_reads(load, i, p, err);
		if (rc && load->cached[p] && pit_load_from_cache(load, i, p)) /* a read for others went over it */
			rc = 0;
		if (!rc)
			rc = check_sum(load, i, p, err);
	}
	return rc;
}

static void keep_sample(const struct pit_load *load, uint32_t i)
{
	struct pit_sample_cache *c = load->reader->loader->cache;

	uint64_t key;

	for (uint32_t p = load->firsts[i]; c && p < load->firsts[i + 1]; p++)
		if (!load->cached[p] && load->pieces[p].len &&
		    pit_cache_key(load->samples[i], p - load->firsts[i], &key))
			pit_sample_cache_put(c, key, pit_batch_at(load->batch->head, load->data + load->pieces[p].at),
					     load->pieces[p].len);
}

static void judge(struct pit_load *load, struct verdict *v)
{
	for (uint32_t i = 0; i < load->count; i++) {
		struct pit_error err = PIT_ERROR_INIT;

		if (!check_sample(load, i, &err)) {
			keep_sample(load, i);
			continue;
		}
		if (!v->bads++)
			v->first = err;
		v->bad[i] = true;
		note_failure(load->reader->loader, err.text);
	}
}

/* Each bad sample becomes the next good one; there is one. */
static void substitute(struct pit_load *load, const struct verdict *v)
{
	for (uint32_t i = 0; i < load->count; i++) {
		uint32_t from = i;

		while (v->bad[from])
			from = (from + 1) % load->count;
		if (from != i)
			pit_batch_substitute(load->batch->head, i, from);
	}
}

/* What becomes of the batch: 0, or what pit_loader_next() will say. */
static int settle(struct pit_load *load, const struct verdict *v, struct pit_error *err)
{
	struct pit_loader *l = load->reader->loader;

	if (!v->bads)
		return 0;
	if (l->on_error == PIT_ERROR_SKIP) {
		pit_batch_compact(load->batch->head, v->bad);
		return 0;
	}
	if (l->on_error == PIT_ERROR_SUBSTITUTE && v->bads < load->count) {
		substitute(load, v);
		pthread_mutex_lock(&l->lock);
		l->stats.substituted += v->bads;
		pthread_mutex_unlock(&l->lock);
		return 0;
	}
	*err = v->first;
	return -v->first.code;
}

static void hand_over(struct pit_load *load, int rc, const struct pit_error *err)
{
	struct pit_batch *b = load->batch;
	struct pit_loader *l = load->reader->loader;
	bool orphan;

	pthread_mutex_lock(&l->lock);
	l->stats.read_bytes += load->read;
	orphan = atomic_load(&b->orphan);
	if (!orphan) {
		b->done = true;
		b->rc = rc;
		b->err = *err;
		pthread_cond_broadcast(&l->ready);
	}
	pthread_mutex_unlock(&l->lock);
	if (orphan)
		pit_store_put(l->store, b);
}

static void note_mode(struct pit_load *load)
{
	struct pit_loader *l = load->reader->loader;
	struct pit_ladder *later;

	if (!load->read || load->trouble || load->reader->modes.count < 2)
		return;
	pthread_mutex_lock(&l->lock);
	later = pit_loader_next_ladder(l);
	if (pit_modes_note(&load->reader->modes, load->mode, load->read, pit_now(), later))
		atomic_store(&l->ladder, later);
	pthread_mutex_unlock(&l->lock);
}

void pit_load_finish(struct pit_load *load)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct verdict v = {.bad = NULL};
	pit_auto_free bool *bad = calloc(load->count, sizeof(*bad));
	int rc = bad ? 0 : pit_fail(&err, ENOMEM, "no memory to look at a batch");

	note_mode(load);
	v.bad = bad;
	if (!rc && !atomic_load(&load->batch->orphan)) {
		judge(load, &v);
		rc = settle(load, &v, &err);
	}
	hand_over(load, rc, &err);
	load->reader->loads--;
	pit_load_free(load);
}
