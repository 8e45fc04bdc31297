/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "feed/share.h"
#include "feed/store.h"

/* The sender's memory. Without /proc, or where it hides others' processes, the descriptor can be asked for. */
static int open_memory(const struct pit_share *s, struct pit_error *err)
{
	pit_auto_close int pidfd = -1;
	char path[64];
	int fd, rc;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)s->pid, s->fd);
	fd = TEMP_FAILURE_RETRY(open(path, O_RDWR | O_CLOEXEC));
	if (fd >= 0)
		return fd;
	rc = -errno;
	pidfd = syscall(SYS_pidfd_open, s->pid, 0);
	if (pidfd >= 0)
		fd = syscall(SYS_pidfd_getfd, pidfd, s->fd, 0);
	if (fd >= 0)
		return fd;
	if (rc == -ENOENT || rc == -ESRCH || rc == -ENXIO)
		return pit_fail(err, ESTALE, "process %d, which exported the batch, has ended or closed its loader",
				(int)s->pid);
	return pit_fail(err, -rc, "cannot open the memory of process %d, which exported the batch: %s", (int)s->pid,
			strerror(-rc));
}

/* Maps bytes of the memory from `offset`, which need not be a page's, in whole pages. */
static int map_part(int fd, uint64_t offset, uint64_t bytes, void **ret_map, size_t *ret_len, void **ret_at)
{
	uint64_t page, begin, len;
	struct stat st;
	void *map;

	if (fstat(fd, &st))
		return -errno;
	page = st.st_blksize > sysconf(_SC_PAGESIZE) ? st.st_blksize : sysconf(_SC_PAGESIZE);
	begin = offset / page * page;
	if (offset > (uint64_t)st.st_size || bytes > (uint64_t)st.st_size - offset)
		return -ESTALE;
	len = (offset - begin + bytes + page - 1) / page * page; /* munmap() of huge pages wants whole ones */
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, begin);
	if (map == MAP_FAILED)
		return -errno;
	*ret_map = map;
	*ret_len = len;
	*ret_at = (char *)map + (offset - begin);
	return 0;
}

static void drop(struct pit_batch *b)
{
	if (b->map)
		munmap(b->map, b->map_len);
	if (b->bell_map)
		munmap(b->bell_map, b->bell_len);
	free(b);
}

static int map_all(int fd, const struct pit_share *s, struct pit_batch *b)
{
	void *at;
	int rc;

	rc = map_part(fd, s->offset, s->bytes, &b->map, &b->map_len, &at);
	if (rc)
		return rc;
	b->head = at;
	if (s->bell < 0)
		return 0;
	rc = map_part(fd, s->bell, sizeof(*b->bell), &b->bell_map, &b->bell_len, &at);
	if (!rc)
		b->bell = at;
	return rc;
}

/* Whoever changes the word first has it. */
static int take(struct pit_batch *b, const struct pit_share *s, struct pit_error *err)
{
	uint64_t offered = (uint64_t)PIT_LEASE_OFFERED << 32;

	if (b->head->magic != PIT_BATCH_MAGIC || b->head->nonce != s->nonce ||
	    !atomic_compare_exchange_strong(&b->head->lease, &offered,
					    (uint64_t)PIT_LEASE_TAKEN << 32 | (uint32_t)b->pid))
		return pit_fail(err, ESTALE, "the exported batch of process %d was taken by another", (int)s->pid);
	atomic_store(&b->head->began, pit_share_began(b->pid));
	if (!pit_batch_is_sound(b->head, s->bytes)) {
		atomic_store(&b->head->lease, (uint64_t)PIT_LEASE_RETURNED << 32);
		return pit_fail(err, EINVAL, "what process %d exported is not a batch", (int)s->pid);
	}
	return 0;
}

int pit_batch_import(const char *text, struct pit_batch **ret, struct pit_error *err)
{
	struct pit_share s;
	struct pit_batch *b;
	pit_auto_close int fd = -1;
	int rc = pit_share_parse(text, &s, err);
	uint64_t began;

	if (rc)
		return rc;
	began = pit_share_began(s.pid);
	if (s.began && began && s.began != began)
		return pit_fail(err, ESTALE, "process %d, which exported the batch, has ended", (int)s.pid);
	fd = open_memory(&s, err);
	if (fd < 0)
		return fd;
	b = calloc(1, sizeof(*b));
	if (!b)
		return pit_fail(err, ENOMEM, "no memory for a batch");
	b->pid = getpid();
	b->pidfd = -1;
	rc = map_all(fd, &s, b);
	if (rc)
		pit_fail(err, -rc, "cannot map the batch of process %d: %s", (int)s.pid, strerror(-rc));
	else
		rc = take(b, &s, err);
	if (rc)
		drop(b);
	else
		*ret = b;
	return rc;
}

static void give_back(struct pit_batch *b)
{
	atomic_store(&b->head->lease, (uint64_t)PIT_LEASE_RETURNED << 32);
	if (b->bell)
		pit_bell_ring(&b->bell->rung, &b->bell->waits);
	drop(b);
}

/* A handle that came by fork() is the parent's. */
void pit_batch_release(struct pit_batch *b)
{
	int saved = errno;

	if (!b || b->pid != getpid())
		return;
	if (!b->store) {
		give_back(b);
	} else {
		struct pit_store *s = b->store;

		pthread_mutex_lock(&s->lock);
		s->out--;
		pthread_mutex_unlock(&s->lock);
		pit_store_put(s, b);
	}
	errno = saved;
}
