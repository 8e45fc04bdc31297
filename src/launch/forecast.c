/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "launch/forecast.h"

void pit_forecast_begin(struct pit_forecast *f, const struct pit_forecast_rules *rules)
{
}

enum pit_forecast_verdict pit_forecast_add(struct pit_forecast *f, const struct pit_forecast_sample *s,
					   int64_t *ret_left)
{
	return 0;
}

const struct pit_forecast_rules pit_forecast_usual = {
	.horizon = 10 * INT64_C(1000000000),
	.calm = 30 * INT64_C(1000000000),
	.always = 0.95,
	.never = 0.5,
	.stall = 0.2,
};
