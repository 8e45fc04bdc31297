/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/io_options.h"
#include "cli/weights.h"
#include "feed/ladder.h"

#define ROUNDS_MOST 1000

struct options {
	const char *model;
	struct pit_weights_want want;
	int rounds;
	bool cold, json;
};

enum { KEY_COLD = 256, KEY_REPEAT, KEY_VERIFY };

static const struct argp_option argp_options[] = {
	{"cold", KEY_COLD, NULL, 0, "Take the files out of the page cache before each round"},
	{"repeat", KEY_REPEAT, "N", 0, "Rounds: 1 to 1000 (3)"},
	{"verify", KEY_VERIFY, NULL, 0, "Compare checksums while reading"},
	{"engine", PIT_KEY_ENGINE, "NAME", 0, "auto (default), io_uring-fixed, io_uring or threads"},
	{"cache", PIT_KEY_CACHE, "NAME", 0, "auto (default), direct, dontcache or buffered"},
	{"depth", PIT_KEY_DEPTH, "N", 0, "Requests at once: 1 to 4096 (16)"},
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_COLD:
		o->cold = true;
		break;
	case KEY_REPEAT:
		o->rounds = pit_cli_number(state, "repeat", arg, 1, ROUNDS_MOST);
		break;
	case KEY_VERIFY:
		o->want.verify = true;
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	case ARGP_KEY_ARG:
	case ARGP_KEY_END:
		pit_cli_weights_model(state, key, arg, &o->model);
		break;
	default:
		return pit_cli_io_option(key, arg, state, &o->want.io) ? 0 : ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "MODEL",
	.doc = "Read all tensors of a model into memory as a server does at its start, and tell how fast, and by which way of "
	       "I/O. The first round has memory to make, which later ones find made.\v"
	       "Exit codes: 0 timed, 2 damaged or against the rules, 3 could not, 64 usage.",
};

/* Clean pages go, and only this file's. What other programs have mapped stays. */
static int forget(const struct pit_weights *w, struct pit_error *err)
{
	for (size_t i = 0; i < pit_weights_files(w); i++) {
		pit_auto_close int fd = open(pit_weights_file(w, i), O_RDONLY | O_CLOEXEC);
		int rc = fd < 0 ? errno : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);

		if (rc)
			return pit_fail(err, rc, "cannot take %s out of the page cache: %s", pit_weights_file(w, i),
					strerror(rc));
	}
	return 0;
}

struct timed {
	int64_t ns[ROUNDS_MOST];
	uint64_t memory;
	struct pit_ladder ladder; /* of the last round */
};

static int measure(struct pit_weights *w, const struct options *o, struct timed *ret, struct pit_error *err)
{
	for (int i = 0; i < o->rounds; i++) {
		struct pit_arena *a = NULL;
		int rc = o->cold ? forget(w, err) : 0;
		int64_t begin = pit_now();

		if (!rc)
			rc = pit_weights_load(w, &o->want, &a, err);
		if (rc)
			return rc;
		ret->ns[i] = pit_now() - begin;
		ret->memory = pit_arena_bytes(a);
		ret->ladder = *pit_arena_ladder(a);
		pit_arena_free(a);
	}
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double speed(uint64_t bytes, int64_t ns)
{
	return (double)bytes / (1 << 20) / ((double)(ns ? ns : 1) / 1e9);
}

static void put_text(const struct pit_weights *w, const struct options *o, struct timed *t, struct pit_buf *out)
{
	uint64_t bytes = pit_weights_bytes(w);
	char size[32], memory[32];

	pit_buf_printf(out, "%s in %zu tensor%s, %zu file%s; into %s of memory\n",
		       pit_format_size(bytes, size, sizeof(size)), pit_weights_count(w),
		       pit_weights_count(w) == 1 ? "" : "s", pit_weights_files(w), pit_weights_files(w) == 1 ? "" : "s",
		       pit_format_size(t->memory, memory, sizeof(memory)));
	for (int i = 0; i < o->rounds; i++)
		pit_buf_printf(out, "round %d: %.3f s, %.0f MiB/s\n", i + 1, (double)t->ns[i] / 1e9,
			       speed(bytes, t->ns[i]));
	qsort(t->ns, (size_t)o->rounds, sizeof(*t->ns), by_size);
	pit_buf_printf(out, "median:  %.3f s, %.0f MiB/s\n", (double)t->ns[o->rounds / 2] / 1e9,
		       speed(bytes, t->ns[o->rounds / 2]));
	pit_ladder_text(&t->ladder, out);
}

static int put_json(const struct pit_weights *w, const struct options *o, struct timed *t, struct pit_buf *out)
{
	pit_auto_buf struct pit_buf ladder = PIT_BUF_INIT;
	json_t *rounds = json_array();

	pit_ladder_json(&t->ladder, &ladder);
	for (int i = 0; i < o->rounds; i++)
		json_array_append_new(rounds, json_real((double)t->ns[i] / 1e9));
	qsort(t->ns, (size_t)o->rounds, sizeof(*t->ns), by_size);
	return pit_json_put(json_pack("{s:I, s:I, s:I, s:o, s:f, s:o}", "bytes", (json_int_t)pit_weights_bytes(w),
				      "tensors", (json_int_t)pit_weights_count(w), "memory", (json_int_t)t->memory,
				      "seconds", rounds, "mib_per_s", speed(pit_weights_bytes(w), t->ns[o->rounds / 2]),
				      "ladder", json_loads(ladder.data, 0, NULL)),
			    out);
}

int pit_cli_weights_time(int argc, char **argv)
{
	pit_auto_weights struct pit_weights *w = NULL;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct options o = {.want = {.size = sizeof(o.want)}, .rounds = 3};
	struct timed t = {.memory = 0};
	int rc;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	rc = pit_weights_open(o.model, &w, &err);
	if (rc)
		return pit_cli_weights_fail(rc, &err);
	rc = measure(w, &o, &t, &err);
	if (rc)
		return rc == -EBADMSG ? pit_cli_weights_fail(rc, &err) : pit_cli_fail(&err);
	if (!o.json)
		put_text(w, &o, &t, &out);
	else if (put_json(w, &o, &t, &out))
		out.failed = true;
	return pit_cli_print(&out, PIT_EXIT_OK);
}
