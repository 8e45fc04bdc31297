/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "feed/io_timing.h"

enum { SAMPLES = 1 << 16 };

struct timing {
	const struct pit_io_field *field;
	const struct pit_io_timing *t;
	uint64_t blocks, step, next, most; /* the i-th place is i * step modulo blocks */
	uint64_t requests, bytes;
	int64_t end;
	int64_t *took; /* of the last SAMPLES requests */
	int error;
};

struct request {
	struct pit_io_op op;
	struct timing *timing;
	int64_t begun;
};

static uint64_t common(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Far from the place before, and all places come: near n times the golden ratio, with no divisor in common. */
static uint64_t step_of(uint64_t n)
{
	uint64_t step = (uint64_t)((double)n * 0.618) | 1;

	while (common(step, n) != 1)
		step += 2;
	return step;
}

static void next(struct request *r)
{
	struct timing *m = r->timing;
	int64_t now = pit_now();

	if (m->error || now >= m->end || m->next * m->t->block >= m->most)
		return;
	r->op.offset = (uint64_t)((unsigned __int128)m->next++ * m->step % m->blocks) * m->t->block;
	r->begun = now;
	pit_io_submit(m->field->io, &r->op);
}

static void done(struct pit_io_op *op)
{
	struct request *r = op->arg;
	struct timing *m = r->timing;

	if (op->res < 0) {
		m->error = (int)op->res;
		return;
	}
	m->took[m->requests++ % SAMPLES] = pit_now() - r->begun;
	m->bytes += (uint64_t)op->res;
	next(r);
}

static int later(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void percentiles(struct timing *m, struct pit_io_timing *t)
{
	size_t n = m->requests < SAMPLES ? m->requests : SAMPLES;

	t->p50 = t->p99 = 0;
	if (!n)
		return;
	qsort(m->took, n, sizeof(*m->took), later);
	t->p50 = (double)m->took[n / 2] / 1e9;
	t->p99 = (double)m->took[n - 1 - n / 100] / 1e9;
}

static int sync_data(struct pit_io *io, int fd)
{
	struct pit_io_op op = {.kind = PIT_IO_FSYNC, .fd = fd, .flags = 1};
	int rc = 0;

	pit_io_submit(io, &op);
	while (rc >= 0 && pit_io_pending(io))
		rc = pit_io_wait(io, -1);
	return rc < 0 ? rc : (int)op.res;
}

static int run(struct timing *m, struct request *requests)
{
	const struct pit_io_field *f = m->field;
	int rc = 0;

	for (unsigned i = 0; i < m->t->depth; i++) {
		requests[i] = (struct request){.timing = m};
		requests[i].op = (struct pit_io_op){
			.kind = m->t->write ? PIT_IO_WRITE : PIT_IO_READ,
			.fd = f->fd,
			.dontcache = f->dontcache,
			.buf = f->memory + i * m->t->block,
			.len = m->t->block,
			.done = done,
			.arg = &requests[i],
		};
		next(&requests[i]);
	}
	while (rc >= 0 && pit_io_pending(f->io))
		rc = pit_io_wait(f->io, -1);
	rc = rc < 0 ? rc : m->error;
	return rc || !m->t->write ? rc : sync_data(f->io, f->fd);
}

int pit_io_time(const struct pit_io_field *f, int64_t time_ns, struct pit_io_timing *t, struct pit_error *err)
{
	struct timing m = {.field = f, .t = t, .most = f->most ? f->most : UINT64_MAX};
	pit_auto_free struct request *requests = NULL;
	pit_auto_free int64_t *took = NULL;
	int64_t start;
	int rc;

	if (t->depth > f->room / t->block)
		t->depth = (unsigned)(f->room / t->block);
	m.blocks = f->size / t->block;
	if (!t->depth || !m.blocks)
		return pit_fail(err, EINVAL, "no room for a block of %zu bytes", t->block);
	m.step = step_of(m.blocks);
	requests = calloc(t->depth, sizeof(*requests));
	m.took = took = calloc(SAMPLES, sizeof(*took));
	if (!requests || !took)
		return pit_fail(err, ENOMEM, "no memory for %u requests", t->depth);
	start = pit_now();
	m.end = start + time_ns;
	rc = run(&m, requests);
	if (rc)
		return pit_fail(err, -rc, "%s: %s", t->write ? "writing" : "reading", strerror(-rc));
	t->seconds = (double)(pit_now() - start) / 1e9;
	t->requests = m.requests;
	t->bytes = m.bytes;
	percentiles(&m, t);
	return 0;
}
