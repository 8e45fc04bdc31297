/* SPDX-License-Identifier: MIT
 *
 * Programs of the machine that set what no file can: started with nothing of ours, waited for, never for long.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/path.h"
#include "host/child.h"
#include "tune/place_inside.h"

#define OUTPUT_MAX 65536
#define PROGRAMS "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin"

/* What a program printed: its beginning for the caller, its end for the error. */
struct output {
	struct pit_buf *begin; /* NULL nobody wants it */
	size_t room;
	char end[512];
	size_t len;
};

static void keep(void *arg, const char *bytes, size_t n)
{
	struct output *o = arg;
	size_t first = n < o->room ? n : o->room, half = sizeof(o->end) / 2;

	if (o->begin)
		pit_buf_add(o->begin, bytes, first);
	o->room -= first;
	for (size_t i = 0; i < n; i++) {
		if (o->len == sizeof(o->end)) {
			memmove(o->end, o->end + half, half);
			o->len = half;
		}
		o->end[o->len++] = bytes[i];
	}
}

/* The last line that holds something. */
static const char *last_line(struct output *o)
{
	char *line;

	while (o->len && strchr("\n\r\t ", o->end[o->len - 1]))
		o->len--;
	o->end[o->len < sizeof(o->end) ? o->len : sizeof(o->end) - 1] = '\0';
	line = strrchr(o->end, '\n');
	return line ? line + 1 : o->end;
}

struct program {
	char path[512];
	const char *const *argv;
	char lang[128]; /* ours: update-grub writes it into the menu */
};

/* Runs in the child: only calls that are safe after fork(). */
static void become(int fd, const void *arg)
{
	const struct program *p = arg;
	const char *const environment[] = {
		"PATH=" PROGRAMS,   "HOME=/root",     "LC_MESSAGES=C",           "TERM=dumb",
		"SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", *p->lang ? p->lang : NULL, NULL,
	};
	const char *why;

	setsid();
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	execve(p->path, (char *const *)p->argv, (char *const *)environment);
	why = strerrordesc_np(errno);
	(void)!write(2, why, strlen(why));
	_exit(127);
}

static int find_program(const char *name, char *path, size_t size)
{
	pit_auto_free char *dirs = strdup(PROGRAMS);
	char *save = NULL;

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		return access(path, X_OK) ? -errno : 0;
	}
	for (char *dir = dirs ? strtok_r(dirs, ":", &save) : NULL; dir; dir = strtok_r(NULL, ":", &save)) {
		snprintf(path, size, "%s/%s", dir, name);
		if (!access(path, X_OK))
			return 0;
	}
	return -ENOENT;
}

/* "systemctl" also of {"env", "NAME=VALUE", "systemctl", ...}. */
static const char *name_of(const char *const *argv)
{
	if (!strcmp(argv[0], "env"))
		for (argv++; argv[1] && strchr(argv[0], '='); argv++)
			;
	return pit_base_name(argv[0]);
}

static int judge(int status, const char *name, struct output *o, struct pit_error *err)
{
	const char *line = last_line(o);

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFSIGNALED(status))
		return pit_fail(err, EIO, "%s was killed by signal %d%s%s", name, WTERMSIG(status), *line ? ": " : "",
				line);
	return pit_fail(err, EIO, "%s failed with exit code %d%s%s", name, WEXITSTATUS(status), *line ? ": " : "",
			line);
}

static int run(const struct program *program, int seconds, struct output *o, struct pit_error *err)
{
	const char *name = name_of(program->argv);
	const struct pit_child_job job = {.name = "pitcrew-command", .run = become, .arg = program};
	pit_auto_child struct pit_child child = PIT_CHILD_INIT;
	int rc = pit_child_start(&job, &child);

	if (rc)
		return pit_fail(err, -rc, "cannot start %s: %s", name, strerror(-rc));
	rc = pit_child_attend(&child, pit_now() + seconds * 1000 * PIT_MS, keep, o);
	if (rc == -ETIMEDOUT) {
		kill(-child.pid, SIGKILL); /* with what it started */
		return pit_fail(err, ETIMEDOUT, "%s did not end within %d s and was killed", name, seconds);
	}
	if (rc)
		return pit_fail(err, -rc, "cannot watch %s: %s", name, strerror(-rc));
	return judge(pit_child_stop(&child), name, o, err);
}

int pit_place_command(struct pit_place *p, const char *const *argv, int seconds, struct pit_buf *out,
		      struct pit_error *err)
{
	struct output o = {.begin = out, .room = OUTPUT_MAX};
	struct program program = {.argv = argv};
	const char *lang = getenv("LANG");

	if (!p->live)
		return pit_fail(err, EOPNOTSUPP, "%s is not run in a rehearsal", argv[0]);
	if (find_program(argv[0], program.path, sizeof(program.path)))
		return pit_fail(err, ENOPKG, "this machine has no program %s", argv[0]);
	if (lang && strlen(lang) < sizeof(program.lang) - sizeof("LANG="))
		snprintf(program.lang, sizeof(program.lang), "LANG=%s", lang);
	return run(&program, seconds, &o, err);
}
