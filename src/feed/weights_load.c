/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/cleanup.h"
#include "feed/utf8.h"
#include "feed/weights_arena.h"
#include "feed/weights_stream.h"

#define SHOW(name) pit_utf8_show(name, (char[100]){0}, 100)

static void arena_cleanup(struct pit_arena **a)
{
	pit_arena_free(*a);
}

/* What the caller's structure has, which may be of an older library; all of the rest is 0. */
static struct pit_weights_want want_of(const struct pit_weights_want *given)
{
	struct pit_weights_want want = {.size = sizeof(want)};

	if (given)
		memcpy(&want, given, given->size < sizeof(want) ? given->size : sizeof(want));
	return want;
}

/* Without reading: a tensor whose checksum is none, or is not that of no bytes at all. */
static bool wrong_at_sight(const struct pit_weights_tensor *t)
{
	return t->has_sum == PIT_SUM_UNREADABLE ||
	       (t->has_sum == PIT_SUM_GIVEN && !t->entry->tensor.bytes && t->sum != XXH3_64bits("", 0));
}

/* Which tensors are loaded where; those without bytes are somewhere, too. */
static int set_data(struct pit_arena *a, const struct pit_weights *w, const struct pit_weights_plan *plan,
		    const struct pit_weights_want *want, struct pit_error *err)
{
	pit_auto_free size_t *wanted = NULL;
	size_t count;
	int rc = pit_weights_wanted(w, want, &wanted, &count, err);

	a->count = w->count;
	a->data = calloc(w->count + 1, sizeof(*a->data));
	if (!rc && !a->data)
		rc = pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !rc; i++)
		a->data[wanted[i]] = a->map.base;
	for (size_t i = 0; i < plan->count && !rc; i++)
		for (size_t k = 0; k < plan->lanes[i].count; k++) {
			const struct pit_lane_piece *p = &plan->lanes[i].pieces[k];

			a->data[p->tensor] = (char *)a->map.base + p->to;
		}
	return rc;
}

static int check_at_sight(const struct pit_weights *w, const struct pit_arena *a, struct pit_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < w->count && !rc; i++)
		if (a->data[i] && wrong_at_sight(&w->tensors[i]))
			rc = pit_fail(err, EBADMSG, "tensor '%s' of %s differs from its checksum",
				      SHOW(w->tensors[i].entry->tensor.name), w->files[w->tensors[i].file].path);
	for (size_t i = 0; i < w->file_count && !rc; i++)
		rc = pit_weights_check_header(w, i, err);
	return rc;
}

static int fill(struct pit_weights *w, const struct pit_weights_want *want, const struct pit_weights_plan *plan,
		struct pit_arena *a, struct pit_error *err)
{
	struct pit_stream s = {
		.w = w,
		.want = want,
		.plan = plan,
		.ladder = &a->ladder,
		.verify = want->verify,
	};
	int rc = pit_arena_map(a, plan->arena, &want->io, err);

	if (!rc)
		rc = set_data(a, w, plan, want, err);
	if (!rc && want->verify)
		rc = check_at_sight(w, a, err);
	s.arena = a->map.base;
	if (!rc) {
		pit_arena_touch(a);
		rc = pit_stream_run(&s, err);
	}
	return rc ? rc : pit_arena_lock(a, want->io.lock, err);
}

int pit_weights_load(struct pit_weights *w, const struct pit_weights_want *given, struct pit_arena **ret,
		     struct pit_error *err)
{
	const struct pit_weights_want want = want_of(given);
	PIT_CLEANUP(pit_weights_plan_free) struct pit_weights_plan plan = {.lanes = NULL};
	PIT_CLEANUP(arena_cleanup) struct pit_arena *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return pit_fail(err, ENOMEM, "out of memory");
	a->map.fd = -1;
	rc = pit_weights_plan(w, &want, &a->ladder, &plan, err);
	if (!rc)
		rc = fill(w, &want, &plan, a, err);
	if (!rc)
		*ret = pit_take(a);
	return rc;
}

static void look(const struct pit_weights *w, const size_t *wanted, size_t count, struct pit_verify_result *result)
{
	for (size_t i = 0; i < count; i++) {
		const struct pit_weights_tensor *t = &w->tensors[wanted[i]];

		result->tensors++;
		result->bytes += t->entry->tensor.bytes;
		result->checked += t->has_sum != PIT_SUM_NONE;
		if (!wrong_at_sight(t))
			continue;
		if (!result->damaged++)
			snprintf(result->first, sizeof(result->first), "%s", t->entry->tensor.name);
	}
}

/* `damage` says which header is the first that differs. */
static int check_headers(const struct pit_weights *w, struct pit_verify_result *result, struct pit_error *damage,
			 struct pit_error *err)
{
	for (size_t i = 0; i < w->file_count; i++) {
		struct pit_error found = PIT_ERROR_INIT;
		int rc = pit_weights_check_header(w, i, &found);

		if (rc && rc != -EBADMSG) {
			if (err)
				*err = found;
			return rc;
		}
		if (rc && !damage->code)
			*damage = found;
		if (rc && !result->damaged++)
			snprintf(result->first, sizeof(result->first), "__metadata__");
	}
	return 0;
}

static int judge(const struct pit_verify_result *r, const struct pit_error *header, struct pit_error *err)
{
	if (!r->damaged)
		return 0;
	if (header->code)
		return pit_fail(err, EBADMSG, "%s", header->text);
	return pit_fail(err, EBADMSG,
			"%" PRIu64 " of %" PRIu64 " tensors differ from their checksums; the first is '%s'", r->damaged,
			r->checked, SHOW(r->first));
}

int pit_weights_verify(struct pit_weights *w, const struct pit_weights_want *given, struct pit_verify_result *ret,
		       struct pit_error *err)
{
	const struct pit_weights_want want = want_of(given);
	PIT_CLEANUP(pit_weights_plan_free) struct pit_weights_plan plan = {.lanes = NULL};
	pit_auto_free size_t *wanted = NULL;
	struct pit_verify_result result = {.tensors = 0};
	struct pit_ladder ladder = {.count = 0};
	struct pit_error header = PIT_ERROR_INIT;
	const struct pit_stream s = {
		.w = w,
		.want = &want,
		.plan = &plan,
		.ladder = &ladder,
		.verify = true,
		.result = &result,
	};
	size_t count = 0;
	int rc = pit_weights_wanted(w, &want, &wanted, &count, err);

	if (rc)
		return rc;
	look(w, wanted, count, &result);
	rc = check_headers(w, &result, &header, err);
	if (!rc)
		rc = pit_weights_plan(w, &want, &ladder, &plan, err);
	if (!rc)
		rc = pit_stream_run(&s, err);
	if (rc)
		return rc;
	*ret = result;
	return judge(&result, &header, err);
}
