/* SPDX-License-Identifier: MIT
 *
 * The few kinds of things that tune sets. A cell is one of them: a kind, a name within the kind, and the kind of its
 * values. Everything above (plan, journal, apply, revert, trial) handles cells alike.
 */
#ifndef PIT_TUNE_TARGET_H
#define PIT_TUNE_TARGET_H

#include "tune/place.h"
#include "tune/value.h"

enum pit_target_kind {
	PIT_TARGET_SYSCTL,  /* "vm.swappiness"; "/" and "." change places: "net.ipv4.conf.eth0/100.arp_ignore" */
	PIT_TARGET_KERNEL,  /* a file of the kernel outside of /proc/sys: "/sys/kernel/mm/transparent_hugepage/enabled"
			     */
	PIT_TARGET_DIRTY,   /* "vm.dirty", "vm.dirty_background": "20%", or bytes; the kernel has a key for each of the
			     * two,   and writing one clears the other. WORDS */
	PIT_TARGET_FILE,    /* a configuration file whole, by its path. TEXT; absent when there is none */
	PIT_TARGET_DIR,     /* a directory; "present" or absent. TEXT */
	PIT_TARGET_LINK,    /* a symbolic link: where it points. TEXT */
	PIT_TARGET_SWAP,    /* a swap device or file: "priority N", or absent when it is off. TEXT */
	PIT_TARGET_MOUNT,   /* "OPTION TARGET": "size /dev/shm" is bytes, "atime /data" is noatime, relatime ... TEXT */
	PIT_TARGET_SERVICE, /* a unit: "running" or "stopped". TEXT */
	PIT_TARGET_ENABLED, /* a unit: "enabled" or "disabled", "masked" (others, as "static", cannot be set). TEXT */
	PIT_TARGET_BOOTARG, /* an argument of the kernel's command line where grubby keeps it: "iommu": "iommu=pt" or
			     * absent. Several of one name stand in their order, blank-separated. TEXT */
	PIT_TARGET_GPU,     /* "ITEM UUID", items of host/nvml_set.h: "persistence GPU-8a56...". TEXT */
	PIT_TARGET_MPS,     /* "daemon": "running" or absent. TEXT */
	PIT_TARGETS,
};

struct pit_cell {
	enum pit_target_kind target;
	enum pit_value_kind kind;
	char *object;
};

int pit_cell_set(struct pit_cell *c, enum pit_target_kind target, enum pit_value_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));                           /* replaces `object`; 0 or -ENOMEM */
void pit_cell_free(struct pit_cell *c);                                  /* back to all-zero; keeps errno */
bool pit_cell_equal(const struct pit_cell *a, const struct pit_cell *b); /* the same thing of the machine */

struct pit_target {
	const char *name; /* in the journal and in JSON: "sysctl", "kernel", "dirty", "file", ... */

	/* True: the value lives in the running kernel or driver and is gone after a reboot. False: it is on disk. */
	bool runtime;

	/* Canonical value at the moment; *ret NULL = absent. The caller frees it. -ENOENT: this machine has no such
	 * thing (a FILE that is not there is a value, not an error). */
	int (*read)(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err);

	/* Sets it; does not read back. `value` NULL = absent. */
	int (*write)(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err);

	/* Appends one or more lines of POSIX shell that do the same, each ended by a newline. */
	void (*shell)(const struct pit_cell *cell, const char *value, struct pit_buf *out);
};

const struct pit_target *pit_target(enum pit_target_kind kind);
int pit_target_find(const char *name); /* the kind of this name; -1 none */

/* Shorthands over the table. */
int pit_cell_read(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err);
int pit_cell_write(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err);

/* "vm.swappiness", "/etc/sysctl.d/...", "persistence of GPU-8a56...": a name for a person, in `out`; returns `out`. */
char *pit_cell_name(const struct pit_cell *cell, char *out, size_t size);

/* The kinds, one file each or a few together: target_kernel.c (sysctl, kernel, dirty), target_file.c (file, dir, link),
 * target_swap.c, target_mount.c, target_service.c (service, enabled), target_bootarg.c, target_gpu.c (gpu, mps). */
extern const struct pit_target pit_target_sysctl, pit_target_kernel, pit_target_dirty, pit_target_file, pit_target_dir,
	pit_target_link, pit_target_swap, pit_target_mount, pit_target_service, pit_target_enabled, pit_target_bootarg,
	pit_target_gpu, pit_target_mps;

/* Appends `text` as one word of POSIX shell. */
void pit_shell_quote(const char *text, struct pit_buf *out);

#endif
