/* SPDX-License-Identifier: MIT
 *
 * What the rows about containers share. Private to check/container*.c.
 */
#ifndef PIT_CHECK_CONTAINER_H
#define PIT_CHECK_CONTAINER_H

#include "check/conf.h"
#include "check/facts.h"

/* The version of the NVIDIA kernel module that is loaded ("550.54.15"). -ENOENT not known. */
int pit_nvidia_module(struct pit_facts *f, char *ret, size_t size);

/* The driver version in the name of a library ("/usr/lib/libcuda.so.550.54.15") into `ret`; false when it has none. */
bool pit_nvidia_library_version(const char *path, char *ret, size_t size);

/* container_engine.c */
pit_probe pit_container_cgroup_driver_probe, pit_container_containerd_probe, pit_container_docker_nvidia_probe,
	pit_container_docker_logs_probe, pit_container_docker_defaults_probe, pit_container_storage_probe;
/* container_hpc.c */
pit_probe pit_container_enroot_probe;
/* container_inside.c */
pit_probe pit_container_runtime_probe, pit_container_privileged_probe, pit_container_cgroup_version_probe,
	pit_container_pids_probe, pit_container_userns_probe, pit_container_init_probe, pit_container_sys_probe,
	pit_container_nvidia_devices_probe;
/* container_nvidia.c */
pit_probe pit_container_cdi_probe, pit_container_toolkit_probe, pit_container_toolkit_envvar_probe,
	pit_container_dev_char_probe;

#endif
