/* SPDX-License-Identifier: MIT */
#include "launch/explain_parts.h"

#include <string.h>

bool pit_explain_shows(const struct pit_job *j, int seat)
{
	return !j->peers_unknown || seat == j->own;
}

void pit_explain_set(const struct pit_idset *s, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_idset_print(s, &text);
	for (size_t i = 0; i < text.len; i++) {
		pit_buf_putc(out, text.data[i]);
		if (text.data[i] == ',' && text.len > 36)
			pit_buf_putc(out, ' ');
	}
}

void pit_explain_rank_set(const struct pit_idset *seats, struct pit_buf *out)
{
	if (pit_idset_is_empty(seats))
		return;
	pit_buf_puts(out, pit_idset_count(seats) > 1 ? "ranks " : "rank ");
	pit_idset_print(seats, out);
}

const char *pit_explain_source(enum pit_node_source source)
{
	static const char *const sources[] = {
		[PIT_NODE_FROM_SYSFS] = "by its numa_node",
		[PIT_NODE_FROM_CPUS] = "by its local CPUs",
		[PIT_NODE_FROM_BRIDGE] = "by its bridge",
		[PIT_NODE_FROM_NVML] = "by NVML",
	};

	return source < PIT_COUNT(sources) ? sources[source] : NULL;
}

void pit_explain_heading(const struct pit_page *page, const char *text)
{
	pit_page_colour(page, PIT_BOLD, text);
	pit_buf_puts(page->out, "\n\n");
}

#define COMMAND_COLUMNS 200

static void put_command(const struct pit_job *j, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT, clipped = PIT_BUF_INIT;

	for (char *const *word = j->options->argv; word && *word && text.len <= COMMAND_COLUMNS; word++)
		pit_buf_printf(&text, "%s%s", text.len ? " " : "", *word);
	if (!text.len)
		return;
	pit_page_clip(&clipped, text.data, COMMAND_COLUMNS);
	if (text.len > COMMAND_COLUMNS)
		pit_buf_puts(&clipped, " ...");
	pit_page_wrap(page, 9, "command", clipped.data);
	if (!j->program && *j->program_error.text)
		pit_page_wrap(page, 9, "", j->program_error.text);
}

static void put_job(const struct pit_job *j, const struct pit_page *page)
{
	static const char *const views[] = {"", "each rank sees all GPUs of the job", "each rank sees its own GPUs"};
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (j->alone)
		pit_buf_printf(&text, "rank %d of %d on this host, by %s (%s)", j->identity.local_rank,
			       j->identity.local_size, j->identity.local_from, j->identity.launcher);
	else
		pit_buf_printf(&text, "%d rank%s", j->placement.ranks, j->placement.ranks == 1 ? "" : "s");
	pit_buf_printf(&text, ", CPUs %s, memory %s", pit_bind_names[j->placement.bind], pit_mem_names[j->mem]);
	if (j->site.gpus && j->peers_unknown)
		pit_buf_puts(&text, ", it sees the GPUs that its launcher gave it");
	else if (j->site.gpus && j->placement.view < PIT_COUNT(views))
		pit_buf_printf(&text, ", %s", views[j->placement.view]);
	pit_page_wrap(page, 9, "job", text.data);
}

static void put_allowed(const struct pit_job *j, const struct pit_page *page)
{
	const struct pit_site *s = &j->site;
	pit_auto_buf struct pit_buf set = PIT_BUF_INIT, text = PIT_BUF_INIT;

	pit_explain_set(&s->allowed, &set);
	pit_buf_printf(&text, "CPUs %s%s%s%s", set.data, s->narrowed ? ", not all of this host," : "",
		       *s->allowed_why ? " by " : "", s->allowed_why);
	pit_page_wrap(page, 9, "allowed", text.data);
	if (pit_idset_is_empty(&s->isolated))
		return;
	pit_buf_clear(&set);
	pit_explain_set(&s->isolated, &set);
	pit_buf_puts(&set, " kept out: the kernel isolates them (--isolated uses them)");
	pit_page_wrap(page, 9, "isolated", set.data);
}

static void put_gpus(const struct pit_job *j, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	if (j->site.gpus)
		pit_buf_printf(&text, "%zu", j->site.gpus);
	else
		pit_buf_puts(&text, "none");
	if (*j->site.gpus_why)
		pit_buf_printf(&text, ", by %s", j->site.gpus_why);
	pit_page_wrap(page, 9, "gpus", text.data);
}

/* CPUs of nobody. */
static void put_left(const struct pit_job *j, const struct pit_page *page)
{
	const struct pit_placement *p = &j->placement;
	pit_auto_buf struct pit_buf set = PIT_BUF_INIT;

	pit_explain_set(&p->reserved, &set);
	if (set.len)
		pit_page_wrap(page, 9, "reserved", set.data);
	pit_buf_clear(&set);
	pit_explain_set(&p->idle, &set);
	if (set.len)
		pit_page_wrap(page, 9, "idle", set.data);
	for (size_t i = 0; set.len && i < p->idle_why.count; i++)
		pit_page_wrap(page, 9, "", p->idle_why.item[i]);
	if (page->out->len > 1 && strcmp(page->out->data + page->out->len - 2, "\n\n") != 0)
		pit_buf_putc(page->out, '\n');
}

static void put_sentences(const char *heading, const struct pit_strv *const *lists, const struct pit_page *page)
{
	bool any = false;

	for (; *lists; lists++) {
		for (size_t i = 0; i < (*lists)->count; i++) {
			if (!any)
				pit_explain_heading(page, heading);
			any = true;
			pit_page_wrap(page, 4, "  - ", (*lists)->item[i]);
		}
	}
	if (any)
		pit_buf_putc(page->out, '\n');
}

void pit_explain_text(const struct pit_job *j, const struct pit_page *page, struct pit_buf *out)
{
	const struct pit_page p = {.out = out, .width = page->width > 0 ? page->width : 80, .colours = page->colours};
	const struct pit_strv *const cannot[] = {&j->placement.warnings, &j->notes, &j->site.notes, NULL};
	const struct pit_strv *const again[] = {&j->rebinders, NULL};

	put_command(j, &p);
	put_job(j, &p);
	put_allowed(j, &p);
	put_gpus(j, &p);
	pit_buf_putc(out, '\n');
	pit_explain_picture(j, &p);
	put_left(j, &p);
	pit_explain_ranks(j, &p);
	pit_explain_variables(j, &p);
	pit_explain_rules(j, &p);
	put_sentences("NOT AS IT COULD BE", cannot, &p);
	put_sentences("BIND AGAIN BY THEMSELVES", again, &p);
	if (out->len > 1 && !strcmp(out->data + out->len - 2, "\n\n"))
		out->data[--out->len] = '\0';
}

static void note_text(const struct pit_spawn_note *n, struct pit_buf *out)
{
	pit_buf_puts(out, pit_spawn_step_name(n->step));
	if (n->step == PIT_STEP_LIMIT)
		pit_buf_printf(out, " (%s)", pit_explain_limit_name(n->detail));
	if (n->step == PIT_STEP_CPUS && n->fell && !n->error) {
		pit_buf_puts(out, ": the kernel bound it to fewer than asked for");
		return;
	}
	pit_buf_printf(out, " was refused: %s", strerror(n->error));
	if (n->step == PIT_STEP_MEM && n->fell && n->fell != PIT_MEM_NONE)
		pit_buf_printf(out, "; %s instead", pit_mem_names[n->fell]);
}

void pit_explain_notes(const struct pit_job *j, int seat, const struct pit_spawned *s, struct pit_strv *out)
{
	for (size_t i = 0; i < s->notes && i < PIT_SPAWN_NOTES; i++) {
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

		if (j->placement.ranks > 1 || j->alone)
			pit_buf_printf(&text, "rank %d: ", seat);
		note_text(&s->note[i], &text);
		(void)pit_strv_add(out, text.data);
	}
}
