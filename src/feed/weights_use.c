/* SPDX-License-Identifier: MIT */
#include "feed/weights_use.h"

#include <string.h>
#include <xxhash.h>

int pit_use_begin(struct pit_use *u)
{
	if (!u->stream->verify)
		return 0;
	u->hash = XXH3_createState();
	return u->hash ? 0 : -ENOMEM;
}

void pit_use_end(struct pit_use *u)
{
	XXH3_freeState(u->hash);
	u->hash = NULL;
}

static void sum(struct pit_use *u, const struct pit_lane_piece *p, uint64_t from, const char *data, uint64_t len)
{
	const struct pit_weights_tensor *t = &u->stream->w->tensors[p->tensor];

	if (t->has_sum != PIT_SUM_GIVEN)
		return;
	if (!from)
		XXH3_64bits_reset(u->hash);
	XXH3_64bits_update(u->hash, data, len);
	if (from + len == p->len && XXH3_64bits_digest(u->hash) != t->sum)
		u->damaged(u->arg, p->tensor);
}

void pit_use_chunk(struct pit_use *u, const struct pit_read *r, const char *data)
{
	const uint64_t end = r->at + r->len;

	for (; u->piece < u->lane->count; u->piece++) {
		const struct pit_lane_piece *p = &u->lane->pieces[u->piece];
		uint64_t from = p->at < r->at ? r->at - p->at : 0;
		uint64_t len = (p->at + p->len < end ? p->at + p->len : end) - (p->at + from);
		const char *here = data + (p->at + from - r->at);

		if (p->at >= end)
			return;
		if (u->stream->verify)
			sum(u, p, from, here, len);
		if (u->stream->arena && u->stream->arena + p->to + from != here)
			memmove(u->stream->arena + p->to + from, here, len);
		if (p->at + p->len > end)
			return;
	}
}
