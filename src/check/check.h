/* SPDX-License-Identifier: MIT
 *
 * The shapes of `pitcrew check`: a row of the catalogue, and the finding that it yields on one machine.
 */
#ifndef PIT_CHECK_CHECK_H
#define PIT_CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "host/root.h"
#include "pitcrew/error.h"

struct pit_facts;
struct pit_finding;

enum pit_area {
	PIT_AREA_CPU,
	PIT_AREA_MEMORY,
	PIT_AREA_NUMA,
	PIT_AREA_IRQ,
	PIT_AREA_PROCESS,
	PIT_AREA_LIMITS,
	PIT_AREA_STORAGE,
	PIT_AREA_SECURITY,
	PIT_AREA_ENV,
	PIT_AREA_GPU,
	PIT_AREA_PCI,
	PIT_AREA_CONTAINER,
	PIT_AREA_KUBE,
	PIT_AREA_SLURM,
	PIT_AREA_NETWORK,
	PIT_AREA_KERNEL,
	PIT_AREAS,
};
const char *pit_area_name(enum pit_area area); /* "cpu", ... */

enum pit_status { PIT_PASS, PIT_SKIP, PIT_WARN, PIT_FAIL };
const char *pit_status_name(enum pit_status status);

enum pit_impact {
	PIT_STYLE,   /* good practice; nothing is lost today */
	PIT_RISK,    /* harmless until something happens */
	PIT_HURTING, /* costs time or work now: a counter or a reading shows it */
};
const char *pit_impact_name(enum pit_impact impact); /* "style", "risk", "hurting now" */

enum pit_workload { PIT_TRAINING = 1, PIT_INFERENCE = 2 };

/* Where a row makes sense; elsewhere it is skipped with the reason. */
enum pit_need {
	PIT_NEED_GPU = 1 << 0,       /* a GPU on the PCI bus, or NVML sees one */
	PIT_NEED_NVIDIA = 1 << 1,    /* an NVIDIA one */
	PIT_NEED_NVML = 1 << 2,      /* NVML answered */
	PIT_NEED_RDMA = 1 << 3,      /* /sys/class/infiniband has a device */
	PIT_NEED_NODES = 1 << 4,     /* two or more NUMA nodes */
	PIT_NEED_METAL = 1 << 5,     /* not a virtual machine, not WSL */
	PIT_NEED_CONTAINER = 1 << 6, /* inside a container */
	PIT_NEED_HOST = 1 << 7,      /* not inside a container */
	PIT_NEED_KUBELET = 1 << 8,   /* a kubelet runs here or its configuration is here */
	PIT_NEED_SLURM = 1 << 9,     /* slurm.conf is here */
	PIT_NEED_X86 = 1 << 10,
};

/* True when the machine meets it; else *ret_reason (may be NULL) is why not, for a skip. What is unknown counts as met
 * for PIT_NEED_METAL, PIT_NEED_HOST and PIT_NEED_X86, and as not met for the others. */
bool pit_need_is_met(struct pit_facts *facts, enum pit_need need, const char **ret_reason);

/* How a data row compares the value at `path` with `want`. */
enum pit_op {
	PIT_OP_NONE, /* the row has a probe */
	PIT_OP_EQ,   /* the same number, or the same words */
	PIT_OP_NE,
	PIT_OP_LE,     /* at most: a number; each of `want`'s words is compared with the same word of the value */
	PIT_OP_GE,     /* at least */
	PIT_OP_RANGE,  /* "low high", both included */
	PIT_OP_ONE_OF, /* one of the words of `want`, or two numbers when they are the same */
	PIT_OP_CHOICE, /* the choice in [brackets] is one of the words of `want` */
	PIT_OP_EXISTS, /* there is something at `path` */
	PIT_OP_ABSENT, /* there is nothing at `path` */
};

struct pit_check;

/* Judges what a row is about. Returns 0 with a verdict in `out`, or -errno "could not look" with the reason in `err`:
 * -EAGAIN asks to be called again later. */
typedef int pit_probe(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err);

struct pit_check {
	const char *id;    /* "area.subject", stable for ever */
	const char *title; /* what is judged, in a few words; no full stop */
	const char *why;   /* two sentences: what it costs, and when */
	enum pit_area area;
	enum pit_impact impact;    /* when not satisfied; a probe may say otherwise */
	enum pit_status otherwise; /* when not satisfied: PIT_WARN or PIT_FAIL; a probe may say otherwise */
	unsigned workloads;        /* PIT_TRAINING | PIT_INFERENCE; 0 both */
	unsigned needs;            /* PIT_NEED_... */

	/* The common kind: data only. */
	const char *path; /* file; its first line is the value */
	enum pit_op op;
	const char *want;           /* in training, and in inference unless the next says otherwise */
	const char *want_inference; /* NULL: as want */
	const char *unit;           /* printed behind the value: "kB", "us"; NULL none */
	const char *absent;     /* what it means that `path` is not there, for the skip reason; NULL: "no PATH here" */
	const char *origin_arg; /* kernel command line argument that sets it; NULL none */

	/* Everything else. */
	pit_probe *probe;
	const void *arg; /* the probe's parameters */

	const char *knob;    /* knob ids of `pitcrew tune`, blank-separated; NULL: not settable by tune */
	const char *remedy;  /* what to do, one sentence */
	const char *command; /* exact command; NULL: built from `path` and `want` when it is under /proc/sys or /sys */
	bool reboot;         /* the remedy needs one */
	const char *source;  /* who says so: where the wanted value comes from */
	const char *refs;    /* further reading, blank-separated; NULL none */
};

struct pit_evidence {
	char *source; /* a path, a counter, a tool */
	char *text;
};

#define PIT_EVIDENCE_MAX 8

struct pit_finding {
	const struct pit_check *check;
	enum pit_status status;
	enum pit_impact impact;
	char *observed; /* NULL nothing was seen */
	char *wanted;
	char *origin; /* who set it; NULL unknown */
	char *remedy; /* NULL: the row's */
	char *command;
	char *skip_reason;
	enum pit_state skip_state; /* why it was skipped, when a read failed */
	struct pit_evidence evidence[PIT_EVIDENCE_MAX];
	size_t evidences;
	size_t evidence_left_out; /* more of the same kind that did not fit */
	bool deferred;            /* the second reading of a counter is not due yet: evaluate again later */
	bool failed;              /* memory ran out while it was filled */
};

/* Verdicts for probes. Each sets `observed` from fmt and returns 0, so it sits on a return line. */
int pit_pass(struct pit_finding *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int pit_bad(struct pit_finding *out, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* as the row says */
int pit_judge(struct pit_finding *out, enum pit_status status, enum pit_impact impact, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int pit_skip(struct pit_finding *out, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* fmt: the reason */

/* What else a probe may say. Beyond PIT_EVIDENCE_MAX pieces of evidence only the count grows. */
void pit_evidence(struct pit_finding *out, const char *source, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void pit_want(struct pit_finding *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pit_origin(struct pit_finding *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pit_remedy(struct pit_finding *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pit_command(struct pit_finding *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void pit_finding_clear(struct pit_finding *f); /* frees all texts; keeps `check` */

/* Names in `out` who set the value at `path` (under /proc/sys or /sys): a file, tuned, or the argument `cmdline_arg` of
 * the kernel's command line (NULL none). `value` is the one in force; NULL not known. */
void pit_origin_of(struct pit_facts *facts, const char *path, const char *value, const char *cmdline_arg,
		   struct pit_finding *out);

/* The catalogue: tables in the order of the report's areas. Each table ends with a row whose id is NULL. */
extern const struct pit_check *const pit_catalog[];
size_t pit_catalog_count(void);
const struct pit_check *pit_catalog_find(const char *id); /* NULL none */
#define PIT_CATALOG_FOREACH(row)                                                                                       \
	for (const struct pit_check *const *table_ = pit_catalog; *table_; table_++)                                   \
		for (const struct pit_check *row = *table_; row->id; row++)

/* Evaluates one row. Never fails: what goes wrong is a skip with its reason. */
void pit_check_eval(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *ret);

#endif
