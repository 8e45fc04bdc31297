/* SPDX-License-Identifier: MIT */
#include "tune/conflict.h"

#include <stdarg.h>
#include <string.h>

#include "base/path.h"
#include "base/pattern.h"
#include "host/unit.h"
#include "tune/persist.h"

/* Services that set at run time what a plan sets. */
static const struct rival {
	const char *unit;
	const char *objects[5]; /* of cells; patterns, '*' also for '/' */
	const char *does;
} rivals[] = {
	{"irqbalance.service", {"/proc/irq/*/smp_affinity*"}, "moves these interrupts again every ten seconds"},
	{"power-profiles-daemon.service",
	 {"*/cpufreq/*", "*/intel_pstate/*", "*/energy_perf*"},
	 "sets it with each power profile that a user chooses"},
	{"tuned-ppd.service",
	 {"*/cpufreq/*", "*/intel_pstate/*", "*/energy_perf*"},
	 "changes tuned's profile with each power profile that a user chooses"},
	{"tlp.service",
	 {"*/cpufreq/*", "*/intel_pstate/*", "*/energy_perf*", "vm.dirty_writeback_centisecs", "kernel.nmi_watchdog"},
	 "sets it at boot and when the power supply changes"},
	{"auto-cpufreq.service", {"*/cpufreq/*", "*/intel_pstate/*", "*/energy_perf*"}, "sets it with the load"},
	{"cpupower.service", {"*/cpufreq/*", "*/energy_perf*"}, "sets it at boot"},
	{"cpufrequtils.service", {"*/cpufreq/*"}, "sets it at boot"},
	{"ondemand.service", {"*/cpufreq/scaling_governor"}, "sets it a minute after boot"},
	{"ksmtuned.service", {"/sys/kernel/mm/ksm/*"}, "sets it with the load"},
	{"ktune.service", {"vm.*", "net.*", "kernel.*", "*/scheduler"}, "sets values of its own when it starts"},
	{"zramswap.service", {"/dev/zram*"}, "makes it again at boot"},
};

void pit_conflict_say(struct pit_conflicts *c, const char *fmt, ...)
{
	pit_auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text)
		c->failed = true;
	else if (!pit_strv_has(&c->plan->conflicts, text))
		c->failed |= pit_strv_add(&c->plan->conflicts, text) != 0;
}

bool pit_conflict_sets(const struct pit_change *change, enum pit_target_kind target)
{
	return change->cell.target == target && !change->companion && change->knob;
}

bool pit_conflict_is_stopped(const struct pit_conflicts *c, const char *unit)
{
	for (size_t i = 0; i < c->plan->changes; i++) {
		const struct pit_change *change = &c->plan->change[i];

		if (pit_conflict_sets(change, PIT_TARGET_SERVICE) && !strcmp(change->cell.object, unit))
			return change->new && !strcmp(change->new, "stopped");
	}
	return false;
}

bool pit_conflict_split(char *line, char **ret_key, char **ret_value)
{
	char *equal = strchr(line, '='), *end;

	line += strspn(line, " \t");
	if (!equal || equal <= line || strchr("#;[", *line))
		return false;
	for (end = equal; end > line && strchr(" \t", end[-1]);)
		end--;
	*end = '\0';
	*ret_key = line + (*line == '-');
	*ret_value = equal + 1 + strspn(equal + 1, " \t");
	return true;
}

/* The first thing that the plan sets and the rival, too. */
static const struct pit_change *disputed(const struct pit_plan *plan, const struct rival *r)
{
	for (size_t i = 0; i < plan->changes; i++) {
		const struct pit_change *change = &plan->change[i];

		if (!change->knob || change->companion || !pit_target(change->cell.target)->runtime)
			continue;
		for (size_t k = 0; k < PIT_COUNT(r->objects) && r->objects[k]; k++)
			if (pit_fits(r->objects[k], change->cell.object))
				return change;
	}
	return NULL;
}

static void find_rival(struct pit_conflicts *c, const struct rival *r)
{
	const struct pit_change *change = disputed(c->plan, r);
	bool active, enabled;

	if (!change || pit_conflict_is_stopped(c, r->unit))
		return;
	active = pit_unit_is_active(c->root, r->unit) == 1;
	enabled = pit_unit_is_enabled(c->root, r->unit) == 1;
	if (active || (enabled && c->plan->persist))
		pit_conflict_say(
			c, "%s %s and %s, so %s of this plan may not stay: systemctl disable --now %s, or leave %s out",
			r->unit, active ? "runs" : "starts at boot", r->does, change->knob->id, r->unit,
			change->knob->id);
}

/* A unit of ours that starts a program from a place that may not be there at boot, or that users can write to. */
static void find_program(struct pit_conflicts *c)
{
	char program[4096];
	bool ours = false;

	for (size_t i = 0; i < c->plan->changes; i++)
		ours |= c->plan->change[i].cell.target == PIT_TARGET_FILE &&
			pit_fits("/etc/systemd/system/pitcrew-*.service", c->plan->change[i].cell.object);
	pit_persist_program(c->root, program, sizeof(program));
	if (ours && strncmp(program, "/usr/", 5) != 0 && strncmp(program, "/opt/", 5) != 0)
		pit_conflict_say(
			c,
			"the units of this plan start %s, which is neither below /usr nor /opt and may be gone "
			"at the next boot: install pitcrew, then apply",
			program);
}

/* Values that nobody would set again at boot. */
static void find_lost(struct pit_conflicts *c)
{
	bool systemd = pit_scene_has_systemd(c->scene), udev = pit_persist_has_udev(c->scene);

	for (size_t i = 0; i < c->plan->changes; i++) {
		const struct pit_change *change = &c->plan->change[i];
		enum pit_lasts lasts = change->knob ? change->knob->lasts : PIT_LASTS_ITSELF;
		bool lost = lasts == PIT_LASTS_UDEV
				    ? !udev
				    : !systemd && (lasts == PIT_LASTS_TMPFILES || lasts == PIT_LASTS_BOOT);

		if (lost && !change->companion)
			pit_conflict_say(
				c,
				"%s will not last: %s is not in use here, so nothing sets it at the next boot; let "
				"this machine's own boot script run pitcrew tune apply",
				change->knob->id, lasts == PIT_LASTS_UDEV ? "udev" : "systemd");
	}
}

int pit_plan_conflicts(struct pit_scene *scene, struct pit_plan *plan, struct pit_error *err)
{
	struct pit_conflicts c = {.scene = scene, .root = pit_scene_root(scene), .plan = plan};

	pit_conflict_tuned(&c);
	for (size_t i = 0; i < PIT_COUNT(rivals); i++)
		find_rival(&c, &rivals[i]);
	if (plan->persist) {
		pit_conflict_files(&c);
		find_lost(&c);
		find_program(&c);
	}
	pit_conflict_setup(&c);
	return c.failed ? pit_fail(err, ENOMEM, "out of memory") : 0;
}
