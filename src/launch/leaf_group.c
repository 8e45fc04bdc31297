/* SPDX-License-Identifier: MIT */
#include "launch/leaf_group.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/words.h"

#define CHUNK 65536
#define DEPTH 32     /* groups in groups that are followed */
#define SLOW_MS 5000 /* for killing one by one */
#define FREEZE_MS 100

int pit_group_open(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

int pit_group_write(int dir, const char *file, const char *text)
{
	pit_auto_close int fd = openat(dir, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int pit_group_read(int dir, const char *file, struct pit_buf *out)
{
	pit_auto_close int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (n && out->len < PIT_GROUP_FILE_MAX) {
		if (pit_buf_reserve(out, CHUNK))
			return -ENOMEM;
		n = read(fd, out->data + out->len, CHUNK);
		if (n < 0 && errno != EINTR)
			return -errno;
		out->len += n > 0 ? (size_t)n : 0;
		out->data[out->len] = '\0';
	}
	return n ? -EFBIG : 0;
}

int pit_group_u64(int dir, const char *file, uint64_t *ret)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc = pit_group_read(dir, file, &text);

	if (rc)
		return rc;
	if (!strcmp(text.data, "max\n") || !strcmp(text.data, "max")) {
		*ret = UINT64_MAX;
		return 0;
	}
	return pit_parse_u64(text.data, ret) ? -EBADMSG : 0;
}

uint64_t pit_group_key(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		char number[32];
		uint64_t value;

		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || line[len] != ' ')
			continue;
		pit_first_line(line + len, number, sizeof(number));
		return pit_parse_u64(number, &value) ? UINT64_MAX : value;
	}
	return UINT64_MAX;
}

bool pit_group_lists(int dir, const char *file, const char *word)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	return !pit_group_read(dir, file, &text) && pit_words_have(text.data, " \n", word);
}

int pit_group_each_own(int dir, pit_group_fn fn, void *arg)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc = pit_group_read(dir, "cgroup.procs", &text);
	char *rest = text.data;

	if (rc == -EOPNOTSUPP) /* threads only: the group above lists their processes */
		return 0;
	while (!rc && *rest) {
		char *end;
		long pid = strtol(rest, &end, 10);

		if (end == rest || pid < 0 || pid > INT32_MAX)
			return -EBADMSG;
		rest = end + strspn(end, "\n");
		rc = fn(arg, (pid_t)pid);
	}
	return rc;
}

/* Calls `fn` with the open directory of each group right below, and with the one above. */
typedef int (*below_fn)(void *arg, int above, int dir, const char *name);
static int each_below(int dir, below_fn fn, void *arg)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	pit_auto_closedir DIR *list = again >= 0 ? fdopendir(again) : NULL;

	if (!list) {
		rc = -errno;
		pit_cleanup_close(&again);
		return rc;
	}
	for (struct dirent *e = readdir(list); e && !rc; e = readdir(list)) {
		pit_auto_close int below = -1;

		if (e->d_type != DT_DIR || *e->d_name == '.')
			continue;
		below = pit_group_open(dir, e->d_name);
		if (below >= 0) /* else it vanished meanwhile */
			rc = fn(arg, dir, below, e->d_name);
	}
	return rc;
}

struct walk {
	pit_group_fn fn;
	void *arg;
	int depth;
};

static int walk(void *arg, int above, int dir, const char *name)
{
	struct walk *w = arg, deeper = {.fn = w->fn, .arg = w->arg, .depth = w->depth + 1};
	int rc = w->depth < DEPTH ? pit_group_each_own(dir, w->fn, w->arg) : -ELOOP;

	if (rc == -ENODEV || rc == -ENOENT) /* it was removed meanwhile */
		return 0;
	return rc ? rc : each_below(dir, walk, &deeper);
}

int pit_group_each(int dir, pit_group_fn fn, void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};
	int rc = pit_group_each_own(dir, fn, arg);

	return rc ? rc : each_below(dir, walk, &w);
}

static int count_one(void *arg, pid_t pid)
{
	++*(int *)arg;
	return 0;
}

int pit_group_count(int dir)
{
	int count = 0, rc = pit_group_each(dir, count_one, &count);

	return rc < 0 ? rc : count;
}

static int kill_one(void *arg, pid_t pid)
{
	++*(int *)arg;
	if (pid > 0)
		kill(pid, SIGKILL);
	return 0;
}

/* Until the file says "KEY 1" or `until`. */
static int wait_for(int dir, const char *key, uint64_t value, int64_t until)
{
	pit_auto_close int fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLPRI};
		int64_t left = until - pit_now();
		char text[256];
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

		if (n < 0)
			return -errno;
		text[n] = '\0';
		if (pit_group_key(text, key) == value)
			return 0;
		if (left <= 0)
			return -EBUSY;
		(void)poll(&p, 1, (int)(left / PIT_MS) + 1);
	}
}

int pit_group_kill_slowly(int dir, int ms)
{
	const struct timespec pause = {.tv_nsec = PIT_MS};
	int64_t until = pit_now() + ms * PIT_MS;

	for (;;) {
		int alive = 0, rc = pit_group_write(dir, "cgroup.freeze", "1"); /* so that nobody forks */

		if (!rc)
			(void)wait_for(dir, "frozen", 1, pit_now() + FREEZE_MS * PIT_MS);
		rc = pit_group_each(dir, kill_one, &alive);
		(void)pit_group_write(dir, "cgroup.freeze", "0");
		if (rc || !alive)
			return rc;
		if (pit_now() > until)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
}

int pit_group_kill(int dir)
{
	int rc = pit_group_write(dir, "cgroup.kill", "1");

	return rc == -ENOENT ? pit_group_kill_slowly(dir, SLOW_MS) : rc;
}

int pit_group_wait_empty(int dir, int ms)
{
	int rc = wait_for(dir, "populated", 0, pit_now() + ms * PIT_MS);

	return rc == -ENODEV || rc == -ENOENT ? 0 : rc;
}

static int remove_below(void *arg, int above, int dir, const char *name)
{
	int deeper = *(int *)arg + 1;
	int rc = deeper > DEPTH ? -ELOOP : each_below(dir, remove_below, &deeper);

	if (!rc && unlinkat(above, name, AT_REMOVEDIR) && errno != ENOENT)
		rc = -errno;
	return rc;
}

int pit_group_remove(int dir, const char *name)
{
	pit_auto_close int group = pit_group_open(dir, name);
	int depth = 0;

	if (group < 0)
		return group == -ENOENT ? 0 : group;
	return remove_below(&depth, dir, group, name);
}
