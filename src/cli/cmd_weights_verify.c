/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/parse.h"
#include "base/strv.h"
#include "cli/feed.h"
#include "cli/weights.h"
#include "report/text.h"

static const struct argp argp = {
	.options = pit_cli_model_options,
	.parser = pit_cli_model_parse,
	.args_doc = "MODEL",
	.doc = "Check a model against the rules of the format, read everything, and compare the checksums that files have "
	       "which pitcrew wrote.\v"
	       "Exit codes: 0 all is as it was written, 1 not all of it has checksums, or there are more files, 2 damaged or against the rules, 3 "
	       "could not, 64 usage.",
};

static int progress(void *arg, uint64_t done, uint64_t all)
{
	pit_cli_progress(arg, done, all);
	return 0;
}

/* Of a file that could not even be opened, `r` is all zero. */
static int put_json(const struct pit_verify_result *r, const struct pit_strv *foreign, const struct pit_error *err,
		    struct pit_buf *out)
{
	json_t *list = json_array();

	for (size_t i = 0; i < foreign->count; i++)
		json_array_append_new(list, pit_json_text(foreign->item[i]));
	return pit_json_put(json_pack("{s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "damaged", err->code != 0, "tensors",
				      (json_int_t)r->tensors, "checked", (json_int_t)r->checked, "bytes",
				      (json_int_t)r->bytes, "damaged_tensors", (json_int_t)r->damaged, "first",
				      pit_json_text(*r->first ? r->first : NULL), "error",
				      pit_json_text(err->code ? err->text : NULL), "not_in_index", list),
			    out);
}

static void put_text(const struct pit_verify_result *r, const struct pit_strv *foreign, const struct pit_error *err,
		     struct pit_buf *out)
{
	char size[32];

	for (size_t i = 0; i < foreign->count; i++) {
		pit_buf_puts(out, "warning: ");
		pit_page_clip(out, foreign->item[i], 200);
		pit_buf_puts(out, " is not in the index: nobody reads it\n");
	}
	if (err->code) {
		pit_buf_puts(out, "damaged: ");
		pit_page_clip(out, err->text, sizeof(err->text));
		pit_buf_putc(out, '\n');
		return;
	}
	pit_buf_printf(out, "%s: %" PRIu64 " tensor%s, %s; %" PRIu64 " of them compared with a checksum\n",
		       r->checked == r->tensors ? "whole" : "no damage was found, as far as one can tell", r->tensors,
		       r->tensors == 1 ? "" : "s", pit_format_size(r->bytes, size, sizeof(size)), r->checked);
}

static void note_foreign(void *arg, const char *name)
{
	if (pit_strv_add(arg, name))
		pit_strv_free(arg); /* without memory the rest will fail */
}

static int look(const struct pit_cli_model *o, struct pit_verify_result *r, struct pit_strv *foreign,
		struct pit_error *err)
{
	pit_auto_weights struct pit_weights *w = NULL;
	struct pit_cli_progress shown = {.verb = "verify"};
	const struct pit_weights_want want = {.size = sizeof(want), .progress = progress, .arg = &shown};
	int rc = pit_weights_open(o->model, &w, err);

	if (!rc)
		rc = pit_weights_verify(w, &want, r, err);
	if (w)
		pit_cli_weights_foreign(o->model, w, note_foreign, foreign);
	pit_cli_progress_end(&shown);
	return rc;
}

int pit_cli_weights_verify(int argc, char **argv)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_verify_result r = {.tensors = 0};
	struct pit_error err = PIT_ERROR_INIT;
	pit_auto_strv struct pit_strv foreign = {0};
	struct pit_cli_model o = {0};
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	rc = look(&o, &r, &foreign, &err);
	if (rc && rc != -EBADMSG && rc != -EINVAL)
		return pit_cli_fail(&err);
	if (!o.json)
		put_text(&r, &foreign, &err, &out);
	else if (put_json(&r, &foreign, &err, &out))
		out.failed = true;
	if (rc)
		return pit_cli_print(&out, PIT_EXIT_FAIL);
	return pit_cli_print(&out, r.checked == r.tensors && !foreign.count ? PIT_EXIT_OK : PIT_EXIT_WARN);
}
