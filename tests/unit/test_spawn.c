/* SPDX-License-Identifier: MIT
 *
 * Run with the word "report", this program is the command that the tests start: it tells what it finds itself to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "launch/program.h"
#include "launch/spawn.h"
#include "tempdir.h"

#define LIMIT_S 120
#define FAR_CPU 5000 /* in no machine of today, and within what the kernel takes */

static char self[512];
static char dir[64];
/* Arguments and environments are not written to. */
#define WORDS(...) ((char *const *)(const char *const[]){__VA_ARGS__, NULL})

/* ---- the command ---- */

static void report_status(void)
{
	pit_auto_fclose FILE *f = fopen("/proc/self/status", "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Sig", 3) || !strncmp(line, "Cpus_allowed_list", 17))
			fputs(line, stdout);
}

static int report(void)
{
	unsigned long mask[16] = {0};
	struct rlimit nofile;
	char where[256];
	int mode = -1;

	report_status();
	getrlimit(RLIMIT_NOFILE, &nofile);
	printf("leader=%d group=%d\n", getsid(0) == getpid(), getpgrp() == getpid());
	printf("foreground=%d\n", tcgetpgrp(0) == getpgrp());
	printf("sched=%d nice=%d io=%ld\n", sched_getscheduler(0), getpriority(PRIO_PROCESS, 0),
	       syscall(SYS_ioprio_get, 1, 0));
	printf("nofile=%lu\n", (unsigned long)nofile.rlim_cur);
	if (!syscall(SYS_get_mempolicy, &mode, mask, sizeof(mask) * 8, NULL, 0))
		printf("policy=%d nodes=%lx\n", mode, mask[0]);
	printf("cwd=%s\n", getcwd(where, sizeof(where)));
	for (int fd = 0; fd < 64; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("fd%d\n", fd);
	fflush(stdout);
	fputs("to stderr\n", stderr);
	return 7;
}

/* ---- helpers ---- */

static const char *const environment[] = {"PATH=/usr/bin:/bin", "WORD=from the environment", NULL};

static struct pit_spawn plain(char *const *argv)
{
	return (struct pit_spawn){
		.argv = argv,
		.environ = (char *const *)environment,
		.cgroup = -1,
		.stdio = {-1, -1, -1},
		.terminal = -1,
		.mem = PIT_MEM_NONE,
	};
}

#define report_argv WORDS(self, "report")

struct outcome {
	int rc, status;
	char text[4096];
	struct pit_error err;
	struct pit_spawned s;
};

static void finish_and_read(const struct pit_spawn *w, int from, struct outcome *o)
{
	size_t len = 0;
	ssize_t n;

	o->rc = pit_spawn_finish(w, &o->s, &o->err);
	assert_int_equal(o->s.report, -1);
	while (from >= 0 && (n = read(from, o->text + len, sizeof(o->text) - 1 - len)) > 0)
		len += (size_t)n;
	if (o->s.pid) {
		assert_int_equal(waitpid(o->s.pid, &o->status, 0), o->s.pid);
		pit_cleanup_close(&o->s.pidfd);
	} else {
		assert_int_equal(o->s.pidfd, -1);
	}
}

/* Starts, reads what it writes to stdout and stderr, waits for its end. */
static struct outcome run(struct pit_spawn w)
{
	struct outcome o = {.status = -1};
	pit_auto_close int from = -1;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	from = ends[0];
	for (int i = 1; i < 3; i++)
		w.stdio[i] = w.stdio[i] < 0 ? ends[1] : w.stdio[i];
	o.rc = pit_spawn_start(&w, &o.s, &o.err);
	close(ends[1]);
	if (!o.rc)
		finish_and_read(&w, from, &o);
	return o;
}

static int exit_code(const struct outcome *o)
{
	return o->rc == 0 && WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -1;
}

static bool says(const struct outcome *o, const char *words)
{
	if (strstr(o->text, words))
		return true;
	print_message("'%s' is not in:\n%s%s\n", words, o->text, o->err.text);
	return false;
}

static const struct pit_spawn_note *note_of(const struct outcome *o, enum pit_spawn_step step)
{
	for (size_t i = 0; i < o->s.notes; i++)
		if (o->s.note[i].step == step)
			return &o->s.note[i];
	return NULL;
}

static int first_cpu(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			return i;
	fail();
	return -1;
}

static void script(const char *name, const char *text, int mode)
{
	char path[256];

	tempdir_file(dir, name, text);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(chmod(path, (mode_t)mode), 0);
}

static char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct outcome run_file(const char *name)
{
	char *const *argv = WORDS(in_dir(name), "one two", "three");

	return run(plain(argv));
}

/* A process of its own for what cannot be taken back; returns its exit code. */
static int apart(void (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		alarm(LIMIT_S);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}
#define check(expression)                                                                                              \
	do                                                                                                             \
		if (!(expression)) {                                                                                   \
			fprintf(stderr, "# %s:%d: %s\n", __FILE__, __LINE__, #expression);                             \
			_exit(1);                                                                                      \
		}                                                                                                      \
	while (0)

static void forbid(long number, int error)
{
	struct sock_filter code[] = {
		{.code = BPF_LD | BPF_W | BPF_ABS, .k = 0},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = (uint32_t)number},
		{.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ERRNO | (uint32_t)error},
		{.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW},
	};
	const struct sock_fprog program = {.len = PIT_COUNT(code), .filter = code};

	check(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	check(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

/* ---- commands ---- */

static void runs_a_command(void **state)
{
	char *const *argv = WORDS("sh", "-c", "echo \"$WORD, $1\"; echo problem >&2; exit 3", "sh", "an argument");
	struct outcome o = run(plain(argv));

	assert_int_equal(exit_code(&o), 3);
	assert_true(says(&o, "from the environment, an argument\n"));
	assert_true(says(&o, "problem\n"));
	assert_int_equal(o.s.notes, 0);
}

static void runs_scripts(void **state)
{
	struct outcome o;

	script("bang", "#!/bin/sh\necho \"$0|$1|$2\"\n", 0755);
	o = run_file("bang");
	assert_int_equal(exit_code(&o), 0);
	assert_true(says(&o, "/bang|one two|three\n"));
	script("plain", "echo \"$0|$1|$2\"\nexit 4\n", 0755);
	o = run_file("plain");
	assert_int_equal(exit_code(&o), 4);
	assert_true(says(&o, "/plain|one two|three\n"));
	script("empty", "", 0755);
	o = run_file("empty");
	assert_int_equal(exit_code(&o), 0);
}

static void says_why_not(const char *name, int error, const char *words)
{
	struct outcome o = run_file(name);

	assert_int_equal(o.rc, -error);
	assert_int_equal(o.err.code, error);
	assert_int_equal(o.s.pid, 0);
	assert_true(!o.s.notes || o.s.note[0].step == PIT_STEP_EXEC); /* none when it was not started at all */
	if (!strstr(o.err.text, words) || !strstr(o.err.text, name))
		fail_msg("%s: '%s' lacks '%s'", name, o.err.text, words);
}

static void foreign_program(const char *name, unsigned machine)
{
	Elf64_Ehdr head = {.e_type = ET_EXEC, .e_machine = (Elf64_Half)machine, .e_version = EV_CURRENT};

	memcpy(head.e_ident, ELFMAG, SELFMAG);
	head.e_ident[EI_CLASS] = ELFCLASS64;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	assert_int_equal(tempdir_write(dir, name, &head, sizeof(head)), 0);
	assert_int_equal(chmod(in_dir(name), 0755), 0);
}

static void names_what_is_missing(void **state)
{
	script("lost", "#! /no/such/python3 -u\n", 0755);
	script("windows", "#!/bin/sh\r\necho\r\n", 0755);
	script("shut", "#!/bin/sh\n", 0644);
	script("through", "#!/\n", 0755);
	foreign_program("alien", EM_S390);
	foreign_program("older", EM_68K);
	assert_int_equal(tempdir_write(dir, "junk", "\0\1\2\3", 4), 0);
	assert_int_equal(chmod(in_dir("junk"), 0755), 0);
	says_why_not("nothing", ENOENT, "No such file");
	says_why_not("lost", ENOENT, "interpreter '/no/such/python3', which is not there");
	says_why_not("windows", ENOENT, "'/bin/sh' and a carriage return");
	says_why_not("shut", EACCES, "not executable (chmod +x)");
	says_why_not("through", EACCES, "interpreter '/'");
	says_why_not("alien", ENOEXEC, "a program for s390x, this machine is ");
	says_why_not("older", ENOEXEC, "a program for another machine");
	says_why_not("junk", ENOEXEC, "neither a program nor a script");
	says_why_not(".", EACCES, "directory");
}

static void too_long_arguments(void **state)
{
	size_t len = 64u << 20;
	pit_auto_free char *huge = malloc(len);
	char *const *argv = WORDS("true", huge);
	struct outcome o;

	assert_non_null(huge);
	memset(huge, 'x', len - 1);
	huge[len - 1] = '\0';
	o = run(plain(argv));
	assert_int_equal(o.rc, -E2BIG);
	assert_non_null(strstr(o.err.text, "too long"));
}

static int find(const char *command, const char *path, char **ret, struct pit_error *err)
{
	char variable[1024];
	char *const *with = WORDS("HOME=/", variable), *const *without = WORDS("PATHS=/x");

	snprintf(variable, sizeof(variable), "PATH=%s", path ? path : "");
	return pit_spawn_find(command, path ? with : without, ret, err);
}

static void finds_as_execvp(void **state)
{
	struct pit_error err = PIT_ERROR_INIT;
	char *found = NULL, path[256], want[256];

	script("a/tool", "x", 0644);
	script("b/tool", "x", 0755);
	script("c/tool/deeper", "x", 0755);
	snprintf(path, sizeof(path), "/none:%s/c:%s/a:%s/b", dir, dir, dir);
	snprintf(want, sizeof(want), "%s/b/tool", dir);
	assert_int_equal(find("tool", path, &found, &err), 0); /* passes over a directory and a file that is none */
	assert_string_equal(found, want);
	free(found);
	found = NULL;
	snprintf(path, sizeof(path), "/none:%s/a:", dir);
	assert_int_equal(find("tool", path, &found, &err), -EACCES);
	assert_non_null(strstr(err.text, "/a/tool: it is not executable"));
	assert_int_equal(find("tool", "/none::", &found, &err), -ENOENT);
	assert_string_equal(err.text, "tool: command not found in PATH (/none::)");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(find("tool", path, &found, &err), -ENOENT);
	assert_true(strlen(err.text) < 130);
	assert_non_null(strstr(err.text, "xxx...)"));
	assert_int_equal(find("", "/bin", &found, &err), -ENOENT);
	assert_int_equal(find("/no/such/tool", "/bin", &found, &err), -ENOENT);
	assert_int_equal(find("/tmp", "/bin", &found, NULL), -EACCES);
	assert_null(found);
	assert_int_equal(find("sh", NULL, &found, &err), 0); /* no PATH: the usual places */
	assert_string_equal(found, "/bin/sh");
	free(found);
}

static void relative_names_belong_to_the_directory(void **state)
{
	char *const *argv = WORDS("./here");
	char *const *by_path = WORDS("here");
	char *const *path = WORDS("PATH=/none::");
	struct pit_spawn w = plain(argv);
	char below[128], cwd[300];
	struct outcome o;

	script("sub/here", "#!/bin/sh\npwd\n", 0755);
	snprintf(below, sizeof(below), "%s/sub", dir);
	snprintf(cwd, sizeof(cwd), "%s\n", below);
	w.dir = below;
	o = run(w);
	assert_int_equal(exit_code(&o), 0);
	assert_true(says(&o, cwd));
	w.argv = by_path;
	w.environ = path;
	o = run(w);
	assert_int_equal(exit_code(&o), 0);
	w.dir = "/no/such/place";
	o = run(w);
	assert_int_equal(o.rc, -ENOENT);
	assert_non_null(strstr(o.err.text, "/no/such/place"));
}

/* ---- binding ---- */

static void binds_cpus(void **state)
{
	pit_auto_idset struct pit_idset cpus = {0};
	struct pit_spawn w = plain(report_argv);
	char want[64];
	struct outcome o;
	int cpu = first_cpu();

	w.cpus = &cpus;
	o = run(w); /* the empty set binds to nothing */
	assert_int_equal(o.s.notes, 0);
	assert_int_equal(pit_idset_add(&cpus, (size_t)cpu), 0);
	snprintf(want, sizeof(want), "Cpus_allowed_list:\t%d\n", cpu);
	o = run(w);
	assert_int_equal(exit_code(&o), 7);
	assert_true(says(&o, want));
	assert_int_equal(o.s.notes, 0);

	assert_int_equal(pit_idset_add(&cpus, FAR_CPU), 0);
	o = run(w);
	assert_true(says(&o, want));
	assert_non_null(note_of(&o, PIT_STEP_CPUS));
	assert_int_equal(note_of(&o, PIT_STEP_CPUS)->fell, 1);
	assert_int_equal(note_of(&o, PIT_STEP_CPUS)->error, 0);
	pit_idset_remove(&cpus, (size_t)cpu);
	o = run(w);
	assert_int_equal(exit_code(&o), 7);
	assert_int_equal(note_of(&o, PIT_STEP_CPUS)->error, EINVAL);
}

static void strict_refuses(void **state)
{
	pit_auto_idset struct pit_idset cpus = {0};
	struct pit_spawn w = plain(report_argv);
	struct outcome o;

	w.cpus = &cpus;
	w.strict = true;
	assert_int_equal(pit_idset_add(&cpus, FAR_CPU), 0);
	o = run(w);
	assert_int_equal(o.rc, -EINVAL);
	assert_string_equal(o.err.text, "--strict: binding CPUs to 5000: Invalid argument");
	assert_int_equal(o.s.notes, 1);
	assert_int_equal(o.s.note[0].step, PIT_STEP_CPUS);
	assert_string_equal(o.text, "");
	assert_int_equal(pit_idset_add(&cpus, (size_t)first_cpu()), 0);
	o = run(w);
	assert_int_equal(o.rc, -EINVAL);
	assert_non_null(strstr(o.err.text, "only a part"));
	w = plain(report_argv);
	w.strict = true;
	w.limits = 1;
	w.limit[0].resource = RLIMIT_NOFILE;
	w.limit[0].value = (struct rlimit64){.rlim_cur = RLIM64_INFINITY, .rlim_max = RLIM64_INFINITY};
	o = run(w); /* above fs.nr_open for everybody */
	assert_int_equal(o.rc, -EPERM);
	assert_string_equal(o.err.text,
			    "--strict: the limit of open files cannot be unlimited: Operation not permitted");
}

static void binds_memory(void **state)
{
	static const struct {
		enum pit_mem mem;
		const char *want; /* MPOL_ number; PREFERRED_MANY or, before 5.15, PREFERRED */
		const char * or ;
	} rows[] = {
		{.mem = PIT_MEM_PREFER, .want = "policy=5 nodes=1\n", .or = "policy=1 nodes=1\n"},
		{.mem = PIT_MEM_BIND, .want = "policy=2 nodes=1\n", .or = "-"},
		{.mem = PIT_MEM_INTERLEAVE, .want = "policy=3 nodes=1\n", .or = "-"},
		{.mem = PIT_MEM_LOCAL, .want = "policy=4 ", .or = "-"},
		{.mem = PIT_MEM_NONE, .want = "policy=0 ", .or = "-"},
		{.mem = PIT_MEM_AUTO, .want = "policy=0 ", .or = "-"},
	};
	pit_auto_idset struct pit_idset nodes = {0};

	assert_int_equal(pit_idset_add(&nodes, 0), 0);
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_spawn w = plain(report_argv);
		int error = 99;
		struct outcome o;

		w.mem = rows[i].mem;
		w.mems = &nodes;
		if (pit_spawn_probe_mem(rows[i].mem, &nodes, &error) == PIT_MEM_NONE && error)
			skip(); /* this place forbids it */
		assert_int_equal(error, 0);
		o = run(w);
		assert_int_equal(o.s.notes, 0);
		assert_true(strstr(o.text, rows[i].or) || says(&o, rows[i].want));
	}
}

static void memory_falls_step_by_step(void **state)
{
	static const enum pit_mem wanted[] = {PIT_MEM_PREFER, PIT_MEM_BIND, PIT_MEM_INTERLEAVE};
	pit_auto_idset struct pit_idset nodes = {0};
	int error = 0;

	assert_int_equal(pit_idset_add(&nodes, 1023), 0); /* a node that no machine has */
	if (pit_spawn_probe_mem(PIT_MEM_LOCAL, NULL, &error) != PIT_MEM_LOCAL)
		skip();
	for (size_t i = 0; i < PIT_COUNT(wanted); i++) {
		struct pit_spawn w = plain(report_argv);
		struct outcome o;

		w.mem = wanted[i];
		w.mems = &nodes;
		o = run(w);
		assert_int_equal(exit_code(&o), 7);
		assert_non_null(note_of(&o, PIT_STEP_MEM));
		assert_int_equal(note_of(&o, PIT_STEP_MEM)->error, EINVAL);
		assert_int_equal(note_of(&o, PIT_STEP_MEM)->fell, PIT_MEM_LOCAL);
		assert_true(says(&o, "policy=4 "));
		assert_int_equal(pit_spawn_probe_mem(wanted[i], &nodes, &error), PIT_MEM_LOCAL);
		assert_int_equal(error, EINVAL);
		w.strict = true;
		o = run(w);
		assert_int_equal(o.rc, -EINVAL);
		assert_non_null(strstr(o.err.text, "binding memory to nodes 1023"));
	}
}

static void memory_without_set_mempolicy(void)
{
	struct pit_idset nodes = {0};
	struct pit_spawn w = plain(report_argv);
	struct outcome o;
	int error = 0;

	check(!pit_idset_add(&nodes, 0));
	forbid(SYS_set_mempolicy, EPERM);
	w.mem = PIT_MEM_BIND;
	w.mems = &nodes;
	o = run(w);
	check(exit_code(&o) == 7);
	check(note_of(&o, PIT_STEP_MEM) && note_of(&o, PIT_STEP_MEM)->error == EPERM);
	check(note_of(&o, PIT_STEP_MEM)->fell == PIT_MEM_NONE);
	check(pit_spawn_probe_mem(PIT_MEM_PREFER, &nodes, &error) == PIT_MEM_NONE && error == EPERM);
	check(pit_spawn_probe_mem(PIT_MEM_NONE, &nodes, &error) == PIT_MEM_NONE && error == 0);
	pit_idset_free(&nodes);
}

static void a_filter_may_refuse_memory_policies(void **state)
{
	assert_int_equal(apart(memory_without_set_mempolicy), 0);
}

/* ---- limits and priorities ---- */

static void sets_limits(void **state)
{
	struct pit_spawn w = plain(report_argv);
	struct rlimit now;
	struct outcome o;
	char want[64];

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	w.limits = 2;
	w.limit[0].resource = RLIMIT_NOFILE;
	w.limit[0].value = (struct rlimit64){.rlim_cur = 99, .rlim_max = now.rlim_max};
	w.limit[1].resource = RLIMIT_CORE;
	o = run(w);
	assert_true(says(&o, "nofile=99\n"));
	assert_int_equal(o.s.notes, 0);
	w.limit[0].value = (struct rlimit64){.rlim_cur = RLIM64_INFINITY, .rlim_max = RLIM64_INFINITY};
	o = run(w); /* above fs.nr_open for everybody: all that the hard limit allows */
	snprintf(want, sizeof(want), "nofile=%lu\n", (unsigned long)now.rlim_max);
	assert_true(says(&o, want));
	assert_int_equal(o.s.notes, 1);
	assert_int_equal(note_of(&o, PIT_STEP_LIMIT)->error, EPERM);
	assert_int_equal(note_of(&o, PIT_STEP_LIMIT)->detail, RLIMIT_NOFILE);
}

static void sets_priorities(void **state)
{
	struct pit_spawn w = plain(report_argv);
	char *const *argv = WORDS("cat", "/proc/self/oom_score_adj");
	struct outcome o;

	w.nice_set = w.sched_set = w.io_set = true;
	w.nice = 7;
	w.policy = SCHED_BATCH;
	w.io_class = 2;
	w.io_level = 6;
	o = run(w);
	assert_int_equal(o.s.notes, 0);
	assert_true(says(&o, "sched=3 nice=7 io=16390\n")); /* class 2 << 13 | 6 */
	w = plain(argv);
	w.oom_set = true;
	w.oom_score_adj = 900;
	o = run(w);
	assert_int_equal(o.s.notes, 0);
	assert_true(says(&o, "900\n"));
}

static void refusals_are_notes(void **state)
{
	struct pit_spawn w = plain(report_argv);
	struct outcome o;

	w.oom_set = w.sched_set = w.io_set = true;
	w.oom_score_adj = 5000;
	w.policy = 77;
	w.io_class = 7;
	o = run(w);
	assert_int_equal(exit_code(&o), 7);
	assert_int_equal(o.s.notes, 3);
	assert_int_equal(note_of(&o, PIT_STEP_OOM)->error, EINVAL);
	assert_int_equal(note_of(&o, PIT_STEP_SCHED)->error, EINVAL);
	assert_int_equal(note_of(&o, PIT_STEP_IO_PRIORITY)->error, EINVAL);
}

static void real_time_is_inherited(void **state)
{
	char *const *argv = WORDS("sh", "-c", "\"$0\" report; exit 7", self); /* in a child of the rank */
	struct pit_spawn w = plain(argv);
	struct outcome o;

	w.sched_set = w.nice_set = true;
	w.policy = SCHED_FIFO;
	w.priority = 1;
	w.nice = 5;
	o = run(w);
	assert_int_equal(exit_code(&o), 7);
	if (o.s.notes) /* not everywhere allowed */
		assert_int_equal(note_of(&o, PIT_STEP_SCHED)->error, EPERM);
	else
		assert_true(says(&o, "sched=1 nice=5 ")); /* SCHED_FIFO, and no SCHED_RESET_ON_FORK */
}

/* ---- signals, files, groups ---- */

static void handler(int number)
{
}

static uint64_t signals(const struct outcome *o, const char *name)
{
	const char *at = strstr(o->text, name);

	check(at);
	return strtoull(at + strlen(name), NULL, 16);
}
#define BIT(number) (UINT64_C(1) << ((number)-1))
/* glibc's own: its vfork() in make leaves them ignored, and nobody can set them. */
#define INTERNAL (BIT(32) | BIT(33))

static void with_our_signals(void)
{
	const struct sigaction ours = {.sa_handler = handler};
	sigset_t blocked, before;
	struct pit_spawn w = plain(report_argv);
	struct outcome o;

	for (int number = 1; number <= SIGRTMAX; number++) /* what a shell in the background had ignored for us */
		signal(number, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigaction(SIGTERM, &ours, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	o = run(w);
	check(exit_code(&o) == 7);
	check(signals(&o, "SigBlk:") == 0 && !(signals(&o, "SigCgt:") & BIT(SIGTERM)) &&
	      (signals(&o, "SigIgn:") & ~INTERNAL) == BIT(SIGHUP));
	check(!sigprocmask(SIG_SETMASK, NULL, &before) && sigismember(&before, SIGUSR1) &&
	      !sigismember(&before, SIGINT));
	w.mask = &blocked;
	o = run(w);
	check(signals(&o, "SigBlk:") == BIT(SIGUSR1));
}

static void gives_the_user_s_signals_back(void **state)
{
	assert_int_equal(apart(with_our_signals), 0);
}

static void keeps_files(void **state)
{
	struct pit_spawn w = plain(report_argv);
	int ours = open("/dev/null", O_RDONLY | O_CLOEXEC), user;
	struct outcome o;
	char word[32];

	user = fcntl(ours, F_DUPFD, 40);
	o = run(w);
	snprintf(word, sizeof(word), "fd%d\n", ours);
	assert_null(strstr(o.text, word));
	snprintf(word, sizeof(word), "fd%d\n", user);
	assert_true(says(&o, word));
	close(ours);
	close(user);
}

/* stdout and stderr change places, and stdin is closed: our pipes have small numbers then. */
static void with_stdio_in_disorder(void)
{
	struct pit_spawn w = plain(report_argv);
	struct outcome o = {.status = -1};
	char text[64] = "";
	int out[2], err[2];

	check(!pipe2(out, O_CLOEXEC) && !pipe2(err, O_CLOEXEC));
	close(0);
	check(dup2(err[1], 1) == 1 && dup2(out[1], 2) == 2);
	fcntl(2, F_SETFD, FD_CLOEXEC);
	close(out[1]);
	close(err[1]);
	w.stdio[1] = 2;
	w.stdio[2] = 1;
	if (pit_spawn_start(&w, &o.s, NULL))
		_exit(2);
	if (o.s.report <= 2)
		_exit(3);
	close(1);
	close(2);
	finish_and_read(&w, out[0], &o);
	if (exit_code(&o) != 7 || !strstr(o.text, "leader="))
		_exit(4);
	if (read(err[0], text, sizeof(text) - 1) != 10 || strcmp(text, "to stderr\n") != 0)
		_exit(5);
	if (strstr(o.text, "fd0\n"))
		_exit(6);
}

static void connects_files_in_any_order(void **state)
{
	assert_int_equal(apart(with_stdio_in_disorder), 0);
}

static void makes_groups_and_sessions(void **state)
{
	struct pit_spawn w = plain(report_argv);
	struct outcome o = run(w);

	assert_true(says(&o, "leader=0 group=1\n"));
	w.session = true;
	o = run(w);
	assert_true(says(&o, "leader=1 group=1\n"));
}

/* With a terminal of our own, whose foreground group is ours. */
static void with_a_terminal(void)
{
	struct pit_spawn w = plain(report_argv);
	struct outcome o;
	int ours, theirs;

	check(!openpty(&ours, &theirs, NULL, NULL, NULL));
	check(setsid() > 0 && !ioctl(theirs, TIOCSCTTY, 0));
	check(dup2(theirs, 0) == 0);
	o = run(w);
	check(strstr(o.text, "foreground=0\n"));
	w.terminal = 0;
	o = run(w);
	check(o.s.notes == 0 && strstr(o.text, "foreground=1\n"));
	w.session = true;
	o = run(w);
	check(exit_code(&o) == 7 && note_of(&o, PIT_STEP_TERMINAL));
	_exit(0);
}

static void takes_the_terminal(void **state)
{
	assert_int_equal(apart(with_a_terminal), 0);
}

/* The middle process spawns, tells the number and ends. */
static void orphan_ends(void **state)
{
	char *const *argv = WORDS("sleep", "1000");
	pid_t middle, orphan = 0;
	int ends[2], status = 0;

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	middle = fork();
	if (!middle) {
		struct pit_spawn w = plain(argv);
		struct pit_spawned s;

		w.death = SIGKILL;
		check(!pit_spawn_start(&w, &s, NULL) && !pit_spawn_finish(&w, &s, NULL));
		check(write(ends[1], &s.pid, sizeof(s.pid)) == sizeof(s.pid));
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &orphan, sizeof(orphan)), sizeof(orphan));
	close(ends[0]);
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	assert_int_equal(waitpid(orphan, &status, 0), orphan); /* the program's alarm is the limit */
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- ways to a process ---- */

static void joins_by_itself(void **state)
{
	struct pit_spawn w = plain(report_argv);
	pit_auto_close int group = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct outcome o;
	char text[8] = "";
	int fd;

	w.cgroup = group; /* no control group at all */
	o = run(w);
	assert_int_equal(exit_code(&o), 7);
	assert_int_equal(note_of(&o, PIT_STEP_CGROUP)->error, ENOENT);
	tempdir_file(dir, "cgroup.procs", "");
	o = run(w);
	assert_int_equal(o.s.notes, 0);
	fd = open(in_dir("cgroup.procs"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 1);
	assert_string_equal(text, "0");
	close(fd);
	unlink(in_dir("cgroup.procs"));
}

static void without_clone3(int error)
{
	struct pit_spawn w = plain(report_argv);
	struct pit_spawned s;
	int status;

	w.stdio[1] = w.stdio[2] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	forbid(SYS_clone3, error);
	check(!pit_spawn_start(&w, &s, NULL) && !pit_spawn_finish(&w, &s, NULL));
	check(s.pid > 0 && s.pidfd >= 0 && s.notes == 0 && (fcntl(s.pidfd, F_GETFD) & FD_CLOEXEC));
	check(waitpid(s.pid, &status, 0) == s.pid && WEXITSTATUS(status) == 7);
	forbid(SYS_pidfd_open, error);
	check(!pit_spawn_start(&w, &s, NULL) && !pit_spawn_finish(&w, &s, NULL));
	check(s.pidfd == -1);
	check(waitpid(s.pid, &status, 0) == s.pid && WEXITSTATUS(status) == 7);
}

static void on_an_old_kernel(void)
{
	without_clone3(ENOSYS);
}

static void under_an_old_filter(void)
{
	without_clone3(EPERM);
}

static void does_without_clone3(void **state)
{
	assert_int_equal(apart(on_an_old_kernel), 0);
	assert_int_equal(apart(under_an_old_filter), 0);
}

static void without_more_processes(void)
{
	struct pit_spawn w = plain(report_argv);
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_spawned s = {.pid = -7};

	forbid(SYS_clone3, EAGAIN);
	check(pit_spawn_start(&w, &s, &err) == -EAGAIN && s.pid == -7 && strstr(err.text, "no new process"));
}

static void too_many_processes_is_an_error(void **state)
{
	assert_int_equal(apart(without_more_processes), 0);
}

#define MANY 64
static void starts_side_by_side(void **state)
{
	char *const *argv = WORDS("true");
	struct pit_spawn w = plain(argv);
	struct pit_spawned s[MANY];

	for (int i = 0; i < MANY; i++)
		assert_int_equal(pit_spawn_start(&w, &s[i], NULL), 0);
	for (int i = 0; i < MANY; i++) {
		struct pollfd p = {.fd = s[i].report};
		int status = -1;

		assert_int_equal(poll(&p, 1, LIMIT_S * 1000), 1);
		assert_int_equal(p.revents, POLLHUP);
		assert_int_equal(pit_spawn_finish(&w, &s[i], NULL), 0);
		assert_int_equal(waitpid(s[i].pid, &status, 0), s[i].pid);
		assert_int_equal(status, 0);
		close(s[i].pidfd);
	}
}

static void a_killed_start_is_a_killed_rank(void **state)
{
	char *const *argv = WORDS("sleep", "1000");
	struct pit_spawn w = plain(argv);
	struct pit_spawned s;
	int status = 0;

	assert_int_equal(pit_spawn_start(&w, &s, NULL), 0);
	assert_int_equal(kill(-s.pid, SIGKILL), 0); /* its group is there at once */
	assert_int_equal(pit_spawn_finish(&w, &s, NULL), 0);
	assert_int_equal(waitpid(s.pid, &status, 0), s.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(s.pidfd);
}

static void every_step_has_a_name(void **state)
{
	for (int i = PIT_STEP_SESSION; i <= PIT_STEP_EXEC; i++)
		assert_true(strlen(pit_spawn_step_name((enum pit_spawn_step)i)) > 5);
}

/* ---- heads of files ---- */

static void reads_heads_of_files(void **state)
{
	static const struct {
		const char *text;
		enum pit_program_kind kind;
		const char *interpreter;
	} rows[] = {
		{.text = "", .kind = PIT_PROGRAM_TEXT, .interpreter = ""},
		{.text = "echo\n", .kind = PIT_PROGRAM_TEXT, .interpreter = ""},
		{.text = "#!", .kind = PIT_PROGRAM_SCRIPT, .interpreter = ""},
		{.text = "#! \t/bin/x -e", .kind = PIT_PROGRAM_SCRIPT, .interpreter = "/bin/x"},
		{.text = "#!/bin/x\r\n", .kind = PIT_PROGRAM_SCRIPT, .interpreter = "/bin/x"},
		{.text = "\177ELF", .kind = PIT_PROGRAM_ELF, .interpreter = ""},
	};
	struct pit_program p;

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_program_parse(rows[i].text, strlen(rows[i].text), &p);
		assert_int_equal(p.kind, rows[i].kind);
		assert_string_equal(p.interpreter, rows[i].interpreter);
	}
	assert_int_equal(pit_program_read(AT_FDCWD, "/bin/true", &p), 0);
	assert_int_equal(p.kind, PIT_PROGRAM_ELF);
	assert_false(p.foreign);
	assert_non_null(strstr(p.interpreter, "/ld"));
	assert_int_equal(pit_program_read(AT_FDCWD, "/no/such", &p), -ENOENT);
}

static int make_dir(void **state)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	tempdir_new(dir, sizeof(dir));
	return n <= 0;
}

static int remove_dir(void **state)
{
	tempdir_remove(dir);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_a_command),
		cmocka_unit_test(runs_scripts),
		cmocka_unit_test(names_what_is_missing),
		cmocka_unit_test(too_long_arguments),
		cmocka_unit_test(finds_as_execvp),
		cmocka_unit_test(relative_names_belong_to_the_directory),
		cmocka_unit_test(binds_cpus),
		cmocka_unit_test(strict_refuses),
		cmocka_unit_test(binds_memory),
		cmocka_unit_test(memory_falls_step_by_step),
		cmocka_unit_test(a_filter_may_refuse_memory_policies),
		cmocka_unit_test(sets_limits),
		cmocka_unit_test(sets_priorities),
		cmocka_unit_test(refusals_are_notes),
		cmocka_unit_test(real_time_is_inherited),
		cmocka_unit_test(gives_the_user_s_signals_back),
		cmocka_unit_test(keeps_files),
		cmocka_unit_test(connects_files_in_any_order),
		cmocka_unit_test(makes_groups_and_sessions),
		cmocka_unit_test(takes_the_terminal),
		cmocka_unit_test(orphan_ends),
		cmocka_unit_test(joins_by_itself),
		cmocka_unit_test(does_without_clone3),
		cmocka_unit_test(too_many_processes_is_an_error),
		cmocka_unit_test(starts_side_by_side),
		cmocka_unit_test(a_killed_start_is_a_killed_rank),
		cmocka_unit_test(every_step_has_a_name),
		cmocka_unit_test(reads_heads_of_files),
	};

	if (argc > 1 && !strcmp(argv[1], "report"))
		return report();
	alarm(LIMIT_S);
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
