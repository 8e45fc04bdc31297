/* SPDX-License-Identifier: MIT */
#include "tune/trial.h"

int pit_bootstrap(const double *ratio, size_t count, double confidence, struct pit_interval *ret)
{
	return -ENOSYS;
}
