/* SPDX-License-Identifier: MIT */
#include "cli/tune.h"
#include "cli/verbs.h"

static const struct pit_cmd *const verbs[] = {
	&pit_tune_plan,   &pit_tune_apply,  &pit_tune_status,
	&pit_tune_verify, &pit_tune_log,    &pit_tune_revert,
	&pit_tune_trial,  &pit_tune_bisect, NULL,
};

static const struct pit_cmd *const for_units[] = {&pit_tune_boot, &pit_tune_hold_latency, NULL};

static int run(int argc, char **argv)
{
	static const struct pit_verbs tune = {
		.name = "tune",
		.usage = "[OPTION...]",
		.about = "Change what `pitcrew check` found wrong, with a journal that puts everything back.",
		.hint = "Try 'pitcrew tune plan': it only looks. ",
		.verbs = verbs,
		.hidden = for_units,
	};

	return pit_cli_verbs(&tune, argc, argv);
}

const struct pit_cmd pit_cmd_tune = {
	.name = "tune",
	.summary = "change what is wrong, with a journal that puts everything back",
	.run = run,
};
