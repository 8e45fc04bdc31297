/* SPDX-License-Identifier: MIT
 *
 * How this system keeps the kernel's command line from one boot to the next. Told by what is there, not by the name of
 * the distribution.
 */
#ifndef PIT_TUNE_BOOT_LOADER_H
#define PIT_TUNE_BOOT_LOADER_H

#include "base/strv.h"
#include "host/root.h"

enum pit_boot_kind {
	PIT_BOOT_OTHER,          /* not ours to change */
	PIT_BOOT_GRUBBY,         /* grubby over Boot Loader Specification entries: Fedora, RHEL and their children */
	PIT_BOOT_GRUB_D,         /* GRUB whose grub-mkconfig reads /etc/default/grub.d: Debian, Ubuntu */
	PIT_BOOT_KERNEL_INSTALL, /* kernel-install and systemd-boot: /etc/kernel/cmdline */
};

struct pit_boot_loader {
	enum pit_boot_kind kind;
	const char *name;  /* "grubby", "ostree", "a loader that pitcrew does not know" */
	const char *where; /* OTHER: what holds the arguments, in words */
	const char *then;  /* OTHER: the command that makes a change count; NULL none */
};

/* 0, or -errno when that cannot be read (a recording without it: -ENODATA). */
int pit_boot_loader_find(struct pit_root *root, struct pit_boot_loader *ret, struct pit_error *err);

#define PIT_KERNEL_CMDLINE "/etc/kernel/cmdline"

/* What kernel-install would write into new entries: /etc/kernel/cmdline, or where there is none what this kernel was
 * started with, without what boot loaders add and without a newline. `ret_there`: the file is there. */
int pit_boot_kernel_cmdline(struct pit_root *root, struct pit_buf *ret, bool *ret_there, struct pit_error *err);

/* The words of argument `name` that the next boot gets. -ENOTUNIQ: the entries of the menu disagree about it; both are
 * named. */
int pit_boot_args_next(struct pit_root *root, const struct pit_boot_loader *loader, const char *name,
		       struct pit_strv *ret, struct pit_error *err);

/* The directory of Boot Loader Specification entries and their names; -ENOENT none. */
int pit_boot_entries(struct pit_root *root, const char **ret_dir, const struct pit_strv **ret);

#endif
