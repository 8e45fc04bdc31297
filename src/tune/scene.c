/* SPDX-License-Identifier: MIT */
#include "tune/scene.h"

#include <string.h>

#include "host/nvml.h"
#include "host/procfs.h"

#define FIRST_IPC "ipc:[4026531839]" /* PROC_IPC_INIT_INO of linux/proc_ns.h */

/* Something that is loaded at most once, and why it could not be. */
struct once {
	bool tried;
	int rc;
	struct pit_error err;
};

struct pit_scene {
	struct pit_root *root;
	struct pit_platform platform;
	struct once topo_once, mounts_once, nvml_once;
	struct pit_topo *topo;
	struct pit_mounts mounts;
	json_t *nvml;
};

int pit_scene_new(struct pit_root *root, struct pit_scene **ret, struct pit_error *err)
{
	struct pit_scene *s = calloc(1, sizeof(*s));

	if (!s || pit_platform_load(root, &s->platform)) {
		free(s);
		return pit_fail(err, ENOMEM, "out of memory");
	}
	s->root = root;
	*ret = s;
	return 0;
}

void pit_scene_free(struct pit_scene *s)
{
	int saved = errno;

	if (!s)
		return;
	pit_topo_free(s->topo);
	pit_mounts_free(&s->mounts);
	json_decref(s->nvml);
	free(s);
	errno = saved;
}

struct pit_root *pit_scene_root(struct pit_scene *s)
{
	return s->root;
}

const struct pit_platform *pit_scene_platform(struct pit_scene *s)
{
	return &s->platform;
}

/* The kept outcome of a load. */
static int outcome(const struct once *o, struct pit_error *err)
{
	return o->rc ? pit_fail(err, -o->rc, "%s", o->err.text) : 0;
}

int pit_scene_topo(struct pit_scene *s, const struct pit_topo **ret, struct pit_error *err)
{
	struct once *o = &s->topo_once;

	if (!o->tried)
		o->rc = pit_topo_load(s->root, &s->topo, &o->err);
	o->tried = true;
	if (!o->rc)
		*ret = s->topo;
	return outcome(o, err);
}

int pit_scene_mounts(struct pit_scene *s, const struct pit_mounts **ret, struct pit_error *err)
{
	struct once *o = &s->mounts_once;

	if (!o->tried)
		o->rc = pit_mounts_load(s->root, &s->mounts, &o->err);
	o->tried = true;
	if (!o->rc)
		*ret = &s->mounts;
	return outcome(o, err);
}

int pit_scene_nvml(struct pit_scene *s, const json_t **ret, struct pit_error *err)
{
	struct once *o = &s->nvml_once;

	if (!o->tried)
		o->rc = pit_nvml_load(s->root, &s->nvml, &o->err);
	o->tried = true;
	if (!o->rc)
		*ret = s->nvml;
	return outcome(o, err);
}

/* A line of /proc/meminfo in bytes; 0 unknown. */
static uint64_t meminfo(struct pit_scene *s, const char *key)
{
	struct pit_text text;
	uint64_t kb, bytes;

	if (pit_root_read(s->root, &text, "/proc/meminfo") || pit_kv_u64(text.data, key, &kb) ||
	    __builtin_mul_overflow(kb, (uint64_t)1024, &bytes))
		return 0;
	return bytes;
}

uint64_t pit_scene_memory(struct pit_scene *s)
{
	return meminfo(s, "MemTotal");
}

uint64_t pit_scene_available(struct pit_scene *s)
{
	return meminfo(s, "MemAvailable");
}

bool pit_scene_has_systemd(struct pit_scene *s)
{
	return !pit_root_exists(s->root, "/run/systemd/system");
}

bool pit_scene_in_container(struct pit_scene *s)
{
	return s->platform.container[0];
}

bool pit_scene_owns_network(struct pit_scene *s)
{
	struct pit_text text;

	if (!pit_scene_in_container(s))
		return true;
	return !pit_root_read(s->root, &text, "/proc/sys/net/core/somaxconn") &&
	       pit_root_read(s->root, &text, "/proc/sys/net/core/netdev_max_backlog") == -ENOENT;
}

bool pit_scene_owns_shm(struct pit_scene *s)
{
	const struct pit_mounts *all;
	const struct pit_mount *m;
	const char *ipc;

	if (!pit_scene_in_container(s))
		return true;
	if (pit_root_link(s->root, &ipc, "/proc/self/ns/ipc") || !strcmp(ipc, FIRST_IPC) ||
	    pit_scene_mounts(s, &all, NULL))
		return false;
	m = pit_mounts_find(all, "/dev/shm");
	return m && !strcmp(m->target, "/dev/shm") && !strcmp(m->type, "tmpfs") && !strcmp(m->source, "shm") &&
	       !strcmp(m->root, "/");
}
