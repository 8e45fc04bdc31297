/* SPDX-License-Identifier: MIT
 *
 * spawn [PROCESSES [ROUNDS]] - the time to start that many processes side by side: bare fork() and execve(), and
 * pit_spawn_start() with a binding and limits. Medians of the rounds, in milliseconds, of both in turn; from the first
 * call until all have become /bin/true.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "launch/spawn.h"

#define MOST 1024
#define ROUNDS_MOST 1000

static char *const argv_true[] = {(char[]){"/bin/true"}, NULL};

static double bare(int processes)
{
	int64_t begin = pit_now();
	pid_t pid[MOST];
	int ends[2];
	char c;

	if (pipe2(ends, O_CLOEXEC))
		abort();
	for (int i = 0; i < processes; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			execve(argv_true[0], argv_true, environ);
			_exit(127);
		}
	}
	close(ends[1]);
	if (read(ends[0], &c, 1)) /* the last one has become its program */
		abort();
	begin = pit_now() - begin;
	close(ends[0]);
	for (int i = 0; i < processes; i++)
		waitpid(pid[i], NULL, 0);
	return (double)begin / PIT_MS;
}

static double spawned(const struct pit_spawn *w, int processes)
{
	int64_t begin = pit_now();
	struct pit_spawned s[MOST];

	for (int i = 0; i < processes; i++)
		if (pit_spawn_start(w, &s[i], NULL))
			abort();
	for (int i = 0; i < processes; i++)
		if (pit_spawn_finish(w, &s[i], NULL))
			abort();
	begin = pit_now() - begin;
	for (int i = 0; i < processes; i++) {
		waitpid(s[i].pid, NULL, 0);
		close(s[i].pidfd);
	}
	return (double)begin / PIT_MS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *value, int count)
{
	qsort(value, (size_t)count, sizeof(*value), compare);
	return value[count / 2];
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 64, rounds = argc > 2 ? atoi(argv[2]) : 50;
	double a[ROUNDS_MOST], b[ROUNDS_MOST];
	pit_auto_idset struct pit_idset cpus = {0}, node = {0};
	struct pit_spawn w = {
		.argv = argv_true,
		.environ = environ,
		.cpus = &cpus,
		.mem = PIT_MEM_PREFER,
		.mems = &node,
		.limit[0] = {.resource = RLIMIT_CORE},
		.limits = 1,
		.oom_set = true,
		.oom_score_adj = 100,
		.cgroup = -1,
		.stdio = {-1, -1, -1},
		.death = SIGKILL,
		.terminal = -1,
	};

	if (processes < 1 || processes > MOST || rounds < 1 || rounds > ROUNDS_MOST || pit_idset_add(&node, 0))
		return 64;
	for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); i++) /* all of them: pinning is no cost of starting */
		if (pit_idset_add(&cpus, (size_t)i))
			return 1;
	for (int i = 0; i < rounds; i++) {
		a[i] = bare(processes);
		b[i] = spawned(&w, processes);
	}
	printf("%d processes: fork and exec %.2f ms, spawn %.2f ms\n", processes, median(a, rounds), median(b, rounds));
	return 0;
}
