/* SPDX-License-Identifier: MIT
 *
 * For tests of the I/O engines: a directory, a file of known contents in it, and an engine that is forced.
 */
#ifndef PIT_TESTS_IO_WORLD_H
#define PIT_TESTS_IO_WORLD_H

#include <sys/mman.h>

#include "feed/io.h"
#include "feed/ladder.h"
#include "tempdir.h"

#define IO_DIR_SIZE 64
#define IO_FILE_SIZE (3u * 1024 * 1024 + 1234) /* no multiple of anything */

struct io_world {
	char dir[IO_DIR_SIZE], path[IO_DIR_SIZE + 8];
	unsigned char *bytes; /* of the file */
	int fd;
	struct pit_io *io;
	uint64_t seed;
};

static inline uint64_t io_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* On a disk where there is one: /var/tmp is rarely tmpfs. */
static inline void io_world_open(struct io_world *w)
{
	*w = (struct io_world){.seed = 1, .fd = -1};
	tempdir_new_in(access("/var/tmp", W_OK) ? "/tmp" : "/var/tmp", w->dir, sizeof(w->dir));
	w->bytes = malloc(IO_FILE_SIZE);
	for (size_t i = 0; i < IO_FILE_SIZE; i++)
		w->bytes[i] = (unsigned char)io_random(&w->seed);
	snprintf(w->path, sizeof(w->path), "%s/file", w->dir);
	if (tempdir_write(w->dir, "file", w->bytes, IO_FILE_SIZE))
		abort();
	w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
}

static inline void io_world_close(struct io_world *w)
{
	pit_io_close(w->io);
	close(w->fd);
	free(w->bytes);
	tempdir_remove(w->dir);
}

/* False when this engine cannot be had here. */
static inline bool io_world_engine(struct io_world *w, enum pit_io_engine engine, unsigned depth)
{
	struct pit_io_want want = {.engine = engine, .depth = depth};

	pit_io_close(w->io);
	w->io = NULL;
	return !pit_io_open(&want, NULL, &w->io, NULL);
}

/* Memory as the pool's: shared, aligned to pages. */
static inline unsigned char *io_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static inline unsigned io_open_files(void)
{
	pit_auto_closedir DIR *d = opendir("/proc/self/fd");
	unsigned count = 0;

	while (d && readdir(d))
		count++;
	return count;
}

#endif
