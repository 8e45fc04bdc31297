/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "cli/ckpt.h"
#include "feed/checkpoint_dir.h"
#include "report/text.h"

struct options {
	const char *path;
	int64_t step;
	bool all, json;
};

/* What came of it: the worst is the exit code. */
struct verdict {
	int code; /* PIT_EXIT_... */
	json_t *checkpoints, *files;
	struct pit_buf *out;
};

enum { KEY_STEP = 256, KEY_ALL };

static const struct argp_option argp_options[] = {
	{"step", KEY_STEP, "N", 0, "Of a directory of checkpoints: this one, not the newest"},
	{"all", KEY_ALL, NULL, 0, "Of a directory of checkpoints: every one"},
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
	case KEY_ALL:
		o->all = true;
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
		if (o->all && o->step >= 0)
			pit_cli_usage(state, "--all and --step exclude each other");
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
	.doc = "Read every byte of a checkpoint and compare it with the checksums that were saved with it: a flipped bit, a "
	       "cut tail, bytes too many, a missing or foreign shard show, and the tensor is named. PATH is a directory of "
	       "checkpoints, one of them, a .safetensors file, or a sharded model.\v"
	       "Exit codes: 0 nothing is damaged, 1 nothing is damaged as far as there are checksums, 2 damaged, 3 could "
	       "not, 64 usage.",
};

static void worsen(struct verdict *v, int code)
{
	static const int rank[] = {[PIT_EXIT_OK] = 0, [PIT_EXIT_WARN] = 1, [PIT_EXIT_CANNOT] = 2, [PIT_EXIT_FAIL] = 3};

	if (rank[code] > rank[v->code])
		v->code = code;
}

/* -EINVAL: an index that does not fit its shards. */
static int code_of(int rc)
{
	if (!rc)
		return PIT_EXIT_OK;
	return rc == -EBADMSG || rc == -EINVAL || rc == -EIO ? PIT_EXIT_FAIL : PIT_EXIT_CANNOT;
}

/* `name` may be NULL. */
static void put_line(struct verdict *v, int code, const char *name, const char *text)
{
	static const char *const words[] = {
		[PIT_EXIT_OK] = "ok", [PIT_EXIT_WARN] = "warn", [PIT_EXIT_FAIL] = "FAIL", [PIT_EXIT_CANNOT] = "????"};

	worsen(v, code);
	pit_buf_printf(v->out, "%-4s  ", words[code]);
	if (name) {
		pit_page_clip(v->out, name, 200);
		pit_buf_puts(v->out, ": ");
	}
	pit_page_clip(v->out, text, 600);
	pit_buf_putc(v->out, '\n');
}

/* The header is the one that the manifest speaks of. */
static int check_against_manifest(const struct pit_weights *w, const struct pit_manifest_file *f, struct pit_error *err)
{
	const char *is = pit_weights_metadata_of(w, 0, "pitcrew.header");
	char said[17];

	snprintf(said, sizeof(said), "%016" PRIx64, f->header_sum);
	if (!is || strcmp(is, said) != 0)
		return pit_fail(err, EBADMSG, "this is another file than the manifest speaks of (header %s, not %s)",
				is ? is : "without checksum", said);
	if (pit_weights_count(w) != f->tensors)
		return pit_fail(err, EBADMSG, "it has %zu tensors, not the %" PRIu64 " of the manifest",
				pit_weights_count(w), f->tensors);
	return 0;
}

static int check_file(const char *path, const struct pit_manifest_file *f, struct pit_verify_result *ret,
		      struct pit_error *err)
{
	struct pit_weights_want want = {.size = sizeof(want)};
	pit_auto_weights struct pit_weights *w = NULL;
	int rc = pit_weights_open(path, &w, err);

	if (!rc && f)
		rc = pit_wrap(err, check_against_manifest(w, f, err), "%s", path);
	return rc ? rc : pit_weights_verify(w, &want, ret, err);
}

/* A file of torch.save(): all storages against their CRCs. */
static int check_torch(struct pit_torch *t, struct pit_verify_result *ret, struct pit_error *err)
{
	const struct pit_io_want io = {.depth = 0};
	int rc = pit_torch_load(t, &io, err);

	if (!rc)
		*ret = (struct pit_verify_result){.tensors = t->count, .checked = t->checked, .bytes = t->bytes};
	return rc;
}

static void verify_file(struct verdict *v, const char *path, const struct pit_manifest_file *f, struct pit_torch *torch)
{
	struct pit_verify_result r = {0};
	struct pit_error err = PIT_ERROR_INIT;
	int code = code_of(torch ? check_torch(torch, &r, &err) : check_file(path, f, &r, &err));
	char size[32], text[600];

	if (code == PIT_EXIT_OK && r.checked < r.tensors)
		code = PIT_EXIT_WARN;
	if (code == PIT_EXIT_OK || code == PIT_EXIT_WARN)
		snprintf(text, sizeof(text), "%" PRIu64 " tensor%s, %s%s", r.tensors, r.tensors == 1 ? "" : "s",
			 pit_format_size(r.bytes, size, sizeof(size)),
			 r.checked == r.tensors ? ""
			 : r.checked            ? "; some have no checksum"
						: "; no checksums: its form is right, more cannot be told");
	else
		snprintf(text, sizeof(text), "%s", err.text);
	put_line(v, code, strstr(err.text, path) ? NULL : pit_base_name(path), text);
	json_array_append_new(v->files,
			      json_pack("{s:o, s:b, s:I, s:I, s:I, s:I, s:o, s:o}", "file",
					pit_json_text(pit_base_name(path)), "ok",
					code == PIT_EXIT_OK || code == PIT_EXIT_WARN, "tensors", (json_int_t)r.tensors,
					"checked", (json_int_t)r.checked, "bytes", (json_int_t)r.bytes, "damaged",
					(json_int_t)r.damaged, "first", pit_json_text(*r.first ? r.first : NULL),
					"error", pit_json_text(*err.text ? err.text : NULL)));
}

static bool is_listed(const struct pit_manifest *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->files[i].name, name))
			return true;
	return false;
}

/* Readers of directories would take such a file for a part of the checkpoint. */
static void look_for_foreign(struct verdict *v, const struct pit_manifest *m)
{
	pit_auto_closedir DIR *dir = opendir(m->path);

	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
		if (pit_ends_with(e->d_name, ".safetensors") && !is_listed(m, e->d_name))
			put_line(v, PIT_EXIT_FAIL, e->d_name, "is not in the manifest");
}

static void put_foreign(void *arg, const char *name)
{
	put_line(arg, PIT_EXIT_WARN, name, "is not in the index: nobody reads it");
}

static void look_beside_index(struct verdict *v, const char *path)
{
	pit_auto_weights struct pit_weights *w = NULL;

	if (!pit_weights_open(path, &w, NULL))
		pit_cli_weights_foreign(path, w, put_foreign, v);
}

static void verify_place(struct verdict *v, const char *path, int64_t step)
{
	pit_auto_ckpt struct pit_ckpt_place p = {0};
	struct pit_error err = PIT_ERROR_INIT;
	int code = code_of(pit_ckpt_open(path, step, &p, &err)), before = v->code;

	v->files = json_array();
	v->code = PIT_EXIT_OK;
	if (code)
		put_line(v, code, NULL, err.text);
	if (p.manifest)
		pit_buf_printf(v->out, "%s: step %" PRIu64 "\n", p.manifest->path, p.manifest->step);
	for (size_t i = 0; i < p.files.count; i++)
		verify_file(v, p.files.item[i], p.manifest ? &p.manifest->files[i] : NULL, p.torch);
	if (p.manifest)
		look_for_foreign(v, p.manifest);
	else if (p.files.count && !p.torch)
		look_beside_index(v, path);
	json_array_append_new(v->checkpoints,
			      json_pack("{s:o, s:o, s:b, s:o, s:o}", "path",
					pit_json_text(p.manifest ? p.manifest->path : path), "step",
					p.manifest ? json_integer((json_int_t)p.manifest->step) : json_null(), "ok",
					v->code == PIT_EXIT_OK || v->code == PIT_EXIT_WARN, "error",
					pit_json_text(*err.text ? err.text : NULL), "files", v->files));
	worsen(v, before);
}

/* Whatever is called a step, complete or not. */
static int verify_all(struct verdict *v, const char *path, struct pit_error *err)
{
	pit_auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pit_auto_free uint64_t *steps = NULL;
	size_t count = 0;
	int rc = fd < 0 ? -errno : pit_steps_list(fd, PIT_STEP_COMPLETE, &steps, &count);

	if (rc)
		return pit_fail(err, -rc, "%s: %s", path, strerror(-rc));
	if (!count)
		return pit_fail(err, ENOENT, "%s: there is no checkpoint in it", path);
	for (size_t i = 0; i < count; i++) {
		pit_auto_free char *one = NULL;
		char name[PIT_STEP_NAME_MAX];

		if (asprintf(&one, "%s/%s", path, pit_step_name(steps[i], PIT_STEP_COMPLETE, name)) < 0)
			return pit_fail(err, ENOMEM, "out of memory");
		verify_place(v, one, -1);
	}
	return 0;
}

int pit_cli_ckpt_verify(int argc, char **argv)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct verdict v = {.checkpoints = json_array(), .out = &out};
	struct pit_error err = PIT_ERROR_INIT;
	struct options o = {.step = -1};
	int rc = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.all)
		rc = verify_all(&v, o.path, &err);
	else
		verify_place(&v, o.path, o.step);
	if (!rc && o.json) {
		pit_buf_clear(&out);
		rc = pit_json_put(json_pack("{s:b, s:O}", "ok", v.code == PIT_EXIT_OK || v.code == PIT_EXIT_WARN,
					    "checkpoints", v.checkpoints),
				  &out);
	}
	json_decref(v.checkpoints);
	return rc ? pit_cli_fail(&err) : pit_cli_print(&out, v.code);
}
