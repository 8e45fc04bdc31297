/* SPDX-License-Identifier: MIT */
#include "cli/tune.h"

static int run_status(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_tune_status = {.name = "status", .summary = "", .run = run_status};

static int run_verify(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_tune_verify = {.name = "verify", .summary = "", .run = run_verify};

static int run_log(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}

const struct pit_cmd pit_tune_log = {.name = "log", .summary = "", .run = run_log};
