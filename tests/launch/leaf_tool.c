/* SPDX-License-Identifier: MIT
 *
 * leaf_tool - control groups and processes of a job by hand, for tests/vm/launch.d. Reads orders, one a line, and
 * answers each with a line of JSON:
 *
 *	open [LIMIT]...			add NAME [LIMIT]...		close MILLISECONDS
 *	spawn NAME [BINDING]... -- SHELL COMMAND	wait PID	probe BINDING...
 *	memory NAME	count NAME	kill NAME	slow NAME	processes forked here: fork
 *
 * NAME "-" is the job as a whole (spawn: no group). LIMIT: max= high= (bytes) cpu= io= cpus= mems= oom=1.
 * BINDING: cpus= mem= (a word of --mem) mems= strict=1 out=FILE.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/parse.h"
#include "base/words.h"
#include "launch/leaf.h"
#include "launch/leaf_group.h"
#include "launch/spawn.h"

struct words {
	char *word[64];
	size_t count;
	char *rest; /* behind " -- " */
};

static void split(char *line, struct words *w)
{
	char *rest = strstr(line, " -- "), *save = NULL;

	*w = (struct words){0};
	if (rest) {
		*rest = '\0';
		w->rest = rest + 4;
	}
	for (char *word = strtok_r(line, " \n", &save); word && w->count < PIT_COUNT(w->word);
	     word = strtok_r(NULL, " \n", &save))
		w->word[w->count++] = word;
}

/* The value of NAME=VALUE; NULL. */
static const char *value(const struct words *w, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 1; i < w->count; i++)
		if (!strncmp(w->word[i], name, len) && w->word[i][len] == '=')
			return w->word[i] + len + 1;
	return NULL;
}

static uint64_t bytes(const struct words *w, const char *name)
{
	const char *text = value(w, name);
	uint64_t n = 0;

	if (text && pit_parse_size(text, &n))
		exit(64);
	return n;
}

static void ids(const struct words *w, const char *name, struct pit_idset *ret)
{
	const char *text = value(w, name);

	if (text && pit_idset_parse(text, ret, NULL))
		exit(64);
}

struct limits {
	struct pit_leaf_limits limits;
	struct pit_strv io;
	struct pit_idset cpus, mems;
};

static void read_limits(const struct words *w, struct limits *l)
{
	const char *cpu = value(w, "cpu"), *io = value(w, "io");

	*l = (struct limits){0};
	ids(w, "cpus", &l->cpus);
	ids(w, "mems", &l->mems);
	if (io) { /* MAJ:MIN,key=value */
		pit_strv_add(&l->io, io);
		*strchr(l->io.item[0], ',') = ' ';
	}
	l->limits = (struct pit_leaf_limits){
		.memory_max = bytes(w, "max"),
		.memory_high = bytes(w, "high"),
		.cpu_max = cpu ? atof(cpu) : 0,
		.io = &l->io,
		.cpus = &l->cpus,
		.mems = &l->mems,
		.oom_group = value(w, "oom"),
	};
}

static void free_limits(struct limits *l)
{
	pit_strv_free(&l->io);
	pit_idset_free(&l->cpus);
	pit_idset_free(&l->mems);
}

static void answer(json_t *more, int rc, const struct pit_error *err)
{
	json_object_set_new(more, "rc", json_integer(rc));
	json_object_set_new(more, "text", pit_json_text(err ? err->text : ""));
	json_dumpf(more, stdout, JSON_COMPACT);
	json_decref(more);
	puts("");
	fflush(stdout);
}

static json_t *list(const struct pit_strv *v)
{
	json_t *all = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(all, pit_json_text(v->item[i]));
	return all;
}

static struct pit_leaves *leaves;
static struct pit_root *root;

static void do_open(const struct words *w)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_strv notes = {0};
	json_t *out = json_object();
	struct limits l;
	int rc;

	read_limits(w, &l);
	rc = pit_leaves_open(root, &l.limits, &leaves, &notes, &err);
	json_object_set_new(out, "notes", list(&notes));
	if (!rc)
		json_object_set_new(out, "path", pit_json_text(pit_leaves_path(leaves)));
	answer(out, rc, &err);
	pit_strv_free(&notes);
	free_limits(&l);
}

static void do_add(const struct words *w)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_strv notes = {0};
	json_t *out = json_object();
	struct limits l;
	int rc, fd = -1;

	read_limits(w, &l);
	rc = pit_leaves_add(leaves, w->word[1], &l.limits, &notes, &fd, &err);
	json_object_set_new(out, "notes", list(&notes));
	answer(out, rc, &err);
	pit_strv_free(&notes);
	free_limits(&l);
}

static enum pit_mem mem_of(const struct words *w)
{
	const char *word = value(w, "mem");

	for (int i = 0; word && pit_mem_names[i]; i++)
		if (!strcmp(pit_mem_names[i], word))
			return (enum pit_mem)i;
	return PIT_MEM_NONE;
}

static json_t *notes_of(const struct pit_spawned *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->notes; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "step", pit_json_text(pit_spawn_step_name(s->note[i].step)));
		json_object_set_new(one, "error", json_integer(s->note[i].error));
		json_object_set_new(one, "fell", json_integer(s->note[i].fell));
		json_array_append_new(all, one);
	}
	return all;
}

static void do_spawn(const struct words *w)
{
	pit_auto_idset struct pit_idset cpus = {0}, mems = {0};
	char shell[] = "sh", option[] = "-c", nothing[] = "";
	char *const argv[] = {shell, option, w->rest ? w->rest : nothing, NULL};
	struct limits none;
	struct pit_strv notes = {0};
	struct pit_spawn what = {
		.argv = argv,
		.environ = environ,
		.cpus = &cpus,
		.mem = mem_of(w),
		.mems = &mems,
		.cgroup = -1,
		.stdio = {-1, -1, -1},
		.death = SIGKILL,
		.terminal = -1,
		.strict = value(w, "strict"),
	};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_spawned s = {.pidfd = -1};
	json_t *out = json_object();
	int rc = 0, file;

	read_limits(&(struct words){0}, &none);
	ids(w, "cpus", &cpus);
	ids(w, "mems", &mems);
	if (strcmp(w->word[1], "-") != 0)
		rc = pit_leaves_add(leaves, w->word[1], &none.limits, &notes, &what.cgroup, &err);
	file = open(value(w, "out") ? value(w, "out") : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	what.stdio[1] = what.stdio[2] = file;
	if (!rc)
		rc = pit_spawn_start(&what, &s, &err);
	if (!rc)
		rc = pit_spawn_finish(&what, &s, &err);
	close(file);
	pit_cleanup_close(&s.pidfd);
	json_object_set_new(out, "pid", json_integer(s.pid));
	json_object_set_new(out, "notes", notes_of(&s));
	answer(out, rc, &err);
}

static void do_probe(const struct words *w)
{
	pit_auto_idset struct pit_idset mems = {0};
	json_t *out = json_object();
	enum pit_mem used;
	int error = 0;

	ids(w, "mems", &mems);
	used = pit_spawn_probe_mem(mem_of(w), &mems, &error);
	json_object_set_new(out, "used", pit_json_text(pit_mem_names[used]));
	answer(out, error, NULL);
}

static void do_memory(const char *name)
{
	struct pit_leaf_memory m = {0};
	json_t *out = json_object();
	int rc = pit_leaves_memory(leaves, name, &m);
	const struct {
		const char *key;
		uint64_t n;
	} all[] = {
		{.key = "current", .n = m.current},
		{.key = "peak", .n = m.peak},
		{.key = "max", .n = m.max},
		{.key = "high", .n = m.high},
		{.key = "anon", .n = m.anon},
		{.key = "slab", .n = m.slab},
		{.key = "events_high", .n = m.events_high},
		{.key = "events_max", .n = m.events_max},
		{.key = "oom", .n = m.oom},
		{.key = "oom_kill", .n = m.oom_kill},
	};

	for (size_t i = 0; i < PIT_COUNT(all); i++)
		json_object_set_new(out, all[i].key, json_integer((json_int_t)all[i].n)); /* unknown: -1 */
	answer(out, rc, NULL);
}

static int kill_slowly(const char *name)
{
	pit_auto_close int dir = pit_leaves_file(leaves, name, "cgroup.procs", O_RDONLY), group = -1;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", pit_leaves_path(leaves), name ? name : ".");
	group = pit_group_open(AT_FDCWD, path);
	return dir < 0 ? dir : pit_group_kill_slowly(group, 20000);
}

/* A process of ours that only waits; it ends with us. */
static int do_fork(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static int obey(const struct words *w)
{
	const char *order = w->word[0], *name = w->count > 1 && strcmp(w->word[1], "-") != 0 ? w->word[1] : NULL;
	int rc, status = -1;

	if (!strcmp(order, "wait")) {
		rc = waitpid(atoi(name), &status, 0);
		return rc < 0 ? -errno : status;
	}
	if (!strcmp(order, "count"))
		return pit_leaves_count(leaves, name);
	if (!strcmp(order, "kill"))
		return pit_leaves_kill(leaves, name);
	if (!strcmp(order, "slow"))
		return kill_slowly(name);
	if (!strcmp(order, "fork"))
		return do_fork();
	if (strcmp(order, "close") != 0)
		return -EINVAL;
	rc = pit_leaves_close(leaves, atoi(name));
	leaves = NULL;
	return rc;
}

int main(void)
{
	char line[65536];
	struct words w;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pit_root_open(NULL, &root, NULL))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		split(line, &w);
		if (!w.count)
			continue;
		if (!strcmp(w.word[0], "open"))
			do_open(&w);
		else if (!strcmp(w.word[0], "add"))
			do_add(&w);
		else if (!strcmp(w.word[0], "spawn"))
			do_spawn(&w);
		else if (!strcmp(w.word[0], "probe"))
			do_probe(&w);
		else if (!strcmp(w.word[0], "memory"))
			do_memory(w.count > 1 && strcmp(w.word[1], "-") != 0 ? w.word[1] : NULL);
		else
			answer(json_object(), obey(&w), NULL);
	}
	pit_root_close(root);
	return 0;
}
