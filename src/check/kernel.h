/* SPDX-License-Identifier: MIT
 *
 * Probes of the kernel rows. Private to check/kernel*.c.
 */
#ifndef PIT_CHECK_KERNEL_H
#define PIT_CHECK_KERNEL_H

#include "check/facts.h"

/* kernel_boot.c: what was asked for at boot, and what came of it */
pit_probe pit_kernel_duplicates, pit_kernel_pending, pit_kernel_reboot, pit_kernel_version;

/* kernel_modules.c */
pit_probe pit_kernel_modules_gone, pit_kernel_modules_listed;

/* kernel_state.c: what state it is in */
pit_probe pit_kernel_taint, pit_kernel_pstore, pit_kernel_psi;
pit_probe pit_kernel_feature; /* arg: struct pit_kernel_feature */
pit_probe pit_kernel_lockdown, pit_kernel_debug, pit_kernel_drift, pit_kernel_flood;

/* kernel_services.c: services that change the host behind the job's back */
pit_probe pit_kernel_upgrades, pit_kernel_timers, pit_kernel_tuned, pit_kernel_tuners, pit_kernel_journal;

/* A feature whose file is missing where the kernel does not have it. A recording may lack any file; `beside` is one
 * that every kernel has, and that a recording of this part of the tree has too. */
struct pit_kernel_feature {
	const char *path, *beside;
};

/* Adds what the assignments to GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT in one file make of the arguments in
 * `args`. A value that begins with the variable itself adds to it; any other replaces it. Words with "$" are left out.
 */
struct pit_grub_args {
	struct pit_strv all, normal; /* GRUB_CMDLINE_LINUX, GRUB_CMDLINE_LINUX_DEFAULT */
};
int pit_grub_parse(const char *text, struct pit_grub_args *args);
void pit_grub_args_free(struct pit_grub_args *args);

/* The value of `key` in apt's configuration, as in: APT::Periodic::Unattended-Upgrade "1"; The last one wins. -ENOENT.
 */
int pit_apt_get(const char *text, const char *key, char *ret, size_t size);

/* Letters and meanings of a taint mask in `ret`, worst first: "D (died), W (warned)". */
char *pit_taint_format(uint64_t mask, char *ret, size_t size);

#endif
