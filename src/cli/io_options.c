/* SPDX-License-Identifier: MIT */
#include "cli/io_options.h"

#include "cli/cmd.h"

static const char *const engines[] = {
	[PIT_ENGINE_AUTO] = "auto",      [PIT_ENGINE_URING_FIXED] = "io_uring-fixed",
	[PIT_ENGINE_URING] = "io_uring", [PIT_ENGINE_THREADS] = "threads",
	[PIT_ENGINE_THREADS + 1] = NULL,
};
static const char *const caches[] = {
	[PIT_IO_CACHE_AUTO] = "auto",   [PIT_IO_DIRECT] = "direct",   [PIT_IO_DONTCACHE] = "dontcache",
	[PIT_IO_BUFFERED] = "buffered", [PIT_IO_BUFFERED + 1] = NULL,
};

bool pit_cli_io_option(int key, char *arg, struct argp_state *state, struct pit_io_want *want)
{
	switch (key) {
	case PIT_KEY_ENGINE:
		want->engine = (enum pit_io_engine)pit_cli_choice(state, "engine", arg, engines);
		return true;
	case PIT_KEY_CACHE:
		want->cache = (enum pit_io_cache)pit_cli_choice(state, "cache", arg, caches);
		return true;
	case PIT_KEY_DEPTH:
		want->depth = (unsigned)pit_cli_number(state, "depth", arg, 1, 4096);
		return true;
	}
	return false;
}
