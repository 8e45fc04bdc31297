/* SPDX-License-Identifier: MIT */
#include "check/irq.h"
#include "check/devices.h"

#include <inttypes.h>
#include <string.h>

#include "check/irq_map.h"
#include "check/offenders.h"

/* CPUs of a mask file that are isolated, as text in `out`; 1 some, 0 none, -errno. */
static int overlap(struct pit_root *root, const char *path, const struct pit_idset *isolated, char *out, size_t size)
{
	pit_auto_idset struct pit_idset mask = {0};
	char line[2048];
	int rc = pit_root_str(root, line, sizeof(line), "%s", path);

	if (rc)
		return rc;
	if (pit_idset_parse_mask(line, &mask, NULL))
		return -EBADMSG;
	pit_idset_intersect(&mask, isolated);
	pit_idset_format(&mask, out, size);
	return !pit_idset_is_empty(&mask);
}

int pit_irq_default_mask(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
			 struct pit_error *err)
{
	const char *path = "/proc/irq/default_smp_affinity";
	pit_auto_idset struct pit_idset isolated = {0};
	char cpus[64];
	int rc = pit_irq_isolated(facts, &isolated, err);

	if (rc)
		return rc;
	if (pit_idset_is_empty(&isolated))
		return pit_pass(out, "no isolated CPUs");
	rc = overlap(pit_facts_root(facts), path, &isolated, cpus, sizeof(cpus));
	if (rc < 0)
		return pit_fail(err, -rc, "%s", path);
	pit_want(out, "no isolated CPU in the default mask");
	pit_evidence(out, path, rc ? "holds isolated CPUs %s" : "holds no isolated CPU%s", cpus);
	if (rc)
		return pit_bad(out, "holds isolated CPUs %s", cpus);
	return pit_pass(out, "no isolated CPU in it");
}

/* The value of a shell assignment at `line`, quotes taken off, in `ret`. False when it is another line. */
static bool assignment(const char *line, const char *name, char *ret, size_t size)
{
	size_t len = strlen(name);

	line += strspn(line, " \t");
	if (strncmp(line, name, len) != 0 || line[len] != '=')
		return false;
	line += len + 1;
	line += *line == '"' || *line == '\'';
	snprintf(ret, size, "%.*s", (int)strcspn(line, "\"'\n#"), line);
	return true;
}

int pit_irqbalance_banned_parse(const char *text, struct pit_idset *ret)
{
	int found = 0;
	char value[1024];

	for (const char *line = text; line; line = strchr(line, '\n')) {
		pit_auto_idset struct pit_idset set = {0};
		int rc = 0;

		line += *line == '\n';
		if (assignment(line, "IRQBALANCE_BANNED_CPULIST", value, sizeof(value)))
			rc = *value ? pit_idset_parse(value, &set, NULL) : 0;
		else if (assignment(line, "IRQBALANCE_BANNED_CPUS", value, sizeof(value)))
			rc = *value ? pit_idset_parse_mask(value, &set, NULL) : 0;
		else
			continue;
		if (rc || pit_idset_unite(ret, &set))
			return -EBADMSG;
		found |= *value != '\0';
	}
	return found;
}

int pit_irq_banned(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	static const char *const files[] = {"/etc/default/irqbalance", "/etc/sysconfig/irqbalance"};
	pit_auto_idset struct pit_idset isolated = {0};
	char cpus[64];
	int rc = pit_irq_isolated(facts, &isolated, err);

	if (rc)
		return rc;
	if (pit_idset_is_empty(&isolated) || !pit_facts_process(facts, "irqbalance"))
		return pit_pass(out, pit_idset_is_empty(&isolated) ? "no isolated CPUs" : "irqbalance does not run");
	pit_want(out, "isolated CPUs %s banned", pit_idset_format(&isolated, cpus, sizeof(cpus)));
	for (size_t i = 0; i < PIT_COUNT(files); i++) {
		pit_auto_idset struct pit_idset banned = {0};
		struct pit_text text;

		if (pit_root_read(pit_facts_root(facts), &text, "%s", files[i]))
			continue;
		rc = pit_irqbalance_banned_parse(text.data, &banned);
		if (rc < 0)
			return pit_fail(err, -rc, "the banned CPUs in %s", files[i]);
		if (!rc)
			continue;
		pit_evidence(out, files[i], "bans CPUs %s", pit_idset_format(&banned, cpus, sizeof(cpus)));
		pit_idset_subtract(&isolated, &banned);
		if (pit_idset_is_empty(&isolated))
			return pit_pass(out, "all banned");
		return pit_bad(out, "CPUs %s are isolated and not banned",
			       pit_idset_format(&isolated, cpus, sizeof(cpus)));
	}
	return pit_pass(out, "no list of its own: irqbalance leaves isolated CPUs alone");
}

int pit_irq_workqueues(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	static const char *const files[] = {"/sys/devices/virtual/workqueue/cpumask",
					    "/sys/devices/virtual/workqueue/writeback/cpumask"};
	pit_auto_idset struct pit_idset isolated = {0};
	struct pit_offenders bad = {0};
	char cpus[64];
	int rc = pit_irq_isolated(facts, &isolated, err);

	if (rc)
		return rc;
	if (pit_idset_is_empty(&isolated))
		return pit_pass(out, "no isolated CPUs");
	for (size_t i = 0; i < PIT_COUNT(files); i++) {
		rc = overlap(pit_facts_root(facts), files[i], &isolated, cpus, sizeof(cpus));
		if (rc < 0 && !i)
			return pit_fail(err, -rc, "%s", files[i]);
		if (rc <= 0)
			continue;
		pit_offenders_add(&bad, "%s: %s", i ? "writeback" : "unbound", cpus);
		pit_evidence(out, files[i], "holds isolated CPUs %s", cpus);
	}
	pit_want(out, "no isolated CPU in the masks of workqueues");
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "no isolated CPU in them");
}

static bool is_physical(struct pit_root *root, const char *nic)
{
	return !pit_root_exists(root, "/sys/class/net/%s/device", nic);
}

/* Judges the receive queues of one NIC: adds those whose RPS mask holds isolated CPUs. */
static void judge_rps(struct pit_root *root, const char *nic, const struct pit_idset *isolated,
		      struct pit_offenders *bad, struct pit_finding *out)
{
	const struct pit_strv *queues;
	char path[128], cpus[64];

	if (pit_root_list(root, &queues, "/sys/class/net/%s/queues", nic))
		return;
	for (size_t i = 0; i < queues->count; i++) {
		if (strncmp(queues->item[i], "rx-", 3) != 0)
			continue;
		snprintf(path, sizeof(path), "/sys/class/net/%s/queues/%s/rps_cpus", nic, queues->item[i]);
		if (overlap(root, path, isolated, cpus, sizeof(cpus)) != 1)
			continue;
		pit_offenders_add(bad, "%s %s", nic, queues->item[i]);
		pit_evidence(out, path, "holds isolated CPUs %s", cpus);
	}
}

int pit_irq_rps(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	pit_auto_idset struct pit_idset isolated = {0};
	struct pit_offenders bad = {0};
	const struct pit_strv *nics;
	int rc = pit_irq_isolated(facts, &isolated, err);

	if (rc)
		return rc;
	if (pit_idset_is_empty(&isolated))
		return pit_pass(out, "no isolated CPUs");
	rc = pit_root_list(root, &nics, "/sys/class/net");
	if (rc)
		return pit_fail(err, -rc, "/sys/class/net");
	for (size_t i = 0; i < nics->count; i++)
		judge_rps(root, nics->item[i], &isolated, &bad, out);
	pit_want(out, "no isolated CPU in the RPS masks");
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "no isolated CPU in them");
}

/* Receive queues of a NIC; *ret_rps whether packets are spread by software. -1 unknown. */
static int count_queues(struct pit_root *root, const char *nic, bool *ret_rps)
{
	const struct pit_strv *queues;
	char mask[2048];
	int n = 0;

	*ret_rps = false;
	if (pit_root_list(root, &queues, "/sys/class/net/%s/queues", nic))
		return -1;
	for (size_t i = 0; i < queues->count; i++) {
		if (strncmp(queues->item[i], "rx-", 3) != 0)
			continue;
		n++;
		if (!pit_root_str(root, mask, sizeof(mask), "/sys/class/net/%s/queues/%s/rps_cpus", nic,
				  queues->item[i]) &&
		    strspn(mask, "0,") != strlen(mask))
			*ret_rps = true;
	}
	return n ? n : -1;
}

#define QUEUES_MIN 4

int pit_irq_queues(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out, struct pit_error *err)
{
	struct pit_root *root = pit_facts_root(facts);
	struct pit_offenders bad = {0};
	const struct pit_strv *nics;
	const struct pit_topo *topo;
	size_t judged = 0;
	int rc = pit_facts_topo(facts, &topo, err);

	if (rc)
		return rc;
	rc = pit_root_list(root, &nics, "/sys/class/net");
	if (rc)
		return pit_fail(err, -rc, "/sys/class/net");
	for (size_t i = 0; i < nics->count; i++) {
		const char *nic = nics->item[i];
		int64_t mbit;
		bool rps;
		int n;

		if (!is_physical(root, nic) || pit_root_i64(root, &mbit, "/sys/class/net/%s/speed", nic) ||
		    mbit < PIT_FAST_MBIT)
			continue;
		n = count_queues(root, nic, &rps);
		judged += n > 0;
		if (n <= 0 || n >= QUEUES_MIN || n >= topo->cpus.count || rps)
			continue;
		pit_offenders_add(&bad, "%s (%d)", nic, n);
		pit_evidence(out, "/sys/class/net", "%s: %" PRId64 " Mb/s, %d receive queues for %d CPUs, RPS off", nic,
			     mbit, n, topo->cpus.count);
		pit_command(out, "ethtool -L %s combined %d", nic, topo->cpus.count < 8 ? topo->cpus.count : 8);
	}
	if (!judged)
		return pit_skip(out, "no Ethernet link of 10 Gb/s or more");
	pit_want(out, "at least %d receive queues, or RPS", QUEUES_MIN);
	if (bad.count)
		return pit_bad(out, "%s", pit_offenders_text(&bad));
	return pit_pass(out, "enough");
}
