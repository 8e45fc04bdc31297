/* SPDX-License-Identifier: MIT
 *
 * The profiles that are shipped: complete, sparing, and enough for the checks that their knobs name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../hosts/case.h"
#include "../tempdir.h"
#include "base/path.h"
#include "base/words.h"
#include "tree.h"
#include "tune/profile.h"

static const char *const names[] = {"base", "gpu-host", "training", "inference", "shared-workstation"};

static const char *tests_dir(void)
{
	const char *dir = getenv("PITCREW_TESTS");

	return dir ? dir : "tests";
}

/* The file alone, or with what it includes. */
static struct pit_profile load(const char *name, bool whole)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_profile p = {0}, all = {0};
	pit_auto_free char *include = NULL;
	char file[64];
	pit_auto_free char *text = tree_slurp("%s/../profiles/%s.ini", tests_dir(), name);

	snprintf(file, sizeof(file), "%s.ini", name);
	if (!text || pit_profile_parse(text, file, &p, &include, &err))
		fail_msg("%s: %s", name, text ? err.text : "not there");
	if (!whole || !include)
		return p;
	all = load(include, true);
	assert_int_equal(pit_profile_merge(&all, &p), 0);
	return all;
}

static void profiles_say_why_and_who(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		struct pit_profile p = load(names[i], false);

		if (!p.summary || !*p.summary || !p.settings)
			fail_msg("%s has no summary or no setting", names[i]);
		for (size_t k = 0; k < p.settings; k++) {
			const struct pit_setting *s = &p.setting[k];

			if (!s->why || !pit_ends_with(s->why, ".") || !s->source || !*s->source)
				fail_msg("%s: a reason, as a sentence, and who says so", s->where);
		}
		pit_profile_free(&p);
	}
}

static bool has(const struct pit_profile *p, const char *id)
{
	for (size_t i = 0; i < p->settings; i++)
		if (!strcmp(p->setting[i].knob->id, id))
			return true;
	return false;
}

static void profiles_know_their_workload(void **state)
{
	struct pit_profile training = load("training", true), inference = load("inference", true);

	assert_string_equal(training.workload, "training");
	assert_string_equal(inference.workload, "inference");
	assert_true(has(&training, "vm.dirty") && has(&inference, "vm.dirty"));
	assert_true(training.settings > 60 && inference.settings > 60);
	pit_profile_free(&training);
	pit_profile_free(&inference);
}

static void profiles_never_isolate_cpus(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		struct pit_profile p = load(names[i], true);

		for (size_t k = 0; k < p.settings; k++)
			if (strstr(p.setting[k].value, "isolcpus") ||
			    (!strcmp(p.setting[k].knob->id, "cmdline.isolcpus") &&
			     strcmp(p.setting[k].value, "absent") != 0))
				fail_msg("%s isolates CPUs", p.setting[k].where);
		pit_profile_free(&p);
	}
}

/* base and what includes only it: no reboot, no heat, nothing that costs security, no service that is stopped. */
static void profile_for_everybody_is_sparing(void **state)
{
	struct pit_profile p = load("shared-workstation", true);

	for (size_t i = 0; i < p.settings; i++) {
		const struct pit_knob *knob = p.setting[i].knob;

		if (knob->takes == PIT_TAKES_REBOOT || strstr(knob->blast, "security") ||
		    !strncmp(knob->id, "cpu.", 4) || !strcmp(knob->id, "swap") ||
		    !strcmp(p.setting[i].value, "stopped") || !strcmp(p.setting[i].value, "unlimited"))
			fail_msg("%s sets %s", p.setting[i].where, knob->id);
	}
	pit_profile_free(&p);
}

/* What costs security says so in its reason. */
static void profiles_tell_what_costs_security(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		struct pit_profile p = load(names[i], false);

		for (size_t k = 0; k < p.settings; k++)
			if (strstr(p.setting[k].knob->blast, "security: ") && !strstr(p.setting[k].why, "security"))
				fail_msg("%s does not say what it costs", p.setting[k].where);
		pit_profile_free(&p);
	}
}

struct machine {
	char dir[64];
	struct pit_place *place;
	struct test_cases cases;
};

static struct machine machine_new(void)
{
	pit_auto_buf struct pit_buf why = PIT_BUF_INIT;
	struct machine m = {.place = NULL};
	char path[512];

	snprintf(path, sizeof(path), "%s/hosts/untuned.cases", tests_dir());
	tempdir_new(m.dir, sizeof(m.dir));
	if (test_cases_load(path, &m.cases, &why) || m.cases.count != 1 ||
	    test_case_build(&m.cases.item[0], m.dir, &why) || pit_place_rehearse(m.dir, &m.place, NULL))
		fail_msg("%s", why.data);
	return m;
}

static void machine_free(struct machine *m)
{
	pit_place_close(m->place);
	test_cases_free(&m->cases);
	tempdir_remove(m->dir);
}

/* Writes what the profile wants into the kernel's files. */
static void set_up(struct machine *m, const struct pit_profile *p)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_scene *scene;

	assert_int_equal(pit_scene_new(pit_place_now(m->place), &scene, &err), 0);
	for (size_t i = 0; i < p->settings; i++) {
		struct pit_wishes w = {.txn = 1};

		if (pit_knob_wishes(&p->setting[i], scene, &w, &err))
			fail_msg("%s: %s", p->setting[i].where, err.text);
		for (size_t k = 0; k < w.wishes; k++) {
			const struct pit_wish *wish = &w.wish[k];

			if (wish->refuse || wish->cell.target > PIT_TARGET_DIRTY)
				continue;
			if (pit_cell_write(m->place, &wish->cell, wish->value, &err))
				fail_msg("%s: %s", p->setting[i].where, err.text);
		}
		pit_wishes_free(&w);
	}
	pit_scene_free(scene);
}

/* The rows that knobs of the profile name, by what they say now: ids, each with a blank behind it. */
static void judge(struct machine *m, const struct pit_profile *p, struct pit_buf *good, struct pit_buf *bad)
{
	bool inference = p->workload && !strcmp(p->workload, "inference");
	struct pit_facts_options options = {.workload = inference ? PIT_INFERENCE : PIT_TRAINING, .data = "/data"};
	pit_auto_root struct pit_root *root = NULL;
	struct pit_facts *facts = NULL;

	assert_int_equal(pit_root_open(m->dir, &root, NULL), 0);
	assert_int_equal(pit_facts_new(root, &options, &facts, NULL), 0);
	PIT_CATALOG_FOREACH (row) {
		struct pit_finding f = {0};
		bool named = false;

		for (size_t i = 0; i < p->settings; i++)
			named |= pit_words_have(p->setting[i].knob->checks, " ", row->id);
		if (!named)
			continue;
		pit_check_eval(row, facts, &f);
		if (f.status != PIT_SKIP)
			pit_buf_printf(f.status == PIT_PASS ? good : bad, "%s ", row->id);
		pit_finding_clear(&f);
	}
	pit_facts_free(facts);
}

/* These need more than a file of the kernel, or a reboot, or look at what happened in the past. */
static const char beyond[] = "memory.swap-present process.aio ";

static void satisfies_its_checks(const char *name, const char *at_least)
{
	pit_auto_buf struct pit_buf was_good = PIT_BUF_INIT, was_bad = PIT_BUF_INIT;
	pit_auto_buf struct pit_buf good = PIT_BUF_INIT, bad = PIT_BUF_INIT;
	struct pit_profile p = load(name, true);
	struct machine m = machine_new();
	pit_auto_strv struct pit_strv ids = {0};

	judge(&m, &p, &was_good, &was_bad);
	set_up(&m, &p);
	judge(&m, &p, &good, &bad);
	assert_int_equal(pit_strv_split(&ids, bad.data, " "), 0);
	for (size_t i = 0; i < ids.count; i++)
		if (!pit_words_have(beyond, " ", ids.item[i]))
			fail_msg("%s does not satisfy %s", name, ids.item[i]);
	pit_strv_free(&ids);
	assert_int_equal(pit_strv_split(&ids, at_least, " "), 0);
	for (size_t i = 0; i < ids.count; i++) {
		if (!pit_words_have(was_bad.data, " ", ids.item[i]))
			fail_msg("%s was not wrong at first", ids.item[i]);
		if (!pit_words_have(good.data, " ", ids.item[i]))
			fail_msg("%s is not right by %s", ids.item[i], name);
	}
	machine_free(&m);
	pit_profile_free(&p);
}

#define BY_BASE                                                                                                        \
	"cpu.rt-runtime memory.overcommit memory.zone-reclaim memory.max-map-count memory.panic-on-oom "               \
	"memory.dirty-background memory.swappiness process.pid-max process.inotify-instances "                         \
	"process.inotify-watches limits.nr-open storage.readahead storage.nfs-slots network.window-scaling "           \
	"network.tcp-sack "
#define BY_GPU_HOST                                                                                                    \
	BY_BASE                                                                                                        \
	"cpu.governor cpu.epp cpu.epb cpu.turbo cpu.platform-profile cpu.cstates cpu.nmi-watchdog memory.min-free "    \
	"memory.zswap numa.balancing kernel.panic-reboot kernel.hung-task-panic kernel.panic-on-warn security.perf "   \
	"security.ptrace storage.scheduler network.arp-ignore network.arp-announce network.rmem-max "                  \
	"network.wmem-max network.rmem-default network.backlog network.somaxconn network.tcp-rmem "                    \
	"network.tcp-wmem network.slow-start-after-idle network.qdisc network.conntrack-max "

static void training_satisfies_its_checks(void **state)
{
	satisfies_its_checks("training", BY_GPU_HOST "memory.thp-enabled memory.thp-defrag memory.khugepaged "
						     "cpu.timer-migration");
}

static void inference_satisfies_its_checks(void **state)
{
	satisfies_its_checks("inference", BY_GPU_HOST "memory.stat-interval network.busy-poll");
}

static void shared_workstation_satisfies_its_checks(void **state)
{
	satisfies_its_checks("shared-workstation", BY_BASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_say_why_and_who),
		cmocka_unit_test(profiles_know_their_workload),
		cmocka_unit_test(profiles_never_isolate_cpus),
		cmocka_unit_test(profile_for_everybody_is_sparing),
		cmocka_unit_test(profiles_tell_what_costs_security),
		cmocka_unit_test(training_satisfies_its_checks),
		cmocka_unit_test(inference_satisfies_its_checks),
		cmocka_unit_test(shared_workstation_satisfies_its_checks),
	};

	return cmocka_run_group_tests_name("tune_profiles", tests, NULL, NULL);
}
