/* SPDX-License-Identifier: MIT */
#include "tune/scene.h"

int pit_scene_new(struct pit_root *root, struct pit_scene **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_scene_free(struct pit_scene *s)
{
}

struct pit_root *pit_scene_root(struct pit_scene *s)
{
	return NULL;
}

const struct pit_platform *pit_scene_platform(struct pit_scene *s)
{
	return NULL;
}

int pit_scene_topo(struct pit_scene *s, const struct pit_topo **ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_scene_mounts(struct pit_scene *s, const struct pit_mounts **ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_scene_nvml(struct pit_scene *s, const json_t **ret, struct pit_error *err)
{
	return -ENOSYS;
}

uint64_t pit_scene_memory(struct pit_scene *s)
{
	return 0;
}

uint64_t pit_scene_available(struct pit_scene *s)
{
	return 0;
}

bool pit_scene_has_systemd(struct pit_scene *s)
{
	return false;
}

bool pit_scene_in_container(struct pit_scene *s)
{
	return false;
}
