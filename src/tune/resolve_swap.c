/* SPDX-License-Identifier: MIT
 *
 * "swap": "off" for each device and file that the kernel swaps to.
 */
#include <string.h>

#include "base/path.h"
#include "base/pattern.h"
#include "tune/resolve.h"
#include "tune/swaps.h"

/* Priorities that the kernel gave are switched off from the last on: so the others keep theirs, and undoing it the
 * other way round gives each its own again. */
static int in_order(const void *a, const void *b)
{
	const struct pit_swap *x = a, *y = b;

	if (x->priority < 0 && y->priority < 0)
		return (x->priority > y->priority) - (x->priority < y->priority);
	return (y->priority < 0) - (x->priority < 0);
}

static bool is_chosen(const struct pit_swap *s, const char *which)
{
	return !which || pit_fits(which, s->name) || pit_fits(which, pit_base_name(s->name));
}

/* Why `s` stays on, in `err`; `used` is in swap devices that are to be switched off before it, `stays` is one with a
 * priority by the kernel below this one's. */
static int judge(const struct pit_swap *s, const char *which, struct pit_root *root, uint64_t used, const char *stays,
		 struct pit_error *err)
{
	if (s->compressed && !which)
		return pit_fail(err, EPERM, "%s is compressed memory (zram), no disk; name it to switch it off",
				s->name);
	if (s->deleted)
		return pit_fail(err, ENOENT, "%s was deleted, so it could never be switched on again", s->name);
	if (s->priority < 0 && stays)
		return pit_fail(err, EPERM, "%s stays on, and would take over its priority %d", stays, s->priority);
	return pit_swap_fits(root, used + s->used, err);
}

static int resolve_one(const struct pit_swap *s, const char *which, struct pit_root *root, uint64_t *used,
		       const char **stays, struct pit_wishes *ret)
{
	struct pit_error why = PIT_ERROR_INIT;
	struct pit_cell cell = {0};
	int rc = pit_cell_set(&cell, PIT_TARGET_SWAP, PIT_VALUE_TEXT, "%s", s->name);

	if (rc)
		return rc;
	if (judge(s, which, root, *used, *stays, &why)) {
		rc = pit_wish_refuse(ret, &cell, "%s", why.text);
		*stays = s->priority < 0 ? s->name : *stays;
	} else {
		rc = pit_wish_add(ret, &cell, NULL);
		*used += s->used;
	}
	pit_cell_free(&cell);
	return rc;
}

int pit_resolve_swap(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		     struct pit_error *err)
{
	pit_auto_swaps struct pit_swaps swaps = {0};
	struct pit_root *root = pit_scene_root(scene);
	const char *which = setting->which, *stays = NULL;
	uint64_t used = 0;
	size_t chosen = 0;
	int rc;

	if (strcmp(setting->value, "off") != 0)
		return pit_fail(err, EINVAL, "swap can be 'off' only, not '%s'", setting->value);
	rc = pit_swaps_load(root, &swaps, err);
	if (rc == -ENOENT)
		return pit_wishes_absent(ret, "this kernel has no swap");
	if (rc)
		return rc;
	if (swaps.count)
		qsort(swaps.item, swaps.count, sizeof(*swaps.item), in_order);
	for (size_t i = 0; i < swaps.count && !rc; i++) {
		if (is_chosen(&swaps.item[i], which)) {
			rc = resolve_one(&swaps.item[i], which, root, &used, &stays, ret);
			chosen++;
		} else if (swaps.item[i].priority < 0) {
			stays = swaps.item[i].name;
		}
	}
	if (!rc && !chosen)
		rc = which ? pit_wishes_absent(ret, "nothing is swapped to '%s'", which)
			   : pit_wishes_absent(ret, "swap is off");
	return rc ? pit_fail(err, -rc, "out of memory") : 0;
}
