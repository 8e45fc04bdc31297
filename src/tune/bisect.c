/* SPDX-License-Identifier: MIT */
#include "tune/trial.h"

int pit_bisect_run(struct pit_tune_state *state, struct pit_place *place, const struct pit_plan *plan,
		   const struct pit_trial_options *options, struct pit_bisect *ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_bisect_free(struct pit_bisect *b)
{
}
