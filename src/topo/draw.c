/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "topo/view.h"

#define WIDTH 80

/* At most `columns` bytes of foreign text, padded to `pad`. */
static void add_clean(struct pit_buf *out, const char *text, size_t columns, size_t pad)
{
	size_t used = 0;

	for (; *text && used < columns; text++, used++)
		pit_buf_putc(out, isprint((unsigned char)*text) ? *text : '?');
	for (; used < pad; used++)
		pit_buf_putc(out, ' ');
}

/* A blank line, unless there is one. */
static void add_gap(struct pit_buf *out)
{
	if (out->len > 1 && strcmp(out->data + out->len - 2, "\n\n") != 0)
		pit_buf_putc(out, '\n');
}

/* Breaks `text` at blanks and behind commas; `head` begins the first line, later ones are indented by `indent`. */
static void add_wrapped(struct pit_buf *out, const char *head, int indent, const char *text)
{
	int column = (int)strlen(head);

	pit_buf_puts(out, head);
	while (*text) {
		size_t len = strcspn(text, " ,");

		len += text[len] == ',';
		if (column + (int)len > WIDTH && column > indent) {
			pit_buf_printf(out, "\n%*s", indent, "");
			column = indent;
		}
		add_clean(out, text, len, 0);
		column += (int)len;
		text += len;
		if (*text == ' ' && ++column)
			pit_buf_putc(out, *text++);
	}
	pit_buf_putc(out, '\n');
}

static void add_set(struct pit_buf *out, const char *head, int indent, const struct pit_idset *set)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_idset_print(set, &text);
	add_wrapped(out, head, indent, text.len ? text.data : "none");
}

static void count(struct pit_buf *out, int n, const char *one, const char *many)
{
	if (n < 0)
		pit_buf_printf(out, ", %s unknown", many);
	else
		pit_buf_printf(out, ", %d %s", n, n == 1 ? one : many);
}

static void size_of(int64_t kb, char *out, size_t size)
{
	if (kb < 0)
		snprintf(out, size, "memory unknown");
	else if (!kb)
		snprintf(out, size, "no memory");
	else
		pit_format_size((uint64_t)kb * 1024, out, size);
}

static void draw_head(const struct pit_topo *t, struct pit_buf *out)
{
	static const char *const smt[] = {"", " (SMT off)", " (SMT on)"};
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char size[32];

	if (t->cpus.count)
		pit_buf_printf(&line, "%d CPU%s%s", t->cpus.count, t->cpus.count == 1 ? "" : "s", smt[t->cpus.smt + 1]);
	else
		pit_buf_puts(&line, "CPUs unknown");
	count(&line, t->cores, "core", "cores");
	count(&line, t->packages, "package", "packages");
	count(&line, t->nodes_known ? (int)t->nodes : -1, "NUMA node", "NUMA nodes");
	size_of(t->mem_kb, size, sizeof(size));
	pit_buf_printf(&line, ", %s", size);
	add_wrapped(out, "host     ", 9, line.data);
	if (!pit_idset_is_empty(&t->cpus.offline))
		add_set(out, "offline  CPUs ", 14, &t->cpus.offline);
	if (!pit_idset_is_empty(&t->cpus.isolated))
		add_set(out, "isolated CPUs ", 14, &t->cpus.isolated);
}

static bool is_all_allowed(const struct pit_topo *t)
{
	for (size_t i = 0; i < t->nodes; i++)
		if (t->node[i].mem_kb != 0 && !pit_idset_has(&t->allowed.mems, (size_t)t->node[i].id))
			return false;
	return t->cpus.count > 0 && pit_idset_equal(&t->cpus.online, &t->allowed.cpus);
}

static void draw_allowed(const struct pit_topo *t, struct pit_buf *out)
{
	if (!*t->allowed.source) {
		pit_buf_puts(out, "allowed  unknown: nothing here says what may be used\n");
		return;
	}
	if (is_all_allowed(t)) {
		add_wrapped(out, "allowed  everything  by ", 24, t->allowed.source);
		return;
	}
	add_set(out, "allowed  CPUs ", 14, &t->allowed.cpus);
	if (!pit_idset_is_empty(&t->allowed.mems))
		add_set(out, "         memory of nodes ", 25, &t->allowed.mems);
	add_wrapped(out, "         by ", 12, t->allowed.source);
}

/* "L3 32.0 MiB x 4, L2 1.0 MiB x 64" over the whole machine. */
static void draw_caches(const struct pit_topo *t, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;

	for (size_t i = 0; i < t->caches; i++) {
		const struct pit_cache *c = &t->cache[i];
		bool first = true;
		size_t same = 0;
		char size[32];

		for (size_t j = 0; j < t->caches; j++) {
			if (t->cache[j].level != c->level || t->cache[j].kb != c->kb)
				continue;
			first = first && j >= i;
			same++;
		}
		if (!first)
			continue;
		pit_buf_printf(&line, "%sL%d %s x %zu", line.len ? ", " : "", c->level,
			       c->kb ? pit_format_size(c->kb * 1024, size, sizeof(size)) : "of unknown size", same);
	}
	if (line.len)
		add_wrapped(out, "caches   ", 9, line.data);
}

/* The network device that shares most bridges with a GPU; NULL when none shares any. */
static const struct pit_device *nearest_network(const struct pit_topo *t, const struct pit_device *gpu, int *ret_shared)
{
	const struct pit_device *best = NULL;

	*ret_shared = 0;
	for (size_t i = 0; i < t->devices; i++) {
		const struct pit_device *d = &t->device[i];
		int shared;

		if (d->cls != PIT_DEVICE_IB && d->cls != PIT_DEVICE_NIC)
			continue;
		shared = pit_topo_shared_bridges(t, gpu, d);
		if (shared > *ret_shared || (best && shared == *ret_shared && d->cls < best->cls)) {
			best = d;
			*ret_shared = shared;
		}
	}
	return best;
}

static void draw_device(const struct pit_topo *t, const struct pit_device *d, struct pit_buf *out)
{
	static const char *const sources[] = {
		[PIT_NODE_FROM_CPUS] = "node by its local CPUs",
		[PIT_NODE_FROM_BRIDGE] = "node by its bridge",
		[PIT_NODE_FROM_NVML] = "node by NVML",
	};
	const char *source = d->node_source < PIT_COUNT(sources) ? sources[d->node_source] : NULL;
	const struct pit_device *near;
	char ids[32];
	int shared;

	pit_buf_printf(out, "  %-5s", pit_device_class_name(d->cls));
	add_clean(out, *d->pci ? d->pci : "(no PCI)", 16, 14);
	snprintf(ids, sizeof(ids), "%04x:%04x", d->vendor, d->device);
	add_clean(out, *d->name ? d->name : d->vendor ? ids : "unnamed", 28, *d->handle || source ? 30 : 0);
	add_clean(out, d->handle, source ? 5 : 27, source ? 7 : 0);
	if (source)
		pit_buf_puts(out, source);
	pit_buf_putc(out, '\n');
	near = d->cls == PIT_DEVICE_GPU ? nearest_network(t, d, &shared) : NULL;
	if (!near)
		return;
	pit_buf_printf(out, "       nearest network: %s ", pit_device_class_name(near->cls));
	add_clean(out, *near->handle ? near->handle : near->pci, 24, 0);
	pit_buf_puts(out, shared > 1 ? " (behind the same PCIe bridge)\n" : " (same PCIe root)\n");
}

static size_t draw_devices(const struct pit_topo *t, int node, struct pit_buf *out)
{
	size_t drawn = 0;

	for (size_t i = 0; i < t->devices; i++) {
		if (t->device[i].node != node)
			continue;
		draw_device(t, &t->device[i], out);
		drawn++;
	}
	return drawn;
}

static void draw_node(const struct pit_topo *t, const struct pit_node *n, struct pit_buf *out)
{
	size_t before;

	pit_auto_buf struct pit_buf head = PIT_BUF_INIT;
	const struct pit_node *near = pit_topo_nearest_cpus(t, n->id);
	bool no_cpus = pit_idset_is_empty(&n->cpus);
	char size[32];

	size_of(n->mem_kb, size, sizeof(size));
	pit_buf_printf(&head, "node %d", n->id);
	pit_buf_printf(&head, "%*s%s%s%s", head.len < 8 ? 9 - (int)head.len : 1, "", size,
		       n->kind == PIT_NODE_UNKNOWN ? "" : " ",
		       n->kind == PIT_NODE_UNKNOWN ? "" : pit_node_kind_name(n->kind));
	if (*t->allowed.source && !pit_idset_is_empty(&t->allowed.mems) &&
	    !pit_idset_has(&t->allowed.mems, (size_t)n->id))
		pit_buf_puts(&head, " (not allowed)");
	if (!no_cpus) {
		pit_buf_puts(&head, "  CPUs ");
		add_set(out, head.data, 9, &n->cpus);
	} else if (near && near != n) {
		pit_buf_printf(out, "%s  no CPUs, nearest are on node %d\n", head.data, near->id);
	} else {
		pit_buf_printf(out, "%s  no CPUs\n", head.data);
	}
	before = out->len;
	draw_devices(t, n->id, out);
	if (out->len > before)
		add_gap(out);
}

static void draw_unknown(const struct pit_topo *t, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf lines = PIT_BUF_INIT;

	if (draw_devices(t, -1, &lines)) {
		add_gap(out);
		pit_buf_puts(out, "node unknown");
		if (t->nodes == 1)
			pit_buf_puts(out, " (harmless: there is one node)");
		pit_buf_printf(out, "\n%s", lines.data);
	}
	/* Nodes that devices name and a tree without nodes cannot show. */
	for (size_t i = 0; !t->nodes_known && i < t->devices; i++)
		if (t->device[i].node >= 0)
			draw_device(t, &t->device[i], out);
	if (t->pci_known)
		return;
	add_gap(out);
	pit_buf_puts(out, "The PCI bus cannot be read here: there may be more devices.\n");
}

/* As many columns as fit; more nodes than that are left to the JSON form. */
#define COLUMNS_MAX 16

static void draw_distances(const struct pit_topo *t, struct pit_buf *out)
{
	bool known = t->nodes > 1;

	for (size_t i = 0; i < t->nodes; i++)
		known = known && t->node[i].distance;
	if (!known || t->nodes > COLUMNS_MAX) {
		if (t->nodes > 1)
			pit_buf_printf(out, "distances %s\n",
				       known ? "of so many nodes: see --format json" : "unknown");
		return;
	}
	pit_buf_puts(out, "distance");
	for (size_t i = 0; i < t->nodes; i++)
		pit_buf_printf(out, "%4d", t->node[i].id);
	for (size_t i = 0; i < t->nodes; i++) {
		pit_buf_printf(out, "\n%8d", t->node[i].id);
		for (size_t j = 0; j < t->nodes; j++)
			pit_buf_printf(out, "%4u", t->node[i].distance[j]);
	}
	pit_buf_putc(out, '\n');
}

void pit_topo_draw(const struct pit_topo *t, struct pit_buf *out)
{
	draw_head(t, out);
	draw_allowed(t, out);
	draw_caches(t, out);
	add_gap(out);
	for (size_t i = 0; i < t->nodes; i++)
		draw_node(t, &t->node[i], out);
	draw_unknown(t, out);
	add_gap(out);
	draw_distances(t, out);
	if (t->contradictions.count) {
		add_gap(out);
		pit_buf_puts(out, "contradictions\n");
	}
	for (size_t i = 0; i < t->contradictions.count; i++)
		add_wrapped(out, "  - ", 4, t->contradictions.item[i]);
}
