/* SPDX-License-Identifier: MIT
 *
 * Rows about single settings of Slurm.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "check/slurm.h"

static bool suits(const struct pit_slurm_setting *s, const char *value)
{
	pit_auto_strv struct pit_strv words = {0};
	bool one = false, all = true;

	pit_strv_split(&words, s->want, " ");
	for (size_t i = 0; i < words.count; i++) {
		bool has = pit_slurm_list_has(value, words.item[i]);

		/* "task/cgroup" and "cgroup" are the same plugin. */
		if (!has && strchr(words.item[i], '/'))
			has = pit_slurm_list_has(value, strchr(words.item[i], '/') + 1);
		one |= has;
		all &= has;
	}
	return s->all ? all : one;
}

static void name_place(const struct pit_slurm_line *line, const char *key, const char *value, struct pit_finding *out)
{
	char where[320];

	snprintf(where, sizeof(where), "%s:%d", line->file, line->line);
	pit_evidence(out, where, "%s=%s", key, value);
	pit_origin(out, "%s", where);
}

/* Login nodes have slurm.conf, and neither cgroup.conf nor the programs of compute nodes. */
static bool is_compute_node(struct pit_facts *f)
{
	pit_auto_slurm_host struct pit_slurm_host h = {0};

	return !pit_slurm_host_load(f, &h, NULL);
}

int pit_slurm_setting_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			    struct pit_error *err)
{
	const struct pit_slurm_setting *s = row->arg;
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0};
	const struct pit_slurm_line *line = NULL;
	const char *value;
	int rc = pit_slurm_conf_load(pit_facts_root(f), s->file, &conf, err);

	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
		return rc;
	if (rc && !is_compute_node(f))
		return pit_skip(out, "no %s, and no compute node by slurm.conf", s->file);
	pit_want(out, "%s=%s", s->key, s->want);
	value = pit_slurm_get(&conf, s->key, &line);
	if (value) {
		name_place(line, s->key, value, out);
		return suits(s, value) ? pit_pass(out, "%s=%s", s->key, value) : pit_bad(out, "%s=%s", s->key, value);
	}
	pit_evidence(out, conf.path, rc ? "not there: defaults hold" : "%s is not set", s->key);
	if (!s->unset)
		return pit_pass(out, "%s unset: Slurm's default", s->key);
	return suits(s, s->unset) ? pit_pass(out, "%s unset: %s", s->key, s->unset)
				  : pit_bad(out, "%s unset: %s", s->key, s->unset);
}

/* slurm.conf or cgroup.conf and one of its settings; "" when it or the file is absent. */
static int get(struct pit_facts *f, const char *file, const char *key, struct pit_slurm_conf *conf, const char **ret,
	       struct pit_finding *out, struct pit_error *err)
{
	const struct pit_slurm_line *line = NULL;
	int rc = pit_slurm_conf_load(pit_facts_root(f), file, conf, err);

	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
		return rc;
	*ret = pit_slurm_get(conf, key, &line);
	if (*ret)
		name_place(line, key, *ret, out);
	else
		*ret = "";
	return 0;
}

int pit_slurm_swap_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			 struct pit_error *err)
{
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0};
	struct pit_text meminfo;
	uint64_t swap_kb;
	const char *value;
	bool on;
	int rc = pit_root_read(pit_facts_root(f), &meminfo, "/proc/meminfo");

	if (!rc)
		rc = pit_kv_u64(meminfo.data, "SwapTotal", &swap_kb);
	if (rc)
		return pit_fail(err, -rc, "SwapTotal in /proc/meminfo");
	rc = get(f, "cgroup.conf", "ConstrainSwapSpace", &conf, &value, out, err);
	if (rc)
		return rc;
	if (!swap_kb)
		return pit_pass(out, "no swap to constrain");
	pit_evidence(out, "/proc/meminfo", "SwapTotal %" PRIu64 " kB", swap_kb);
	pit_want(out, "ConstrainSwapSpace=yes");
	if (!pit_parse_bool(value, &on) && on)
		return pit_pass(out, "ConstrainSwapSpace=%s", value);
	if (!conf.count && !is_compute_node(f))
		return pit_skip(out, "no cgroup.conf, and no compute node by slurm.conf");
	return pit_bad(out, "swap is on, ConstrainSwapSpace=%s", *value ? value : "no (default)");
}

int pit_slurm_memlock_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			    struct pit_error *err)
{
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0};
	const char *except, *which;
	int rc = get(f, "slurm.conf", "PropagateResourceLimitsExcept", &conf, &except, out, err);

	if (rc)
		return rc;
	which = pit_slurm_get(&conf, "PropagateResourceLimits", NULL);
	pit_want(out, "PropagateResourceLimitsExcept=MEMLOCK");
	if (pit_slurm_list_has(except, "MEMLOCK") || pit_slurm_list_has(except, "ALL"))
		return pit_pass(out, "PropagateResourceLimitsExcept=%s", except);
	if (which && !pit_slurm_list_has(which, "MEMLOCK") && !pit_slurm_list_has(which, "ALL"))
		return pit_pass(out, "PropagateResourceLimits=%s", which);
	pit_evidence(out, conf.path, "PropagateResourceLimits=%s", which ? which : "ALL (default)");
	return pit_bad(out, "jobs take memlock from the submitting shell");
}

int pit_slurm_health_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			   struct pit_error *err)
{
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0};
	const char *program, *interval;
	uint64_t seconds = 0;
	int rc = get(f, "slurm.conf", "HealthCheckProgram", &conf, &program, out, err);

	if (rc)
		return rc;
	pit_want(out, "HealthCheckProgram and HealthCheckInterval set");
	interval = pit_slurm_get(&conf, "HealthCheckInterval", NULL);
	if (!*program) {
		pit_evidence(out, conf.path, "HealthCheckProgram is not set");
		return pit_judge(out, PIT_WARN, PIT_STYLE, "HealthCheckProgram unset");
	}
	rc = pit_root_exists(pit_facts_root(f), "%s", program);
	if (pit_root_state(rc) == PIT_STATE_ABSENT && is_compute_node(f))
		return pit_bad(out, "%s is not there", program);
	if (!interval || pit_parse_u64(interval, &seconds) || !seconds)
		return pit_bad(out, "HealthCheckInterval=%s: it never runs", interval ? interval : "0 (default)");
	return pit_pass(out, "%s every %s s", program, interval);
}

int pit_slurm_unkillable_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	const uint64_t least = 120;
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0};
	const char *value;
	uint64_t seconds = 60;
	int rc = get(f, "slurm.conf", "UnkillableStepTimeout", &conf, &value, out, err);

	if (rc)
		return rc;
	if (*value && pit_parse_u64(value, &seconds))
		return pit_fail(err, EBADMSG, "UnkillableStepTimeout=%s", value);
	if (!*value)
		pit_evidence(out, conf.path, "UnkillableStepTimeout is not set: 60 s");
	pit_want(out, "UnkillableStepTimeout at least %" PRIu64, least);
	return seconds >= least ? pit_pass(out, "%" PRIu64 " s", seconds)
				: pit_bad(out, "%" PRIu64 " s%s", seconds, *value ? "" : " (default)");
}

int pit_slurm_prolog_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			   struct pit_error *err)
{
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0};
	const char *value;
	int rc = get(f, "slurm.conf", "PrologFlags", &conf, &value, out, err);

	if (rc)
		return rc;
	pit_want(out, "PrologFlags=Contain");
	if (pit_slurm_list_has(value, "Contain") || pit_slurm_list_has(value, "X11"))
		return pit_pass(out, "PrologFlags=%s", value);
	if (!*value)
		pit_evidence(out, conf.path, "PrologFlags is not set");
	return pit_bad(out, "PrologFlags=%s", *value ? value : "unset");
}

int pit_slurm_tmp_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			struct pit_error *err)
{
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0}, container = {0};
	const char *value, *base;
	int rc = get(f, "slurm.conf", "JobContainerType", &conf, &value, out, err);

	if (rc)
		return rc;
	pit_want(out, "JobContainerType=job_container/tmpfs");
	if (!strstr(value, "tmpfs")) {
		const char *tmp = pit_slurm_get(&conf, "TmpFS", NULL);

		pit_evidence(out, conf.path, "JobContainerType %s, TmpFS=%s", *value ? value : "is not set",
			     tmp ? tmp : "/tmp (default)");
		return pit_bad(out, "jobs share /tmp and /dev/shm");
	}
	rc = pit_slurm_conf_load(pit_facts_root(f), "job_container.conf", &container, err);
	if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
		return rc;
	base = rc ? NULL : pit_slurm_get(&container, "BasePath", NULL);
	for (size_t i = 0; !base && i < container.count; i++)
		base = pit_slurm_pair(&container.item[i], "BasePath");
	if (!base && !is_compute_node(f))
		return pit_skip(out, "no job_container.conf, and no compute node by slurm.conf");
	if (!base)
		return pit_judge(out, PIT_FAIL, PIT_RISK, "no BasePath in %s", container.path);
	return pit_pass(out, "%s, BasePath=%s", value, base);
}

int pit_slurm_cgroup_version_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
				   struct pit_error *err)
{
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0};
	const struct pit_mounts *mounts;
	const struct pit_mount *m;
	const char *value;
	bool v2;
	int rc = get(f, "cgroup.conf", "CgroupPlugin", &conf, &value, out, err);

	if (!rc)
		rc = pit_facts_mounts(f, &mounts, err);
	if (rc)
		return rc;
	m = pit_mounts_find(mounts, "/sys/fs/cgroup");
	if (!m || strcmp(m->target, "/sys/fs/cgroup") != 0)
		return pit_skip(out, "no control groups are mounted here");
	v2 = !strcmp(m->type, "cgroup2");
	pit_evidence(out, m->file, "%s of type %s", m->target, m->type);
	pit_want(out, "autodetect or cgroup/v%d", v2 ? 2 : 1);
	if (strcasestr(value, v2 ? "v1" : "v2"))
		return pit_bad(out, "CgroupPlugin=%s on cgroup v%d", value, v2 ? 2 : 1);
	return pit_pass(out, "%s on cgroup v%d", *value ? value : "autodetect", v2 ? 2 : 1);
}

int pit_slurm_overrides_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			      struct pit_error *err)
{
	pit_auto_slurm_conf struct pit_slurm_conf conf = {0};
	const char *value;
	int rc = get(f, "slurm.conf", "SlurmdParameters", &conf, &value, out, err);

	if (rc)
		return rc;
	pit_want(out, "no config_overrides");
	return pit_slurm_list_has(value, "config_overrides") ? pit_bad(out, "config_overrides is set")
							     : pit_pass(out, "%s", *value ? value : "unset");
}
