/* SPDX-License-Identifier: MIT
 *
 * Runs rounds until the time is up: PIT_STRESS_SECONDS (10), PIT_STRESS_SEED (by the clock), PIT_STRESS_ENGINE=threads.
 * Speaks TAP. A round that does not end is a failure, too.
 */
#include "tests/crash/stress.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/fake/io_faults.h"
#include "tests/tempdir.h"

enum {
	ROUND_SECONDS = 240, /* of one round, under valgrind on a busy machine */
	PER_MILLE = 40,      /* of calls are hit by each kind of fault */
};

uint64_t stress_roll(struct stress *s, uint64_t below)
{
	uint64_t x = s->dice += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (x ^ x >> 31) % below;
}

bool stress_chance(struct stress *s, unsigned percent)
{
	return stress_roll(s, 100) < percent;
}

void stress_wrong(struct stress *s, const char *fmt, ...)
{
	va_list ap;

	if (s->wrong++ > 20)
		return;
	printf("# seed %" PRIu64 ", round %" PRIu64 " (%s): ", s->seed, s->round, s->hostile ? "hostile" : "benign");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

void stress_io(struct stress *s, struct pit_io_want *io)
{
	io->engine = s->threads_only ? PIT_ENGINE_THREADS : stress_chance(s, 50) ? PIT_ENGINE_THREADS : PIT_ENGINE_AUTO;
	io->cache = stress_chance(s, 50) ? PIT_IO_CACHE_AUTO : PIT_IO_BUFFERED;
	io->depth = stress_chance(s, 50) ? 0 : (unsigned)stress_roll(s, 40) + 1;
	io->threads = stress_chance(s, 50) ? 0 : (unsigned)stress_roll(s, 6) + 1;
	io->pages = stress_chance(s, 50) ? PIT_PAGES_AUTO : PIT_PAGES_PLAIN;
	io->lock = PIT_LOCK_NONE; /* the limit on locked memory is shared with other tests */
}

void stress_faults(struct stress *s, bool on)
{
	unsigned kinds = 1u << IO_FAULT_SHORT | 1u << IO_FAULT_EINTR | 1u << IO_FAULT_EAGAIN;

	if (s->hostile)
		kinds |= 1u << IO_FAULT_EIO | 1u << IO_FAULT_ENOSPC | 1u << IO_FAULT_ENOMEM;
	/* hostile ones more rarely: else nothing gets far */
	io_faults_set(s->dir, stress_roll(s, UINT64_MAX), s->hostile ? PER_MILLE / 8 : PER_MILLE, on ? kinds : 0);
}

static void round_of(struct stress *s)
{
	static void (*const parts[])(struct stress *) = {stress_load, stress_load,       stress_load,
							 stress_save, stress_checkpoint, stress_weights};

	s->round++;
	s->hostile = stress_chance(s, 60);
	alarm(ROUND_SECONDS);
	parts[stress_roll(s, PIT_COUNT(parts))](s);
	stress_faults(s, false);
}

static void hangs(int signal)
{
	static const char text[] = "not ok 1 - a round does not end\n";
	ssize_t n = write(STDOUT_FILENO, text, sizeof(text) - 1);

	(void)n;
	abort();
}

static uint64_t setting(const char *name, uint64_t other)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : other;
}

static void report(const struct stress *s, double seconds)
{
	char text[256] = "";
	uint64_t all = 0;

	for (unsigned f = 0; f < IO_FAULTS; f++) {
		size_t len = strlen(text);

		all += io_faults_count(f);
		snprintf(text + len, sizeof(text) - len, "%s %" PRIu64 " %s", f ? "," : "", io_faults_count(f),
			 io_fault_names[f]);
	}
	printf("# note stress: seed %" PRIu64 ", %" PRIu64 " rounds in %.0f s, %" PRIu64 " faults (%s )\n", s->seed,
	       s->round, seconds, all, text + 1);
	printf("# note stress: %llu samples (%llu failed), %llu saves (%llu failed), %llu loads (%llu failed)\n",
	       s->samples, s->failed_samples, s->saves, s->failed_saves, s->loads, s->failed_loads);
	printf("%sok 1 - no wrong byte, nothing lost, everything ends\n1..1\n", s->wrong ? "not " : "");
}

/* The thread sanitizer's shadow memory does not agree with every random layout of the address space. */
static void fixed_addresses(char **argv)
{
#ifdef __SANITIZE_THREAD__
	int now = personality(0xffffffff);

	if (now < 0 || now & ADDR_NO_RANDOMIZE || personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0)
		return;
	execv("/proc/self/exe", argv);
#endif
}

int main(int argc, char **argv)
{
	struct stress s = {.seed = setting("PIT_STRESS_SEED", (uint64_t)pit_now() % 1000000)};
	int64_t begin = pit_now(), seconds = (int64_t)setting("PIT_STRESS_SECONDS", 10);
	const char *engine = getenv("PIT_STRESS_ENGINE"), *tmp = getenv("TMPDIR");

	fixed_addresses(argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	s.dice = s.seed;
	s.threads_only = engine && !strcmp(engine, "threads");
	tempdir_new_in(tmp ? tmp : "/var/tmp", s.dir, sizeof(s.dir));
	signal(SIGALRM, hangs);
	do
		round_of(&s);
	while (pit_now() - begin < seconds * 1000 * PIT_MS && s.wrong < 20);
	report(&s, (double)(pit_now() - begin) / 1e9);
	tempdir_remove(s.dir);
	return s.wrong != 0;
}
