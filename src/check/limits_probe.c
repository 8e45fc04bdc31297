/* SPDX-License-Identifier: MIT
 *
 * One limit of this shell, of the daemons that start jobs, and of the processes on GPUs.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/limits.h"
#include "host/limits_conf.h"
#include "host/unit.h"

static char *show(const struct pit_limit *l, uint64_t value, char *out, size_t size)
{
	if (value == UINT64_MAX)
		snprintf(out, size, "unlimited");
	else if (l->bytes)
		pit_format_size(value, out, size);
	else
		snprintf(out, size, "%" PRIu64, value);
	return out;
}

/* How much is wanted on this machine, and below what it is a failure. */
struct wanted {
	uint64_t least, fail;
	const char *because;
};

static struct wanted want_here(struct pit_facts *f, const struct pit_limit *l)
{
	if (l->rdma && pit_need_is_met(f, PIT_NEED_RDMA, NULL))
		return (struct wanted){.least = l->rdma, .fail = l->rdma_fail, .because = " with RDMA"};
	if (l->gpu && pit_need_is_met(f, PIT_NEED_GPU, NULL))
		return (struct wanted){.least = l->gpu, .because = " with GPUs"};
	return (struct wanted){.least = l->plain, .because = ""};
}

static void say_wanted(const struct pit_limit *l, const struct wanted *w, struct pit_finding *out)
{
	char text[32];

	pit_want(out, "%s%s%s", w->least == UINT64_MAX ? "" : "at least ", show(l, w->least, text, sizeof(text)),
		 w->because);
}

static int judge(struct pit_finding *out, const struct wanted *w, uint64_t value, const char *observed)
{
	if (value >= w->least)
		return pit_pass(out, "%s", observed);
	return value < w->fail ? pit_judge(out, PIT_FAIL, PIT_RISK, "%s", observed) : pit_bad(out, "%s", observed);
}

static int read_limit(struct pit_facts *f, int pid, const struct pit_limit *l, uint64_t *ret_soft, uint64_t *ret_hard,
		      struct pit_finding *out)
{
	char source[64] = "/proc/self/limits", soft[32], hard[32];
	int rc = pit_proc_limit(pit_facts_root(f), pid, l->name, ret_soft, ret_hard);

	if (rc)
		return rc;
	if (pid)
		snprintf(source, sizeof(source), "/proc/%d/limits", pid);
	pit_evidence(out, source, "%s: soft %s, hard %s", l->name, show(l, *ret_soft, soft, sizeof(soft)),
		     show(l, *ret_hard, hard, sizeof(hard)));
	return 0;
}

#define CAP_IPC_LOCK 14

/* CAP_IPC_LOCK lifts the limit of locked memory, but not for a root of a user namespace. */
static bool is_lifted(struct pit_facts *f, const struct pit_limit *l, struct pit_finding *out)
{
	struct pit_root *root = pit_facts_root(f);
	int pid = pit_facts_options(f)->pid;
	char dir[32] = "/proc/self", caps[32];
	unsigned long long inside, outside, count;
	struct pit_text text;
	uint64_t bits;

	if (pid)
		snprintf(dir, sizeof(dir), "/proc/%d", pid);
	if (!l->rdma || pit_root_read(root, &text, "%s/status", dir) ||
	    pit_kv_str(text.data, "CapEff", caps, sizeof(caps)) || pit_parse_hex(caps, &bits) ||
	    !(bits >> CAP_IPC_LOCK & 1))
		return false;
	if (pit_root_read(root, &text, "%s/uid_map", dir) ||
	    sscanf(text.data, "%llu %llu %llu", &inside, &outside, &count) != 3 || inside || outside ||
	    count < UINT32_MAX)
		return false;
	pit_evidence(out, "/proc/self/status", "CapEff %s holds CAP_IPC_LOCK", caps);
	return true;
}

int pit_probe_limit_shell(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_error *err)
{
	const struct pit_limit *l = row->arg;
	struct wanted w = want_here(facts, l);
	const struct pit_platform *platform;
	uint64_t soft, hard, value;
	char text[32], where[300];
	int rc = read_limit(facts, pit_facts_options(facts)->pid, l, &soft, &hard, out);

	if (rc)
		return pit_fail(err, -rc, "%s in /proc/%s/limits", l->name,
				pit_facts_options(facts)->pid ? "PID" : "self");
	say_wanted(l, &w, out);
	if (!pit_limits_for_all(pit_facts_root(facts), l->item, false, &value, where, sizeof(where)))
		pit_origin(out, "%s gives all users %s", where, show(l, value, text, sizeof(text)));
	if (soft < w.least && !pit_facts_platform(facts, &platform, NULL) && platform->container[0]) {
		if (is_lifted(facts, l, out))
			return pit_pass(out, "%s, lifted by CAP_IPC_LOCK", show(l, soft, text, sizeof(text)));
		pit_remedy(out,
			   "Start the container with a higher limit (docker run --ulimit %s=%s), or raise that of "
			   "its engine.",
			   l->item, w.least == UINT64_MAX || l->bytes ? "-1" : "1048576");
	} else if (soft < w.least && hard >= w.least && hard > soft)
		pit_remedy(out, "Raise the soft limit in the job script (the hard one allows it), or for all in "
				"/etc/security/limits.d.");
	return judge(out, &w, soft, show(l, soft, text, sizeof(text)));
}

static const struct pit_daemon daemons[] = {
	{.comm = "sshd", .unit = "ssh.service", .other_unit = "sshd.service", .login = true, .hard = true},
	{.comm = "slurmd", .unit = "slurmd.service", .hard = true},
	{.comm = "containerd", .unit = "containerd.service"},
	{.comm = "dockerd", .unit = "docker.service"},
	{.comm = "crio", .unit = "crio.service"},
	{.comm = "kubelet", .unit = "kubelet.service"},
	{.comm = "k3s-server", .unit = "k3s.service"},
	{.comm = "k3s-agent", .unit = "k3s-agent.service"},
	{.comm = "pbs_mom", .unit = "pbs.service", .hard = true},
	{.comm = "sge_execd", .unit = "sgeexecd.service", .hard = true},
	{.comm = "condor_startd", .unit = "condor.service", .hard = true},
	{.comm = "flux-broker-0", .unit = "flux.service", .hard = true},
};

size_t pit_daemons_find(const struct pit_procs *procs, struct pit_daemon_found ret[PIT_DAEMONS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < PIT_COUNT(daemons) && n < PIT_DAEMONS_MAX; i++) {
		/* The first: children of sshd for each session carry its name too. */
		const struct pit_proc *p = pit_procs_named(procs, daemons[i].comm);

		if (p)
			ret[n++] = (struct pit_daemon_found){.daemon = &daemons[i], .pid = p->pid};
	}
	return n;
}

static bool pam_sets_limits(struct pit_root *root)
{
	static const char *const files[] = {"sshd", "common-session", "password-auth", "system-auth"};
	struct pit_text text;

	for (size_t i = 0; i < PIT_COUNT(files); i++)
		if (!pit_root_read(root, &text, "/etc/pam.d/%s", files[i]) && strstr(text.data, "pam_limits.so"))
			return true;
	return false;
}

static const char *unit_of(struct pit_root *root, const struct pit_daemon *d)
{
	bool other = d->other_unit && pit_unit_is_enabled(root, d->unit) == -ENOENT &&
		     pit_unit_is_enabled(root, d->other_unit) != -ENOENT;

	return other ? d->other_unit : d->unit;
}

/* Who set the daemon's limit: its unit, or systemd's default. */
static void say_origin(struct pit_root *root, const struct pit_daemon *d, const struct pit_limit *l,
		       struct pit_finding *out)
{
	const char *unit = unit_of(root, d);
	char value[64], where[300], key[64];

	if (!pit_unit_get(root, unit, "Service", l->unit_key, value, sizeof(value), where, sizeof(where))) {
		pit_origin(out, "%s: %s=%s", where, l->unit_key, value);
		return;
	}
	snprintf(key, sizeof(key), "Default%s", l->unit_key);
	if (!pit_systemd_conf_get(root, "system.conf", "Manager", key, value, sizeof(value), where, sizeof(where)))
		pit_origin(out, "%s: %s=%s", where, key, value);
	else
		pit_origin(out, "systemd's default: neither %s nor system.conf sets %s", unit, l->unit_key);
}

/* What jobs that the daemon starts can have. */
static int value_for_jobs(struct pit_facts *f, const struct pit_daemon_found *d, const struct pit_limit *l,
			  uint64_t *ret, struct pit_finding *out)
{
	uint64_t soft, hard, pam;
	char where[300], text[32], comm[64];
	int rc = read_limit(f, d->pid, l, &soft, &hard, out);

	if (rc)
		return rc;
	*ret = d->daemon->hard ? hard : soft;
	if (pit_limits_for_all(pit_facts_root(f), l->item, d->daemon->hard, &pam, where, sizeof(where)))
		return 0;
	show(l, pam, text, sizeof(text));
	snprintf(comm, sizeof(comm), "%s", d->daemon->comm);
	if (d->daemon->login && pam_sets_limits(pit_facts_root(f))) {
		pit_evidence(out, where, "%s for logins by PAM", text);
		*ret = pam;
	} else if (pam > *ret) {
		pit_evidence(out, where, "%s, but that does not reach what %s starts", text, comm);
	}
	return 0;
}

/* The worst daemon. */
struct worst {
	const struct pit_daemon_found *found;
	uint64_t value;
};

int pit_probe_limit_daemons(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			    struct pit_error *err)
{
	struct pit_daemon_found found[PIT_DAEMONS_MAX];
	const struct pit_limit *l = row->arg;
	struct wanted w = want_here(facts, l);
	struct worst worst = {.value = UINT64_MAX};
	const struct pit_procs *procs;
	char observed[160], text[32];
	size_t n, seen = 0;
	uint64_t value;
	int failed = 0, rc = pit_facts_procs(facts, &procs, err);

	if (rc)
		return rc;
	n = pit_daemons_find(procs, found);
	if (!n)
		return pit_skip(out, "no daemon that starts jobs is seen here");
	say_wanted(l, &w, out);
	for (size_t i = 0; i < n; i++) {
		rc = value_for_jobs(facts, &found[i], l, &value, out);
		failed = rc ? rc : failed;
		seen += !rc;
		if (!rc && (!worst.found || value < worst.value))
			worst = (struct worst){.found = &found[i], .value = value};
	}
	if (!seen)
		return pit_fail(err, -failed, "%s of %s (PID %d)", l->name, found[0].daemon->comm, found[0].pid);
	snprintf(observed, sizeof(observed), "%s for jobs of %s (PID %d)", show(l, worst.value, text, sizeof(text)),
		 worst.found->daemon->comm, worst.found->pid);
	if (worst.value < w.least) {
		say_origin(pit_facts_root(facts), worst.found->daemon, l, out);
		pit_remedy(out, "Set %s= in a drop-in (systemctl edit %s) and restart the service%s.", l->unit_key,
			   unit_of(pit_facts_root(facts), worst.found->daemon),
			   worst.found->daemon->login ? ", or set it for logins in /etc/security/limits.d" : "");
	}
	return judge(out, &w, worst.value, observed);
}

int pit_probe_limit_gpu(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			struct pit_error *err)
{
	const struct pit_limit *l = row->arg;
	struct wanted w = want_here(facts, l);
	const struct pit_idset *holders;
	const struct pit_procs *procs;
	uint64_t soft, hard, least = UINT64_MAX;
	char observed[160], text[32], name[96];
	size_t seen = 0;
	int worst = 0, rc = pit_facts_procs(facts, &procs, err);

	if (!rc)
		rc = pit_facts_gpu_holders(facts, &holders, err);
	if (rc)
		return rc;
	say_wanted(l, &w, out);
	PIT_IDSET_FOREACH (pid, holders) {
		if (read_limit(facts, pid, l, &soft, &hard, out))
			continue;
		if (!seen++ || soft < least) {
			least = soft;
			worst = pid;
		}
	}
	if (!seen)
		return pit_skip(out, "no process that we may see holds a GPU");
	snprintf(observed, sizeof(observed), "%s in %s", show(l, least, text, sizeof(text)),
		 pit_process_name(procs, worst, name, sizeof(name)));
	return judge(out, &w, least, observed);
}
