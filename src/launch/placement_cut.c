/* SPDX-License-Identifier: MIT */
#include "launch/placement_cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct table {
	const struct pit_cut_item *item;
	const struct pit_cut_share *share;
	size_t items, shares;
	unsigned *sum; /* weight of the items in front of position i */
	bool *fits;    /* [share][position]: the shares from this one on can take all items from this position on */
	size_t *busy_after; /* busy items from position i on */
};

static bool *cell(const struct table *t, size_t share, size_t position)
{
	return t->fits + share * (t->items + 1) + position;
}

/* The lowest and the highest weight of items with which a share's total lies between `low` and `high`. */
static void range_of(const struct pit_cut_share *s, unsigned low, unsigned high, unsigned *ret_low, unsigned *ret_high)
{
	*ret_low = s->has < low ? low - s->has : 0;
	if (s->must && !*ret_low)
		*ret_low = 1;
	*ret_high = s->has < high ? high - s->has : 0;
}

/* One row, from the row of the next share. */
static bool fill_row(struct table *t, size_t j, unsigned low, unsigned high)
{
	size_t from = 0;
	bool any = false;

	range_of(&t->share[j], low, high, &low, &high);
	for (size_t i = 0; i <= t->items; i++) {
		if (from < i)
			from = i;
		while (from <= t->items && t->sum[from] - t->sum[i] < low)
			from++;
		for (size_t end = from; end <= t->items && t->sum[end] - t->sum[i] <= high; end++)
			if (*cell(t, j + 1, end)) {
				*cell(t, j, i) = any = true;
				break;
			}
	}
	return any;
}

static bool can_cut(struct table *t, unsigned low, unsigned high)
{
	memset(t->fits, 0, (t->shares + 1) * (t->items + 1) * sizeof(*t->fits));
	*cell(t, t->shares, t->items) = true;
	for (size_t j = t->shares; j--;)
		if (!fill_row(t, j, low, high))
			return false;
	return *cell(t, 0, 0);
}

/* The highest total that all shares could reach if weight could be poured. */
static unsigned level(const struct table *t)
{
	unsigned low = 0, high = t->sum[t->items];

	for (size_t j = 0; j < t->shares; j++)
		high = t->share[j].has > high ? t->share[j].has : high;
	high += t->sum[t->items];
	while (low < high) {
		unsigned middle = low + (high - low + 1) / 2;
		unsigned long needed = 0;

		for (size_t j = 0; j < t->shares; j++)
			needed += t->share[j].has < middle ? middle - t->share[j].has : 0;
		if (needed <= t->sum[t->items])
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Leaves the table filled for the smallest difference. */
static int find_range(struct table *t, unsigned limit, unsigned *ret_low, unsigned *ret_high)
{
	unsigned top = level(t), widest = top + t->sum[t->items];

	for (unsigned d = 0; d <= limit && d <= widest; d++)
		for (unsigned below = 0; below <= d && below <= top; below++)
			if (can_cut(t, top - below, top - below + d)) {
				*ret_low = top - below;
				*ret_high = top - below + d;
				return 0;
			}
	return -ERANGE;
}

/* The best end of a run that starts at `start`: an edge before others, then the longest; but while busy items lie only
 * behind it, the shortest, so that the share with the busy one gets what is over. */
static size_t best_end(const struct table *t, size_t j, size_t start, unsigned low, unsigned high)
{
	size_t best = t->items + 1;
	bool best_edge = false;

	range_of(&t->share[j], low, high, &low, &high);
	for (size_t end = start; end <= t->items && t->sum[end] - t->sum[start] <= high; end++) {
		bool edge = end == t->items || t->item[end].edge;
		bool longer = t->busy_after[start] > t->busy_after[end] || !t->busy_after[end];

		if (t->sum[end] - t->sum[start] < low || !*cell(t, j + 1, end))
			continue;
		if (best > t->items || edge > best_edge || (edge == best_edge && longer)) {
			best = end;
			best_edge = edge;
		}
	}
	return best;
}

static int make_table(struct table *t)
{
	t->sum = calloc(t->items + 1, sizeof(*t->sum));
	t->busy_after = calloc(t->items + 1, sizeof(*t->busy_after));
	t->fits = calloc((t->shares + 1) * (t->items + 1), sizeof(*t->fits));
	if (!t->sum || !t->busy_after || !t->fits)
		return -ENOMEM;
	for (size_t i = 0; i < t->items; i++)
		t->sum[i + 1] = t->sum[i] + t->item[i].weight;
	for (size_t i = t->items; i--;)
		t->busy_after[i] = t->busy_after[i + 1] + t->item[i].busy;
	return 0;
}

static void free_table(struct table *t)
{
	free(t->sum);
	free(t->fits);
	free(t->busy_after);
}

int pit_cut(const struct pit_cut_item *item, size_t items, struct pit_cut_share *share, size_t shares, unsigned limit)
{
	PIT_CLEANUP(free_table)
	struct table t = {.item = item, .share = share, .items = items, .shares = shares};
	unsigned low, high;
	size_t start = 0, musts = 0;
	int rc = make_table(&t);

	for (size_t j = 0; j < shares; j++)
		musts += share[j].must;
	if (!rc && musts > items)
		rc = -ERANGE;
	if (!rc)
		rc = find_range(&t, limit, &low, &high);
	for (size_t j = 0; !rc && j < shares; j++) {
		size_t end = best_end(&t, j, start, low, high);

		share[j].first = start;
		share[j].count = end - start;
		start = end;
	}
	return rc;
}
