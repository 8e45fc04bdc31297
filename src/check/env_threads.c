/* SPDX-License-Identifier: MIT
 *
 * Threads that libraries start, against the CPUs that they may use.
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "check/env.h"
#include "check/offenders.h"

#define MANY 8 /* CPUs for each rank, from which one thread is a waste */

/* Ranks on this host, by the launcher's variables; 1 when none is set. */
static uint64_t local_ranks(struct pit_facts *f)
{
	static const char *const names[] = {"LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE"};
	uint64_t ranks;

	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		const char *value = pit_facts_env(f, names[i]);

		if (value && !pit_parse_u64(value, &ranks) && ranks)
			return ranks;
	}
	return 1;
}

/* CPUs of the process, and how many of them fall to each rank: all when the set is a part of the machine's, since a
 * launcher then has divided it. */
static int count_cpus(struct pit_facts *f, uint64_t ranks, uint64_t *ret_cpus, uint64_t *ret_share, bool *ret_divided,
		      struct pit_error *err)
{
	pit_auto_idset struct pit_idset allowed = {0};
	const struct pit_topo *topo;
	int rc = pit_env_allowed_cpus(f, &allowed, err);

	if (rc)
		return rc;
	*ret_cpus = pit_idset_count(&allowed);
	*ret_divided = !pit_facts_topo(f, &topo, NULL) && (uint64_t)topo->cpus.count > *ret_cpus;
	*ret_share = *ret_divided ? *ret_cpus : *ret_cpus / ranks;
	*ret_share = *ret_share ? *ret_share : 1;
	return 0;
}

/* The first number of "8" or "4,2". */
static int first_number(const char *text, uint64_t *ret)
{
	char word[24];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, ","), text);
	return pit_parse_u64(word, ret) || !*ret ? -EINVAL : 0;
}

int pit_env_omp_threads_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			      struct pit_error *err)
{
	uint64_t ranks, cpus, share, threads;
	const char *value;
	bool divided;
	int rc = pit_env_get(f, "OMP_NUM_THREADS", &value, err);

	if (rc)
		return rc;
	ranks = local_ranks(f);
	rc = count_cpus(f, ranks, &cpus, &share, &divided, err);
	if (rc)
		return rc;
	pit_evidence(out, "environment", "%" PRIu64 " CPUs allowed, %" PRIu64 " ranks on this host", cpus, ranks);
	pit_want(out, "about %" PRIu64 " for each rank", share);
	if (!value || !*value)
		return ranks > 1 && cpus > 1 && !divided
			       ? pit_bad(out, "unset: %" PRIu64 " ranks start %" PRIu64 " threads each", ranks, cpus)
			       : pit_pass(out, "unset: %" PRIu64 " threads", cpus);
	if (first_number(value, &threads))
		return pit_bad(out, "'%s' is no number of threads", value);
	if (threads > cpus)
		return pit_bad(out, "%" PRIu64 " threads on %" PRIu64 " CPUs", threads, cpus);
	if (threads > share)
		return pit_bad(out, "%" PRIu64 " threads in each of %" PRIu64 " ranks on %" PRIu64 " CPUs", threads,
			       ranks, cpus);
	if (threads == 1 && share >= MANY)
		return pit_judge(out, PIT_WARN, PIT_STYLE, "1 thread, %" PRIu64 " CPUs for each rank", share);
	return pit_pass(out, "%s", value);
}

int pit_env_blas_threads_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	static const char *const names[] = {"MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
					    "VECLIB_MAXIMUM_THREADS"};
	struct pit_offenders p = {0};
	uint64_t cpus, share, threads;
	const char *value, *seen = NULL;
	bool divided;
	int rc = count_cpus(f, local_ranks(f), &cpus, &share, &divided, err);

	if (rc)
		return rc;
	pit_want(out, "a number up to %" PRIu64, share);
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		rc = pit_env_get(f, names[i], &value, err);
		if (rc)
			return rc;
		if (!value || !*value)
			continue;
		seen = value;
		if (first_number(value, &threads))
			pit_problem(&p, out, names[i], "%s='%s' is no number", names[i], value);
		else if (threads > share)
			pit_problem(&p, out, names[i], "%s=%s, %" PRIu64 " CPUs for each rank", names[i], value, share);
	}
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%s", seen ? seen : "unset");
}

/* One variable with a list of CPUs against those allowed. */
static int judge_list(struct pit_facts *f, const char *name, int (*parse)(const char *, struct pit_idset *),
		      const struct pit_idset *allowed, struct pit_offenders *p, struct pit_finding *out,
		      struct pit_error *err)
{
	pit_auto_idset struct pit_idset cpus = {0};
	const char *value;
	char shown[48];
	int rc = pit_env_get(f, name, &value, err);

	if (rc || !value || !*value)
		return rc;
	rc = parse(value, &cpus);
	if (rc == -EINVAL)
		pit_problem(p, out, name, "%s='%.60s' cannot be read", name, value);
	if (rc)
		return rc == -ENOMEM ? rc : 0;
	pit_idset_subtract(&cpus, allowed);
	if (!pit_idset_is_empty(&cpus))
		pit_problem(p, out, name, "%s names CPUs that are not allowed: %s", name,
			    pit_idset_format(&cpus, shown, sizeof(shown)));
	return 0;
}

/* OMP_PROC_BIND alone makes every rank take the same first cores. */
static void judge_bind(struct pit_facts *f, size_t allowed, struct pit_offenders *p, struct pit_finding *out)
{
	const char *bind = pit_facts_env(f, "OMP_PROC_BIND"), *places = pit_facts_env(f, "OMP_PLACES");
	const struct pit_topo *topo;
	uint64_t ranks = local_ranks(f);

	if (!bind || !*bind || !strcasecmp(bind, "false") || ranks < 2 || (places && *places == '{'))
		return;
	if (!pit_facts_topo(f, &topo, NULL) && (size_t)topo->cpus.count == allowed)
		pit_problem(p, out, "OMP_PROC_BIND", "%s binds %" PRIu64 " ranks to the same cores", bind, ranks);
}

int pit_env_omp_affinity_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	struct pit_offenders p = {0};
	pit_auto_idset struct pit_idset allowed = {0};
	char shown[48];
	int rc = pit_env_allowed_cpus(f, &allowed, err);

	rc = rc ? rc : judge_list(f, "GOMP_CPU_AFFINITY", pit_env_gomp_cpus, &allowed, &p, out, err);
	rc = rc ? rc : judge_list(f, "KMP_AFFINITY", pit_env_kmp_cpus, &allowed, &p, out, err);
	rc = rc ? rc : judge_list(f, "OMP_PLACES", pit_env_omp_places, &allowed, &p, out, err);
	if (rc)
		return rc;
	judge_bind(f, pit_idset_count(&allowed), &p, out);
	pit_want(out, "CPUs within %s", pit_idset_format(&allowed, shown, sizeof(shown)));
	return p.count ? pit_bad(out, "%s", pit_offenders_text(&p)) : pit_pass(out, "within %s", shown);
}
