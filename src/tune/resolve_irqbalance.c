/* SPDX-License-Identifier: MIT
 *
 * irqbalance moves interrupts every ten seconds, so those that we place are put on its ban list. The list names
 * interrupts by numbers, which another boot may give out differently: the drop-in therefore looks them up when the
 * daemon starts.
 */
#include <string.h>

#include "host/pid.h"
#include "host/unit.h"
#include "tune/resolve_parts.h"

#define UNIT "irqbalance.service"
#define DIR "/etc/systemd/system/" UNIT ".d"

/* 1 it runs, 0 it does not, -errno. */
static int is_running(struct pit_root *root, struct pit_error *err)
{
	struct pit_procs procs = {0};
	int rc = pit_procs_load(root, &procs, err);

	if (rc)
		return pit_wrap(err, rc, "whether irqbalance runs");
	if (pit_procs_named(&procs, "irqbalance"))
		rc = 1;
	else if (procs.hidden)
		rc = pit_fail(err, EACCES,
			      "whether irqbalance runs cannot be seen: /proc hides the processes of others");
	pit_procs_free(&procs);
	return rc;
}

/* True when the daemon's command looks up and bans the interrupts of all the devices. */
static bool bans_all(const char *command, const struct pit_strv *pci)
{
	if (!strstr(command, "--banirq"))
		return false;
	for (size_t i = 0; i < pci->count; i++)
		if (!strstr(command, pci->item[i]))
			return false;
	return true;
}

/* "/usr/sbin/irqbalance $ARGS" for a shell in a unit file: the shell is to see its variables, which systemd passes on.
 */
static int for_shell(const char *command, struct pit_buf *out)
{
	if (*command != '/' || strpbrk(command, "'\"\\%;&|<>()`"))
		return -EOPNOTSUPP;
	for (; *command; command++) {
		if (*command == '$' && command[1] != '$')
			pit_buf_putc(out, '$');
		pit_buf_putc(out, *command);
	}
	return out->failed ? -ENOMEM : 0;
}

static int add_drop_in(const char *command, const struct pit_strv *pci, struct pit_wishes *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf shell = PIT_BUF_INIT, devices = PIT_BUF_INIT;
	char path[256];
	int rc = for_shell(command, &shell);

	if (rc)
		return pit_fail(err, -rc, "cannot add a ban list to the command of " UNIT ": %s", command);
	for (size_t i = 0; i < pci->count; i++)
		pit_buf_printf(&devices, "%s%s", i ? " " : "", pci->item[i]);
	if (devices.failed)
		return pit_fail(err, ENOMEM, "out of memory");
	pit_fragment_path(DIR, ".conf", ret->txn, path, sizeof(path));
	rc = pit_fragment_add(ret, path, "Service",
			      "ExecStart=\n"
			      "ExecStart=/bin/sh -c 'for d in %s; do for i in /sys/bus/pci/devices/$$d/msi_irqs/*; do "
			      "[ -e $$i ] && b=\"$$b --banirq=$${i##*/}\"; done; done; exec %s $$b'",
			      devices.data, shell.data);
	return rc ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

int pit_irqbalance_tell(struct pit_scene *scene, const struct pit_strv *pci, struct pit_wishes *ret,
			struct pit_error *err)
{
	struct pit_root *root = pit_scene_root(scene);
	char command[4096], where[256];
	int rc = is_running(root, err);

	if (rc <= 0)
		return rc ? rc : 1;
	if (pit_unit_get(root, UNIT, "Service", "ExecStart", command, sizeof(command), where, sizeof(where)))
		return 0;
	if (bans_all(command, pci))
		return 1;
	if (!ret->persist || !pit_scene_has_systemd(scene))
		return 0;
	rc = add_drop_in(command, pci, ret, err);
	return rc ? rc : 1;
}
