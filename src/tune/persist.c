/* SPDX-License-Identifier: MIT
 *
 * What makes values last: lines for those who read them at boot anyway (sysctl.d, tmpfiles.d, udev), and for the rest a
 * unit of ours. Each transaction has files of its own.
 */
#include "tune/persist.h"

#include <inttypes.h>
#include <string.h>

#include "tune/plan.h"

#define UNITS "/etc/systemd/system"

char *pit_persist_program(struct pit_root *root, char *ret, size_t size)
{
	const char *target;

	snprintf(ret, size, "%s",
		 pit_root_is_live(root) && !pit_root_link(root, &target, "/proc/self/exe") ? target
											   : "/usr/bin/pitcrew");
	return ret;
}

static bool counts(const struct pit_wish *wish)
{
	return !wish->refuse && wish->value;
}

/* "vm.dirty" = "20%" or "1048576": the kernel has a key for each. */
static int add_dirty(struct pit_wishes *w, const char *path, const char *object, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	return pit_fragment_add(w, path, "", "%s_%s = %.*s", object, value[digits] == '%' ? "ratio" : "bytes",
				(int)digits, value);
}

static int add_sysctl(struct pit_wishes *w, const struct pit_wish *wish)
{
	char path[64];

	pit_fragment_path("/etc/sysctl.d", ".conf", w->txn, path, sizeof(path));
	if (wish->cell.target == PIT_TARGET_DIRTY)
		return add_dirty(w, path, wish->cell.object, wish->value);
	if (wish->cell.target != PIT_TARGET_SYSCTL)
		return 0;
	return pit_fragment_add(w, path, "", "%s = %s", wish->cell.object, wish->value);
}

/* "w+": later transactions may say the same path once more, and files of the kernel know no end to append to. "!": at
 * boot only, not whenever some package calls systemd-tmpfiles. "-": a file that will not be written is no reason to
 * call the boot degraded. */
static int add_tmpfile(struct pit_wishes *w, const struct pit_wish *wish)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char path[64];

	if (wish->cell.target != PIT_TARGET_KERNEL)
		return 0;
	pit_buf_puts(&line, "w+!- ");
	pit_escape_tmpfiles_path(wish->cell.object, &line);
	pit_buf_puts(&line, " - - - - ");
	pit_escape_tmpfiles_argument(wish->value, &line);
	pit_fragment_path("/etc/tmpfiles.d", ".conf", w->txn, path, sizeof(path));
	return line.failed ? -ENOMEM : pit_fragment_add(w, path, "", "%s", line.data);
}

/* The value that most of the wishes have: that of things that appear later. */
static const char *usual_value(const struct pit_wishes *w, size_t count)
{
	const char *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		for (size_t k = 0; counts(&w->wish[i]) && k < count; k++)
			same += counts(&w->wish[k]) && !strcmp(w->wish[i].value, w->wish[k].value);
		if (same > most)
			best = w->wish[i].value;
		most = same > most ? same : most;
	}
	return best;
}

/* The rule of the row with `condition` before it. */
static int add_rule(struct pit_wishes *w, const struct pit_knob *knob, const char *condition, const char *value)
{
	const char *hole = strstr(knob->udev, "%s");
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	char path[64];

	pit_buf_puts(&line, condition);
	pit_buf_add(&line, knob->udev, hole ? (size_t)(hole - knob->udev) : strlen(knob->udev));
	if (hole) {
		pit_escape_udev(value, &line);
		pit_buf_puts(&line, hole + 2);
	}
	pit_fragment_path("/etc/udev/rules.d", ".rules", w->txn, path, sizeof(path));
	return line.failed ? -ENOMEM : pit_fragment_add(w, path, "", "%s", line.data);
}

/* A condition on the kernel's name of the device; on a part of its path where the row's rule has such a name itself. */
static char *condition(const struct pit_knob *knob, const char *name, size_t len, char *ret, size_t size)
{
	if (strstr(knob->udev, "KERNEL=="))
		snprintf(ret, size, "DEVPATH==\"*/%.*s/*\", ", (int)len, name);
	else
		snprintf(ret, size, "KERNEL==\"%.*s\", ", (int)len, name);
	return ret;
}

/* Which thing a cell is of: what stands in its path where the row has its first '*'. */
static bool name_of(const struct pit_knob *knob, const struct pit_cell *cell, const char **ret, size_t *ret_len)
{
	const char *star = knob->object ? strchr(knob->object, '*') : NULL;
	size_t head = star ? (size_t)(star - knob->object) : 0;

	if (!star || strncmp(cell->object, knob->object, head) != 0)
		return false;
	*ret = cell->object + head;
	*ret_len = strcspn(*ret, "/");
	return true;
}

/* One rule for all that the setting means, now or later, and one for each thing that differs. */
static int add_rules(const struct pit_setting *setting, struct pit_wishes *w)
{
	const struct pit_knob *knob = setting->knob;
	size_t count = w->wishes, len;
	const char *usual = usual_value(w, count), *name;
	char text[256];
	int rc;

	if (!knob->udev || !usual)
		return 0;
	rc = add_rule(w, knob,
		      setting->which ? condition(knob, setting->which, strlen(setting->which), text, sizeof(text)) : "",
		      usual);
	for (size_t i = 0; i < count && !rc; i++)
		if (counts(&w->wish[i]) && strcmp(w->wish[i].value, usual) != 0 &&
		    name_of(knob, &w->wish[i].cell, &name, &len))
			rc = add_rule(w, knob, condition(knob, name, len, text, sizeof(text)), w->wish[i].value);
	return rc;
}

/* The unit as one fragment: it is the same whoever asks for it, and stays once in the file. */
static int add_unit(struct pit_wishes *w, const char *name, const char *text)
{
	PIT_CLEANUP(pit_cell_free) struct pit_cell cell = {0};
	char path[128];
	int rc;

	snprintf(path, sizeof(path), UNITS "/%s", name);
	rc = pit_fragment_add(w, path, "", "%s", text);
	if (!rc)
		rc = pit_cell_set(&cell, PIT_TARGET_LINK, PIT_VALUE_TEXT, UNITS "/multi-user.target.wants/%s", name);
	return rc ? rc : pit_wish_add(w, &cell, path);
}

static void exec_start(struct pit_root *root, struct pit_buf *out)
{
	char program[4096];

	pit_buf_puts(out, "ExecStart=");
	pit_escape_exec(pit_persist_program(root, program, sizeof(program)), out);
}

static int add_boot_unit(struct pit_scene *scene, struct pit_wishes *w, const char *file)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char name[64];

	pit_buf_printf(&text,
		       "[Unit]\nDescription=Settings of pitcrew tune, transaction %d\n"
		       "Documentation=man:pitcrew-tune(1)\nConditionPathExists=%s\n"
		       "After=systemd-modules-load.service systemd-sysctl.service systemd-tmpfiles-setup.service\n"
		       "After=systemd-udev-trigger.service local-fs.target network.target nvidia-persistenced.service\n"
		       "\n[Service]\nType=oneshot\nRemainAfterExit=yes\n",
		       w->txn, file);
	exec_start(pit_scene_root(scene), &text);
	pit_buf_printf(&text, " tune boot %s\n\n[Install]\nWantedBy=multi-user.target", file);
	snprintf(name, sizeof(name), "pitcrew-tune-%04d.service", w->txn);
	return text.failed ? -ENOMEM : add_unit(w, name, text.data);
}

/* The setting itself, to be worked out anew at each boot: names of devices and numbers of CPUs may change. */
static int add_boot(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *w)
{
	char file[64], section[256];
	int rc;

	pit_fragment_path("/etc/pitcrew/boot", ".ini", w->txn, file, sizeof(file));
	snprintf(section, sizeof(section), "%s%s%s", setting->knob->id, setting->which ? " " : "",
		 setting->which ? setting->which : "");
	rc = pit_fragment_add(w, file, section, "value = %s", setting->value);
	return rc ? rc : add_boot_unit(scene, w, file);
}

int pit_persist_latency(struct pit_scene *scene, uint64_t us, struct pit_wishes *w)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char name[64];

	pit_buf_printf(&text,
		       "[Unit]\nDescription=Wake-up latency of pitcrew tune, transaction %d\n"
		       "Documentation=man:pitcrew-tune(1)\n\n[Service]\n",
		       w->txn);
	exec_start(pit_scene_root(scene), &text);
	snprintf(name, sizeof(name), "pitcrew-latency-%04d.service", w->txn);
	pit_buf_printf(&text, " tune hold-latency %" PRIu64 " " UNITS "/%s\n\n[Install]\nWantedBy=multi-user.target",
		       us, name);
	return text.failed ? -ENOMEM : add_unit(w, name, text.data);
}

static bool has_runtime(const struct pit_wishes *w)
{
	for (size_t i = 0; i < w->wishes; i++)
		if (!w->wish[i].refuse && pit_target(w->wish[i].cell.target)->runtime)
			return true;
	return false;
}

/* One line for each wish. */
static int each_wish(struct pit_wishes *w, int (*add)(struct pit_wishes *w, const struct pit_wish *wish))
{
	int rc = 0;

	for (size_t i = 0; i < w->wishes && !rc; i++)
		if (counts(&w->wish[i]))
			rc = add(w, &w->wish[i]);
	return rc;
}

int pit_persist(const struct pit_setting *setting, struct pit_scene *scene, struct pit_wishes *wishes,
		struct pit_error *err)
{
	bool systemd = pit_scene_has_systemd(scene);
	int rc = 0;

	if (!has_runtime(wishes))
		return 0;
	switch (setting->knob->lasts) {
	case PIT_LASTS_SYSCTL: /* procps and others read sysctl.d, too */
		rc = each_wish(wishes, add_sysctl);
		break;
	case PIT_LASTS_TMPFILES:
		rc = systemd ? each_wish(wishes, add_tmpfile) : 0;
		break;
	case PIT_LASTS_UDEV:
		rc = pit_persist_has_udev(scene) ? add_rules(setting, wishes) : 0;
		break;
	case PIT_LASTS_BOOT:
		rc = systemd ? add_boot(setting, scene, wishes) : 0;
		break;
	case PIT_LASTS_ITSELF:
	case PIT_LASTS_DRIVER:
		break;
	}
	return rc ? pit_fail(err, -rc, "files for the next boot: %s", strerror(-rc)) : 0;
}

bool pit_persist_has_udev(struct pit_scene *scene)
{
	return pit_scene_has_systemd(scene) || !pit_root_exists(pit_scene_root(scene), "/run/udev/control");
}
