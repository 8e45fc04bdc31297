/* SPDX-License-Identifier: MIT */
#include "check/run.h"

#include <string.h>

#include "base/clock.h"

static const struct pit_waiver *waiver_of(const struct pit_waivers *waivers, const char *id)
{
	for (size_t i = 0; waivers && i < waivers->count; i++)
		if (!strcmp(waivers->item[i].id, id))
			return &waivers->item[i];
	return NULL;
}

static void count(struct pit_report *r)
{
	r->pass = r->warn = r->fail = r->skip = r->waived = 0;
	for (size_t i = 0; i < r->count; i++) {
		enum pit_status s = r->finding[i].status;
		bool bad = s == PIT_WARN || s == PIT_FAIL;

		if (bad && r->waiver[i] && !r->waiver[i]->expired)
			r->waived++;
		else if (bad)
			(*(s == PIT_WARN ? &r->warn : &r->fail))++;
		else
			(*(s == PIT_PASS ? &r->pass : &r->skip))++;
	}
}

static int64_t total_memory_kb(struct pit_root *root)
{
	struct pit_text text;
	uint64_t kb;

	if (pit_root_read(root, &text, "/proc/meminfo") || pit_kv_u64(text.data, "MemTotal", &kb))
		return -1;
	return (int64_t)kb;
}

static void describe_host(struct pit_facts *facts, struct pit_report *r)
{
	struct pit_root *root = pit_facts_root(facts);
	const struct pit_platform *platform;
	const struct pit_topo *topo;

	r->workload = pit_facts_options(facts)->workload;
	snprintf(r->tool, sizeof(r->tool), "%s", PITCREW_VERSION);
	snprintf(r->root, sizeof(r->root), "%s", pit_root_name(root));
	r->live = pit_root_is_live(root);
	r->cpus = r->nodes = r->gpus = -1;
	r->mem_kb = total_memory_kb(root);
	if (!pit_facts_platform(facts, &platform, NULL)) {
		r->platform = *platform;
		r->as_root = platform->root;
	}
	if (pit_facts_topo(facts, &topo, NULL))
		return;
	r->cpus = topo->cpus.count ? topo->cpus.count : -1;
	r->nodes = topo->nodes_known ? (int)topo->nodes : -1;
	r->gpus = topo->pci_known ? (int)pit_topo_count(topo, PIT_DEVICE_GPU) : -1;
}

/* Rows that compare two readings come last: by then the time between the readings has passed with other work. */
static void eval_all(struct pit_facts *facts, struct pit_report *r)
{
	pit_facts_defer(facts);
	for (size_t i = 0; i < r->count; i++)
		pit_check_eval(r->finding[i].check, facts, &r->finding[i]);
	pit_facts_stop_deferring(facts);
	for (size_t i = 0; i < r->count; i++) {
		if (!r->finding[i].deferred)
			continue;
		pit_finding_clear(&r->finding[i]);
		pit_check_eval(r->finding[i].check, facts, &r->finding[i]);
	}
}

int pit_check_run(struct pit_facts *facts, const struct pit_selection *selection, const struct pit_waivers *waivers,
		  struct pit_report *ret, struct pit_error *err)
{
	int64_t started = pit_now();
	struct pit_report r = {0};

	r.finding = calloc(pit_catalog_count() + 1, sizeof(*r.finding));
	r.waiver = calloc(pit_catalog_count() + 1, sizeof(*r.waiver));
	if (!r.finding || !r.waiver) {
		pit_report_free(&r);
		return pit_fail(err, ENOMEM, "out of memory");
	}
	PIT_CATALOG_FOREACH (row) {
		if (pit_selection_has(selection, row)) {
			r.waiver[r.count] = waiver_of(waivers, row->id);
			r.finding[r.count++].check = row;
		}
	}
	eval_all(facts, &r);
	describe_host(facts, &r);
	count(&r);
	r.ms = (double)(pit_now() - started) / PIT_MS;
	*ret = r;
	return 0;
}

void pit_report_free(struct pit_report *r)
{
	for (size_t i = 0; i < r->count; i++)
		pit_finding_clear(&r->finding[i]);
	free(r->finding);
	free(r->waiver);
	*r = (struct pit_report){0};
}

bool pit_finding_is_unseen(const struct pit_finding *f)
{
	enum pit_state s = f->skip_state;

	return f->status == PIT_SKIP &&
	       (s == PIT_STATE_DENIED || s == PIT_STATE_MALFORMED || s == PIT_STATE_TIMED_OUT || s == PIT_STATE_ERROR);
}

size_t pit_report_unseen(const struct pit_report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += pit_finding_is_unseen(&r->finding[i]);
	return n;
}

/* Higher is worse; of two that are equally bad, the one that a command mends comes first. */
static int badness(const struct pit_finding *f)
{
	return (int)f->impact * 100 + (int)f->status * 10 + (pit_finding_command(f) && !f->check->reboot);
}

size_t pit_report_worst(const struct pit_report *r, size_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++) {
		enum pit_status s = r->finding[i].status;
		size_t at = n;

		if ((s != PIT_WARN && s != PIT_FAIL) || (r->waiver[i] && !r->waiver[i]->expired))
			continue;
		for (; at && badness(&r->finding[ret[at - 1]]) < badness(&r->finding[i]); at--)
			ret[at] = ret[at - 1];
		ret[at] = i;
		n++;
	}
	return n;
}

const char *pit_finding_command(const struct pit_finding *f)
{
	return f->command ? f->command : f->check->command;
}

const char *pit_finding_remedy(const struct pit_finding *f)
{
	return f->remedy ? f->remedy : f->check->remedy;
}
