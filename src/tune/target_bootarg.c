/* SPDX-License-Identifier: MIT
 *
 * Arguments of the kernel's command line where grubby keeps it. Elsewhere they are lines of files, and a cell of this
 * kind can only be read.
 */
#include <string.h>

#include "tune/boot_args.h"
#include "tune/boot_grub.h"
#include "tune/boot_loader.h"
#include "tune/target.h"

#define SECONDS 300 /* grubby is a shell script over all entries, with a lock of its own */

static int read_words(struct pit_root *root, const char *name, struct pit_boot_loader *loader, struct pit_strv *ret,
		      struct pit_error *err)
{
	int rc = pit_boot_loader_find(root, loader, err);

	return rc ? rc : pit_boot_args_next(root, loader, name, ret, err);
}

static int read_bootarg(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	pit_auto_buf struct pit_buf value = PIT_BUF_INIT;
	struct pit_boot_loader loader;
	char *text = NULL;
	int rc = read_words(root, cell->object, &loader, &words, err);

	if (rc)
		return rc;
	if (words.count) {
		pit_boot_arg_of(&words, cell->object, &value);
		text = pit_buf_take(&value);
		if (!text)
			return pit_fail(err, ENOMEM, "out of memory");
	}
	*ret = text;
	return 0;
}

/* Blank-separated words of `all` that are not among `others`. */
static void difference(const struct pit_strv *all, const struct pit_strv *others, struct pit_buf *out)
{
	for (size_t i = 0; i < all->count; i++)
		if (!pit_strv_has(others, all->item[i]))
			pit_buf_printf(out, "%s%s", out->len ? " " : "", all->item[i]);
}

/* All arguments of all entries but those of `name`, in order: what must be the same before and after. */
static int others(struct pit_root *root, const char *name, struct pit_buf *out)
{
	const struct pit_strv *files;
	struct pit_text text, env;
	const char *dir;
	int rc = pit_boot_entries(root, &dir, &files);

	if (rc || pit_root_read(root, &env, "/boot/grub2/grubenv"))
		env.data = "";
	for (size_t i = 0; !rc && i < files->count; i++) {
		pit_auto_strv struct pit_strv words = {0};

		rc = pit_root_read(root, &text, "%s/%s", dir, files->item[i]);
		if (!rc && pit_bls_args(text.data, env.data, &words) == -ENOMEM)
			rc = -ENOMEM;
		pit_buf_printf(out, "%s:", files->item[i]);
		for (size_t w = 0; w < words.count; w++)
			if (!pit_boot_arg_is(words.item[w], name))
				pit_buf_printf(out, " %s", words.item[w]);
		pit_buf_putc(out, '\n');
	}
	return out->failed ? -ENOMEM : rc;
}

static int grubby(struct pit_place *place, const struct pit_strv *now, const struct pit_strv *wanted,
		  struct pit_error *err)
{
	pit_auto_buf struct pit_buf add = PIT_BUF_INIT, take = PIT_BUF_INIT;
	const char *argv[5] = {"grubby", "--update-kernel=ALL"};
	size_t n = 2;

	pit_buf_puts(&take, "--remove-args=");
	difference(now, wanted, &take);
	pit_buf_puts(&add, "--args=");
	for (size_t i = 0; i < wanted->count; i++)
		pit_buf_printf(&add, "%s%s", i ? " " : "", wanted->item[i]);
	if (take.failed || add.failed)
		return pit_fail(err, ENOMEM, "out of memory");
	if (take.data[take.len - 1] != '=' || !wanted->count)
		argv[n++] = take.data;
	if (wanted->count)
		argv[n++] = add.data;
	return pit_place_command(place, argv, SECONDS, NULL, err);
}

static int check_all(const struct pit_strv *words, struct pit_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < words->count && !rc; i++)
		rc = pit_boot_arg_check(words->item[i], err);
	return rc;
}

static int change(struct pit_place *place, const char *name, const struct pit_strv *now, const struct pit_strv *wanted,
		  struct pit_error *err)
{
	pit_auto_buf struct pit_buf before = PIT_BUF_INIT, after = PIT_BUF_INIT;
	int rc = others(pit_place_root(place), name, &before);

	if (rc)
		return pit_fail(err, -rc, "the boot entries: %s", strerror(-rc));
	rc = grubby(place, now, wanted, err);
	if (rc)
		return rc;
	rc = others(pit_place_now(place), name, &after);
	if (rc)
		return pit_fail(err, -rc, "the boot entries: %s", strerror(-rc));
	if (strcmp(before.data, after.data) != 0)
		return pit_fail(err, EPROTO, "grubby changed more than '%s' in the boot entries", name);
	return 0;
}

static int write_bootarg(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	pit_auto_strv struct pit_strv now = {0}, wanted = {0};
	struct pit_boot_loader loader;
	int rc = read_words(pit_place_now(place), cell->object, &loader, &now, err);

	if (rc)
		return rc;
	if (loader.kind != PIT_BOOT_GRUBBY)
		return pit_fail(err, EOPNOTSUPP, "%s does not set single arguments", loader.name);
	if (value && pit_boot_args_split(value, &wanted))
		return pit_fail(err, ENOMEM, "out of memory");
	rc = check_all(&now, err);
	rc = rc ? rc : check_all(&wanted, err);
	if (rc || (!now.count && !wanted.count))
		return rc;
	return change(place, cell->object, &now, &wanted, err);
}

static void shell_bootarg(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	pit_buf_printf(out, "grubby --update-kernel=ALL --%s=", value ? "args" : "remove-args");
	pit_shell_quote(value ? value : cell->object, out);
	pit_buf_putc(out, '\n');
}

const struct pit_target pit_target_bootarg = {
	.name = "bootarg",
	.runtime = false,
	.read = read_bootarg,
	.write = write_bootarg,
	.shell = shell_bootarg,
};
