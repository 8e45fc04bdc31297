/* SPDX-License-Identifier: MIT
 *
 * Rows about pressure stall information. One probe serves them all; its parameters are the row's `arg`. Private to
 * check/.
 */
#ifndef PIT_CHECK_PRESSURE_H
#define PIT_CHECK_PRESSURE_H

#include "check/facts.h"

struct pit_pressure_want {
	const char *path;       /* "/proc/pressure/cpu" */
	const char *controller; /* "cpu": our control group's file is looked at as well */
	const char *file;       /* "cpu.pressure" */
	double some60;          /* percent of the last minute from which on the row is not satisfied */
	double full60;          /* the same for "full"; 0: not looked at */
	double fail60;          /* "full" from here on is a failure; 0: never */
};

pit_probe pit_probe_pressure;

#endif
