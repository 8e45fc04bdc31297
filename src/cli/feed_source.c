/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cli/feed.h"

#define SHOW_EVERY (200 * PIT_MS)

const char *const pit_cli_kinds[] = {
	[PIT_SOURCE_AUTO] = "auto",
	[PIT_SOURCE_FILES] = "files",
	[PIT_SOURCE_MANIFEST] = "manifest",
	[PIT_SOURCE_TAR] = "tar",
	[PIT_SOURCE_RECORDS] = "records",
	[PIT_SOURCE_SAFETENSORS] = "safetensors",
	NULL,
};

enum { KEY_KIND = 256, KEY_RECORD_BYTES, KEY_HEADER_BYTES, KEY_SUFFIX, KEY_TENSOR };

static const struct argp_option options[] = {
	{"kind", KEY_KIND, "KIND", 0, "auto (default), files, manifest, tar, records or safetensors"},
	{"record-bytes", KEY_RECORD_BYTES, "SIZE", 0, "Records: size of one, such as 4096 or 4k"},
	{"header-bytes", KEY_HEADER_BYTES, "SIZE", 0, "Records: skipped at the start of each file"},
	{"suffix", KEY_SUFFIX, "TEXT", 0, "Of directories: only files whose names end so; may be given again"},
	{"tensor", KEY_TENSOR, "NAME", 0, "Safetensors: rows of this tensor are samples; may be given again"},
	{0},
};

static uint64_t size(struct argp_state *state, const char *option, const char *arg)
{
	uint64_t n;

	if (pit_parse_size(arg, &n))
		pit_cli_usage(state, "--%s=%s is no size", option, arg);
	return n;
}

static void add(struct argp_state *state, struct pit_strv *v, const char *arg)
{
	if (pit_strv_add(v, arg))
		pit_cli_usage(state, "out of memory");
}

static void complete(struct argp_state *state, struct pit_cli_source *s)
{
	if (!s->paths.count)
		pit_cli_usage(state, "which PATH?");
	s->want.size = sizeof(s->want);
	s->want.paths = (const char *const *)s->paths.item;
	s->want.path_count = s->paths.count;
	s->want.suffixes = (const char *const *)s->suffixes.item;
	s->want.suffix_count = s->suffixes.count;
	s->want.tensors = (const char *const *)s->tensors.item;
	s->want.tensor_count = s->tensors.count;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pit_cli_source *s = state->input;

	switch (key) {
	case KEY_KIND:
		s->want.kind = (enum pit_source_kind)pit_cli_choice(state, "kind", arg, pit_cli_kinds);
		break;
	case KEY_RECORD_BYTES:
		s->want.record_bytes = size(state, "record-bytes", arg);
		if (!s->want.record_bytes)
			pit_cli_usage(state, "--record-bytes must be 1 or more");
		break;
	case KEY_HEADER_BYTES:
		s->want.header_bytes = size(state, "header-bytes", arg);
		break;
	case KEY_SUFFIX:
		add(state, &s->suffixes, arg);
		break;
	case KEY_TENSOR:
		add(state, &s->tensors, arg);
		break;
	case ARGP_KEY_ARG:
		add(state, &s->paths, arg);
		break;
	case ARGP_KEY_END:
		complete(state, s);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp pit_cli_source_argp = {.options = options, .parser = parse};

void pit_cli_source_free(struct pit_cli_source *s)
{
	pit_strv_free(&s->paths);
	pit_strv_free(&s->suffixes);
	pit_strv_free(&s->tensors);
}

void pit_cli_progress(void *progress, uint64_t done, uint64_t all)
{
	struct pit_cli_progress *p = progress;
	int64_t now = pit_now();
	char a[32], b[32];

	if (now - p->last < SHOW_EVERY || !isatty(STDERR_FILENO))
		return;
	p->last = now;
	p->shown = true;
	fprintf(stderr, "\r\033[K%s: %s of %s", p->verb, pit_format_size(done < all ? done : all, a, sizeof(a)),
		pit_format_size(all, b, sizeof(b)));
}

void pit_cli_progress_end(struct pit_cli_progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
