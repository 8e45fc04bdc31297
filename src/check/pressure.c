/* SPDX-License-Identifier: MIT */
#include "check/pressure.h"

#include <stdio.h>

static void show(struct pit_finding *out, const char *path, const struct pit_psi *p)
{
	if (p->full_valid)
		pit_evidence(out, path, "some avg10=%.2f avg60=%.2f avg300=%.2f, full avg60=%.2f", p->some10, p->some60,
			     p->some300, p->full60);
	else
		pit_evidence(out, path, "some avg10=%.2f avg60=%.2f avg300=%.2f", p->some10, p->some60, p->some300);
}

/* The kernel lists the file and refuses to read it when it was started with psi=0. */
static int load(struct pit_facts *facts, const char *path, struct pit_psi *ret, struct pit_error *err)
{
	struct pit_text text;
	int rc = pit_root_read(pit_facts_root(facts), &text, "%s", path);

	if (rc == -EOPNOTSUPP)
		return pit_fail(err, -rc, "pressure stall information is switched off; boot with psi=1");
	if (pit_root_state(rc) == PIT_STATE_ABSENT)
		return pit_fail(err, -rc, "this kernel has no pressure stall information (%s)", path);
	if (rc)
		return pit_fail(err, -rc, "%s", path);
	return pit_psi_parse(text.data, ret, err);
}

/* Our own group's pressure into `ret` when it is there and higher. */
static void look_at_group(const struct pit_pressure_want *want, struct pit_facts *facts, struct pit_finding *out,
			  struct pit_psi *ret)
{
	const struct pit_cgroup *group;
	struct pit_psi p;
	char dir[3072], path[3200];
	bool v2;

	if (pit_facts_cgroup(facts, &group, NULL) || pit_cgroup_dir(group, want->controller, dir, sizeof(dir), &v2) ||
	    !v2)
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, want->file);
	if (load(facts, path, &p, NULL))
		return;
	show(out, path, &p);
	if (p.some60 > ret->some60)
		*ret = p;
}

int pit_probe_pressure(const struct pit_check *row, struct pit_facts *facts, struct pit_finding *out,
		       struct pit_error *err)
{
	const struct pit_pressure_want *want = row->arg;
	struct pit_psi p;
	bool full;
	int rc = load(facts, want->path, &p, err);

	if (rc)
		return rc;
	show(out, want->path, &p);
	look_at_group(want, facts, out, &p);
	full = want->full60 > 0 && p.full_valid && p.full60 >= want->full60;
	pit_want(out, "below %.0f%% of the last minute", want->some60);
	if (full && want->fail60 > 0 && p.full60 >= want->fail60)
		return pit_judge(out, PIT_FAIL, PIT_HURTING, "all tasks stalled %.0f%% of the last minute", p.full60);
	if (full || p.some60 >= want->some60)
		return pit_bad(out, "tasks waited %.0f%% of the last minute", p.some60);
	return pit_pass(out, "tasks waited %.1f%% of the last minute", p.some60);
}
