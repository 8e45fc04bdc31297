/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "base/path.h"
#include "cli/ckpt.h"
#include "feed/safetensors_names.h"
#include "feed/save_target.h"

#define INDEX "model.safetensors.index.json"

struct options {
	const char *from, *to;
	int64_t step, as_step, rank;
	uint64_t shard; /* bytes; 0: no shards */
	bool force;
};

/* All tensors of a place, in memory. */
struct load {
	struct pit_ckpt_place place;
	size_t count;
	struct pit_save_tensor *tensors;
	size_t text_count;
	struct pit_save_text *texts; /* of the first file, without ours */
	struct part {
		struct pit_weights *weights;
		struct pit_arena *arena;
	} * parts;
	size_t parts_count;
};

enum { KEY_STEP = 256, KEY_AS_STEP, KEY_RANK, KEY_SHARD, KEY_FORCE };

static const struct argp_option argp_options[] = {
	{"step", KEY_STEP, "N", 0, "Of a directory of checkpoints: this one, not the newest"},
	{"as-step", KEY_AS_STEP, "N", 0, "The step of a new checkpoint (default: as it was, or 0)"},
	{"rank", KEY_RANK, "N", 0, "Of a checkpoint to which several ranks saved: the share of this one"},
	{"shard-size", KEY_SHARD, "SIZE", 0,
	 "Write a sharded model with an index: files of at most SIZE, or one tensor"},
	{"force", KEY_FORCE, NULL, 0, "Replace what is there"},
	{0},
};

static void set_path(struct argp_state *state, struct options *o, const char *arg)
{
	if (o->to)
		pit_cli_usage(state, "'%s': SOURCE and TARGET are given already", arg);
	else if (o->from)
		o->to = arg;
	else
		o->from = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_STEP:
		o->step = pit_ckpt_step(state, arg);
		break;
	case KEY_AS_STEP:
		o->as_step = pit_ckpt_step(state, arg);
		break;
	case KEY_RANK:
		o->rank = pit_cli_number(state, "rank", arg, 0, INT_MAX);
		break;
	case KEY_SHARD:
		if (pit_parse_size(arg, &o->shard) || !o->shard)
			pit_cli_usage(state, "--shard-size=%s is no size", arg);
		break;
	case KEY_FORCE:
		o->force = true;
		break;
	case ARGP_KEY_ARG:
		set_path(state, o, arg);
		break;
	case ARGP_KEY_END:
		if (!o->to)
			pit_cli_usage(state, "SOURCE or TARGET is missing");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "SOURCE TARGET",
	.doc = "Write the tensors of SOURCE (a directory of checkpoints, one of them, a .safetensors file, a sharded model, a "
	       "file of torch.save()) to TARGET: one file when its name ends in .safetensors, a sharded model with --shard-size, "
	       "else a directory of checkpoints. What several ranks saved alike under one name is written once. Checksums are "
	       "compared on reading, and written. All of it must fit in memory. Files of torch.save() are programs: nothing is "
	       "executed here, plain data and tensors are taken out, with the structure that pitcrew.checkpoint.load() of Python "
	       "gives back, and all else is refused.\v"
	       "Exit codes: 0 written, 2 SOURCE is damaged, 3 could not, 64 usage.",
};

/* ---- reading ---- */

static void free_load(struct load *l)
{
	for (size_t i = 0; i < l->parts_count; i++) {
		pit_arena_free(l->parts[i].arena);
		pit_weights_close(l->parts[i].weights);
	}
	free(l->parts);
	free(l->tensors);
	free(l->texts);
	pit_ckpt_close(&l->place);
}

static int take_texts(struct load *l, const struct pit_weights *w)
{
	const char *key, *value;
	size_t n = 0;

	while (!pit_weights_metadata(w, 0, n, &key, &value))
		n++;
	l->texts = calloc(n + 1, sizeof(*l->texts));
	if (!l->texts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!pit_weights_metadata(w, 0, i, &key, &value) && strncmp(key, "pitcrew.", 8) != 0)
			l->texts[l->text_count++] = (struct pit_save_text){.key = key, .value = value};
	return 0;
}

static int take_tensors(struct load *l, const struct part *p)
{
	size_t count = pit_weights_count(p->weights);
	struct pit_save_tensor *more = reallocarray(l->tensors, l->count + count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	l->tensors = more;
	for (size_t i = 0; i < count; i++)
		l->tensors[l->count++] = (struct pit_save_tensor){.tensor = *pit_weights_tensor(p->weights, i),
								  .data = pit_arena_data(p->arena, i)};
	return 0;
}

static const char *file_of(const struct load *l, size_t tensor)
{
	const struct part *p = l->parts;

	for (; tensor >= pit_weights_count(p->weights); p++)
		tensor -= pit_weights_count(p->weights);
	return pit_base_name(pit_weights_file(p->weights, 0));
}

static bool are_alike(const struct pit_save_tensor *a, const struct pit_save_tensor *b)
{
	const struct pit_tensor *x = &a->tensor, *y = &b->tensor;

	return x->dtype == y->dtype && x->dims == y->dims && x->bytes == y->bytes &&
	       !memcmp(x->shape, y->shape, x->dims * sizeof(*x->shape)) &&
	       (!x->bytes || !memcmp(a->data, b->data, x->bytes));
}

/* Of names that several ranks used, marks all but the first one's. */
static int mark_twins(const struct load *l, const struct pit_name *names, bool *drop, struct pit_error *err)
{
	for (size_t i = 1, first = 0; i < l->count; i++) {
		size_t a = names[first].number, b = names[i].number;

		if (strcmp(names[first].name, names[i].name) != 0) {
			first = i;
			continue;
		}
		if (!are_alike(&l->tensors[a], &l->tensors[b]))
			return pit_fail(err, EINVAL,
					"tensor '%.100s' of %s is another one in %s; --rank=N takes one of them",
					names[i].name, file_of(l, a), file_of(l, b));
		drop[b] = true;
	}
	return 0;
}

static int drop_twins(struct load *l, struct pit_error *err)
{
	pit_auto_free struct pit_name *names = calloc(l->count + 1, sizeof(*names));
	pit_auto_free bool *drop = calloc(l->count + 1, sizeof(*drop));
	size_t kept = 0;
	int rc;

	if (!names || !drop)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < l->count; i++)
		pit_name_set(&names[i], l->tensors[i].tensor.name, i);
	pit_names_sort(names, l->count);
	rc = mark_twins(l, names, drop, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < l->count; i++)
		if (!drop[i])
			l->tensors[kept++] = l->tensors[i];
	l->count = kept;
	return 0;
}

/* Their structure comes along as a text. */
static int take_torch(struct load *l, struct pit_error *err)
{
	const struct pit_io_want io = {.depth = 0};
	struct pit_torch *t = l->place.torch;
	int rc = pit_torch_load(t, &io, err);

	if (rc)
		return rc;
	l->tensors = calloc(t->count + 1, sizeof(*l->tensors));
	l->texts = calloc(t->text_count + 1, sizeof(*l->texts));
	if (!l->tensors || !l->texts)
		return pit_fail(err, ENOMEM, "out of memory");
	memcpy(l->tensors, t->tensors, t->count * sizeof(*l->tensors));
	memcpy(l->texts, t->texts, t->text_count * sizeof(*l->texts));
	l->count = t->count;
	l->text_count = t->text_count;
	return 0;
}

static int load_file(struct load *l, const char *path, struct pit_error *err)
{
	struct pit_weights_want want = {.size = sizeof(want), .verify = true};
	struct part *p = &l->parts[l->parts_count++];
	int rc = pit_weights_open(path, &p->weights, err);

	if (!rc)
		rc = pit_weights_load(p->weights, &want, &p->arena, err);
	if (rc)
		return rc;
	if (take_tensors(l, p) || (!l->texts && take_texts(l, p->weights)))
		return pit_fail(err, ENOMEM, "out of memory");
	return 0;
}

static int load(const struct options *o, struct load *l, struct pit_error *err)
{
	int rc = pit_ckpt_open(o->from, o->step, &l->place, err);
	size_t count = l->place.files.count;

	if (rc)
		return rc;
	if (l->place.torch)
		return take_torch(l, err);
	if (o->rank >= 0 && (!l->place.manifest || (uint64_t)o->rank >= count))
		return pit_fail(err, ENOENT, "%s: it has no share of rank %lld", o->from, (long long)o->rank);
	l->parts = calloc(count + 1, sizeof(*l->parts));
	if (!l->parts)
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !rc; i++)
		if (o->rank < 0 || (uint64_t)o->rank == i)
			rc = load_file(l, l->place.files.item[i], err);
	return rc ? rc : drop_twins(l, err);
}

/* ---- writing ---- */

static int write_file(const struct load *l, const char *path, size_t first, size_t count, struct pit_error *err)
{
	struct pit_save_want want = {.size = sizeof(want), .texts = l->texts, .text_count = l->text_count};

	return pit_save_file(path, l->tensors + first, count, &want, err);
}

/* Tensors from `first` on that go into one file. */
static size_t next_shard(const struct load *l, size_t first, uint64_t most)
{
	uint64_t bytes = 0;
	size_t n = first;

	while (n < l->count && (n == first || l->tensors[n].tensor.bytes <= most - bytes)) {
		bytes += l->tensors[n].tensor.bytes < most - bytes ? l->tensors[n].tensor.bytes : most - bytes;
		n++;
	}
	return n - first;
}

static void shard_name(char *out, size_t size, size_t n, size_t all)
{
	snprintf(out, size, "model-%05zu-of-%05zu.safetensors", n, all);
}

/* NULL: no memory. */
static char *index_text(const struct load *l, uint64_t most, size_t all)
{
	json_t *map = json_object(), *top;
	uint64_t bytes = 0;
	size_t n = 0;
	char *text;

	for (size_t i = 0, count; i < l->count; i += count) {
		char name[64];

		shard_name(name, sizeof(name), ++n, all);
		count = next_shard(l, i, most);
		for (size_t k = i; k < i + count; k++) {
			json_object_set_new(map, l->tensors[k].tensor.name, json_string(name));
			bytes += l->tensors[k].tensor.bytes;
		}
	}
	top = json_pack("{s:{s:I}, s:o}", "metadata", "total_size", (json_int_t)bytes, "weight_map", map);
	text = top ? json_dumps(top, JSON_INDENT(2)) : NULL;
	json_decref(top);
	return text;
}

/* Last, and as durable as the files. */
static int write_index(const struct load *l, const char *dir, uint64_t most, size_t all, struct pit_error *err)
{
	pit_auto_free char *text = index_text(l, most, all), *path = NULL;
	pit_auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return pit_fail(err, errno, "%s: %s", dir, strerror(errno));
	if (!text || asprintf(&path, "%s/" INDEX, dir) < 0) {
		path = NULL;
		return pit_fail(err, ENOMEM, "out of memory");
	}
	return pit_target_text(fd, INDEX, path, text, strlen(text), false, err);
}

static int write_shards(const struct options *o, const struct load *l, struct pit_error *err)
{
	size_t all = 0, n = 0;
	int rc = 0;

	if (mkdir(o->to, 0777) && errno != EEXIST)
		return pit_fail(err, errno, "%s: making the directory: %s", o->to, strerror(errno));
	for (size_t i = 0; i < l->count; i += next_shard(l, i, o->shard))
		all++;
	for (size_t i = 0, count; i < l->count && !rc; i += count) {
		char path[PATH_MAX], name[64];

		shard_name(name, sizeof(name), ++n, all);
		snprintf(path, sizeof(path), "%s/%s", o->to, name);
		count = next_shard(l, i, o->shard);
		rc = write_file(l, path, i, count, err);
	}
	return rc ? rc : write_index(l, o->to, o->shard, all, err);
}

/* What a checkpoint of pitcrew.checkpoint.Async has for `extra`; NULL: no memory. */
static char *extra_of(const struct pit_torch *t)
{
	json_t *top = json_pack("{s:s, s:n}", PIT_TORCH_TREE_KEY, t->tree, "extra");
	char *text = top ? json_dumps(top, JSON_COMPACT) : NULL;

	json_decref(top);
	return text;
}

static int write_checkpoint(const struct options *o, const struct load *l, struct pit_error *err)
{
	struct pit_checkpoint_want want = {.size = sizeof(want)};
	const struct pit_manifest *m = l->place.manifest;
	pit_auto_free char *extra = l->place.torch ? extra_of(l->place.torch) : NULL;
	struct pit_checkpoint *c = NULL;
	uint64_t step = o->as_step >= 0 ? (uint64_t)o->as_step : m ? m->step : 0;
	int rc;

	if (l->place.torch && !extra)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = pit_checkpoint_open(o->to, &want, &c, err);
	if (rc)
		return rc;
	rc = pit_checkpoint_put(c, step, l->tensors, l->count, PIT_SAVE_DURABLE, err);
	if (!rc)
		rc = pit_checkpoint_commit(c, step, m ? m->state : NULL, m ? m->extra : extra, 0, err);
	(void)pit_checkpoint_close(c, NULL);
	return rc;
}

static bool is_there(const struct options *o)
{
	uint64_t *steps = NULL;
	size_t count = 0;
	struct stat st;

	if (stat(o->to, &st) || o->force)
		return false;
	if (!S_ISDIR(st.st_mode))
		return true;
	if (o->shard)
		return rmdir(o->to) != 0; /* an empty one is as good as none */
	if (pit_checkpoint_list(o->to, &steps, &count, NULL))
		return true;
	free(steps);
	return count != 0;
}

static int convert(const struct options *o, struct load *l, struct pit_error *err)
{
	int rc;

	if (is_there(o))
		return pit_fail(err, EEXIST, "%s is there already; --force replaces it", o->to);
	rc = load(o, l, err);
	if (rc)
		return rc;
	if (o->shard)
		return write_shards(o, l, err);
	if (pit_ends_with(o->to, ".safetensors"))
		return write_file(l, o->to, 0, l->count, err);
	return write_checkpoint(o, l, err);
}

int pit_cli_ckpt_convert(int argc, char **argv)
{
	struct options o = {.step = -1, .as_step = -1, .rank = -1};
	struct pit_error err = PIT_ERROR_INIT;
	struct load l = {.count = 0};
	uint64_t bytes = 0;
	char size[32];
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	rc = convert(&o, &l, &err);
	for (size_t i = 0; i < l.count; i++)
		bytes += l.tensors[i].tensor.bytes;
	if (!rc)
		printf("%s: %zu tensor%s, %s\n", o.to, l.count, l.count == 1 ? "" : "s",
		       pit_format_size(bytes, size, sizeof(size)));
	free_load(&l);
	if (!rc)
		return PIT_EXIT_OK;
	pit_cli_fail(&err);
	return rc == -EBADMSG ? PIT_EXIT_FAIL : PIT_EXIT_CANNOT;
}
