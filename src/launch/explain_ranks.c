/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "launch/explain_parts.h"

#define BLOCKS_MAX 8 /* ranks; of more, one of each kind is shown */

static void put_cpus(const struct pit_seat *s, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_explain_set(&s->cpus, &text);
	if (text.len)
		pit_buf_printf(&text, ": %u core%s%s", s->cores, s->cores == 1 ? "" : "s",
			       s->shared ? ", which other ranks use too" : "");
	else
		pit_buf_puts(&text, "as inherited, not bound");
	pit_buf_printf(&text, "; for %u thread%s", s->threads, s->threads == 1 ? "" : "s");
	pit_page_part(page, "cpus", text.data);
}

static void put_memory(const struct pit_job *j, const struct pit_seat *s, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf nodes = PIT_BUF_INIT, text = PIT_BUF_INIT;
	bool one = pit_idset_count(&s->mems) == 1;

	pit_explain_set(&s->mems, &nodes);
	if (!nodes.len && (j->mem == PIT_MEM_PREFER || j->mem == PIT_MEM_BIND || j->mem == PIT_MEM_INTERLEAVE))
		pit_buf_puts(&text, "not bound: no node is known");
	else if (j->mem == PIT_MEM_PREFER)
		pit_buf_printf(&text, "node%s %s first, others when %s full", one ? "" : "s", nodes.data,
			       one ? "it is" : "they are");
	else if (j->mem == PIT_MEM_BIND)
		pit_buf_printf(&text, "node%s %s only", one ? "" : "s", nodes.data);
	else if (j->mem == PIT_MEM_INTERLEAVE)
		pit_buf_printf(&text, "page by page over node%s %s", one ? "" : "s", nodes.data);
	else if (j->mem == PIT_MEM_LOCAL)
		pit_buf_puts(&text, "the node of the CPU that touches it first");
	else
		pit_buf_puts(&text, "as inherited");
	pit_page_part(page, "memory", text.data);
}

static void put_gpu(const struct pit_job *j, int at, const struct pit_page *page)
{
	const struct pit_site_gpu *g = &j->site.gpu[at];
	const char *source = pit_explain_source(g->source);
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_buf_printf(&text, "%d: %s%s%s, ", at, *g->name ? g->name : "unnamed", *g->pci ? " at " : "", g->pci);
	if (g->node_at >= 0)
		pit_buf_printf(&text, "node %d %s", j->site.node[g->node_at].id, source ? source : "");
	else
		pit_buf_puts(&text, "node unknown");
	if (*g->uuid)
		pit_buf_printf(&text, ", %s", g->uuid);
	pit_page_part(page, "gpu", text.data);
}

static void put_gpus(const struct pit_job *j, const struct pit_seat *s, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	for (int i = 0; i < s->gpus; i++)
		put_gpu(j, s->gpu_first + i, page);
	if (s->gpu_sharers > 1) {
		pit_buf_printf(&text, "shared with %d other rank%s", s->gpu_sharers - 1, s->gpu_sharers > 2 ? "s" : "");
		pit_page_part(page, "", text.data);
	}
	if (s->nic_at >= 0)
		pit_page_part(page, "nic", j->site.nic[s->nic_at].handle);
}

/* What it has for itself; the others stand under one heading. */
static void put_own_variables(const struct pit_job *j, int seat, const struct pit_page *page)
{
	const struct pit_env *e = &j->env[seat];
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	for (size_t i = 0; i < e->items; i++)
		if (e->item[i].value && !e->item[i].kept && !pit_explain_is_common(j, &e->item[i]))
			pit_buf_printf(&text, "%s%s=%s", text.len ? " " : "", e->item[i].name, e->item[i].value);
	pit_page_part(page, "sets", text.data);
}

static void put_block(const struct pit_job *j, int seat, const struct pit_idset *alike, const struct pit_page *page)
{
	const struct pit_seat *s = &j->placement.seat[seat];
	pit_auto_buf struct pit_buf head = PIT_BUF_INIT;

	pit_buf_printf(&head, "  rank %d", seat);
	if (j->alone && j->identity.rank >= 0)
		pit_buf_printf(&head, ", number %d of the whole job", j->identity.rank);
	if (!pit_idset_is_empty(alike)) {
		pit_buf_puts(&head, ", and in the same way ");
		pit_explain_rank_set(alike, &head);
	}
	pit_page_wrap(page, 2, "", head.data);
	put_cpus(s, page);
	put_memory(j, s, page);
	put_gpus(j, s, page);
	put_own_variables(j, seat, page);
	for (size_t i = 0; i < s->why.count; i++)
		pit_page_part(page, i ? "" : "why", s->why.item[i]);
	pit_buf_putc(page->out, '\n');
}

/* Only numbers differ. */
static bool are_alike(const struct pit_seat *a, const struct pit_seat *b)
{
	return a->gpus == b->gpus && a->gpu_sharers == b->gpu_sharers && a->shared == b->shared &&
	       a->threads == b->threads && a->distance == b->distance &&
	       pit_idset_count(&a->cpus) == pit_idset_count(&b->cpus) &&
	       pit_idset_count(&a->mems) == pit_idset_count(&b->mems) && a->why.count == b->why.count;
}

void pit_explain_ranks(const struct pit_job *j, const struct pit_page *page)
{
	const struct pit_placement *p = &j->placement;
	pit_auto_idset struct pit_idset done = {0};

	pit_explain_heading(page, j->alone || p->ranks == 1 ? "RANK" : "RANKS");
	for (int i = 0; i < p->ranks; i++) {
		pit_auto_idset struct pit_idset alike = {0};

		if ((j->alone && i != j->own) || pit_idset_has(&done, (size_t)i))
			continue;
		for (int k = i + 1; !j->alone && p->ranks > BLOCKS_MAX && k < p->ranks; k++)
			if (are_alike(&p->seat[i], &p->seat[k]) && !pit_idset_has(&done, (size_t)k) &&
			    (pit_idset_add(&alike, (size_t)k) || pit_idset_add(&done, (size_t)k)))
				page->out->failed = true;
		put_block(j, i, &alike, page);
	}
}
