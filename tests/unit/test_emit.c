/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "launch/emit.h"
#include "launch/leaf.h"
#include "../tempdir.h"

#define RANKS 2
#define HOSTILE "a 'b' \"c\" \\d $HOME ${X} `id` %i %% *?[]~ ; & | <> #\n\ttab \xc3\xa4 \xff end\\"
#define HOSTILE_UTF8 "a 'b' \"c\" \\d $HOME ${X} `id` %i %% *?[]~ ; & | <> #\n\ttab \xc3\xa4 end\\"

static const char *const hostile[] = {HOSTILE, "",  "-x", ";",  "$", "$$", "%",
				      "x=y",   "'", "\"", "\\", "~", "{}", "$UNSET"};

/* A job of two ranks on the CPUs that this test may use, one GPU each. */
struct world {
	struct pit_site_gpu gpu[RANKS];
	struct pit_site_node node[1];
	struct pit_seat seat[RANKS];
	struct pit_env_item item[RANKS][4];
	struct pit_env env[RANKS];
	struct pit_job_options options;
	struct pit_job job;
	const char *argv[32];
	char dir[64];
};

static void put_item(struct world *w, int rank, const char *name, const char *value, bool kept)
{
	w->item[rank][w->env[rank].items++] =
		(struct pit_env_item){.name = (char *)name, .value = (char *)value, .kept = kept};
}

static void make(struct world *w, const char *program, const char *const *arguments, size_t count)
{
	static const char *const numbers[] = {"0", "1"}, *const environment[] = {"PATH=/bin:/usr/bin", "PWD=/tmp",
										 NULL};
	cpu_set_t set;
	int cpu = 0;

	*w = (struct world){.node = {{.id = 0, .cpus = true, .mem = true}}};
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i<RANKS; i++, cpu += CPU_COUNT(&set)> 1) {
		while (!CPU_ISSET(cpu, &set))
			cpu++;
		pit_idset_add(&w->seat[i].cpus, (size_t)cpu);
		pit_idset_add(&w->seat[i].mems, 0);
		w->seat[i].gpu_first = i;
		w->seat[i].gpus = 1;
		w->gpu[i].vendor = 0x10de;
		snprintf(w->gpu[i].visible, sizeof(w->gpu[i].visible), "GPU-%d", i);
		w->env[i].item = w->item[i];
		put_item(w, i, "RANK", numbers[i], false);
	}
	w->argv[0] = program;
	for (size_t i = 0; i < count; i++)
		w->argv[i + 1] = arguments[i];
	w->options.argv = (char *const *)w->argv;
	w->job = (struct pit_job){.options = &w->options,
				  .environ = (char **)environment,
				  .site = {.gpu = w->gpu, .gpus = RANKS, .node = w->node, .nodes = 1},
				  .placement = {.seat = w->seat,
						.ranks = RANKS,
						.bind = PIT_BIND_EXCLUSIVE,
						.mem = PIT_MEM_PREFER,
						.view = PIT_GPU_VIEW_ALL},
				  .env = w->env,
				  .program = (char *)program};
	tempdir_new(w->dir, sizeof(w->dir));
}

static void clear(struct world *w)
{
	for (int i = 0; i < RANKS; i++) {
		pit_idset_free(&w->seat[i].cpus);
		pit_idset_free(&w->seat[i].mems);
	}
	tempdir_remove(w->dir);
}

static void emit(struct world *w, enum pit_emit engine, struct pit_buf *out)
{
	struct pit_error err = PIT_ERROR_INIT;

	pit_buf_clear(out);
	if (pit_emit(&w->job, engine, out, &err))
		fail_msg("%s: %s", pit_emit_names[engine], err.text);
}

static void says(const struct pit_buf *out, const char *part)
{
	if (!strstr(out->data, part))
		fail_msg("'%s' is not in:\n%s", part, out->data);
}

static void says_not(const struct pit_buf *out, const char *part)
{
	if (strstr(out->data, part))
		fail_msg("'%s' is in:\n%s", part, out->data);
}

/* Runs a command in the world's directory under a limit of its own; its exit code. */
static int shell(const struct world *w, const char *fmt, ...)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char command[1024];
	va_list args;
	int status;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	pit_buf_printf(&line, "cd %s || exit 99\nPATH=$PWD:$PATH\nexport PATH\n%s", w->dir, command);
	status = system(line.data);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool can(const char *program)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", program);
	return system(command) == 0;
}

static size_t slurp(const struct world *w, const char *name, char *out, size_t size)
{
	char path[256];
	pit_auto_fclose FILE *f = NULL;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("no %s", path);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	return n;
}

static void save(const struct world *w, const char *name, const struct pit_buf *text)
{
	assert_int_equal(tempdir_write(w->dir, name, text->data, text->len), 0);
}

/* A program that keeps what it was given, each word ended by NUL, in the file that its rank names. */
static void put_keeper(const struct world *w, const char *name)
{
	char path[256];

	tempdir_file(w->dir, name,
		     "#!/bin/sh\n"
		     "for word; do case $word in RANK=*) RANK=${word#RANK=} ;; esac; done\n"
		     "{ printf '%s\\0' \"${RANK-}\" \"${HOSTILE-unset}\" \"${GONE-unset}\" \"$@\"; } >kept.${RANK-}\n"
		     "grep -h Cpus_allowed_list /proc/self/status >cpus.${RANK-}\n");
	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	chmod(path, 0755);
}

/* `text` has these words, each ended by NUL. */
static void has_words(const char *text, size_t len, const char *const *words, size_t count)
{
	const char *end = text + len;

	for (size_t i = 0; i < count; i++) {
		assert_true(text < end);
		assert_string_equal(text, words[i]);
		text += strlen(text) + 1;
	}
	assert_ptr_equal(text, end);
}

static void numactl_runs(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	const char *words[40] = {"1", HOSTILE, "unset"};
	char text[8192], cpus[64], list[32];
	struct world w;
	size_t len;

	if (!can("numactl")) {
		print_message("SKIP: numactl is not installed\n");
		skip();
	}
	make(&w, "./keep", hostile, PIT_COUNT(hostile));
	put_keeper(&w, "keep");
	put_item(&w, 1, "HOSTILE", HOSTILE, false);
	put_item(&w, 1, "GONE", NULL, false);
	put_item(&w, 1, "KEPT", "never", true);
	w.options.memlock = 65536;
	w.options.nice_set = true;
	w.options.nice = 1;
	emit(&w, PIT_EMIT_NUMACTL, &out);
	says(&out, "# keep: 2 ranks on 2 GPUs");
	says_not(&out, "KEPT");
	save(&w, "job.sh", &out);
	if (can("bash"))
		assert_int_equal(shell(&w, "bash -n job.sh"), 0);
	assert_int_equal(shell(&w, "env GONE=there HOSTILE=old timeout 60 sh ./job.sh"), 0);
	memcpy(words + 3, hostile, sizeof(hostile));
	len = slurp(&w, "kept.1", text, sizeof(text));
	has_words(text, len, words, 3 + PIT_COUNT(hostile));
	slurp(&w, "cpus.1", cpus, sizeof(cpus));
	assert_string_equal(strtok(cpus + strlen("Cpus_allowed_list:"), " \t\n"),
			    pit_idset_format(&w.seat[1].cpus, list, sizeof(list)));
	slurp(&w, "kept.0", text, sizeof(text));
	clear(&w);
}

/* With each shell there is as $with, all at the same time: `body` in a directory of its own, where the script is; each
 * ends with `code`. */
static void all_end(const struct world *w, int code, const char *body)
{
	static const char *const shells[] = {"sh", "bash", "busybox sh"}, *const programs[] = {"sh", "bash", "busybox"};
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char name[32], text[32];

	pit_buf_printf(&line, "cd %s || exit 99\n", w->dir);
	for (size_t i = 0; i < PIT_COUNT(shells); i++)
		if (can(programs[i]))
			pit_buf_printf(
				&line,
				"(mkdir -p at%zu && cd at%zu && cp ../job.sh . && rm -f code && with='%s' && (\n%s\n)\n"
				"echo $? >code) &\n",
				i, i, shells[i], body);
	pit_buf_printf(&line, "wait");
	assert_int_equal(system(line.data), 0);
	for (size_t i = 0; i < PIT_COUNT(shells); i++) {
		if (!can(programs[i]))
			continue;
		snprintf(name, sizeof(name), "at%zu/code", i);
		slurp(w, name, text, sizeof(text));
		if (strtol(text, NULL, 10) != code)
			fail_msg("%s ended with %s", shells[i], text);
	}
}

/* Runs a script of ranks that say "up.RANK", and stops it then. */
#define STOP(signal)                                                                                                   \
	"rm -f up.*\n"                                                                                                 \
	"env --default-signal=INT $with ./job.sh & p=$!\n"                                                             \
	"i=0; while [ $i -lt 300 ] && { [ ! -e up.0 ] || [ ! -e up.1 ]; }; do sleep 0.1; i=$((i + 1)); done\n"         \
	"kill -s " signal " $p; wait $p"

static void emit_words(struct world *w, const char *command)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

	w->argv[2] = command;
	emit(w, PIT_EMIT_NUMACTL, &out);
	save(w, "job.sh", &out);
}

/* A job of a shell command, which works without numactl, too. */
static void emit_shell(struct world *w, const char *command)
{
	static const char *const words[] = {"-c", ""};

	make(w, "/bin/sh", words, PIT_COUNT(words));
	w->job.placement.mem = PIT_MEM_NONE;
	for (int k = 0; k < RANKS; k++)
		pit_idset_free(&w->seat[k].cpus);
	emit_words(w, command);
}

/* The first failure stops the others, which would else wait for each other for ever; a stop comes to all. */
static void scripts_end_as_they_should(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct world w;

	emit_shell(&w, "if [ $RANK = 1 ]; then sleep 0.2; exit 7; fi; exec sleep 60");
	emit(&w, PIT_EMIT_NUMACTL, &out);
	says_not(&out, "numactl --");
	all_end(&w, 7, "timeout 30 $with ./job.sh");
	w.options.ending.grace = INT64_C(30000000000);
	emit_words(&w, "trap 'exit 0' TERM; echo >up.$RANK; while :; do sleep 0.1; done");
	all_end(&w, 0, STOP("TERM"));
	emit_words(&w, "echo >up.$RANK; exec sleep 60");
	all_end(&w, 128 + SIGTERM, STOP("TERM"));
	w.options.ending.grace = 1;
	emit_words(&w, "trap '' TERM; echo >up.$RANK; while :; do sleep 0.1; done");
	emit(&w, PIT_EMIT_NUMACTL, &out);
	says(&out, " left=1\n");
	all_end(&w, 128 + SIGKILL, STOP("TERM"));
	clear(&w);
}

/* As under `run`: SIGINT comes to ranks, which could not even ask for it where they were started with it ignored; with
 * the rank all that it started ends; rank 0 has the stdin, the others none. */
static void scripts_are_as_good_as_run(void **state)
{
	struct world w;

	emit_shell(&w, "trap 'exit 9' INT; echo >up.$RANK; while :; do sleep 0.1; done");
	all_end(&w, 9, STOP("INT"));
	w.options.ending.stop_signal = SIGINT;
	emit_words(&w, w.argv[2]);
	all_end(&w, 9, STOP("TERM"));
	clear(&w);

	emit_shell(&w, "sleep 300 & echo $! >child.$RANK; echo >up.$RANK; wait");
	all_end(&w, 128 + SIGTERM, STOP("TERM"));
	/* One that nobody reaps here is dead, too. */
	all_end(&w, 0,
		"for p in $(cat child.0 child.1); do grep -q '^State:.[^ZX]' /proc/$p/status 2>/dev/null && exit 1; "
		"done; true");
	clear(&w);

	emit_shell(&w, "cat >in.$RANK");
	all_end(&w, 0, "echo word | timeout 30 $with ./job.sh && test \"$(cat in.0)\" = word && test ! -s in.1");
	all_end(&w, 0, "timeout 30 $with ./job.sh <&-");
	clear(&w);
}

/* One rank takes the place of the script. */
static void one_rank_is_a_plain_command(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct world w;
	char text[64];

	emit_shell(&w, "echo $$; cat; grep SigIgn /proc/self/status");
	w.job.placement.ranks = 1;
	emit(&w, PIT_EMIT_NUMACTL, &out);
	says(&out, "\nexec env RANK=0 /bin/sh -c ");
	save(&w, "job.sh", &out);
	assert_int_equal(shell(&w, "printf in | sh -c 'echo $$ >pid; exec sh ./job.sh' >said"), 0);
	assert_int_equal(shell(&w, "test \"$(head -1 said)\" = \"$(cat pid)\" && grep -q '^inSigIgn' said"), 0);
	slurp(&w, "said", text, sizeof(text));
	emit(&w, PIT_EMIT_DOCKER, &out);
	says(&out, "\nexec docker run --rm --init -i ");
	clear(&w);
}

static void numactl_policies(void **state)
{
	static const struct {
		enum pit_mem mem;
		int nodes;
		const char *says;
	} rows[] = {
		{PIT_MEM_PREFER, 1, " --preferred=0 --"}, {PIT_MEM_PREFER, 2, " --preferred-many=0-1 --"},
		{PIT_MEM_BIND, 2, " --membind=0-1 --"},   {PIT_MEM_INTERLEAVE, 2, " --interleave=0-1 --"},
		{PIT_MEM_LOCAL, 0, " --localalloc --"},   {PIT_MEM_NONE, 0, NULL},
	};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct world w;

	make(&w, "/bin/true", NULL, 0);
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_idset_free(&w.seat[0].mems);
		for (int n = 0; n < rows[i].nodes; n++)
			pit_idset_add(&w.seat[0].mems, (size_t)n);
		w.job.placement.mem = rows[i].mem;
		emit(&w, PIT_EMIT_NUMACTL, &out);
		if (rows[i].says)
			says(&out, rows[i].says);
	}
	says_not(&out, "--preferred");
	clear(&w);
}

static void torchrun_and_slurm_carry_the_options(void **state)
{
	static const char *const arguments[] = {"a b", "--ranks"};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct world w;

	make(&w, "train.py", arguments, 2);
	w.options.placement = (struct pit_placement_request){.ranks = 2,
							     .bind = PIT_BIND_L3,
							     .mem = PIT_MEM_BIND,
							     .spill = PIT_SPILL_NONE,
							     .view = PIT_GPU_VIEW_OWN,
							     .one_thread = true,
							     .reserve = 2};
	w.options.memory_max = 3ull << 30;
	w.options.memory_high = 1025;
	w.options.memlock = PIT_UNLIMITED;
	w.options.cpu_max = 1.5;
	w.options.sched_set = true;
	w.options.policy = SCHED_RR;
	w.options.priority = 5;
	w.options.mps = 50;
	w.options.stop_signal_set = true;
	w.options.ending = (struct pit_ending_rules){.stop_signal = SIGINT,
						     .grace = INT64_C(2500000000),
						     .checkpoint_signal = SIGUSR1,
						     .checkpoint_grace = INT64_C(60000000000)};
	w.options.on_pressure = PIT_ON_PRESSURE_CHECKPOINT;
	w.options.restarts = 3;
	w.options.after = -1;
	w.options.pressure_horizon = 1;
	pit_strv_add(&w.options.env, "-X");
	emit(&w, PIT_EMIT_TORCHRUN, &out);
	says(&out,
	     "\nexec torchrun --standalone --nproc_per_node 2 --max_restarts 3 --no_python pitcrew run --rank-from "
	     "LOCAL_RANK --bind l3 --mem bind --spill none --gpu-view own --smt 1 --cpus-reserve 2 --mem-max 3G "
	     "--mem-high 1025 --cpu-max 1.5 --memlock unlimited --sched rr:5 --mps 50 --env=-X --stop-signal SIGINT "
	     "--grace 2500ms --checkpoint-signal SIGUSR1 --checkpoint-grace 60s --on-pressure checkpoint --pressure-horizon 0.000000001s --after never "
	     "-- train.py 'a b' --ranks\n");
	emit(&w, PIT_EMIT_SLURM, &out);
	says(&out, "#SBATCH --job-name=train.py\n");
	says(&out, "#SBATCH --ntasks-per-node=2\n#SBATCH --cpus-per-task=1\n#SBATCH --gpus-per-node=2\n");
	says(&out, "#SBATCH --mem=6146M\n");
	says(&out, "# Without --restart");
	says(&out,
	     "\nsrun --kill-on-bad-exit=1 --cpu-bind=none --gpu-bind=none pitcrew run --rank-from SLURM_LOCALID ");
	says(&out, "\n# srun --cpu-bind=mask_cpu:0x");
	says(&out, " --mem-bind=prefer,mask_mem:0x1,0x1 COMMAND\n");
	pit_strv_free(&w.options.env);
	clear(&w);
}

/* A fake that keeps its words, in the place of torchrun or srun. */
static void the_shell_gives_back_all_words(void **state)
{
	static const struct {
		enum pit_emit engine;
		const char *program, *interpreter;
	} rows[] = {{PIT_EMIT_TORCHRUN, "torchrun", "sh"}, {PIT_EMIT_SLURM, "srun", "bash"}};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct world w;

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		char text[8192];
		const char *at;
		size_t len;

		make(&w, "a program\n", hostile, PIT_COUNT(hostile));
		if (!can(rows[i].interpreter)) {
			clear(&w);
			continue;
		}
		put_keeper(&w, rows[i].program);
		w.options.gpus = HOSTILE;
		emit(&w, rows[i].engine, &out);
		says(&out, "# a_program_: 2 ranks");
		save(&w, "job.sh", &out);
		assert_int_equal(shell(&w, "timeout 30 %s ./job.sh", rows[i].interpreter), 0);
		len = slurp(&w, "kept.", text, sizeof(text));
		at = memmem(text, len, "\0--\0a program\n", 15);
		assert_non_null(at);
		at += 4;
		at += strlen(at) + 1;
		has_words(at, (size_t)(text + len - at), hostile, PIT_COUNT(hostile));
		assert_non_null(memmem(text, len, "--gpus\0" HOSTILE, sizeof("--gpus\0" HOSTILE)));
		clear(&w);
	}
}

static void masks_of_large_machines(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct world w;

	make(&w, "x", NULL, 0);
	for (int i = 0; i < RANKS; i++) {
		pit_idset_free(&w.seat[i].cpus);
		for (size_t cpu = 0; cpu < 4; cpu++) {
			pit_idset_add(&w.seat[i].cpus, 4 * (size_t)i + cpu);
			pit_idset_add(&w.seat[i].cpus, 128 + 4 * (size_t)i + cpu);
		}
	}
	emit(&w, PIT_EMIT_SLURM, &out);
	says(&out, "mask_cpu:0xf0000000000000000000000000000000f,0xf0000000000000000000000000000000f0 ");
	says(&out, "--cpus-per-task=8\n");
	clear(&w);
}

static void docker_gets_its_options(void **state)
{
	const char *words[64] = {"1", "unset", "unset"};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	char text[8192], cpus[64], list[32];
	struct world w;
	size_t n = 3, len;

	make(&w, "python3", hostile, PIT_COUNT(hostile));
	put_keeper(&w, "docker");
	put_item(&w, 1, "HOSTILE", HOSTILE, false);
	put_item(&w, 1, "KEPT", "mine", true);
	w.options.memory_max = 1 << 20;
	w.options.memlock = PIT_UNLIMITED;
	w.options.cpu_max = 2.5;
	w.options.dir = "/with blank";
	w.options.ending = (struct pit_ending_rules){.stop_signal = SIGINT, .grace = INT64_C(2500000000)};
	w.job.placement.mem = PIT_MEM_BIND;
	pit_strv_add(&w.job.io_max, "259:0 rbps=1048576 wiops=max riops=7");
	w.job.limit[w.job.limits++] = (struct pit_job_limit){.resource = RLIMIT_NOFILE, .value = {65536, 524288}};
	emit(&w, PIT_EMIT_DOCKER, &out);
	save(&w, "job.sh", &out);
	assert_int_equal(shell(&w, "timeout 30 sh ./job.sh 2>/dev/null"), 2);
	assert_int_equal(shell(&w, "timeout 30 sh ./job.sh image:1"), 0);
	snprintf(cpus, sizeof(cpus), "--cpuset-cpus=%s", pit_idset_format(&w.seat[1].cpus, list, sizeof(list)));
	for (const char *const *word = (const char *const[]){"run",
							     "--rm",
							     "--init",
							     "--network=host",
							     cpus,
							     "--cpuset-mems=0",
							     "--gpus=\"device=GPU-0,GPU-1\"",
							     "--memory=1048576",
							     "--ipc=host",
							     "--cpus=2.5",
							     "--ulimit",
							     "memlock=-1:-1",
							     "--ulimit",
							     "nofile=65536:524288",
							     "--device-read-bps=/dev/block/259:0:1048576",
							     "--device-read-iops=/dev/block/259:0:7",
							     "--stop-signal=SIGINT",
							     "--stop-timeout=3",
							     "--workdir=/with blank",
							     "-e",
							     "RANK=1",
							     "-e",
							     "HOSTILE=" HOSTILE,
							     "-e",
							     "KEPT",
							     "image:1",
							     "python3",
							     NULL};
	     *word; word++)
		words[n++] = *word;
	for (size_t i = 0; i < PIT_COUNT(hostile); i++)
		words[n++] = hostile[i];
	len = slurp(&w, "kept.1", text, sizeof(text));
	has_words(text, len, words, n);
	pit_strv_free(&w.options.io);
	pit_strv_free(&w.job.io_max);

	w.gpu[0].vendor = w.gpu[1].vendor = 0x1002;
	emit(&w, PIT_EMIT_DOCKER, &out);
	says(&out, " --device=/dev/kfd --device=/dev/dri");
	says_not(&out, "--gpus");
	clear(&w);
}

static void refusals(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct world w;
	struct pit_error err;
	struct {
		enum pit_emit engine;
		struct pit_job_options options;
		const char *says;
	} rows[] = {
		{PIT_EMIT_NUMACTL, {.memory_max = 1}, "--mem-max"},
		{PIT_EMIT_NUMACTL, {.cpu_max = 1}, "--cpu-max"},
		{PIT_EMIT_DOCKER, {.memory_high = 1}, "--mem-high"},
		{PIT_EMIT_DOCKER, {.sched_set = true, .policy = SCHED_FIFO}, "--sched"},
		{PIT_EMIT_SYSTEMD, {.mps = 50}, "--mps"},
	};

	make(&w, "/bin/true", NULL, 0);
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		rows[i].options.argv = w.options.argv;
		w.job.options = &rows[i].options;
		err.text[0] = '\0';
		assert_int_equal(pit_emit(&w.job, rows[i].engine, &out, &err), -EOPNOTSUPP);
		assert_non_null(strstr(err.text, rows[i].says));
		assert_non_null(strstr(err.text, pit_emit_names[rows[i].engine]));
		assert_int_equal(out.len, 0);
	}
	w.job.options = &w.options;
	w.job.alone = true;
	assert_int_equal(pit_emit(&w.job, PIT_EMIT_NUMACTL, &out, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "--rank-from"));
	emit(&w, PIT_EMIT_TORCHRUN, &out);
	w.job.alone = false;
	pit_buf_clear(&out);
	w.job.program = NULL;
	assert_int_equal(pit_emit(&w.job, PIT_EMIT_SYSTEMD, &out, &err), -ENOENT);
	w.job.recorded = true;
	emit(&w, PIT_EMIT_SYSTEMD, &out);
	says(&out, "ExecStart=/bin/true\n");
	pit_buf_clear(&out);
	w.job.program = (char *)"./x";
	w.job.environ = NULL;
	assert_int_equal(pit_emit(&w.job, PIT_EMIT_SYSTEMD, &out, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "--chdir"));
	w.job.program = (char *)"/x";
	put_item(&w, 0, "no-name", "x", false);
	assert_int_equal(pit_emit(&w.job, PIT_EMIT_SYSTEMD, &out, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "no-name"));
	w.item[0][1] = (struct pit_env_item){.name = (char *)"BYTES", .value = (char *)"\xff"};
	assert_int_equal(pit_emit(&w.job, PIT_EMIT_SYSTEMD, &out, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "BYTES"));
	clear(&w);
}

/* One word as systemd reads it from a line: quotes, C escapes, then "%%" and, where variables are, "$$". */
static const char *read_word(const char *at, bool dollar, char *out)
{
	bool quoted = *at == '"';
	char *to = out;

	for (at += quoted; *at && *at != (quoted ? '"' : ' '); at++) {
		if (*at == '\\' && at[1] == 'x') {
			char hex[3] = {at[2], at[3], '\0'};

			*to++ = (char)strtol(hex, NULL, 16);
			at += 3;
		} else if (*at == '\\') {
			assert_non_null(strchr("\\\"", at[1]));
			*to++ = *++at;
		} else if (*at == '%' || (*at == '$' && dollar)) {
			assert_int_equal(at[1], *at);
			*to++ = *at++;
		} else {
			*to++ = *at;
		}
	}
	assert_true(!quoted || *at == '"');
	at += quoted;
	assert_true(!*at || *at == ' ');
	*to = '\0';
	return *at ? at + 1 : NULL;
}

/* The rest of the line that begins with `key` in a file. */
static char *setting(const struct world *w, const char *file, const char *key, char *text, size_t size)
{
	char *at;

	slurp(w, file, text, size);
	at = strstr(text, key);
	if (!at)
		fail_msg("no %s in:\n%s", key, text);
	at += strlen(key);
	at[strcspn(at, "\n")] = '\0';
	return at;
}

static void systemd_units(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	char text[8192], word[1024], list[32];
	const char *at;
	struct world w;

	make(&w, "/bin/echo", hostile, PIT_COUNT(hostile));
	put_item(&w, 1, "HOSTILE", HOSTILE_UTF8, false);
	w.job.environ = (char **)(const char *[]){"PATH=/bin:/with blank", "USER=anna", "PWD=/tmp/50% $of", NULL};
	w.options.memory_max = 1 << 30;
	w.options.memory_high = 1 << 29;
	w.options.cpu_max = 1.5;
	w.options.nice_set = true;
	w.options.nice = -5;
	w.options.oom_set = true;
	w.options.oom_score_adj = 300;
	w.options.ending = (struct pit_ending_rules){.stop_signal = SIGINT, .grace = INT64_C(2500000000)};
	pit_strv_add(&w.job.io_max, "259:0 rbps=1048576");
	w.job.limit[w.job.limits++] = (struct pit_job_limit){.resource = RLIMIT_NOFILE, .value = {65536, 524288}};
	pit_strv_add(&w.options.io, "best-effort:2");
	emit(&w, PIT_EMIT_SYSTEMD, &out);
	save(&w, "job.sh", &out);
	assert_int_equal(shell(&w, "timeout 30 sh ./job.sh \"$PWD/units\""), 0);

	at = setting(&w, "units/pitcrew-echo@.service", "ExecStart=", text, sizeof(text));
	at = read_word(at, false, word);
	assert_string_equal(word, "/bin/echo");
	for (size_t i = 0; i < PIT_COUNT(hostile); i++) {
		assert_non_null(at);
		at = read_word(at, true, word);
		assert_string_equal(word, hostile[i]);
	}
	assert_null(at);
	at = setting(&w, "units/pitcrew-echo@1.service.d/rank.conf", "Environment=\"HOSTILE", text, sizeof(text));
	memcpy((char *)at - 8, "\"HOSTILE", 8);
	assert_null(read_word(at - 8, false, word));
	assert_string_equal(word, "HOSTILE=" HOSTILE_UTF8);
	assert_string_equal(setting(&w, "units/pitcrew-echo@.service", "WorkingDirectory=", text, sizeof(text)),
			    "/tmp/50%% $of");
	assert_string_equal(setting(&w, "units/pitcrew-echo@1.service.d/rank.conf", "CPUAffinity=", text, sizeof(text)),
			    pit_idset_format(&w.seat[1].cpus, list, sizeof(list)));
	slurp(&w, "units/pitcrew-echo@.service", text, sizeof(text));
	for (const char *const *line =
		     (const char *const[]){"User=anna\n", "MemoryMax=1073741824\n", "MemoryHigh=536870912\n",
					   "CPUQuota=150%\n", "Nice=-5\n", "LimitNOFILE=65536:524288\n",
					   "OOMScoreAdjust=300\n", "KillMode=mixed\n", "KillSignal=SIGINT\n",
					   "TimeoutStopSec=3\n", "IOReadBandwidthMax=/dev/block/259:0 1048576\n",
					   "IOSchedulingClass=best-effort\nIOSchedulingPriority=2\n",
					   "Environment=\"PATH=/bin:/with blank\"\n", NULL};
	     *line; line++)
		if (!strstr(text, *line))
			fail_msg("no %s in:\n%s", *line, text);
	slurp(&w, "units/pitcrew-echo@0.service.d/rank.conf", text, sizeof(text));
	assert_non_null(strstr(text, "NUMAPolicy=preferred\nNUMAMask=0\n"));
	slurp(&w, "units/pitcrew-echo.target", text, sizeof(text));
	assert_non_null(strstr(text, "Wants=pitcrew-echo@1.service\n"));
	pit_strv_free(&w.options.io);
	pit_strv_free(&w.job.io_max);
	clear(&w);
}

/* systemd itself reads the units without a complaint. */
static void systemd_takes_them(void **state)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct world w;
	char text[8192];

	if (!can("systemd-analyze")) {
		print_message("SKIP: systemd-analyze is not installed\n");
		skip();
	}
	make(&w, "/bin/echo", hostile, PIT_COUNT(hostile));
	put_item(&w, 1, "HOSTILE", HOSTILE_UTF8, false);
	w.options.memory_max = 1 << 30;
	emit(&w, PIT_EMIT_SYSTEMD, &out);
	save(&w, "job.sh", &out);
	assert_int_equal(shell(&w, "timeout 30 sh ./job.sh \"$PWD/units\""), 0);
	shell(&w,
	      "SYSTEMD_UNIT_PATH=\"$PWD/units:\" timeout 60 systemd-analyze verify --man=no units/pitcrew-echo.target "
	      "units/pitcrew-echo@1.service units/pitcrew-echo-failed.service >said 2>&1");
	slurp(&w, "said", text, sizeof(text));
	if (strstr(text, "pitcrew-echo"))
		fail_msg("%s", text);
	clear(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numactl_runs),
		cmocka_unit_test(scripts_end_as_they_should),
		cmocka_unit_test(scripts_are_as_good_as_run),
		cmocka_unit_test(one_rank_is_a_plain_command),
		cmocka_unit_test(numactl_policies),
		cmocka_unit_test(torchrun_and_slurm_carry_the_options),
		cmocka_unit_test(the_shell_gives_back_all_words),
		cmocka_unit_test(masks_of_large_machines),
		cmocka_unit_test(docker_gets_its_options),
		cmocka_unit_test(refusals),
		cmocka_unit_test(systemd_units),
		cmocka_unit_test(systemd_takes_them),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
