/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "launch/environment_parts.h"

const struct pit_env_item *pit_env_item(const struct pit_env *e, const char *name)
{
	for (size_t i = 0; i < e->items; i++)
		if (!strcmp(e->item[i].name, name))
			return &e->item[i];
	return NULL;
}

static void item_free(struct pit_env_item *i)
{
	free(i->name);
	free(i->value);
	free(i->why);
}

void pit_env_free(struct pit_env *e)
{
	for (size_t i = 0; i < e->items; i++)
		item_free(&e->item[i]);
	free(e->item);
	*e = (struct pit_env){.items = 0};
}

/* Takes over what `new` owns. */
static void put_item(struct pit_env_draft *d, struct pit_env_item *new)
{
	struct pit_env_item *old = (struct pit_env_item *)pit_env_item(&d->env, new->name), *grown;

	if (old) {
		item_free(old);
		*old = *new;
		return;
	}
	grown = reallocarray(d->env.item, d->env.items + 1, sizeof(*grown));
	if (!grown) {
		item_free(new);
		d->failed = true;
		return;
	}
	d->env.item = grown;
	d->env.item[d->env.items++] = *new;
}

void pit_env_put(struct pit_env_draft *d, const char *name, const char *value, bool kept, const char *fmt, ...)
{
	struct pit_env_item new = {.name = strdup(name), .value = value ? strdup(value) : NULL, .kept = kept};
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&new.why, fmt, args) < 0)
		new.why = NULL;
	va_end(args);
	if (!new.name || !new.why || (value && !new.value)) {
		item_free(&new);
		d->failed = true;
		return;
	}
	put_item(d, &new);
}

void pit_env_offer(struct pit_env_draft *d, const char *name, const char *value, const char *why)
{
	const char *set = pit_environ_get(d->r->environ, name);

	if (pit_env_item(&d->env, name))
		return;
	if (!set)
		pit_env_put(d, name, value, false, "%s", why);
	else if (!strcmp(set, value))
		pit_env_put(d, name, set, true, "set already, to what it would get: %s", why);
	else
		pit_env_put(d, name, set, true, "set already; it would get %s: %s", value, why);
}

void pit_env_force(struct pit_env_draft *d, const char *name, const char *value, const char *why)
{
	const char *set = pit_environ_get(d->r->environ, name);

	if (pit_env_item(&d->env, name) || (!set && !value))
		return;
	if (set && (!value || strcmp(set, value) != 0))
		pit_env_put(d, name, value, false, "%s; in place of '%.200s', which was set", why, set);
	else
		pit_env_put(d, name, value, false, "%s", why);
}

static void force_number(struct pit_env_draft *d, const char *name, int value, const char *why)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	pit_env_force(d, name, text, why);
}

static void offer_number(struct pit_env_draft *d, const char *name, int value, const char *why)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	pit_env_offer(d, name, text, why);
}

bool pit_env_is_rank(char **variables)
{
	return pit_environ_get(variables, "RANK") || pit_environ_get(variables, "LOCAL_RANK");
}

/* What was inherited from the rank that we run in is of its job: ours would wait at the place where that one meets. */
static void plan_nested(struct pit_env_draft *d)
{
	static const char of_outer[] = "RANK or LOCAL_RANK was set, so the old value is of the job around this one";
	const struct pit_env_request *r = d->r;
	const struct {
		const char *name;
		int value;
	} numbers[] = {{"MASTER_PORT", r->port},
		       {"GROUP_WORLD_SIZE", 1},
		       {"ROLE_RANK", r->seat},
		       {"ROLE_WORLD_SIZE", r->placement->ranks}};

	if (!pit_env_is_rank(r->environ))
		return;
	for (size_t i = 0; i < PIT_COUNT(numbers); i++)
		if (pit_environ_get(r->environ, numbers[i].name) && (i || r->port))
			force_number(d, numbers[i].name, numbers[i].value, of_outer);
	if (pit_environ_get(r->environ, "MASTER_ADDR"))
		pit_env_force(d, "MASTER_ADDR", "127.0.0.1", of_outer);
	if (pit_environ_get(r->environ, "TORCHELASTIC_RUN_ID"))
		pit_env_force(d, "TORCHELASTIC_RUN_ID", "pitcrew", of_outer);
}

/* We start all ranks. The names are torchrun's, which frameworks ask for first. */
static void plan_numbers(struct pit_env_draft *d)
{
	const struct pit_env_request *r = d->r;
	int ranks = r->placement->ranks;

	force_number(d, "RANK", r->seat, "number of this rank");
	force_number(d, "LOCAL_RANK", r->seat, "number of this rank on this host");
	force_number(d, "WORLD_SIZE", ranks, "ranks of the job");
	force_number(d, "LOCAL_WORLD_SIZE", ranks, "ranks on this host");
	force_number(d, "GROUP_RANK", 0, "number of this host: the only one");
	force_number(d, "TORCHELASTIC_RESTART_COUNT", r->restart, "earlier starts of this job");
	plan_nested(d);
	pit_env_offer(d, "TORCHELASTIC_RUN_ID", "pitcrew",
		      "frameworks then take RANK and LOCAL_RANK, not the numbers of a batch system around us");
	pit_env_force(d, "TORCHELASTIC_USE_AGENT_STORE", NULL, "rank 0 itself keeps the store where ranks meet");
	pit_env_offer(d, "MASTER_ADDR", "127.0.0.1", "all ranks are on this host");
	if (r->port)
		offer_number(d, "MASTER_PORT", r->port, "a free port");
}

/* A variable that the launcher may have set by itself: nothing is said when it did so. */
static void complete_number(struct pit_env_draft *d, const char *name, int value, const char *why)
{
	const char *set = pit_environ_get(d->r->environ, name);
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	if (!set || strcmp(set, text) != 0)
		pit_env_offer(d, name, text, why);
}

/* Another launcher starts the ranks: what torch.distributed asks for and that one did not set. */
static void plan_completion(struct pit_env_draft *d, const struct pit_identity *id)
{
	char why[160];

	snprintf(why, sizeof(why), "from %.63s", id->local_from);
	complete_number(d, "LOCAL_RANK", id->local_rank, why);
	if (*id->size_from) {
		snprintf(why, sizeof(why), "from %.63s", id->size_from);
		complete_number(d, "LOCAL_WORLD_SIZE", id->local_size, why);
	}
	snprintf(why, sizeof(why), "as %s numbers it", id->launcher);
	if (id->rank >= 0)
		complete_number(d, "RANK", id->rank, why);
	if (id->world > 0)
		complete_number(d, "WORLD_SIZE", id->world, why);
	if (*id->master && !pit_environ_get(d->r->environ, "MASTER_ADDR"))
		pit_env_offer(d, "MASTER_ADDR", id->master, "host of rank 0");
	if (id->port)
		complete_number(d, "MASTER_PORT", id->port, "made of the job's number, the same for all ranks");
}

static void plan_threads(struct pit_env_draft *d, const struct pit_seat *seat)
{
	char why[120];

	snprintf(why, sizeof(why), "its %s%u core%s%s", seat->shared ? "share of " : "", seat->cores,
		 seat->cores == 1 ? "" : "s", seat->shared ? " that it has with other ranks" : "");
	offer_number(d, "OMP_NUM_THREADS", (int)seat->threads, seat->cores ? why : "its share of the host's cores");
}

/* Lists of cards for jobs between hosts stay the user's: a card left out is a link less. */
static void tell_cards(struct pit_env_draft *d, const struct pit_seat *seat)
{
	static const char *const names[] = {"NCCL_IB_HCA", "UCX_NET_DEVICES", "NVSHMEM_HCA_LIST"};
	const struct pit_site *site = d->r->site;

	if (seat->nic_at < 0 || (size_t)seat->nic_at >= site->nics || !site->nic[seat->nic_at].rdma)
		return;
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		const char *set = pit_environ_get(d->r->environ, names[i]);

		if (set && *set && *set != '^' && !strstr(set, site->nic[seat->nic_at].handle))
			pit_env_put(d, names[i], set, true, "leaves out %s, the card nearest to this rank",
				    site->nic[seat->nic_at].handle);
	}
}

/* Where the part of a path that names an allocator begins, and its length: "libtcmalloc" of
 * "/usr/lib/libtcmalloc_minimal.so.4". */
static const char *library_name(const char *path, size_t len, size_t *ret)
{
	const char *slash = memrchr(path, '/', len);
	const char *name = slash ? slash + 1 : path;
	size_t all = len - (size_t)(name - path);

	*ret = strcspn(name, "._: ");
	*ret = *ret < all ? *ret : all;
	return name;
}

/* The same library may be named by another path, or without one. */
static bool preloads(const char *list, const char *library)
{
	size_t wanted, len, is;
	const char *name = library_name(library, strlen(library), &wanted);

	for (; list && *list; list += len + (list[len] != 0)) {
		const char *there;

		len = strcspn(list, ": ");
		there = library_name(list, len, &is);
		if (is == wanted && !memcmp(there, name, is))
			return true;
	}
	return false;
}

static void plan_preload(struct pit_env_draft *d, const char *library)
{
	const struct pit_env_item *said = pit_env_item(&d->env, "LD_PRELOAD");
	const char *list = said ? said->value : pit_environ_get(d->r->environ, "LD_PRELOAD");
	pit_auto_free char *both = NULL;

	if (preloads(list, library)) {
		if (!said)
			pit_env_put(d, "LD_PRELOAD", list, true, "set already, and has the library of --allocator");
		return;
	}
	if (!list || !*list) {
		pit_env_put(d, "LD_PRELOAD", library, false, "--allocator");
		return;
	}
	if (asprintf(&both, "%s:%s", library, list) < 0) {
		both = NULL;
		d->failed = true;
		return;
	}
	pit_env_put(d, "LD_PRELOAD", both, false, "--allocator, in front of what was set");
}

static void plan_allocator(struct pit_env_draft *d)
{
	const struct pit_strv *v = d->r->preload;

	for (size_t i = 0; v && i < v->count; i++) {
		char name[64];
		size_t len = strcspn(v->item[i], "=");

		snprintf(name, sizeof(name), "%.*s", (int)len, v->item[i]);
		if (!v->item[i][len])
			continue;
		if (!strcmp(name, "LD_PRELOAD"))
			plan_preload(d, v->item[i] + len + 1);
		else
			pit_env_offer(d, name, v->item[i] + len + 1, "goes with --allocator");
	}
}

/* One word of --env. */
static int plan_word(struct pit_env_draft *d, const char *word, struct pit_error *err)
{
	bool removed = *word == '-';
	const char *from = word + removed;
	size_t len = strcspn(from, "=");
	pit_auto_free char *name = strndup(from, len);

	if (!name)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < len; i++)
		if (isspace((unsigned char)name[i]) || iscntrl((unsigned char)name[i]))
			return pit_fail(err, EINVAL, "--env '%.80s': white space in the name", word);
	if (!len || (removed && from[len]))
		return pit_fail(err, EINVAL,
				"--env '%.80s': give NAME=VALUE, NAME to leave it as it is, or -NAME to remove it",
				word);
	if (!d->r->identity && d->r->placement->ranks > 1 && (!strcmp(name, "RANK") || !strcmp(name, "LOCAL_RANK")))
		return pit_fail(err, EINVAL, "--env '%.80s': each rank gets its own %s; leave it out", word, name);
	if (from[len])
		pit_env_put(d, name, from + len + 1, false, "--env");
	else if (removed)
		pit_env_put(d, name, NULL, false, "--env");
	else
		pit_env_put(d, name, pit_environ_get(d->r->environ, name), true, "--env: left as it is");
	return 0;
}

static void plan_mps(struct pit_env_draft *d)
{
	if (d->r->mps_dir)
		pit_env_force(d, "CUDA_MPS_PIPE_DIRECTORY", d->r->mps_dir, "where the MPS daemon of this job listens");
	if (d->r->mps_percent)
		force_number(d, "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", d->r->mps_percent, "--mps");
}

static int plan_all(struct pit_env_draft *d, struct pit_error *err)
{
	const struct pit_env_request *r = d->r;
	const struct pit_seat *seat = &r->placement->seat[r->seat];
	int rc = 0;

	for (size_t i = 0; r->set && i < r->set->count && !rc; i++)
		rc = plan_word(d, r->set->item[i], err);
	if (rc)
		return rc;
	if (r->identity)
		plan_completion(d, r->identity);
	else if (!r->unnumbered)
		plan_numbers(d);
	pit_env_plan_gpus(d);
	plan_threads(d, seat);
	tell_cards(d, seat);
	plan_allocator(d);
	plan_mps(d);
	if (!r->identity && r->placement->ranks > 1)
		pit_env_offer(d, "PYTHONUNBUFFERED", "1",
			      "output goes through a pipe, and a crash must not lose its last lines");
	return d->failed ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

int pit_env_plan(const struct pit_env_request *r, struct pit_env *ret, struct pit_error *err)
{
	struct pit_env_draft d = {.r = r};
	int rc = plan_all(&d, err);

	if (rc)
		pit_env_free(&d.env);
	else
		*ret = d.env;
	return rc;
}
