/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "feed/ladder.h"
#include "feed/pool_available.h"
#include "feed/pool_pages.h"

#define LADDER "pages"

int pit_pages_huge(size_t bytes, pit_map_huge map, struct pit_ladder *l, struct pit_pages_map *ret)
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
	rc = map(bytes, kib * 1024, ret);
	if (rc)
		pit_ladder_add(l, LADDER, "huge", PIT_RUNG_REFUSED, "%s", strerror(-rc));
	else
		pit_ladder_add(l, LADDER, "huge", PIT_RUNG_TAKEN, "%s of %llu KiB pages",
			       pit_format_size(ret->size, size, sizeof(size)), (unsigned long long)kib);
	return rc;
}

int pit_pages_refuse(enum pit_pages want, size_t bytes, struct pit_error *err)
{
	char size[32];

	return pit_fail(err, EOPNOTSUPP, "no %s for %s of memory here",
			want == PIT_PAGES_HUGE ? "huge pages" : "transparent huge pages",
			pit_format_size(bytes, size, sizeof(size)));
}
