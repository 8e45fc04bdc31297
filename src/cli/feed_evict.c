/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/feed_time.h"
#include "feed/source.h"

#define WINDOW (UINT64_C(1) << 30) /* bytes that are looked at in one piece */

/* Bytes of the file in the page cache. Nothing of it is touched: a file that is cut meanwhile hurts nobody. */
static int64_t resident(int fd, uint64_t size)
{
	uint64_t page = sysconf(_SC_PAGESIZE), pages = WINDOW / page;
	pit_auto_free unsigned char *seen = malloc(pages);
	int64_t found = 0;

	for (uint64_t at = 0; seen && at < size; at += WINDOW) {
		uint64_t len = size - at < WINDOW ? size - at : WINDOW;
		void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, at);

		if (map == MAP_FAILED)
			break;
		if (!mincore(map, len, seen))
			for (uint64_t i = 0; i < (len + page - 1) / page; i++)
				found += (seen[i] & 1) * page;
		munmap(map, len);
	}
	return found;
}

static int64_t evict(const struct pit_source *s, uint32_t file)
{
	pit_auto_close int fd = openat(pit_source_dir(s), pit_source_file(s, file), O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) && !resident(fd, st.st_size))
		return 0;
	/* What is not on disk yet cannot go. */
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return resident(fd, st.st_size);
}

int64_t pit_feed_evict(const struct pit_source *s)
{
	int64_t stayed = 0;

	for (uint32_t i = 0; i < pit_source_files(s); i++)
		stayed += evict(s, i);
	return stayed;
}
