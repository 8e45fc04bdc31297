/* SPDX-License-Identifier: MIT
 *
 * The variables that say which GPUs a process sees. Each vendor's library has its own.
 */
#include <string.h>

#include "launch/environment_parts.h"

#define NVIDIA 0x10de
#define AMD 0x1002
#define INTEL 0x8086

/* GPUs of one vendor that this rank is to see. */
struct seen {
	struct pit_buf list;
	int count;
	bool unknown; /* how one of them is called */
	bool numbers; /* one of them is called by a number */
	bool here;    /* the site has GPUs of this vendor */
};

/* Old drivers and foreign recordings do not say the vendor; the names are NVIDIA's then. */
static unsigned vendor_of(const struct pit_site_gpu *g)
{
	return g->vendor || (strncmp(g->visible, "GPU-", 4) && strncmp(g->visible, "MIG-", 4)) ? g->vendor : NVIDIA;
}

static void look(const struct pit_env_request *r, unsigned vendor, struct seen *s)
{
	const struct pit_seat *seat = &r->placement->seat[r->seat];
	bool all = r->placement->view != PIT_GPU_VIEW_OWN;

	for (size_t i = 0; i < r->site->gpus; i++) {
		const struct pit_site_gpu *g = &r->site->gpu[i];

		if (vendor_of(g) != vendor)
			continue;
		s->here = true;
		if (!all && ((int)i < seat->gpu_first || (int)i >= seat->gpu_first + seat->gpus))
			continue;
		pit_buf_printf(&s->list, "%s%s", s->count++ ? "," : "", g->visible);
		s->unknown |= !*g->visible;
		s->numbers |= strspn(g->visible, "0123456789.") == strlen(g->visible);
	}
}

/* Why the rank sees these. */
static void explain(const struct pit_env_request *r, const struct seen *s, char *out, size_t size)
{
	const struct pit_seat *seat = &r->placement->seat[r->seat];

	if (!s->count)
		snprintf(out, size, "this rank has no GPU");
	else if (r->placement->view == PIT_GPU_VIEW_OWN)
		snprintf(out, size, "only the GPU%s of this rank", s->count > 1 ? "s" : "");
	else if (seat->gpus == 1)
		snprintf(out, size, "all GPUs of the job in its order, number %d is this rank's", seat->gpu_first);
	else
		snprintf(out, size, "all GPUs of the job in its order");
}

static void set_amd(struct pit_env_draft *d, const struct seen *s, const char *why, bool cuda_too)
{
	static const char *const within[] = {"HIP_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "CUDA_VISIBLE_DEVICES"};

	if (s->numbers) {
		pit_env_force(d, "HIP_VISIBLE_DEVICES", s->list.data, why);
		return;
	}
	pit_env_force(d, "ROCR_VISIBLE_DEVICES", s->list.data, why);
	for (size_t i = 0; i < PIT_COUNT(within) - (cuda_too ? 1 : 0); i++)
		pit_env_force(d, within[i], NULL, "its numbers would be counted in ROCR_VISIBLE_DEVICES");
}

static void set(struct pit_env_draft *d, unsigned vendor, const struct seen *s, bool cuda_too)
{
	const char *name = vendor == NVIDIA ? "CUDA_VISIBLE_DEVICES"
			   : vendor == AMD  ? "ROCR_VISIBLE_DEVICES"
					    : "ZE_AFFINITY_MASK";
	char why[120];

	if (s->unknown) {
		if (!pit_env_item(&d->env, name))
			pit_env_put(d, name, pit_environ_get(d->r->environ, name), true,
				    "left as it is: nothing tells by which name the GPUs of this rank can be chosen");
		return;
	}
	explain(d->r, s, why, sizeof(why));
	if (vendor == AMD) {
		set_amd(d, s, why, cuda_too);
		return;
	}
	pit_env_force(d, name, s->list.data, why);
	if (vendor == NVIDIA && s->numbers)
		pit_env_offer(d, "CUDA_DEVICE_ORDER", "PCI_BUS_ID", "numbers of GPUs mean their order on the PCI bus");
}

void pit_env_plan_gpus(struct pit_env_draft *d)
{
	static const unsigned vendors[] = {NVIDIA, AMD, INTEL};
	bool nvidia = false;

	/* An empty list hides all from CUDA, and from HIP where its own variable is unset. */
	if (d->r->site->no_gpus)
		pit_env_force(d, "CUDA_VISIBLE_DEVICES", "", "--gpus none");
	for (size_t i = 0; i < PIT_COUNT(vendors); i++) {
		struct seen s = {.list = PIT_BUF_INIT};

		look(d->r, vendors[i], &s);
		d->failed |= s.list.failed;
		if (s.here)
			set(d, vendors[i], &s, nvidia);
		nvidia |= s.here && vendors[i] == NVIDIA;
		pit_buf_free(&s.list);
	}
}
