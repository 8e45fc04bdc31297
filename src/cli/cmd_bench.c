/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/cmd.h"
#include "cli/io_options.h"
#include "feed/io_bench.h"
#include "feed/ladder.h"

struct options {
	struct pit_bench_want want;
	bool json;
};

enum { KEY_SIZE = 256, KEY_TIME, KEY_WRITE };

static const struct argp_option argp_options[] = {
	{"engine", PIT_KEY_ENGINE, "NAME", 0, "auto (default), io_uring-fixed, io_uring or threads"},
	{"cache", PIT_KEY_CACHE, "NAME", 0, "auto (default), direct, dontcache or buffered"},
	{"depth", PIT_KEY_DEPTH, "N", 0, "Requests at once: 1 to 4096 (32)"},
	{"size", KEY_SIZE, "SIZE", 0, "Of the file made in a directory (512M)"},
	{"time", KEY_TIME, "TIME", 0, "To spend, about (5s)"},
	{"write", KEY_WRITE, NULL, 0, "Time writes, too; PATH is a directory then"},
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{0},
};

static uint64_t size(struct argp_state *state, const char *arg)
{
	uint64_t bytes;

	if (pit_parse_size(arg, &bytes) || bytes < 8 << 20 || bytes > (uint64_t)1 << 40)
		pit_cli_usage(state, "--size=%s is not a size from 8M to 1T", arg);
	return bytes;
}

static int64_t time_of(struct argp_state *state, const char *arg)
{
	int64_t ns;

	if (pit_parse_duration(arg, &ns) || ns < 100 * PIT_MS || ns > 3600 * 1000 * PIT_MS)
		pit_cli_usage(state, "--time=%s is not a time from 100ms to 1h", arg);
	return ns;
}

static void set_path(struct argp_state *state, struct options *o, const char *arg)
{
	if (!*arg)
		pit_cli_usage(state, "an empty PATH");
	if (o->want.path)
		pit_cli_usage(state, "'%s': one PATH at a time", arg);
	o->want.path = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_SIZE:
		o->want.size = size(state, arg);
		break;
	case KEY_TIME:
		o->want.time_ns = time_of(state, arg);
		break;
	case KEY_WRITE:
		o->want.write = true;
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	case ARGP_KEY_ARG:
		set_path(state, o, arg);
		break;
	case ARGP_KEY_END:
		if (!o->want.path)
			pit_cli_usage(state, "name a PATH");
		break;
	default:
		return pit_cli_io_option(key, arg, state, &o->want.io) ? 0 : ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "PATH",
	.doc = "Tell which ways of I/O and memory work at PATH and why better ones do not, and what the one taken gives. "
	       "PATH is a directory, where a nameless file is made, or a file, which is only read.\v"
	       "Exit codes: 0 measured, 3 could not, 64 usage.",
};

static double rate(double amount, double seconds)
{
	return seconds > 0 ? amount / seconds : 0;
}

static void print_run(struct pit_buf *out, const struct pit_io_timing *t)
{
	char block[32];

	pit_buf_printf(out, "%-5s %9s %6u %10.1f %10.0f %10.0f %10.0f\n", t->write ? "write" : "read",
		       pit_format_size(t->block, block, sizeof(block)), t->depth,
		       rate((double)t->bytes / (1 << 20), t->seconds), rate((double)t->requests, t->seconds),
		       t->p50 * 1e6, t->p99 * 1e6);
}

static void print_text(struct pit_buf *out, const struct options *o, const struct pit_bench *b)
{
	char bytes[32];

	pit_buf_printf(out, "%s: %s, %s of %s\n", o->want.path, b->disk.filesystem,
		       b->made ? "a file made here" : "the file", pit_format_size(b->size, bytes, sizeof(bytes)));
	if (b->disk.volatile_overlay)
		pit_buf_puts(out, "warning: an overlay mounted with \"volatile\": fsync does nothing here\n");
	pit_buf_putc(out, '\n');
	pit_ladder_text(&b->ladder, out);
	if (!b->count)
		pit_buf_puts(out, "\nToo small to be timed.\n");
	else
		pit_buf_printf(out, "\n%-5s %9s %6s %10s %10s %10s %10s\n", "", "block", "depth", "MiB/s", "IOPS",
			       "p50 us", "p99 us");
	for (unsigned i = 0; i < b->count; i++)
		print_run(out, &b->runs[i]);
}

static json_t *run_json(const struct pit_io_timing *t)
{
	return json_pack("{ss sI si sI sI sf sf sf sf sf}", "what", t->write ? "write" : "read", "block",
			 (json_int_t)t->block, "depth", (int)t->depth, "requests", (json_int_t)t->requests, "bytes",
			 (json_int_t)t->bytes, "seconds", t->seconds, "mib_per_s",
			 rate((double)t->bytes / (1 << 20), t->seconds), "iops", rate((double)t->requests, t->seconds),
			 "p50_s", t->p50, "p99_s", t->p99);
}

static int print_json(struct pit_buf *out, const struct options *o, const struct pit_bench *b)
{
	pit_auto_buf struct pit_buf ladder = PIT_BUF_INIT;
	json_t *runs = json_array();

	pit_ladder_json(&b->ladder, &ladder);
	for (unsigned i = 0; i < b->count; i++)
		json_array_append_new(runs, run_json(&b->runs[i]));
	return pit_json_put(json_pack("{so ss sI sb sb so so}", "path", pit_json_text(o->want.path), "filesystem",
				      b->disk.filesystem, "file_bytes", (json_int_t)b->size, "file_made", b->made,
				      "volatile_overlay", b->disk.volatile_overlay, "ladder",
				      json_loads(ladder.data, 0, NULL), "runs", runs),
			    out);
}

static int run_io(int argc, char **argv)
{
	struct options o = {.want = {.time_ns = 5000 * PIT_MS}};
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_bench b;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (pit_bench_io(&o.want, &b, &err))
		return pit_cli_fail(&err);
	if (!o.json)
		print_text(&out, &o, &b);
	else if (print_json(&out, &o, &b))
		return pit_cli_fail(&(struct pit_error){.code = ENOMEM});
	return pit_cli_print(&out, PIT_EXIT_OK);
}

static void print_help(FILE *to)
{
	fputs("Usage: pitcrew bench VERB [OPTION...]\n"
	      "Measure what this machine allows, and why.\n\n"
	      "  io       reads and writes at a place: the way taken, better ones refused, throughput\n"
	      "\nTry 'pitcrew bench io --help'; 'man pitcrew-bench' tells more.\n",
	      to);
}

static int run(int argc, char **argv)
{
	static char name[] = "pitcrew bench io";

	if (argc < 2) {
		print_help(stderr);
		return PIT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "-?")) {
		print_help(stdout);
		return PIT_EXIT_OK;
	}
	if (strcmp(argv[1], "io")) {
		fprintf(stderr, "pitcrew bench: '%s' is not a verb; there is 'io'\n", argv[1]);
		return PIT_EXIT_USAGE;
	}
	argv[1] = name;
	return run_io(argc - 1, argv + 1);
}

const struct pit_cmd pit_cmd_bench = {
	.name = "bench",
	.summary = "measure what I/O this machine allows, and why",
	.run = run,
};
