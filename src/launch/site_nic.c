/* SPDX-License-Identifier: MIT
 *
 * The network cards that can carry a job, and for each GPU the nearest: by PCI bridges that both share, then by node.
 */
#include <string.h>

#include "launch/site_parts.h"

struct cards {
	struct pit_root *root;
	const struct pit_topo *t;
	struct pit_site *s;
	const struct pit_device **device; /* of each s->nic */
	unsigned *taken;                  /* how many GPUs each has */
};

/* Handles are "mlx5_0" or, for several ports, "eth0 eth1": the first names it. */
static void first_word(const char *text, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)strcspn(text, " "), text);
}

/* True when a port of an RDMA device is active, or when nobody says. */
static bool rdma_works(struct pit_root *root, const char *name)
{
	const struct pit_strv *ports;
	bool said = false;

	if (pit_root_list(root, &ports, "/sys/class/infiniband/%s/ports", name))
		return true;
	for (size_t i = 0; i < ports->count; i++) {
		char state[32];

		if (pit_root_str(root, state, sizeof(state), "/sys/class/infiniband/%s/ports/%s/state", name,
				 ports->item[i]))
			continue;
		said = true;
		if (strstr(state, "ACTIVE"))
			return true;
	}
	return !said;
}

static bool net_is_up(struct pit_root *root, const char *name)
{
	char state[16];

	return !pit_root_str(root, state, sizeof(state), "/sys/class/net/%s/operstate", name) && !strcmp(state, "up");
}

static void add_nic(struct cards *c, const struct pit_device *d)
{
	bool rdma = d->cls == PIT_DEVICE_IB;
	struct pit_site_nic n = {.rdma = rdma, .node_at = pit_site_node_at(c->s, d->node)};

	first_word(d->handle, n.handle, sizeof(n.handle));
	if (!*n.handle || !*d->pci || !(rdma ? rdma_works(c->root, n.handle) : net_is_up(c->root, n.handle)))
		return;
	snprintf(n.pci, sizeof(n.pci), "%s", d->pci);
	c->device[c->s->nics] = d;
	c->s->nic[c->s->nics++] = n;
}

/* Those with RDMA; Ethernet only on hosts that have none. */
static void add_class(struct cards *c, enum pit_device_class cls)
{
	for (size_t i = 0; i < c->t->devices; i++)
		if (c->t->device[i].cls == cls)
			add_nic(c, &c->t->device[i]);
}

static const struct pit_device *device_of(const struct pit_topo *t, const struct pit_site_gpu *g)
{
	for (size_t i = 0; i < t->devices; i++)
		if (t->device[i].cls == PIT_DEVICE_GPU && pit_same_pci(t->device[i].pci, g->pci))
			return &t->device[i];
	return NULL;
}

struct nearness {
	int bridges;       /* 0 none or unknown */
	unsigned distance; /* UINT_MAX unknown */
	unsigned taken;
};

static struct nearness measure(const struct cards *c, const struct pit_site_gpu *g, const struct pit_device *gpu,
			       size_t i)
{
	int shared = gpu ? pit_topo_shared_bridges(c->t, gpu, c->device[i]) : -1, at = c->s->nic[i].node_at;
	struct nearness n = {.bridges = shared > 0 ? shared : 0, .distance = ~0u, .taken = c->taken[i]};

	if (g->node_at >= 0 && at == g->node_at)
		n.distance = 10;
	else if (g->node_at >= 0 && at >= 0 && c->s->node[at].distance)
		n.distance = c->s->node[at].distance[g->node_at];
	return n;
}

static bool is_nearer(const struct nearness *a, const struct nearness *b)
{
	if (a->bridges != b->bridges)
		return a->bridges > b->bridges;
	if (a->distance != b->distance)
		return a->distance < b->distance;
	return a->taken < b->taken;
}

static void say_why(const struct cards *c, const struct nearness *n, struct pit_site_gpu *g)
{
	char *out = g->nic_why;
	size_t size = sizeof(g->nic_why);

	if (n->bridges > 1)
		snprintf(out, size, "below the same PCI bridge (%d shared)", n->bridges);
	else if (n->bridges)
		snprintf(out, size, "on the same PCI root");
	else if (n->distance == 10)
		snprintf(out, size, "on the same node");
	else if (n->distance != ~0u)
		snprintf(out, size, "on the nearest node that has one (distance %u)", n->distance);
	else
		snprintf(out, size, "the only one");
}

/* Instances of one GPU sit at one place. */
static bool as_its_sibling(const struct pit_site *s, struct pit_site_gpu *g)
{
	for (const struct pit_site_gpu *other = s->gpu; other < g; other++) {
		if (other->parent != g->parent)
			continue;
		g->nic_at = other->nic_at;
		memcpy(g->nic_why, other->nic_why, sizeof(g->nic_why));
		return true;
	}
	return false;
}

/* Where nothing tells several cards apart none is called the nearest. */
static void choose(struct cards *c, struct pit_site_gpu *g)
{
	const struct pit_device *gpu = device_of(c->t, g);
	struct nearness best = {.distance = ~0u};
	size_t at = 0;

	for (size_t i = 0; i < c->s->nics; i++) {
		struct nearness n = measure(c, g, gpu, i);

		if (i && !is_nearer(&n, &best))
			continue;
		best = n;
		at = i;
	}
	if (!c->s->nics || (c->s->nics > 1 && !best.bridges && best.distance == ~0u))
		return;
	g->nic_at = (int)at;
	c->taken[at]++;
	say_why(c, &best, g);
}

int pit_site_load_nics(struct pit_root *root, const struct pit_topo *t, struct pit_site *s)
{
	pit_auto_free const struct pit_device **device = calloc(t->devices + 1, sizeof(*device));
	pit_auto_free unsigned *taken = calloc(t->devices + 1, sizeof(*taken));
	struct cards c = {.root = root, .t = t, .s = s, .device = device, .taken = taken};

	s->nic = calloc(t->devices + 1, sizeof(*s->nic));
	if (!s->nic || !device || !taken)
		return -ENOMEM;
	add_class(&c, PIT_DEVICE_IB);
	if (!s->nics)
		add_class(&c, PIT_DEVICE_NIC);
	for (size_t i = 0; i < s->gpus; i++)
		if (!as_its_sibling(s, &s->gpu[i]))
			choose(&c, &s->gpu[i]);
	return 0;
}
