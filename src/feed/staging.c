/* SPDX-License-Identifier: MIT */
#include "feed/staging.h"

#include <stdatomic.h>

#include "feed/pages_private.h"
#include "feed/team.h"
#include "feed/save_write.h"

#define THREADS 8
#define PIECE ((uint64_t)8 << 20)

struct copy {
	const struct pit_image *im;
	char *to;
	uint64_t from, end; /* of the stream */
	atomic_ullong next;
};

static bool copy_piece(struct pit_team *t, void *arg)
{
	struct copy *c = arg;
	uint64_t at = atomic_fetch_add(&c->next, PIECE);

	if (at >= c->end)
		return false;
	pit_image_copy(c->im, at, c->to + (at - c->from), c->end - at < PIECE ? c->end - at : PIECE);
	return true;
}

/* The old one goes first: there need not be memory for both. */
static int make_room(struct pit_staging *s, uint64_t bytes, const struct pit_io_want *want, struct pit_ladder *l,
		     struct pit_error *err)
{
	int rc;

	if (s->most && bytes > s->most)
		bytes = s->most;
	if (s->map.size >= bytes)
		return 0;
	pit_pages_close(&s->map);
	rc = pit_pages_private(bytes, "staging memory takes", want, l, &s->map, err);
	if (!rc && want->lock && want->lock != PIT_LOCK_NONE) /* each write pins its pages anyhow */
		rc = pit_pages_lock(&s->map, want->lock, l, err);
	if (rc)
		pit_pages_close(&s->map);
	return rc;
}

int pit_staging_reserve(struct pit_staging *s, uint64_t bytes, const struct pit_io_want *want, struct pit_ladder *l,
			struct pit_error *err)
{
	int rc = make_room(s, bytes, want, l, err);

	if (!rc && s->map.size && !s->map.cuda && !s->map.behind)
		s->map.behind = pit_pages_touch_behind(&s->map, 0);
	return rc;
}

/* What is staged begins at a border of blocks: each is then written from one place. */
static uint64_t staged_from(const struct pit_staging *s, const struct pit_image *im)
{
	uint64_t bytes = pit_image_bytes(im), room = s->map.size;

	if (s->most && room > s->most)
		room = s->most;
	if (bytes <= room)
		return 0;
	return (bytes - room + PIT_WRITE_BLOCK - 1) / PIT_WRITE_BLOCK * PIT_WRITE_BLOCK;
}

int pit_staging_copy(struct pit_staging *s, struct pit_image *im, const struct pit_io_want *want, struct pit_ladder *l,
		     struct pit_error *err)
{
	struct copy c = {.im = im, .end = pit_image_bytes(im)};
	struct pit_team *team;
	int rc = make_room(s, c.end, want, l, err);

	if (rc)
		return rc;
	c.from = staged_from(s, im);
	if (c.from >= c.end)
		return 0;
	c.to = s->map.base;
	atomic_init(&c.next, c.from);
	team = pit_team_open(c.end - c.from > 2 * PIECE ? pit_team_size(THREADS) - 1 : 0, copy_piece, &c);
	if (!team)
		return pit_fail(err, ENOMEM, "out of memory");
	pit_team_finish(team);
	im->staged = c.to;
	im->staged_from = c.from;
	return 0;
}

void pit_staging_free(struct pit_staging *s)
{
	pit_pages_close(&s->map);
}
