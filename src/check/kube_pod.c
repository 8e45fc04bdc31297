/* SPDX-License-Identifier: MIT
 *
 * Rows about pods: those that hold a GPU here, or the one that we are in.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/kube.h"

enum qos { QOS_UNKNOWN, QOS_GUARANTEED, QOS_BURSTABLE, QOS_BEST_EFFORT };
static const char *const qos_names[] = {"unknown", "Guaranteed", "Burstable", "BestEffort"};

/* By the path of a control group: ".../kubepods-burstable-pod...", ".../kubepods/besteffort/pod...". */
static enum qos qos_of_path(const char *text)
{
	if (!strstr(text, "kubepods"))
		return QOS_UNKNOWN;
	if (strstr(text, "besteffort"))
		return QOS_BEST_EFFORT;
	return strstr(text, "burstable") ? QOS_BURSTABLE : QOS_GUARANTEED;
}

/* By the score that the kubelet gives the processes of each class, for pods that see only their own control group. */
static enum qos qos_of_score(int64_t adj)
{
	if (adj == -997 || adj == -998)
		return QOS_GUARANTEED;
	if (adj == 1000)
		return QOS_BEST_EFFORT;
	return adj >= 2 && adj <= 999 ? QOS_BURSTABLE : QOS_UNKNOWN;
}

/* `name` is "self" or a process id. */
static enum qos qos_of(struct pit_facts *f, const char *name, bool in_pod, struct pit_finding *out)
{
	struct pit_root *root = pit_facts_root(f);
	struct pit_text text;
	char path[64], line[160];
	enum qos qos = QOS_UNKNOWN;
	int64_t adj;

	snprintf(path, sizeof(path), "/proc/%s/cgroup", name);
	if (!pit_root_read(root, &text, "%s", path))
		qos = qos_of_path(text.data);
	if (qos != QOS_UNKNOWN)
		pit_evidence(out, path, "%s", pit_first_line(strstr(text.data, "kubepods"), line, sizeof(line)));
	if (qos != QOS_UNKNOWN || !in_pod)
		return qos;
	snprintf(path, sizeof(path), "/proc/%s/oom_score_adj", name);
	if (pit_root_i64(root, &adj, "%s", path))
		return QOS_UNKNOWN;
	pit_evidence(out, path, "%" PRId64, adj);
	return qos_of_score(adj);
}

int pit_kube_qos_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
{
	const struct pit_platform *platform;
	const struct pit_idset *holders;
	bool in_pod = !pit_facts_platform(f, &platform, NULL) && !strcmp(platform->container, "kubernetes");
	char name[24] = "self";
	enum qos qos, worst;
	int weak = -1;

	if (pit_facts_options(f)->pid)
		snprintf(name, sizeof(name), "%d", pit_facts_options(f)->pid);
	worst = qos_of(f, name, in_pod, out);
	if (!pit_facts_gpu_holders(f, &holders, NULL)) {
		PIT_IDSET_FOREACH (pid, holders) {
			snprintf(name, sizeof(name), "%d", pid);
			qos = qos_of(f, name, in_pod, out);
			weak = qos > worst ? pid : weak;
			worst = qos > worst ? qos : worst;
		}
	}
	if (worst == QOS_UNKNOWN)
		return pit_skip(out, "no pod that uses a GPU is seen here");
	pit_want(out, "Guaranteed: requests equal limits, for CPU and memory");
	if (worst == QOS_GUARANTEED)
		return pit_pass(out, "Guaranteed");
	return weak >= 0 ? pit_bad(out, "process %d is in a %s pod", weak, qos_names[worst])
			 : pit_bad(out, "%s", qos_names[worst]);
}

int pit_kube_oom_group_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	const struct pit_mounts *mounts;
	const struct pit_mount *m;
	const char *single;
	bool v2;
	int rc = pit_kube_load(f, &k, err);

	if (!rc)
		rc = pit_facts_mounts(f, &mounts, err);
	if (rc)
		return rc;
	single = pit_kube_value(&k, "singleProcessOOMKill", "false", out);
	m = pit_mounts_find(mounts, "/sys/fs/cgroup");
	if (!m || strncmp(m->target, "/sys/fs/cgroup", 14) != 0)
		return pit_skip(out, "no control groups are mounted here");
	v2 = !strcmp(m->type, "cgroup2");
	pit_evidence(out, m->file, "cgroup v%d", v2 ? 2 : 1);
	pit_want(out, "cgroup v2 and singleProcessOOMKill: false");
	if (!v2)
		return pit_bad(out, "cgroup v1: one process of a container is killed");
	return strcmp(single, "true") ? pit_pass(out, "the whole container is killed")
				      : pit_bad(out, "singleProcessOOMKill: true");
}
