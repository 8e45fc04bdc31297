/* SPDX-License-Identifier: MIT */
#include "launch/site.h"

#include <string.h>

#include "launch/site_parts.h"

void pit_site_free(struct pit_site *s)
{
	for (size_t i = 0; i < s->cores; i++)
		pit_idset_free(&s->core[i].cpus);
	for (size_t i = 0; i < s->nodes; i++)
		free(s->node[i].distance);
	free(s->core);
	free(s->node);
	free(s->gpu);
	free(s->nic);
	pit_idset_free(&s->allowed);
	pit_idset_free(&s->isolated);
	pit_strv_free(&s->notes);
	*s = (struct pit_site){0};
}

/* A job's program speaks to the GPUs of one vendor: the first of these that has some. */
static int find_cards(struct pit_root *root, const struct pit_topo *t, struct pit_site *s, struct pit_cards *ret)
{
	int rc = pit_site_find_nvidia(root, t, s, ret);

	if (!rc && !ret->count)
		rc = pit_site_find_amd(root, t, s, ret);
	if (!rc && !ret->count)
		rc = pit_site_find_others(t, s, ret);
	return rc;
}

static int load_gpus(struct pit_root *root, const struct pit_topo *t, const struct pit_site_options *o,
		     struct pit_site *s, struct pit_error *err)
{
	pit_auto_cards struct pit_cards cards = {.count = 0};
	int rc = find_cards(root, t, s, &cards);

	return rc ? rc : pit_site_choose(&cards, o, s, err);
}

int pit_site_load(struct pit_root *root, const struct pit_site_options *o, struct pit_site *ret, struct pit_error *err)
{
	PIT_CLEANUP(pit_site_free) struct pit_site s = {.cores = 0};
	struct pit_topo *t = NULL;
	int rc = pit_topo_load(root, &t, err);

	if (rc)
		return rc;
	rc = pit_site_load_cores(root, t, o, &s, err);
	if (!rc && !o->alone)
		rc = pit_site_load_interrupts(root, t, &s);
	if (!rc)
		rc = load_gpus(root, t, o, &s, err);
	if (!rc)
		rc = pit_site_load_nics(root, t, &s);
	pit_topo_free(t);
	if (rc == -ENOMEM)
		return pit_fail(err, ENOMEM, "out of memory");
	if (rc)
		return rc;
	*ret = s;
	s = (struct pit_site){0};
	return 0;
}
