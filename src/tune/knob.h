/* SPDX-License-Identifier: MIT
 *
 * The table of all things that `pitcrew tune` can set: one row each, tables listed in knobs.c.
 *
 * A knob's row says how it is set. What it is set to comes from a profile; which cells of this machine that means
 * (every CPU's governor, the interrupts of every NIC) is worked out by the row's pattern or by its `resolve`.
 */
#ifndef PIT_TUNE_KNOB_H
#define PIT_TUNE_KNOB_H

#include "tune/scene.h"
#include "tune/target.h"

struct pit_knob;

/* One cell of this machine and the value that a profile wants there. */
struct pit_wish {
	struct pit_cell cell;
	char *value;  /* canonical; NULL = absent */
	char *refuse; /* why it must not be set here; NULL: it may */
};

/* A line in a configuration file of ours. Those of one path become one file: sections in order of appearance, a header,
 * lines in the order of the plan. */
struct pit_fragment {
	char *path;    /* as pit_fragment_path() makes it, so that each transaction has files of its own */
	char *section; /* "Service"; "" the file has none */
	char *line;    /* without newline; several lines are fine */
};

struct pit_wishes {
	struct pit_wish *wish;
	size_t wishes;
	struct pit_fragment *fragment; /* what makes it last, beyond what the knob's `lasts` does by itself */
	size_t fragments;
	char *absent;               /* this machine has nothing that the knob could set: why; NULL: it has */
	int txn;                    /* number of the transaction, for names of files */
	bool persist;               /* the plan is for the next boots, too */
	const char *kernel_cmdline; /* what earlier settings of the plan make of /etc/kernel/cmdline, which holds one
				     * argument beside the other; NULL: they leave it as it is */
};
int pit_wish_add(struct pit_wishes *w, const struct pit_cell *cell, const char *value); /* copies; 0 or -ENOMEM */
int pit_wish_refuse(struct pit_wishes *w, const struct pit_cell *cell, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int pit_fragment_add(struct pit_wishes *w, const char *path, const char *section, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int pit_wishes_absent(struct pit_wishes *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pit_wishes_free(struct pit_wishes *w);

/* "/etc/sysctl.d" + ".conf" in transaction 7: "/etc/sysctl.d/99-zz-pitcrew-0007.conf" in `out`; returns `out`. */
char *pit_fragment_path(const char *dir, const char *suffix, int txn, char *out, size_t size);

/* One setting of a profile: a knob, which of its things (NULL all; a pattern such as "nvme*", a size "2M"), a value. */
struct pit_setting {
	const struct pit_knob *knob;
	char *which;
	char *value;  /* an expression, see pit_value_want(), or what the knob's row describes */
	char *why;    /* the profile's reason */
	char *source; /* who says so */
	char *where;  /* FILE:LINE of the profile, "--knob" */
};

/* Appends what the setting means here. 0, or -errno when this machine could not be read or the value makes no sense
 * (-EINVAL, with the reason). Only reads; choices only, no change. */
typedef int pit_knob_resolve(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
			     struct pit_error *err);

enum pit_lasts {
	PIT_LASTS_SYSCTL,   /* a line in sysctl.d */
	PIT_LASTS_TMPFILES, /* "w" in tmpfiles.d: files of /sys and /proc that are there at boot */
	PIT_LASTS_UDEV,     /* a rule, for things that come and go: `udev` says which */
	PIT_LASTS_BOOT,     /* our oneshot unit sets it again at boot */
	PIT_LASTS_ITSELF,   /* it is on disk: files, enabled units, boot arguments, fragments of `resolve` */
	PIT_LASTS_DRIVER,   /* the device keeps it (ECC, MIG mode) */
};

enum pit_takes {
	PIT_TAKES_NOW,
	PIT_TAKES_LOGIN,   /* new sessions only */
	PIT_TAKES_RESTART, /* a service must be started anew (`service`), which is left to the admin */
	PIT_TAKES_RESET,   /* the GPU must be reset */
	PIT_TAKES_REBOOT,
};

/* What a container must have of its own that a knob may be set inside of it. */
enum pit_in_container {
	PIT_OWN_NEVER,   /* it is the host's in any case */
	PIT_OWN_NETWORK, /* pit_scene_owns_network() */
	PIT_OWN_SHM,     /* pit_scene_owns_shm() */
};

struct pit_knob {
	const char *id;    /* "vm.swappiness", "cpu.governor"; stable for ever */
	const char *title; /* what it is, in a few words; no full stop */
	enum pit_target_kind target;
	enum pit_value_kind value;
	const char *object; /* NULL: `id`. In a path each '*' stands for every name there is; a `which` of the setting
			     * then chooses among the names that the first '*' found */
	pit_knob_resolve *resolve; /* NULL: the cells that `object` names, the value by pit_value_want() */
	const char *values;        /* CHOICE: the words that may be asked for; else for a person: "running, stopped" */
	int64_t least, most;       /* of INT and of each number among WORDS; both 0: any */
	bool rounds;               /* the kernel may take a number near the one written; what it took then counts */
	enum pit_lasts lasts;
	const char *udev; /* PIT_LASTS_UDEV: the rule's conditions and assignment, "%s" stands for the value */
	enum pit_takes takes;
	const char *service; /* PIT_TAKES_RESTART: which, in words */
	const char *blast;   /* who feels it: "all processes of this host", "jobs that start later" */
	enum pit_in_container in_container;
	const char *disturbs; /* cells that the kernel changes along: sysctl keys or paths with '*', blank-separated */
	const char *checks;   /* ids of the rows of `pitcrew check` that it satisfies, blank-separated */
	const char *source;   /* kernel documentation or the like */
};

/* The tables, in the order in which a plan sets things. Each ends with a row whose id is NULL. */
extern const struct pit_knob *const pit_knobs[];
#define PIT_KNOB_FOREACH(knob)                                                                                         \
	for (const struct pit_knob *const *table_ = pit_knobs; *table_; table_++)                                      \
		for (const struct pit_knob *knob = *table_; knob->id; knob++)
const struct pit_knob *pit_knob_find(const char *id); /* NULL none */
const char *pit_knob_nearest(const char *word);       /* an id like it; NULL none */

/* What the setting means on this machine: the row's `resolve`, or its pattern. In a container, knobs of the host are
 * refused here. */
int pit_knob_wishes(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		    struct pit_error *err);

/* docs/knobs.md. */
void pit_knobs_markdown(struct pit_buf *out);

#endif
