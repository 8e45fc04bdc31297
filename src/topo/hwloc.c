/* SPDX-License-Identifier: MIT
 *
 * hwloc reads /sys by itself, so it runs in a helper process with a clean environment: a hostile tree cannot hang or
 * crash us, variables such as HWLOC_XMLFILE cannot lie, and its warnings do not reach our output. For a recording the
 * helper makes the tree its root directory first, so that no link leads out of it.
 */
#include <fcntl.h>
#include <hwloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "topo/parts.h"

#define DEADLINE_MS 4000
#define ANSWER_MAX (32u << 20)

static void topology_free(hwloc_topology_t *t)
{
	if (*t)
		hwloc_topology_destroy(*t);
}

/* `xml` NULL: the machine, or the tree that HWLOC_FSROOT names. */
static int load(const char *xml, size_t len, hwloc_topology_t *ret)
{
	PIT_CLEANUP(topology_free) hwloc_topology_t t = NULL;

	if (hwloc_topology_init(&t))
		return -ENOMEM;
	if (xml && hwloc_topology_set_xmlbuffer(t, xml, (int)len + 1))
		return -EBADMSG;
	/* x86 asks every CPU in turn, which costs seconds on big hosts and says what Linux says. */
	hwloc_topology_set_components(t, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
	hwloc_topology_set_flags(t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
	if (hwloc_topology_load(t))
		return -EIO;
	*ret = pit_take(t);
	return 0;
}

static void print_set(hwloc_const_bitmap_t set, struct pit_buf *out)
{
	char *text = NULL;

	if (set && hwloc_bitmap_weight(set) >= 0 && hwloc_bitmap_list_asprintf(&text, set) >= 0)
		pit_buf_puts(out, text);
	pit_buf_putc(out, '\n');
	free(text);
}

static void print_caches(hwloc_topology_t t, struct pit_buf *out)
{
	static const hwloc_obj_type_t types[] = {HWLOC_OBJ_L5CACHE, HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE,
						 HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L1CACHE};

	for (size_t i = 0; i < PIT_COUNT(types); i++) {
		hwloc_obj_t o = NULL;

		while ((o = hwloc_get_next_obj_by_type(t, types[i], o))) {
			pit_buf_printf(out, "cache %u %llu ", o->attr->cache.depth,
				       (unsigned long long)o->attr->cache.size / 1024);
			print_set(o->cpuset, out);
		}
	}
}

static void print_shape(hwloc_topology_t t, struct pit_buf *out)
{
	hwloc_obj_t o = NULL;

	pit_buf_printf(out, "cores %d\n", hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_CORE));
	while ((o = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_PACKAGE, o))) {
		pit_buf_puts(out, "package ");
		print_set(o->cpuset, out);
	}
	while ((o = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_NUMANODE, o)))
		if (o->subtype)
			pit_buf_printf(out, "memory %u %s\n", o->os_index, o->subtype);
	print_caches(t, out);
}

int pit_hwloc_shape_of_xml(const char *xml, size_t len, struct pit_buf *out)
{
	PIT_CLEANUP(topology_free) hwloc_topology_t t = NULL;
	int rc = load(xml, len, &t);

	if (!rc)
		print_shape(t, out);
	return rc;
}

/* What the helper does. */
struct job {
	int (*run)(const struct job *job, struct pit_buf *out);
	const char *text; /* XML, or a directory */
	size_t len;
};

static int run_live(const struct job *job, struct pit_buf *out)
{
	PIT_CLEANUP(topology_free) hwloc_topology_t t = NULL;
	char *xml = NULL;
	int len = 0;
	int rc = load(NULL, 0, &t);

	if (rc)
		return rc;
	if (hwloc_topology_export_xmlbuffer(t, &xml, &len, 0))
		return -EIO;
	pit_buf_add(out, xml, len > 0 ? (size_t)len - 1 : 0);
	hwloc_free_xmlbuffer(t, xml);
	return 0;
}

static int run_xml(const struct job *job, struct pit_buf *out)
{
	return pit_hwloc_shape_of_xml(job->text, job->len, out);
}

static int enter(const char *dir)
{
	pit_auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (geteuid() != 0 && unshare(CLONE_NEWUSER))
		return -errno;
	if (fchdir(fd) || chroot(".") || chdir("/"))
		return -errno;
	return 0;
}

static int run_dir(const struct job *job, struct pit_buf *out)
{
	PIT_CLEANUP(topology_free) hwloc_topology_t t = NULL;
	int rc = enter(job->text);

	if (rc)
		return rc;
	setenv("HWLOC_FSROOT", "/.", 1); /* any name but "/": that would be this machine */
	rc = load(NULL, 0, &t);
	if (!rc)
		print_shape(t, out);
	return rc;
}

static void limit_self(void)
{
#ifndef __SANITIZE_ADDRESS__
	const struct rlimit memory = {.rlim_cur = 1ull << 30, .rlim_max = 1ull << 30};

	setrlimit(RLIMIT_AS, &memory);
#endif
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	alarm(DEADLINE_MS / 1000 + 1); /* should our parent be killed */
}

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n <= 0)
			_exit(1);
		bytes += n;
		len -= (size_t)n;
	}
}

static void become_helper(const struct job *job, int fd)
{
	struct pit_buf out = PIT_BUF_INIT;
	int null = open("/dev/null", O_RDWR);
	int rc;

	fd = fcntl(fd, F_DUPFD, 4); /* it may be one of the first, when these were closed */
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	fd = dup2(fd, 3);
	close_range(4, ~0u, 0);
	clearenv();
	setenv("HWLOC_HIDE_ERRORS", "2", 1);
	limit_self();
	rc = job->run(job, &out);
	write_all(fd, (const char *)&rc, sizeof(rc));
	if (!rc)
		write_all(fd, out.data, out.len);
	_exit(out.failed);
}

/* Everything up to the end of the helper's output. */
static int gather(int fd, struct pit_buf *out)
{
	int64_t until = pit_now() + DEADLINE_MS * PIT_MS;

	for (;;) {
		int64_t left = until - pit_now();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left / PIT_MS) + 1) <= 0)
			continue;
		if (pit_buf_reserve(out, 65536))
			return -ENOMEM;
		n = read(fd, out->data + out->len, 65536);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		out->len += n > 0 ? (size_t)n : 0;
		out->data[out->len] = '\0';
		if (out->len > ANSWER_MAX)
			return -EFBIG;
	}
}

static int reap(pid_t pid, int rc, const struct pit_buf *answer)
{
	int status = 0;
	int code;

	if (rc)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc)
		return rc;
	if (!WIFEXITED(status) || WEXITSTATUS(status) || answer->len < sizeof(code))
		return -EIO;
	memcpy(&code, answer->data, sizeof(code));
	return code > 0 ? -EIO : code;
}

static int in_helper(const struct job *job, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf answer = PIT_BUF_INIT;
	pit_auto_close int reader = -1;
	int fds[2], rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	reader = fds[0];
	pid = fork();
	if (!pid)
		become_helper(job, fds[1]);
	rc = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (rc)
		return rc;
	rc = reap(pid, gather(reader, &answer), &answer);
	if (!rc)
		pit_buf_add(out, answer.data + sizeof(int), answer.len - sizeof(int));
	return rc;
}

int pit_hwloc_live_xml(struct pit_buf *out)
{
	return in_helper(&(struct job){.run = run_live}, out);
}

int pit_hwloc_shape_of_foreign_xml(const char *xml, size_t len, struct pit_buf *out)
{
	return in_helper(&(struct job){.run = run_xml, .text = xml, .len = len}, out);
}

int pit_hwloc_shape_of_dir(const char *dir, struct pit_buf *out)
{
	return in_helper(&(struct job){.run = run_dir, .text = dir}, out);
}
