/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "launch/explain_parts.h"

#define INDENT 9
#define SET_COLUMNS 30 /* a longer list of CPUs stands last in its row */

enum { SIGN_NOBODY = '.', SIGN_RESERVED = '-', SIGN_SHARED = '*', SIGN_CACHE = '|' };

struct picture {
	const struct pit_job *j;
	const struct pit_page *page;
	char *sign;     /* of each core of the site */
	bool used[128]; /* signs that are there */
	bool bound;     /* some rank is bound to CPUs */
	int rank_columns, set_columns;
};

/* The last digit of the rank: neighbours differ, whatever their number. */
static char sign_of(const struct picture *p, const struct pit_site_core *core)
{
	const struct pit_placement *pl = &p->j->placement;
	char sign = pit_idset_intersects(&core->cpus, &pl->reserved) ? SIGN_RESERVED : SIGN_NOBODY;
	int owners = 0;

	for (int i = 0; i < pl->ranks && owners < 2; i++) {
		if (!pit_explain_shows(p->j, i) || !pit_idset_intersects(&core->cpus, &pl->seat[i].cpus))
			continue;
		sign = (char)('0' + i % 10);
		owners++;
	}
	return owners > 1 ? SIGN_SHARED : sign;
}

static bool begin(struct picture *p)
{
	const struct pit_placement *pl = &p->j->placement;

	for (int i = 0; i < pl->ranks; i++) {
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

		pit_idset_print(&pl->seat[i].cpus, &text);
		if ((int)text.len > p->set_columns && text.len <= SET_COLUMNS)
			p->set_columns = (int)text.len;
		p->bound |= text.len > 0;
	}
	p->rank_columns = pl->ranks > 100 ? 8 : pl->ranks > 10 ? 7 : 6; /* "rank 12" */
	p->sign = calloc(p->j->site.cores + 1, 1);
	for (size_t i = 0; p->sign && i < p->j->site.cores; i++) {
		p->sign[i] = sign_of(p, &p->j->site.core[i]);
		p->used[(unsigned char)p->sign[i]] = true;
	}
	return p->sign;
}

static bool is_in(const struct pit_site_core *core, int node, int l3)
{
	return core->node_at == node && core->l3_at == l3;
}

/* One cache's cores, on a new line when they do not fit; `column` is kept. */
static void draw_cache(struct picture *p, int node, int l3, int *column)
{
	const struct pit_site *s = &p->j->site;
	int width = 0;

	for (size_t i = 0; i < s->cores; i++)
		width += is_in(&s->core[i], node, l3);
	if (width && *column > INDENT && *column + 1 + width > p->page->width) {
		pit_buf_printf(p->page->out, "\n%*s", INDENT, "");
		*column = INDENT;
	} else if (width && *column > INDENT) {
		pit_buf_putc(p->page->out, SIGN_CACHE);
		p->used[SIGN_CACHE] = true;
		++*column;
	}
	for (size_t i = 0; i < s->cores; i++) {
		if (!is_in(&s->core[i], node, l3))
			continue;
		if (*column == p->page->width) {
			pit_buf_printf(p->page->out, "\n%*s", INDENT, "");
			*column = INDENT;
		}
		pit_buf_putc(p->page->out, p->sign[i]);
		++*column;
	}
}

static void draw_cores(struct picture *p, int node)
{
	int column = INDENT;

	pit_buf_printf(p->page->out, "%-*s", INDENT, "  cores");
	for (int l3 = -1; l3 < (int)p->j->site.l3s; l3++)
		draw_cache(p, node, l3, &column);
	pit_buf_putc(p->page->out, '\n');
}

static void add_gpus(const struct pit_seat *s, struct pit_buf *out)
{
	if (s->gpus == 1)
		pit_buf_printf(out, "  gpu %d", s->gpu_first);
	else if (s->gpus)
		pit_buf_printf(out, "  gpus %d-%d", s->gpu_first, s->gpu_first + s->gpus - 1);
}

static void draw_rank(struct picture *p, const struct pit_idset *seats)
{
	const struct pit_seat *s = &p->j->placement.seat[pit_idset_next(seats, 0)];
	pit_auto_buf struct pit_buf head = PIT_BUF_INIT, set = PIT_BUF_INIT, row = PIT_BUF_INIT, who = PIT_BUF_INIT;
	bool several = pit_idset_count(seats) > 1;

	pit_explain_rank_set(seats, &who);
	pit_buf_printf(&head, "  %-*s  ", p->rank_columns, who.data);
	pit_explain_set(&s->cpus, &set);
	if (!set.len)
		pit_buf_puts(&row, "not bound");
	else if (set.len <= SET_COLUMNS)
		pit_buf_printf(&row, "CPUs %-*s  ", p->set_columns, set.data);
	if (set.len)
		pit_buf_printf(&row, "%3u %s", s->cores,
			       several || s->shared ? s->cores == 1 ? "core, shared" : "cores, shared"
			       : s->cores == 1      ? "core "
						    : "cores");
	if (!several)
		add_gpus(s, &row);
	if (!several && s->nic_at >= 0)
		pit_buf_printf(&row, "  %s", p->j->site.nic[s->nic_at].handle);
	while (row.data[row.len - 1] == ' ')
		row.data[--row.len] = '\0';
	pit_buf_puts(p->page->out, head.data);
	pit_page_clip(p->page->out, row.data, SIZE_MAX);
	pit_buf_putc(p->page->out, '\n');
	if (set.len > SET_COLUMNS)
		pit_page_wrap(p->page, (int)head.len + 5, "", set.data);
}

/* Ranks with the same CPUs in one row. */
static void draw_ranks(struct picture *p, int node)
{
	const struct pit_placement *pl = &p->j->placement;
	pit_auto_idset struct pit_idset done = {0};

	for (int i = 0; i < pl->ranks; i++) {
		pit_auto_idset struct pit_idset same = {0};

		if (pl->seat[i].home_at != node || !pit_explain_shows(p->j, i) || pit_idset_has(&done, (size_t)i))
			continue;
		for (int k = i; k < pl->ranks; k++) {
			bool alike =
				k == i || (pl->ranks > 8 && pit_explain_shows(p->j, k) && pl->seat[k].home_at == node &&
					   pit_idset_equal(&pl->seat[k].cpus, &pl->seat[i].cpus));

			if (alike && (pit_idset_add(&same, (size_t)k) || pit_idset_add(&done, (size_t)k)))
				return;
		}
		draw_rank(p, &same);
	}
}

static void gpu_users(const struct pit_job *j, int gpu, struct pit_idset *ret)
{
	for (int i = 0; i < j->placement.ranks; i++) {
		const struct pit_seat *s = &j->placement.seat[i];

		if (pit_explain_shows(j, i) && gpu >= s->gpu_first && gpu < s->gpu_first + s->gpus)
			(void)pit_idset_add(ret, (size_t)i);
	}
}

static void draw_gpu(struct picture *p, int at)
{
	const struct pit_site_gpu *g = &p->j->site.gpu[at];
	pit_auto_idset struct pit_idset users = {0};
	pit_auto_buf struct pit_buf row = PIT_BUF_INIT, who = PIT_BUF_INIT;

	gpu_users(p->j, at, &users);
	pit_explain_rank_set(&users, &who);
	pit_buf_printf(&row, "%-12s  %-30.40s  %s", *g->pci ? g->pci : "(no PCI)", *g->name ? g->name : "unnamed",
		       who.len               ? who.data
		       : p->j->peers_unknown ? ""
					     : "no rank");
	pit_buf_printf(p->page->out, "  gpu %-3d", at);
	pit_page_clip(p->page->out, row.data, SIZE_MAX);
	pit_buf_putc(p->page->out, '\n');
}

static void draw_nic(struct picture *p, int at)
{
	const struct pit_site_nic *n = &p->j->site.nic[at];
	pit_auto_idset struct pit_idset users = {0};
	pit_auto_buf struct pit_buf row = PIT_BUF_INIT, who = PIT_BUF_INIT;

	for (int i = 0; i < p->j->placement.ranks; i++)
		if (pit_explain_shows(p->j, i) && p->j->placement.seat[i].nic_at == at)
			(void)pit_idset_add(&users, (size_t)i);
	pit_explain_rank_set(&users, &who);
	pit_buf_printf(&row, "%-12s  %-30.40s  %s", *n->pci ? n->pci : "(no PCI)", n->handle, who.data);
	while (row.len && row.data[row.len - 1] == ' ')
		row.data[--row.len] = '\0';
	pit_buf_printf(p->page->out, "  %-5s  ", n->rdma ? "ib" : "nic");
	pit_page_clip(p->page->out, row.data, SIZE_MAX);
	pit_buf_putc(p->page->out, '\n');
}

static void draw_inside(struct picture *p, int node)
{
	const struct pit_site *s = &p->j->site;

	draw_ranks(p, node);
	for (size_t i = 0; i < s->gpus; i++)
		if (s->gpu[i].node_at == node)
			draw_gpu(p, (int)i);
	for (size_t i = 0; i < s->nics; i++)
		if (s->nic[i].node_at == node)
			draw_nic(p, (int)i);
}

static void cpus_of(const struct pit_site *s, int node, struct pit_idset *ret)
{
	for (size_t i = 0; i < s->cores; i++)
		if (s->core[i].node_at == node)
			(void)pit_idset_unite(ret, &s->core[i].cpus);
}

static void draw_node(struct picture *p, int node)
{
	const struct pit_site_node *n = &p->j->site.node[node];
	pit_auto_idset struct pit_idset cpus = {0};
	pit_auto_buf struct pit_buf set = PIT_BUF_INIT, line = PIT_BUF_INIT;
	char head[32];

	cpus_of(&p->j->site, node, &cpus);
	pit_explain_set(&cpus, &set);
	snprintf(head, sizeof(head), "node %-3d ", n->id);
	if (n->mem && n->kind != PIT_NODE_UNKNOWN)
		pit_buf_printf(&line, "%s memory, ", pit_node_kind_name(n->kind));
	else if (!n->mem)
		pit_buf_puts(&line, "no memory for programs, ");
	pit_buf_printf(&line, set.len ? "CPUs %s" : "no CPUs for this job", set.data);
	pit_page_wrap(p->page, INDENT, head, line.data);
	if (set.len && p->bound)
		draw_cores(p, node);
	draw_inside(p, node);
	pit_buf_putc(p->page->out, '\n');
}

/* A node of which this job uses nothing, such as the many of a Grace with GPUs. */
static bool is_empty(const struct pit_site *s, int node)
{
	for (size_t i = 0; i < s->gpus; i++)
		if (s->gpu[i].node_at == node)
			return false;
	return !s->node[node].cpus && !s->node[node].mem;
}

static void draw_unknown(struct picture *p)
{
	pit_auto_idset struct pit_idset cpus = {0};
	struct pit_page part = *p->page;
	pit_auto_buf struct pit_buf inside = PIT_BUF_INIT;
	struct picture q = *p;

	part.out = &inside;
	q.page = &part;
	cpus_of(&p->j->site, -1, &cpus);
	if (!pit_idset_is_empty(&cpus) && p->bound)
		draw_cores(&q, -1);
	draw_inside(&q, -1);
	memcpy(p->used, q.used, sizeof(p->used));
	if (inside.len)
		pit_buf_printf(p->page->out, "%s\n%s\n", p->j->site.nodes ? "no node known" : "host", inside.data);
}

static void draw_legend(struct picture *p)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (!p->bound)
		return;
	pit_buf_puts(&text, p->j->placement.ranks > 10 ? "a sign for each core: the last digit of its rank"
						       : "a sign for each core: its rank");
	if (p->used[SIGN_SHARED])
		pit_buf_puts(&text, ", * of several ranks");
	if (p->used[SIGN_RESERVED])
		pit_buf_puts(&text, ", - for housekeeping");
	if (p->used[SIGN_NOBODY])
		pit_buf_puts(&text, p->j->peers_unknown ? ", . not its own" : ", . nobody's");
	if (p->used[SIGN_CACHE])
		pit_buf_puts(&text, ", | between L3 caches");
	pit_page_wrap(p->page, INDENT, "cores", text.data);
}

void pit_explain_picture(const struct pit_job *j, const struct pit_page *page)
{
	struct picture p = {.j = j, .page = page};

	if (!begin(&p)) {
		page->out->failed = true;
		return;
	}
	for (size_t i = 0; i < j->site.nodes; i++)
		if (!is_empty(&j->site, (int)i))
			draw_node(&p, (int)i);
	draw_unknown(&p);
	draw_legend(&p);
	free(p.sign);
}
