/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tune/resolve_parts.h"

/* A cell for refusing a knob as a whole. */
static int refuse_all(const struct pit_knob *k, const char *why, struct pit_wishes *ret)
{
	struct pit_cell cell = {
		.target = k->target, .kind = k->value, .object = (char *)(k->object ? k->object : k->id)};

	return pit_wish_refuse(ret, &cell, "%s", why);
}

/* Of what belongs to the host a container says so; true: it does not. */
static bool is_ours(const struct pit_setting *s, struct pit_scene *scene, char *why, size_t size)
{
	const struct pit_knob *k = s->knob;

	if (!pit_scene_in_container(scene))
		return true;
	*why = '\0';
	if (k->in_container == PIT_OWN_NEVER)
		snprintf(why, size, "%s belongs to the host of this container (%s): set it there", k->id,
			 pit_scene_platform(scene)->container);
	else if (k->in_container == PIT_OWN_NETWORK && !pit_scene_owns_network(scene))
		snprintf(why, size, "belongs to the host: this container shares its network");
	else if (k->in_container == PIT_OWN_SHM &&
		 ((s->which && strcmp(s->which, "/dev/shm") != 0) || !pit_scene_owns_shm(scene)))
		snprintf(why, size, "belongs to the host: this container shares its tmpfs, or it cannot be told");
	return !*why;
}

/* Appends what is wanted of `cell`. What cannot be read is left to the plan, which says so. */
static int wish_for(const struct pit_setting *s, struct pit_scene *scene, const struct pit_cell *cell,
		    struct pit_wishes *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf value = PIT_BUF_INIT, why = PIT_BUF_INIT;
	pit_auto_free char *now = NULL;
	int rc;

	(void)pit_cell_read(pit_scene_root(scene), cell, &now, NULL);
	rc = pit_value_want(cell->kind, s->value, now, pit_scene_memory(scene), &value, err);
	if (rc)
		return pit_wrap(err, rc, "%s", cell->object);
	if (cell->kind == PIT_VALUE_CHOICE)
		rc = pit_choice_offered(scene, cell, value.data, &why);
	else
		rc = 1;
	if (rc > 0)
		rc = pit_wish_add(ret, cell, value.data);
	else if (!rc)
		rc = pit_wish_refuse(ret, cell, "%s", why.data);
	return rc ? pit_fail(err, -rc, "out of memory") : 0;
}

/* This machine has no object of the knob. */
static int say_absent(const struct pit_setting *s, const char *object, struct pit_wishes *ret)
{
	if (s->which && strchr(object, '*'))
		return pit_wishes_absent(ret, "this machine has nothing named %s in %s", s->which, object);
	if (s->knob->target == PIT_TARGET_SYSCTL)
		return pit_wishes_absent(ret, "this kernel has no %s", object);
	return pit_wishes_absent(ret, "this machine has no %s", object);
}

/* The dirty limits have no file of their own name. */
static int expand(const struct pit_setting *s, struct pit_scene *scene, const char *object, struct pit_strv *ret,
		  struct pit_error *err)
{
	if (s->knob->target == PIT_TARGET_SYSCTL || s->knob->target == PIT_TARGET_KERNEL)
		return pit_pattern_expand(pit_scene_root(scene), s->knob->target, object, s->which, ret, err);
	return pit_strv_add(ret, object) ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static int by_pattern(const struct pit_setting *s, struct pit_scene *scene, struct pit_wishes *ret,
		      struct pit_error *err)
{
	const struct pit_knob *k = s->knob;
	const char *object = k->object ? k->object : k->id;
	pit_auto_strv struct pit_strv objects = {0};
	int rc;

	if (s->which && !strchr(object, '*'))
		return pit_fail(err, EINVAL, "there is only one %s, nothing named '%.80s'", object, s->which);
	rc = pit_setting_check(s, pit_scene_memory(scene), err);
	rc = rc ? rc : expand(s, scene, object, &objects, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < objects.count && !rc; i++) {
		struct pit_cell cell = {.target = k->target, .kind = k->value, .object = objects.item[i]};

		rc = wish_for(s, scene, &cell, ret, err);
	}
	if (!rc && !objects.count && say_absent(s, object, ret))
		return pit_fail(err, ENOMEM, "out of memory");
	return rc;
}

int pit_knob_wishes(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
		    struct pit_error *err)
{
	const struct pit_knob *k = setting->knob;
	char why[256];
	int rc;

	if (!is_ours(setting, scene, why, sizeof(why)))
		return refuse_all(k, why, ret) ? pit_fail(err, ENOMEM, "out of memory") : 0;
	rc = k->resolve ? k->resolve(setting, scene, ret, err) : by_pattern(setting, scene, ret, err);
	return setting->where ? pit_wrap(err, rc, "%s: %s", setting->where, k->id) : pit_wrap(err, rc, "%s", k->id);
}
