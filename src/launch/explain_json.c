/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json.h"
#include "launch/exit_report.h"
#include "launch/explain_parts.h"
#include "launch/leaf.h"

static json_t *set(const struct pit_idset *s)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_idset_print(s, &text);
	return json_string(text.data);
}

static json_t *text_or_null(const char *text)
{
	return pit_json_text(text && *text ? text : NULL);
}

static json_t *texts(const struct pit_strv *v)
{
	json_t *all = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(all, pit_json_text(v->item[i]));
	return all;
}

static json_t *words(char *const *word)
{
	json_t *all = json_array();

	for (; word && *word; word++)
		json_array_append_new(all, pit_json_text(*word));
	return all;
}

static json_t *positive(int64_t n)
{
	return n > 0 ? json_integer(n) : json_null();
}

static json_t *bytes(uint64_t n)
{
	return n == UINT64_MAX ? json_string("unlimited") : json_integer((json_int_t)n);
}

static json_t *bytes_or_null(uint64_t n)
{
	return n ? bytes(n) : json_null();
}

static json_t *identity(const struct pit_job *j)
{
	const struct pit_identity *i = &j->identity;

	if (!j->alone)
		return json_null();
	return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:o}", "local_rank", i->local_rank, "local_size",
			 i->local_size, "rank", pit_json_number(i->rank), "world", pit_json_number(i->world),
			 "launcher", text_or_null(i->launcher), "local_from", text_or_null(i->local_from), "size_from",
			 text_or_null(i->size_from));
}

static json_t *node_id(const struct pit_site *s, int at)
{
	return at >= 0 ? json_integer(s->node[at].id) : json_null();
}

static json_t *nodes(const struct pit_site *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->nodes; i++) {
		pit_auto_idset struct pit_idset cpus = {0};

		for (size_t k = 0; k < s->cores; k++)
			if (s->core[k].node_at == (int)i)
				(void)pit_idset_unite(&cpus, &s->core[k].cpus);
		json_array_append_new(all,
				      json_pack("{s:i, s:o, s:b, s:s}", "id", s->node[i].id, "cpus", set(&cpus),
						"memory", s->node[i].mem, "kind", pit_node_kind_name(s->node[i].kind)));
	}
	return all;
}

static json_t *cores(const struct pit_site *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->cores; i++) {
		const struct pit_site_core *c = &s->core[i];

		json_array_append_new(all, json_pack("{s:o, s:i, s:o, s:o, s:o, s:b}", "cpus", set(&c->cpus), "threads",
						     (int)c->threads, "node", node_id(s, c->node_at), "l3",
						     pit_json_number(c->l3_at), "package", pit_json_number(c->package),
						     "interrupts", c->irq));
	}
	return all;
}

static json_t *nic_name(const struct pit_site *s, int at)
{
	return at >= 0 ? pit_json_text(s->nic[at].handle) : json_null();
}

static json_t *gpus(const struct pit_site *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->gpus; i++) {
		const struct pit_site_gpu *g = &s->gpu[i];
		json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:b}", "uuid", text_or_null(g->uuid), "visible",
				      text_or_null(g->visible), "name", text_or_null(g->name), "pci",
				      text_or_null(g->pci), "mig", g->mig);

		json_object_set_new(o, "vendor", g->vendor ? json_sprintf("%04x", g->vendor) : json_null());
		json_object_set_new(o, "node", node_id(s, g->node_at));
		json_object_set_new(o, "node_source", json_string(pit_node_source_name(g->source)));
		json_object_set_new(o, "nic", nic_name(s, g->nic_at));
		json_object_set_new(o, "nic_why", text_or_null(g->nic_why));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *nics(const struct pit_site *s)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->nics; i++) {
		const struct pit_site_nic *n = &s->nic[i];

		json_array_append_new(all,
				      json_pack("{s:o, s:o, s:b, s:o}", "handle", text_or_null(n->handle), "pci",
						text_or_null(n->pci), "rdma", n->rdma, "node", node_id(s, n->node_at)));
	}
	return all;
}

static json_t *site(const struct pit_site *s)
{
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "allowed", set(&s->allowed), "allowed_why",
			 text_or_null(s->allowed_why), "narrowed", s->narrowed, "isolated", set(&s->isolated), "nodes",
			 nodes(s), "cores", cores(s), "gpus", gpus(s), "gpus_why", text_or_null(s->gpus_why), "nics",
			 nics(s));
}

static json_t *variables(const struct pit_env *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->items; i++) {
		const struct pit_env_item *item = &e->item[i];

		json_array_append_new(all, json_pack("{s:o, s:o, s:b, s:o}", "name", pit_json_text(item->name), "value",
						     pit_json_text(item->value), "kept", item->kept, "why",
						     text_or_null(item->why)));
	}
	return all;
}

static json_t *seat(const struct pit_job *j, int at)
{
	const struct pit_seat *s = &j->placement.seat[at];
	json_t *own = json_array();
	json_t *o = json_pack("{s:i, s:o, s:o, s:o, s:i, s:i, s:b}", "rank", at, "cpus", set(&s->cpus), "mems",
			      set(&s->mems), "node", node_id(&j->site, s->home_at), "threads", (int)s->threads, "cores",
			      (int)s->cores, "shared", s->shared);

	for (int i = 0; i < s->gpus; i++)
		json_array_append_new(own, json_integer(s->gpu_first + i));
	json_object_set_new(o, "gpus", own);
	json_object_set_new(o, "gpu_sharers", json_integer(s->gpu_sharers));
	json_object_set_new(o, "nic", nic_name(&j->site, s->nic_at));
	json_object_set_new(o, "distance", positive(s->distance));
	json_object_set_new(o, "why", texts(&s->why));
	json_object_set_new(o, "variables",
			    j->env && (!j->alone || at == j->own) ? variables(&j->env[at]) : json_null());
	return o;
}

static json_t *seats(const struct pit_job *j)
{
	json_t *all = json_array();

	for (int i = 0; i < j->placement.ranks; i++)
		if (pit_explain_shows(j, i))
			json_array_append_new(all, seat(j, i));
	return all;
}

static json_t *placement(const struct pit_job *j)
{
	const struct pit_placement *p = &j->placement;

	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o}", "bind", pit_bind_names[p->bind], "mem_wanted",
			 pit_mem_names[p->mem], "mem", pit_mem_names[j->mem], "mem_refused",
			 text_or_null(j->mem_error ? strerror(j->mem_error) : ""), "gpu_view",
			 pit_gpu_view_names[p->view], "reserved", set(&p->reserved), "idle", set(&p->idle), "idle_why",
			 texts(&p->idle_why), "warnings", texts(&p->warnings));
}

static json_t *process_limits(const struct pit_job *j)
{
	json_t *all = json_array();

	for (size_t i = 0; i < j->limits; i++) {
		const struct pit_job_limit *l = &j->limit[i];

		json_array_append_new(all,
				      json_pack("{s:s, s:o, s:o, s:o}", "limit", pit_explain_limit_name(l->resource),
						"soft", bytes(l->value.rlim_cur), "hard", bytes(l->value.rlim_max),
						"was", bytes(l->was.rlim_cur)));
	}
	return all;
}

static json_t *limits(const struct pit_job *j)
{
	const struct pit_job_options *o = j->options;
	json_t *all = json_pack("{s:o, s:o, s:o, s:o, s:o}", "process", process_limits(j), "memory_max",
				bytes_or_null(o->memory_max), "memory_high", bytes_or_null(o->memory_high), "cpu_max",
				o->cpu_max > 0 ? json_real(o->cpu_max) : json_null(), "io_max", texts(&j->io_max));

	json_object_set_new(all, "nice", o->nice_set ? json_integer(o->nice) : json_null());
	json_object_set_new(all, "oom_score", o->oom_set ? json_integer(o->oom_score_adj) : json_null());
	json_object_set_new(all, "policy",
			    o->sched_set ? json_string(pit_explain_policy_name(o->policy)) : json_null());
	json_object_set_new(all, "priority", o->sched_set ? json_integer(o->priority) : json_null());
	json_object_set_new(all, "mps_percent", positive(o->mps));
	return all;
}

static json_t *signal_or_null(int number)
{
	char name[32];

	return number ? json_string(pit_signal_name(number, name, sizeof(name))) : json_null();
}

static json_t *seconds_or_null(int64_t ns)
{
	return ns > 0 && ns < INT64_MAX ? json_real((double)ns / 1e9) : json_null();
}

/* null: the usual. */
static json_t *ending(const struct pit_job_options *o)
{
	static const char *const pressure[] = {"warn", "checkpoint", "none"};

	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:i}", "stop_signal",
			 signal_or_null(o->stop_signal_set ? o->ending.stop_signal : 0), "grace",
			 seconds_or_null(o->ending.grace), "checkpoint_signal",
			 signal_or_null(o->ending.checkpoint_signal), "checkpoint_grace",
			 seconds_or_null(o->ending.checkpoint_grace), "on_pressure", pressure[o->on_pressure],
			 "pressure_horizon", seconds_or_null(o->pressure_horizon), "restarts", o->restarts);
}

int pit_explain_json(const struct pit_job *j, struct pit_buf *out)
{
	json_t *top = json_pack("{s:i, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", 1, "pitcrew",
				PITCREW_VERSION, "recorded", j->recorded, "command", words(j->options->argv), "program",
				text_or_null(j->program), "program_error",
				text_or_null(j->program ? "" : j->program_error.text), "identity", identity(j), "site",
				site(&j->site), "placement", placement(j), "ranks", seats(j), "limits", limits(j));

	json_object_set_new(top, "own", j->alone ? json_integer(j->peers_unknown ? 0 : j->own) : json_null());
	json_object_set_new(top, "port", positive(j->port));
	json_object_set_new(top, "ending", ending(j->options));
	json_object_set_new(top, "preload", texts(&j->preload));
	json_object_set_new(top, "rebinders", texts(&j->rebinders));
	json_object_set_new(top, "site_notes", texts(&j->site.notes));
	json_object_set_new(top, "notes", texts(&j->notes));
	return pit_json_put(top, out);
}
