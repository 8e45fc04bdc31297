/* SPDX-License-Identifier: MIT */
#include "feed/weights_stream.h"

#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "feed/weights_flight.h"

#define DEPTH 16  /* requests at once, when nobody says */
#define THREADS 8 /* that use what was read, at most */
#define WAIT_NS (50 * PIT_MS)

static void tell(struct pit_flights *s, bool last)
{
	const struct pit_weights_want *want = s->job->want;
	struct pit_error err = PIT_ERROR_INIT;

	if (!want->progress || (!last && pit_now() - s->told < WAIT_NS))
		return;
	s->told = pit_now();
	if (want->progress(want->arg, s->done, s->job->plan->bytes))
		pit_flights_stop(s, pit_fail(&err, ECANCELED, "cancelled"), &err);
}

static bool over(struct pit_flights *s)
{
	bool is;

	pthread_mutex_lock(&s->lock);
	is = s->rc || !s->left;
	pthread_mutex_unlock(&s->lock);
	return is;
}

static void fly(struct pit_flights *s)
{
	while (!over(s)) {
		struct pit_error err = PIT_ERROR_INIT;
		int rc;

		pit_flights_send(s);
		rc = pit_io_wait(s->io, WAIT_NS);
		if (rc < 0)
			pit_flights_stop(s, pit_fail(&err, -rc, "the engine for reading broke: %s", strerror(-rc)),
					 &err);
		tell(s, false);
	}
	if (!s->rc)
		tell(s, true);
}

/* ---- before and behind ---- */

/* No more than there are reads, and no more memory than the largest of them needs. */
static void size_slots(struct pit_flights *s, unsigned depth)
{
	const struct pit_weights_plan *plan = s->job->plan;
	uint64_t reads = 0, most = PIT_POOL_ALIGN;

	for (size_t i = 0; i < plan->count; i++) {
		reads += plan->lanes[i].reads.count;
		for (size_t k = 0; k < plan->lanes[i].reads.count; k++)
			if (plan->lanes[i].reads.reads[k].len > most)
				most = plan->lanes[i].reads.reads[k].len;
	}
	s->block = (most + PIT_POOL_ALIGN - 1) & ~(uint64_t)(PIT_POOL_ALIGN - 1);
	/* What is being used keeps its memory: as much again is needed to keep the disk busy. */
	s->slot_count = s->job->arena ? depth : 2 * depth;
	if (s->slot_count > reads)
		s->slot_count = reads ? (unsigned)reads : 1;
}

static int make_slots(struct pit_flights *s, unsigned depth, struct pit_error *err)
{
	size_slots(s, depth);
	s->slots = calloc(s->slot_count, sizeof(*s->slots));
	if (!s->slots)
		return pit_fail(err, ENOMEM, "out of memory");
	for (unsigned i = 0; i < s->slot_count; i++)
		pit_flights_free(s, &s->slots[i]);
	if (s->job->arena)
		return 0;
	return pit_pool_open(s->slot_count * s->block, &s->job->want->io, s->job->ladder, &s->pool, err);
}

static int open_engine(struct pit_flights *s, struct pit_error *err)
{
	struct pit_io_want io = s->job->want->io;
	struct iovec memory;
	int rc;

	io.depth = io.depth ? io.depth : DEPTH;
	rc = pit_io_open(&io, s->job->ladder, &s->io, err);
	if (!rc)
		rc = make_slots(s, io.depth, err);
	if (rc || !s->pool)
		return rc;
	memory = (struct iovec){.iov_base = pit_pool_base(s->pool), .iov_len = pit_pool_size(s->pool)};
	(void)pit_io_register(s->io, &memory, 1, s->job->ladder);
	return 0;
}

static int prepare(struct pit_flights *s, struct pit_error *err)
{
	const struct pit_weights_plan *plan = s->job->plan;

	s->flights = calloc(plan->count + 1, sizeof(*s->flights));
	s->files = calloc(s->job->w->file_count + 1, sizeof(*s->files));
	if (!s->flights || !s->files)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < plan->count; i++) {
		s->flights[i] =
			(struct pit_flight){.stream = s, .lane = &plan->lanes[i], .task = {.fn = pit_flight_use}};
		s->left += plan->lanes[i].reads.count > 0;
	}
	s->team = pit_team_open(pit_team_size(THREADS), NULL, NULL);
	return s->team ? open_engine(s, err) : pit_fail(err, ENOMEM, "out of memory");
}

/* The team first: it wakes the engine. Nothing is given to it any more once there is an error, or all is done. */
static void clear(struct pit_flights *s)
{
	pit_team_finish(s->team);
	pit_io_close(s->io);
	for (size_t i = 0; s->flights && i < s->job->plan->count; i++) {
		pit_use_end(&s->flights[i].use);
		free(s->flights[i].arrived);
	}
	for (size_t i = 0; s->files && i < s->job->w->file_count; i++)
		if (s->files[i].users)
			close(s->files[i].fd);
	free(s->flights);
	free(s->files);
	free(s->slots);
	pit_pool_unref(s->pool);
	pthread_mutex_destroy(&s->lock);
}

int pit_stream_run(const struct pit_stream *job, struct pit_error *err)
{
	struct pit_flights s = {.job = job};
	int rc;

	pthread_mutex_init(&s.lock, NULL);
	rc = prepare(&s, err);
	if (!rc) {
		fly(&s);
		rc = s.rc;
		if (rc && err)
			*err = s.err;
	}
	clear(&s);
	return rc;
}
