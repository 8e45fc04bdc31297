/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "feed/loader.h"

#define LENT_LOOK (5 * PIT_MS) /* between looks at what other processes hold, while memory is wanted */

/* Follows the callers to another epoch. */
static void follow(struct pit_reader *r)
{
	struct pit_loader *l = r->loader;
	struct pit_load *old = NULL;

	pthread_mutex_lock(&l->lock);
	if (l->leg.serial > r->leg.serial) {
		r->leg = l->leg;
		r->number = 0;
		old = pit_take(r->planned);
	}
	pthread_mutex_unlock(&l->lock);
	if (old)
		r->loads--;
	pit_load_free(old);
}

/* Behind the last batch of the callers' epoch the next one is begun, when that is what they did before. */
static bool go_ahead(struct pit_reader *r)
{
	struct pit_loader *l = r->loader;
	bool gone = false;

	pthread_mutex_lock(&l->lock);
	if (l->follows && r->leg.serial == l->leg.serial) {
		struct pit_order order = l->leg.order;

		order.epoch++;
		pit_leg_init(l, &order, 0, &l->ahead);
		l->ahead.serial = l->leg.serial + 1;
		r->leg = l->ahead;
		r->number = 0;
		gone = true;
	}
	pthread_mutex_unlock(&l->lock);
	return gone;
}

/* The batch is in the queue from now on, unless its epoch has been left meanwhile. One that has failed before it was
 * read (done) has no memory. */
static void enqueue(struct pit_reader *r, struct pit_batch *b)
{
	struct pit_loader *l = r->loader;
	struct pit_batch *old = NULL;

	pthread_mutex_lock(&l->lock);
	if (b->serial >= l->leg.serial) {
		*l->queue_end = b;
		l->queue_end = &b->next;
		if (b->done)
			pthread_cond_broadcast(&l->ready);
	} else if (b->done) {
		old = b;
	} else {
		atomic_store(&b->orphan, true);
	}
	pthread_mutex_unlock(&l->lock);
	free(old);
}

static void add_todo(struct pit_reader *r, struct pit_load *load)
{
	*r->todo_end = load;
	r->todo_end = &load->next;
	load->next = NULL;
}

/* A batch that cannot even be planned is one that fails: the callers learn of it in its turn. */
static int plan_failed(struct pit_reader *r, uint64_t number, int rc, const char *why)
{
	struct pit_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->serial = r->leg.serial;
	b->number = number;
	b->done = true;
	b->pid = r->loader->pid;
	b->rc = pit_fail(&b->err, -rc, "batch %" PRIu64 " cannot be had: %s", number, *why ? why : strerror(-rc));
	enqueue(r, b);
	return 1;
}

static int try_start(struct pit_reader *r, bool large, struct pit_error *err)
{
	return large && r->loads > 1 ? -EAGAIN : pit_load_start(r->planned, large, err);
}

/* Memory for the batch that is planned. 1, or -EAGAIN. A batch that is larger than all of the pool has memory of its
 * own, when nothing else is being read. */
static int start(struct pit_reader *r)
{
	struct pit_load *load = r->planned;
	struct pit_store *s = r->loader->store;
	bool large = load->bytes > pit_pool_size(s->pool) - PIT_POOL_ALIGN;
	struct pit_error err = PIT_ERROR_INIT;
	int rc = try_start(r, large, &err);

	if (rc == -EAGAIN && !atomic_exchange(&s->starves, true)) /* whoever gives back from now on rings */
		rc = try_start(r, large, &err);
	if (rc == -EAGAIN)
		return rc;
	atomic_store(&s->starves, false);
	r->planned = NULL;
	if (!rc) {
		enqueue(r, load->batch);
		add_todo(r, load);
		return 1;
	}
	r->loads--;
	rc = plan_failed(r, load->number, rc, err.text);
	pit_load_free(load);
	return rc;
}

/* One more batch: 1; 0 when there is none to plan now; -EAGAIN when there is no memory for it. */
static int plan_one(struct pit_reader *r)
{
	int rc = 0;

	if (r->planned)
		return start(r);
	if (r->number >= r->leg.batches && (!go_ahead(r) || !r->leg.batches))
		return 0;
	if (r->stages && !pit_stages_ready(r->stages, &r->leg, r->number))
		return 0;
	r->planned = pit_load_plan(r, &rc);
	if (!r->planned)
		return plan_failed(r, r->number++, rc, "");
	r->number++;
	r->loads++;
	return start(r);
}

static bool submit(struct pit_reader *r, struct pit_load *load, struct pit_op *op)
{
	const struct pit_read *read = load->reads.reads + (op - load->ops);
	int rc = 0;

	if (!op->needed || atomic_load(&load->batch->orphan)) {
		op->io.res = read->need;
		pit_load_done(load, 1);
		return true;
	}
	if (!r->by_path) {
		rc = pit_files_get(load->mode->files, &load->mode->disk, read->file, &op->file);
		if (rc == -EBUSY)
			return false;
		if (!rc)
			op->io.fd = op->file->fd;
	}
	if (rc) {
		op->io.res = rc;
		op->io.done(&op->io);
	} else {
		pit_io_submit(r->io, &op->io);
	}
	return true;
}

/* Keeps the engine busy, but not with more than it can hold: what it has not got can be dropped at once. A load leaves
 * the list before its last read is submitted, which may be done at once. */
static void submit_some(struct pit_reader *r)
{
	while (r->todo && pit_io_pending(r->io) < 2 * r->depth.now) {
		struct pit_load *load = r->todo;
		size_t i = load->submitted;

		if (i + 1 < load->reads.count) {
			if (!submit(r, load, load->ops + i))
				return;
			load->submitted++;
			continue;
		}
		load->submitted = load->reads.count;
		r->todo = load->next;
		if (!r->todo)
			r->todo_end = &r->todo;
		if (!load->reads.count) {
			pit_load_done(load, 0);
		} else if (!submit(r, load, load->ops + i)) {
			load->submitted = i;
			load->next = r->todo;
			r->todo = load;
			if (!load->next)
				r->todo_end = &load->next;
			return;
		}
	}
}

static bool finish_some(struct pit_reader *r)
{
	bool some = r->finished;

	while (r->finished) {
		struct pit_load *load = r->finished;

		r->finished = load->next;
		if (!r->finished)
			r->finished_end = &r->finished;
		pit_load_finish(load);
	}
	return some;
}

/* Intervals in which the engine always had enough to do tell how fast the disk is at this depth. */
static void measure(struct pit_reader *r)
{
	unsigned before = r->depth.now;
	bool busy = pit_io_pending(r->io) >= r->depth.now;
	int64_t now = busy || r->looked ? pit_now() : 0;

	if (r->looked && busy && pit_depth_note(&r->depth, r->read, now - r->looked) != before)
		pit_io_set_depth(r->io, r->depth.now);
	r->looked = busy ? now : 0;
	pthread_mutex_lock(&r->loader->lock);
	r->loader->stats.reads += r->reads;
	r->loader->stats.depth = r->depth.now;
	pthread_mutex_unlock(&r->loader->lock);
	r->read = r->reads = 0;
}

static void sleep_on(struct pit_reader *r, uint32_t rung, bool starves, unsigned lent)
{
	int64_t begun = pit_now();

	pit_store_sleep(r->loader->store, rung, lent ? (int64_t)LENT_LOOK : -1);
	if (!starves)
		return;
	pthread_mutex_lock(&r->loader->lock);
	r->loader->stats.full_ns += pit_now() - begun;
	pthread_mutex_unlock(&r->loader->lock);
}

static bool is_to_quit(struct pit_loader *l)
{
	bool quit;

	pthread_mutex_lock(&l->lock);
	quit = l->quit || l->canceled;
	pthread_mutex_unlock(&l->lock);
	return quit;
}

static void step_stages(struct pit_reader *r)
{
	uint64_t bytes, reads;

	if (!r->stages)
		return;
	pit_stages_step(r->stages, &r->leg, r->planned ? r->planned->number : r->number);
	pit_stages_submit(r->stages, 2 * r->depth.now);
	pit_stages_count(r->stages, &bytes, &reads);
	r->read += bytes;
	r->reads += reads;
	pthread_mutex_lock(&r->loader->lock);
	r->loader->stats.read_bytes += bytes;
	pthread_mutex_unlock(&r->loader->lock);
}

/* Until nothing is under way any more. */
static int drain(struct pit_reader *r)
{
	int rc = pit_io_wait(r->io, -1);

	finish_some(r);
	r->looked = 0;
	return rc < 0 ? rc : 0;
}

/* One turn: plans, submits, waits for the disk or, when there is nothing to do, for the bell. */
static int turn(struct pit_reader *r, uint32_t rung)
{
	unsigned lent = 0;
	int rc;

	follow(r);
	if (pit_engines_hold(r))
		return drain(r);
	step_stages(r);
	rc = plan_one(r);
	if (rc < 0 && rc != -EAGAIN)
		return rc;
	submit_some(r);
	if (finish_some(r))
		return 0;
	if (rc == 1 && pit_io_pending(r->io) < 2 * r->depth.now)
		return 0;
	if (rc < 0)
		lent = pit_store_collect(r->loader->store);
	if (!pit_io_pending(r->io)) {
		if (rc != 1)
			sleep_on(r, rung, rc < 0, lent);
		return 0;
	}
	rc = pit_io_wait(r->io, lent ? (int64_t)LENT_LOOK : -1);
	finish_some(r);
	measure(r);
	return rc < 0 ? rc : 0;
}

/* What was under way ends or is dropped; the batches in the queue are the callers' to drop. */
static void wind_up(struct pit_reader *r, int rc)
{
	struct pit_loader *l = r->loader;

	pthread_mutex_lock(&l->store->lock);
	l->store->io = NULL;
	pthread_mutex_unlock(&l->store->lock);
	pthread_mutex_lock(&l->lock);
	if (rc)
		pit_fail(&l->broken, -rc, "reading has ended: %s", strerror(-rc));
	pit_loader_flush(l, UINT64_MAX);
	pthread_cond_broadcast(&l->ready);
	pthread_mutex_unlock(&l->lock);
	while (r->todo) {
		struct pit_load *load = r->todo;

		r->todo = load->next;
		pit_load_done(load, load->reads.count - load->submitted);
	}
	pit_io_close(r->io);
	r->io = NULL;
	finish_some(r);
	pit_load_free(pit_take(r->planned));
}

void *pit_reader_run(void *arg)
{
	struct pit_reader *r = arg;
	struct pit_store *s = r->loader->store;
	int rc = 0;

	while (!rc) {
		uint32_t rung = atomic_load(&s->bell->rung);

		if (is_to_quit(r->loader))
			break;
		rc = turn(r, rung);
	}
	wind_up(r, rc);
	return NULL;
}
