/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "feed/loader_warm.h"

#define LOOKS 32
#define MISSES_MOST (LOOKS / 10)
#define SPREAD UINT64_C(2654435761)

/* The kernel tells of the pages of files only to those who could write to them: to others all seem to be there. */
static bool is_told(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (!geteuid() || st.st_uid == geteuid());
}

static bool is_mapped(int fd, uint64_t offset)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char there = 0;
	void *map;

	if (!is_told(fd))
		return false;
	map = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, offset / page * page);
	if (map == MAP_FAILED)
		return false;
	if (mincore(map, page, &there))
		there = 0;
	munmap(map, page);
	return there & 1;
}

static bool is_cached(int fd, uint64_t offset)
{
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	ssize_t n;

	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM); /* this page alone, when it is read at all */
	n = preadv2(fd, &iov, 1, offset, RWF_NOWAIT);
	if (n < 0 && (errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS))
		return is_mapped(fd, offset);
	return n == 1;
}

static void look_at(const struct pit_source *s, uint64_t sample, struct pit_warm *w)
{
	pit_auto_close int fd = -1;
	struct pit_extent e;

	pit_source_extent(s, sample, 0, &e);
	if (!e.len)
		return;
	fd = openat(pit_source_dir(s), pit_source_file(s, e.file), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	w->looked++;
	w->cached += is_cached(fd, e.offset + e.len / 2);
}

bool pit_warm_look(const struct pit_source *s, const struct pit_order *o, const struct pit_deal *d,
		   struct pit_warm *ret)
{
	uint64_t batches = pit_deal_batches(d), first;
	struct pit_warm w = {0};
	uint32_t count;

	for (uint64_t i = 0; i < LOOKS && w.looked - w.cached <= MISSES_MOST; i++) {
		if (!pit_deal_batch(d, batches / LOOKS * i + batches % LOOKS * i / LOOKS, &first, &count))
			break;
		look_at(s, pit_order_sample(o, (first + i * SPREAD % count) % d->count), &w);
	}
	*ret = w;
	return w.cached && w.looked - w.cached <= w.looked / 10;
}
