/* SPDX-License-Identifier: MIT */
#include "tune/hook.h"

#include <string.h>

/* Every file that grub-mkconfig would source must be one that a shell can read: a half-made menu stops the machine at
 * the boot loader's prompt. grub-mkconfig itself checks what it made before it puts it in place. */
#define CHECK_GRUB                                                                                                     \
	"for f in /etc/default/grub /etc/default/grub.d/*.cfg; do [ ! -e \"$f\" ] || sh -n \"$f\" || exit 1; done"

/* The entries of all kernels hold arguments of their own; the next boot may take another than the running one. */
#define ADD_KERNELS                                                                                                    \
	"for d in /lib/modules/*; do v=${d##*/}; for k in \"$d/vmlinuz\" \"/boot/vmlinuz-$v\"; do "                    \
	"[ -e \"$k\" ] || continue; kernel-install add \"$v\" \"$k\" || exit 1; break; done; done"

#define ARGV(...)                                                                                                      \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		__VA_ARGS__, NULL                                                                                      \
	}

const struct pit_hook pit_hooks[] = {
	{
		.path = "/etc/systemd/system/",
		.needs = "/run/systemd/system",
		.argv = ARGV("systemctl", "daemon-reload"),
		.seconds = 90,
	},
	{
		.path = "/etc/systemd/system/irqbalance.service.d/", /* its ban list counts from its start on */
		.needs = "/run/systemd/system",
		.argv = ARGV("systemctl", "try-restart", "irqbalance.service"),
		.seconds = 90,
	},
	{
		.path = "/etc/udev/rules.d/",
		.needs = "/run/udev/control",
		.argv = ARGV("udevadm", "control", "--reload"),
		.seconds = 30,
	},
	{
		.path = "/etc/default/grub.d/",
		.needs = "/boot/grub/grub.cfg",
		.argv = ARGV("grub-mkconfig", "-o", "/boot/grub/grub.cfg"),
		.check = ARGV("sh", "-c", CHECK_GRUB),
		.vital = true,
		.seconds = 600, /* os-prober looks into every disk */
	},
	{
		.path = "/etc/default/grub.d/",
		.needs = "/boot/grub2/grub.cfg",
		.argv = ARGV("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),
		.check = ARGV("sh", "-c", CHECK_GRUB),
		.vital = true,
		.seconds = 600,
	},
	{
		.path = "/etc/kernel/cmdline",
		.needs = "/usr/bin/kernel-install",
		.argv = ARGV("sh", "-c", ADD_KERNELS),
		.vital = true,
		.seconds = 900, /* it may build an initrd for each */
	},
	{0},
};

bool pit_hook_fits(const struct pit_hook *hook, const struct pit_cell *cell)
{
	size_t len = strlen(hook->path);

	if (cell->target != PIT_TARGET_FILE && cell->target != PIT_TARGET_DIR && cell->target != PIT_TARGET_LINK)
		return false;
	return hook->path[len - 1] == '/' ? !strncmp(cell->object, hook->path, len) : !strcmp(cell->object, hook->path);
}

static bool fits_any(const struct pit_hook *hook, const struct pit_cell *const *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pit_hook_fits(hook, cells[i]))
			return true;
	return false;
}

static void print_command(const char *const *argv, struct pit_buf *out)
{
	for (; *argv; argv++)
		pit_buf_printf(out, "%s%s", out->len ? " " : "", *argv);
}

static int run_one(struct pit_place *place, const struct pit_hook *hook, struct pit_error *err)
{
	pit_auto_buf struct pit_buf command = PIT_BUF_INIT;
	int rc = hook->check ? pit_place_command(place, hook->check, hook->seconds, NULL, err) : 0;

	if (rc)
		return pit_wrap(err, rc, "files below %s are not well-formed", hook->path);
	rc = pit_place_command(place, hook->argv, hook->seconds, NULL, err);
	print_command(hook->argv, &command);
	return pit_wrap(err, rc, "%s", command.data);
}

int pit_hooks_run(struct pit_place *place, const struct pit_cell *const *cells, size_t count,
		  struct pit_strv *ret_notes, struct pit_error *err)
{
	if (!pit_place_is_live(place))
		return 0;
	for (const struct pit_hook *hook = pit_hooks; hook->path; hook++) {
		struct pit_error why = PIT_ERROR_INIT;
		int rc;

		if (!fits_any(hook, cells, count) ||
		    (hook->needs && pit_root_exists(pit_place_root(place), "%s", hook->needs)))
			continue;
		rc = run_one(place, hook, &why);
		if (rc && rc != -ENOPKG && hook->vital)
			return pit_fail(err, -rc, "%s", why.text);
		if (rc && (rc != -ENOPKG || hook->vital) && pit_strv_add(ret_notes, why.text))
			return pit_fail(err, ENOMEM, "out of memory");
	}
	return 0;
}
