/* SPDX-License-Identifier: MIT */
#include "feed/weights_stream.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "feed/io.h"
#include "feed/pool.h"
#include "feed/utf8.h"
#include "feed/weights_hands.h"
#include "feed/weights_use.h"

#define DEPTH 16  /* requests at once, when nobody says */
#define BESIDE 4  /* lanes that are read at once */
#define THREADS 8 /* that use what was read, at most */
#define WAIT_NS (50 * PIT_MS)
#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

struct stream;

/* What is under way of a lane. The stream's lock is for `arrived`, `used` and `busy`. */
struct flight {
	struct pit_job job;
	struct stream *stream;
	const struct pit_lane *lane;
	struct pit_use use;
	size_t sent, back, used; /* reads */
	const char **arrived;    /* of each read that is back: its bytes */
	bool busy;               /* given to the hands */
};

struct slot {
	struct pit_io_op op;
	struct flight *flight;
	const struct pit_read *read;
	struct slot *next; /* free */
};

struct open_file {
	int fd;
	bool direct;
	unsigned users; /* flights */
};

struct stream {
	const struct pit_stream *job;
	struct pit_io *io;
	struct pit_hands *hands;
	struct pit_pool *pool; /* of the slots' memory, when there is no arena */
	struct slot *slots;
	unsigned slot_count, turn;
	size_t block; /* memory of one slot */
	struct flight *flights;
	struct flight *beside[BESIDE];
	size_t next_flight;
	struct open_file *files;
	uint64_t done; /* bytes */
	int64_t told;  /* progress, when */

	pthread_mutex_t lock; /* of what follows, too */
	struct slot *free;
	size_t left; /* flights */
	int rc;
	struct pit_error err;
};

/* The first error is the one to tell. */
static void stop(struct stream *s, int rc, const struct pit_error *err)
{
	pthread_mutex_lock(&s->lock);
	if (!s->rc) {
		s->rc = rc;
		s->err = *err;
	}
	pthread_mutex_unlock(&s->lock);
}

static bool stopped(struct stream *s)
{
	bool is;

	pthread_mutex_lock(&s->lock);
	is = s->rc != 0;
	pthread_mutex_unlock(&s->lock);
	return is;
}

static void damaged(void *arg, size_t tensor)
{
	struct stream *s = arg;
	struct pit_verify_result *result = s->job->result;
	const char *name = pit_weights_tensor(s->job->w, tensor)->name;
	struct pit_error err = PIT_ERROR_INIT;
	int64_t first;

	if (!result) {
		stop(s,
		     pit_fail(&err, EBADMSG, "tensor '%s' of %s differs from its checksum", SHOW(name),
			      s->job->w->files[s->job->w->tensors[tensor].file].path),
		     &err);
		return;
	}
	pthread_mutex_lock(&s->lock);
	first = result->damaged ? pit_weights_find(s->job->w, result->first) : -1;
	if (!result->damaged || (first >= 0 && tensor < (size_t)first))
		snprintf(result->first, sizeof(result->first), "%s", name);
	result->damaged++;
	pthread_mutex_unlock(&s->lock);
}

/* ---- what came in is used, by the hands ---- */

static void free_slot(struct stream *s, struct slot *slot)
{
	slot->next = s->free;
	s->free = slot;
}

/* The slot whose memory this is. */
static struct slot *slot_of(struct stream *s, const char *data)
{
	return &s->slots[(size_t)(data - (char *)pit_pool_base(s->pool)) / s->block];
}

/* The next bytes to use; NULL when they are not there: the flight then waits, or is over. */
static const char *next_chunk(struct stream *s, struct flight *f)
{
	const char *data = NULL;

	pthread_mutex_lock(&s->lock);
	if (!s->rc && f->used < f->lane->reads.count)
		data = f->arrived[f->used];
	if (!data) {
		f->busy = false;
		s->left -= f->used == f->lane->reads.count;
	}
	pthread_mutex_unlock(&s->lock);
	return data;
}

static void use(struct pit_job *job)
{
	struct flight *f = (struct flight *)job;
	struct stream *s = f->stream;
	const char *data;

	while ((data = next_chunk(s, f))) {
		pit_use_chunk(&f->use, &f->lane->reads.reads[f->used], data);
		pthread_mutex_lock(&s->lock);
		f->used++;
		if (s->pool)
			free_slot(s, slot_of(s, data));
		pthread_mutex_unlock(&s->lock);
		if (s->pool)
			pit_io_wake(s->io);
	}
	pit_io_wake(s->io);
}

/* A read is back: its bytes are used now, or when those before are. */
static void arrive(struct stream *s, struct flight *f, size_t read, const char *data)
{
	bool give;

	pthread_mutex_lock(&s->lock);
	f->arrived[read] = data;
	give = !s->rc && !f->busy && f->arrived[f->used];
	f->busy |= give;
	pthread_mutex_unlock(&s->lock);
	if (give)
		pit_hands_give(s->hands, &f->job);
}

/* ---- reading ---- */

static const struct pit_weights_file *file_of(const struct flight *f)
{
	return &f->stream->job->w->files[f->lane->file];
}

static uint64_t needed(const struct flight *f, const struct pit_read *r)
{
	uint64_t rest = (uint64_t)file_of(f)->st.st_size - r->offset;

	return rest < r->len ? rest : r->len;
}

static int flight_open(struct stream *s, struct flight *f, struct pit_error *err)
{
	struct open_file *o = &s->files[f->lane->file];
	int rc;

	if (!o->users) {
		o->fd = pit_disk_open(&s->job->plan->disks[f->lane->file], AT_FDCWD, file_of(f)->path, &o->direct);
		if (o->fd < 0)
			return pit_fail(err, o->fd == -ENOENT ? EIO : -o->fd, "cannot open %s again: %s",
					file_of(f)->path, strerror(-o->fd));
		o->users++;
		rc = pit_weights_file_same(file_of(f), o->fd, err);
		if (rc)
			return rc;
	} else {
		o->users++;
	}
	f->arrived = calloc(f->lane->reads.count, sizeof(*f->arrived));
	f->use = (struct pit_use){.stream = s->job, .lane = f->lane, .damaged = damaged, .arg = s};
	return f->arrived && !pit_use_begin(&f->use) ? 0 : pit_fail(err, ENOMEM, "out of memory");
}

/* All of it is read. */
static void flight_close(struct stream *s, struct flight *f)
{
	struct open_file *o = &s->files[f->lane->file];
	struct pit_error err = PIT_ERROR_INIT;
	int rc = pit_weights_file_same(file_of(f), o->fd, &err);

	if (rc)
		stop(s, rc, &err);
	if (!--o->users)
		close(o->fd);
}

static int check_read(struct slot *slot, struct pit_error *err)
{
	const struct flight *f = slot->flight;
	int64_t got = slot->op.res;

	if (got < 0)
		return pit_fail(err, (int)-got, "cannot read %s at %" PRIu64 ": %s", file_of(f)->path,
				slot->read->offset, strerror((int)-got));
	if ((uint64_t)got < needed(f, slot->read))
		return pit_fail(err, EIO, "%s ends at %" PRIu64 ": it got shorter since it was opened",
				file_of(f)->path, slot->read->offset + (uint64_t)got);
	return 0;
}

/* O_DIRECT that worked when it was tried and does not now. */
static bool without_direct(struct stream *s, struct slot *slot)
{
	struct open_file *o = &s->files[slot->flight->lane->file];

	if (slot->op.res != -EINVAL || !o->direct)
		return false;
	return !fcntl(o->fd, F_SETFL, fcntl(o->fd, F_GETFL) & ~O_DIRECT);
}

static void done(struct pit_io_op *op)
{
	struct slot *slot = op->arg;
	struct flight *f = slot->flight;
	struct stream *s = f->stream;
	struct pit_error err = PIT_ERROR_INIT;
	size_t read = (size_t)(slot->read - f->lane->reads.reads);
	int rc;

	if (!stopped(s) && without_direct(s, slot)) {
		s->files[f->lane->file].direct = false;
		pit_io_submit(s->io, op);
		return;
	}
	rc = check_read(slot, &err);
	if (rc)
		stop(s, rc, &err);
	else
		s->done += needed(f, slot->read);
	if (++f->back == f->lane->reads.count)
		flight_close(s, f);
	if (!s->pool) {
		pthread_mutex_lock(&s->lock);
		free_slot(s, slot);
		pthread_mutex_unlock(&s->lock);
	}
	if (!rc)
		arrive(s, f, read, op->buf);
}

/* A flight that has reads to send: in turn, so that all of those beside each other go on. */
static struct flight *next_flight(struct stream *s, struct pit_error *err)
{
	for (unsigned i = 0; i < BESIDE; i++) {
		struct flight **place = &s->beside[s->turn++ % BESIDE];

		if (*place && (*place)->sent == (*place)->lane->reads.count)
			*place = NULL;
		while (!*place && s->next_flight < s->job->plan->count) {
			struct flight *f = &s->flights[s->next_flight++];
			int rc = f->lane->reads.count ? flight_open(s, f, err) : 0;

			if (rc) {
				stop(s, rc, err);
				return NULL;
			}
			if (f->lane->reads.count)
				*place = f;
		}
		if (*place)
			return *place;
	}
	return NULL;
}

static struct slot *take_slot(struct stream *s)
{
	struct slot *slot;

	pthread_mutex_lock(&s->lock);
	slot = s->rc ? NULL : s->free;
	if (slot)
		s->free = slot->next;
	pthread_mutex_unlock(&s->lock);
	return slot;
}

static void send(struct stream *s, struct slot *slot, struct flight *f)
{
	const struct pit_read *r = &f->lane->reads.reads[f->sent++];
	const struct open_file *o = &s->files[f->lane->file];
	char *memory = s->pool ? (char *)pit_pool_base(s->pool) + (size_t)(slot - s->slots) * s->block
			       : s->job->arena + f->lane->base + r->at;

	slot->flight = f;
	slot->read = r;
	slot->op = (struct pit_io_op){
		.kind = PIT_IO_READ,
		.fd = o->fd,
		.dontcache = s->job->plan->disks[f->lane->file].cache == PIT_IO_DONTCACHE,
		.buf = memory,
		.len = r->len,
		.enough = needed(f, r),
		.offset = r->offset,
		.done = done,
		.arg = slot,
	};
	pit_io_submit(s->io, &slot->op);
}

static void send_all(struct stream *s)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct slot *slot;

	while ((slot = take_slot(s))) {
		struct flight *f = next_flight(s, &err);

		if (!f) {
			pthread_mutex_lock(&s->lock);
			free_slot(s, slot);
			pthread_mutex_unlock(&s->lock);
			return;
		}
		send(s, slot, f);
	}
}

static void tell(struct stream *s, bool last)
{
	const struct pit_weights_want *want = s->job->want;
	struct pit_error err = PIT_ERROR_INIT;

	if (!want->progress || (!last && pit_now() - s->told < WAIT_NS))
		return;
	s->told = pit_now();
	if (want->progress(want->arg, s->done, s->job->plan->bytes))
		stop(s, pit_fail(&err, ECANCELED, "cancelled"), &err);
}

static bool over(struct stream *s)
{
	bool is;

	pthread_mutex_lock(&s->lock);
	is = s->rc || !s->left;
	pthread_mutex_unlock(&s->lock);
	return is;
}

static void fly(struct stream *s)
{
	while (!over(s)) {
		struct pit_error err = PIT_ERROR_INIT;
		int rc;

		send_all(s);
		rc = pit_io_wait(s->io, WAIT_NS);
		if (rc < 0)
			stop(s, pit_fail(&err, -rc, "the engine for reading broke: %s", strerror(-rc)), &err);
		tell(s, false);
	}
	if (!s->rc)
		tell(s, true);
}

/* ---- before and behind ---- */

/* No more than there are reads, and no more memory than the largest of them needs. */
static void size_slots(struct stream *s, unsigned depth)
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

static int make_slots(struct stream *s, unsigned depth, struct pit_error *err)
{
	size_slots(s, depth);
	s->slots = calloc(s->slot_count, sizeof(*s->slots));
	if (!s->slots)
		return pit_fail(err, ENOMEM, "out of memory");
	for (unsigned i = 0; i < s->slot_count; i++)
		free_slot(s, &s->slots[i]);
	if (s->job->arena)
		return 0;
	return pit_pool_open(s->slot_count * s->block, &s->job->want->io, s->job->ladder, &s->pool, err);
}

static int open_engine(struct stream *s, struct pit_error *err)
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

static int prepare(struct stream *s, struct pit_error *err)
{
	const struct pit_weights_plan *plan = s->job->plan;
	int rc;

	s->flights = calloc(plan->count + 1, sizeof(*s->flights));
	s->files = calloc(s->job->w->file_count + 1, sizeof(*s->files));
	if (!s->flights || !s->files)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < plan->count; i++) {
		s->flights[i] = (struct flight){.stream = s, .lane = &plan->lanes[i], .job = {.run = use}};
		s->left += plan->lanes[i].reads.count > 0;
	}
	rc = pit_hands_open(THREADS, &s->hands);
	if (rc)
		return pit_fail(err, -rc, "cannot start a thread: %s", strerror(-rc));
	return open_engine(s, err);
}

/* The hands first: they wake the engine. Nothing is given to them any more once there is an error, or all is done. */
static void clear(struct stream *s)
{
	pit_hands_close(s->hands);
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
	struct stream s = {.job = job};
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
