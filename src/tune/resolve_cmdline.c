/* SPDX-License-Identifier: MIT
 *
 * "cmdline.ARG": one argument of the kernel's command line, set or taken out the way this system keeps them.
 */
#include <string.h>

#include "base/words.h"
#include "tune/boot_args.h"
#include "tune/boot_grub.h"
#include "tune/boot_loader.h"
#include "tune/resolve.h"

#define GRUB_D "/etc/default/grub.d"

struct wanted {
	const char *name; /* "iommu" */
	const char *word; /* "iommu=pt"; NULL: absent */
	struct pit_cell cell;
	struct pit_boot_loader loader;
	struct pit_strv now; /* the argument's words that the next boot gets */
};

/* Taking CPUs away from the scheduler by hand has cost a serving machine two thirds of its throughput (NVIDIA's
 * nodewright-packages, issues 95 and 96), so it can only be taken back here. */
static bool isolates(const char *name)
{
	static const char *const names[] = {"isolcpus", "nohz_full", "rcu_nocbs", NULL};

	return pit_is_among(name, names);
}

static int by_hand(const struct wanted *w, struct pit_wishes *ret)
{
	const struct pit_boot_loader *l = &w->loader;

	return pit_wish_refuse(ret, &w->cell, "arguments are kept by %s: %s '%s' %s %s%s%s%s", l->name,
			       w->word ? "add" : "take", w->word ? w->word : w->name, w->word ? "to" : "out of",
			       l->where, l->then ? ", then run '" : "", l->then ? l->then : "", l->then ? "'" : "");
}

static bool is_one_of_a_pair(const char *name)
{
	static const char *const names[] = {"hugepagesz", "hugepages", NULL};

	return pit_is_among(name, names);
}

/* grubby puts a word in the place of others of its name, except where several count. */
static int by_grubby(const struct wanted *w, struct pit_wishes *ret)
{
	pit_auto_buf struct pit_buf value = PIT_BUF_INIT;

	if (is_one_of_a_pair(w->name))
		return pit_wish_refuse(ret, &w->cell,
				       "%s stands in pairs whose order counts, and grubby could not put it back there",
				       w->name);
	if (!w->word)
		return pit_wish_add(ret, &w->cell, NULL);
	if (pit_boot_arg_adds_up(w->name))
		pit_boot_arg_of(&w->now, w->name, &value);
	pit_buf_printf(&value, "%s%s", value.len ? " " : "", w->word);
	return value.failed ? -ENOMEM : pit_wish_add(ret, &w->cell, value.data);
}

static int by_grub_d(const struct wanted *w, struct pit_root *root, struct pit_wishes *ret)
{
	pit_auto_buf struct pit_buf lines = PIT_BUF_INIT;
	char path[128], later[512];

	pit_fragment_path(GRUB_D, ".cfg", ret->txn, path, sizeof(path));
	pit_grub_later(root, path, w->name, later, sizeof(later));
	if (*later)
		return pit_wish_refuse(ret, &w->cell,
				       "%s is read after the file of ours and would take '%s' back; change it "
				       "there",
				       later, w->word ? w->word : w->name);
	if (!ret->persist)
		return pit_wish_add(ret, &w->cell, w->word);
	pit_grub_fragment(w->name, w->word, &lines);
	return lines.failed ? -ENOMEM : pit_fragment_add(ret, path, "", "%s", lines.data);
}

static bool counts(const char *line, const struct wanted *w)
{
	pit_auto_strv struct pit_strv words = {0};

	return !pit_boot_args_split(line, &words) && pit_boot_arg_holds(&words, w->name, w->word);
}

/* The file holds one argument beside the other, so the text goes on from what earlier settings of the plan made of it.
 */
static int by_kernel_install(const struct wanted *w, struct pit_root *root, struct pit_wishes *ret,
			     struct pit_error *err)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT, edited = PIT_BUF_INIT;
	struct pit_cell cell = {0};
	bool there = true;
	int rc = 0;

	if (!ret->persist)
		return pit_wish_add(ret, &w->cell, w->word);
	if (ret->kernel_cmdline)
		pit_buf_puts(&line, ret->kernel_cmdline);
	else
		rc = pit_boot_kernel_cmdline(root, &line, &there, err);
	if (rc)
		return rc;
	/* Without the file kernel-install takes the arguments of the running kernel: were ours among them by then,
	 * removing the file would not take it out again. */
	if (!there)
		return pit_wish_refuse(ret, &w->cell, "%s is not there; write the arguments to keep to it first: %s",
				       PIT_KERNEL_CMDLINE, line.data);
	pit_boot_arg_edit(line.data, w->name, w->word, &edited);
	if (edited.failed || line.failed)
		return -ENOMEM;
	if (!counts(edited.data, w))
		return pit_wish_refuse(ret, &w->cell, "the quotes of %s leave no place for '%s'", PIT_KERNEL_CMDLINE,
				       w->word ? w->word : w->name);
	rc = pit_cell_set(&cell, PIT_TARGET_FILE, PIT_VALUE_TEXT, "%s", PIT_KERNEL_CMDLINE);
	rc = rc ? rc : pit_wish_add(ret, &cell, edited.data);
	pit_cell_free(&cell);
	return rc;
}

/* As it is: the plan sees that nothing is to be done. */
static int keep(const struct wanted *w, struct pit_wishes *ret)
{
	pit_auto_buf struct pit_buf value = PIT_BUF_INIT;

	pit_boot_arg_of(&w->now, w->name, &value);
	return value.failed ? -ENOMEM : pit_wish_add(ret, &w->cell, w->now.count ? value.data : NULL);
}

static int resolve(struct wanted *w, struct pit_root *root, struct pit_wishes *ret, struct pit_error *err)
{
	struct pit_error why = PIT_ERROR_INIT;
	int rc = pit_boot_loader_find(root, &w->loader, err);

	if (rc)
		return rc;
	rc = pit_boot_args_next(root, &w->loader, w->name, &w->now, &why);
	if (rc == -ENOTUNIQ)
		return pit_wish_refuse(ret, &w->cell, "%s", why.text);
	if (rc)
		return pit_fail(err, -rc, "%s", why.text);
	if (pit_boot_arg_holds(&w->now, w->name, w->word))
		return keep(w, ret);
	switch (w->loader.kind) {
	case PIT_BOOT_GRUBBY:
		return by_grubby(w, ret);
	case PIT_BOOT_GRUB_D:
		return by_grub_d(w, root, ret);
	case PIT_BOOT_KERNEL_INSTALL:
		return by_kernel_install(w, root, ret, err);
	default:
		return by_hand(w, ret);
	}
}

int pit_resolve_cmdline(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *ret,
			struct pit_error *err)
{
	static const char prefix[] = "cmdline.";
	const char *id = setting->knob->object ? setting->knob->object : setting->knob->id;
	struct wanted w = {.name = strncmp(id, prefix, strlen(prefix)) != 0 ? id : id + strlen(prefix)};
	pit_auto_buf struct pit_buf word = PIT_BUF_INIT;
	int rc;

	if (setting->which)
		return pit_fail(err, EINVAL, "%s is one for the machine; '%s' chooses nothing", setting->knob->id,
				setting->which);
	rc = pit_boot_arg_word(w.name, setting->value, &word, err);
	if (rc)
		return rc;
	w.word = word.len ? word.data : NULL;
	rc = pit_cell_set(&w.cell, PIT_TARGET_BOOTARG, PIT_VALUE_TEXT, "%s", w.name);
	if (!rc && w.word && isolates(w.name))
		rc = pit_wish_refuse(ret, &w.cell,
				     "%s takes CPUs away from everybody; pitcrew only takes it back ('absent')",
				     w.name);
	else if (!rc)
		rc = resolve(&w, pit_scene_root(scene), ret, err);
	pit_cell_free(&w.cell);
	pit_strv_free(&w.now);
	return rc == -ENOMEM ? pit_fail(err, ENOMEM, "out of memory") : rc;
}
