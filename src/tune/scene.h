/* SPDX-License-Identifier: MIT
 *
 * What a plan may look at: one machine, live or recorded, read once and then left alone.
 */
#ifndef PIT_TUNE_SCENE_H
#define PIT_TUNE_SCENE_H

#include <jansson.h>

#include "host/mounts.h"
#include "host/platform.h"
#include "topo/model.h"

struct pit_scene;

int pit_scene_new(struct pit_root *root, struct pit_scene **ret, struct pit_error *err); /* keeps `root`, no owner */
void pit_scene_free(struct pit_scene *s);                                                /* NULL is fine */

struct pit_root *pit_scene_root(struct pit_scene *s);
const struct pit_platform *pit_scene_platform(struct pit_scene *s);

/* Made at the first call; 0 or -errno with a reason. Owned by the scene. */
int pit_scene_topo(struct pit_scene *s, const struct pit_topo **ret, struct pit_error *err);
int pit_scene_mounts(struct pit_scene *s, const struct pit_mounts **ret, struct pit_error *err);
int pit_scene_nvml(struct pit_scene *s, const json_t **ret, struct pit_error *err);

uint64_t pit_scene_memory(struct pit_scene *s);    /* MemTotal in bytes; 0 unknown */
uint64_t pit_scene_available(struct pit_scene *s); /* MemAvailable in bytes; 0 unknown */

/* How this system is put together. */
bool pit_scene_has_systemd(struct pit_scene *s); /* it is process 1 (/run/systemd/system exists) */
bool pit_scene_in_container(struct pit_scene *s);

/* What is set here stays here: not a container, or one that does not share that with its host. False also when it
 * cannot be told. A network namespace other than the first lacks net.core.netdev_max_backlog. Container engines name
 * the tmpfs "shm" that they make for /dev/shm; distributions without systemd name the host's so, too, but there the
 * IPC namespace tells. */
bool pit_scene_owns_network(struct pit_scene *s);
bool pit_scene_owns_shm(struct pit_scene *s);

#endif
