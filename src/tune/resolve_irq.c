/* SPDX-License-Identifier: MIT
 *
 * Interrupts of devices, on CPUs of the device's node that do ordinary work.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/parse.h"
#include "base/pattern.h"
#include "tune/resolve_parts.h"

#define IRQ_MAX 1048576

struct work {
	struct pit_scene *scene;
	struct pit_root *root;
	const struct pit_topo *topo;
	struct pit_idset ordinary; /* CPUs that are online and neither isolated nor without tick */
	struct pit_strv pci;       /* devices with interrupts to be set */
	struct pit_wishes *ret;
};

/* One device and what it may need. */
struct group {
	const struct pit_device *device;
	struct pit_idset cpus; /* wanted */
	struct pit_idset irqs; /* those that can be moved */
	size_t managed;        /* those that the kernel places itself */
	int managed_irq;       /* one of them */
};

static void group_free(struct group *g)
{
	pit_idset_free(&g->cpus);
	pit_idset_free(&g->irqs);
}

static bool is_chosen(const char *which, const struct pit_device *d)
{
	return !which || pit_fits(which, d->handle) || pit_fits(which, d->pci) ||
	       pit_fits(which, pit_device_class_name(d->cls));
}

/* True when an earlier device is the same function of the bus, as a network interface and its InfiniBand device are. */
static bool is_repeated(const struct pit_topo *t, size_t index, const char *which)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(t->device[i].pci, t->device[index].pci) && is_chosen(which, &t->device[i]))
			return true;
	return false;
}

/* nvme1q7, but not nvme1q0: the queues, and not the one for administration, are spread by the kernel. */
static bool is_queue_of_nvme(const char *action)
{
	const char *c = action + 4;

	if (strncmp(action, "nvme", 4) != 0 || !isdigit((unsigned char)*c))
		return false;
	c += strspn(c, "0123456789");
	return *c == 'q' && c[1] != '0' && isdigit((unsigned char)c[1]);
}

/* True when the kernel refuses to move the interrupt. Where it can be seen it is looked up, else known by its name. */
static bool is_managed(const struct work *w, int irq, const char *action)
{
	struct pit_text text;
	struct pit_stat st;

	if (!pit_root_read(w->root, &text, "/sys/kernel/debug/irq/irqs/%d", irq))
		return strstr(text.data, "IRQD_AFFINITY_MANAGED");
	if (pit_root_is_live(w->root) && !pit_root_stat(w->root, &st, "/proc/irq/%d/smp_affinity_list", irq) &&
	    !(st.mode & 0222)) /* a recording need not keep modes */
		return true;
	return is_queue_of_nvme(action);
}

/* Sorts one interrupt of the device in. One without a handler does not matter. */
static int sort_irq(const struct work *w, uint64_t number, struct group *g)
{
	char action[128] = "";
	int irq = (int)number, rc;

	if (!number || number >= IRQ_MAX || pit_root_exists(w->root, "/proc/irq/%d/smp_affinity_list", irq))
		return 0;
	rc = pit_root_str(w->root, action, sizeof(action), "/sys/kernel/irq/%d/actions", irq);
	if (!rc && !*action)
		return 0;
	if (!is_managed(w, irq, action))
		return pit_idset_add(&g->irqs, (size_t)irq);
	g->managed++;
	g->managed_irq = irq;
	return 0;
}

static int sort_irqs(const struct work *w, struct group *g)
{
	const struct pit_strv *names;
	uint64_t number;
	int rc = 0;

	if (pit_root_list(w->root, &names, "%s/msi_irqs", g->device->sysfs))
		return pit_root_u64(w->root, &number, "%s/irq", g->device->sysfs) ? 0 : sort_irq(w, number, g);
	for (size_t i = 0; i < names->count && !rc; i++)
		if (!pit_parse_u64(names->item[i], &number))
			rc = sort_irq(w, number, g);
	return rc;
}

/* The ordinary CPUs of node `n`. */
static int ordinary_of(const struct work *w, const struct pit_node *n, struct pit_idset *ret)
{
	int rc = pit_idset_copy(ret, &n->cpus);

	if (!rc)
		pit_idset_intersect(ret, &w->ordinary);
	return rc;
}

/* The ordinary CPUs of the node that has some and is nearest to node `id`; none is an empty set. */
static int nearest_ordinary(const struct work *w, int id, struct pit_idset *ret)
{
	const struct pit_node *from = pit_topo_node(w->topo, id), *best = NULL;
	unsigned least = UINT32_MAX;
	pit_auto_idset struct pit_idset cpus = {0};

	for (size_t i = 0; i < w->topo->nodes; i++) {
		const struct pit_node *n = &w->topo->node[i];
		unsigned away = n->id == id ? 0 : from && from->distance ? from->distance[i] : 255;

		if (ordinary_of(w, n, &cpus))
			return -ENOMEM;
		if (!pit_idset_is_empty(&cpus) && away < least) {
			least = away;
			best = n;
		}
	}
	if (best)
		return ordinary_of(w, best, ret);
	pit_idset_free(ret);
	return 0;
}

/* Without a node of its own a device may use all ordinary CPUs. */
static int wanted_cpus(const struct work *w, struct group *g)
{
	const struct pit_device *d = g->device;

	if (d->node >= 0 && w->topo->nodes)
		return nearest_ordinary(w, d->node, &g->cpus);
	return pit_idset_copy(&g->cpus, &w->ordinary);
}

/* Where interrupt `irq` may go now, of the CPUs that are online. False: unknown. */
static bool affinity(const struct work *w, int irq, struct pit_idset *ret)
{
	pit_idset_free(ret);
	if (pit_root_idset(w->root, ret, "/proc/irq/%d/smp_affinity_list", irq))
		return false;
	pit_idset_intersect(ret, &w->topo->cpus.online);
	return !pit_idset_is_empty(ret);
}

/* True when several interrupts of the device are all tied to one and the same CPU. */
static bool is_crowded(const struct work *w, const struct group *g)
{
	pit_auto_idset struct pit_idset first = {0}, cpus = {0};
	size_t known = 0;

	PIT_IDSET_FOREACH (irq, &g->irqs) {
		if (!affinity(w, irq, known ? &cpus : &first))
			continue;
		if (pit_idset_count(&first) > 1 || (known && !pit_idset_equal(&first, &cpus)))
			return false;
		known++;
	}
	return known > 1 && pit_idset_count(&g->cpus) > 1;
}

static struct pit_cell cell_of(int irq, char *path, size_t size)
{
	snprintf(path, size, "/proc/irq/%d/smp_affinity_list", irq);
	return (struct pit_cell){.target = PIT_TARGET_KERNEL, .kind = PIT_VALUE_CPUS, .object = path};
}

/* Those that are in place already stay as they are: somebody may have given each queue a CPU of its own. */
static int wish_group(struct work *w, const struct group *g)
{
	pit_auto_buf struct pit_buf all = PIT_BUF_INIT;
	bool crowded = is_crowded(w, g);
	int rc = 0;

	pit_idset_print(&g->cpus, &all);
	PIT_IDSET_FOREACH (irq, &g->irqs) {
		pit_auto_idset struct pit_idset now = {0};
		pit_auto_free char *as_is = NULL;
		char path[64];
		struct pit_cell cell = cell_of(irq, path, sizeof(path));
		bool fine = !crowded && affinity(w, irq, &now) && pit_idset_is_subset(&now, &g->cpus);

		if (fine && pit_cell_read(w->root, &cell, &as_is, NULL))
			fine = false;
		rc = rc ? rc : pit_wish_add(w->ret, &cell, fine ? as_is : all.data);
	}
	return all.failed ? -ENOMEM : rc;
}

static const char *label(const struct pit_device *d)
{
	return d->handle[0] ? d->handle : d->pci;
}

static int refuse_managed(struct work *w, const struct group *g)
{
	char path[64];
	struct pit_cell cell = cell_of(g->managed_irq, path, sizeof(path));

	return pit_wish_refuse(w->ret, &cell,
			       "%zu interrupt%s of %s %s placed by the kernel, which lets nobody move %s", g->managed,
			       g->managed > 1 ? "s" : "", label(g->device), g->managed > 1 ? "are" : "is",
			       g->managed > 1 ? "them" : "it");
}

static int refuse_isolated(struct work *w, const struct group *g)
{
	char path[64];
	struct pit_cell cell = cell_of(pit_idset_next(&g->irqs, 0), path, sizeof(path));

	return pit_wish_refuse(w->ret, &cell, "no CPU is left for the interrupts of %s: all are isolated",
			       label(g->device));
}

static int add_device(struct work *w, const struct pit_device *d)
{
	PIT_CLEANUP(group_free) struct group g = {.device = d};
	int rc = sort_irqs(w, &g);

	if (!rc && g.managed)
		rc = refuse_managed(w, &g);
	if (rc || pit_idset_is_empty(&g.irqs))
		return rc;
	rc = wanted_cpus(w, &g);
	if (rc)
		return rc;
	if (pit_idset_is_empty(&g.cpus))
		return refuse_isolated(w, &g);
	rc = pit_strv_add(&w->pci, d->pci);
	return rc ? rc : wish_group(w, &g);
}

static int find_ordinary(struct work *w, struct pit_error *err)
{
	pit_auto_idset struct pit_idset tickless = {0};

	(void)pit_root_idset(w->root, &tickless,
			     "/sys/devices/system/cpu/nohz_full"); /* "(null)" when there are none */
	if (pit_idset_copy(&w->ordinary, &w->topo->cpus.online))
		return pit_fail(err, ENOMEM, "out of memory");
	pit_idset_subtract(&w->ordinary, &w->topo->cpus.isolated);
	pit_idset_subtract(&w->ordinary, &tickless);
	return 0;
}

/* True when the wish is to be carried out, and the interrupt is elsewhere. */
static bool would_move(const struct work *w, const struct pit_wish *wish)
{
	pit_auto_free char *now = NULL;

	return wish->value &&
	       (pit_cell_read(w->root, &wish->cell, &now, NULL) || !pit_value_equal(PIT_VALUE_CPUS, now, wish->value));
}

/* irqbalance would move again what it does not leave alone. */
static int mind_irqbalance(struct work *w, size_t from, struct pit_error *err)
{
	size_t moves = 0;
	int rc = 1;

	for (size_t i = from; i < w->ret->wishes; i++)
		moves += would_move(w, &w->ret->wish[i]);
	if (moves)
		rc = pit_irqbalance_tell(w->scene, &w->pci, w->ret, err);
	for (size_t i = from; !rc && i < w->ret->wishes; i++) {
		struct pit_wish *wish = &w->ret->wish[i];

		if (!would_move(w, wish))
			continue;
		wish->refuse = strdup("irqbalance runs and would move it again: stop it (irqbalance = stopped), or "
				      "use --persist, which also tells it to leave these devices alone");
		if (!wish->refuse)
			return pit_fail(err, ENOMEM, "out of memory");
		pit_cleanup_free(&wish->value);
		wish->value = NULL;
	}
	return rc < 0 ? rc : 0;
}

static int resolve(const struct pit_setting *s, struct work *w, struct pit_error *err)
{
	size_t from = w->ret->wishes;
	int rc = find_ordinary(w, err);

	for (size_t i = 0; !rc && i < w->topo->devices; i++) {
		const struct pit_device *d = &w->topo->device[i];

		if (!d->pci[0] || !is_chosen(s->which, d) || is_repeated(w->topo, i, s->which))
			continue;
		rc = add_device(w, d);
		if (rc)
			return pit_fail(err, -rc, "the interrupts of %s", d->pci);
	}
	if (rc)
		return rc;
	if (w->pci.count)
		return mind_irqbalance(w, from, err);
	if (!w->ret->wishes && pit_wishes_absent(w->ret, "no device %s%s has interrupts that could be placed",
						 s->which ? "named " : "here", s->which ? s->which : ""))
		return pit_fail(err, ENOMEM, "out of memory");
	return 0;
}

int pit_resolve_irq(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		    struct pit_error *err)
{
	struct work w = {.scene = scene, .root = pit_scene_root(scene), .ret = ret};
	int rc;

	if (strcmp(setting->value, "local") != 0)
		return pit_fail(err, EINVAL, "'%.60s' is no place for interrupts; the one there is, is 'local'",
				setting->value);
	rc = pit_scene_topo(scene, &w.topo, err);
	rc = rc ? rc : resolve(setting, &w, err);
	pit_idset_free(&w.ordinary);
	pit_strv_free(&w.pci);
	return rc;
}
