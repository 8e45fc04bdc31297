/* SPDX-License-Identifier: MIT
 *
 * Variables by which a launcher tells a rank its place.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "check/env.h"
#include "check/offenders.h"

struct rank {
	bool set;
	uint64_t value;
};

/* A variable that must be a number. */
static int get_number(struct pit_facts *f, const char *name, struct rank *ret, struct pit_offenders *p,
		      struct pit_finding *out, struct pit_error *err)
{
	const char *text;
	int rc = pit_env_get(f, name, &text, err);

	*ret = (struct rank){.set = false};
	if (rc || !text)
		return rc;
	if (pit_parse_u64(text, &ret->value))
		pit_problem(p, out, name, "%s='%s' is no number", name, text);
	else
		ret->set = true;
	return 0;
}

static void judge_pair(const struct rank *rank, const char *name, const struct rank *size, const char *size_name,
		       struct pit_offenders *p, struct pit_finding *out)
{
	if (rank->set && size->set && rank->value >= size->value)
		pit_problem(p, out, name, "%s=%" PRIu64 " with %s=%" PRIu64, name, rank->value, size_name, size->value);
}

/* Where the ranks meet. */
static void judge_master(struct pit_facts *f, const struct rank *world, const struct rank *local,
			 struct pit_offenders *p, struct pit_finding *out)
{
	const char *address = pit_facts_env(f, "MASTER_ADDR"), *port = pit_facts_env(f, "MASTER_PORT");
	const char *nodes = pit_facts_env(f, "SLURM_NNODES");
	uint64_t number, hosts = 1;
	bool many = local->set && world->set && world->value > local->value;

	if (nodes && !pit_parse_u64(nodes, &hosts) && hosts > 1)
		many = true;
	if (port && (pit_parse_u64(port, &number) || !number || number > 65535))
		pit_problem(p, out, "MASTER_PORT", "MASTER_PORT='%s' is no port", port);
	if (address && many &&
	    (!strncmp(address, "127.", 4) || !strcmp(address, "localhost") || !strcmp(address, "::1")))
		pit_problem(p, out, "MASTER_ADDR", "MASTER_ADDR=%s with ranks on several hosts", address);
	if (world->set && world->value > 1 && pit_facts_env(f, "RANK") && (!address || !*address))
		pit_problem(p, out, "MASTER_ADDR", "WORLD_SIZE=%" PRIu64 " and no MASTER_ADDR", world->value);
}

int pit_env_ranks_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			struct pit_error *err)
{
	struct pit_offenders p = {0};
	struct rank rank, world, local_rank, local;
	int rc = get_number(f, "RANK", &rank, &p, out, err);

	rc = rc ? rc : get_number(f, "WORLD_SIZE", &world, &p, out, err);
	rc = rc ? rc : get_number(f, "LOCAL_RANK", &local_rank, &p, out, err);
	rc = rc ? rc : get_number(f, "LOCAL_WORLD_SIZE", &local, &p, out, err);
	if (rc)
		return rc;
	pit_want(out, "ranks below their sizes, and a place to meet");
	judge_pair(&rank, "RANK", &world, "WORLD_SIZE", &p, out);
	judge_pair(&local_rank, "LOCAL_RANK", &local, "LOCAL_WORLD_SIZE", &p, out);
	if (local.set && world.set && local.value > world.value)
		pit_problem(&p, out, "LOCAL_WORLD_SIZE", "LOCAL_WORLD_SIZE=%" PRIu64 " with WORLD_SIZE=%" PRIu64,
			    local.value, world.value);
	if (rank.set && !world.set)
		pit_problem(&p, out, "WORLD_SIZE", "RANK=%" PRIu64 " and no WORLD_SIZE", rank.value);
	judge_master(f, &world, &local, &p, out);
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return rank.set ? pit_pass(out, "rank %" PRIu64 " of %" PRIu64, rank.value, world.value)
			: pit_pass(out, "unset");
}
