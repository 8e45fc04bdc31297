/* SPDX-License-Identifier: MIT */
#include "tune/boot_loader.h"

#include <string.h>

#include "base/path.h"
#include "host/procfs.h"
#include "tune/boot_args.h"
#include "tune/boot_grub.h"

/* Systems that are told by a file of theirs. Those of the second table only when nothing that we can use is there. */
struct known {
	const char *path;
	struct pit_boot_loader loader;
};

static const struct known before_others[] = {
	{.path = "/run/ostree-booted",
	 .loader = {.name = "ostree", .where = "the kernel arguments of the deployment (rpm-ostree kargs)"}},
	{.path = "/etc/NIXOS",
	 .loader = {.name = "NixOS", .where = "boot.kernelParams of its configuration", .then = "nixos-rebuild boot"}},
	{.path = "/etc/kernel/proxmox-boot-uuids",
	 .loader = {.name = "proxmox-boot-tool",
		    .where =
			    "the line of /etc/kernel/cmdline (systemd-boot) or GRUB_CMDLINE_LINUX of /etc/default/grub",
		    .then = "proxmox-boot-tool refresh"}},
	{.path = "/etc/kernelstub/configuration",
	 .loader = {.name = "kernelstub", .where = "kernelstub's options (kernelstub --add-options)"}},
	{.path = "/etc/flatcar", .loader = {.name = "Flatcar", .where = "linux_append of /oem/grub.cfg"}},
	{.path = NULL},
};

static const struct known after_others[] = {
	{.path = "/boot/extlinux/extlinux.conf",
	 .loader = {.name = "extlinux", .where = "the APPEND line of /boot/extlinux/extlinux.conf"}},
	{.path = "/boot/firmware/cmdline.txt",
	 .loader = {.name = "Raspberry Pi firmware", .where = "the line of /boot/firmware/cmdline.txt"}},
	{.path = "/boot/cmdline.txt",
	 .loader = {.name = "Raspberry Pi firmware", .where = "the line of /boot/cmdline.txt"}},
	{.path = "/boot/armbianEnv.txt", .loader = {.name = "U-Boot", .where = "extraargs of /boot/armbianEnv.txt"}},
	{.path = "/etc/zipl.conf",
	 .loader = {.name = "zipl", .where = "the parameters of /etc/zipl.conf", .then = "zipl"}},
	{.path = NULL},
};

static const struct pit_boot_loader grub_alone = {
	.name = "GRUB without /etc/default/grub.d",
	.where = "GRUB_CMDLINE_LINUX of /etc/default/grub",
	.then = "grub-mkconfig -o /boot/grub/grub.cfg",
};
static const struct pit_boot_loader grub2_alone = {
	.name = "GRUB without /etc/default/grub.d",
	.where = "GRUB_CMDLINE_LINUX of /etc/default/grub",
	.then = "grub2-mkconfig -o /boot/grub2/grub.cfg",
};
static const struct pit_boot_loader unknown = {
	.name = "a boot loader that pitcrew does not know",
	.where = "the kernel's arguments where this machine is started from (network, hypervisor, firmware)",
};

static const struct pit_boot_loader *find_known(struct pit_root *root, const struct known *table)
{
	for (; table->path; table++)
		if (!pit_root_exists(root, "%s", table->path))
			return &table->loader;
	return NULL;
}

static bool has_program(struct pit_root *root, const char *name)
{
	static const char *const dirs[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};

	for (size_t i = 0; i < PIT_COUNT(dirs); i++)
		if (!pit_root_exists(root, "%s/%s", dirs[i], name))
			return true;
	return false;
}

/* GRUB names the kernel that it read by a path of its own; PXELINUX and others give no such path. */
static bool by_grub(const struct pit_strv *cmdline)
{
	const char *image = pit_cmdline_get(cmdline, "BOOT_IMAGE");

	return image && (*image == '/' || *image == '(');
}

static bool by_systemd_boot(struct pit_root *root)
{
	static const char name[] = "s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t";
	struct pit_text text;

	return !pit_root_read(root, &text,
			      "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f") &&
	       memmem(text.data, text.len, name, sizeof(name));
}

/* Whether grub-mkconfig reads /etc/default/grub.d; -ENOENT there is no grub-mkconfig. */
static int reads_d(struct pit_root *root, bool *ret)
{
	static const char *const files[] = {"/usr/sbin/grub-mkconfig", "/usr/bin/grub-mkconfig", "/etc/default/grub"};
	struct pit_text text;
	bool any = false, found = false;

	for (size_t i = 0; i < PIT_COUNT(files); i++) {
		int rc = pit_root_read(root, &text, "%s", files[i]);

		if (rc && rc != -ENOENT)
			return rc;
		any |= !rc && i < 2;
		found |= !rc && pit_grub_reads_d(text.data);
	}
	*ret = found;
	return any ? 0 : -ENOENT;
}

static int find_grub(struct pit_root *root, struct pit_boot_loader *ret, struct pit_error *err)
{
	bool drop_ins = false;
	int rc = reads_d(root, &drop_ins);

	if (rc && rc != -ENOENT)
		return pit_fail(err, -rc, "how GRUB is configured cannot be read: %s", strerror(-rc));
	if (!rc && drop_ins)
		*ret = (struct pit_boot_loader){.kind = PIT_BOOT_GRUB_D, .name = "GRUB with /etc/default/grub.d"};
	else if (!pit_root_exists(root, "/etc/default/grub"))
		*ret = pit_root_exists(root, "/boot/grub2") ? grub_alone : grub2_alone;
	else
		*ret = unknown;
	return 0;
}

static int load_cmdline(struct pit_root *root, struct pit_strv *ret, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(root, &text, "/proc/cmdline");

	rc = rc ? rc : pit_boot_args_split(text.data, ret);
	return rc ? pit_fail(err, -rc, "/proc/cmdline: %s", strerror(-rc)) : 0;
}

int pit_boot_loader_find(struct pit_root *root, struct pit_boot_loader *ret, struct pit_error *err)
{
	const struct pit_boot_loader *known = find_known(root, before_others);
	pit_auto_strv struct pit_strv cmdline = {0};
	const struct pit_strv *entries;
	const char *dir;
	bool grub, systemd;
	int rc = load_cmdline(root, &cmdline, err);

	if (rc)
		return rc;
	if (known) {
		*ret = *known;
		return 0;
	}
	grub = by_grub(&cmdline);
	systemd = by_systemd_boot(root);
	if ((grub || systemd) && has_program(root, "grubby") && pit_boot_entries(root, &dir, &entries) != -ENOENT)
		*ret = (struct pit_boot_loader){.kind = PIT_BOOT_GRUBBY, .name = "grubby"};
	else if (systemd && has_program(root, "kernel-install"))
		*ret = (struct pit_boot_loader){.kind = PIT_BOOT_KERNEL_INSTALL, .name = "kernel-install"};
	else if (grub)
		return find_grub(root, ret, err);
	else
		*ret = (known = find_known(root, after_others)) ? *known : unknown;
	return 0;
}

int pit_boot_entries(struct pit_root *root, const char **ret_dir, const struct pit_strv **ret)
{
	static const char *const dirs[] = {"/boot/loader/entries", "/boot/efi/loader/entries", "/efi/loader/entries"};
	const struct pit_strv *names;

	for (size_t i = 0; i < PIT_COUNT(dirs); i++) {
		int rc = pit_root_list(root, &names, "%s", dirs[i]);

		if (rc && pit_root_state(rc) != PIT_STATE_ABSENT)
			return rc;
		for (size_t n = 0; !rc && n < names->count; n++) {
			if (!pit_ends_with(names->item[n], ".conf"))
				continue;
			*ret_dir = dirs[i];
			*ret = names;
			return 0;
		}
	}
	return -ENOENT;
}

static bool is_of_loader(const char *word)
{
	return pit_boot_arg_is(word, "BOOT_IMAGE") || pit_boot_arg_is(word, "initrd");
}

int pit_boot_kernel_cmdline(struct pit_root *root, struct pit_buf *ret, bool *ret_there, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	struct pit_text text;
	const char *between = "";
	int rc = pit_root_read(root, &text, PIT_KERNEL_CMDLINE);

	if (!rc) {
		*ret_there = true;
		pit_buf_puts(ret, text.data);
		return 0;
	}
	if (rc != -ENOENT)
		return pit_fail(err, -rc, "%s: %s", PIT_KERNEL_CMDLINE, strerror(-rc));
	rc = load_cmdline(root, &words, err);
	if (rc)
		return rc;
	*ret_there = false;
	for (size_t i = 0; i < words.count; i++) {
		if (is_of_loader(words.item[i]))
			continue;
		pit_buf_printf(ret, "%s%s", between, words.item[i]);
		between = " ";
	}
	return 0;
}

/* What the entries of the menu say about `name`; they must agree. */
static int next_of_entries(struct pit_root *root, const char *name, struct pit_strv *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf first = PIT_BUF_INIT;
	const char *dir, *first_file = NULL, *env = "";
	const struct pit_strv *files;
	struct pit_text text;
	int rc = pit_boot_entries(root, &dir, &files);

	if (rc)
		return pit_fail(err, -rc, "/boot/loader/entries: %s", strerror(-rc));
	if (!pit_root_read(root, &text, "/boot/grub2/grubenv"))
		env = text.data;
	for (size_t i = 0; i < files->count; i++) {
		pit_auto_strv struct pit_strv words = {0};
		pit_auto_buf struct pit_buf these = PIT_BUF_INIT;

		if (!pit_ends_with(files->item[i], ".conf"))
			continue;
		rc = pit_root_read(root, &text, "%s/%s", dir, files->item[i]);
		rc = rc ? pit_fail(err, -rc, "%s/%s: %s", dir, files->item[i], strerror(-rc))
			: pit_bls_args(text.data, env, &words);
		if (rc == -ENOENT)
			continue;
		if (rc)
			return rc;
		pit_boot_arg_of(&words, name, &these);
		if (first_file && strcmp(first.data, these.data) != 0)
			return pit_fail(err, ENOTUNIQ,
					"the boot entries disagree: %s has '%s', %s has '%s'; make them alike first",
					first_file, first.data, files->item[i], these.data);
		if (!first_file)
			pit_buf_puts(&first, these.data);
		first_file = files->item[i];
	}
	if (!first_file)
		return pit_fail(err, ENOENT, "%s has no entry for a kernel", dir);
	return pit_boot_args_split(first.data, ret);
}

static int next_of_grub(struct pit_root *root, struct pit_strv *ret, struct pit_error *err)
{
	static const char path[] = "/boot/grub/grub.cfg";
	struct pit_text text;
	int rc = pit_root_read(root, &text, path);

	if (rc)
		return pit_fail(err, -rc, "%s: %s", path, strerror(-rc));
	rc = pit_grub_cfg_args(text.data, ret);
	return rc ? pit_fail(err, -rc, "%s starts no kernel by itself", path) : 0;
}

int pit_boot_args_next(struct pit_root *root, const struct pit_boot_loader *loader, const char *name,
		       struct pit_strv *ret, struct pit_error *err)
{
	pit_auto_strv struct pit_strv words = {0};
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	bool there;
	int rc;

	switch (loader->kind) {
	case PIT_BOOT_GRUBBY:
		rc = next_of_entries(root, name, &words, err);
		break;
	case PIT_BOOT_GRUB_D:
		rc = next_of_grub(root, &words, err);
		break;
	case PIT_BOOT_KERNEL_INSTALL:
		rc = pit_boot_kernel_cmdline(root, &line, &there, err);
		rc = rc ? rc : pit_boot_args_split(line.data, &words);
		break;
	default:
		rc = load_cmdline(root, &words, err);
		break;
	}
	for (size_t i = 0; i < words.count && !rc; i++)
		if (pit_boot_arg_is(words.item[i], name))
			rc = pit_strv_add(ret, words.item[i]);
	return rc;
}
