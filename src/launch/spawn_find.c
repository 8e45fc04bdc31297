/* SPDX-License-Identifier: MIT
 *
 * Where a command lies, and what to say when it cannot be run.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "launch/program.h"
#include "launch/spawn_inside.h"

#define USUAL_PATH "/bin:/usr/bin" /* where execvp() looks without PATH */

static const char *path_of(char *const *env)
{
	for (size_t i = 0; env && env[i]; i++)
		if (!strncmp(env[i], "PATH=", 5))
			return env[i] + 5;
	return USUAL_PATH;
}

/* 0 when execve() may run it; else -errno. */
static int runnable(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return faccessat(dir, path, X_OK, AT_EACCESS) ? -errno : 0;
}

/* The first of the directories of `list` with the command, as execvp() looks: what is there but may not be run is
 * passed over, and remembered in *ret_denied. NULL none. */
static char *search(int dir, const char *list, const char *command, char **ret_denied)
{
	for (const char *part = list;; part++) {
		size_t len = strcspn(part, ":");
		pit_auto_free char *path = NULL;
		int rc;

		if (asprintf(&path, "%.*s%s%s", (int)len, part, len ? "/" : "", command) < 0)
			path = NULL;
		rc = path ? runnable(dir, path) : -ENOMEM;
		if (!rc)
			return pit_take(path);
		if (rc == -EACCES && !*ret_denied)
			*ret_denied = pit_take(path);
		part += len;
		if (!*part)
			return NULL;
	}
}

static int fail_denied(int dir, const char *command, const char *path, struct pit_error *err)
{
	char why[256];

	pit_program_why(dir, path, EACCES, why, sizeof(why));
	return pit_fail(err, EACCES, "%s cannot be run%s%s: %s", command, strcmp(path, command) != 0 ? ": " : "",
			strcmp(path, command) != 0 ? path : "", why);
}

static int take_as_it_is(int dir, const char *command, char **ret, struct pit_error *err)
{
	int rc = runnable(dir, command);

	if (rc == -EACCES)
		return fail_denied(dir, command, command, err);
	if (rc)
		return pit_fail(err, -rc, "%s: %s", command, strerror(-rc));
	*ret = strdup(command);
	return *ret ? 0 : pit_fail(err, ENOMEM, "%s: no memory", command);
}

/* What is missing must not drown in where it was looked for. */
static int fail_absent(const char *command, const char *path, struct pit_error *err)
{
	enum { SHOWN = 80 };

	return pit_fail(err, ENOENT, "%s: command not found in PATH (%.*s%s)", command, SHOWN, path,
			strlen(path) > SHOWN ? "..." : "");
}

int pit_spawn_look_up(const char *dir, const char *command, char *const *env, char **ret, struct pit_error *err)
{
	pit_auto_close int here = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	pit_auto_free char *denied = NULL;
	char *found;
	int at = dir ? here : AT_FDCWD;

	if (dir && here < 0)
		return pit_fail(err, errno, "directory %s: %s", dir, strerror(errno));
	if (!command || !*command)
		return pit_fail(err, ENOENT, "there is no command to run");
	if (strchr(command, '/'))
		return take_as_it_is(at, command, ret, err);
	found = search(at, path_of(env), command, &denied);
	if (!found && denied)
		return fail_denied(at, command, denied, err);
	if (!found)
		return fail_absent(command, path_of(env), err);
	*ret = found;
	return 0;
}

int pit_spawn_find(const char *command, char *const *env, char **ret, struct pit_error *err)
{
	return pit_spawn_look_up(NULL, command, env, ret, err);
}

static int fail_exec(const struct pit_spawn *what, int error, struct pit_error *err)
{
	pit_auto_close int here = what->dir ? open(what->dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	pit_auto_free char *path = NULL;
	int rc = pit_spawn_look_up(what->dir, what->argv[0], what->environ, &path, err);
	char why[512];

	if (rc == -error) /* it vanished since; `err` says so */
		return rc;
	pit_program_why(what->dir ? here : AT_FDCWD, path ? path : what->argv[0], error, why, sizeof(why));
	return pit_fail(err, error, "%s cannot be run: %s", what->argv[0], why);
}

int pit_spawn_fail(const struct pit_spawn *what, const struct pit_spawn_record *r, struct pit_error *err)
{
	int error = r->error ? r->error : EINVAL;
	pit_auto_buf struct pit_buf detail = PIT_BUF_INIT;

	if (r->step == PIT_STEP_EXEC)
		return fail_exec(what, error, err);
	if (r->step == PIT_STEP_DIR)
		return pit_fail(err, error, "directory %s: %s", what->dir, strerror(error));
	if (r->step == PIT_STEP_CPUS || r->step == PIT_STEP_MEM) {
		pit_buf_puts(&detail, r->step == PIT_STEP_CPUS ? " to " : " to nodes ");
		pit_idset_print(r->step == PIT_STEP_CPUS ? what->cpus : what->mems, &detail);
	}
	return pit_fail(err, error, "%s%s: %s", pit_spawn_step_name((enum pit_spawn_step)r->step), detail.data,
			r->error ? strerror(error) : "the kernel allows only a part of them");
}
