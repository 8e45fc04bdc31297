/* SPDX-License-Identifier: MIT
 *
 * A driver that hangs cannot be interrupted, so NVML is called by a child process that is left behind when a deadline
 * passes. It sends its answer in lines as it goes, so that one dead GPU does not hide the others. The child keeps none
 * of our files open: whoever waits for the end of our output must not wait for it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "host/nvml_ask.h"

#define ANSWER_MAX (8u << 20)

const struct pit_nvml_ask pit_nvml_usual = {.start_ms = 1500, .gpu_ms = 3000, .total_ms = 15000};

static void become_helper(const char *library, int fd)
{
	const struct rlimit no_core = {0};
	int null = open("/dev/null", O_RDWR);
	FILE *out;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "pitcrew-nvml");
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	fd = dup2(fd, 3);
	close_range(4, ~0u, 0);
	out = fdopen(fd, "w");
	if (out)
		pit_nvml_query(library, out);
	_exit(0);
}

static int start(const char *library, pid_t *ret_pid, int *ret_fd)
{
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int rc = -errno;

		close(pair[0]);
		close(pair[1]);
		return rc;
	}
	if (!pid)
		become_helper(library, pair[1]);
	close(pair[1]);
	*ret_pid = pid;
	*ret_fd = pair[0];
	return 0;
}

/* Ends the child and takes its remains, unless it is stuck in the kernel. */
static void stop(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = PIT_MS};

	kill(pid, SIGKILL);
	for (int i = 0; i < 50; i++) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		nanosleep(&pause, NULL);
	}
}

static size_t count_lines(const struct pit_buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

/* Waits until `until` for some bytes: 1 got some, 0 end, -errno. */
static int take_some(int fd, int64_t until, struct pit_buf *text)
{
	for (;;) {
		int64_t left = until - pit_now();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;
		int rc;

		if (left <= 0)
			return -ETIMEDOUT;
		rc = poll(&p, 1, (int)(left / PIT_MS) + 1);
		if (rc < 0 && errno != EINTR)
			return -errno;
		if (rc <= 0)
			continue;
		if (text->len > ANSWER_MAX)
			return -EFBIG;
		if (pit_buf_reserve(text, 65536))
			return -ENOMEM;
		n = read(fd, text->data + text->len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		text->len += (size_t)n;
		text->data[text->len] = '\0';
		return 1;
	}
}

/* All lines that come in time; 0 when the child ended by itself. */
static int receive(const struct pit_nvml_ask *ask, int fd, struct pit_buf *text)
{
	int64_t now = pit_now(), end = now + ask->total_ms * PIT_MS, until = now + ask->start_ms * PIT_MS;
	size_t lines = 0;
	int rc;

	while ((rc = take_some(fd, until < end ? until : end, text)) > 0) {
		size_t have = count_lines(text);

		if (have > lines)
			until = pit_now() + ask->gpu_ms * PIT_MS;
		lines = have;
	}
	return rc;
}

/* The lines as one object: the GPUs go into the first. */
static json_t *join(const struct pit_buf *text)
{
	json_t *all = NULL, *gpus = NULL;
	const char *at = text->data, *end;

	for (; (end = strchr(at, '\n')); at = end + 1) {
		json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);

		if (!line)
			break;
		if (all) {
			json_array_append_new(gpus, line);
			continue;
		}
		all = line;
		gpus = json_array();
		if (!json_object_get(all, "error"))
			json_object_set_new(all, "gpus", gpus);
		else
			json_decref(gpus), gpus = NULL;
	}
	return all;
}

static void note_incomplete(const struct pit_nvml_ask *ask, json_t *all, int rc)
{
	size_t have = json_array_size(json_object_get(all, "gpus"));
	json_int_t count = json_integer_value(json_object_get(all, "count"));

	if ((json_int_t)have >= count)
		return;
	if (rc == -ETIMEDOUT)
		json_object_set_new(all, "incomplete",
				    json_sprintf("GPU %zu did not answer within %d ms", have, ask->gpu_ms));
	else
		json_object_set_new(all, "incomplete", json_sprintf("the library ended at GPU %zu", have));
}

int pit_nvml_ask(const struct pit_nvml_ask *ask, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	pit_auto_free char *dump = NULL;
	pit_auto_close int fd = -1;
	json_t *all;
	pid_t pid = 0;
	int rc = start(ask->library, &pid, &fd);

	if (rc)
		return pit_fail(err, -rc, "cannot start a helper process");
	rc = receive(ask, fd, &text);
	stop(pid);
	all = join(&text);
	if (!all && rc == -ETIMEDOUT)
		return pit_fail(err, ETIMEDOUT, "NVML did not answer within %d ms", ask->start_ms);
	if (!all)
		return pit_fail(err, rc ? -rc : EIO, "the NVML library crashed");
	note_incomplete(ask, all, rc);
	dump = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (!dump)
		return pit_fail(err, ENOMEM, "out of memory");
	pit_buf_printf(out, "%s\n", dump);
	return 0;
}
