/* SPDX-License-Identifier: MIT
 *
 * The kubelet's resource managers against the CPUs, memory and NUMA nodes of the machine.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/kube.h"
#include "check/offenders.h"

#define NODES_MAX 8 /* of the TopologyManager without the option max-allowable-numa-nodes */

static bool option(const struct pit_kube *k, const char *key)
{
	const char *value = pit_conf_get(&k->conf, key);
	bool on = false;

	return value && !pit_parse_bool(value, &on) && on;
}

int pit_kube_topology_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			    struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	const char *policy, *scope, *cpus;
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	policy = pit_kube_value(&k, "topologyManagerPolicy", "none", out);
	scope = pit_kube_value(&k, "topologyManagerScope", "container", out);
	cpus = pit_kube_value(&k, "cpuManagerPolicy", "none", out);
	pit_want(out, "best-effort, restricted or single-numa-node, with cpuManagerPolicy: static");
	if (!strcmp(policy, "none"))
		return pit_bad(out, "topologyManagerPolicy none");
	if (strcmp(cpus, "static") != 0)
		return pit_bad(out, "%s, but cpuManagerPolicy %s", policy, cpus);
	return pit_pass(out, "%s per %s", policy, scope);
}

int pit_kube_topology_nodes_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				  struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	const struct pit_topo *topo;
	const char *policy, *most;
	uint64_t allowed = NODES_MAX;
	size_t without = 0;
	int rc = pit_kube_load(f, &k, err);

	if (!rc)
		rc = pit_facts_topo(f, &topo, err);
	if (rc)
		return rc;
	policy = pit_kube_value(&k, "topologyManagerPolicy", "none", out);
	most = pit_conf_get(&k.conf, "topologyManagerPolicyOptions/max-allowable-numa-nodes");
	if (most && pit_parse_u64(most, &allowed))
		return pit_fail(err, EBADMSG, "max-allowable-numa-nodes: %s", most);
	for (size_t i = 0; i < topo->nodes; i++)
		without += pit_idset_is_empty(&topo->node[i].cpus);
	pit_evidence(out, "/sys/devices/system/node", "%zu nodes, %zu of them without CPUs", topo->nodes, without);
	pit_want(out, "at most %" PRIu64 " NUMA nodes", allowed);
	if (!strcmp(policy, "none"))
		return pit_pass(out, "topologyManagerPolicy none");
	if (topo->nodes > allowed)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "%zu NUMA nodes, the kubelet takes %" PRIu64, topo->nodes,
				 allowed);
	if (topo->nodes > NODES_MAX || (without && without * 2 >= topo->nodes && topo->nodes > 4))
		return pit_bad(out, "%zu NUMA nodes, %zu without CPUs", topo->nodes, without);
	return pit_pass(out, "%zu NUMA nodes", topo->nodes);
}

int pit_kube_memory_manager_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				  struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	const char *policy, *topology;
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	policy = pit_kube_value(&k, "memoryManagerPolicy", "None", out);
	topology = pit_kube_value(&k, "topologyManagerPolicy", "none", out);
	pit_want(out, "Static when the TopologyManager aligns CPUs and GPUs");
	if (!strcmp(policy, "Static"))
		return pit_pass(out, "Static");
	if (!strcmp(topology, "none") || !strcmp(topology, "best-effort"))
		return pit_pass(out, "%s, topologyManagerPolicy %s", policy, topology);
	return pit_bad(out, "%s with topologyManagerPolicy %s", policy, topology);
}

/* A quantity of the configuration, 0 when it is not set; a share of memory in percent for an eviction threshold. */
static int quantity(const struct pit_kube *k, const char *key, const char *unset, uint64_t total, uint64_t *ret,
		    struct pit_error *err)
{
	const char *text = pit_conf_get(&k->conf, key);
	size_t len;
	double percent;
	char number[32];

	text = text ? text : unset;
	len = strlen(text);
	if (len && len < sizeof(number) && text[len - 1] == '%') {
		snprintf(number, sizeof(number), "%.*s", (int)(len - 1), text);
		if (pit_parse_double(number, &percent) || percent < 0 || percent > 100)
			return pit_fail(err, EBADMSG, "%s: %s", key, text);
		*ret = (uint64_t)(percent / 100 * (double)total);
		return 0;
	}
	return pit_kube_quantity(text, ret) ? pit_fail(err, EBADMSG, "%s: %s", key, text) : 0;
}

/* The sum of reservedMemory's "memory" over all nodes. */
static int sum_reserved(const struct pit_kube *k, uint64_t *ret, struct pit_error *err)
{
	uint64_t sum = 0, bytes;

	for (size_t i = 0; i < k->conf.count; i++) {
		const struct pit_conf_entry *e = &k->conf.item[i];
		const char *rest = pit_conf_below(e, "reservedMemory");

		if (!rest || !strstr(rest, "limits/memory") ||
		    strcmp(strstr(rest, "limits/memory"), "limits/memory") != 0)
			continue;
		if (pit_kube_quantity(e->value, &bytes))
			return pit_fail(err, EBADMSG, "%s: %s", e->key, e->value);
		sum += bytes;
	}
	*ret = sum;
	return 0;
}

int pit_kube_reserved_memory_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				   struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	uint64_t total = 0, kube = 0, system = 0, eviction = 0, reserved = 0;
	struct pit_text meminfo;
	char a[32], b[32];
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	if (strcmp(pit_kube_value(&k, "memoryManagerPolicy", "None", out), "Static") != 0)
		return pit_pass(out, "memoryManagerPolicy is not Static");
	if (!pit_root_read(pit_facts_root(f), &meminfo, "/proc/meminfo") &&
	    !pit_kv_u64(meminfo.data, "MemTotal", &total))
		total *= 1024;
	rc = quantity(&k, "kubeReserved/memory", "0", total, &kube, err);
	rc = rc ? rc : quantity(&k, "systemReserved/memory", "0", total, &system, err);
	rc = rc ? rc : quantity(&k, "evictionHard/memory.available", "100Mi", total, &eviction, err);
	rc = rc ? rc : sum_reserved(&k, &reserved, err);
	if (rc)
		return rc;
	snprintf(a, sizeof(a), "%" PRIu64 " MiB", reserved >> 20);
	snprintf(b, sizeof(b), "%" PRIu64 " MiB", (kube + system + eviction) >> 20);
	pit_evidence(out, k.path[0] ? k.path : "flags of the kubelet",
		     "reservedMemory %" PRIu64 "; kubeReserved %" PRIu64 " + systemReserved %" PRIu64
		     " + eviction %" PRIu64,
		     reserved, kube, system, eviction);
	pit_want(out, "reservedMemory in all = %s", b);
	return reserved == kube + system + eviction ? pit_pass(out, "%s", a) : pit_bad(out, "%s, not %s", a, b);
}

/* True when kubeReserved or systemReserved keeps some CPU. */
static bool reserves_cpu(const struct pit_kube *k)
{
	static const char *const keys[] = {"kubeReserved/cpu", "systemReserved/cpu"};

	for (size_t i = 0; i < PIT_COUNT(keys); i++) {
		const char *text = pit_conf_get(&k->conf, keys[i]);

		if (text && strspn(text, "0.m") != strlen(text))
			return true;
	}
	return false;
}

int pit_kube_reserved_cpus_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				 struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	pit_auto_idset struct pit_idset set = {0};
	const struct pit_topo *topo;
	const char *policy, *text;
	int rc = pit_kube_load(f, &k, err);

	if (!rc)
		rc = pit_facts_topo(f, &topo, err);
	if (rc)
		return rc;
	policy = pit_kube_value(&k, "cpuManagerPolicy", "none", out);
	text = pit_kube_value(&k, "reservedSystemCPUs", "", out);
	pit_want(out, "online CPUs, not all of them; some with cpuManagerPolicy: static");
	if (pit_idset_parse(text, &set, NULL))
		return pit_fail(err, EBADMSG, "reservedSystemCPUs: %s", text);
	if (!pit_idset_is_subset(&set, &topo->cpus.online))
		return pit_bad(out, "reservedSystemCPUs %s are not all online", text);
	if (topo->cpus.count && pit_idset_equal(&set, &topo->cpus.online))
		return pit_bad(out, "all CPUs are reserved");
	if (!strcmp(policy, "static") && !*text && !reserves_cpu(&k))
		return pit_bad(out, "static, but no CPU is reserved");
	return pit_pass(out, "%s", *text ? text : reserves_cpu(&k) ? "by amount" : "none needed");
}

int pit_kube_reserved_irqs_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				 struct pit_error *err)
{
	static const char path[] = "/proc/irq/default_smp_affinity";
	pit_auto_kube struct pit_kube k = {0};
	pit_auto_idset struct pit_idset reserved = {0}, irqs = {0};
	const struct pit_topo *topo;
	const char *text;
	char mask[4096], shown[64];
	int rc = pit_kube_load(f, &k, err);

	if (!rc)
		rc = pit_facts_topo(f, &topo, err);
	if (rc)
		return rc;
	text = pit_kube_value(&k, "reservedSystemCPUs", "", out);
	if (!*text)
		return pit_pass(out, "no CPUs are reserved by number");
	rc = pit_root_str(pit_facts_root(f), mask, sizeof(mask), "%s", path);
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	if (pit_idset_parse(text, &reserved, NULL) || pit_idset_parse_mask(mask, &irqs, NULL))
		return pit_fail(err, EBADMSG, "reservedSystemCPUs %s or %s %s", text, path, mask);
	pit_idset_intersect(&irqs, &topo->cpus.online);
	pit_idset_format(&irqs, shown, sizeof(shown));
	pit_evidence(out, path, "%s: CPUs %s", mask, shown);
	pit_want(out, "all CPUs, or CPUs within %s", text);
	if (pit_idset_equal(&irqs, &topo->cpus.online))
		return pit_pass(out, "interrupts are not confined");
	return pit_idset_is_subset(&irqs, &reserved) ? pit_pass(out, "within %s", text)
						     : pit_bad(out, "interrupts on %s, reserved are %s", shown, text);
}

/* "policyName" of a checkpoint file against the configured policy. */
static int compare_policy(struct pit_root *root, const char *path, const char *policy, struct pit_conf *state,
			  struct pit_offenders *p, struct pit_finding *out, struct pit_error *err)
{
	struct pit_text text;
	const char *name;
	int rc = pit_root_read(root, &text, "%s", path);

	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return 0;
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	rc = pit_conf_json(text.data, state, err);
	if (rc)
		return pit_wrap(err, rc, "%s", path);
	name = pit_conf_get(state, "policyName");
	if (!name)
		return pit_fail(err, EBADMSG, "%s has no policyName", path);
	if (strcmp(name, policy) != 0)
		pit_problem(p, out, path, "made by policy %s, configured is %s", name, policy);
	else
		pit_evidence(out, path, "policyName %s", name);
	return 0;
}

/* The CPUs that the static policy knows, shared and given away, against those online. */
static int compare_cpus(struct pit_facts *f, const struct pit_conf *state, struct pit_offenders *p,
			struct pit_finding *out, struct pit_error *err)
{
	pit_auto_idset struct pit_idset all = {0};
	const struct pit_topo *topo;
	char known[64], online[64];
	int rc = pit_facts_topo(f, &topo, err);

	for (size_t i = 0; i < state->count && !rc; i++) {
		pit_auto_idset struct pit_idset set = {0};

		if (strcmp(state->item[i].key, "defaultCpuSet") != 0 && !pit_conf_below(&state->item[i], "entries"))
			continue;
		if (pit_idset_parse(state->item[i].value, &set, NULL))
			return pit_fail(err, EBADMSG, "%s: %s", state->item[i].key, state->item[i].value);
		rc = pit_idset_unite(&all, &set);
	}
	if (rc || !topo->cpus.count || pit_idset_equal(&all, &topo->cpus.online))
		return rc;
	pit_problem(p, out, "/var/lib/kubelet/cpu_manager_state", "knows CPUs %s, online are %s",
		    pit_idset_format(&all, known, sizeof(known)),
		    pit_idset_format(&topo->cpus.online, online, sizeof(online)));
	return 0;
}

int pit_kube_checkpoint_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			      struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	pit_auto_conf struct pit_conf cpus = {0}, memory = {0};
	struct pit_offenders p = {0};
	struct pit_root *root = pit_facts_root(f);
	const char *policy;
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	policy = pit_kube_value(&k, "cpuManagerPolicy", "none", out);
	rc = compare_policy(root, "/var/lib/kubelet/cpu_manager_state", policy, &cpus, &p, out, err);
	if (!rc && cpus.count && !p.count && !strcmp(policy, "static"))
		rc = compare_cpus(f, &cpus, &p, out, err);
	policy = pit_conf_get(&k.conf, "memoryManagerPolicy");
	if (!rc)
		rc = compare_policy(root, "/var/lib/kubelet/memory_manager_state", policy ? policy : "None", &memory,
				    &p, out, err);
	if (rc)
		return rc;
	pit_want(out, "checkpoints made by the configured policies");
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p))
		       : pit_pass(out, cpus.count ? "they agree" : "no checkpoint yet");
}

int pit_kube_spread_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_kube struct pit_kube k = {0};
	bool spread, closest;
	int rc = pit_kube_load(f, &k, err);

	if (rc)
		return rc;
	pit_kube_value(&k, "cpuManagerPolicyOptions/distribute-cpus-across-numa", "false", out);
	pit_kube_value(&k, "topologyManagerPolicyOptions/prefer-closest-numa-nodes", "false", out);
	spread = option(&k, "cpuManagerPolicyOptions/distribute-cpus-across-numa");
	closest = option(&k, "topologyManagerPolicyOptions/prefer-closest-numa-nodes");
	pit_want(out, "not distribute-cpus-across-numa and prefer-closest-numa-nodes together");
	if (spread && closest)
		return pit_bad(out, "CPUs are spread over the closest nodes only");
	return pit_pass(out, "%s", spread ? "CPUs are spread" : closest ? "closest nodes" : "neither option");
}
