/* SPDX-License-Identifier: MIT
 *
 * What kind of place this is: bare metal, a virtual machine, a container, WSL2; and whose.
 */
#ifndef PIT_HOST_PLATFORM_H
#define PIT_HOST_PLATFORM_H

#include "host/root.h"

enum pit_virt { PIT_VIRT_UNKNOWN, PIT_VIRT_NONE, PIT_VIRT_VM, PIT_VIRT_WSL };

struct pit_platform {
	enum pit_virt virt;
	char hypervisor[32]; /* "kvm", "vmware", "" unknown */
	char container[32]; /* "docker", "podman", "kubernetes", "lxc", "apptainer", "enroot", "systemd-nspawn"; "" none
			     */
	char arch[16];      /* "x86_64", "aarch64"; "" unknown */
	char kernel[96];    /* release, e.g. 6.1.0-18-amd64; "" unknown */
	int kernel_major, kernel_minor; /* 0 unknown */
	char distro[96];                /* PRETTY_NAME of os-release; "" unknown */
	char hostname[65];
	char boot_id[37];
	int64_t page_size; /* bytes; 0 unknown */
	bool root;         /* we run as uid 0 (recorded: the recorder did) */
};
int pit_platform_load(struct pit_root *root, struct pit_platform *ret); /* 0, or -ENOMEM */

#endif
