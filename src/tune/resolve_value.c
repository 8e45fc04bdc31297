/* SPDX-License-Identifier: MIT
 *
 * Values that make no sense are told before anything is written: what the row allows, and what the machine offers.
 */
#include <inttypes.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "base/pattern.h"
#include "base/words.h"
#include "tune/harm.h"
#include "tune/resolve_parts.h"

#define BLANKS " \t\n,"

/* The word of `list` that is nearest to `word`, in `out`; false when none is near. */
static bool nearest_of(const char *list, const char *word, char *out, size_t size)
{
	pit_auto_strv struct pit_strv words = {0};
	const char *near = NULL;

	if (!pit_strv_split(&words, list, BLANKS) && !pit_strv_add(&words, "")) {
		free(words.item[--words.count]);
		words.item[words.count] = NULL; /* ends the list */
		near = pit_nearest(word, (const char *const *)words.item);
	}
	snprintf(out, size, "%s", near ? near : "");
	return near;
}

static int check_choice(const struct pit_knob *k, const char *value, struct pit_error *err)
{
	char near[64];

	if (!k->values || pit_words_have(k->values, BLANKS, value))
		return 0;
	if (nearest_of(k->values, value, near, sizeof(near)))
		return pit_fail(err, EINVAL, "'%.60s' is none of: %s; did you mean %s?", value, k->values, near);
	return pit_fail(err, EINVAL, "'%.60s' is none of: %s", value, k->values);
}

static int check_number(const struct pit_knob *k, const char *word, struct pit_error *err)
{
	uint64_t large;
	int64_t n;

	if (!pit_parse_i64(word, &n) && n >= k->least && n <= k->most)
		return 0;
	if (pit_parse_i64(word, &n) && pit_parse_u64(word, &large))
		return pit_fail(err, EINVAL, "'%.40s' is not a number", word);
	return pit_fail(err, EINVAL, "%s is not from %" PRId64 " to %" PRId64, word, k->least, k->most);
}

static int check_numbers(const struct pit_knob *k, const char *value, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	int rc = 0;

	if (!k->least && !k->most)
		return 0;
	if (pit_strv_split(&words, value, BLANKS))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < words.count && !rc; i++)
		rc = check_number(k, words.item[i], err);
	return rc ? rc : pit_knob_order(k, value, err);
}

/* The kernel takes shares from 0 to 100 and not less than two pages of bytes. */
static int check_dirty(const char *value, struct pit_error *err)
{
	size_t len = strlen(value);
	char number[32];
	uint64_t n;

	snprintf(number, sizeof(number), "%.*s", (int)(len && value[len - 1] == '%' ? len - 1 : len), value);
	if (pit_parse_u64(number, &n))
		return pit_fail(err, EINVAL, "'%.40s' is neither a share such as 20%% nor a number of bytes", value);
	if (value[len - 1] == '%' && n > 100)
		return pit_fail(err, EINVAL, "%.40s is more than all of the memory", value);
	if (value[len - 1] != '%' && n < UINT64_C(2) << 16)
		return pit_fail(err, EINVAL, "%s bytes are too few: the kernel wants two pages or more", value);
	return 0;
}

int pit_setting_check(const struct pit_setting *s, uint64_t memory, struct pit_error *err)
{
	const struct pit_knob *k = s->knob;
	pit_auto_buf struct pit_buf value = PIT_BUF_INIT;
	int rc = pit_value_want(k->value, s->value, NULL, memory, &value, err);

	if (rc)
		return rc;
	if (k->target == PIT_TARGET_DIRTY)
		return check_dirty(value.data, err);
	if (k->value == PIT_VALUE_CHOICE)
		return check_choice(k, value.data, err);
	if (k->value == PIT_VALUE_INT || k->value == PIT_VALUE_WORDS)
		return check_numbers(k, value.data, err);
	return 0;
}

/* Where the kernel lists what it offers when the file itself shows only the choice, and the modules that add to it. */
static const struct offer {
	enum pit_target_kind target;
	const char *object;    /* pattern */
	const char *list;      /* a path, or a name in the directory of the object; NULL the file itself */
	const char *module[2]; /* names of modules that bring a choice, "%s" stands for it */
} offers[] = {
	{
		.target = PIT_TARGET_SYSCTL,
		.object = "net.ipv4.tcp_congestion_control",
		.list = "/proc/sys/net/ipv4/tcp_available_congestion_control",
		.module = {"tcp_%s"},
	},
	{
		.target = PIT_TARGET_KERNEL,
		.object = "*/scaling_governor",
		.list = "scaling_available_governors",
	},
	{
		.target = PIT_TARGET_KERNEL,
		.object = "*/energy_performance_preference",
		.list = "energy_performance_available_preferences",
	},
	{
		.target = PIT_TARGET_KERNEL,
		.object = "*/current_clocksource",
		.list = "available_clocksource",
	},
	{
		.target = PIT_TARGET_KERNEL,
		.object = "/sys/block/*/queue/scheduler",
		.module = {"%s", "%s-iosched"},
	},
};

static const struct offer *offer_for(const struct pit_cell *cell)
{
	for (size_t i = 0; i < PIT_COUNT(offers); i++)
		if (offers[i].target == cell->target && pit_fits(offers[i].object, cell->object))
			return &offers[i];
	return NULL;
}

/* The choices that the machine lists for the cell, "" when it lists none. */
static const char *listed(struct pit_root *root, const struct offer *o, const struct pit_cell *cell, char *path,
			  size_t size)
{
	struct pit_text text;
	bool itself = !o || !o->list;

	if (itself && cell->target != PIT_TARGET_KERNEL)
		return "";
	if (itself)
		snprintf(path, size, "%s", cell->object);
	else if (*o->list == '/')
		snprintf(path, size, "%s", o->list);
	else
		snprintf(path, size, "%.*s/%s", (int)(strrchr(cell->object, '/') - cell->object), cell->object,
			 o->list);
	if (pit_root_read(root, &text, "%s", path) || (itself && !strchr(text.data, '[')))
		return "";
	return text.data;
}

/* True when file `index` of this kernel's modules names one of the modules that bring the choice. */
static bool module_in(struct pit_scene *scene, const struct offer *o, const char *value, const char *index)
{
	struct pit_text text;

	if (pit_root_read(pit_scene_root(scene), &text, "/lib/modules/%s/%s", pit_scene_platform(scene)->kernel, index))
		return false;
	for (size_t i = 0; i < PIT_COUNT(o->module) && o->module[i]; i++) {
		const char *place = strstr(o->module[i], "%s");
		char name[128];

		snprintf(name, sizeof(name), "/%.*s%.60s%s.ko", (int)(place - o->module[i]), o->module[i], value,
			 place + 2);
		if (strstr(text.data, name))
			return true;
	}
	return false;
}

static bool a_module_has(struct pit_scene *scene, const struct offer *o, const char *value)
{
	if (!o || !o->module[0] || strpbrk(value, "/. "))
		return false;
	return module_in(scene, o, value, "modules.dep") || module_in(scene, o, value, "modules.builtin");
}

/* "always [madvise] never" without the brackets. */
static int plain_words(const char *list, struct pit_buf *out)
{
	pit_auto_strv struct pit_strv words = {0};

	if (pit_strv_split(&words, list, " \t\n[]"))
		return -ENOMEM;
	for (size_t i = 0; i < words.count; i++)
		pit_buf_printf(out, "%s%s", i ? " " : "", words.item[i]);
	return out->failed ? -ENOMEM : 0;
}

int pit_choice_offered(struct pit_scene *scene, const struct pit_cell *cell, const char *value, struct pit_buf *ret)
{
	const struct offer *o = offer_for(cell);
	pit_auto_buf struct pit_buf words = PIT_BUF_INIT;
	char path[4096], near[64];

	if (plain_words(listed(pit_scene_root(scene), o, cell, path, sizeof(path)), &words))
		return -ENOMEM;
	if (!words.len || pit_words_have(words.data, " ", value) || a_module_has(scene, o, value))
		return 1;
	pit_buf_printf(ret, "'%.60s' is not offered here: %s lists %.200s", value, path, words.data);
	if (nearest_of(words.data, value, near, sizeof(near)))
		pit_buf_printf(ret, "; did you mean %s?", near);
	return ret->failed ? -ENOMEM : 0;
}
