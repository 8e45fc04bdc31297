/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "topo/view.h"

static json_t *text_or_null(const char *text)
{
	return pit_json_text(*text ? text : NULL);
}

static json_t *set(const struct pit_idset *s)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_idset_print(s, &text);
	return json_string(text.data);
}

static json_t *set_or_null(const struct pit_idset *s, bool known)
{
	return known ? set(s) : json_null();
}

static json_t *hex_or_null(unsigned id)
{
	return id ? json_sprintf("%04x", id) : json_null();
}

static json_t *cpus(const struct pit_topo *t)
{
	bool known = t->cpus.count > 0;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "count", known ? json_integer(t->cpus.count) : json_null(),
			 "online", set_or_null(&t->cpus.online, known), "offline", set_or_null(&t->cpus.offline, known),
			 "isolated", set_or_null(&t->cpus.isolated, known), "smt",
			 t->cpus.smt < 0 ? json_null() : json_boolean(t->cpus.smt));
}

static json_t *distances(const struct pit_topo *t, const struct pit_node *n)
{
	json_t *all;

	if (!n->distance)
		return json_null();
	all = json_object();
	for (size_t i = 0; i < t->nodes; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", t->node[i].id);
		json_object_set_new(all, id, json_integer(n->distance[i]));
	}
	return all;
}

static json_t *nodes(const struct pit_topo *t)
{
	json_t *all;

	if (!t->nodes_known)
		return json_null();
	all = json_array();
	for (size_t i = 0; i < t->nodes; i++) {
		const struct pit_node *n = &t->node[i];

		json_array_append_new(all, json_pack("{s:i, s:o, s:o, s:s, s:b, s:o}", "id", n->id, "cpus",
						     set(&n->cpus), "mem_kb", pit_json_number(n->mem_kb), "kind",
						     pit_node_kind_name(n->kind), "mem_only", n->mem_only, "distances",
						     distances(t, n)));
	}
	return all;
}

static json_t *allowed(const struct pit_topo *t)
{
	const struct pit_idset *c = &t->allowed.cpus, *m = &t->allowed.mems;

	return json_pack("{s:o, s:o, s:o}", "cpus", set_or_null(c, !pit_idset_is_empty(c)), "mems",
			 set_or_null(m, !pit_idset_is_empty(m)), "source", text_or_null(t->allowed.source));
}

static json_t *caches(const struct pit_topo *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->caches; i++) {
		const struct pit_cache *c = &t->cache[i];

		json_array_append_new(all, json_pack("{s:i, s:o, s:o}", "level", c->level, "cpus", set(&c->cpus), "kb",
						     c->kb ? json_integer((json_int_t)c->kb) : json_null()));
	}
	return all;
}

static json_t *device(const struct pit_device *d)
{
	json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o}", "class", pit_device_class_name(d->cls), "pci",
			      text_or_null(d->pci), "vendor", hex_or_null(d->vendor), "device", hex_or_null(d->device),
			      "name", text_or_null(d->name));

	json_object_set_new(o, "handle", text_or_null(d->handle));
	json_object_set_new(o, "driver", text_or_null(d->driver));
	if (d->cls == PIT_DEVICE_GPU)
		json_object_set_new(o, "uuid", text_or_null(d->uuid));
	json_object_set_new(o, "node", pit_json_number(d->node));
	json_object_set_new(o, "node_source", json_string(pit_node_source_name(d->node_source)));
	json_object_set_new(o, "cpus", set_or_null(&d->cpus, !pit_idset_is_empty(&d->cpus)));
	return o;
}

static json_t *devices(const struct pit_topo *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->devices; i++)
		json_array_append_new(all, device(&t->device[i]));
	return all;
}

static json_t *contradictions(const struct pit_topo *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->contradictions.count; i++)
		json_array_append_new(all, json_string(t->contradictions.item[i]));
	return all;
}

int pit_topo_json(const struct pit_topo *t, struct pit_buf *out)
{
	json_t *all =
		json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "schema", 1, "cpus", cpus(t),
			  "packages", pit_json_number(t->packages), "cores", pit_json_number(t->cores), "mem_kb",
			  pit_json_number(t->mem_kb), "nodes", nodes(t), "allowed", allowed(t), "caches", caches(t),
			  "pci_known", t->pci_known, "devices", devices(t), "contradictions", contradictions(t));

	return pit_json_put(all, out);
}
