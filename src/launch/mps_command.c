/* SPDX-License-Identifier: MIT */
#include "launch/mps_command.h"

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "host/child.h"

#define OUTPUT_MAX 65536

/* Runs in the child: only calls that are safe after fork(). The input is less than a pipe holds. */
static void become(int fd, const void *arg)
{
	const struct pit_mps_command *c = arg;
	const char *argv[] = {c->program, c->option, NULL};
	const char *why;
	int in[2];

	setsid(); /* the terminal's signals are not for it */
	if (c->input && !pipe(in)) {
		(void)!write(in[1], c->input, strlen(c->input));
		dup2(in[0], 0);
		close(in[0]);
		close(in[1]);
	}
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	execve(c->program, (char *const *)argv, c->environ);
	why = strerrordesc_np(errno);
	(void)!write(2, why, strlen(why));
	_exit(127);
}

struct answer {
	struct pit_buf *out;
	size_t room;
};

static void heard(void *arg, const char *bytes, size_t len)
{
	struct answer *a = arg;
	size_t first = len < a->room ? len : a->room;

	pit_buf_add(a->out, bytes, first);
	a->room -= first;
}

static int judge(const struct pit_mps_command *c, int status, const char *said, struct pit_error *err)
{
	const char *of = c->input ? c->input : c->option;
	int len = (int)strcspn(of, "\n");

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	said += strspn(said, " \t\r\n");
	if (WIFEXITED(status))
		return pit_fail(err, EIO, "%s failed at \"%.*s\" with exit code %d: %.*s", c->program, len, of,
				WEXITSTATUS(status), (int)strcspn(said, "\n"), said);
	return pit_fail(err, EIO, "%s was killed by signal %d at \"%.*s\"", c->program, WTERMSIG(status), len, of);
}

int pit_mps_command(const struct pit_mps_command *c, int64_t until, struct pit_buf *out, struct pit_error *err)
{
	const struct pit_child_job job = {.name = "pitcrew-mps", .run = become, .arg = c};
	pit_auto_child struct pit_child child = PIT_CHILD_INIT;
	struct answer answer = {.out = out, .room = OUTPUT_MAX};
	size_t start = out->len;
	int rc = pit_child_start(&job, &child);

	if (rc)
		return pit_fail(err, -rc, "cannot start %s: %s", c->program, strerror(-rc));
	rc = pit_child_attend(&child, until, heard, &answer);
	if (rc == -ETIMEDOUT) {
		kill(-child.pid, SIGKILL); /* with what it started */
		return pit_fail(err, ETIMEDOUT, "%s did not answer in time", c->program);
	}
	if (rc)
		return pit_fail(err, -rc, "cannot watch %s: %s", c->program, strerror(-rc));
	return judge(c, pit_child_stop(&child), out->data + start, err);
}

size_t pit_mps_pids(const char *text, pid_t *ret, size_t most)
{
	size_t n = 0;

	for (const char *line = text; *line && n < most; line = strchrnul(line, '\n'), line += *line == '\n') {
		char *end;
		unsigned long pid;

		errno = 0;
		pid = strtoul(line, &end, 10);
		if (isdigit((unsigned char)*line) && (!*end || isspace((unsigned char)*end)) && !errno && pid &&
		    pid <= INT_MAX)
			ret[n++] = (pid_t)pid;
	}
	return n;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

int pit_mps_environ(char *const *block, const char *dir, const char *log, const char *gpus, struct pit_strv *ret)
{
	int rc = 0;

	for (size_t i = 0; !rc && block[i]; i++)
		if (!begins(block[i], "CUDA_MPS_") && !(gpus && begins(block[i], "CUDA_VISIBLE_DEVICES=")))
			rc = pit_strv_add(ret, block[i]);
	if (!rc && gpus)
		rc = pit_strv_addf(ret, "CUDA_VISIBLE_DEVICES=%s", gpus);
	if (!rc)
		rc = pit_strv_addf(ret, "CUDA_MPS_PIPE_DIRECTORY=%s", dir);
	if (!rc && log)
		rc = pit_strv_addf(ret, "CUDA_MPS_LOG_DIRECTORY=%s", log);
	if (!rc)
		rc = pit_strv_add(ret, ""); /* makes room for the NULL */
	if (rc)
		return rc;
	ret->count--;
	free(ret->item[ret->count]);
	ret->item[ret->count] = NULL;
	return 0;
}
