/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

static const char *const area_names[PIT_AREAS] = {
	[PIT_AREA_CPU] = "cpu",         [PIT_AREA_MEMORY] = "memory",     [PIT_AREA_NUMA] = "numa",
	[PIT_AREA_IRQ] = "irq",         [PIT_AREA_PROCESS] = "process",   [PIT_AREA_LIMITS] = "limits",
	[PIT_AREA_STORAGE] = "storage", [PIT_AREA_SECURITY] = "security", [PIT_AREA_ENV] = "env",
	[PIT_AREA_GPU] = "gpu",         [PIT_AREA_PCI] = "pci",           [PIT_AREA_CONTAINER] = "container",
	[PIT_AREA_KUBE] = "kube",       [PIT_AREA_SLURM] = "slurm",       [PIT_AREA_NETWORK] = "network",
	[PIT_AREA_KERNEL] = "kernel",
};

const char *pit_area_name(enum pit_area area)
{
	return area_names[area];
}

const char *pit_status_name(enum pit_status status)
{
	static const char *const names[] = {
		[PIT_PASS] = "pass", [PIT_SKIP] = "skip", [PIT_WARN] = "warn", [PIT_FAIL] = "fail"};

	return names[status];
}

const char *pit_impact_name(enum pit_impact impact)
{
	static const char *const names[] = {[PIT_STYLE] = "style", [PIT_RISK] = "risk", [PIT_HURTING] = "hurting now"};

	return names[impact];
}

static void replace(struct pit_finding *f, char **text, const char *fmt, va_list ap)
{
	char *made = NULL;

	if (vasprintf(&made, fmt, ap) < 0) {
		f->failed = true;
		return;
	}
	free(*text);
	*text = made;
}

#define REPLACE(f, member, fmt)                                                                                        \
	do {                                                                                                           \
		va_list ap_;                                                                                           \
		va_start(ap_, fmt);                                                                                    \
		replace(f, &(f)->member, fmt, ap_);                                                                    \
		va_end(ap_);                                                                                           \
	} while (0)

int pit_pass(struct pit_finding *out, const char *fmt, ...)
{
	out->status = PIT_PASS;
	REPLACE(out, observed, fmt);
	return 0;
}

int pit_bad(struct pit_finding *out, const char *fmt, ...)
{
	out->status = out->check->otherwise;
	out->impact = out->check->impact;
	REPLACE(out, observed, fmt);
	return 0;
}

int pit_judge(struct pit_finding *out, enum pit_status status, enum pit_impact impact, const char *fmt, ...)
{
	out->status = status;
	out->impact = impact;
	REPLACE(out, observed, fmt);
	return 0;
}

int pit_skip(struct pit_finding *out, const char *fmt, ...)
{
	out->status = PIT_SKIP;
	REPLACE(out, skip_reason, fmt);
	return 0;
}

void pit_evidence(struct pit_finding *out, const char *source, const char *fmt, ...)
{
	struct pit_evidence *e = &out->evidence[out->evidences];

	if (out->evidences == PIT_EVIDENCE_MAX) {
		out->evidence_left_out++;
		return;
	}
	e->source = strdup(source);
	REPLACE(out, evidence[out->evidences].text, fmt);
	if (!e->source || !e->text)
		out->failed = true;
	else
		out->evidences++;
}

void pit_want(struct pit_finding *out, const char *fmt, ...)
{
	REPLACE(out, wanted, fmt);
}

void pit_origin(struct pit_finding *out, const char *fmt, ...)
{
	REPLACE(out, origin, fmt);
}

void pit_remedy(struct pit_finding *out, const char *fmt, ...)
{
	REPLACE(out, remedy, fmt);
}

/* True when what came in by arguments means something to a shell: names out of a recording are a stranger's words, and
 * the command is there to be pasted. */
static bool is_unsafe(const char *fmt, const char *command)
{
	static const char special[] = ";&|`$<>(){}!#\\\"'\n\r\033";
	size_t given, allowed;

	for (const char *s = special; *s; s++) {
		given = allowed = 0;
		for (const char *c = command; *c; c++)
			given += *c == *s;
		for (const char *c = fmt; *c; c++)
			allowed += *c == *s;
		if (given > allowed)
			return true;
	}
	return false;
}

void pit_command(struct pit_finding *out, const char *fmt, ...)
{
	REPLACE(out, command, fmt);
	if (out->command && strcmp(fmt, "%s") != 0 && is_unsafe(fmt, out->command)) {
		free(out->command);
		out->command = NULL;
	}
}

void pit_finding_clear(struct pit_finding *f)
{
	free(f->observed);
	free(f->wanted);
	free(f->origin);
	free(f->remedy);
	free(f->command);
	free(f->skip_reason);
	for (size_t i = 0; i < PIT_EVIDENCE_MAX; i++) {
		free(f->evidence[i].source);
		free(f->evidence[i].text);
	}
	*f = (struct pit_finding){.check = f->check};
}
