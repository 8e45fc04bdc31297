/* SPDX-License-Identifier: MIT
 *
 * The probes of the rows of security.
 */
#ifndef PIT_CHECK_SECURITY_H
#define PIT_CHECK_SECURITY_H

#include "check/facts.h"

/* security_access.c */
pit_probe pit_probe_path_access, pit_probe_device_nodes;
/* security_shared.c */
pit_probe pit_probe_sgid, pit_probe_sticky, pit_probe_suid;
/* security_home.c */
pit_probe pit_probe_secrets, pit_probe_ssh_home, pit_probe_umask, pit_probe_tmp_noexec;
/* security_kernel.c */
pit_probe pit_probe_io_uring_sysctl, pit_probe_mempolicy, pit_probe_user_namespaces, pit_probe_hidepid,
	pit_probe_denials;

#endif
