/* SPDX-License-Identifier: MIT
 *
 * Processes that are dead, half dead, or wait without end.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/process.h"

#define OLD_SECONDS 300 /* gcm check-zombie, check-ps */
#define BLOCKED_MS 300  /* writers are held back for 200 ms at a time (mm/page-writeback.c) */
#define MANY 20         /* eks-node-monitoring-agent */

/* A group of threads whose leader has ended is a zombie by its state but still runs. */
static bool is_zombie(const struct pit_proc *p)
{
	return p->state == 'Z' && p->threads <= 1;
}

static bool is_half_exited(const struct pit_proc *p)
{
	return p->state == 'Z' && p->threads > 1;
}

typedef bool (*is_fn)(const struct pit_proc *p);

/* Processes for which `is` holds now and on a second look, added to `ret`. A recording without the second look counts
 * the first. */
static int stay(struct pit_facts *f, const struct pit_procs *procs, is_fn is, struct pit_idset *ret)
{
	int rc = 0;

	for (size_t i = 0; i < procs->count && !rc; i++) {
		const struct pit_proc *p = &procs->item[i];
		struct pit_proc later;

		if (!is(p))
			continue;
		rc = pit_facts_wait(f, 0);
		if (rc)
			return rc;
		rc = pit_process_again(f, p->pid, &later, NULL);
		if (rc == -ENODATA || (!rc && later.start == p->start && is(&later)))
			rc = pit_idset_add(ret, (size_t)p->pid);
		else
			rc = 0;
	}
	return rc;
}

static int compare_pids(const void *a, const void *b)
{
	return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

/* The parent with most of the children; 0 none. */
static int main_parent(const struct pit_procs *procs, const struct pit_idset *children, size_t *ret_count)
{
	PIT_CLEANUP(pit_cleanup_free) int *parents = calloc(pit_idset_count(children) + 1, sizeof(*parents));
	size_t n = 0, run = 0;
	int best = 0;

	*ret_count = 0;
	if (!parents)
		return 0;
	PIT_IDSET_FOREACH (pid, children)
		parents[n++] = pit_procs_find(procs, pid)->ppid;
	qsort(parents, n, sizeof(*parents), compare_pids);
	for (size_t i = 0; i < n; i++) {
		run = i && parents[i] == parents[i - 1] ? run + 1 : 1;
		if (run > *ret_count) {
			*ret_count = run;
			best = parents[i];
		}
	}
	return best;
}

static void show_zombies(const struct pit_procs *procs, const struct pit_idset *zombies, struct pit_finding *out)
{
	char source[64], age[32], parent[96];

	PIT_IDSET_FOREACH (pid, zombies) {
		const struct pit_proc *p = pit_procs_find(procs, pid);

		snprintf(source, sizeof(source), "/proc/%d/stat", pid);
		pit_evidence(out, source, "%s is a zombie, started %s ago, child of %s", p->comm,
			     pit_format_age(pit_proc_age(procs, p), age, sizeof(age)),
			     pit_process_name(procs, p->ppid, parent, sizeof(parent)));
	}
}

static void advise_on_parent(const struct pit_procs *procs, int parent, struct pit_finding *out)
{
	const struct pit_proc *p = pit_procs_find(procs, parent);
	char name[96];

	if (parent == 1 && p && strcmp(p->comm, "systemd") != 0 && strcmp(p->comm, "init") != 0)
		pit_remedy(out,
			   "Start the container with an init process that waits for orphans (docker run --init, "
			   "shareProcessNamespace); %s does not.",
			   p->comm);
	else if (parent > 1)
		pit_remedy(out, "Restart %s, which does not wait for its children.",
			   pit_process_name(procs, parent, name, sizeof(name)));
}

int pit_probe_zombies(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	pit_auto_idset struct pit_idset zombies = {0};
	const struct pit_procs *procs;
	size_t old = 0, count, most;
	char name[96];
	int parent, rc = pit_facts_procs(facts, &procs, err);

	if (!rc)
		rc = stay(facts, procs, is_zombie, &zombies);
	if (rc)
		return rc;
	pit_want(out, "fewer than %d, none older than %d s", MANY, OLD_SECONDS);
	count = pit_idset_count(&zombies);
	if (!count)
		return pit_pass(out, "none");
	PIT_IDSET_FOREACH (pid, &zombies)
		old += pit_proc_age(procs, pit_procs_find(procs, pid)) >= OLD_SECONDS;
	if (!old && count < MANY)
		return pit_pass(out, "%zu, all young", count);
	show_zombies(procs, &zombies, out);
	parent = main_parent(procs, &zombies, &most);
	advise_on_parent(procs, parent, out);
	return pit_bad(out, "%zu, %zu of them of %s", count, most, pit_process_name(procs, parent, name, sizeof(name)));
}

int pit_probe_half_exited(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_idset struct pit_idset found = {0};
	const struct pit_procs *procs;
	char source[64], age[32], name[96];
	int first, rc = pit_facts_procs(facts, &procs, err);

	if (!rc)
		rc = stay(facts, procs, is_half_exited, &found);
	if (rc)
		return rc;
	pit_want(out, "none");
	if (pit_idset_is_empty(&found))
		return pit_pass(out, "none");
	PIT_IDSET_FOREACH (pid, &found) {
		const struct pit_proc *p = pit_procs_find(procs, pid);

		snprintf(source, sizeof(source), "/proc/%d/stat", pid);
		pit_evidence(out, source, "%s has ended, but %" PRId64 " of its threads have not; started %s ago",
			     p->comm, p->threads - 1, pit_format_age(pit_proc_age(procs, p), age, sizeof(age)));
	}
	first = pit_idset_next(&found, 0);
	return pit_bad(out, "%zu, first %s", pit_idset_count(&found),
		       pit_process_name(procs, first, name, sizeof(name)));
}

/* The kernel's own word: "INFO: task NAME:PID blocked for more than 120 seconds." NULL none. */
static const char *hung_line(const struct pit_kmsg *k, int pid)
{
	char needle[32];

	snprintf(needle, sizeof(needle), ":%d blocked for more than ", pid);
	for (size_t i = k ? k->count : 0; i-- > 0;)
		if (strstr(k->item[i].text, needle))
			return k->item[i].text;
	return NULL;
}

static bool switches(const char *text, uint64_t *ret)
{
	uint64_t a, b;

	if (pit_kv_u64(text, "voluntary_ctxt_switches", &a) || pit_kv_u64(text, "nonvoluntary_ctxt_switches", &b))
		return false;
	*ret = a + b;
	return true;
}

/* One process in state D at the first look. */
struct blocked {
	const struct pit_proc *proc;
	uint64_t before; /* context switches */
	bool counted;
	bool hung; /* the kernel says so */
};

static void first_look(struct pit_facts *f, const struct pit_kmsg *kmsg, struct blocked *b)
{
	struct pit_text text;

	b->counted = !pit_root_read(pit_facts_root(f), &text, "/proc/%d/status", b->proc->pid) &&
		     switches(text.data, &b->before);
	b->hung = hung_line(kmsg, b->proc->pid);
}

/* 1: still in the same wait, 0: it went on, -errno: no second look. */
static int still_blocked(struct pit_facts *f, const struct blocked *b, double *ret_seconds)
{
	struct pit_text text;
	struct pit_proc later;
	char path[64];
	uint64_t after;
	int rc = pit_process_again(f, b->proc->pid, &later, ret_seconds);

	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	if (later.state != 'D' || later.start != b->proc->start ||
	    later.utime + later.stime > b->proc->utime + b->proc->stime)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/status", b->proc->pid);
	if (b->counted && !pit_root_again(pit_facts_root(f), path, &text, NULL) && switches(text.data, &after))
		return after == b->before;
	return 1;
}

static void show_blocked(struct pit_facts *f, const struct pit_procs *procs, const struct pit_kmsg *kmsg,
			 const struct blocked *b, double seconds, struct pit_finding *out)
{
	char source[64], age[32], wchan[64] = "";
	const char *line = hung_line(kmsg, b->proc->pid);

	if (line)
		pit_evidence(out, kmsg->source, "%s", line);
	snprintf(source, sizeof(source), "/proc/%d/stat", b->proc->pid);
	if (pit_root_str(pit_facts_root(f), wchan, sizeof(wchan), "/proc/%d/wchan", b->proc->pid) ||
	    !strcmp(wchan, "0"))
		*wchan = '\0';
	pit_evidence(out, source, "%s in state D for at least %.1f s%s%s; the process is %s old", b->proc->comm,
		     seconds, *wchan ? " in " : "", wchan,
		     pit_format_age(pit_proc_age(procs, b->proc), age, sizeof(age)));
}

struct blocked_list {
	struct blocked item[64]; /* the first ones */
	size_t count, more;
};

/* Kernel threads wait in D by design in some drivers: they count when the kernel calls them hung. */
static void list_blocked(struct pit_facts *f, const struct pit_procs *procs, const struct pit_kmsg *kmsg,
			 struct blocked_list *list)
{
	for (size_t i = 0; i < procs->count; i++) {
		struct blocked b = {.proc = &procs->item[i]};

		if (b.proc->state != 'D')
			continue;
		if ((b.proc->flags & PIT_PF_KTHREAD) && !hung_line(kmsg, b.proc->pid))
			continue;
		if (list->count == PIT_COUNT(list->item)) {
			list->more++;
			continue;
		}
		first_look(f, kmsg, &b);
		list->item[list->count++] = b;
	}
}

int pit_probe_blocked(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		      struct pit_error *err)
{
	struct blocked_list list = {.count = 0};
	const struct pit_kmsg *kmsg = NULL;
	const struct pit_procs *procs;
	size_t stuck = 0, hung = 0;
	double seconds = 0;
	int rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	(void)pit_facts_kmsg(facts, &kmsg, NULL);
	list_blocked(facts, procs, kmsg, &list);
	pit_want(out, "no process that waits in the kernel without end");
	if (!list.count)
		return pit_pass(out, "none");
	rc = pit_facts_wait(facts, BLOCKED_MS);
	if (rc)
		return rc;
	for (size_t i = 0; i < list.count; i++) {
		rc = still_blocked(facts, &list.item[i], &seconds);
		if (rc < 0 && !list.item[i].hung)
			return pit_fail(err, -rc, "a second look at PID %d in state D", list.item[i].proc->pid);
		if (!rc)
			continue;
		stuck++;
		hung += list.item[i].hung;
		show_blocked(facts, procs, kmsg, &list.item[i], seconds, out);
	}
	if (!stuck)
		return pit_pass(out, "%zu were waiting, and went on", list.count);
	if (hung)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "%zu in state D, %zu of them hung says the kernel",
				 stuck + list.more, hung);
	return pit_bad(out, "%zu in state D for at least %.1f s", stuck + list.more, seconds);
}
