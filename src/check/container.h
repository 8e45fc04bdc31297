/* SPDX-License-Identifier: MIT
 *
 * What the rows about containers share. Private to check/container*.c.
 */
#ifndef PIT_CHECK_CONTAINER_H
#define PIT_CHECK_CONTAINER_H

#include "check/conf.h"
#include "check/facts.h"

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
