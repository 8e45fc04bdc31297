/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "cli/ckpt.h"
#include "report/text.h"

struct options {
	const char *path;
	int64_t step;
	bool json;
};

enum { KEY_STEP = 256 };

static const struct argp_option argp_options[] = {
	{"step", KEY_STEP, "N", 0, "Of a directory of checkpoints: this one, not the newest"},
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_STEP:
		o->step = pit_ckpt_step(state, arg);
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	case ARGP_KEY_ARG:
		if (o->path)
			pit_cli_usage(state, "'%s': one PATH at a time", arg);
		o->path = arg;
		break;
	case ARGP_KEY_END:
		if (!o->path)
			pit_cli_usage(state, "a PATH is missing");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "PATH",
	.doc = "Show what is in a checkpoint: step, files, tensors, and what the job gave along. PATH is a directory of "
	       "checkpoints, one of them, a .safetensors file, a sharded model, or a file of torch.save(), of which "
	       "nothing is executed. Headers are read, no tensor.\v"
	       "Exit codes: 0 shown, 2 damaged, 3 could not, 64 usage.",
};

/* ---- JSON ---- */

static json_t *tensor_json(const struct pit_tensor *t, uint64_t offset)
{
	json_t *shape = json_array();

	for (unsigned i = 0; i < t->dims; i++)
		json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
	return json_pack("{s:o, s:s, s:o, s:I, s:I}", "name", pit_json_text(t->name), "dtype", pit_dtype_name(t->dtype),
			 "shape", shape, "bytes", (json_int_t)t->bytes, "offset", (json_int_t)offset);
}

static json_t *texts_json(const struct pit_weights *w)
{
	const char *key, *value;
	json_t *texts = json_object();

	for (size_t i = 0; !pit_weights_metadata(w, 0, i, &key, &value); i++)
		if (strncmp(key, "pitcrew.", 8) != 0)
			json_object_set_new(texts, key, pit_json_text(value));
	return texts;
}

static json_t *file_json(const struct pit_weights *w)
{
	json_t *tensors = json_array();
	const struct pit_tensor *t;

	for (size_t i = 0; (t = pit_weights_tensor(w, i)); i++)
		json_array_append_new(tensors, tensor_json(t, pit_weights_offset(w, i)));
	return json_pack("{s:o, s:b, s:o, s:o}", "file", pit_json_text(pit_base_name(pit_weights_file(w, 0))),
			 "checksums", pit_weights_metadata_of(w, 0, "pitcrew.header") != NULL, "metadata",
			 texts_json(w), "tensors", tensors);
}

static json_t *torch_json(const struct pit_torch *t, const char *path)
{
	json_t *tensors = json_array(), *texts = json_object();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(tensors, tensor_json(&t->tensors[i].tensor, t->offsets[i]));
	for (size_t i = 0; i < t->text_count; i++)
		json_object_set_new(texts, t->texts[i].key, pit_json_text(t->texts[i].value));
	return json_pack("{s:o, s:b, s:o, s:o}", "file", pit_json_text(pit_base_name(path)), "checksums", false,
			 "metadata", texts, "tensors", tensors);
}

static json_t *manifest_json(const struct pit_manifest *m)
{
	return json_pack("{s:o, s:I, s:I, s:o, s:o}", "path", pit_json_text(m->path), "step", (json_int_t)m->step,
			 "ranks", (json_int_t)m->world, "state", pit_json_text(m->state), "extra",
			 pit_json_text(m->extra));
}

/* ---- text ---- */

static void put_tensor(const struct pit_tensor *t, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf shape = PIT_BUF_INIT;
	char size[32];

	for (unsigned i = 0; i < t->dims; i++)
		pit_buf_printf(&shape, "%s%" PRIu64, i ? ", " : "", t->shape[i]);
	pit_buf_printf(out, "  %-8s %9s  ", pit_dtype_name(t->dtype), pit_format_size(t->bytes, size, sizeof(size)));
	pit_page_clip(out, t->name, 200);
	pit_buf_printf(out, " [%s]\n", shape.data);
}

static void put_line(const char *key, const char *value, struct pit_buf *out)
{
	pit_buf_puts(out, "  ");
	pit_page_clip(out, key, 60);
	pit_buf_puts(out, " = ");
	pit_page_clip(out, value, 200);
	pit_buf_putc(out, '\n');
}

static void put_torch(const struct pit_torch *t, const char *path, struct pit_buf *out)
{
	char size[32];

	pit_page_clip(out, pit_base_name(path), 200);
	pit_buf_printf(out, ": %zu tensor%s, %s, of torch.save()\n", t->count, t->count == 1 ? "" : "s",
		       pit_format_size(t->bytes, size, sizeof(size)));
	for (size_t i = 0; i < t->text_count; i++)
		put_line(t->texts[i].key, t->texts[i].value, out);
	for (size_t i = 0; i < t->count; i++)
		put_tensor(&t->tensors[i].tensor, out);
}

static void put_file(const struct pit_weights *w, struct pit_buf *out)
{
	const struct pit_tensor *t;
	const char *key, *value;
	char size[32];

	pit_page_clip(out, pit_base_name(pit_weights_file(w, 0)), 200);
	pit_buf_printf(out, ": %zu tensor%s, %s, %s\n", pit_weights_count(w), pit_weights_count(w) == 1 ? "" : "s",
		       pit_format_size(pit_weights_bytes(w), size, sizeof(size)),
		       pit_weights_metadata_of(w, 0, "pitcrew.header") ? "with checksums" : "no checksums");
	for (size_t i = 0; !pit_weights_metadata(w, 0, i, &key, &value); i++) {
		if (!strncmp(key, "pitcrew.", 8))
			continue;
		put_line(key, value, out);
	}
	for (size_t i = 0; (t = pit_weights_tensor(w, i)); i++)
		put_tensor(t, out);
}

static void put_text(const char *label, const char *text, struct pit_buf *out)
{
	if (!text)
		return;
	pit_buf_printf(out, "%-6s ", label);
	pit_page_clip(out, text, 2000);
	pit_buf_putc(out, '\n');
}

static void put_manifest(const struct pit_manifest *m, struct pit_buf *out)
{
	put_text("path", m->path, out);
	pit_buf_printf(out, "step   %" PRIu64 "\nranks  %" PRIu64 "\n", m->step, m->world);
	put_text("state", m->state, out);
	put_text("extra", m->extra, out);
	pit_buf_putc(out, '\n');
}

static int show(const struct options *o, struct pit_buf *out, struct pit_error *err)
{
	pit_auto_ckpt struct pit_ckpt_place p = {0};
	json_t *files = json_array();
	int rc = pit_ckpt_open(o->path, o->step, &p, err);

	if (!rc && !o->json && p.manifest)
		put_manifest(p.manifest, out);
	if (p.torch && o->json)
		json_array_append_new(files, torch_json(p.torch, o->path));
	else if (p.torch)
		put_torch(p.torch, o->path, out);
	for (size_t i = 0; i < p.files.count && !p.torch && !rc; i++) {
		pit_auto_weights struct pit_weights *w = NULL;

		rc = pit_weights_open(p.files.item[i], &w, err);
		if (!rc && o->json)
			json_array_append_new(files, file_json(w));
		else if (!rc)
			put_file(w, out);
	}
	if (!rc && o->json)
		rc = pit_json_put(json_pack("{s:o, s:O}", "checkpoint",
					    p.manifest ? manifest_json(p.manifest) : json_null(), "files", files),
				  out);
	json_decref(files);
	return rc;
}

int pit_cli_ckpt_inspect(int argc, char **argv)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct options o = {.step = -1};
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	rc = show(&o, &out, &err);
	if (rc) {
		pit_cli_fail(&err);
		return rc == -EBADMSG ? PIT_EXIT_FAIL : PIT_EXIT_CANNOT;
	}
	return pit_cli_print(&out, PIT_EXIT_OK);
}
