/* SPDX-License-Identifier: MIT */
#include "launch/after.h"

#include <string.h>

#include "base/parse.h"
#include "host/procfs.h"
#include "launch/after_parts.h"

static bool wanted(const struct pit_idset *s)
{
	return s && !pit_idset_is_empty(s);
}

static int judge_thread(const char *status, const struct pit_idset *has, const struct pit_idset *cpus,
			struct pit_after *a)
{
	a->threads++;
	if (pit_idset_unite(&a->together, has))
		return -ENOMEM;
	if (pit_idset_is_subset(has, cpus)) {
		a->narrowed += !pit_idset_equal(has, cpus);
		return 0;
	}
	if (a->moved++)
		return 0;
	(void)pit_kv_str(status, "Name", a->thread, sizeof(a->thread));
	return pit_idset_copy(&a->has, has);
}

/* Threads come and go meanwhile: those that went are not counted. */
static int look_at_thread(struct pit_root *root, pid_t pid, const char *tid, const struct pit_idset *cpus,
			  struct pit_after *a)
{
	pit_auto_idset struct pit_idset has = {0};
	struct pit_text status;
	char list[16384];

	if (pit_root_read(root, &status, "/proc/%d/task/%s/status", (int)pid, tid) ||
	    pit_kv_str(status.data, "Cpus_allowed_list", list, sizeof(list)) || pit_idset_parse(list, &has, NULL))
		return 0;
	return judge_thread(status.data, &has, cpus, a);
}

static int look_at_threads(struct pit_root *root, pid_t pid, const struct pit_idset *cpus, struct pit_after *a)
{
	const struct pit_strv *tids;
	int rc = pit_root_list(root, &tids, "/proc/%d/task", (int)pid);

	for (size_t i = 0; !rc && i < tids->count && i < PIT_AFTER_THREADS; i++)
		rc = look_at_thread(root, pid, tids->item[i], cpus, a);
	a->cut |= !rc && tids->count > PIT_AFTER_THREADS;
	return rc;
}

/* Its place stays unknown where the kernel does not say. */
static void look_at_memory(struct pit_root *root, pid_t pid, const struct pit_idset *mems, struct pit_after *a)
{
	uint64_t anon = 0, shmem = 0, bytes;
	struct pit_text status;

	if (pit_root_read(root, &status, "/proc/%d/status", (int)pid))
		return;
	(void)pit_kv_u64(status.data, "RssAnon", &anon);
	(void)pit_kv_u64(status.data, "RssShmem", &shmem);
	bytes = (anon + shmem) * 1024;
	if (bytes <= PIT_AFTER_WALK)
		(void)pit_after_walk(pid, PIT_AFTER_BYTES, mems, a);
	else
		(void)pit_after_ask(root, pid, bytes, mems, a);
	if (a->local + a->remote < PIT_AFTER_LEAST)
		a->local = a->remote = 0;
}

int pit_after_look(struct pit_root *root, pid_t pid, const struct pit_idset *cpus, const struct pit_idset *mems,
		   struct pit_after *ret, struct pit_error *err)
{
	struct pit_after a = {0};
	int rc = 0;

	if (!pit_root_is_live(root))
		return pit_fail(err, EOPNOTSUPP, "%s is a recording: no process runs there", pit_root_name(root));
	pit_root_forget(root);
	if (pit_root_exists(root, "/proc/%d/status", (int)pid))
		return pit_fail(err, ESRCH, "process %d is gone", (int)pid);
	if (wanted(cpus))
		rc = look_at_threads(root, pid, cpus, &a);
	if (!rc && wanted(mems))
		look_at_memory(root, pid, mems, &a);
	pit_root_forget(root);
	if (rc) {
		pit_after_free(&a);
		if (pit_root_state(rc) == PIT_STATE_ABSENT)
			rc = -ESRCH;
		return pit_fail(err, -rc, "cannot look at the threads of process %d: %s", (int)pid, strerror(-rc));
	}
	*ret = a;
	return 0;
}

void pit_after_free(struct pit_after *a)
{
	pit_idset_free(&a->has);
	pit_idset_free(&a->together);
}

static int say_moved(const struct pit_after *a, int rank, const char *given, struct pit_strv *out)
{
	char has[128];

	return pit_strv_addf(out,
			     "rank %d: %d of %d threads were re-bound to CPUs outside of those given (\"%s\" has %s, "
			     "given %s): a library or the program sets its own affinity",
			     rank, a->moved, a->threads, a->thread, pit_idset_format(&a->has, has, sizeof(has)), given);
}

static int say_narrowed(const struct pit_after *a, int rank, const struct pit_idset *cpus, const char *given,
			struct pit_strv *out)
{
	char has[128];

	return pit_strv_addf(
		out,
		"rank %d: its %d threads bound themselves to %zu of %zu CPUs (%s of %s); the processes that "
		"it starts inherit that: see OMP_PROC_BIND, GOMP_CPU_AFFINITY, KMP_AFFINITY",
		rank, a->threads, pit_idset_count(&a->together), pit_idset_count(cpus),
		pit_idset_format(&a->together, has, sizeof(has)), given);
}

static int say_remote(const struct pit_after *a, int rank, struct pit_strv *out)
{
	char all[32];

	return pit_strv_addf(out, "rank %d: %.0f %% of its %s of memory lie on other NUMA nodes than meant", rank,
			     100 * (double)a->remote / (double)(a->local + a->remote),
			     pit_format_size(a->local + a->remote, all, sizeof(all)));
}

int pit_after_say(const struct pit_after *a, int rank, const struct pit_idset *cpus, struct pit_strv *out)
{
	double all = (double)(a->local + a->remote);
	char given[128];
	int rc = 0;

	if (wanted(cpus) && a->threads) {
		pit_idset_format(cpus, given, sizeof(given));
		if (a->moved)
			rc = say_moved(a, rank, given, out);
		else if (a->narrowed == a->threads && !pit_idset_is_subset(cpus, &a->together))
			rc = say_narrowed(a, rank, cpus, given, out);
	}
	if (!rc && all > 0 && (double)a->remote >= PIT_AFTER_REMOTE * all)
		rc = say_remote(a, rank, out);
	return rc;
}
