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
	       "Changes nothing. Exit codes: 0 nothing is damaged, 1 nor that, but a tar shard ends in an unusual way, 2 "
	       "something is damaged, 3 could not look at all of it, 64 usage.",
};

enum what { ODD, UNSUPPORTED, DAMAGED };

static const char *const words[] = {[ODD] = "warning", [UNSUPPORTED] = "unsupported", [DAMAGED] = "damaged"};

struct verify {
	struct pit_cli_progress progress;
	struct finding {
		struct pit_strv names, why;
	} found[DAMAGED + 1];
	bool failed; /* out of memory */
};

static void note(struct verify *v, enum what what, const char *name, const char *why)
{
	struct finding *f = &v->found[what];

	if (pit_strv_add(&f->names, name) || pit_strv_add(&f->why, why))
		v->failed = true;
}

static void bad(void *arg, const char *name, const char *why)
{
	note(arg, DAMAGED, name, why);
}

static void odd(void *arg, bool unsupported, const char *name, const char *what)
{
	note(arg, unsupported ? UNSUPPORTED : ODD, name, what);
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
	uint64_t damaged = v->found[DAMAGED].names.count;
	char size[32];

	for (enum what w = ODD; w <= DAMAGED; w++)
		for (size_t i = 0; i < v->found[w].names.count; i++)
			pit_buf_printf(out, "%s: %s: %s\n", words[w], v->found[w].names.item[i],
				       v->found[w].why.item[i]);
	if (s)
		pit_buf_printf(out, "%s: %" PRIu64 " sample%s, %s read, %" PRIu64 " checksum%s compared, ",
			       pit_cli_kinds[pit_source_kind_of(s)], pit_source_count(s), plural(pit_source_count(s)),
			       pit_format_size(r->bytes, size, sizeof(size)), r->checked, plural(r->checked));
	if (s && pit_source_index(s)->made)
		pit_buf_printf(out, "%" PRIu64 " shard%s without an index that fits, ", pit_source_index(s)->made,
			       plural(pit_source_index(s)->made));
	if (v->found[UNSUPPORTED].names.count)
		pit_buf_printf(out, "%zu unsupported, ", v->found[UNSUPPORTED].names.count);
	pit_buf_printf(out, damaged ? "%" PRIu64 " damaged\n" : "nothing damaged\n", damaged);
}

static json_t *list(const struct finding *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->names.count; i++)
		json_array_append_new(list, json_pack("{so so}", "name", pit_json_text(f->names.item[i]), "why",
						      pit_json_text(f->why.item[i])));
	return list;
}

static int show_json(const struct verify *v, const struct pit_source *s, const struct pit_source_read *r,
		     struct pit_buf *out)
{
	return pit_json_put(json_pack("{ss sI sI sI sI so so so}", "kind",
				      s ? pit_cli_kinds[pit_source_kind_of(s)] : "none", "samples",
				      (json_int_t)(s ? pit_source_count(s) : 0), "bytes_read", (json_int_t)r->bytes,
				      "checksums", (json_int_t)r->checked, "damaged",
				      (json_int_t)v->found[DAMAGED].names.count, "files", list(&v->found[DAMAGED]),
				      "unsupported", list(&v->found[UNSUPPORTED]), "warnings", list(&v->found[ODD])),
			    out);
}

static int verify(const struct options *o, struct verify *v, struct pit_buf *out, struct pit_error *err)
{
	const struct pit_source_extra extra = {.rescan = true, .bad = bad, .odd = odd, .progress = progress, .arg = v};
	struct pit_source_read r = {.bad = bad, .progress = progress, .arg = v};
	struct pit_source *s = NULL;
	int rc = pit_source_open_with(&o->source.want, &extra, &s, err);

	if (!rc)
		rc = pit_source_read_all(s, &r, err);
	else if (rc == -ENOENT && (v->found[DAMAGED].names.count || v->found[UNSUPPORTED].names.count))
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

static int exit_code(const struct verify *v)
{
	if (v->found[DAMAGED].names.count)
		return PIT_EXIT_FAIL;
	if (v->found[UNSUPPORTED].names.count)
		return PIT_EXIT_CANNOT;
	return v->found[ODD].names.count ? PIT_EXIT_WARN : PIT_EXIT_OK;
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
		code = pit_cli_print(&out, exit_code(&v));
	for (enum what w = ODD; w <= DAMAGED; w++) {
		pit_strv_free(&v.found[w].names);
		pit_strv_free(&v.found[w].why);
	}
	pit_cli_source_free(&o.source);
	return code;
}
