/* SPDX-License-Identifier: MIT */
#include "feed/save_hash.h"

#include <xxhash.h>

#define PIECE ((uint64_t)4 << 20) /* between looks at what is more urgent */

/* Tensors that begin before what is staged. */
static size_t count_borrowed(const struct pit_image *im)
{
	size_t n = 0;

	while (n < im->count && im->begin[n] < im->staged_from)
		n++;
	return n;
}

void pit_hasher_init(struct pit_hasher *h, const struct pit_image *im, uint64_t *sums)
{
	*h = (struct pit_hasher){.image = im, .sums = sums, .borrowed = sums ? count_borrowed(im) : 0};
	atomic_init(&h->next, 0);
	atomic_init(&h->left, h->borrowed);
	atomic_init(&h->stop, false);
	atomic_init(&h->failed, false);
}

static void hash_pieces(struct pit_hasher *h, struct pit_team *t, XXH3_state_t *state, uint64_t at, uint64_t end)
{
	while (at < end && !atomic_load_explicit(&h->stop, memory_order_relaxed)) {
		uint64_t n;
		const char *p = pit_image_at(h->image, at, &n);

		if (n > end - at)
			n = end - at;
		if (n > PIECE)
			n = PIECE;
		XXH3_64bits_update(state, p, n);
		at += n;
		pit_team_help(t);
	}
}

static void hash_tensor(struct pit_hasher *h, struct pit_team *t, size_t i)
{
	uint64_t at = h->image->begin[i], end = h->image->begin[i + 1], n = 0;
	const char *p = at < end ? pit_image_at(h->image, at, &n) : "";
	XXH3_state_t *state;

	if (n >= end - at && end - at <= PIECE) {
		h->sums[i] = XXH3_64bits(p, end - at);
		return;
	}
	state = XXH3_createState();
	if (!state) {
		atomic_store(&h->failed, true);
		return;
	}
	XXH3_64bits_reset(state);
	hash_pieces(h, t, state, at, end);
	h->sums[i] = XXH3_64bits_digest(state);
	XXH3_freeState(state);
}

bool pit_hasher_step(struct pit_team *t, void *hasher)
{
	struct pit_hasher *h = hasher;
	size_t i;

	if (!h->sums || atomic_load(&h->stop))
		return false;
	i = atomic_fetch_add(&h->next, 1);
	if (i >= h->image->count)
		return false;
	hash_tensor(h, t, i);
	if (i < h->borrowed && atomic_fetch_sub(&h->left, 1) == 1 && h->all_read)
		h->all_read(h->arg);
	return true;
}
