/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tool.h"

static char **arguments;

const char *arg_text(const char *key, const char *other)
{
	size_t len = strlen(key);

	for (char **a = arguments; *a; a++)
		if (!strncmp(*a, key, len) && (*a)[len] == '=')
			return *a + len + 1;
	return other;
}

uint64_t arg_number(const char *key, uint64_t other)
{
	const char *text = arg_text(key, NULL);
	char *end;
	uint64_t n;

	if (!text)
		return other;
	n = strtoull(text, &end, 10);
	return n << (*end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0);
}

static unsigned choice(const char *key, const char *const *words)
{
	const char *text = arg_text(key, words[0]);

	for (unsigned i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	fprintf(stderr, "tool: no %s=%s\n", key, text);
	exit(2);
}

void arg_io(struct pit_io_want *io)
{
	io->engine = choice("engine", (const char *const[]){"auto", "fixed", "uring", "threads", NULL});
	io->cache = choice("cache", (const char *const[]){"auto", "direct", "dontcache", "buffered", NULL});
	io->depth = arg_number("depth", 0);
	io->threads = arg_number("threads", 0);
}

void must(int rc, const struct pit_error *err, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "tool: %s: %s (%s)\n", what, err->text, strerror(-rc));
	exit(1);
}

void *must_have(void *memory)
{
	if (memory)
		return memory;
	fprintf(stderr, "tool: no memory\n");
	exit(1);
}

double cpu_seconds(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

uint64_t pss_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	unsigned long long kib = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss: %llu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib << 10;
}

void print_ladder(const struct pit_ladder *l)
{
	const char *between = "";

	printf(",\"ladder\":\"");
	for (unsigned i = 0; l && i < l->count; i++)
		if (l->rungs[i].state == PIT_RUNG_TAKEN) {
			printf("%s%s: %s", between, l->rungs[i].ladder, l->rungs[i].rung);
			between = "; ";
		}
	printf("\"");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} commands[] = {
		{.name = "load", .run = load_main},   {.name = "save", .run = save_main},
		{.name = "async", .run = async_main}, {.name = "weights", .run = weights_main},
		{.name = "evict", .run = evict_main}, {.name = "touch", .run = touch_main},
	};

	arguments = argv + 1;
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run();
	fprintf(stderr, "tool: load, save, async, weights, evict or touch?\n");
	return 2;
}
