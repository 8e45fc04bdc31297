/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "launch/identity.h"
#include "launch/placement.h"

#define SIZES 3

/* What a launcher tells its ranks. */
struct dialect {
	const char *launcher;
	const char *local;       /* variable: rank on this host */
	const char *size[SIZES]; /* ranks on this host, the surest first */
	bool lists;              /* `size` may be a list of Slurm's, by node */
	const char *node;        /* position of this host in that list */
	const char *rank;
	const char *world[SIZES];
	const char *only_with; /* tells launchers apart that use the same names; NULL always */
};

/* In order of preference where names are the same. */
static const struct dialect dialects[] = {
	{.launcher = "torchrun",
	 .local = "LOCAL_RANK",
	 .size = {"LOCAL_WORLD_SIZE"},
	 .rank = "RANK",
	 .world = {"WORLD_SIZE"},
	 .only_with = "TORCHELASTIC_RUN_ID"},
	{.launcher = "environment",
	 .local = "LOCAL_RANK",
	 .size = {"LOCAL_WORLD_SIZE", "LOCAL_SIZE"},
	 .rank = "RANK",
	 .world = {"WORLD_SIZE"}},
	{.launcher = "slurm",
	 .local = "SLURM_LOCALID",
	 .size = {"SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE", "SLURM_NTASKS_PER_NODE"},
	 .lists = true,
	 .node = "SLURM_NODEID",
	 .rank = "SLURM_PROCID",
	 .world = {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"}},
	{.launcher = "openmpi",
	 .local = "OMPI_COMM_WORLD_LOCAL_RANK",
	 .size = {"OMPI_COMM_WORLD_LOCAL_SIZE"},
	 .rank = "OMPI_COMM_WORLD_RANK",
	 .world = {"OMPI_COMM_WORLD_SIZE"}},
	{.launcher = "intelmpi",
	 .local = "MPI_LOCALRANKID",
	 .size = {"MPI_LOCALNRANKS"},
	 .rank = "PMI_RANK",
	 .world = {"PMI_SIZE"},
	 .only_with = "I_MPI_ROOT"},
	{.launcher = "mpich",
	 .local = "MPI_LOCALRANKID",
	 .size = {"MPI_LOCALNRANKS"},
	 .rank = "PMI_RANK",
	 .world = {"PMI_SIZE"}},
	{.launcher = "pals",
	 .local = "PALS_LOCAL_RANKID",
	 .size = {"PALS_LOCAL_SIZE", "PMI_LOCAL_SIZE"},
	 .rank = "PALS_RANKID",
	 .world = {"PALS_NRANKS", "PALS_SIZE", "PMI_SIZE"}},
	{.launcher = "pmi",
	 .local = "PMI_LOCAL_RANK",
	 .size = {"PMI_LOCAL_SIZE"},
	 .rank = "PMI_RANK",
	 .world = {"PMI_SIZE"}},
	{.launcher = "mvapich",
	 .local = "MV2_COMM_WORLD_LOCAL_RANK",
	 .size = {"MV2_COMM_WORLD_LOCAL_SIZE"},
	 .rank = "MV2_COMM_WORLD_RANK",
	 .world = {"MV2_COMM_WORLD_SIZE"}},
	{.launcher = "mvapich",
	 .local = "MVP_COMM_WORLD_LOCAL_RANK",
	 .size = {"MVP_COMM_WORLD_LOCAL_SIZE"},
	 .rank = "MVP_COMM_WORLD_RANK",
	 .world = {"MVP_COMM_WORLD_SIZE"}},
	{.launcher = "jsrun",
	 .local = "JSM_NAMESPACE_LOCAL_RANK",
	 .size = {"JSM_NAMESPACE_LOCAL_SIZE"},
	 .rank = "JSM_NAMESPACE_RANK",
	 .world = {"JSM_NAMESPACE_SIZE"}},
	{.launcher = "horovod",
	 .local = "HOROVOD_LOCAL_RANK",
	 .size = {"HOROVOD_LOCAL_SIZE"},
	 .rank = "HOROVOD_RANK",
	 .world = {"HOROVOD_SIZE"}},
	{.launcher = "flux", .local = "FLUX_TASK_LOCAL_ID", .rank = "FLUX_TASK_RANK", .world = {"FLUX_JOB_SIZE"}},
	{.launcher = "kubernetes", .local = "JOB_COMPLETION_INDEX", .rank = "JOB_COMPLETION_INDEX"},
};

/* Variables of which it is known that they count the ranks of all hosts, and which one is meant instead. */
static const struct {
	const char *global, *local;
} mixed_up[] = {
	{"RANK", "LOCAL_RANK"},
	{"SLURM_PROCID", "SLURM_LOCALID"},
	{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK"},
	{"PMI_RANK", "MPI_LOCALRANKID or PMI_LOCAL_RANK"},
	{"PMIX_RANK", "OMPI_COMM_WORLD_LOCAL_RANK or SLURM_LOCALID"},
	{"PALS_RANKID", "PALS_LOCAL_RANKID"},
	{"JSM_NAMESPACE_RANK", "JSM_NAMESPACE_LOCAL_RANK"},
	{"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_LOCAL_RANK"},
	{"HOROVOD_RANK", "HOROVOD_LOCAL_RANK"},
	{"FLUX_TASK_RANK", "FLUX_TASK_LOCAL_ID"},
};

const char *pit_environ_get(char **variables, const char *name)
{
	size_t len = strlen(name);

	for (; variables && *variables; variables++)
		if (!strncmp(*variables, name, len) && (*variables)[len] == '=')
			return *variables + len + 1;
	return NULL;
}

/* A number below `limit`; -ENOENT the variable is unset or empty. */
static int get_number(char **variables, const char *name, int limit, int *ret)
{
	const char *text = name ? pit_environ_get(variables, name) : NULL;
	uint64_t n;

	if (!text || !*text)
		return -ENOENT;
	if (pit_parse_u64(text, &n) || n >= (uint64_t)limit)
		return -EINVAL;
	*ret = (int)n;
	return 0;
}

/* Ranks on this host as one variable of a dialect says it. */
static int get_size(char **variables, const struct dialect *d, const char *name, int *ret)
{
	const char *text = pit_environ_get(variables, name);
	int at = 0, size, rc;

	if (!d->lists || !text || !*text) {
		rc = get_number(variables, name, PIT_RANKS_MAX + 1, &size);
		if (rc || !size)
			return rc ? rc : -EINVAL;
		*ret = size;
		return 0;
	}
	rc = get_number(variables, d->node, 1 << 20, &at);
	if (rc && strpbrk(text, ",("))
		return rc;
	/* SLURM_NTASKS_PER_NODE is one number for all. */
	return pit_identity_tasks_at(text, strpbrk(text, ",(") ? (unsigned)at : 0, ret);
}

static bool speaks(char **variables, const struct dialect *d)
{
	return !d->only_with || pit_environ_get(variables, d->only_with);
}

/* The dialect of `name`, or that of a launcher which gives this process the same local rank, for a script that renames
 * it ("export LOCAL_RANK=$SLURM_LOCALID"). With `sized`, one that says how many ranks there are. */
static const struct dialect *find(char **variables, const char *name, int local, bool sized)
{
	int other, size;

	for (int same = 1; same >= 0; same--) {
		for (size_t i = 0; i < PIT_COUNT(dialects); i++) {
			const struct dialect *d = &dialects[i];
			bool found = !sized;

			if (!speaks(variables, d) || same != !strcmp(d->local, name))
				continue;
			if (!same && (get_number(variables, d->local, PIT_RANKS_MAX, &other) || other != local))
				continue;
			for (size_t k = 0; k < SIZES && d->size[k] && !found; k++)
				found = !get_size(variables, d, d->size[k], &size);
			if (found)
				return d;
		}
	}
	return NULL;
}

static int read_local(char **variables, const char *name, int *ret, struct pit_error *err)
{
	const char *text = pit_environ_get(variables, name);
	int rc;

	if (!*name || strchr(name, '='))
		return pit_fail(err, EINVAL, "--rank-from '%.60s': give the name of a variable, such as SLURM_LOCALID",
				name);
	if (!text || !*text)
		return pit_fail(err, EINVAL,
				"--rank-from %.60s: the variable is %s here; name the one in which the launcher gives "
				"each process its number on this host (torchrun: LOCAL_RANK, srun: SLURM_LOCALID, "
				"mpirun: OMPI_COMM_WORLD_LOCAL_RANK or MPI_LOCALRANKID)",
				name, text ? "empty" : "not set");
	rc = get_number(variables, name, 1 << 30, ret);
	if (rc)
		return pit_fail(err, EINVAL, "--rank-from: %.60s='%.60s' is no rank", name, text);
	return 0;
}

/* The variable that is meant by who names one that counts the ranks of all hosts; NULL `name` is none of those. */
static const char *meant_by(const char *name)
{
	for (size_t i = 0; i < PIT_COUNT(mixed_up); i++)
		if (!strcmp(mixed_up[i].global, name))
			return mixed_up[i].local;
	return NULL;
}

/* What a launcher that uses `name` said about the ranks on this host, when that cannot be read. */
static int judge_unreadable(char **variables, const char *name, struct pit_error *err)
{
	int size;

	for (size_t i = 0; i < PIT_COUNT(dialects); i++) {
		const struct dialect *d = &dialects[i];

		for (size_t k = 0; k < SIZES && d->size[k] && !strcmp(d->local, name) && speaks(variables, d); k++) {
			const char *text = pit_environ_get(variables, d->size[k]);
			const char *node = d->lists ? pit_environ_get(variables, d->node) : NULL;
			bool list = d->lists && text && strpbrk(text, ",(");

			if (!text || !*text || !get_size(variables, d, d->size[k], &size))
				continue;
			return pit_fail(err, EINVAL,
					"--rank-from: %s='%.60s'%s%s%s%.20s does not say how many ranks there are on "
					"this host; correct it, or give --ranks N",
					d->size[k], text, list ? " with " : "", list ? d->node : "",
					!list  ? ""
					: node ? "="
					       : " unset",
					list && node ? node : "");
		}
	}
	return 0;
}

/* All ranks must come to the same answer: that one is number 0 does not mean that it is the only one. */
static int refuse_size(char **variables, const char *name, int local, struct pit_error *err)
{
	const char *meant = meant_by(name);
	int rc = judge_unreadable(variables, name, err);

	if (rc)
		return rc;
	if (meant)
		return pit_fail(err, EINVAL,
				"--rank-from: %s=%d counts the ranks of all hosts, and nothing says how many are on "
				"this one; use %s",
				name, local, meant);
	return pit_fail(err, EINVAL,
			"--rank-from: %.60s=%d, and no variable says how many ranks there are on this host; give "
			"--ranks N (--ranks 1 when this is the only one)",
			name, local);
}

static void keep_size(struct pit_identity *id, int size, const char *from)
{
	id->local_size = size;
	snprintf(id->size_from, sizeof(id->size_from), "%s", from);
}

/* How many ranks are on this host. --ranks stands against a launcher that is believed only by the likeness of a number;
 * without it, one that has a single rank here is not believed by that: it may have started a script that counts its
 * own.
 */
static int read_size(char **variables, const char *name, int ranks, struct pit_identity *id, struct pit_error *err)
{
	const struct dialect *d = find(variables, name, id->local_rank, true);
	bool like = d && strcmp(d->local, name) != 0;
	const char *from = NULL;
	int size = 0;

	for (size_t k = 0; d && k < SIZES && d->size[k] && !from; k++)
		from = get_size(variables, d, d->size[k], &size) ? NULL : d->size[k];
	if (ranks && from && !like && size != ranks)
		return pit_fail(err, EINVAL,
				"--ranks %d contradicts %s='%.60s' of the launcher, which is %d ranks here; leave out "
				"--ranks, or start %d",
				ranks, from, pit_environ_get(variables, from), size, ranks);
	if (ranks && (!from || size != ranks))
		keep_size(id, ranks, "--ranks");
	else if (from && !(like && (size == 1 || judge_unreadable(variables, name, NULL))))
		keep_size(id, size, from);
	else if (!strcmp(name, "JOB_COMPLETION_INDEX"))
		keep_size(id, 1, "");
	else
		return refuse_size(variables, name, id->local_rank, err);
	return 0;
}

/* Ranks are below their number. */
static int judge(const char *name, struct pit_identity *id, struct pit_error *err)
{
	const char *meant = meant_by(name);

	if (id->local_rank < id->local_size)
		return 0;
	if (meant)
		return pit_fail(err, EINVAL,
				"--rank-from: %s=%d counts the ranks of all hosts, and %s says %d here; use %s", name,
				id->local_rank, id->size_from, id->local_size, meant);
	return pit_fail(err, EINVAL, "--rank-from: %.60s=%d is not below %s (%d ranks on this host)", name,
			id->local_rank, id->size_from, id->local_size);
}

/* Its place among all hosts. */
static void read_world(char **variables, const struct dialect *d, struct pit_identity *id)
{
	id->rank = id->world = -1;
	if (!d)
		return;
	if (get_number(variables, d->rank, 1 << 30, &id->rank))
		id->rank = -1;
	for (size_t k = 0; k < SIZES && d->world[k] && id->world < 1; k++)
		if (get_number(variables, d->world[k], 1 << 30, &id->world))
			id->world = -1;
	if (id->world < 1)
		id->world = -1;
	if (id->world >= 0 && id->rank >= id->world)
		id->rank = id->world = -1;
}

/* FNV-1a: an id that is no number still gives all ranks the same port. */
static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return h;
}

/* A port that all ranks of the job work out alike: 20000 to 29999, below the ports that kernels hand out (from 32768).
 * Jobs and steps with neighbouring numbers get different ones. */
static int port_of(char **variables, const char *launcher)
{
	static const struct {
		const char *launcher, *id, *step;
	} jobs[] = {
		{"slurm", "SLURM_JOB_ID", "SLURM_STEP_ID"},
		/* mpirun starts the ranks of its own host itself, those of others through a step. */
		{"openmpi", "PMIX_NAMESPACE", NULL},
		{"openmpi", "SLURM_JOB_ID", NULL},
		{"pals", "PALS_APID", NULL},
		{"jsrun", "LSB_JOBID", NULL},
		{"flux", "FLUX_JOB_ID", NULL},
	};
	uint64_t number, step_number = 0;

	for (size_t i = 0; i < PIT_COUNT(jobs); i++) {
		const char *id = pit_environ_get(variables, jobs[i].id);
		const char *step = jobs[i].step ? pit_environ_get(variables, jobs[i].step) : NULL;

		if (strcmp(jobs[i].launcher, launcher) != 0 || !id || !*id)
			continue;
		if (pit_parse_u64(id, &number))
			number = hash(id);
		if (step && pit_parse_u64(step, &step_number))
			step_number = hash(step);
		return 20000 + (int)((number % 10000 * 61 + step_number % 10000) % 10000);
	}
	return 0;
}

/* Where the ranks meet. Ranks of several jobs of Slurm that run as one (SLURM_HET_SIZE) do not know it. */
static void read_meeting(char **variables, struct pit_identity *id)
{
	static const char *const lists[] = {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"};
	const char *master = pit_environ_get(variables, "MASTER_ADDR"), *list;
	bool one_of_many = pit_environ_get(variables, "SLURM_HET_SIZE");
	int port;

	if (master && *master)
		snprintf(id->master, sizeof(id->master), "%s", master);
	else if (id->world == id->local_size)
		snprintf(id->master, sizeof(id->master), "127.0.0.1");
	for (size_t i = 0; i < PIT_COUNT(lists) && !*id->master && !one_of_many; i++) {
		list = strcmp(id->launcher, "slurm") ? NULL : pit_environ_get(variables, lists[i]);
		if (list && pit_identity_first_host(list, id->master, sizeof(id->master)))
			break;
	}
	if (!get_number(variables, "MASTER_PORT", 65536, &port) && port)
		id->port = port;
	else if (!one_of_many)
		id->port = port_of(variables, id->launcher);
}

int pit_identity_read(char **variables, const char *name, int ranks, struct pit_identity *ret, struct pit_error *err)
{
	struct pit_identity id = {.port = 0};
	const struct dialect *d;
	int rc = read_local(variables, name, &id.local_rank, err);

	if (rc)
		return rc;
	d = find(variables, name, id.local_rank, true);
	d = d ? d : find(variables, name, id.local_rank, false);
	snprintf(id.launcher, sizeof(id.launcher), "%s", d ? d->launcher : "environment");
	snprintf(id.local_from, sizeof(id.local_from), "%.63s", name);
	read_world(variables, d, &id);
	if (!ranks && !strcmp(name, "JOB_COMPLETION_INDEX"))
		id.local_rank = 0;
	rc = read_size(variables, name, ranks, &id, err);
	rc = rc ? rc : judge(name, &id, err);
	if (rc)
		return rc;
	read_meeting(variables, &id);
	*ret = id;
	return 0;
}
