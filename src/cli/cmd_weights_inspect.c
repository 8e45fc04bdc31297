/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "base/path.h"
#include "cli/weights.h"
#include "report/text.h"

#define CHECKSUM "pitcrew.xxh3."
#define CLIP 200 /* of a foreign text, characters */

static const struct argp argp = {
	.options = pit_cli_model_options,
	.parser = pit_cli_model_parse,
	.args_doc = "MODEL",
	.doc = "List the tensors of a model: names, types, shapes, and where they lie. MODEL is a .safetensors file, the index "
	       "of a sharded model, or a directory that holds either. Headers are read, no tensor.\v"
	       "Exit codes: 0 shown, 2 breaks a rule of the format, 3 could not, 64 usage.",
};

/* ---- JSON ---- */

static json_t *tensor_json(const struct pit_weights *w, size_t i)
{
	const struct pit_tensor *t = pit_weights_tensor(w, i);
	json_t *shape = json_array();

	for (unsigned k = 0; k < t->dims; k++)
		json_array_append_new(shape, json_integer((json_int_t)t->shape[k]));
	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:I}", "name", pit_json_text(t->name), "dtype",
			 pit_dtype_name(t->dtype), "shape", shape, "bytes", (json_int_t)t->bytes, "file",
			 (json_int_t)pit_weights_file_of(w, i), "offset", (json_int_t)pit_weights_offset(w, i));
}

static json_t *file_json(const struct pit_weights *w, size_t file)
{
	const char *key, *value;
	json_t *texts = json_object();

	for (size_t n = 0; !pit_weights_metadata(w, file, n, &key, &value); n++)
		json_object_set_new(texts, key, pit_json_text(value));
	return json_pack("{s:o, s:o}", "path", pit_json_text(pit_weights_file(w, file)), "metadata", texts);
}

static int put_json(const struct pit_weights *w, struct pit_buf *out)
{
	json_t *files = json_array(), *tensors = json_array();

	for (size_t i = 0; i < pit_weights_files(w); i++)
		json_array_append_new(files, file_json(w, i));
	for (size_t i = 0; i < pit_weights_count(w); i++)
		json_array_append_new(tensors, tensor_json(w, i));
	return pit_json_put(json_pack("{s:I, s:o, s:o}", "bytes", (json_int_t)pit_weights_bytes(w), "files", files,
				      "tensors", tensors),
			    out);
}

/* ---- text ---- */

static void put_tensor(const struct pit_weights *w, size_t i, struct pit_buf *out)
{
	const struct pit_tensor *t = pit_weights_tensor(w, i);
	char size[32];

	pit_buf_printf(out, "  %-10s %10s %14" PRIu64 "  ", pit_dtype_name(t->dtype),
		       pit_format_size(t->bytes, size, sizeof(size)), pit_weights_offset(w, i));
	pit_page_clip(out, t->name, CLIP);
	for (unsigned k = 0; k < t->dims; k++)
		pit_buf_printf(out, "%s%" PRIu64, k ? ", " : " [", t->shape[k]);
	pit_buf_puts(out, t->dims ? "]\n" : " []\n");
}

/* What the file says of itself; checksums of tensors are counted. */
static void put_texts(const struct pit_weights *w, size_t file, struct pit_buf *out)
{
	const char *key, *value;
	size_t sums = 0;

	for (size_t n = 0; !pit_weights_metadata(w, file, n, &key, &value); n++) {
		if (!strncmp(key, CHECKSUM, strlen(CHECKSUM))) {
			sums++;
			continue;
		}
		pit_buf_puts(out, "  ");
		pit_page_clip(out, key, CLIP);
		pit_buf_puts(out, ": ");
		pit_page_clip(out, value, CLIP);
		pit_buf_putc(out, '\n');
	}
	if (sums)
		pit_buf_printf(out, "  checksums of %zu tensors\n", sums);
}

static void put_totals(const struct pit_weights *w, struct pit_buf *out)
{
	uint64_t bytes[PIT_DTYPES] = {0};
	size_t count[PIT_DTYPES] = {0};
	char size[32];

	for (size_t i = 0; i < pit_weights_count(w); i++) {
		const struct pit_tensor *t = pit_weights_tensor(w, i);

		count[t->dtype]++;
		bytes[t->dtype] += t->bytes;
	}
	for (unsigned d = 0; d < PIT_DTYPES; d++)
		if (count[d])
			pit_buf_printf(out, "%-12s %10s in %zu tensor%s\n", pit_dtype_name((enum pit_dtype)d),
				       pit_format_size(bytes[d], size, sizeof(size)), count[d],
				       count[d] == 1 ? "" : "s");
	pit_buf_printf(out, "%-12s %10s in %zu tensor%s, %zu file%s\n", "all",
		       pit_format_size(pit_weights_bytes(w), size, sizeof(size)), pit_weights_count(w),
		       pit_weights_count(w) == 1 ? "" : "s", pit_weights_files(w),
		       pit_weights_files(w) == 1 ? "" : "s");
}

static void put_text(const struct pit_weights *w, struct pit_buf *out)
{
	size_t i = 0;

	for (size_t file = 0; file < pit_weights_files(w); file++) {
		pit_page_clip(out, pit_weights_file(w, file), CLIP);
		pit_buf_putc(out, '\n');
		put_texts(w, file, out);
		for (; i < pit_weights_count(w) && pit_weights_file_of(w, i) == file; i++)
			put_tensor(w, i, out);
	}
	put_totals(w, out);
}

int pit_cli_weights_inspect(int argc, char **argv)
{
	pit_auto_weights struct pit_weights *w = NULL;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_cli_model o = {0};
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	rc = pit_weights_open(o.model, &w, &err);
	if (rc)
		return pit_cli_weights_fail(rc, &err);
	if (!o.json)
		put_text(w, &out);
	else if (put_json(w, &out))
		out.failed = true;
	return pit_cli_print(&out, PIT_EXIT_OK);
}
