/* SPDX-License-Identifier: MIT
 *
 * Where the memory of a process lies. Both ways take the lock of its address space, for which a child of ours waits.
 */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/try.h"
#include "launch/after_parts.h"

#define PATIENCE_MS 300
#define FEWEST 64 /* pages of which shares can be told */

/* What numa_maps and maps call a file and is memory of its own, with the path cut at the length given. */
static bool is_memory(const char *path)
{
	static const char *const begins[] = {"/dev/shm/", "/memfd:",        "/SYSV",
					     "/dev/zero", "/anon_hugepage", "/dev/hugepages"};

	for (size_t i = 0; i < PIT_COUNT(begins); i++)
		if (!strncmp(path, begins[i], strlen(begins[i])))
			return true;
	return false;
}

struct pages {
	uint64_t local, remote; /* pages of this line */
	uint64_t size;          /* of each */
	bool left_out;
};

static bool number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && !errno;
}

/* "N3=17" */
static int add_node(char *word, const struct pit_idset *mems, struct pages *p)
{
	char *equals = strchr(word, '=');
	uint64_t node, n, *sum;

	if (!equals)
		return -EBADMSG;
	*equals = '\0';
	if (!number(word + 1, &node) || node >= PIT_IDSET_MAX || !number(equals + 1, &n))
		return -EBADMSG;
	sum = pit_idset_has(mems, node) ? &p->local : &p->remote;
	return __builtin_add_overflow(*sum, n, sum) ? -EBADMSG : 0;
}

static int add_word(char *word, const struct pit_idset *mems, struct pages *p)
{
	static const char size[] = "kernelpagesize_kB=", file[] = "file=";

	if (word[0] == 'N' && isdigit((unsigned char)word[1]))
		return add_node(word, mems, p);
	if (!strncmp(word, file, strlen(file)))
		p->left_out = !is_memory(word + strlen(file));
	if (strncmp(word, size, strlen(size)))
		return 0;
	if (!number(word + strlen(size), &p->size) || !p->size || p->size > UINT64_MAX / 1024)
		return -EBADMSG;
	p->size *= 1024;
	return 0;
}

static int add_bytes(uint64_t pages, uint64_t size, uint64_t *sum)
{
	uint64_t bytes;

	return __builtin_mul_overflow(pages, size, &bytes) || __builtin_add_overflow(*sum, bytes, sum) ? -EBADMSG : 0;
}

/* "7f1c34000000 bind:0-1 anon=3 dirty=3 N0=1 N1=2 kernelpagesize_kB=4" */
static int add_line(char *line, const struct pit_idset *mems, uint64_t *local, uint64_t *remote)
{
	struct pages p = {.size = (uint64_t)sysconf(_SC_PAGESIZE)};
	char *save = NULL, *word = strtok_r(line, " ", &save);
	int rc = 0;

	if (!word || word[strspn(word, "0123456789abcdef")] || !strtok_r(NULL, " ", &save))
		return -EBADMSG;
	while (!rc && (word = strtok_r(NULL, " ", &save)))
		rc = add_word(word, mems, &p);
	if (rc || p.left_out)
		return rc;
	rc = add_bytes(p.local, p.size, local);
	return rc ? rc : add_bytes(p.remote, p.size, remote);
}

int pit_after_numa_maps(const char *text, const struct pit_idset *mems, uint64_t *ret_local, uint64_t *ret_remote)
{
	uint64_t local = 0, remote = 0, all;

	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		pit_auto_free char *line = strndup(text, (size_t)(end - text));
		int rc = line ? add_line(line, mems, &local, &remote) : -ENOMEM;

		if (rc)
			return rc;
	}
	if (__builtin_add_overflow(local, remote, &all))
		return -EBADMSG;
	*ret_local = local;
	*ret_remote = remote;
	return 0;
}

struct walk {
	pid_t pid;
	size_t most;
};

/* In the child. */
static int read_numa_maps(const char *name, void *arg, struct pit_buf *out)
{
	const struct walk *w = arg;
	pit_auto_close int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", (int)w->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (out->len < w->most) {
		char bytes[16384];
		size_t left = w->most - out->len;
		ssize_t n = read(fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes));

		if (n < 0)
			return -errno;
		if (!n)
			break;
		pit_buf_add(out, bytes, (size_t)n);
	}
	return 0;
}

int pit_after_walk(pid_t pid, size_t most, const struct pit_idset *mems, struct pit_after *a)
{
	struct walk w = {.pid = pid, .most = most};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc = pit_try_most(PATIENCE_MS, most + 65536, read_numa_maps, "numa_maps", &w, &text);

	if (!rc)
		rc = pit_after_numa_maps(text.data, mems, &a->local, &a->remote);
	a->cut |= !rc && text.len == most;
	return rc;
}

/* "7f1c34000000-7f1c38000000 rw-p 00000000 00:00 0 [heap]". False: not a line, or not memory of its own. */
static bool area(const char *line, uint64_t *begin, uint64_t *end)
{
	char rights[8], path[16] = "";

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %15s", begin, end, rights, path) < 3)
		return false;
	return *end > *begin && rights[0] == 'r' && rights[1] == 'w' && (path[0] != '/' || is_memory(path));
}

static uint64_t writable(const char *maps)
{
	uint64_t sum = 0, begin, end;

	for (const char *line = maps; *line; line = strchrnul(line, '\n'), line += *line == '\n')
		if (area(line, &begin, &end) && __builtin_add_overflow(sum, end - begin, &sum))
			return 0;
	return sum;
}

size_t pit_after_spread(const char *maps, uint64_t page, uint64_t *ret, size_t most)
{
	uint64_t step = writable(maps) / most + 1, before = 0, begin, end;
	size_t n = 0;

	/* The i-th address lies i steps into all areas put one behind the other. */
	for (const char *line = maps; *line; line = strchrnul(line, '\n'), line += *line == '\n') {
		if (!area(line, &begin, &end))
			continue;
		for (; n < most && n * step < before + (end - begin); n++)
			ret[n] = (begin + (n * step - before)) / page * page;
		before += end - begin;
	}
	return n;
}

struct question {
	pid_t pid;
	size_t count;
	const uint64_t *pages;
};

/* In the child: the node of each page, or a negative errno. */
static int ask(const char *name, void *arg, struct pit_buf *out)
{
	const struct question *q = arg;
	pit_auto_free int *status = calloc(q->count, sizeof(*status));

	if (!status)
		return -ENOMEM;
	if (syscall(SYS_move_pages, q->pid, q->count, q->pages, NULL, status, 0) < 0)
		return -errno;
	pit_buf_add(out, status, q->count * sizeof(*status));
	return 0;
}

/* Shares of `bytes`. */
static int judge(const int *status, size_t count, uint64_t bytes, const struct pit_idset *mems, struct pit_after *a)
{
	size_t local = 0, remote = 0;

	for (size_t i = 0; i < count; i++) {
		bool here = status[i] >= 0 && pit_idset_has(mems, (size_t)status[i]);

		local += here;
		remote += status[i] >= 0 && !here;
	}
	if (local + remote < FEWEST)
		return -ENODATA;
	a->remote = (uint64_t)((double)bytes * (double)remote / (double)(local + remote));
	a->local = bytes - a->remote;
	return 0;
}

int pit_after_ask(struct pit_root *root, pid_t pid, uint64_t bytes, const struct pit_idset *mems, struct pit_after *a)
{
	pit_auto_free uint64_t *pages = calloc(PIT_AFTER_PAGES, sizeof(*pages));
	struct question q = {.pid = pid, .pages = pages};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_text maps;
	int rc;

	_Static_assert(sizeof(void *) == sizeof(uint64_t), "move_pages() takes pointers");
	if (!pages)
		return -ENOMEM;
	rc = pit_root_read(root, &maps, "/proc/%d/maps", (int)pid);
	if (!rc)
		q.count = pit_after_spread(maps.data, (uint64_t)sysconf(_SC_PAGESIZE), pages, PIT_AFTER_PAGES);
	if (!rc)
		rc = pit_try(PATIENCE_MS, ask, "move_pages", &q, &out);
	if (!rc)
		rc = judge((const int *)(const void *)out.data, out.len / sizeof(int), bytes, mems, a);
	a->cut |= !rc;
	return rc;
}
