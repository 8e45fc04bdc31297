/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/feed.h"
#include "cli/feed_time.h"
#include "cli/io_options.h"
#include "feed/ladder.h"
#include "feed/policy.h"

#define BATCH 256
#define MOST 1000000000
#define TELLING (UINT64_C(1) << 20) /* bytes, of which a rate says something */

struct options {
	struct pit_cli_source source;
	struct pit_loader_want want;
	int epochs;
	int64_t step_ns;
	bool cold, json;
};

enum {
	KEY_BATCH = 400,
	KEY_SHUFFLE,
	KEY_EPOCHS,
	KEY_COLD,
	KEY_STEP,
	KEY_MEMORY,
	KEY_WORLD,
	KEY_RANK,
	KEY_SEED,
	KEY_AS_READY,
	KEY_CHECK,
	KEY_ON_ERROR,
	KEY_SAMPLE_CACHE,
	KEY_POLICY,
	KEY_CACHE_DIR,
	KEY_INDEX,
};

static const struct argp_option argp_options[] = {
	{"batch", KEY_BATCH, "N", 0, "Samples of a batch (default 256)"},
	{"shuffle", KEY_SHUFFLE, "HOW", 0, "full (default), blocks or none"},
	{"seed", KEY_SEED, "N", 0, "Of the order (default 0)"},
	{"epochs", KEY_EPOCHS, "N", 0, "How many (default 1)"},
	{"cold", KEY_COLD, NULL, 0, "Take the files out of the page cache before each epoch"},
	{"step", KEY_STEP, "TIME", 0, "Sleep for each batch, in the place of a computation: 40ms"},
	{"world", KEY_WORLD, "N", 0, "Read what one of N ranks reads"},
	{"rank", KEY_RANK, "N", 0, "Which one (default 0)"},
	{"memory", KEY_MEMORY, "SIZE", 0, "For batches that are read ahead and in use"},
	{"engine", PIT_KEY_ENGINE, "ENGINE", 0, "auto (default), io_uring-fixed, io_uring or threads"},
	{"cache", PIT_KEY_CACHE, "HOW", 0,
	 "auto (default), direct, dontcache or buffered: past the page cache or through it"},
	{"depth", PIT_KEY_DEPTH, "N", 0, "Requests at once (default: by measurement)"},
	{"as-ready", KEY_AS_READY, NULL, 0, "Take batches as they are complete, not in order"},
	{"check", KEY_CHECK, NULL, 0, "Compare checksums where there are some"},
	{"on-error", KEY_ON_ERROR, "HOW", 0, "fail (default), skip or substitute"},
	{"sample-cache", KEY_SAMPLE_CACHE, "SIZE", 0, "Keep samples in memory, or in --cache-dir"},
	{"cache-policy", KEY_POLICY, "POLICY", 0, "fill-once (default), lru, lfu, clock, s3-fifo or fifo"},
	{"cache-dir", KEY_CACHE_DIR, "DIR", 0, "A directory on a local disk"},
	{"index", KEY_INDEX, "FILE", 0, "Tar: the index of all shards (default: SHARD.pitidx beside each)"},
	{"format", 'f', "FORM", 0, "text (default) or json"},
	{0},
};

static const char *const shuffles[] = {"full", "blocks", "none", NULL};
static const char *const errors[] = {"fail", "skip", "substitute", NULL};

static uint64_t size(struct argp_state *state, const char *option, const char *arg)
{
	uint64_t n;

	if (pit_parse_size(arg, &n) || !n)
		pit_cli_usage(state, "--%s=%s is no size", option, arg);
	return n;
}

static uint64_t seed(struct argp_state *state, const char *arg)
{
	uint64_t n;

	if (pit_parse_u64(arg, &n))
		pit_cli_usage(state, "--seed=%s is no number", arg);
	return n;
}

static int64_t duration(struct argp_state *state, const char *arg)
{
	int64_t ns;

	if (pit_parse_duration(arg, &ns) || ns < 0)
		pit_cli_usage(state, "--step=%s is no time, such as 40ms", arg);
	return ns;
}

/* How the engine reads. */
/* Which samples come, and when. */
static bool parse_order(int key, char *arg, struct argp_state *state, struct pit_loader_want *w)
{
	switch (key) {
	case KEY_BATCH:
		w->batch = pit_cli_number(state, "batch", arg, 1, MOST);
		return true;
	case KEY_SHUFFLE:
		w->shuffle = (enum pit_shuffle)pit_cli_choice(state, "shuffle", arg, shuffles);
		return true;
	case KEY_SEED:
		w->seed = seed(state, arg);
		return true;
	case KEY_WORLD:
		w->world = pit_cli_number(state, "world", arg, 1, MOST);
		return true;
	case KEY_RANK:
		w->rank = pit_cli_number(state, "rank", arg, 0, MOST);
		return true;
	case KEY_AS_READY:
		w->as_ready = true;
		return true;
	}
	return false;
}

static bool parse_loader(int key, char *arg, struct argp_state *state, struct pit_loader_want *w)
{
	switch (key) {
	case KEY_MEMORY:
		w->memory = size(state, "memory", arg);
		return true;
	case KEY_CHECK:
		w->check = true;
		return true;
	case KEY_ON_ERROR:
		w->on_error = (enum pit_on_error)pit_cli_choice(state, "on-error", arg, errors);
		return true;
	case KEY_SAMPLE_CACHE:
		w->cache_bytes = size(state, "sample-cache", arg);
		return true;
	case KEY_POLICY:
		w->cache_policy = (enum pit_policy)pit_cli_choice(state, "cache-policy", arg, pit_policy_names);
		return true;
	case KEY_CACHE_DIR:
		w->cache_dir = arg;
		return true;
	}
	return parse_order(key, arg, state, w) || pit_cli_io_option(key, arg, state, &w->io);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->source;
		break;
	case ARGP_KEY_END:
		if (o->want.rank >= (o->want.world ? o->want.world : 1))
			pit_cli_usage(state, "--rank=%u is none of --world=%u", o->want.rank, o->want.world);
		if (o->want.cache_dir && !o->want.cache_bytes)
			pit_cli_usage(state, "--cache-dir needs --sample-cache=SIZE");
		break;
	case KEY_EPOCHS:
		o->epochs = pit_cli_number(state, "epochs", arg, 1, MOST);
		break;
	case KEY_COLD:
		o->cold = true;
		break;
	case KEY_STEP:
		o->step_ns = duration(state, arg);
		break;
	case KEY_INDEX:
		o->source.want.index = arg;
		break;
	case 'f':
		o->json = pit_cli_is_json(state, arg);
		break;
	default:
		return parse_loader(key, arg, state, &o->want) ? 0 : ARGP_ERR_UNKNOWN;
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
	.doc = "Time the loader on these samples: how fast they come, how long a batch is waited for, and what it "
	       "costs.\vWrites nothing but the index of tar shards that have none, and the cache directory. Exit codes: 0 done, 3 could not, 64 usage.",
};

struct bench {
	struct pit_source *source;
	struct pit_loader *loader;
	struct pit_feed_time *times; /* [epochs] */
	int epochs;
	int64_t listed;                /* nanoseconds that listing the samples took */
	struct pit_loader_stats stats; /* of the last loader */
	uint64_t memory;               /* the most of all loaders */
};

static double seconds(int64_t ns)
{
	return ns / 1e9;
}

static double rate(uint64_t n, int64_t ns)
{
	return ns > 0 ? n / seconds(ns) : 0;
}

static double cpu_per_gib(const struct pit_feed_time *t)
{
	return t->bytes ? seconds(t->cpu) / (t->bytes / (double)(1 << 30)) : 0;
}

static double share(int64_t part, int64_t whole)
{
	return whole > 0 ? (double)part / whole : 0;
}

static void show_epoch(const struct options *o, const struct pit_feed_time *t, double bound, struct pit_buf *out)
{
	char size_text[32];

	pit_buf_printf(out, "epoch %-4" PRIu64 " %" PRIu64 " samples, %s in %.3f s: %.0f samples/s, %.0f MiB/s\n",
		       t->epoch, t->samples, pit_format_size(t->bytes, size_text, sizeof(size_text)), seconds(t->whole),
		       rate(t->samples, t->whole), rate(t->bytes, t->whole) / (1 << 20));
	pit_buf_printf(out,
		       "           first batch %.1f ms; wait for a batch: median %.2f ms, 99th of 100 %.2f ms, %.0f %% "
		       "of the time\n",
		       t->first / 1e6, t->gap_50 / 1e6, t->gap_99 / 1e6, 100 * share(t->wait, t->whole));
	pit_buf_puts(out, "           ");
	if (t->bytes >= TELLING)
		pit_buf_printf(out, "%.3f CPU seconds a GiB; ", cpu_per_gib(t));
	pit_buf_printf(out, "read from disk or page cache: %s\n",
		       pit_format_size(t->read_bytes, size_text, sizeof(size_text)));
	if (t->cache_requests)
		pit_buf_printf(out,
			       "           sample cache: %.1f %% of the bytes; no policy can have more than %.1f %%\n",
			       100 * share(t->cache_hit_bytes, t->bytes), 100 * bound);
	if (o->step_ns)
		pit_buf_printf(out, "           accelerator busy %.1f %% of the time behind the first step\n",
			       100 * share(t->step, t->steps));
	if (t->stayed > 0)
		pit_buf_printf(out, "           %s stayed in the page cache\n",
			       pit_format_size(t->stayed, size_text, sizeof(size_text)));
}

static void show_text(const struct options *o, const struct bench *b, struct pit_buf *out)
{
	char memory[32];

	pit_buf_printf(out, "%s: %" PRIu64 " sample%s, listed in %.3f s; batches of %u\n",
		       pit_cli_kinds[pit_source_kind_of(b->source)], pit_source_count(b->source),
		       pit_source_count(b->source) == 1 ? "" : "s", seconds(b->listed), o->want.batch);
	for (int i = 0; i < b->epochs; i++)
		show_epoch(o, b->times + i, b->stats.cache_bound, out);
	pit_buf_printf(out, "memory %s at most, %u requests at once at the end",
		       pit_format_size(b->memory, memory, sizeof(memory)), b->stats.depth);
	if (b->stats.failed)
		pit_buf_printf(out, ", %" PRIu64 " sample%s failed", b->stats.failed, b->stats.failed == 1 ? "" : "s");
	pit_buf_puts(out, "\n");
	for (unsigned i = 0; pit_loader_failed(b->loader, i); i++)
		pit_buf_printf(out, "failed: %s\n", pit_loader_failed(b->loader, i));
	pit_ladder_text(pit_loader_ladder(b->loader), out);
}

static json_t *epoch_json(const struct options *o, const struct pit_feed_time *t)
{
	json_t *j =
		json_pack("{sI sI sI sI sI sI sI sI sf sf sf sf sf sf sf sf}", "epoch", (json_int_t)t->epoch, "samples",
			  (json_int_t)t->samples, "batches", (json_int_t)t->batches, "bytes", (json_int_t)t->bytes,
			  "read_bytes", (json_int_t)t->read_bytes, "cache_requests", (json_int_t)t->cache_requests,
			  "cache_hits", (json_int_t)t->cache_hits, "cache_hit_bytes", (json_int_t)t->cache_hit_bytes,
			  "seconds", seconds(t->whole), "samples_per_second", rate(t->samples, t->whole),
			  "bytes_per_second", rate(t->bytes, t->whole), "first_batch_seconds", seconds(t->first),
			  "gap_median_seconds", seconds(t->gap_50), "gap_p99_seconds", seconds(t->gap_99), "wait_share",
			  share(t->wait, t->whole), "cpu_seconds_per_gib", cpu_per_gib(t));

	if (o->step_ns)
		json_object_set_new(j, "accelerator_utilisation", json_real(share(t->step, t->steps)));
	if (t->stayed >= 0)
		json_object_set_new(j, "page_cache_bytes_left", json_integer(t->stayed));
	return j;
}

static json_t *ladder_json(const struct pit_ladder *l)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_ladder_json(l, &text);
	return text.failed ? NULL : json_loads(text.data, 0, NULL);
}

static int show_json(const struct options *o, const struct bench *b, struct pit_buf *out)
{
	json_t *epochs = json_array(), *failures = json_array();

	for (int i = 0; i < b->epochs; i++)
		json_array_append_new(epochs, epoch_json(o, b->times + i));
	for (unsigned i = 0; pit_loader_failed(b->loader, i); i++)
		json_array_append_new(failures, pit_json_text(pit_loader_failed(b->loader, i)));
	return pit_json_put(json_pack("{ss sI sf si so sI si sI so sI sI sf so}", "kind",
				      pit_cli_kinds[pit_source_kind_of(b->source)], "samples",
				      (json_int_t)pit_source_count(b->source), "list_seconds", seconds(b->listed),
				      "batch", (int)o->want.batch, "epochs", epochs, "memory_bytes",
				      (json_int_t)b->memory, "depth", (int)b->stats.depth, "failed",
				      (json_int_t)b->stats.failed, "failures", failures, "cache_requests",
				      (json_int_t)b->stats.cache_requests, "cache_hits",
				      (json_int_t)b->stats.cache_hits, "cache_bound", b->stats.cache_bound, "ladder",
				      ladder_json(pit_loader_ladder(b->loader))),
			    out);
}

static int list(const struct options *o, struct bench *b, struct pit_error *err)
{
	int64_t begun = pit_now();
	int rc = pit_source_open(&o->source.want, &b->source, err);

	b->listed = pit_now() - begun;
	return rc;
}

/* Without --cold the loader stays, and reads ahead over the end of an epoch; with it nothing may be read before the
 * cache was emptied. */
static int run_epoch(const struct options *o, struct bench *b, int i, struct pit_error *err)
{
	struct pit_feed_time *t = b->times + i;
	struct pit_loader_want want = o->want;
	int64_t stayed = -1, begun, cpu;
	int rc = 0;

	if (o->cold) {
		pit_loader_close(pit_take(b->loader));
		stayed = pit_feed_evict(b->source);
	}
	begun = pit_now();
	cpu = pit_feed_cpu();
	want.epoch = i;
	if (!b->loader)
		rc = pit_loader_open(b->source, &want, &b->loader, err);
	else
		rc = pit_loader_epoch(b->loader, i, err);
	if (!rc)
		rc = pit_feed_time(b->loader, o->step_ns, begun, cpu, t, err);
	t->epoch = i;
	t->stayed = stayed;
	if (b->loader)
		pit_loader_stats(b->loader, &b->stats);
	if (b->stats.memory_most > b->memory)
		b->memory = b->stats.memory_most;
	return rc;
}

static int bench(const struct options *o, struct pit_buf *out, struct pit_error *err)
{
	struct bench b = {.stats = {.size = sizeof(b.stats)}};
	int rc = list(o, &b, err);

	b.times = calloc(o->epochs, sizeof(*b.times));
	if (!rc && !b.times)
		rc = pit_fail(err, ENOMEM, "out of memory");
	for (; !rc && b.epochs < o->epochs; b.epochs++)
		rc = run_epoch(o, &b, b.epochs, err);
	if (!rc && o->json)
		rc = show_json(o, &b, out);
	else if (!rc)
		show_text(o, &b, out);
	pit_loader_close(b.loader);
	pit_source_close(b.source);
	free(b.times);
	return rc;
}

int pit_cli_feed_bench(int argc, char **argv)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;
	struct options o = {.epochs = 1, .want = {.size = sizeof(o.want), .batch = BATCH}};
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (bench(&o, &out, &err))
		code = pit_cli_fail(&err);
	else
		code = pit_cli_print(&out, PIT_EXIT_OK);
	pit_cli_source_free(&o.source);
	return code;
}
