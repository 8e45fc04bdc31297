/* SPDX-License-Identifier: MIT
 *
 * Takes the contents of files out of the page cache, and looks whether they are out.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

static struct {
	uint64_t files, bytes, resident;
} seen;

static uint64_t resident(int fd, uint64_t len)
{
	static unsigned char pages[1 << 20];
	uint64_t found = 0, page = sysconf(_SC_PAGESIZE), piece = sizeof(pages) * page;

	for (uint64_t at = 0; at < len; at += piece) {
		uint64_t part = len - at < piece ? len - at : piece;
		void *map = mmap(NULL, part, PROT_READ, MAP_SHARED, fd, at);

		if (map == MAP_FAILED)
			continue;
		if (!mincore(map, part, pages))
			for (uint64_t i = 0; i < (part + page - 1) / page; i++)
				found += (pages[i] & 1) * page;
		munmap(map, part);
	}
	return found;
}

static int evict(const char *path, const struct stat *st, int type, struct FTW *where)
{
	int fd;

	(void)where;
	if (type != FTW_F || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	if (arg_number("sync", 0)) /* what is dirty stays */
		fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	seen.files++;
	seen.bytes += st->st_size;
	if (st->st_size && arg_number("look", 1))
		seen.resident += resident(fd, st->st_size);
	close(fd);
	return 0;
}

int evict_main(void)
{
	if (nftw(arg_text("path", "."), evict, 32, FTW_PHYS)) {
		perror("tool: evict");
		return 1;
	}
	printf("{\"files\":%llu,\"bytes\":%llu,\"resident\":%llu}\n", (unsigned long long)seen.files,
	       (unsigned long long)seen.bytes, (unsigned long long)seen.resident);
	return 0;
}
