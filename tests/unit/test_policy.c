/* SPDX-License-Identifier: MIT
 *
 * Each policy by hand-made sequences, and against a model of it that is as plain as possible on random requests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "feed/policy.h"
#include "feed/policy_index.h"

/* ---- hand-made ---- */

/* Letters are requests of keys: a hit prints the letter, a miss a dot. Objects have 1 byte, capital letters 3. */
static const struct {
	enum pit_policy policy;
	uint64_t bytes;
	const char *requests, *hits;
} sequences[] = {
	{PIT_POLICY_FILL_ONCE, 3, "abcdabcd", "....abc."},
	{PIT_POLICY_FILL_ONCE, 3, "aBbcBb", ".....b"},
	{PIT_POLICY_FIFO, 3, "abcadabcd", "...a....."},
	{PIT_POLICY_LRU, 3, "abcadabcd", "...a.a..."},
	{PIT_POLICY_LRU, 3, "abcCabcC", "........"},
	{PIT_POLICY_LRU, 2, "aAaA", "..a."},
	{PIT_POLICY_LRU, 0, "aa", ".."},
	{PIT_POLICY_CLOCK, 3, "abcadaebc", "...a.a..."},
	{PIT_POLICY_LFU, 3, "aabbcdcdab", ".a.b....ab"},
	{PIT_POLICY_LFU, 3, "abccbadabc", "...cba.ab."}, /* all at 2: c was there first */
	{PIT_POLICY_S3FIFO, 20, "aaabaa", ".aa.aa"},
	{PIT_POLICY_S3FIFO, 20, "CcC", "..."}, /* not smaller than the small queue */
};

static void follows_sequences(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(sequences); i++) {
		char got[32] = {0};
		struct pit_policy_cache *c;

		assert_int_equal(pit_policy_open(sequences[i].policy, sequences[i].bytes, NULL, NULL, &c), 0);
		for (size_t k = 0; sequences[i].requests[k]; k++) {
			char key = sequences[i].requests[k];

			got[k] = '.';
			if (pit_policy_get(c, (unsigned char)key))
				got[k] = key;
			else
				pit_policy_put(c, (unsigned char)key, key < 'a' ? 3 : 1);
		}
		assert_string_equal(got, sequences[i].hits);
		pit_policy_close(c);
	}
}

/* ---- models ---- */

#define KEYS 64

struct item {
	uint64_t key, bytes, uses, since;
};

struct line { /* the oldest first */
	struct item items[KEYS + 1];
	size_t count;
};

struct model {
	enum pit_policy policy;
	uint64_t bytes, clock;
	struct line main, small, ghost;
};

static struct item *find(struct line *l, uint64_t key)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i].key == key)
			return &l->items[i];
	return NULL;
}

static uint64_t sum(const struct line *l)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < l->count; i++)
		bytes += l->items[i].bytes;
	return bytes;
}

static struct item take(struct line *l, struct item *item)
{
	struct item taken = *item;

	memmove(item, item + 1, (size_t)(&l->items[l->count] - (item + 1)) * sizeof(*item));
	l->count--;
	return taken;
}

static void append(struct line *l, struct item item)
{
	assert_true(l->count < KEYS);
	l->items[l->count++] = item;
}

static void model_hit(struct model *m, struct line *l, struct item *item)
{
	item->uses++;
	item->since = ++m->clock;
	if (m->policy == PIT_POLICY_LRU)
		append(l, take(l, item));
}

static void model_evict_s3(struct model *m)
{
	if (sum(&m->main) > m->bytes - m->bytes / 10 || !m->small.count) {
		while (m->main.count) {
			struct item item = take(&m->main, m->main.items);

			if (!item.uses)
				return;
			item.uses = (item.uses < 3 ? item.uses : 3) - 1;
			append(&m->main, item);
		}
	}
	while (m->small.count) {
		struct item item = take(&m->small, m->small.items);

		if (item.uses < 2) {
			item.uses = 0;
			while (m->ghost.count && sum(&m->ghost) + item.bytes > m->bytes * 9 / 10)
				take(&m->ghost, m->ghost.items);
			append(&m->ghost, item);
			return;
		}
		item.uses = 0;
		append(&m->main, item);
	}
}

static void model_evict(struct model *m)
{
	struct item *victim = m->main.items;

	if (m->policy == PIT_POLICY_S3FIFO)
		return model_evict_s3(m);
	for (size_t i = 1; m->policy == PIT_POLICY_LFU && i < m->main.count; i++) {
		const struct item *it = &m->main.items[i];

		if (it->uses < victim->uses || (it->uses == victim->uses && it->since < victim->since))
			victim = &m->main.items[i];
	}
	while (m->policy == PIT_POLICY_CLOCK && m->main.items[0].uses) {
		m->main.items[0].uses = 0;
		append(&m->main, take(&m->main, m->main.items));
	}
	take(&m->main, victim);
}

static bool model_get(struct model *m, uint64_t key)
{
	struct line *l = find(&m->small, key) ? &m->small : &m->main;
	struct item *item = find(l, key);

	if (item)
		model_hit(m, l, item);
	return item != NULL;
}

static bool model_put(struct model *m, uint64_t key, uint64_t bytes)
{
	struct item *ghost = find(&m->ghost, key);
	bool s3 = m->policy == PIT_POLICY_S3FIFO, known = ghost;

	if (find(&m->small, key) || find(&m->main, key))
		return true;
	if (ghost)
		take(&m->ghost, ghost);
	if (bytes > m->bytes || (s3 && bytes >= m->bytes / 10))
		return false;
	while (sum(&m->main) + sum(&m->small) + bytes > m->bytes) {
		if (m->policy == PIT_POLICY_FILL_ONCE)
			return false;
		model_evict(m);
	}
	append(s3 && !known ? &m->small : &m->main, (struct item){.key = key, .bytes = bytes, .since = ++m->clock});
	return true;
}

static void model_drop(struct model *m, uint64_t key)
{
	struct line *l = find(&m->small, key) ? &m->small : &m->main;

	if (find(l, key))
		take(l, find(l, key));
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void count_evicted(void *arg, uint64_t key, uint64_t bytes, uint64_t value)
{
	assert_int_equal(value, key + 1000);
	*(uint64_t *)arg -= bytes;
}

/* Keys spread over all 64 bits; each has a size of its own, some 0. Few keys are asked for often. */
static void compare(enum pit_policy policy, uint64_t seed)
{
	static const uint64_t strides[] = {1, 64, UINT64_C(1) << 32, UINT64_C(0x123456789abcdef1)};
	uint64_t bytes = 100 + seed * 37 % 400, stride = strides[seed % 4], held = 0, random = seed * 77 + 1;
	struct model m = {.policy = policy, .bytes = bytes};
	struct pit_policy_cache *c;

	assert_int_equal(pit_policy_open(policy, bytes, count_evicted, &held, &c), 0);
	for (int n = 0; n < 5000; n++) {
		uint64_t r = next_random(&random), key = ((r >> 8) % KEYS * ((r >> 40) % KEYS) / KEYS) * stride;
		uint64_t size = key / stride * 7 % 23 * (seed % 3 + 1);
		bool in = model_get(&m, key);

		assert_int_equal(pit_policy_has(c, key), in);
		assert_int_equal(pit_policy_get(c, key), in);
		if (r % 50 == 0) {
			held -= in ? size : 0;
			model_drop(&m, key);
			pit_policy_drop(c, key);
		} else if (r % 50 > 2) { /* not each miss leads to a put */
			in = model_put(&m, key, size);
			assert_int_equal(pit_policy_fits(c, size) || pit_policy_has(c, key), in);
			held += in && !pit_policy_has(c, key) ? size : 0;
			assert_int_equal(pit_policy_put(c, key, size), in);
			if (in)
				*pit_policy_value(c, key) = key + 1000;
		}
		assert_int_equal(pit_policy_bytes(c), sum(&m.main) + sum(&m.small));
		assert_int_equal(pit_policy_bytes(c), held);
		assert_true(pit_policy_bytes(c) <= bytes);
	}
	pit_policy_close(c);
}

static void agrees_with_models(void **state)
{
	for (int p = 0; p < PIT_POLICIES; p++)
		for (uint64_t seed = 1; seed <= 24; seed++)
			compare((enum pit_policy)p, seed);
}

/* ---- the rest of the header ---- */

static void note_key(void *arg, uint64_t key, uint64_t bytes, uint64_t value)
{
	*(uint64_t *)arg = key;
}

static void evicts_when_told(void **state)
{
	for (int p = 0; p < PIT_POLICIES; p++) {
		uint64_t victim = 0, left = 0;
		struct pit_policy_cache *c;

		assert_int_equal(pit_policy_open((enum pit_policy)p, 100, note_key, &victim, &c), 0);
		assert_false(pit_policy_evict(c));
		for (uint64_t key = 1; key <= 10; key++)
			assert_true(pit_policy_put(c, key, 5));
		if (p == PIT_POLICY_FILL_ONCE) {
			assert_false(pit_policy_evict(c));
			left = 10;
		} else {
			assert_true(pit_policy_evict(c));
			assert_int_equal(victim, 1);
			while (pit_policy_evict(c))
				left++;
			assert_int_equal(left, 9);
			assert_int_equal(pit_policy_bytes(c), 0);
		}
		pit_policy_close(c);
	}
}

static void keeps_values(void **state)
{
	struct pit_policy_cache *c;

	assert_int_equal(pit_policy_open(PIT_POLICY_LRU, 10, NULL, NULL, &c), 0);
	assert_null(pit_policy_value(c, 1));
	assert_true(pit_policy_put(c, 1, 5));
	assert_int_equal(*pit_policy_value(c, 1), 0);
	*pit_policy_value(c, 1) = 77;
	assert_true(pit_policy_put(c, 1, 9)); /* is in already: nothing changes */
	assert_int_equal(pit_policy_bytes(c), 5);
	assert_int_equal(*pit_policy_value(c, 1), 77);
	pit_policy_drop(c, 1);
	pit_policy_drop(c, 1);
	assert_null(pit_policy_value(c, 1));
	assert_int_equal(pit_policy_bytes(c), 0);
	pit_policy_close(c);
	pit_policy_close(NULL);
}

static void sizes_do_not_overflow(void **state)
{
	for (int p = 0; p < PIT_POLICIES; p++) {
		struct pit_policy_cache *c;

		assert_int_equal(pit_policy_open((enum pit_policy)p, UINT64_MAX, NULL, NULL, &c), 0);
		assert_true(pit_policy_put(c, 1, UINT64_MAX / 11));
		assert_true(pit_policy_put(c, 2, UINT64_MAX / 11));
		assert_int_equal(pit_policy_put(c, 3, UINT64_MAX), p != PIT_POLICY_S3FIFO && p != PIT_POLICY_FILL_ONCE);
		pit_policy_close(c);
	}
}

/* Twice 2^31 entries are none in 32 bits. */
static void entries_have_a_limit(void **state)
{
	struct pit_entry *entries = calloc(1, sizeof(*entries));
	struct pit_index x = {.entries = entries, .room = PIT_ENTRIES_MAX};
	uint32_t e;

	assert_int_equal(pit_index_add(&x, 7, &e), -ENOMEM);
	assert_ptr_equal(x.entries, entries);
	assert_int_equal(x.room, PIT_ENTRIES_MAX);
	pit_index_free(&x);
}

static void has_names(void **state)
{
	struct pit_policy_cache *c = NULL;

	for (int p = 0; p < PIT_POLICIES; p++)
		assert_non_null(pit_policy_names[p]);
	assert_null(pit_policy_names[PIT_POLICIES]);
	assert_int_equal(pit_policy_open(PIT_POLICIES, 1, NULL, NULL, &c), -EINVAL);
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_sequences),     cmocka_unit_test(agrees_with_models),
		cmocka_unit_test(evicts_when_told),      cmocka_unit_test(keeps_values),
		cmocka_unit_test(sizes_do_not_overflow), cmocka_unit_test(has_names),
		cmocka_unit_test(entries_have_a_limit),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
