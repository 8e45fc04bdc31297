/* SPDX-License-Identifier: MIT */
#include "feed/pages_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/parse.h"
#include "feed/ladder.h"
#include "feed/pool_available.h"

#define LADDER "pages"

static int map(uint64_t bytes, size_t page, int flags, struct pit_pages_map *ret)
{
	uint64_t size = (bytes + page - 1) / page * page;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (base == MAP_FAILED)
		return -errno;
	*ret = (struct pit_pages_map){.base = base, .size = size, .page = page, .fd = -1};
	return 0;
}

/* The mapping reserves what it needs, so that nothing can be missing later. */
static int map_huge(size_t bytes, size_t page, struct pit_pages_map *ret)
{
	return map(bytes, page, MAP_HUGETLB, ret);
}

static int try_thp(const struct pit_pages_map *m, struct pit_ladder *l)
{
	char word[64] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	bool never = !f || !fgets(word, sizeof(word), f) || strstr(word, "[never]");

	if (f)
		fclose(f);
	if (never || madvise(m->base, m->size, MADV_HUGEPAGE)) {
		pit_ladder_add(l, LADDER, "transparent huge", PIT_RUNG_REFUSED, "%s",
			       never ? "/sys/kernel/mm/transparent_hugepage/enabled is never" : strerror(errno));
		return -EOPNOTSUPP;
	}
	pit_ladder_add(l, LADDER, "transparent huge", PIT_RUNG_TAKEN, "by madvise");
	return 0;
}

static int map_best(uint64_t bytes, enum pit_pages want, struct pit_ladder *l, struct pit_pages_map *ret,
		    struct pit_error *err)
{
	int rc = -EOPNOTSUPP;

	if (want == PIT_PAGES_AUTO || want == PIT_PAGES_HUGE)
		rc = pit_pages_huge(bytes, map_huge, l, ret);
	else
		pit_ladder_add(l, LADDER, "huge", PIT_RUNG_UNUSED, "not wanted");
	if (!rc)
		return 0;
	if (want == PIT_PAGES_HUGE)
		return pit_pages_refuse(want, bytes, err);
	rc = map(bytes, (size_t)sysconf(_SC_PAGESIZE), 0, ret);
	if (rc)
		return pit_fail(err, -rc, "cannot map %" PRIu64 " bytes of memory: %s", bytes, strerror(-rc));
	if (want == PIT_PAGES_PLAIN)
		pit_ladder_add(l, LADDER, "transparent huge", PIT_RUNG_UNUSED, "not wanted");
	else if (!try_thp(ret, l))
		return 0;
	if (want == PIT_PAGES_THP)
		return pit_pages_refuse(want, bytes, err);
	pit_ladder_add(l, LADDER, "plain", PIT_RUNG_TAKEN, "%zu KiB pages", ret->page / 1024);
	return 0;
}

/* More than there is would not fail but get somebody killed. */
static int check_available(uint64_t bytes, const char *who, struct pit_error *err)
{
	struct pit_available there = {0};
	char asked[32], left[32];

	pit_available_at("", &there);
	if (!there.bytes || bytes <= there.bytes)
		return 0;
	return pit_fail(err, ENOMEM, "%s %s of memory, and %s has %s left", who,
			pit_format_size(bytes, asked, sizeof(asked)), there.what,
			pit_format_size(there.bytes, left, sizeof(left)));
}

int pit_pages_private(uint64_t bytes, const char *who, const struct pit_io_want *want, struct pit_ladder *l,
		      struct pit_pages_map *ret, struct pit_error *err)
{
	struct pit_pages_map m = {.fd = -1};
	int rc = check_available(bytes, who, err);

	if (rc)
		return rc;
	rc = map_best(bytes ? bytes : 1, want->pages, l, &m, err);
	if (!rc)
		rc = pit_pages_node(&m, want->node_plus_1, l, err);
	if (rc) {
		pit_pages_close(&m);
		return rc;
	}
	/* A child that is forked must not share pages that the disk writes to or reads from. */
	madvise(m.base, m.size, MADV_DONTFORK);
	*ret = m;
	return 0;
}
