/* SPDX-License-Identifier: MIT */
#include "tune/mig_layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"

#define INSTANCES_MAX 16 /* no GPU takes more than 7 */

struct piece {
	const char *name;
	const json_t *profile;
	int64_t size, fixed; /* `fixed`: where it must lie; -1 anywhere */
	int64_t start;
};

struct puzzle {
	struct piece piece[INSTANCES_MAX];
	size_t count;
	uint64_t taken; /* memory slices */
};

static const json_t *find_profile(const json_t *mig, const char *name)
{
	const json_t *profile;
	size_t i;

	json_array_foreach(json_object_get(mig, "profiles"), i, profile)
	{
		const char *its = json_string_value(json_object_get(profile, "name"));

		if (its && !strcmp(its, name))
			return profile;
	}
	return NULL;
}

static int no_profile(const json_t *mig, const char *name, struct pit_error *err)
{
	pit_auto_buf struct pit_buf names = PIT_BUF_INIT;
	const json_t *profile;
	size_t i;

	json_array_foreach(json_object_get(mig, "profiles"), i, profile)
		pit_buf_printf(&names, "%s%s", i ? ", " : "", json_string_value(json_object_get(profile, "name")));
	return pit_fail(err, EINVAL, "this GPU has no MIG profile '%s'; it has %s", name, names.data);
}

/* Cuts "@4" off the word. */
static int read_piece(const json_t *mig, char *word, struct puzzle *p, struct pit_error *err)
{
	char *at = strchr(word, '@');
	struct piece *piece = &p->piece[p->count];
	uint64_t start = 0;

	if (p->count == INSTANCES_MAX)
		return pit_fail(err, EINVAL, "no GPU takes more than %d MIG instances", INSTANCES_MAX);
	if (at)
		*at = '\0';
	if (at && (pit_parse_u64(at + 1, &start) || start > 63))
		return pit_fail(err, EINVAL, "'%s@%s' names no memory slice", word, at + 1);
	*piece = (struct piece){.name = word, .profile = find_profile(mig, word), .fixed = at ? (int64_t)start : -1};
	if (!piece->profile)
		return no_profile(mig, word, err);
	piece->size = json_integer_value(json_object_get(piece->profile, "size"));
	if (piece->size < 1 || piece->size > 64)
		return pit_fail(err, EBADMSG, "MIG profile %s takes %d slices", word, (int)piece->size);
	p->count++;
	return 0;
}

/* The places that are given first, then the biggest. */
static int harder_first(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if ((x->fixed >= 0) != (y->fixed >= 0))
		return x->fixed >= 0 ? -1 : 1;
	return (x->size < y->size) - (x->size > y->size);
}

static uint64_t slices(int64_t start, int64_t size)
{
	uint64_t ones = size > 63 ? ~UINT64_C(0) : (UINT64_C(1) << size) - 1;

	return start < 0 || start > 63 ? 0 : ones << start;
}

/* Backtracking: at most 7 pieces on 8 slices in practice. */
static bool solve(struct puzzle *p, size_t next)
{
	struct piece *piece = &p->piece[next];
	const json_t *start;
	size_t i;

	if (next == p->count)
		return true;
	json_array_foreach(json_object_get(piece->profile, "starts"), i, start)
	{
		uint64_t mine = slices(json_integer_value(start), piece->size);

		piece->start = json_integer_value(start);
		if (!mine || (p->taken & mine) || (piece->fixed >= 0 && piece->fixed != piece->start))
			continue;
		p->taken |= mine;
		if (solve(p, next + 1))
			return true;
		p->taken &= ~mine;
	}
	return false;
}

static int by_start(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* True when both have the same profiles; a place counts where `wanted` names one. */
static bool is_same(const char *wanted, const char *current)
{
	pit_auto_strv struct pit_strv a = {0}, b = {0};
	bool placed = strchr(wanted, '@') != NULL;

	if (pit_strv_split(&a, wanted, " ") || pit_strv_split(&b, current, " ") || a.count != b.count)
		return false;
	for (size_t i = 0; i < b.count && !placed; i++)
		b.item[i][strcspn(b.item[i], "@")] = '\0';
	if (a.count)
		qsort(a.item, a.count, sizeof(*a.item), by_text);
	if (b.count)
		qsort(b.item, b.count, sizeof(*b.item), by_text);
	for (size_t i = 0; i < a.count; i++)
		if (strcmp(a.item[i], b.item[i]))
			return false;
	return true;
}

int pit_mig_place(const json_t *mig, const char *wanted, const char *current, struct pit_buf *out,
		  struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	struct puzzle p = {.count = 0};
	int rc = pit_strv_split(&words, wanted, " ") ? pit_fail(err, ENOMEM, "out of memory") : 0;

	if (!rc && current && is_same(wanted, current)) {
		pit_buf_puts(out, current);
		return 0;
	}
	for (size_t i = 0; i < words.count && !rc; i++)
		rc = read_piece(mig, words.item[i], &p, err);
	if (rc)
		return rc;
	if (!p.count)
		return pit_fail(err, EINVAL, "no MIG profile is named");
	qsort(p.piece, p.count, sizeof(*p.piece), harder_first);
	if (!solve(&p, 0))
		return pit_fail(err, EINVAL, "MIG instances '%s' do not fit on one GPU together", wanted);
	qsort(p.piece, p.count, sizeof(*p.piece), by_start);
	for (size_t i = 0; i < p.count; i++)
		pit_buf_printf(out, "%s%s@%d", i ? " " : "", p.piece[i].name, (int)p.piece[i].start);
	return 0;
}
