/* SPDX-License-Identifier: MIT
 *
 * Arguments of the kernel's command line where grubby keeps it. Elsewhere they are lines of files, and a cell of this
 * kind can only be read.
 */
#include <string.h>

#include "base/path.h"
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

/* The files that grubby edits, as they are now. */
struct entries {
	struct pit_strv path, text;
	char *env; /* text of grubenv; NULL there is none */
};

#define GRUBENV "/boot/grub2/grubenv"

static void entries_free(struct entries *e)
{
	pit_strv_free(&e->path);
	pit_strv_free(&e->text);
	free(e->env);
}

static int entries_load(struct pit_root *root, struct entries *ret, struct pit_error *err)
{
	const struct pit_strv *files;
	struct pit_text text;
	const char *dir;
	int rc = pit_boot_entries(root, &dir, &files);

	for (size_t i = 0; !rc && i < files->count; i++) {
		if (!pit_ends_with(files->item[i], ".conf"))
			continue;
		rc = pit_root_read(root, &text, "%s/%s", dir, files->item[i]);
		rc = rc ? rc : pit_strv_addf(&ret->path, "%s/%s", dir, files->item[i]);
		rc = rc ? rc : pit_strv_add(&ret->text, text.data);
	}
	if (!rc && !pit_root_read(root, &text, GRUBENV) && strlen(text.data) == text.len) {
		ret->env = strdup(text.data);
		rc = ret->env ? 0 : -ENOMEM;
	}
	return rc ? pit_fail(err, -rc, "the boot entries: %s", strerror(-rc)) : 0;
}

static int put_back(struct pit_place *place, const char *path, const char *was, struct pit_error *err)
{
	struct pit_text now;

	if (!pit_root_read(pit_place_root(place), &now, "%s", path) && !strcmp(now.data, was))
		return 0;
	return pit_place_store(place, path, was, 0644, err);
}

static int entries_store(struct pit_place *place, const struct entries *e, struct pit_error *err)
{
	int rc = 0;

	pit_place_now(place);
	for (size_t i = 0; i < e->path.count && !rc; i++)
		rc = put_back(place, e->path.item[i], e->text.item[i], err);
	return !rc && e->env ? put_back(place, GRUBENV, e->env, err) : rc;
}

/* All arguments of all entries but those of `name`, in order: what must be the same before and after. */
static int others(const struct entries *e, const char *name, struct pit_buf *out, struct pit_error *err)
{
	for (size_t i = 0; i < e->path.count; i++) {
		pit_auto_strv struct pit_strv words = {0};

		if (pit_bls_args(e->text.item[i], e->env ? e->env : "", &words) == -ENOMEM)
			return pit_fail(err, ENOMEM, "out of memory");
		pit_buf_printf(out, "%s:", e->path.item[i]);
		for (size_t w = 0; w < words.count; w++)
			if (!pit_boot_arg_is(words.item[w], name))
				pit_buf_printf(out, " %s", words.item[w]);
		pit_buf_putc(out, '\n');
	}
	return out->failed ? pit_fail(err, ENOMEM, "out of memory") : 0;
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

/* Whether the entries lost or gained anything but `name`. */
static int compare(struct pit_root *root, const struct entries *before, const char *name, struct pit_error *err)
{
	PIT_CLEANUP(entries_free) struct entries after = {.env = NULL};
	pit_auto_buf struct pit_buf was = PIT_BUF_INIT, is = PIT_BUF_INIT;
	int rc = entries_load(root, &after, err);

	rc = rc ? rc : others(before, name, &was, err);
	rc = rc ? rc : others(&after, name, &is, err);
	if (!rc && strcmp(was.data, is.data) != 0)
		rc = pit_fail(err, EPROTO, "grubby changed more than '%s' in the boot entries", name);
	return rc;
}

/* Some versions of grubby take an argument for the start of others, and one that fails may have done half its work. */
static int change(struct pit_place *place, const char *name, const struct pit_strv *now, const struct pit_strv *wanted,
		  struct pit_error *err)
{
	PIT_CLEANUP(entries_free) struct entries before = {.env = NULL};
	struct pit_error why = PIT_ERROR_INIT;
	int rc = entries_load(pit_place_root(place), &before, err);

	if (rc)
		return rc;
	rc = grubby(place, now, wanted, err);
	rc = rc ? rc : compare(pit_place_now(place), &before, name, err);
	if (rc && entries_store(place, &before, &why))
		return pit_fail(err, -rc, "%s, and they could not be put back: %s", err ? err->text : "", why.text);
	return rc;
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
