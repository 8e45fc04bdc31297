/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "feed/ladder.h"
#include "feed/pool_pages.h"

#define LADDER "lock"
#define PORTABLE 1 /* CU_MEMHOSTREGISTER_PORTABLE: for every context of the process */

typedef int (*get_current)(void **context);
typedef int (*host_register)(void *base, size_t bytes, unsigned flags);
typedef int (*host_unregister)(void *base);

/* Never loads the driver's library: a process that has not got it has no context. */
static const char *cuda_register(struct pit_pages_map *m)
{
	void *lib = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
	get_current current;
	host_register reg;
	host_unregister unreg;
	void *context = NULL;

	if (!lib)
		return "this process does not use CUDA";
	current = (get_current)dlsym(lib, "cuCtxGetCurrent");
	reg = (host_register)dlsym(lib, "cuMemHostRegister_v2");
	unreg = (host_unregister)dlsym(lib, "cuMemHostUnregister");
	dlclose(lib); /* whoever has a context keeps it loaded */
	if (!current || !reg || !unreg)
		return "libcuda has no cuMemHostRegister";
	if (current(&context) || !context)
		return "the calling thread has no CUDA context";
	if (reg(m->base, m->size, PORTABLE))
		return "cuMemHostRegister failed";
	m->cuda = (void *)unreg;
	return NULL;
}

static int lock_cuda(struct pit_pages_map *m, enum pit_lock want, struct pit_ladder *l, struct pit_error *err)
{
	const char *why = "not wanted";

	if (want == PIT_LOCK_AUTO || want == PIT_LOCK_CUDA)
		why = cuda_register(m);
	if (!why) {
		pit_ladder_add(l, LADDER, "cuda", PIT_RUNG_TAKEN, "registered with the driver");
		return 0;
	}
	pit_ladder_add(l, LADDER, "cuda",
		       want == PIT_LOCK_AUTO || want == PIT_LOCK_CUDA ? PIT_RUNG_REFUSED : PIT_RUNG_UNUSED, "%s", why);
	return pit_fail(want == PIT_LOCK_CUDA ? err : NULL, EOPNOTSUPP, "memory cannot be registered with CUDA: %s",
			why);
}

static int lock_pages(struct pit_pages_map *m, enum pit_lock want, struct pit_ladder *l, struct pit_error *err)
{
	struct rlimit limit = {0};
	char size[32], allowed[32];
	int rc;

	if (want == PIT_LOCK_NONE) {
		pit_ladder_add(l, LADDER, "mlock", PIT_RUNG_UNUSED, "not wanted");
		return -EOPNOTSUPP;
	}
	/* Locked as they are touched, which several threads do faster. */
	if (!mlock2(m->base, m->size, MLOCK_ONFAULT) || !mlock(m->base, m->size)) {
		pit_ladder_add(l, LADDER, "mlock", PIT_RUNG_TAKEN, "%s", pit_format_size(m->size, size, sizeof(size)));
		return 0;
	}
	rc = -errno;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	pit_format_size(m->size, size, sizeof(size));
	pit_format_size(limit.rlim_cur, allowed, sizeof(allowed));
	pit_ladder_add(l, LADDER, "mlock", PIT_RUNG_REFUSED, "%s, and RLIMIT_MEMLOCK is %s: %s", size, allowed,
		       strerror(-rc));
	return pit_fail(want == PIT_LOCK_MLOCK ? err : NULL, -rc, "cannot lock %s of memory (RLIMIT_MEMLOCK is %s): %s",
			size, allowed, strerror(-rc));
}

int pit_pages_lock(struct pit_pages_map *m, enum pit_lock want, struct pit_ladder *l, struct pit_error *err)
{
	int rc = lock_cuda(m, want, l, err);

	if (!rc || want == PIT_LOCK_CUDA)
		return rc;
	rc = lock_pages(m, want, l, err);
	if (!rc || want == PIT_LOCK_MLOCK)
		return rc;
	pit_ladder_add(l, LADDER, "none", PIT_RUNG_TAKEN, "pages may be swapped out, and the GPU's driver copies them");
	return 0;
}

void pit_pages_close(struct pit_pages_map *m)
{
	pit_pages_touch_end(m->behind);
	if (m->cuda)
		((host_unregister)m->cuda)(m->base);
	if (m->base)
		munmap(m->base, m->size);
	pit_cleanup_close(&m->fd);
	*m = (struct pit_pages_map){.fd = -1};
}
