/* SPDX-License-Identifier: MIT */
#include "feed/weights_flight.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "feed/utf8.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

void pit_flights_stop(struct pit_flights *s, int rc, const struct pit_error *err)
{
	pthread_mutex_lock(&s->lock);
	if (!s->rc) {
		s->rc = rc;
		s->err = *err;
	}
	pthread_mutex_unlock(&s->lock);
}

static bool stopped(struct pit_flights *s)
{
	bool is;

	pthread_mutex_lock(&s->lock);
	is = s->rc != 0;
	pthread_mutex_unlock(&s->lock);
	return is;
}

static void damaged(void *arg, size_t tensor)
{
	struct pit_flights *s = arg;
	struct pit_verify_result *result = s->job->result;
	const char *name = pit_weights_tensor(s->job->w, tensor)->name;
	struct pit_error err = PIT_ERROR_INIT;
	int64_t first;

	if (!result) {
		pit_flights_stop(s,
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

/* ---- what came in is used, by the team ---- */

void pit_flights_free(struct pit_flights *s, struct pit_flight_slot *slot)
{
	slot->next = s->free;
	s->free = slot;
}

/* The slot whose memory this is. */
static struct pit_flight_slot *slot_of(struct pit_flights *s, const char *data)
{
	return &s->slots[(size_t)(data - (char *)pit_pool_base(s->pool)) / s->block];
}

/* The next bytes to use; NULL when they are not there: the flight then waits, or is over. */
static const char *next_chunk(struct pit_flights *s, struct pit_flight *f)
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

void pit_flight_use(struct pit_team_task *task)
{
	struct pit_flight *f = (struct pit_flight *)task;
	struct pit_flights *s = f->stream;
	const char *data;

	while ((data = next_chunk(s, f))) {
		pit_use_chunk(&f->use, &f->lane->reads.reads[f->used], data);
		pthread_mutex_lock(&s->lock);
		f->used++;
		if (s->pool)
			pit_flights_free(s, slot_of(s, data));
		pthread_mutex_unlock(&s->lock);
		if (s->pool)
			pit_io_wake(s->io);
	}
	pit_io_wake(s->io);
}

/* A read is back: its bytes are used now, or when those before are. */
static void arrive(struct pit_flights *s, struct pit_flight *f, size_t read, const char *data)
{
	bool give;

	pthread_mutex_lock(&s->lock);
	f->arrived[read] = data;
	give = !s->rc && !f->busy && f->arrived[f->used];
	f->busy |= give;
	pthread_mutex_unlock(&s->lock);
	if (give)
		pit_team_do(s->team, &f->task);
}

/* ---- reading ---- */

static const struct pit_weights_file *file_of(const struct pit_flight *f)
{
	return &f->stream->job->w->files[f->lane->file];
}

static uint64_t needed(const struct pit_flight *f, const struct pit_read *r)
{
	uint64_t rest = (uint64_t)file_of(f)->st.st_size - r->offset;

	return rest < r->len ? rest : r->len;
}

static int flight_open(struct pit_flights *s, struct pit_flight *f, struct pit_error *err)
{
	struct pit_flight_file *o = &s->files[f->lane->file];
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
static void flight_close(struct pit_flights *s, struct pit_flight *f)
{
	struct pit_flight_file *o = &s->files[f->lane->file];
	struct pit_error err = PIT_ERROR_INIT;
	int rc = pit_weights_file_same(file_of(f), o->fd, &err);

	if (rc)
		pit_flights_stop(s, rc, &err);
	if (!--o->users)
		close(o->fd);
}

static int check_read(struct pit_flight_slot *slot, struct pit_error *err)
{
	const struct pit_flight *f = slot->flight;
	int64_t got = slot->op.res;

	if (got < 0)
		return pit_fail(err, (int)-got, "cannot read %s at %" PRIu64 ": %s", file_of(f)->path,
				slot->read->offset, strerror((int)-got));
	if ((uint64_t)got < needed(f, slot->read))
		return pit_fail(err, EIO, "%s ends at %" PRIu64 ": it got shorter since it was opened",
				file_of(f)->path, slot->read->offset + (uint64_t)got);
	return 0;
}

/* O_DIRECT that worked when it was tried and does not now: each of those under way comes back so, and is sent again. */
static bool without_direct(struct pit_flights *s, struct pit_flight_slot *slot)
{
	struct pit_flight_file *o = &s->files[slot->flight->lane->file];

	if (slot->op.res != -EINVAL || !slot->direct)
		return false;
	slot->direct = false;
	if (o->direct && fcntl(o->fd, F_SETFL, fcntl(o->fd, F_GETFL) & ~O_DIRECT))
		return false;
	o->direct = false;
	return true;
}

static void done(struct pit_io_op *op)
{
	struct pit_flight_slot *slot = op->arg;
	struct pit_flight *f = slot->flight;
	struct pit_flights *s = f->stream;
	struct pit_error err = PIT_ERROR_INIT;
	size_t read = (size_t)(slot->read - f->lane->reads.reads);
	int rc;

	if (!stopped(s) && without_direct(s, slot)) {
		pit_io_submit(s->io, op);
		return;
	}
	rc = check_read(slot, &err);
	if (rc)
		pit_flights_stop(s, rc, &err);
	else
		s->done += needed(f, slot->read);
	if (++f->back == f->lane->reads.count)
		flight_close(s, f);
	if (!s->pool) {
		pthread_mutex_lock(&s->lock);
		pit_flights_free(s, slot);
		pthread_mutex_unlock(&s->lock);
	}
	if (!rc)
		arrive(s, f, read, op->buf);
}

/* A flight that has reads to send: in turn, so that all of those beside each other go on. */
static struct pit_flight *next_flight(struct pit_flights *s, struct pit_error *err)
{
	for (unsigned i = 0; i < PIT_FLIGHTS_BESIDE; i++) {
		struct pit_flight **place = &s->beside[s->turn++ % PIT_FLIGHTS_BESIDE];

		if (*place && (*place)->sent == (*place)->lane->reads.count)
			*place = NULL;
		while (!*place && s->next_flight < s->job->plan->count) {
			struct pit_flight *f = &s->flights[s->next_flight++];
			int rc = f->lane->reads.count ? flight_open(s, f, err) : 0;

			if (rc) {
				pit_flights_stop(s, rc, err);
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

static struct pit_flight_slot *take_slot(struct pit_flights *s)
{
	struct pit_flight_slot *slot;

	pthread_mutex_lock(&s->lock);
	slot = s->rc ? NULL : s->free;
	if (slot)
		s->free = slot->next;
	pthread_mutex_unlock(&s->lock);
	return slot;
}

static void send(struct pit_flights *s, struct pit_flight_slot *slot, struct pit_flight *f)
{
	const struct pit_read *r = &f->lane->reads.reads[f->sent++];
	const struct pit_flight_file *o = &s->files[f->lane->file];
	char *memory = s->pool ? (char *)pit_pool_base(s->pool) + (size_t)(slot - s->slots) * s->block
			       : s->job->arena + f->lane->base + r->at;

	slot->flight = f;
	slot->read = r;
	slot->direct = o->direct;
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

void pit_flights_send(struct pit_flights *s)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_flight_slot *slot;

	while ((slot = take_slot(s))) {
		struct pit_flight *f = next_flight(s, &err);

		if (!f) {
			pthread_mutex_lock(&s->lock);
			pit_flights_free(s, slot);
			pthread_mutex_unlock(&s->lock);
			return;
		}
		send(s, slot, f);
	}
}
