/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "launch/exit_report.h"

#define S (1000 * PIT_MS)
#define GIB (UINT64_C(1) << 30)

#define WELL                                                                                                           \
	{                                                                                                              \
		.pid = 11, .how = PIT_RANK_EXITED                                                                      \
	}

/* Ends and what is said of them; ranks are numbered by position. `says` and `hides` end with NULL. */
static const struct end {
	const char *name;
	enum pit_job_why why;
	int first, asked_signal;
	pid_t asked_by;
	const char *asked_name;
	int leftovers;
	bool checkpoint_sent, grace_over;
	int output_lost;
	int64_t pressed;
	int attempt, restarts;
	const char *gave_up;
	int ranks;
	struct pit_rank_end rank[4];
	int code;
	const char *says[8];
	const char *hides[4];
} ends[] = {
	{.name = "well", .first = -1, .ranks = 2, .rank = {WELL, WELL}, .hides = {"pitcrew"}},
	{.name = "well, but untidy",
	 .first = -1,
	 .leftovers = 3,
	 .ranks = 1,
	 .rank = {WELL},
	 .says = {"pitcrew: done after", "3 processes that the ranks left behind were ended"},
	 .hides = {"others", "code"}},
	{.name = "well, but what it printed is lost",
	 .first = -1,
	 .output_lost = ENOSPC,
	 .ranks = 2,
	 .rank = {WELL, WELL},
	 .code = 125,
	 .says = {"pitcrew: done after 12 min 5 s; output was lost: No space left", "code    125"},
	 .hides = {"others"}},
	{.name = "one of three exits",
	 .why = PIT_JOB_FAILED,
	 .first = 1,
	 .ranks = 3,
	 .rank = {{.pid = 10, .how = PIT_RANK_SIGNALLED, .signal = SIGTERM, .killer = PIT_KILLER_US_STOP},
		  {.pid = 11,
		   .how = PIT_RANK_EXITED,
		   .code = 3,
		   .after = 723 * S,
		   .tail = (char *)"Traceback (most recent call last):\nValueError: \033[31mno\n"},
		  {.pid = 12, .how = PIT_RANK_SIGNALLED, .signal = SIGTERM, .killer = PIT_KILLER_US_STOP}},
	 .code = 3,
	 .says = {"pitcrew: rank 1 failed first, after 12 min 3 s: exited with 3 (pid 11)",
		  "others  ranks 0,2: stopped by our SIGTERM", "code    3",
		  "stderr  last lines of rank 1:", "    Traceback (most recent", "    ValueError: ?[31mno\n"},
	 .hides = {"\033"}},
	{.name = "the only one exits",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10, .how = PIT_RANK_EXITED, .code = 1, .after = S / 4}},
	 .code = 1,
	 .says = {"pitcrew: the command failed after 250 ms: exited with 1"},
	 .hides = {"rank", "others", "stderr"}},
	{.name = "a shell's code",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10, .how = PIT_RANK_EXITED, .code = 137, .after = 3 * S}},
	 .code = 137,
	 .says = {"exited with 137, as a shell does whose command was ended by SIGKILL", "after 3.0 s"}},
	{.name = "segmentation fault",
	 .why = PIT_JOB_FAILED,
	 .ranks = 2,
	 .rank = {{.pid = 10, .how = PIT_RANK_SIGNALLED, .signal = SIGSEGV, .core = true, .killer = PIT_KILLER_SELF},
		  {.pid = 11, .how = PIT_RANK_SIGNALLED, .signal = SIGKILL, .killer = PIT_KILLER_US_GRACE}},
	 .grace_over = true,
	 .checkpoint_sent = true,
	 .code = 139,
	 .says = {"ended by SIGSEGV (a fault, or a signal that somebody sent), core file written",
		  "why     most often: it used memory", "rank 1: ended by our SIGKILL after the grace",
		  "stop    the checkpoint signal was sent first; SIGTERM did not end all in the grace"}},
	{.name = "full shared memory",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10, .how = PIT_RANK_SIGNALLED, .signal = SIGBUS, .killer = PIT_KILLER_SELF}},
	 .code = 135,
	 .says = {"SIGBUS (a fault, or a signal that somebody sent) (pid 10)", "/dev/shm"}},
	{.name = "killed by somebody",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10, .how = PIT_RANK_SIGNALLED, .signal = SIGKILL, .after = 7500 * S}},
	 .code = 137,
	 .says = {"after 2 h 5 min: ended by a SIGKILL that pitcrew did not send", "kill -9"}},
	{.name = "out of memory in its group",
	 .why = PIT_JOB_FAILED,
	 .ranks = 2,
	 .rank = {{.pid = 10,
		   .how = PIT_RANK_SIGNALLED,
		   .signal = SIGKILL,
		   .killer = PIT_KILLER_OOM_GROUP,
		   .oom_killed = 5,
		   .leaf = (char *)"/sys/fs/cgroup/job/pitcrew-9/rank-0",
		   .memory = {.max = 8 * GIB, .peak = 8 * GIB, .shmem = 3 * GIB, .oom_kill = 6, .high = UINT64_MAX}},
		  WELL},
	 .code = 137,
	 .says = {"killed by the kernel (SIGKILL): out of memory in its group",
		  "8 GiB together (memory.max of /sys/fs/cgroup/job/pitcrew-9/rank-0)", "most used 8 GiB", "like 3 GiB",
		  "5 processes killed", "rank 1: ended well"}},
	{.name = "out of memory in a group above",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10,
		   .how = PIT_RANK_SIGNALLED,
		   .signal = SIGKILL,
		   .killer = PIT_KILLER_OOM_GROUP,
		   .memory = {.max = UINT64_MAX,
			      .peak = UINT64_MAX,
			      .shmem = UINT64_MAX,
			      .oom_kill = UINT64_MAX,
			      .high = UINT64_MAX}}},
	 .code = 137,
	 .says = {"that of a group above was reached"},
	 .hides = {"most used", "processes killed", "EiB"}},
	{.name = "out of memory on the host",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10, .how = PIT_RANK_SIGNALLED, .signal = SIGKILL, .killer = PIT_KILLER_OOM_HOST}},
	 .code = 137,
	 .says = {"out of memory on the host", "kernel log"}},
	{.name = "stopped, and all ended well",
	 .why = PIT_JOB_STOPPED,
	 .first = -1,
	 .asked_signal = SIGTERM,
	 .asked_by = 812,
	 .asked_name = "slurmstepd",
	 .ranks = 2,
	 .rank = {WELL, WELL},
	 .says = {"pitcrew: stopped by SIGTERM from slurmstepd (pid 812) after", "ranks 0-1: ended well", "code    0"}},
	{.name = "stopped at the terminal",
	 .why = PIT_JOB_STOPPED,
	 .first = -1,
	 .asked_signal = SIGINT,
	 .ranks = 2,
	 .rank = {WELL, {.pid = 12, .how = PIT_RANK_SIGNALLED, .signal = SIGINT, .killer = PIT_KILLER_US_STOP}},
	 .code = 130,
	 .says = {"stopped by SIGINT of the terminal or the kernel", "rank 0: ended well",
		  "rank 1: stopped by our SIGINT", "code    130"}},
	{.name = "stopped by nobody known",
	 .why = PIT_JOB_STOPPED,
	 .first = -1,
	 .asked_by = -1,
	 .asked_signal = SIGHUP,
	 .ranks = 1,
	 .rank = {{.pid = 12, .how = PIT_RANK_EXITED, .code = 1}},
	 .code = 129,
	 .says = {"stopped by SIGHUP after", "rank 0: exited with 1"}},
	{.name = "no such command",
	 .why = PIT_JOB_NOT_STARTED,
	 .ranks = 2,
	 .rank = {{.how = PIT_RANK_NOT_STARTED, .code = ENOENT, .gone = (char *)"nosuch: not found in PATH"},
		  {.rank = 1}},
	 .code = 127,
	 .says = {"pitcrew: rank 0 could not be started: nosuch: not found in PATH\n", "rank 1: not started"},
	 .hides = {"pid", "after"}},
	{.name = "not executable",
	 .why = PIT_JOB_NOT_STARTED,
	 .ranks = 1,
	 .rank = {{.how = PIT_RANK_NOT_STARTED, .code = EACCES}},
	 .code = 126,
	 .says = {"the command could not be started: Permission denied"}},
	{.name = "no such directory to start it in",
	 .why = PIT_JOB_NOT_STARTED,
	 .ranks = 1,
	 .rank = {{.how = PIT_RANK_NOT_STARTED,
		   .code = ENOENT,
		   .before_exec = true,
		   .gone = (char *)"--chdir /x: none"}},
	 .code = 125,
	 .says = {"--chdir /x"}},
	{.name = "no more processes",
	 .why = PIT_JOB_NOT_STARTED,
	 .ranks = 1,
	 .rank = {{.how = PIT_RANK_NOT_STARTED, .code = EAGAIN}},
	 .code = 125},
	{.name = "the front is gone",
	 .why = PIT_JOB_LOST_FRONT,
	 .first = -1,
	 .ranks = 1,
	 .rank = {{.pid = 12, .how = PIT_RANK_SIGNALLED, .signal = SIGTERM, .killer = PIT_KILLER_US_STOP}},
	 .code = 125,
	 .says = {"the pitcrew that was called is gone", "stopped by our SIGTERM"}},
	{.name = "a rank that does not end",
	 .why = PIT_JOB_FAILED,
	 .ranks = 2,
	 .rank = {{.pid = 10, .how = PIT_RANK_EXITED, .code = 4}, {.pid = 11}},
	 .code = 4,
	 .says = {"rank 1: did not end, not even by SIGKILL"}},
	{.name = "the victim was quicker than the cause",
	 .why = PIT_JOB_FAILED,
	 .ranks = 3,
	 .rank = {{.pid = 10,
		   .how = PIT_RANK_EXITED,
		   .code = 1,
		   .after = 5 * S,
		   .tail = (char *)"RuntimeError: [pair.cc:534] Connection closed by peer [127.0.0.1]:9\n"},
		  {.pid = 11,
		   .how = PIT_RANK_EXITED,
		   .code = 3,
		   .after = 5 * S + 12 * PIT_MS,
		   .tail = (char *)"ValueError: bad batch\n"},
		  {.pid = 12,
		   .how = PIT_RANK_SIGNALLED,
		   .signal = SIGTERM,
		   .killer = PIT_KILLER_US_STOP,
		   .after = 5 * S + 20 * PIT_MS,
		   .tail = (char *)"a warning\n"}},
	 .code = 1,
	 .says = {"rank 0 failed first, after 5.0 s (rank 1 12 ms later): exited with 1",
		  "cause rank 1 looks like it: rank 0 only says that it lost a peer",
		  "last lines of rank 1:\n    ValueError: bad batch\n", "last lines of rank 0:\n    RuntimeError"},
	 .hides = {"a warning"}},
	{.name = "the cause was stopped on its way out",
	 .why = PIT_JOB_FAILED,
	 .first = 1,
	 .ranks = 2,
	 .rank = {{.pid = 10,
		   .how = PIT_RANK_SIGNALLED,
		   .signal = SIGTERM,
		   .killer = PIT_KILLER_US_STOP,
		   .after = 6 * S,
		   .tail = (char *)"Traceback (most recent call last):\nValueError\n"},
		  {.pid = 11,
		   .how = PIT_RANK_EXITED,
		   .code = 1,
		   .after = 6 * S,
		   .tail = (char *)"Connection reset by peer\n"}},
	 .code = 1,
	 .says = {"rank 1 failed first, after 6.0 s: exited", "rank 0 looks like it"}},
	{.name = "two of their own",
	 .why = PIT_JOB_FAILED,
	 .ranks = 3,
	 .rank = {{.pid = 10, .how = PIT_RANK_EXITED, .code = 1, .after = S, .tail = (char *)"one\n"},
		  {.pid = 11, .how = PIT_RANK_EXITED, .code = 1, .after = S, .tail = (char *)"two\n"},
		  {.pid = 11, .how = PIT_RANK_EXITED, .code = 1, .after = 3 * S, .tail = (char *)"three\n"}},
	 .code = 1,
	 .says = {"(rank 1 0 ms later)", "of rank 0:", "of rank 1:"},
	 .hides = {"cause", "three"}},
	{.name = "a fault that the kernel has seen",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10, .how = PIT_RANK_SIGNALLED, .signal = SIGSEGV, .killer = PIT_KILLER_FAULT}},
	 .code = 139,
	 .says = {"ended by SIGSEGV of its own (pid 10)", "why     it used memory"}},
	{.name = "a signal that was passed on",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10, .how = PIT_RANK_SIGNALLED, .signal = SIGUSR1, .killer = PIT_KILLER_PASSED, .sender = 77}},
	 .code = 128 + SIGUSR1,
	 .says = {"ended by SIGUSR1, which pitcrew passed on from pid 77: it had no handler"}},
	{.name = "the checkpoint signal for want of memory",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .pressed = 4 * S,
	 .rank = {{.pid = 10,
		   .how = PIT_RANK_SIGNALLED,
		   .signal = SIGUSR1,
		   .killer = PIT_KILLER_US_CHECKPOINT,
		   .after = 10 * S}},
	 .code = 128 + SIGUSR1,
	 .says = {"ended by the checkpoint signal: it had no handler for SIGUSR1 any more",
		  "memory  it ran short 6.0 s before: the checkpoint signal was sent then"},
	 .hides = {"stop    "}},
	{.name = "a limit of CPU time",
	 .why = PIT_JOB_FAILED,
	 .ranks = 1,
	 .rank = {{.pid = 10,
		   .how = PIT_RANK_SIGNALLED,
		   .signal = SIGKILL,
		   .killer = PIT_KILLER_CPU_LIMIT,
		   .cpu_limit = 3600}},
	 .code = 137,
	 .says = {"ended by the kernel (SIGKILL): its limit of CPU time, 3600 s", "ulimit -t"}},
	{.name = "given up",
	 .why = PIT_JOB_FAILED,
	 .attempt = 3,
	 .restarts = 5,
	 .gave_up = "three in a row made no progress",
	 .ranks = 1,
	 .rank = {{.pid = 10, .how = PIT_RANK_EXITED, .code = 4}},
	 .code = 4,
	 .says = {"starts  this was start 4 of at most 6; no further one: three in a row made no progress"}},
};

static struct pit_exit_report report_of(const struct end *t)
{
	struct pit_exit_report r = {
		.rank = calloc((size_t)t->ranks, sizeof(*r.rank)),
		.ranks = t->ranks,
		.first = t->first,
		.why = t->why,
		.asked_signal = t->asked_signal,
		.asked_by = t->asked_by,
		.stop_signal = SIGTERM,
		.attempt = t->attempt,
		.restarts = t->restarts,
		.gave_up = t->gave_up,
		.lasted = 725 * S,
		.leftovers = t->leftovers,
		.checkpoint_sent = t->checkpoint_sent,
		.grace_over = t->grace_over,
		.output_lost = t->output_lost,
		.pressed = t->pressed,
	};

	snprintf(r.asked_name, sizeof(r.asked_name), "%s", t->asked_name ? t->asked_name : "");
	for (int i = 0; i < t->ranks; i++) {
		struct pit_rank_end *e = &r.rank[i];

		*e = t->rank[i];
		e->rank = i;
		e->leaf = e->leaf ? strdup(e->leaf) : NULL;
		e->tail = e->tail ? strdup(e->tail) : NULL;
		e->gone = e->gone ? strdup(e->gone) : NULL;
	}
	return r;
}

/* At most 24 lines of at most 100 characters, none of them control characters. */
static void fits_a_screen(const char *text)
{
	int lines = 0;

	for (; *text; text += strcspn(text, "\n") + 1, lines++) {
		size_t columns = 0, len = strcspn(text, "\n");

		assert_int_equal(text[len], '\n');
		for (size_t i = 0; i < len; i++) {
			assert_true((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
			columns += ((unsigned char)text[i] & 0xc0) != 0x80;
		}
		if (columns > 100)
			fail_msg("%zu columns: %s", columns, text);
	}
	assert_true(lines <= PIT_EXIT_REPORT_LINES);
}

/* The text with each white space as one blank, since lines may break anywhere. */
static char *unwrapped(const char *text)
{
	char *copy = strdup(text), *to = copy;

	for (; *text; text++)
		if (*text != ' ' && *text != '\n')
			*to++ = *text;
		else if (to > copy && to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
	return copy;
}

static void says(const struct end *t, const char *text)
{
	pit_auto_free char *flat = unwrapped(text);

	for (size_t i = 0; i < 8 && t->says[i]; i++) {
		pit_auto_free char *wanted = unwrapped(t->says[i]);

		if (!strstr(flat, wanted))
			fail_msg("%s: lacks \"%s\":\n%s", t->name, t->says[i], text);
	}
	for (size_t i = 0; i < 4 && t->hides[i]; i++)
		if (strstr(text, t->hides[i]) && !(strstr(t->hides[i], "rank") && strstr(text, "the ranks")))
			fail_msg("%s: has \"%s\":\n%s", t->name, t->hides[i], text);
}

static void tells_each_kind_of_end(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(ends); i++) {
		struct pit_exit_report r = report_of(&ends[i]);
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		int code = pit_exit_report_code(&r);

		if (code != ends[i].code)
			fail_msg("%s: code %d", ends[i].name, code);
		pit_exit_report_text(&r, &text);
		fits_a_screen(text.data);
		says(&ends[i], text.data);
		pit_exit_report_free(&r);
		assert_null(r.rank);
		assert_int_equal(r.first, -1);
	}
}

static void writes_json_for_each(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(ends); i++) {
		struct pit_exit_report r = report_of(&ends[i]);
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		json_error_t error;
		json_t *top, *rank;

		assert_int_equal(pit_strv_add(&r.notes, "14 of 20 threads moved"), 0);
		assert_int_equal(pit_exit_report_json(&r, &text), 0);
		top = json_loads(text.data, JSON_REJECT_DUPLICATES, &error);
		assert_non_null(top);
		assert_int_equal(json_integer_value(json_object_get(top, "schema")), 1);
		assert_int_equal(json_integer_value(json_object_get(top, "exit_code")), ends[i].code);
		assert_int_equal(json_array_size(json_object_get(top, "notes")), 1);
		assert_int_equal(json_array_size(json_object_get(top, "ranks")), ends[i].ranks);
		rank = json_array_get(json_object_get(top, "ranks"), 0);
		assert_true(json_is_string(json_object_get(rank, "how")));
		assert_int_equal(json_is_string(json_object_get(rank, "signal")),
				 ends[i].rank[0].how == PIT_RANK_SIGNALLED);
		json_decref(top);
		pit_exit_report_free(&r);
	}
}

static json_t *json_of(const struct pit_exit_report *r)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	assert_int_equal(pit_exit_report_json(r, &text), 0);
	return json_loads(text.data, 0, NULL);
}

static void keeps_unknown_memory_apart_from_none_used(void **state)
{
	struct pit_rank_end ranks[] = {
		{.how = PIT_RANK_EXITED, .tail = (char *)"caf\xe9\n"},
		{.how = PIT_RANK_EXITED, .memory = {.max = UINT64_MAX, .peak = 5, .oom_kill = 0}},
	};
	struct pit_exit_report r = {.rank = ranks, .ranks = 2, .first = -1};
	json_t *top = json_of(&r), *list = json_object_get(top, "ranks"), *memory;

	assert_true(json_is_null(json_object_get(json_array_get(list, 0), "memory")));
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "stderr")), "caf?\n");
	memory = json_object_get(json_array_get(list, 1), "memory");
	assert_true(json_is_null(json_object_get(memory, "max")));
	assert_int_equal(json_integer_value(json_object_get(memory, "peak")), 5);
	assert_true(json_is_integer(json_object_get(memory, "oom_kill")));
	json_decref(top);
}

/* As many ranks, ways, notes and lines as one likes. */
static void stays_one_screen(void **state)
{
	struct pit_exit_report r = {.rank = calloc(4096, sizeof(*r.rank)),
				    .ranks = 4096,
				    .why = PIT_JOB_FAILED,
				    .lasted = S,
				    .leftovers = 7,
				    .orphans = 100,
				    .checkpoint_sent = true,
				    .grace_over = true,
				    .restarts = 9,
				    .gave_up =
					    "it has failed often enough, as one may say, to think that it will again"};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT, tail = PIT_BUF_INIT;

	for (int i = 0; i < r.ranks; i++)
		r.rank[i] = (struct pit_rank_end){.rank = i, .pid = 100 + i, .how = PIT_RANK_EXITED, .code = i % 50};
	for (int i = 0; i < 300; i++) {
		pit_buf_printf(&tail, "%dth line of a \001\002\x80\xff long story, caf\xc3\xa9, %0200d\n\n", i, i);
		pit_strv_addf(&r.notes, "rank %d: %0150d threads moved", i, i);
	}
	r.rank[0] = (struct pit_rank_end){
		.pid = 99,
		.how = PIT_RANK_SIGNALLED,
		.signal = SIGKILL,
		.killer = PIT_KILLER_OOM_GROUP,
		.memory = {.max = GIB, .peak = GIB, .oom_kill = 1, .shmem = GIB},
		.leaf = strdup("/sys/fs/cgroup/a/very/long/path/of/groups/in/groups/pitcrew-1/rank-0"),
		.tail = pit_buf_take(&tail)};
	pit_exit_report_text(&r, &text);
	fits_a_screen(text.data);
	assert_non_null(strstr(text.data, "299th line"));
	assert_non_null(strstr(text.data, "295th line"));
	assert_non_null(strstr(text.data, "and more, which ended in other ways"));
	pit_exit_report_free(&r);
}

static void shows_the_last_lines_alone(void **state)
{
	static const struct {
		const char *tail, *first, *hidden;
	} tails[] = {
		{.tail = "one", .first = "    one\n"},
		{.tail = "one\n\n\n", .first = "    one\n"},
		{.tail = "\n\none\ntwo\n", .first = "    one\n    two\n"},
		{.tail = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n21\n22\n23\n",
		 .first = "    3\n    4\n",
		 .hidden = "    2\n"},
		{.tail = " \n\t\r\n", .first = "code", .hidden = "stderr"},
		{.tail = "", .first = "code", .hidden = "stderr"},
	};

	for (size_t i = 0; i < PIT_COUNT(tails); i++) {
		struct pit_rank_end rank = {.how = PIT_RANK_EXITED, .code = 1, .tail = (char *)tails[i].tail};
		struct pit_exit_report r = {.rank = &rank, .ranks = 1, .why = PIT_JOB_FAILED};
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

		pit_exit_report_text(&r, &text);
		fits_a_screen(text.data);
		assert_non_null(strstr(text.data, tails[i].first));
		assert_false(tails[i].hidden && strstr(text.data, tails[i].hidden));
	}
}

static void has_a_code_for_odd_reports(void **state)
{
	struct pit_rank_end well = {.how = PIT_RANK_EXITED}, runs = {.pid = 1};
	struct pit_exit_report r = {.why = PIT_JOB_FAILED, .first = -1};

	assert_int_equal(pit_exit_report_code(&r), 125);
	r = (struct pit_exit_report){.why = PIT_JOB_FAILED, .rank = &well, .ranks = 1, .first = 0};
	assert_int_equal(pit_exit_report_code(&r), 125);
	r = (struct pit_exit_report){.why = PIT_JOB_FAILED, .rank = &runs, .ranks = 1, .first = 0};
	assert_int_equal(pit_exit_report_code(&r), 125);
	r = (struct pit_exit_report){.why = PIT_JOB_STOPPED, .rank = &runs, .ranks = 1, .first = -1};
	assert_int_equal(pit_exit_report_code(&r), 128 + SIGTERM);
}

static void names_signals(void **state)
{
	char name[24];

	assert_string_equal(pit_signal_name(SIGTERM, name, sizeof(name)), "SIGTERM");
	assert_string_equal(pit_signal_name(SIGRTMIN, name, sizeof(name)), "SIGRTMIN");
	assert_string_equal(pit_signal_name(SIGRTMIN + 3, name, sizeof(name)), "SIGRTMIN+3");
	assert_string_equal(pit_signal_name(99, name, sizeof(name)), "signal 99");
	assert_string_equal(pit_signal_name(0, name, sizeof(name)), "signal 0");
	assert_string_equal(pit_signal_name(-1, name, sizeof(name)), "signal -1");
}

static void reads_signals(void **state)
{
	static const char *const bad[] = {"",
					  "SIG",
					  "0",
					  "-1",
					  "32",
					  "33",
					  "65",
					  "TERMS",
					  "RTMIN+99",
					  "RTMIN-1",
					  "RTMAX+1",
					  "RTMIN3",
					  "RTMIN+",
					  "RTMIN+ 1x",
					  "SIGSIGTERM",
					  "15x",
					  "18446744073709551631"};
	const struct {
		const char *text;
		int signal;
	} good[] = {
		{.text = "TERM", .signal = SIGTERM},
		{.text = "SIGTERM", .signal = SIGTERM},
		{.text = "sigusr1", .signal = SIGUSR1},
		{.text = "15", .signal = 15},
		{.text = "RTMIN", .signal = SIGRTMIN},
		{.text = "sigrtmin+1", .signal = SIGRTMIN + 1},
		{.text = "RTMAX-2", .signal = SIGRTMAX - 2},
		{.text = "RTMAX", .signal = SIGRTMAX},
		{.text = "IO", .signal = SIGIO},
		{.text = "64", .signal = SIGRTMAX},
	};
	char name[24];
	int signal;

	for (size_t i = 0; i < PIT_COUNT(bad); i++) {
		signal = 77;
		if (pit_signal_parse(bad[i], &signal) != -EINVAL || signal != 77)
			fail_msg("\"%s\" gives %d", bad[i], signal);
	}
	for (size_t i = 0; i < PIT_COUNT(good); i++) {
		assert_int_equal(pit_signal_parse(good[i].text, &signal), 0);
		assert_int_equal(signal, good[i].signal);
	}
	for (int i = 1; i <= SIGRTMAX; i++)
		if (!pit_signal_parse(pit_signal_name(i, name, sizeof(name)), &signal))
			assert_int_equal(signal, i);
		else
			assert_true(i < SIGRTMIN && i > 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_each_kind_of_end),
		cmocka_unit_test(writes_json_for_each),
		cmocka_unit_test(keeps_unknown_memory_apart_from_none_used),
		cmocka_unit_test(stays_one_screen),
		cmocka_unit_test(shows_the_last_lines_alone),
		cmocka_unit_test(has_a_code_for_odd_reports),
		cmocka_unit_test(names_signals),
		cmocka_unit_test(reads_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
