/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "cli/feed.h"
#include "feed/source.h"
#include "feed/source_read.h"

struct options {
	struct pit_cli_source source;
	bool json;
};

enum { KEY_INDEX = 300 };

static const struct argp_option argp_options[] = {
	{"index", KEY_INDEX, "FILE", 0, "Tar: the index of all shards (default: SHARD.pitidx beside each)"},
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
	case KEY_INDEX:
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
	.doc = "Read all samples from the disk: are files and tar shards complete and readable, and do bytes have the "
	       "checksums that a manifest, an index made with --checksums, or a safetensors file of pitcrew tells?\v"
	       "Changes nothing. Exit codes: 0 nothing is damaged, 2 something is, 3 could not look, 64 usage.",
};

struct verify {
	struct pit_cli_progress progress;
	struct pit_strv names, why; /* of what is damaged */
	uint64_t damaged;
	bool failed; /* out of memory */
};

static void bad(void *arg, const char *name, const char *why)
{
	struct verify *v = arg;

	v->damaged++;
	if (pit_strv_add(&v->names, name) || pit_strv_add(&v->why, why))
		v->failed = true;
}

static void progress(void *arg, uint64_t done, uint64_t all)
{
	struct verify *v = arg;

	pit_cli_progress(&v->progress, done, all);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void show_text(const struct verify *v, const struct pit_source *s, const struct pit_source_read *r,
		      struct pit_buf *out)
{
	char size[32];

	for (size_t i = 0; i < v->names.count; i++)
		pit_buf_printf(out, "damaged: %s: %s\n", v->names.item[i], v->why.item[i]);
	if (s)
		pit_buf_printf(out, "%s: %" PRIu64 " sample%s, %s read, %" PRIu64 " checksum%s compared, ",
			       pit_cli_kinds[pit_source_kind_of(s)], pit_source_count(s), plural(pit_source_count(s)),
			       pit_format_size(r->bytes, size, sizeof(size)), r->checked, plural(r->checked));
	if (s && pit_source_index(s)->made)
		pit_buf_printf(out, "%" PRIu64 " shard%s without an index that fits, ", pit_source_index(s)->made,
			       plural(pit_source_index(s)->made));
	pit_buf_printf(out, v->damaged ? "%" PRIu64 " damaged\n" : "nothing damaged\n", v->damaged);
}

static int show_json(const struct verify *v, const struct pit_source *s, const struct pit_source_read *r,
		     struct pit_buf *out)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->names.count; i++)
		json_array_append_new(list, json_pack("{so so}", "name", pit_json_text(v->names.item[i]), "why",
						      pit_json_text(v->why.item[i])));
	return pit_json_put(json_pack("{ss sI sI sI sI so}", "kind", s ? pit_cli_kinds[pit_source_kind_of(s)] : "none",
				      "samples", (json_int_t)(s ? pit_source_count(s) : 0), "bytes_read",
				      (json_int_t)r->bytes, "checksums", (json_int_t)r->checked, "damaged",
				      (json_int_t)v->damaged, "files", list),
			    out);
}

static int verify(const struct options *o, struct verify *v, struct pit_buf *out, struct pit_error *err)
{
	const struct pit_source_extra extra = {.rescan = true, .bad = bad, .progress = progress, .arg = v};
	struct pit_source_read r = {.bad = bad, .progress = progress, .arg = v};
	struct pit_source *s = NULL;
	int rc = pit_source_open_with(&o->source.want, &extra, &s, err);

	if (!rc)
		rc = pit_source_read_all(s, &r, err);
	else if (rc == -ENOENT && v->damaged)
		rc = 0; /* nothing is left to be read */
	pit_cli_progress_end(&v->progress);
	if (!rc && v->failed)
		rc = pit_fail(err, ENOMEM, "out of memory");
	if (!rc && o->json)
		rc = show_json(v, s, &r, out);
	else if (!rc)
		show_text(v, s, &r, out);
	pit_source_close(s);
	return rc;
}

int pit_cli_feed_verify(int argc, char **argv)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct verify v = {.progress = {.verb = "pitcrew feed verify"}};
	struct pit_error err = PIT_ERROR_INIT;
	struct options o = {0};
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (verify(&o, &v, &out, &err))
		code = pit_cli_fail(&err);
	else
		code = pit_cli_print(&out, v.damaged ? PIT_EXIT_FAIL : PIT_EXIT_OK);
	pit_strv_free(&v.names);
	pit_strv_free(&v.why);
	pit_cli_source_free(&o.source);
	return code;
}
