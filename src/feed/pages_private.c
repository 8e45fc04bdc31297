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

/* A mapping of huge pages reserves what it needs, so that nothing can be missing later. */
static int map(size_t bytes, size_t page, bool huge, struct pit_pages_map *ret, struct pit_error *err)
{
	size_t size = (bytes + page - 1) / page * page;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (huge ? MAP_HUGETLB : 0);
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (base == MAP_FAILED)
		return pit_fail(err, errno, "cannot map %zu bytes of memory: %s", bytes, strerror(errno));
	*ret = (struct pit_pages_map){.base = base, .size = size, .page = page, .fd = -1};
	return 0;
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
	static const struct pit_pages_kind private = {.map = map, .thp = try_thp};
	struct pit_pages_map m = {.fd = -1};
	int rc = check_available(bytes, who, err);

	if (rc)
		return rc;
	rc = pit_pages_best(&private, bytes ? bytes : 1, want->pages, l, &m, err);
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
