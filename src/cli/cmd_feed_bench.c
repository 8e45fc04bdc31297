/* SPDX-License-Identifier: MIT */
#include "cli/feed.h"

int pit_cli_feed_bench(int argc, char **argv)
{
	return PIT_EXIT_CANNOT;
}
