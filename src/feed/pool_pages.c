/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "feed/ladder.h"
#include "feed/pool_available.h"
#include "feed/pool_pages.h"

#define LADDER "pages"

static int map_memfd(size_t bytes, size_t page, unsigned flags, struct pit_pages_map *ret)
{
	size_t size = (bytes + page - 1) / page * page;
	pit_auto_close int fd = memfd_create("pitcrew", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	void *base;

	if (fd < 0 || ftruncate(fd, size))
		return -errno;
	/* Nobody who has it mapped shall lose it; where that cannot be promised it is nobody's habit either. */
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	/* Huge pages that the cgroup does not grant must be an error here, not a signal at the first touch. */
	if ((flags & MFD_HUGETLB) && fallocate(fd, 0, 0, size))
		return -errno;
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	*ret = (struct pit_pages_map){.base = base, .size = size, .page = page, .fd = pit_take_fd(&fd)};
	return 0;
}

/* More than there is would not fail but get somebody killed. */
static int check_available(size_t bytes, struct pit_error *err)
{
	struct pit_available a;
	char asked[32], there[32];

	pit_available_at("", &a);
	if (!a.bytes || bytes <= a.bytes)
		return 0;
	return pit_fail(err, ENOMEM, "%s of memory were asked for, and %s has %s left",
			pit_format_size(bytes, asked, sizeof(asked)), a.what,
			pit_format_size(a.bytes, there, sizeof(there)));
}

static int map(size_t bytes, size_t page, bool huge, struct pit_pages_map *ret, struct pit_error *err)
{
	int rc = huge ? 0 : check_available(bytes, err);

	if (rc)
		return rc;
	rc = map_memfd(bytes, page, huge ? MFD_HUGETLB : 0, ret);
	return rc ? pit_fail(err, -rc, "cannot map %zu bytes of shared memory: %s", bytes, strerror(-rc)) : 0;
}

/* What the kernel has chosen of a file like "always within_size [advise] never", in `ret`; "" when it cannot be read.
 */
static void chosen(const char *path, char *ret, size_t size)
{
	pit_auto_fclose FILE *f = fopen(path, "re");
	char line[128], *open, *close;

	*ret = '\0';
	if (!f || !fgets(line, sizeof(line), f))
		return;
	open = strchr(line, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close) {
		*close = '\0';
		snprintf(ret, size, "%s", open + 1);
	}
}

static int try_thp(const struct pit_pages_map *m, struct pit_ladder *l)
{
	char word[32];

	chosen("/sys/kernel/mm/transparent_hugepage/shmem_enabled", word, sizeof(word));
	if (!*word || !strcmp(word, "never") || !strcmp(word, "deny")) {
		pit_ladder_add(l, LADDER, "transparent huge", PIT_RUNG_REFUSED,
			       "/sys/kernel/mm/transparent_hugepage/shmem_enabled is %s",
			       *word ? word : "not readable");
		return -EOPNOTSUPP;
	}
	if (madvise(m->base, m->size, MADV_HUGEPAGE)) {
		pit_ladder_add(l, LADDER, "transparent huge", PIT_RUNG_REFUSED, "madvise: %s", strerror(errno));
		return -EOPNOTSUPP;
	}
	pit_ladder_add(l, LADDER, "transparent huge", PIT_RUNG_TAKEN, "shmem_enabled is %s", word);
	return 0;
}

/* What a driver has registered is there already. */
static int touch(const struct pit_pages_map *m, size_t first, struct pit_error *err)
{
	int rc;

	first = (first < m->size ? first + m->page - 1 : m->size) / m->page * m->page;
	rc = m->cuda ? 0 : pit_pages_touch(m, first);
	return rc ? pit_fail(err, -rc, "cannot have %zu bytes of memory: %s", m->size, strerror(-rc)) : 0;
}

int pit_pages_open(size_t bytes, size_t first, const struct pit_io_want *want, struct pit_ladder *l,
		   struct pit_pages_map *ret, struct pit_error *err)
{
	static const struct pit_pages_kind shared = {.map = map, .thp = try_thp};
	struct pit_pages_map m = {.fd = -1};
	int rc;

	if (!bytes || bytes > SIZE_MAX / 4)
		return pit_fail(err, EINVAL, "%zu bytes are no size for a pool", bytes);
	rc = pit_pages_best(&shared, bytes, want->pages, l, &m, err);
	if (rc)
		return rc;
	rc = pit_pages_node(&m, want->node_plus_1, l, err);
	if (!rc)
		rc = pit_pages_lock(&m, want->lock, l, err);
	if (!rc)
		rc = touch(&m, first, err);
	if (rc)
		pit_pages_close(&m);
	else
		*ret = m;
	return rc;
}
