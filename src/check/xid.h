/* SPDX-License-Identifier: MIT
 *
 * Errors that NVIDIA's driver reports in the kernel log: Xid (GPUs), SXid (NVSwitches), and lost GPUs without a number.
 */
#ifndef PIT_CHECK_XID_H
#define PIT_CHECK_XID_H

#include "host/kmsg.h"

enum pit_xid_kind { PIT_XID_GPU, PIT_XID_SWITCH, PIT_XID_LOST };

struct pit_xid {
	enum pit_xid_kind kind;
	unsigned code; /* 0 for PIT_XID_LOST */
	char pci[24];  /* "0000:65:00", as far as the line says it; "" unknown */
	int fatal;     /* 1 "Fatal", 0 "Nonfatal" or "Non-fatal", -1 the line does not say */
	int pid;       /* 0 unknown */
	char comm[32]; /* "" unknown */
};

/* One line of the log. -ENOENT: it reports no such error (also lines that only resemble one). */
int pit_xid_parse(const char *line, struct pit_xid *ret);

/* How bad a code is. */
enum pit_xid_class {
	PIT_XID_NOTE,   /* nothing to do */
	PIT_XID_JOB,    /* a program did something wrong, or suffers from what others did; the GPU goes on */
	PIT_XID_WATCH,  /* the GPU goes on; something wears out */
	PIT_XID_RESET,  /* the GPU must be reset */
	PIT_XID_REBOOT, /* the host must be restarted or the GPU taken out */
};

struct pit_xid_meaning {
	unsigned code;
	enum pit_xid_class cls;
	const char *meaning;
	const char *action;
};
extern const struct pit_xid_meaning pit_xid_meanings[];       /* in order of code; ends with code 0 */
const struct pit_xid_meaning *pit_xid_meaning(unsigned code); /* NULL: not in the table */

/* All reports of the same code of one device. */
struct pit_xid_event {
	struct pit_xid first;
	size_t count;
	int64_t first_usec, last_usec; /* since boot; -1 unknown */
	const char *line;              /* the first; belongs to the log */
	enum pit_xid_class cls;
	bool follows; /* comes after the loss of the same GPU, or is Xid 45 or 154 after another: a consequence */
};

struct pit_xid_events {
	struct pit_xid_event *item; /* in order of first appearance */
	size_t count;
};
int pit_xid_collect(const struct pit_kmsg *log, struct pit_xid_events *ret); /* 0 or -ENOMEM */
void pit_xid_events_free(struct pit_xid_events *e);

#endif
