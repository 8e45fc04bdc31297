/* SPDX-License-Identifier: MIT
 *
 * How bytes come and go: which of several ways is used is found out by a real read or write at the place in question,
 * and can be asked for. Each ladder is tried from its first rung down; a rung that is refused has its reason, and the
 * last one always works.
 */
#ifndef PITCREW_IO_H
#define PITCREW_IO_H

#include <stddef.h>
#include <stdint.h>

#include "pitcrew/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pit_io_engine {
	PIT_ENGINE_AUTO,
	PIT_ENGINE_URING_FIXED, /* io_uring with registered buffers and files */
	PIT_ENGINE_URING,       /* io_uring */
	PIT_ENGINE_THREADS,     /* threads with preadv2 and pwritev2 */
};

enum pit_io_cache {
	PIT_IO_CACHE_AUTO,
	PIT_IO_DIRECT,    /* O_DIRECT, by the alignment that statx tells */
	PIT_IO_DONTCACHE, /* RWF_DONTCACHE: through the page cache, dropped at once (Linux 6.14) */
	PIT_IO_BUFFERED,  /* page cache */
};

enum pit_pages {
	PIT_PAGES_AUTO,
	PIT_PAGES_HUGE, /* hugetlbfs, 2 MiB (or what the machine's default size is) */
	PIT_PAGES_THP,  /* transparent huge pages by madvise */
	PIT_PAGES_PLAIN,
};

enum pit_lock {
	PIT_LOCK_AUTO,
	PIT_LOCK_CUDA, /* cudaHostRegister's driver call, when a CUDA context exists: the GPU copies from there directly
			*/
	PIT_LOCK_MLOCK, /* within RLIMIT_MEMLOCK */
	PIT_LOCK_NONE,
};

/* What a caller may insist on; all 0 is automatic. An insisted rung that is refused is an error; automatic ones never
 * are. */
struct pit_io_want {
	enum pit_io_engine engine;
	enum pit_io_cache cache;
	enum pit_pages pages;
	enum pit_lock lock;
	int node_plus_1; /* memory of NUMA node N: N + 1. 0: the node of the calling thread, where there are several */
	unsigned depth;  /* requests at once, 1 to 4096 (saves: 64 at most); 0: by measurement (loader), 16 (weights), 8
			    (saves), else 32 */
	unsigned threads; /* of the engine "threads", 1 to 256; 0: like depth, at most 16 */
};

enum pit_rung_state {
	PIT_RUNG_TAKEN,
	PIT_RUNG_REFUSED,
	PIT_RUNG_UNUSED /* a better one was taken, or another wanted */
};

#define PIT_LADDER_MAX 32

/* A record of what was tried, in order. Plain data. */
struct pit_ladder {
	unsigned count;
	struct pit_rung {
		const char *ladder; /* "engine", "cache", "pages", "lock", "node", ...: constant strings */
		const char *rung;   /* "io_uring, registered", "O_DIRECT", ... */
		enum pit_rung_state state;
		char why[160]; /* what was measured, or what the kernel said and what to do */
	} rungs[PIT_LADDER_MAX];
};

/* Tries every rung of every ladder at `path` (a directory, where a file is written and removed, or an existing file,
 * which is only read) and tells what came of it. Nothing is left behind. */
int pit_io_probe(const char *path, const struct pit_io_want *want, struct pit_ladder *ret, struct pit_error *err);

#ifdef __cplusplus
}
#endif

#endif
