/* SPDX-License-Identifier: MIT
 *
 * Probes of the kernel rows. Private to check/kernel*.c.
 */
#ifndef PIT_CHECK_KERNEL_H
#define PIT_CHECK_KERNEL_H

#include "check/facts.h"

#define PIT_KERNEL_PROBE(name)                                                                                         \
	int name(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)

/* kernel_boot.c: what was asked for at boot, and what came of it */
PIT_KERNEL_PROBE(pit_kernel_duplicates);
PIT_KERNEL_PROBE(pit_kernel_pending);
PIT_KERNEL_PROBE(pit_kernel_reboot);
PIT_KERNEL_PROBE(pit_kernel_version);

/* kernel_modules.c */
PIT_KERNEL_PROBE(pit_kernel_modules_gone);
PIT_KERNEL_PROBE(pit_kernel_modules_listed);

/* kernel_state.c: what state it is in */
PIT_KERNEL_PROBE(pit_kernel_taint);
PIT_KERNEL_PROBE(pit_kernel_pstore);
PIT_KERNEL_PROBE(pit_kernel_psi);
PIT_KERNEL_PROBE(pit_kernel_feature); /* arg: struct pit_kernel_feature */
PIT_KERNEL_PROBE(pit_kernel_lockdown);
PIT_KERNEL_PROBE(pit_kernel_debug);
PIT_KERNEL_PROBE(pit_kernel_drift);
PIT_KERNEL_PROBE(pit_kernel_flood);

/* kernel_services.c: services that change the host behind the job's back */
PIT_KERNEL_PROBE(pit_kernel_upgrades);
PIT_KERNEL_PROBE(pit_kernel_timers);
PIT_KERNEL_PROBE(pit_kernel_tuned);
PIT_KERNEL_PROBE(pit_kernel_tuners);
PIT_KERNEL_PROBE(pit_kernel_journal);

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
