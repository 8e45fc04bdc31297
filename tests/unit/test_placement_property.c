/* SPDX-License-Identifier: MIT
 *
 * What must hold for every placement, on thousands of made-up machines. The checks are written from the promises, with
 * none of the code under test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "launch_site.h"

#define SITES 6000

/* xorshift64*: the same machines everywhere. */
static unsigned draw(uint64_t *seed, unsigned below)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (unsigned)((*seed * UINT64_C(2685821657736338717) >> 33) % below);
}

static bool chance(uint64_t *seed, unsigned percent)
{
	return draw(seed, 100) < percent;
}

static struct machine draw_machine(uint64_t *seed)
{
	static const int smt[] = {1, 2, 2, 2, 4};
	struct machine m = {.packages = 1 + (int)draw(seed, 2), .nodes = 1 + (int)draw(seed, 4)};

	m.l3s = (int)draw(seed, 4);
	m.cores = 1 + (int)draw(seed, m.l3s ? 6 : 14);
	m.smt = smt[draw(seed, 5)];
	m.numbering = (enum numbering)draw(seed, 3);
	return m;
}

/* Some CPUs are gone or forbidden: single ones, or all of some nodes; never all. */
static void take_cpus_away(struct pit_site *s, uint64_t *seed)
{
	struct pit_idset keep = {0};
	unsigned percent = 30 + draw(seed, 70), nodes = draw(seed, 256);
	bool by_node = chance(seed, 40), offline = chance(seed, 40);
	int first = pit_idset_next(&s->allowed, 0);

	for (size_t i = 0; i < s->cores; i++)
		PIT_IDSET_FOREACH (cpu, &s->core[i].cpus)
			if (by_node ? nodes >> s->core[i].node_at & 1 : chance(seed, percent))
				assert_int_equal(pit_idset_add(&keep, (size_t)cpu), 0);
	if (pit_idset_is_empty(&keep))
		assert_int_equal(pit_idset_add(&keep, (size_t)first), 0);
	site_keep(s, &keep, offline);
	pit_idset_free(&keep);
}

static void forget_things(struct pit_site *s, uint64_t *seed)
{
	if (chance(seed, 8))
		for (size_t i = 0; i < s->nodes; i++) {
			free(s->node[i].distance);
			s->node[i].distance = NULL;
		}
	if (chance(seed, 8))
		for (size_t i = 0; i < s->cores; i++)
			s->core[i].package = -1;
	if (chance(seed, 5))
		s->core[draw(seed, (unsigned)s->cores)].l3_at = -1;
	if (chance(seed, 6))
		for (size_t i = 0; i < s->cores; i++)
			if (chance(seed, 30))
				s->core[i].node_at = -1;
	if (chance(seed, 4)) {
		for (size_t i = 0; i < s->nodes; i++)
			free(s->node[i].distance);
		s->nodes = 0;
		for (size_t i = 0; i < s->cores; i++)
			s->core[i].node_at = -1;
	}
}

static void add_devices(struct pit_site *s, uint64_t *seed)
{
	unsigned gpus = chance(seed, 25) ? 0 : 1 + draw(seed, 16);
	unsigned unknown = chance(seed, 70) ? 0 : chance(seed, 30) ? 100 : draw(seed, 100);
	unsigned mig = chance(seed, 85) ? 0 : 50;
	bool ordered = chance(seed, 60);

	for (unsigned i = 0; i < gpus; i++) {
		unsigned node = ordered ? (unsigned)(i * s->nodes / gpus) : draw(seed, (unsigned)s->nodes + !s->nodes);
		struct pit_site_gpu *g = site_add_gpu(s, chance(seed, unknown) || !s->nodes ? -1 : (int)node);

		if (i && chance(seed, mig)) {
			*g = s->gpu[i - 1];
			g->mig = s->gpu[i - 1].mig = true;
			snprintf(g->uuid, sizeof(g->uuid), "MIG-%u", i);
		}
	}
}

static struct pit_site draw_site(uint64_t *seed)
{
	struct pit_site s = site_make(draw_machine(seed));

	if (chance(seed, 60))
		take_cpus_away(&s, seed);
	for (unsigned i = chance(seed, 20) ? 1 + draw(seed, 3) : 0; i; i--)
		site_add_memory(&s, PIT_NODE_GPU + draw(seed, 3), chance(seed, 20), draw(seed, (unsigned)s.nodes),
				20 + draw(seed, 60));
	for (size_t i = 0; i < s.nodes; i++)
		s.node[i].mem &= !chance(seed, 5);
	forget_things(&s, seed);
	add_devices(&s, seed);
	for (size_t i = 0; i < s.cores; i++)
		s.core[i].irq = chance(seed, 8);
	return s;
}

static struct pit_placement_request draw_request(const struct pit_site *s, uint64_t *seed)
{
	struct pit_placement_request r = {
		.bind = (enum pit_bind)draw(seed, 6),
		.mem = (enum pit_mem)draw(seed, 6),
		.spill = (enum pit_spill)draw(seed, 2),
		.view = (enum pit_gpu_view)draw(seed, 3),
		.one_thread = chance(seed, 20),
		.reserve = chance(seed, 25) ? (int)draw(seed, 8) : 0,
	};

	if (chance(seed, 40))
		r.bind = PIT_BIND_EXCLUSIVE;
	if (s->gpus && chance(seed, 30))
		r.per_gpu = 1 + (int)draw(seed, 4);
	else if (chance(seed, 90))
		r.ranks = 1 + (int)draw(seed, chance(seed, 60) ? 12 : 80);
	return r;
}

/* Ours about each site, apart from the code under test. */
struct known {
	const struct pit_site *s;
	const struct pit_placement_request *r;
	const struct pit_placement *p;
	struct pit_idset *usable; /* of each core: what seats may have of it */
	unsigned *owners;         /* of each CPU */
	unsigned top;             /* most usable threads of a core */
	size_t threads;
};

static int node_of(const struct known *k, size_t core)
{
	return k->s->core[core].node_at;
}

static unsigned node_threads(const struct known *k, int node)
{
	size_t n = 0;

	for (size_t i = 0; i < k->s->cores; i++)
		n += node_of(k, i) == node ? pit_idset_count(&k->usable[i]) : 0;
	return (unsigned)n;
}

static unsigned node_cores(const struct known *k, int node)
{
	unsigned n = 0;

	for (size_t i = 0; i < k->s->cores; i++)
		n += node_of(k, i) == node && !pit_idset_is_empty(&k->usable[i]);
	return n;
}

/* CPUs of a node that a seat has. */
static unsigned share_of(const struct known *k, int rank, int node)
{
	unsigned n = 0;

	for (size_t i = 0; i < k->s->cores; i++)
		if (node_of(k, i) == node)
			PIT_IDSET_FOREACH (cpu, &k->usable[i])
				n += pit_idset_has(&k->p->seat[rank].cpus, (size_t)cpu);
	return n;
}

static void learn(struct known *k)
{
	k->usable = calloc(k->s->cores, sizeof(*k->usable));
	k->owners = calloc(PIT_IDSET_MAX, sizeof(*k->owners));
	assert_non_null(k->usable);
	assert_non_null(k->owners);
	for (size_t i = 0; i < k->s->cores; i++) {
		const struct pit_idset *cpus = &k->s->core[i].cpus;
		size_t n;

		if (!pit_idset_intersects(cpus, &k->p->reserved)) {
			if (k->r->one_thread)
				assert_int_equal(pit_idset_add(&k->usable[i], (size_t)pit_idset_next(cpus, 0)), 0);
			else
				assert_int_equal(pit_idset_copy(&k->usable[i], cpus), 0);
		}
		n = pit_idset_count(&k->usable[i]);
		k->threads += n;
		k->top = n > k->top ? (unsigned)n : k->top;
	}
	for (int r = 0; r < k->p->ranks; r++)
		PIT_IDSET_FOREACH (cpu, &k->p->seat[r].cpus)
			k->owners[cpu]++;
}

static void forget(struct known *k)
{
	for (size_t i = 0; i < k->s->cores; i++)
		pit_idset_free(&k->usable[i]);
	free(k->usable);
	free(k->owners);
}

/* Every allowed CPU is in a seat, or reserved, or idle for a reason that names it; never two of these. */
static void check_accounts(const struct known *k)
{
	struct pit_idset told = {0}, all = {0}, seats = {0};
	const struct pit_placement *p = k->p;

	for (size_t i = 0; i < p->idle_why.count; i++) {
		char list[4096];
		struct pit_idset one = {0};

		assert_int_equal(sscanf(p->idle_why.item[i], "CPUs %4095[0-9,-]:", list), 1);
		assert_int_equal(pit_idset_parse(list, &one, NULL), 0);
		assert_false(pit_idset_intersects(&told, &one));
		assert_int_equal(pit_idset_unite(&told, &one), 0);
		pit_idset_free(&one);
	}
	assert_true(pit_idset_equal(&told, &p->idle));
	for (int r = 0; r < p->ranks; r++)
		assert_int_equal(pit_idset_unite(&seats, &p->seat[r].cpus), 0);
	assert_false(pit_idset_intersects(&seats, &p->reserved));
	assert_false(pit_idset_intersects(&seats, &p->idle));
	assert_false(pit_idset_intersects(&p->reserved, &p->idle));
	for (size_t i = 0; i < k->s->cores; i++)
		assert_int_equal(pit_idset_unite(&all, &k->usable[i]), 0);
	assert_true(pit_idset_is_subset(&seats, &all));
	if (p->bind != PIT_BIND_NONE) {
		assert_int_equal(pit_idset_unite(&seats, &p->reserved), 0);
		assert_int_equal(pit_idset_unite(&seats, &p->idle), 0);
		assert_true(pit_idset_equal(&seats, &k->s->allowed));
	} else {
		assert_true(pit_idset_is_empty(&seats));
	}
	pit_idset_free(&told);
	pit_idset_free(&all);
	pit_idset_free(&seats);
}

/* Whole cores, no more of them than asked for, and no node with a rank's GPU emptied while another core is left. */
static void check_reserve(const struct known *k)
{
	size_t kept = pit_idset_count(&k->p->reserved), largest = 0, spare = 0;
	bool emptied = false;

	for (size_t i = 0; i < k->s->cores; i++) {
		const struct pit_idset *cpus = &k->s->core[i].cpus;

		assert_true(!pit_idset_intersects(cpus, &k->p->reserved) || pit_idset_is_subset(cpus, &k->p->reserved));
		largest = pit_idset_count(cpus) > largest ? pit_idset_count(cpus) : largest;
		spare += node_cores(k, node_of(k, i)) > 1;
	}
	assert_true(kept >= (size_t)k->r->reserve);
	assert_true(!kept || kept < (size_t)k->r->reserve + largest);
	for (int r = 0; r < k->p->ranks; r++)
		for (int g = 0; g < k->p->seat[r].gpus; g++) {
			int node = k->s->gpu[k->p->seat[r].gpu_first + g].node_at;

			for (size_t i = 0; node >= 0 && i < k->s->cores; i++)
				emptied |= node_of(k, i) == node && !node_cores(k, node);
		}
	assert_true(!emptied || !spare);
}

static void check_gpus(const struct known *k)
{
	const struct pit_placement *p = k->p;
	int next = 0;

	assert_true(p->view == PIT_GPU_VIEW_ALL || p->view == PIT_GPU_VIEW_OWN);
	for (int r = 0; r < p->ranks; r++) {
		const struct pit_seat *s = &p->seat[r];
		int sharers = 0;

		if (!k->s->gpus) {
			assert_int_equal(s->gpus + s->gpu_sharers, 0);
			continue;
		}
		assert_true(s->gpus >= 1);
		assert_true(s->gpu_first == next || s->gpu_first + 1 == next);
		next = s->gpu_first + s->gpus;
		assert_true((size_t)next <= k->s->gpus);
		for (int i = 0; i < p->ranks; i++)
			sharers += p->seat[i].gpu_first == s->gpu_first;
		assert_int_equal(s->gpu_sharers, sharers);
		if ((size_t)p->ranks == k->s->gpus)
			assert_int_equal(s->gpu_first, r);
	}
	if (p->view == PIT_GPU_VIEW_OWN || p->ranks == 1 || (size_t)p->ranks >= k->s->gpus)
		assert_int_equal(next, (int)k->s->gpus);
}

/* Ranks whose GPU's node has CPUs are at home there, and have some of them. */
static void check_local(const struct known *k)
{
	for (int r = 0; r < k->p->ranks; r++) {
		const struct pit_seat *s = &k->p->seat[r];
		int node = s->gpus ? k->s->gpu[s->gpu_first].node_at : s->home_at;
		unsigned there = 0;

		if (k->p->bind != PIT_BIND_NONE)
			assert_false(pit_idset_is_empty(&s->cpus));
		if (node < 0 || !node_cores(k, node))
			continue;
		assert_int_equal(s->home_at, node);
		for (int i = 0; i < k->p->ranks; i++)
			there += k->p->seat[i].home_at == node;
		if (k->p->bind != PIT_BIND_NONE && node_threads(k, node) >= there)
			assert_true(share_of(k, r, node) > 0);
	}
}

static unsigned ranks_on(const struct known *k, int node)
{
	unsigned n = 0;

	for (int r = 0; r < k->p->ranks; r++)
		n += share_of(k, r, node) > 0;
	return n;
}

/* Threads of a core are split only where cores are fewer than ranks. */
static void check_siblings(const struct known *k)
{
	for (size_t i = 0; i < k->s->cores; i++) {
		unsigned owners = 0;

		for (int r = 0; r < k->p->ranks; r++)
			owners += pit_idset_intersects(&k->p->seat[r].cpus, &k->usable[i]);
		if (owners > 1)
			assert_true(node_cores(k, node_of(k, i)) < ranks_on(k, node_of(k, i)));
	}
}

/* Each rank has one home, which is known. */
static bool all_homes_known(const struct known *k)
{
	if (!k->s->gpus && (size_t)k->p->ranks < k->s->nodes + 1)
		return false;
	for (int r = 0; r < k->p->ranks; r++)
		if (k->p->seat[r].home_at < 0 || k->p->seat[r].gpus > 1)
			return false;
	return true;
}

static void check_no_cpu_twice(const struct known *k)
{
	bool enough = k->threads >= (size_t)k->p->ranks;

	for (int r = 0; k->r->spill == PIT_SPILL_NONE && enough && r < k->p->ranks; r++) {
		unsigned there = 0;

		for (int i = 0; i < k->p->ranks; i++)
			there += k->p->seat[i].home_at == k->p->seat[r].home_at;
		enough = all_homes_known(k) && node_threads(k, k->p->seat[r].home_at) >= there;
	}
	if (!enough)
		return;
	for (size_t i = 0; i < k->s->cores; i++)
		PIT_IDSET_FOREACH (cpu, &k->usable[i])
			assert_true(k->owners[cpu] <= 1);
	for (int r = 0; r < k->p->ranks; r++)
		assert_false(k->p->seat[r].shared);
}

/* No L3 cache of the node, or of any node when it is -2, has CPUs of two ranks. */
static bool whole_l3s(const struct known *k, int node)
{
	for (size_t i = 0; i < k->s->cores; i++)
		for (size_t j = 0; j < k->s->cores; j++) {
			int a = pit_idset_next(&k->usable[i], 0), b = pit_idset_next(&k->usable[j], 0);

			if (a < 0 || b < 0 || k->s->core[i].l3_at != k->s->core[j].l3_at ||
			    (node != -2 && (node_of(k, i) != node || node_of(k, j) != node)))
				continue;
			if (k->s->core[i].l3_at < 0)
				return false;
			for (int r = 0; r < k->p->ranks; r++)
				if (pit_idset_has(&k->p->seat[r].cpus, (size_t)a) !=
				    pit_idset_has(&k->p->seat[r].cpus, (size_t)b))
					return false;
		}
	return true;
}

/* Within a node where ranks are at home, shares differ by one core at most, or are whole L3 caches. */
static void check_balance(const struct known *k)
{
	for (int node = 0; node < (int)k->s->nodes; node++) {
		unsigned least = UINT32_MAX, most = 0, home = 0;
		bool plain = true;

		for (int r = 0; r < k->p->ranks; r++) {
			unsigned share = share_of(k, r, node);

			home += k->p->seat[r].home_at == node;
			plain &= k->p->seat[r].gpus <= 1 && !k->p->seat[r].shared;
			if (!share)
				continue;
			least = share < least ? share : least;
			most = share > most ? share : most;
		}
		if (home && plain && most > least + k->top)
			assert_true(whole_l3s(k, node));
	}
}

/* With what the other nodes gave, ranks of one home differ by two cores at most, unless L3 caches are kept whole. */
static void check_totals(const struct known *k)
{
	if (!all_homes_known(k) || k->s->l3s || k->r->spill == PIT_SPILL_NONE)
		return;
	for (int a = 0; a < k->p->ranks; a++)
		for (int b = 0; b < k->p->ranks; b++) {
			const struct pit_seat *x = &k->p->seat[a], *y = &k->p->seat[b];
			bool same =
				x->home_at == y->home_at && share_of(k, a, x->home_at) && share_of(k, b, x->home_at);

			if (same && !x->shared && !y->shared)
				assert_true(pit_idset_count(&x->cpus) <= pit_idset_count(&y->cpus) + 2 * k->top);
		}
}

static void check_exclusive(const struct known *k)
{
	check_no_cpu_twice(k);
	check_siblings(k);
	check_balance(k);
	check_totals(k);
	if (k->r->spill == PIT_SPILL_NEAREST && !k->r->one_thread)
		assert_true(pit_idset_is_empty(&k->p->idle));
	if (k->r->spill == PIT_SPILL_NONE)
		for (int r = 0; all_homes_known(k) && r < k->p->ranks; r++)
			assert_int_equal(share_of(k, r, k->p->seat[r].home_at), pit_idset_count(&k->p->seat[r].cpus));
}

/* The others: all of the home node, one L3 cache, at least the node. */
static void check_shared(const struct known *k)
{
	for (int r = 0; r < k->p->ranks; r++) {
		const struct pit_seat *s = &k->p->seat[r];
		int l3 = -2;

		if (s->home_at >= 0 && k->p->bind != PIT_BIND_L3)
			assert_int_equal(share_of(k, r, s->home_at), node_threads(k, s->home_at));
		if (s->home_at >= 0 && k->p->bind == PIT_BIND_NODE && s->gpus == 1)
			assert_int_equal(share_of(k, r, s->home_at), pit_idset_count(&s->cpus));
		if (s->home_at < 0 && k->s->nodes && s->gpus && k->p->bind != PIT_BIND_L3)
			assert_int_equal(pit_idset_count(&s->cpus), k->threads);
		for (size_t i = 0; k->p->bind == PIT_BIND_L3 && i < k->s->cores; i++) {
			if (!pit_idset_intersects(&s->cpus, &k->usable[i]))
				continue;
			assert_true(l3 == -2 || l3 == k->s->core[i].l3_at);
			l3 = k->s->core[i].l3_at;
		}
	}
}

static bool may_have_memory(const struct pit_site *s, int id)
{
	for (size_t i = 0; i < s->nodes; i++)
		if (s->node[i].id == id)
			return s->node[i].mem;
	return false;
}

static void check_memory(const struct known *k)
{
	const struct pit_placement *p = k->p;

	assert_int_not_equal(p->mem, PIT_MEM_AUTO);
	for (int r = 0; r < p->ranks; r++) {
		const struct pit_seat *s = &p->seat[r];

		PIT_IDSET_FOREACH (id, &s->mems)
			assert_true(may_have_memory(k->s, id));
		if (p->mem == PIT_MEM_NONE || p->mem == PIT_MEM_LOCAL)
			assert_true(pit_idset_is_empty(&s->mems));
		for (size_t i = 0; i < k->s->cores; i++) {
			int node = node_of(k, i);

			if ((p->mem != PIT_MEM_PREFER && p->mem != PIT_MEM_BIND) || node < 0 || !k->s->node[node].mem ||
			    !pit_idset_intersects(&k->usable[i], &s->cpus))
				continue;
			assert_true(pit_idset_has(&s->mems, (size_t)k->s->node[node].id));
		}
	}
}

static void check_numbers(const struct known *k)
{
	unsigned long threads = 0, usable = 0;

	for (size_t i = 0; i < k->s->cores; i++)
		usable += !pit_idset_is_empty(&k->usable[i]);
	for (int r = 0; r < k->p->ranks; r++) {
		const struct pit_seat *s = &k->p->seat[r];
		unsigned cores = 0;

		for (size_t i = 0; i < k->s->cores; i++)
			cores += pit_idset_intersects(&s->cpus, &k->usable[i]);
		assert_int_equal(s->cores, cores);
		assert_true(s->threads >= 1);
		if (k->p->bind != PIT_BIND_NONE)
			assert_true(s->threads <= cores);
		threads += s->threads > 1 ? s->threads : 0;
		assert_true(s->why.count > 0 || k->p->bind == PIT_BIND_NONE);
	}
	assert_true(threads <= usable);
}

static void print_all(const struct pit_placement *p, struct pit_buf *out)
{
	pit_buf_printf(out, "%d %d %d %d;", p->ranks, p->bind, p->mem, p->view);
	for (int r = 0; r < p->ranks; r++) {
		const struct pit_seat *s = &p->seat[r];

		pit_idset_print(&s->cpus, out);
		pit_buf_putc(out, '/');
		pit_idset_print(&s->mems, out);
		pit_buf_printf(out, " %d %u %u %d %d %d %d %d %u", s->home_at, s->threads, s->cores, s->shared,
			       s->gpu_first, s->gpus, s->gpu_sharers, s->nic_at, s->distance);
		for (size_t i = 0; i < s->why.count; i++)
			pit_buf_puts(out, s->why.item[i]);
	}
	pit_idset_print(&p->reserved, out);
	pit_buf_putc(out, '/');
	pit_idset_print(&p->idle, out);
	for (size_t i = 0; i < p->idle_why.count; i++)
		pit_buf_puts(out, p->idle_why.item[i]);
	for (size_t i = 0; i < p->warnings.count; i++)
		pit_buf_puts(out, p->warnings.item[i]);
}

static void check_same_again(const struct known *k)
{
	pit_auto_buf struct pit_buf one = PIT_BUF_INIT, two = PIT_BUF_INIT;
	auto_placement again = {0};

	assert_int_equal(pit_placement_make(k->s, k->r, &again, NULL), 0);
	print_all(k->p, &one);
	print_all(&again, &two);
	assert_string_equal(one.data, two.data);
}

static void check(struct known *k)
{
	learn(k);
	check_accounts(k);
	check_reserve(k);
	check_gpus(k);
	check_local(k);
	check_memory(k);
	check_numbers(k);
	check_same_again(k);
	if (k->p->bind == PIT_BIND_EXCLUSIVE)
		check_exclusive(k);
	else if (k->p->bind != PIT_BIND_NONE)
		check_shared(k);
	forget(k);
}

struct tally {
	unsigned refused, by_bind[6], shared;
};

static void one_site(uint64_t seed, struct tally *t)
{
	auto_site s = draw_site(&seed);
	struct pit_placement_request r = draw_request(&s, &seed);
	auto_placement p = {0};
	struct pit_error err = PIT_ERROR_INIT;
	struct known k = {.s = &s, .r = &r, .p = &p};
	int rc = pit_placement_make(&s, &r, &p, &err);

	if (rc) {
		assert_int_equal(rc, -EINVAL);
		assert_true(r.reserve > 0);
		assert_true(pit_idset_count(&s.allowed) <= (size_t)r.reserve + 3);
		t->refused++;
		return;
	}
	check(&k);
	t->by_bind[p.bind]++;
	for (int i = 0; i < p.ranks; i++)
		if (p.seat[i].shared) {
			t->shared++;
			break;
		}
}

static void holds_on_every_site(void **state)
{
	struct tally t = {0};
	uint64_t *at = *state;

	for (*at = 1; *at <= SITES; ++*at)
		one_site(*at * UINT64_C(0x9e3779b97f4a7c15), &t);
	for (int i = PIT_BIND_NODE; i <= PIT_BIND_NONE; i++) {
		print_message("# %s: %u placements\n", pit_bind_names[i], t.by_bind[i]);
		assert_true(t.by_bind[i] > SITES / 50);
	}
	print_message("# with shared CPUs: %u; refused: %u\n", t.shared, t.refused);
	assert_true(t.refused < SITES / 20);
}

/* Which site a failure was on, and what was planned for it. */
static int tell(void **state)
{
	uint64_t *at = *state, seed = *at * UINT64_C(0x9e3779b97f4a7c15);
	auto_site s = {0};
	auto_placement p = {0};
	struct pit_placement_request r;

	if (*at > SITES)
		return 0;
	s = draw_site(&seed);
	r = draw_request(&s, &seed);
	print_message("# site %u: ranks %d per-gpu %d bind %d mem %d spill %d view %d smt1 %d reserve %d\n",
		      (unsigned)*at, r.ranks, r.per_gpu, r.bind, r.mem, r.spill, r.view, r.one_thread, r.reserve);
	site_describe(&s);
	if (!pit_placement_make(&s, &r, &p, NULL))
		site_print(&p);
	return 0;
}

int main(void)
{
	uint64_t at = 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate_setup_teardown(holds_on_every_site, NULL, tell, &at),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
