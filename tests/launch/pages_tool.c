/* SPDX-License-Identifier: MIT
 *
 * pages_tool MIB THREADS - a rank of a job: touches MIB of memory, each of THREADS threads its part (0: as many threads
 * as CPUs are allowed), and tells in a line of JSON where it and its pages are, by the kernel's own words.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"

struct part {
	pthread_t thread;
	pthread_barrier_t *begin;
	char *at;
	size_t len;
	unsigned cpu, node; /* behind it all */
	size_t near;        /* pages of it on that node */
};

/* Where the pages of a part are; pages of which the kernel has taken the access away, to see who wants them, are not
 * told until they are used again. */
static void ask_pages(const struct part *p, size_t page, size_t pages, void **at, int *status)
{
	enum { TRIES = 8 };
	size_t unknown = pages;

	for (size_t i = 0; i < pages; i++) {
		at[i] = p->at + i * page;
		status[i] = -1;
	}
	for (int try = 0; try < TRIES && unknown; try++) {
		for (size_t i = 0; i < pages; i++)
			if (status[i] < 0)
				*(volatile char *)at[i] = 2;
		if (syscall(SYS_move_pages, 0, pages, at, NULL, status, 0))
			return;
		unknown = 0;
		for (size_t i = 0; i < pages; i++)
			unknown += status[i] < 0;
	}
}

/* How many pages of a part are on its thread's node. */
static size_t near_pages(const struct part *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = p->len / page, near = 0;
	void **at = calloc(pages + 1, sizeof(*at));
	int *status = calloc(pages + 1, sizeof(*status));

	if (at && status)
		ask_pages(p, page, pages, at, status);
	for (size_t i = 0; at && status && i < pages; i++)
		near += status[i] == (int)p->node;
	free(at);
	free(status);
	return near;
}

static void *touch(void *arg)
{
	struct part *p = arg;

	pthread_barrier_wait(p->begin);
	memset(p->at, 1, p->len);
	(void)getcpu(&p->cpu, &p->node);
	p->near = near_pages(p);
	return NULL;
}

static size_t allowed_cpus(void)
{
	size_t size = CPU_ALLOC_SIZE(8192);
	cpu_set_t *set = CPU_ALLOC(8192);
	int count = !set || sched_getaffinity(0, size, set) ? 1 : CPU_COUNT_S(size, set);

	CPU_FREE(set);
	return (size_t)count;
}

/* The line of `path` that begins with `prefix`, without it; NULL none. Free it. */
static char *line_of(const char *path, const char *prefix)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		size_t len = strlen(prefix);

		if (strncmp(line, prefix, len) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		memmove(line, line + len, strlen(line + len) + 1);
		fclose(file);
		return line;
	}
	if (file)
		fclose(file);
	free(line);
	return NULL;
}

static void put_line(json_t *to, const char *key, const char *path, const char *prefix)
{
	char *line = line_of(path, prefix);

	json_object_set_new(to, key, line ? json_string(line) : json_null());
	free(line);
}

static void put_group(json_t *to)
{
	static const char *const files[] = {"cpu.max", "memory.max", "memory.high", "cpuset.cpus.effective"};
	char *group = line_of("/proc/self/cgroup", "0::");
	char path[4096];

	json_object_set_new(to, "cgroup", group ? json_string(group) : json_null());
	for (size_t i = 0; group && i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", group, files[i]);
		put_line(to, files[i], path, "");
	}
	free(group);
}

static void put_variables(json_t *to)
{
	static const char *const names[] = {"LOCAL_RANK", "RANK", "WORLD_SIZE", "CUDA_VISIBLE_DEVICES",
					    "OMP_NUM_THREADS"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		json_object_set_new(to, names[i], getenv(names[i]) ? json_string(getenv(names[i])) : json_null());
}

static json_t *nodes_of(const struct part *part, size_t threads)
{
	json_t *all = json_array();

	for (size_t i = 0; i < threads; i++)
		json_array_append_new(
			all, json_pack("[i,i,I]", (int)part[i].cpu, (int)part[i].node, (json_int_t)part[i].near));
	return all;
}

static int run(struct part *part, size_t threads, char *at, size_t len)
{
	pthread_barrier_t begin;

	pthread_barrier_init(&begin, NULL, (unsigned)threads);
	for (size_t i = 0; i < threads; i++) {
		part[i] = (struct part){.begin = &begin, .at = at + i * len, .len = len};
		if (pthread_create(&part[i].thread, NULL, touch, &part[i]))
			return -EAGAIN;
	}
	for (size_t i = 0; i < threads; i++)
		pthread_join(part[i].thread, NULL);
	return 0;
}

static void tell(const struct part *part, size_t threads, const char *at)
{
	json_t *all = json_pack("{s:o, s:i}", "threads", nodes_of(part, threads), "nice", getpriority(PRIO_PROCESS, 0));
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "%lx ", (unsigned long)at);
	put_line(all, "pages", "/proc/self/numa_maps", prefix);
	put_line(all, "cpus", "/proc/self/status", "Cpus_allowed_list:\t");
	put_line(all, "mems", "/proc/self/status", "Mems_allowed_list:\t");
	put_group(all);
	put_variables(all);
	json_dumpf(all, stdout, JSON_COMPACT);
	puts("");
	json_decref(all);
}

int main(int argc, char **argv)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), len, threads;
	struct part *part;
	char *map, *at;

	if (argc != 3)
		return 64;
	threads = strtoul(argv[2], NULL, 10);
	threads = threads ? threads : allowed_cpus();
	len = (strtoul(argv[1], NULL, 10) << 20) / threads / page * page;
	part = calloc(threads, sizeof(*part));
	/* pages without access around it, so that its line of numa_maps is its alone */
	map = mmap(NULL, len * threads + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	at = map + page;
	if (!part || map == MAP_FAILED || mprotect(at, len * threads, PROT_READ | PROT_WRITE))
		return 1;
	(void)madvise(at, len * threads, MADV_NOHUGEPAGE);
	if (run(part, threads, at, len))
		return 1;
	tell(part, threads, at);
	free(part);
	return 0;
}
