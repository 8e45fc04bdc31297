/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "feed/batch.h"

#define RECENT 16

/* Keys that were written last, by number of the part: neighbours have the same. */
struct texts {
	char *base; /* NULL: only counts */
	uint64_t end;
	struct {
		uint32_t key, at;
	} recent[RECENT];
};

static uint64_t add_text(struct texts *t, const char *text)
{
	uint64_t at = t->end;
	size_t len = strlen(text) + 1;

	if (t->base)
		memcpy(t->base + at, text, len);
	t->end += len;
	return at;
}

static uint32_t add_key(struct texts *t, const struct pit_source *s, unsigned part, uint32_t key)
{
	unsigned i = part % RECENT;

	if (!t->recent[i].at || t->recent[i].key != key) {
		t->recent[i].key = key;
		t->recent[i].at = add_text(t, pit_source_key(s, key));
	}
	return t->recent[i].at;
}

/* Everything but the texts. */
static uint64_t fixed_size(const struct pit_batch_want *w)
{
	return sizeof(struct pit_batch_head) + w->parts * sizeof(struct pit_batch_entry) +
	       w->count * (sizeof(uint64_t) + sizeof(struct pit_batch_run) + sizeof(uint32_t));
}

static void lay_out(const struct pit_batch_want *w, struct pit_batch_head *h)
{
	h->samples = sizeof(*h);
	h->entries = h->samples + w->count * sizeof(uint64_t);
	h->runs = h->entries + w->parts * sizeof(struct pit_batch_entry);
	h->names = h->runs + w->count * sizeof(struct pit_batch_run);
	h->texts = fixed_size(w);
}

static void write_sample(const struct pit_batch_want *w, uint32_t i, struct pit_batch_head *h, struct texts *t)
{
	const char *name = pit_source_name(w->source, w->samples[i]);
	uint32_t at = add_text(t, name ? name : "");

	if (h) {
		struct pit_batch_run *run = (struct pit_batch_run *)pit_batch_at(h, h->runs) + i;

		((uint32_t *)pit_batch_at(h, h->names))[i] = at;
		*run = (struct pit_batch_run){.first = w->firsts[i], .count = w->firsts[i + 1] - w->firsts[i]};
	}
	for (uint32_t p = w->firsts[i]; p < w->firsts[i + 1]; p++) {
		uint32_t key = add_key(t, w->source, p - w->firsts[i], w->extents[p].key);
		struct pit_batch_entry *e = h ? (struct pit_batch_entry *)pit_batch_at(h, h->entries) + p : NULL;

		if (e)
			*e = (struct pit_batch_entry){.len = w->extents[p].len, .key = key};
	}
}

uint64_t pit_batch_describe_size(const struct pit_batch_want *w)
{
	struct texts t = {.end = fixed_size(w)};

	for (uint32_t i = 0; i < w->count; i++)
		write_sample(w, i, NULL, &t);
	return t.end < UINT32_MAX ? t.end : 0;
}

void pit_batch_describe(const struct pit_batch_want *w, uint64_t bytes, struct pit_batch_head *h)
{
	struct texts t = {.base = (char *)h, .end = fixed_size(w)};

	memset(h, 0, sizeof(*h));
	h->magic = PIT_BATCH_MAGIC;
	h->bytes = bytes;
	h->position = w->position;
	h->count = w->count;
	h->parts = w->parts;
	lay_out(w, h);
	memcpy(pit_batch_at(h, h->samples), w->samples, w->count * sizeof(uint64_t));
	for (uint32_t i = 0; i < w->count; i++)
		write_sample(w, i, h, &t);
	h->end = t.end;
}

void pit_batch_substitute(struct pit_batch_head *h, uint32_t to, uint32_t from)
{
	uint64_t *samples = pit_batch_at(h, h->samples);
	uint32_t *names = pit_batch_at(h, h->names);
	struct pit_batch_run *runs = pit_batch_at(h, h->runs);

	samples[to] = samples[from];
	names[to] = names[from];
	runs[to] = runs[from];
}

void pit_batch_compact(struct pit_batch_head *h, const bool *bad)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < h->count; i++)
		if (!bad[i])
			pit_batch_substitute(h, kept++, i);
	h->count = kept;
}

static bool fits(uint64_t at, uint64_t count, size_t size, uint64_t end)
{
	return !(at % (size % 8 ? 4 : 8)) && at <= end && count <= (end - at) / size;
}

/* The arrays lie inside of the description, which lies inside of the region. */
static bool is_laid_out(const struct pit_batch_head *h, uint64_t bytes)
{
	if (h->magic != PIT_BATCH_MAGIC || h->bytes != bytes || h->end > bytes || h->end <= h->texts)
		return false;
	if (h->texts < sizeof(*h) || ((const char *)h)[h->end - 1])
		return false;
	return fits(h->samples, h->count, sizeof(uint64_t), h->texts) &&
	       fits(h->names, h->count, sizeof(uint32_t), h->texts) &&
	       fits(h->runs, h->count, sizeof(struct pit_batch_run), h->texts) &&
	       fits(h->entries, h->parts, sizeof(struct pit_batch_entry), h->texts);
}

static bool is_text(const struct pit_batch_head *h, uint32_t at)
{
	return at >= h->texts && at < h->end;
}

bool pit_batch_is_sound(const struct pit_batch_head *h, uint64_t bytes)
{
	const struct pit_batch_entry *e;
	const struct pit_batch_run *runs;
	const uint32_t *names;

	if (bytes < sizeof(*h) || !is_laid_out(h, bytes))
		return false;
	e = pit_batch_at(h, h->entries);
	runs = pit_batch_at(h, h->runs);
	names = pit_batch_at(h, h->names);
	for (uint32_t i = 0; i < h->parts; i++)
		if (e[i].at > bytes || e[i].len > bytes - e[i].at || !is_text(h, e[i].key))
			return false;
	for (uint32_t i = 0; i < h->count; i++)
		if (runs[i].first > h->parts || runs[i].count > h->parts - runs[i].first || !is_text(h, names[i]))
			return false;
	return true;
}
