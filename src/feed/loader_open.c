/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "feed/ladder.h"
#include "feed/loader.h"
#include "feed/thread.h"

#define MIB (UINT64_C(1) << 20)
#define FIRST (8 * MIB) /* of memory, there before reading begins */
#define BATCHES 4       /* read ahead and in use, when nothing else is wanted (docs/decisions/0014) */
#define MEMORY_LEAST (32 * MIB)
#define DESCRIBED 256 /* bytes that say what a sample is: its name, its parts */
#define DEPTH_START 32
#define DEPTH_MOST 256
#define DEPTH_LEAST 8
#define IN_FLIGHT (16 * MIB)
#define READ_MOST (4 * MIB) /* longer ones are several at once */
#define SMALL_READ (32 * 1024)
#define GAP (32 * 1024)           /* bytes that are cheaper to read than a request of their own */
#define ALIGN_IN_MEMORY 64        /* of samples, where O_DIRECT does not want more */
#define FILES_KEPT 1024           /* of more files each is opened for each read */
#define PATIENCE (10000 * PIT_MS) /* longer than a step that holds batches in another thread */
#define BATCH_MOST (1 << 24)      /* samples: a batch's description has 32 bits for its places */
#define BLOCK 256
#define WINDOW 16

int pit_loader_enter(const struct pit_loader *l, struct pit_error *err)
{
	if (l->pid == getpid())
		return 0;
	return pit_fail(
		err, EINVAL,
		"this process is a fork of the one that opened the loader: open one here, or have batches handed "
		"over (pit_batch_export)");
}

void pit_leg_init(const struct pit_loader *l, const struct pit_order *order, uint64_t start, struct pit_leg *ret)
{
	struct pit_leg leg = {
		.order = *order,
		.deal =
			{
				.count = order->count,
				.start = start,
				.batch = l->batch,
				.rank = l->rank,
				.world = l->world,
				.tail = l->tail,
			},
	};

	leg.batches = pit_deal_batches(&leg.deal);
	*ret = leg;
}

static int check_want(const struct pit_source *s, const struct pit_loader_want *w, struct pit_error *err)
{
	uint32_t world = w->world ? w->world : 1;

	if (w->rank >= world)
		return pit_fail(err, EINVAL, "rank %u is none of a world of %u", w->rank, world);
	if (w->batch > BATCH_MOST)
		return pit_fail(err, EINVAL, "a batch of %u samples is larger than %d", w->batch, BATCH_MOST);
	if (w->io.depth > 4096 || w->io.threads > 256)
		return pit_fail(err, EINVAL, "depth is 1 to 4096 and threads are 1 to 256, not %u and %u", w->io.depth,
				w->io.threads);
	if (w->shuffle > PIT_SHUFFLE_NONE || w->tail > PIT_TAIL_PAD || w->on_error > PIT_ERROR_SUBSTITUTE ||
	    w->cache_policy >= PIT_POLICIES)
		return pit_fail(err, EINVAL, "shuffle, tail, on_error or cache_policy is no such value");
	if (!pit_source_count(s))
		return pit_fail(err, ENOENT, "the source has no samples");
	return 0;
}

/* Bytes of an average sample in memory: past the page cache each begins and ends where the disk wants it. */
static uint64_t sample_memory(const struct pit_loader *l)
{
	uint64_t align = ALIGN_IN_MEMORY;

	for (unsigned i = 0; i < l->reader.modes.count; i++)
		if (l->reader.modes.mode[i].align > align)
			align = l->reader.modes.mode[i].align;
	return pit_source_bytes(l->source) / pit_source_count(l->source) + align + DESCRIBED;
}

/* Some batches of average samples: no larger than the epoch has them, and of no more than two epochs. */
static uint64_t batches_memory(const struct pit_loader *l)
{
	uint64_t first, bytes, batches = l->leg.batches < BATCHES / 2 ? 2 * l->leg.batches : BATCHES;
	uint32_t samples = 0;

	if (!pit_deal_batch(&l->leg.deal, 0, &first, &samples) || !samples)
		return 0;
	return __builtin_mul_overflow(sample_memory(l), batches * samples, &bytes) ? UINT64_MAX / 8 : bytes;
}

/* Bytes of pool: what was asked for, or what some batches need. */
static uint64_t choose_memory(const struct pit_loader *l, const struct pit_loader_want *w)
{
	uint64_t available = pit_pool_available(), n = w->memory;

	if (n > l->stage_bytes)
		n -= l->stage_bytes;
	if (n)
		return n < 2 * PIT_POOL_ALIGN ? 2 * PIT_POOL_ALIGN : n;
	n = batches_memory(l);
	if (n < MEMORY_LEAST)
		n = MEMORY_LEAST;
	if (available && n > available / 4)
		n = available / 4;
	return n > 2 * PIT_POOL_ALIGN ? n : 2 * PIT_POOL_ALIGN;
}

/* Registered buffers save work for many small reads past the page cache; for others the first batch would only wait
 * until all memory is there. */
static bool is_registered(const struct pit_loader *l, const struct pit_loader_want *w)
{
	uint64_t mean = pit_source_bytes(l->source) / pit_source_count(l->source);
	bool direct = false;

	for (unsigned i = 0; i < l->reader.modes.count; i++)
		direct |= l->reader.modes.mode[i].direct;
	return w->io.engine == PIT_ENGINE_URING_FIXED || (direct && mean <= SMALL_READ && !l->stage_bytes);
}

/* The first batch shall not wait for memory that is for later ones; but what is registered has to be there. */
static int open_memory(struct pit_loader *l, const struct pit_loader_want *w, struct pit_error *err)
{
	uint64_t bytes = choose_memory(l, w);
	struct pit_pool *pool = NULL;
	int rc = pit_pool_open_soon(bytes, is_registered(l, w) ? bytes : FIRST, &w->io, l->ladders, &pool, err);

	if (rc)
		return rc;
	rc = pit_store_open(pool, &l->store);
	return rc ? pit_fail(err, -rc, "no memory for a loader") : 0;
}

/* Long reads for whole windows, when half of the memory, or an eighth of what is available, holds two of them. There is
 * nothing to be measured then: past the page cache is best. */
static void choose_stages(struct pit_loader *l, const struct pit_loader_want *w)
{
	uint64_t bytes = l->reader.by_path ? 0 : pit_stages_bytes(l->source, &l->leg.order, &l->leg.deal, GAP);
	uint64_t most = w->memory ? w->memory / 2 : pit_pool_available() / 8;
	char size[32];

	if (!bytes || bytes > most)
		return;
	l->stage_bytes = bytes;
	pit_modes_settle(&l->reader.modes);
	pit_ladder_add(l->ladders, "reads", "whole windows", PIT_RUNG_TAKEN, "%s for two of them",
		       pit_format_size(bytes, size, sizeof(size)));
}

static int open_stages(struct pit_loader *l, const struct pit_loader_want *w, struct pit_error *err)
{
	struct pit_reader *r = &l->reader;
	struct pit_stages_want want = {
		.source = l->source,
		.io = r->io,
		.mode = r->modes.mode,
		.gap = GAP,
		.most = READ_MOST,
		.bytes = l->stage_bytes,
	};

	return l->stage_bytes ? pit_stages_open(&want, &w->io, &r->stages, err) : 0;
}

/* A cache in memory that holds all samples never evicts one, and needs no more than they do. */
static int open_cache(struct pit_loader *l, const struct pit_loader_want *w, struct pit_error *err)
{
	uint64_t bytes = pit_source_bytes(l->source);
	enum pit_policy policy = w->cache_policy;
	char size[32];
	int rc;

	if (!w->cache_bytes)
		return 0;
	l->cache_bytes = w->cache_bytes;
	if (!w->cache_dir && l->cache_bytes >= bytes) {
		l->cache_bytes = bytes ? bytes : 1;
		policy = PIT_POLICY_FILL_ONCE;
	}
	rc = pit_sample_cache_open(policy, l->cache_bytes, w->cache_dir, pit_source_version(l->source), &l->cache, err);
	if (!rc)
		pit_ladder_add(l->ladders, PIT_LADDER_SAMPLES, w->cache_dir ? "directory" : "memory", PIT_RUNG_TAKEN,
			       "%s", pit_format_size(l->cache_bytes, size, sizeof(size)));
	return rc;
}

/* Files that are being opened are descriptors, unless the ring has slots for them: a quarter of all is enough. */
static unsigned spared_files(const struct pit_reader *r)
{
	struct rlimit limit;

	if (!r->by_path || pit_io_engine_of(r->io) != PIT_ENGINE_URING || getrlimit(RLIMIT_NOFILE, &limit) ||
	    limit.rlim_cur / 4 > DEPTH_MOST)
		return DEPTH_MOST;
	return limit.rlim_cur / 4 < DEPTH_LEAST ? DEPTH_LEAST : limit.rlim_cur / 4;
}

/* More bytes at once than a disk needs only make batches wait for each other. */
static unsigned depth_most(const struct pit_loader *l)
{
	uint64_t mean = pit_source_bytes(l->source) / pit_source_count(l->source) + 1;
	unsigned most = spared_files(&l->reader);

	mean = mean < READ_MOST ? mean : READ_MOST;
	while (most > 2 * DEPTH_LEAST && most * mean > IN_FLIGHT)
		most /= 2;
	return most;
}

/* Memory that is shared with others can be registered on newer kernels only: the ladder tells. */
static int open_engine(struct pit_loader *l, const struct pit_loader_want *w, struct pit_error *err)
{
	struct pit_reader *r = &l->reader;
	struct pit_io_want want = w->io;
	struct iovec memory = {.iov_base = pit_pool_base(l->store->pool), .iov_len = pit_pool_size(l->store->pool)};
	int rc;

	if (!want.depth)
		want.depth = DEPTH_MOST;
	rc = pit_engines_open(l, &want, err);
	if (rc)
		return rc;
	if (is_registered(l, w))
		rc = pit_io_register(r->io, &memory, 1, l->ladders);
	else
		pit_ladder_add(l->ladders, "buffers", "registered", PIT_RUNG_UNUSED,
			       "nothing to gain with the page cache or long reads");
	if (rc && w->io.engine == PIT_ENGINE_URING_FIXED)
		return pit_fail(err, -rc, "memory cannot be registered with io_uring: %s", strerror(-rc));
	if (w->io.depth)
		pit_depth_init(&r->depth, w->io.depth, w->io.depth, w->io.depth);
	else
		pit_depth_init(&r->depth, DEPTH_START, DEPTH_LEAST, depth_most(l));
	pit_io_set_depth(r->io, r->depth.now);
	l->stats.depth = r->depth.now;
	if (w->io.depth)
		pit_ladder_add(l->ladders, "depth", "fixed", PIT_RUNG_TAKEN, "%u", w->io.depth);
	else
		pit_ladder_add(l->ladders, "depth", "measured", PIT_RUNG_TAKEN, "from %u, between %u and %u",
			       r->depth.now, r->depth.least, r->depth.most);
	return 0;
}

/* Samples of one size lie in memory as they are ordered, so that a batch is one array. */
static int open_rule(struct pit_loader *l, const struct pit_loader_want *w, struct pit_error *err)
{
	struct pit_reader *r = &l->reader;
	enum pit_source_kind kind = pit_source_kind_of(l->source);
	uint64_t available = pit_pool_available();
	bool whole = pit_source_whole(l->source), rows = kind == PIT_SOURCE_RECORDS;

	r->by_path = whole || pit_source_files(l->source) > FILES_KEPT;
	r->rule = (struct pit_reads_rule){
		.pad = rows ? 0 : ALIGN_IN_MEMORY,
		.gap = rows || whole ? 0 : GAP,
		.most = READ_MOST,
		.keep_order = rows || whole,
	};
	return pit_modes_open(l->source, w->io.cache, r->by_path, pit_source_bytes(l->source) < available / 2,
			      &r->modes, l->ladders, err);
}

static void set_want(struct pit_loader *l, const struct pit_loader_want *w)
{
	struct pit_order order = {
		.count = pit_source_count(l->source),
		.seed = w->seed,
		.epoch = w->epoch,
		.shuffle = w->shuffle,
		.block = w->block ? w->block : BLOCK,
		.window = w->window ? w->window : WINDOW,
	};

	l->batch = w->batch ? w->batch : 1;
	l->rank = w->rank;
	l->world = w->world ? w->world : 1;
	l->tail = w->tail;
	l->on_error = w->on_error;
	l->as_ready = w->as_ready;
	l->check = w->check;
	l->patience = PATIENCE;
	pit_leg_init(l, &order, 0, &l->leg);
	l->leg.serial = 1;
}

static struct pit_loader *new_loader(struct pit_source *s)
{
	struct pit_loader *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (!l)
		return NULL;
	l->pid = getpid();
	l->source = pit_source_ref(s);
	l->queue_end = &l->queue;
	l->reader.loader = l;
	l->reader.todo_end = &l->reader.todo;
	l->reader.finished_end = &l->reader.finished;
	atomic_init(&l->ladder, l->ladders);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->ready, &attr);
	pthread_condattr_destroy(&attr);
	return l;
}

static int start_thread(struct pit_loader *l, struct pit_error *err)
{
	int rc;

	l->store->io = l->reader.io;
	rc = pit_thread_start(&l->thread, pit_reader_run, &l->reader);
	if (rc)
		return pit_fail(err, -rc, "cannot start a thread to read: %s", strerror(-rc));
	pthread_setname_np(l->thread, "pitcrew-feed");
	l->started = true;
	return 0;
}

int pit_loader_open(struct pit_source *s, const struct pit_loader_want *want, struct pit_loader **ret,
		    struct pit_error *err)
{
	struct pit_loader_want w = {0};
	struct pit_loader *l;
	int rc;

	memcpy(&w, want, want->size < sizeof(w) ? want->size : sizeof(w));
	rc = check_want(s, &w, err);
	if (rc)
		return rc;
	l = new_loader(s);
	if (!l)
		return pit_fail(err, ENOMEM, "no memory for a loader");
	set_want(l, &w);
	rc = open_rule(l, &w, err);
	if (!rc)
		choose_stages(l, &w);
	if (!rc)
		rc = open_memory(l, &w, err);
	if (!rc)
		rc = open_cache(l, &w, err);
	if (!rc)
		rc = open_engine(l, &w, err);
	if (!rc)
		rc = open_stages(l, &w, err);
	if (!rc)
		rc = start_thread(l, err);
	if (rc)
		pit_loader_close(l);
	else
		*ret = l;
	return rc;
}
