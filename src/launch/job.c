/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "launch/allocator.h"
#include "launch/job_parts.h"
#include "launch/spawn_inside.h"

static int no_memory(struct pit_error *err)
{
	return pit_fail(err, ENOMEM, "out of memory");
}

static int plan_identity(struct pit_job *j, struct pit_error *err)
{
	const struct pit_job_options *o = j->options;
	int rc;

	if (!o->rank_from)
		return 0;
	j->alone = true;
	rc = pit_identity_read(j->environ, o->rank_from, o->placement.ranks, &j->identity, err);
	if (rc)
		return rc;
	if (j->identity.local_size > PIT_RANKS_MAX)
		return pit_fail(err, EINVAL, "%s: %d ranks on one host are too many", j->identity.size_from,
				j->identity.local_size);
	if (o->mps && !pit_environ_get(j->environ, "CUDA_MPS_PIPE_DIRECTORY"))
		return pit_fail(
			err, EINVAL,
			"--mps with --rank-from: each rank would start a daemon of its own, and share with nobody; "
			"start one for the host and set CUDA_MPS_PIPE_DIRECTORY");
	return 0;
}

static int plan_site(struct pit_root *root, struct pit_job *j, struct pit_error *err)
{
	struct pit_site_options options = {
		.gpus = j->options->gpus,
		.isolated = j->options->isolated,
		.alone = j->alone,
		.environ = j->environ,
	};

	return pit_site_load(root, &options, &j->site, err);
}

static unsigned nodes_with_cpus(const struct pit_site *s)
{
	unsigned nodes = 0;

	for (size_t i = 0; i < s->nodes; i++)
		nodes += s->node[i].cpus;
	return nodes ? nodes : 1;
}

/* Its neighbours are not in the plan: what is its own, and what it shares with them, the plan cannot know. */
static int correct_seat(struct pit_job *j, const struct pit_job_narrow *narrow)
{
	struct pit_seat *s = &j->placement.seat[j->own];
	unsigned per_node = ((unsigned)j->identity.local_size - 1) / nodes_with_cpus(&j->site) + 1;

	j->peers_unknown = true;
	pit_idset_free(&j->placement.idle);
	pit_strv_free(&j->placement.idle_why);
	if (narrow->cpus) {
		s->shared = false;
		s->threads = s->cores ? s->cores : s->threads;
		return pit_strv_add(&j->notes, "this rank alone was bound by its launcher: it stays on those CPUs, and "
					       "they are not divided again");
	}
	s->shared = true;
	s->threads = s->cores > per_node ? s->cores / per_node : 1;
	return pit_strv_add(&j->notes, "the launcher shows each rank only its own GPUs, so this one cannot know where "
				       "the others run: it gets all CPUs of its node, which they may share");
}

/* The only seat becomes that of our local rank. */
static int move_seat(struct pit_job *j)
{
	struct pit_placement *p = &j->placement;
	struct pit_seat *all = calloc((size_t)j->identity.local_size, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (int i = 0; i < j->identity.local_size; i++)
		all[i] = (struct pit_seat){.home_at = -1, .nic_at = -1};
	all[j->own] = p->seat[0];
	free(p->seat);
	p->seat = all;
	p->ranks = j->identity.local_size;
	return 0;
}

static struct pit_placement_request narrowed_request(const struct pit_job *j, const struct pit_job_narrow *narrow)
{
	struct pit_placement_request r = j->options->placement;

	if (j->alone)
		r.ranks = narrow->gpus ? 1 : j->identity.local_size;
	if (narrow->gpus)
		r.per_gpu = 0;
	if (narrow->cpus)
		r.reserve = 0;
	if ((narrow->cpus || narrow->gpus) && (r.bind == PIT_BIND_AUTO || r.bind == PIT_BIND_EXCLUSIVE))
		r.bind = PIT_BIND_NODE;
	return r;
}

static int ranks_on(const struct pit_placement *p, const struct pit_site_core *core)
{
	int ranks = 0;

	for (int i = 0; i < p->ranks; i++)
		ranks += pit_idset_intersects(&p->seat[i].cpus, &core->cpus);
	return ranks;
}

/* Cores that are shared although they were to be divided. */
static int check_strict(const struct pit_job *j, struct pit_error *err)
{
	bool exclusive = j->placement.bind == PIT_BIND_EXCLUSIVE;

	for (size_t i = 0; j->options->strict && exclusive && i < j->site.cores; i++)
		if (ranks_on(&j->placement, &j->site.core[i]) > 1)
			return pit_fail(err, EINVAL,
					"--strict: there are fewer cores than ranks, some would share one; start fewer "
					"ranks, or use --bind node");
	return 0;
}

static int plan_placement(struct pit_root *root, struct pit_job *j, struct pit_error *err)
{
	struct pit_job_narrow narrow = pit_job_narrow(root, j);
	struct pit_placement_request request = narrowed_request(j, &narrow);
	int rc = pit_placement_make(&j->site, &request, &j->placement, err);

	if (rc)
		return rc;
	j->launcher = narrow.launcher;
	j->own = j->alone ? j->identity.local_rank : 0;
	if (narrow.gpus && move_seat(j))
		return no_memory(err);
	if (j->own >= j->placement.ranks)
		return pit_fail(err, EINVAL, "rank %d is not one of the %d of this host", j->own, j->placement.ranks);
	if ((narrow.cpus || narrow.gpus) && correct_seat(j, &narrow))
		return no_memory(err);
	return check_strict(j, err);
}

/* What the kernel lets us set, tried on the first seat that has nodes. */
static int plan_memory(struct pit_job *j, struct pit_error *err)
{
	const struct pit_seat *s = &j->placement.seat[j->own];

	j->mem = j->placement.mem;
	for (int i = 0; !j->alone && i < j->placement.ranks && pit_idset_is_empty(&s->mems); i++)
		s = &j->placement.seat[i];
	if (j->recorded || j->mem == PIT_MEM_NONE || j->mem == PIT_MEM_AUTO)
		return 0;
	j->mem = pit_spawn_probe_mem(j->placement.mem, &s->mems, &j->mem_error);
	if (j->mem == j->placement.mem)
		return 0;
	if (j->options->strict)
		return pit_fail(err, j->mem_error ? j->mem_error : EPERM,
				"--strict: memory policy %s is refused here: %s; use --mem none",
				pit_mem_names[j->placement.mem], strerror(j->mem_error));
	if (pit_strv_addf(&j->notes, "memory policy %s is refused here (%s): %s instead",
			  pit_mem_names[j->placement.mem], strerror(j->mem_error),
			  j->mem == PIT_MEM_NONE ? "memory goes where the kernel puts it" : pit_mem_names[j->mem]))
		return no_memory(err);
	return 0;
}

static bool is_free(int port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	pit_auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || !bind(fd, (const struct sockaddr *)&any, sizeof(any));
}

/* Below the ports that the kernel hands out, so that none takes it before rank 0 does; jobs started at the same time
 * begin to look at different ones. That of a job around this one may not be in use yet. */
static int find_port(const char *taken)
{
	int first = (int)(getpid() % 500);

	for (int i = 0; i < 500; i++) {
		int port = 29500 + (first + i) % 500;

		if ((!taken || atoi(taken) != port) && is_free(port))
			return port;
	}
	return 29500;
}

/* One rank that was not counted may be a launcher itself. */
static bool is_unnumbered(const struct pit_job *j)
{
	return !j->alone && !j->options->placement.ranks && !j->options->placement.per_gpu;
}

static void plan_port(struct pit_job *j)
{
	const char *set = pit_environ_get(j->environ, "MASTER_PORT");

	if (!j->alone && !is_unnumbered(j) && (!set || pit_env_is_rank(j->environ)))
		j->port = j->recorded ? 29500 : find_port(set);
}

static int plan_preload(struct pit_root *root, struct pit_job *j, struct pit_error *err)
{
	return j->options->allocator ? pit_allocator_find(root, j->options->allocator, &j->preload, err) : 0;
}

int pit_job_env(const struct pit_job *j, int seat, int restart, const char *mps_dir, struct pit_env *ret,
		struct pit_error *err)
{
	struct pit_env_request request = {
		.environ = j->environ,
		.set = &j->options->env,
		.site = &j->site,
		.placement = &j->placement,
		.identity = j->alone ? &j->identity : NULL,
		.unnumbered = is_unnumbered(j),
		.seat = seat,
		.port = j->port,
		.restart = restart,
		.preload = &j->preload,
		.mps_percent = j->options->mps,
		.mps_dir = mps_dir,
	};

	return pit_env_plan(&request, ret, err);
}

static int plan_env(struct pit_job *j, struct pit_error *err)
{
	int rc = 0;

	j->env = calloc((size_t)j->placement.ranks, sizeof(*j->env));
	if (!j->env)
		return no_memory(err);
	for (int i = 0; !rc && i < j->placement.ranks; i++)
		if (!j->alone || i == j->own)
			rc = pit_job_env(j, i, 0, NULL, &j->env[i], err);
	return rc;
}

/* Of ranks that another launcher started none can choose for all where they meet. */
static int note_meeting(struct pit_job *j, struct pit_error *err)
{
	static const char *const names[] = {"MASTER_ADDR", "MASTER_PORT"};
	const struct pit_identity *id = &j->identity;
	pit_auto_buf struct pit_buf missing = PIT_BUF_INIT;
	char **block;

	if (!j->alone || id->world == 1 || (id->world < 0 && id->local_size == 1))
		return 0;
	block = pit_env_block(j->environ, &j->env[j->own]);
	if (!block)
		return no_memory(err);
	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (!pit_environ_get(block, names[i]))
			pit_buf_printf(&missing, "%s%s", missing.len ? " and " : "", names[i]);
	pit_env_block_free(block);
	if (missing.failed ||
	    (missing.len &&
	     pit_strv_addf(
		     &j->notes,
		     "%s not set: the launcher's variables tell nothing to make it of, and torch.distributed needs it, "
		     "the same for all ranks",
		     missing.data)))
		return no_memory(err);
	return 0;
}

static int plan_program(struct pit_job *j, struct pit_error *err)
{
	char **block;

	if (!j->options->argv)
		return 0;
	if (j->recorded) {
		(void)pit_fail(&j->program_error, ENODATA, "this machine is a recording: commands are not looked for");
		return 0;
	}
	block = pit_env_block(j->environ, &j->env[j->own]);
	if (!block)
		return no_memory(err);
	(void)pit_spawn_look_up(j->options->dir, j->options->argv[0], block, &j->program, &j->program_error);
	pit_env_block_free(block);
	return 0;
}

static int plan_rest(struct pit_root *root, struct pit_job *j, struct pit_error *err)
{
	int rc = plan_memory(j, err);

	if (!rc)
		rc = plan_preload(root, j, err);
	plan_port(j);
	if (!rc)
		rc = plan_env(j, err);
	if (!rc)
		rc = note_meeting(j, err);
	if (!rc)
		rc = plan_program(j, err);
	pit_job_plan_limits(root, j);
	if (!rc)
		rc = pit_job_plan_io(root, j, err);
	if (!rc && (pit_job_plan_groups(root, j) || pit_env_rebinders(j->environ, &j->rebinders)))
		rc = no_memory(err);
	return rc;
}

int pit_job_plan(struct pit_root *root, const struct pit_job_options *o, char **block, struct pit_job *ret,
		 struct pit_error *err)
{
	struct pit_job j = {.options = o, .environ = block, .recorded = !pit_root_is_live(root)};
	int rc = plan_identity(&j, err);

	if (!rc)
		rc = plan_site(root, &j, err);
	if (!rc)
		rc = plan_placement(root, &j, err);
	if (!rc)
		rc = plan_rest(root, &j, err);
	if (rc)
		pit_job_free(&j);
	else
		*ret = j;
	return rc;
}

void pit_job_free(struct pit_job *j)
{
	int saved = errno;

	for (int i = 0; j->env && i < j->placement.ranks; i++)
		pit_env_free(&j->env[i]);
	free(j->env);
	free(j->program);
	pit_placement_free(&j->placement);
	pit_site_free(&j->site);
	pit_strv_free(&j->preload);
	pit_strv_free(&j->rebinders);
	pit_strv_free(&j->notes);
	pit_strv_free(&j->io_max);
	*j = (struct pit_job){0};
	errno = saved;
}
