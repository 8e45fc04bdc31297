/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "feed/ladder.h"
#include "feed/pool_available.h"
#include "feed/pool_pages.h"

#define LADDER "pages"

/* Taken only when enough are free, since one that is missing would cost a failed reservation. */
static int try_huge(const struct pit_pages_kind *k, size_t bytes, struct pit_ladder *l, struct pit_pages_map *ret)
{
	uint64_t kib = 0, n = 0;
	char size[32];
	int rc;

	if (pit_available_field("/proc/meminfo", "Hugepagesize:", &kib) || !kib) {
		pit_ladder_add(l, LADDER, "huge", PIT_RUNG_REFUSED, "the kernel has none");
		return -EOPNOTSUPP;
	}
	pit_available_field("/proc/meminfo", "HugePages_Free:", &n);
	if (bytes > (n * 1024) * kib) {
		pit_ladder_add(l, LADDER, "huge", PIT_RUNG_REFUSED,
			       "%llu of %llu KiB are free, %llu are needed: vm.nr_hugepages", (unsigned long long)n,
			       (unsigned long long)kib, (unsigned long long)((bytes + kib * 1024 - 1) / (kib * 1024)));
		return -ENOMEM;
	}
	rc = k->map(bytes, kib * 1024, true, ret, NULL);
	if (rc)
		pit_ladder_add(l, LADDER, "huge", PIT_RUNG_REFUSED, "%s", strerror(-rc));
	else
		pit_ladder_add(l, LADDER, "huge", PIT_RUNG_TAKEN, "%s of %llu KiB pages",
			       pit_format_size(ret->size, size, sizeof(size)), (unsigned long long)kib);
	return rc;
}

static int refuse(enum pit_pages want, size_t bytes, struct pit_error *err)
{
	char size[32];

	return pit_fail(err, EOPNOTSUPP, "no %s for %s of memory here",
			want == PIT_PAGES_HUGE ? "huge pages" : "transparent huge pages",
			pit_format_size(bytes, size, sizeof(size)));
}

int pit_pages_best(const struct pit_pages_kind *k, size_t bytes, enum pit_pages want, struct pit_ladder *l,
		   struct pit_pages_map *ret, struct pit_error *err)
{
	struct pit_pages_map m;
	int rc = -EOPNOTSUPP;
	bool thp;

	if (want == PIT_PAGES_AUTO || want == PIT_PAGES_HUGE)
		rc = try_huge(k, bytes, l, ret);
	else
		pit_ladder_add(l, LADDER, "huge", PIT_RUNG_UNUSED, "not wanted");
	if (!rc)
		return 0;
	if (want == PIT_PAGES_HUGE)
		return refuse(want, bytes, err);
	rc = k->map(bytes, (size_t)sysconf(_SC_PAGESIZE), false, &m, err);
	if (rc)
		return rc;
	if (want == PIT_PAGES_PLAIN)
		pit_ladder_add(l, LADDER, "transparent huge", PIT_RUNG_UNUSED, "not wanted");
	thp = want != PIT_PAGES_PLAIN && !k->thp(&m, l);
	if (!thp && want == PIT_PAGES_THP) {
		pit_pages_close(&m);
		return refuse(want, bytes, err);
	}
	if (!thp)
		pit_ladder_add(l, LADDER, "plain", PIT_RUNG_TAKEN, "%zu KiB pages", m.page / 1024);
	*ret = m;
	return 0;
}
