/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "base/inside.h"
#include "tune/place_inside.h"

static int open_place(const char *dir, struct pit_place **ret, struct pit_error *err)
{
	pit_auto_place struct pit_place *p = calloc(1, sizeof(*p));
	const char *name = dir ? dir : "/";
	int rc;

	if (!p)
		return pit_fail(err, ENOMEM, "out of memory");
	p->live = !dir;
	p->fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0)
		return pit_fail(err, errno, "%s: %s", name, strerror(errno));
	rc = pit_root_open(dir, &p->root, err);
	if (rc)
		return rc;
	*ret = pit_take(p);
	return 0;
}

int pit_place_open(struct pit_place **ret, struct pit_error *err)
{
	if (geteuid())
		return pit_fail(err, EPERM, "only root can change this machine; run it with sudo");
	return open_place(NULL, ret, err);
}

int pit_place_rehearse(const char *dir, struct pit_place **ret, struct pit_error *err)
{
	return open_place(dir, ret, err);
}

void pit_place_close(struct pit_place *p)
{
	int saved = errno;

	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd);
	pit_root_close(p->root);
	free(p);
	errno = saved;
}

bool pit_place_is_live(const struct pit_place *p)
{
	return p->live;
}

struct pit_root *pit_place_root(struct pit_place *p)
{
	return p->root;
}

struct pit_root *pit_place_now(struct pit_place *p)
{
	pit_root_forget(p->root);
	return p->root;
}

static bool is_of_kernel(const char *path)
{
	static const char *const under[] = {"/proc/sys/", "/proc/irq/", "/sys/"};

	for (const char *up = path; (up = strstr(up, "/..")); up++)
		if (!up[3] || up[3] == '/')
			return false;
	for (size_t i = 0; i < PIT_COUNT(under); i++)
		if (!strncmp(path, under[i], strlen(under[i])))
			return true;
	return false;
}

int pit_place_poke(struct pit_place *p, const char *path, const char *text, struct pit_error *err)
{
	pit_auto_close int fd = -1;
	size_t len = strlen(text);
	ssize_t n;

	if (!is_of_kernel(path))
		return pit_fail(err, EINVAL, "%s is no file of the kernel", path);
	fd = pit_open_inside(p->fd, path, O_WRONLY | O_NOCTTY);
	if (fd < 0)
		return pit_fail(err, -fd, "cannot open %s: %s", path, strerror(-fd));
	n = write(fd, text, len);
	if (n < 0 || (size_t)n != len) {
		int code = n < 0 ? errno : EIO;

		return pit_fail(err, code, "cannot write '%.*s' to %s: %s", (int)strcspn(text, "\n"), text, path,
				n < 0 ? strerror(code) : "the kernel took only a part of it");
	}
	/* A file of the kernel holds what was written last; a plain file needs help with that. */
	if (!p->live && ftruncate(fd, (off_t)len))
		return pit_fail(err, errno, "%s: %s", path, strerror(errno));
	return 0;
}
