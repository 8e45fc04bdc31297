/* SPDX-License-Identifier: MIT
 *
 * What rows know of the machine: parsed once, on first use, and shared by all rows. An accessor returns 0 or the -errno
 * of the first try, each time the same, with the reason in `err`.
 */
#ifndef PIT_CHECK_FACTS_H
#define PIT_CHECK_FACTS_H

#include <jansson.h>

#include "check/check.h"
#include "host/cgroup.h"
#include "host/kmsg.h"
#include "host/mounts.h"
#include "host/pid.h"
#include "host/platform.h"
#include "host/procfs.h"
#include "topo/model.h"

struct pit_facts_options {
	enum pit_workload workload;
	const char *data;       /* --data PATH: where training data lie; NULL not given */
	const char *checkpoint; /* --checkpoint PATH; NULL not given */
	int pid;                /* --pid: whose environment and limits to judge; 0: this shell's */
	int sample_ms;          /* least time between two readings of a counter; 0: 30 */
};

struct pit_facts;
int pit_facts_new(struct pit_root *root, const struct pit_facts_options *options, struct pit_facts **ret,
		  struct pit_error *err);
void pit_facts_free(struct pit_facts *f); /* NULL is fine; the root stays the caller's */

struct pit_root *pit_facts_root(struct pit_facts *f);
const struct pit_facts_options *pit_facts_options(const struct pit_facts *f);

int pit_facts_topo(struct pit_facts *f, const struct pit_topo **ret, struct pit_error *err);
int pit_facts_platform(struct pit_facts *f, const struct pit_platform **ret, struct pit_error *err);
int pit_facts_procs(struct pit_facts *f, const struct pit_procs **ret, struct pit_error *err);
const struct pit_proc *pit_facts_process(struct pit_facts *f,
					 const char *comm); /* pit_procs_named(); NULL also unknown */
int pit_facts_mounts(struct pit_facts *f, const struct pit_mounts **ret, struct pit_error *err);
int pit_facts_cgroup(struct pit_facts *f, const struct pit_cgroup **ret, struct pit_error *err); /* of this process */
int pit_facts_kmsg(struct pit_facts *f, const struct pit_kmsg **ret, struct pit_error *err);
int pit_facts_cmdline(struct pit_facts *f, const struct pit_strv **ret, struct pit_error *err);
int pit_facts_nvml(struct pit_facts *f, const json_t **ret, struct pit_error *err);

/* Environment of --pid, or of this process: entries "NAME=value". Values are kept only for names that rows ask for (see
 * env_names.h), so a snapshot holds no secret. */
int pit_facts_environ(struct pit_facts *f, const struct pit_strv **ret, struct pit_error *err);
const char *pit_facts_env(struct pit_facts *f, const char *name); /* NULL unset or unknown */

/* Processes that hold a GPU open (a file descriptor on /dev/nvidia*, /dev/kfd, /dev/dri/renderD*), from fd links. */
int pit_facts_gpu_holders(struct pit_facts *f, const struct pit_idset **ret_pids, struct pit_error *err);

/* Two readings of a file at least sample_ms apart. The files in pit_sampled_files[] get their first reading when the
 * facts are made, others when they are first asked for. While rows are put off (see below) the answer is -EAGAIN until
 * the time has passed: a probe just returns it and is called again at the end. */
int pit_facts_again(struct pit_facts *f, const char *path, struct pit_text *ret_first, struct pit_text *ret_second,
		    int64_t *ret_ns, struct pit_error *err);
extern const char *const pit_sampled_files[]; /* ends with NULL */

/* Growth per second of counter `key` in `path` ("/proc/vmstat", "pswpin") between two such readings; 0 when it fell. */
int pit_facts_rate(struct pit_facts *f, const char *path, const char *key, double *ret_per_second,
		   struct pit_error *err);

/* Waits until `ms` (at least sample_ms) have passed since the facts were made; -EAGAIN while rows are put off. For
 * probes that look twice at something else than a counter: they take their first look before. */
int pit_facts_wait(struct pit_facts *f, int ms);

/* From pit_facts_defer() on -EAGAIN is given; after pit_facts_stop_deferring() the remaining time is slept. */
void pit_facts_defer(struct pit_facts *f);
void pit_facts_stop_deferring(struct pit_facts *f);

#endif
