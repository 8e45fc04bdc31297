/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/feed.h"
#include "feed/source.h"
#include "feed/source_sizes.h"

struct options {
	struct pit_cli_source source;
	bool checksums, json;
};

enum { KEY_INDEX = 300, KEY_CHECKSUMS };

static const struct argp_option argp_options[] = {
	{"checksums", KEY_CHECKSUMS, NULL, 0, "Read everything, too, and keep checksums"},
	{"index", KEY_INDEX, "FILE", 0,
	 "Tar: one index of all shards; files: a manifest (default: SHARD.pitidx, none)"},
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->source;
		break;
	case KEY_CHECKSUMS:
		o->checksums = true;
		break;
	case KEY_INDEX:
		if (!*arg)
			pit_cli_usage(state, "--index= names no file");
		o->source.want.index = arg;
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{.argp = &pit_cli_source_argp},
	{0},
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "PATH...",
	.children = children,
	.doc = "List the samples in files, tar shards, records or tensors, tell how many and how large they are, and keep an "
	       "index of tar shards, so that the loader need not look through them.\v"
	       "Exit codes: 0 listed, 3 could not, 64 usage.",
};

static void show_index(const struct options *o, const struct pit_source *s, struct pit_buf *out)
{
	const struct pit_shard_index_report *r = pit_source_index(s);
	const char *where = o->source.want.index ? o->source.want.index : "SHARD.pitidx beside each shard";

	if (pit_source_kind_of(s) != PIT_SOURCE_TAR) {
		if (o->source.want.index)
			pit_buf_printf(out, "manifest: %s\n", where);
		return;
	}
	pit_buf_printf(out, "index:    %s (%" PRIu64 " made now, %" PRIu64 " were there)\n", where, r->made, r->used);
	if (r->unkept)
		pit_buf_printf(out, "not kept: %" PRIu64 "; %s\n", r->unkept, r->why);
}

static void show_text(const struct options *o, const struct pit_source *s, const struct pit_source_sizes *sizes,
		      struct pit_buf *out)
{
	uint64_t count = pit_source_count(s), bytes = pit_source_bytes(s);
	char a[32], b[32], c[32], d[32];

	pit_buf_printf(out, "kind:     %s\n", pit_cli_kinds[pit_source_kind_of(s)]);
	pit_buf_printf(out, "samples:  %" PRIu64 " in %" PRIu32 " file%s\n", count, pit_source_files(s),
		       pit_source_files(s) == 1 ? "" : "s");
	pit_buf_printf(out, "bytes:    %" PRIu64 " (%s)\n", bytes, pit_format_size(bytes, a, sizeof(a)));
	pit_buf_printf(out, "a sample: mean %s, median %s, smallest %s, largest %s\n",
		       pit_format_size(bytes / count, a, sizeof(a)), pit_format_size(sizes->median, b, sizeof(b)),
		       pit_format_size(sizes->smallest, c, sizeof(c)), pit_format_size(sizes->largest, d, sizeof(d)));
	show_index(o, s, out);
}

static int show_json(const struct options *o, const struct pit_source *s, const struct pit_source_sizes *sizes,
		     struct pit_buf *out)
{
	const struct pit_shard_index_report *r = pit_source_index(s);
	uint64_t count = pit_source_count(s), bytes = pit_source_bytes(s);
	char print[20];

	snprintf(print, sizeof(print), "%016" PRIx64, pit_source_fingerprint(s));
	return pit_json_put(json_pack("{ss sI sI sI sI sI sI sI ss s{so sI sI sI so}}", "kind",
				      pit_cli_kinds[pit_source_kind_of(s)], "samples", (json_int_t)count, "files",
				      (json_int_t)pit_source_files(s), "bytes", (json_int_t)bytes, "mean",
				      (json_int_t)(bytes / count), "median", (json_int_t)sizes->median, "smallest",
				      (json_int_t)sizes->smallest, "largest", (json_int_t)sizes->largest, "fingerprint",
				      print, "index", "file", pit_json_text(o->source.want.index), "used",
				      (json_int_t)r->used, "made", (json_int_t)r->made, "unkept", (json_int_t)r->unkept,
				      "why", pit_json_text(*r->why ? r->why : NULL)),
			    out);
}

/* Of kinds without an index of their own: a manifest of files, or nothing. */
static int keep(const struct options *o, struct pit_source *s, struct pit_cli_progress *p, struct pit_error *err)
{
	enum pit_source_kind kind = pit_source_kind_of(s);
	const char *index = o->source.want.index;

	if (kind == PIT_SOURCE_TAR || (!index && !o->checksums))
		return 0;
	if (kind != PIT_SOURCE_FILES)
		return pit_fail(err, EINVAL, "%s need no index, and have no place for checksums", pit_cli_kinds[kind]);
	if (!index)
		return pit_fail(err, EINVAL, "checksums of files are kept in a manifest: --index=FILE names it");
	return pit_cli_write_manifest(s, &o->source.want, o->checksums, p, err);
}

static int make(const struct options *o, struct pit_buf *out, struct pit_error *err)
{
	struct pit_cli_progress p = {.verb = "pitcrew feed index"};
	const struct pit_source_extra extra = {.checksums = o->checksums, .progress = pit_cli_progress, .arg = &p};
	struct pit_source_sizes sizes = {0};
	struct pit_source *s = NULL;
	int rc = pit_source_open_with(&o->source.want, &extra, &s, err);

	if (!rc)
		rc = keep(o, s, &p, err);
	pit_cli_progress_end(&p);
	if (!rc && pit_source_sizes(s, &sizes))
		rc = pit_fail(err, ENOMEM, "out of memory");
	if (!rc && o->json)
		rc = show_json(o, s, &sizes, out);
	else if (!rc)
		show_text(o, s, &sizes, out);
	pit_source_close(s);
	return rc;
}

int pit_cli_feed_index(int argc, char **argv)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct options o = {0};
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	code = make(&o, &out, &err) ? pit_cli_fail(&err) : pit_cli_print(&out, PIT_EXIT_OK);
	pit_cli_source_free(&o.source);
	return code;
}
