/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/crash/state.h"
#include "tests/crash/stress.h"
#include "tests/fake/io_faults.h"
#include "tests/tempdir.h"

enum {
	FILES = 96,
	LONGEST = 70000,
	VERSIONS = 2, /* of a file: the second one takes its place, with the same length */
	HELD = 4,     /* batches out at once */
};

static uint64_t length_of(uint64_t file)
{
	return file % 7 == 3 ? 0 : file * 7919 % LONGEST + 1;
}

static void write_file(const char *path, uint64_t version, uint64_t file)
{
	uint64_t len = length_of(file);
	pit_auto_free uint8_t *bytes = malloc(len + 1);
	pit_auto_fclose FILE *f = fopen(path, "we");

	for (uint64_t i = 0; i < len; i++)
		bytes[i] = state_byte(version, file, i);
	if (!f || fwrite(bytes, 1, len, f) != len)
		abort();
}

static void path_of(const struct stress *s, uint64_t file, char *path, size_t size)
{
	snprintf(path, size, "%s/files/%02" PRIu64 "/%04" PRIu64 ".bin", s->dir, file % 8, file);
}

static void make_files(struct stress *s)
{
	char path[640];

	snprintf(path, sizeof(path), "%s/files", s->dir);
	mkdir(path, 0755);
	for (uint64_t i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "%s/files/%02" PRIu64, s->dir, i);
		mkdir(path, 0755);
	}
	for (uint64_t i = 0; i < FILES; i++) {
		path_of(s, i, path, sizeof(path));
		write_file(path, 0, i);
	}
}

/* ---- somebody else, at work on the same files ---- */

struct vandal {
	pthread_t thread;
	struct stress *s;
	uint64_t dice;
	atomic_bool end;
};

static uint64_t vandal_roll(struct vandal *v, uint64_t below)
{
	v->dice = v->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (v->dice >> 33) % below;
}

static void *vandalize(void *arg)
{
	struct vandal *v = arg;
	char path[640], other[660];

	io_faults_spare(true);
	while (!atomic_load(&v->end)) {
		uint64_t file = vandal_roll(v, FILES);

		path_of(v->s, file, path, sizeof(path));
		snprintf(other, sizeof(other), "%s.new", path);
		switch (vandal_roll(v, 4)) {
		case 0:
			if (truncate(path, (off_t)vandal_roll(v, length_of(file) + 1)))
				break;
			break;
		case 1:
			unlink(path);
			break;
		default: /* whole again */
			write_file(other, vandal_roll(v, VERSIONS), file);
			rename(other, path);
		}
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	return NULL;
}

/* ---- the user ---- */

struct load {
	struct stress *s;
	struct pit_loader *l;
	struct pit_loader_want want;
	struct pit_batch *held[HELD];
	unsigned seen[FILES];
	bool cancelled;
};

static bool is_version(const uint8_t *bytes, uint64_t len, uint64_t version, uint64_t file)
{
	for (uint64_t i = 0; i < len; i++)
		if (bytes[i] != state_byte(version, file, i))
			return false;
	return true;
}

static void check_sample(struct load *d, const struct pit_batch *b, uint32_t i)
{
	uint64_t file = pit_batch_sample(b, i);
	const char *name = pit_batch_name(b, i);
	struct pit_part part;
	bool good;
	uint64_t number = name && strrchr(name, '/') ? strtoull(strrchr(name, '/') + 1, NULL, 10) : UINT64_MAX;

	if (pit_batch_parts(b, i) != 1 || pit_batch_part(b, i, 0, &part) || number >= FILES || file >= FILES) {
		stress_wrong(d->s, "sample %" PRIu64 " (%s) is none", file, name ? name : "NULL");
		return;
	}
	good = part.len == length_of(number) &&
	       (is_version(part.data, part.len, 0, number) || is_version(part.data, part.len, 1, number));
	if (!good)
		stress_wrong(d->s, "sample %s of %zu bytes has others than it should", name, part.len);
	d->seen[number]++;
	d->s->samples++;
}

static unsigned release_some(struct load *d, bool all)
{
	unsigned released = 0;

	for (unsigned i = 0; i < HELD; i++)
		if (d->held[i] && (all || stress_chance(d->s, 60))) {
			pit_batch_release(d->held[i]);
			d->held[i] = NULL;
			released++;
		}
	return released;
}

static void hold(struct load *d, struct pit_batch *b)
{
	for (unsigned i = 0; i < HELD; i++)
		if (!d->held[i]) {
			d->held[i] = b;
			return;
		}
	pit_batch_release(b);
}

static void *cancel(void *arg)
{
	nanosleep(&(struct timespec){.tv_nsec = 1500000}, NULL);
	pit_loader_cancel(arg);
	return NULL;
}

/* True when the epoch came to its end. */
static bool epoch(struct load *d, bool stop_early)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *b = NULL;
	unsigned vain = 0;

	for (;;) {
		int rc = pit_loader_next(d->l, &b, &err);

		if (!rc)
			return true;
		if (rc == -ECANCELED) {
			if (!d->cancelled)
				stress_wrong(d->s, "cancelled by nobody: %s", err.text);
			return false;
		}
		if (rc == -ENOBUFS && release_some(d, true))
			continue;
		if (rc < 0) {
			d->s->failed_samples++;
			if (!d->s->hostile)
				stress_wrong(d->s, "a batch failed where nothing was wrong: %s", err.text);
			if (!err.text[0] || ++vain > 10 * FILES) {
				stress_wrong(d->s, "failed with %s, %u times", err.text, vain);
				return false;
			}
			continue;
		}
		for (uint32_t i = 0; i < pit_batch_count(b); i++)
			check_sample(d, b, i);
		hold(d, b);
		/* who holds all memory is told so, after a while */
		release_some(d, d->want.memory && d->want.memory < 8 << 20 && !stress_chance(d->s, 3));
		if (stop_early && stress_chance(d->s, 10))
			return false;
	}
}

static void choose(struct load *d)
{
	struct stress *s = d->s;

	d->want = (struct pit_loader_want){
		.size = sizeof(d->want),
		.batch = (uint32_t)stress_roll(s, 20) + 1,
		.seed = stress_roll(s, 1000),
		.epoch = stress_roll(s, 3),
		.shuffle = stress_roll(s, 3),
		.block = stress_roll(s, 12),
		.window = stress_roll(s, 4),
		.as_ready = stress_chance(s, 30),
		.on_error = stress_roll(s, 3),
		.memory = stress_chance(s, 50) ? 0 : (stress_roll(s, 6) + 1) << 20,
		.cache_bytes = stress_chance(s, 40) ? (stress_roll(s, 4) + 1) << 19 : 0,
		.cache_policy = stress_roll(s, PIT_POLICIES),
	};
	if (d->want.cache_bytes && d->want.memory && d->want.memory < 4 << 20)
		d->want.memory = 4 << 20;
	stress_io(s, &d->want.io);
}

static int start(struct load *d, struct pit_error *err)
{
	char root[600];
	const char *path = root;
	struct pit_source_want want = {.size = sizeof(want), .kind = PIT_SOURCE_FILES, .paths = &path, .path_count = 1};
	struct pit_source *source = NULL;
	int rc;

	snprintf(root, sizeof(root), "%s/files", d->s->dir);
	rc = pit_source_open(&want, &source, err);
	stress_faults(d->s, true);
	if (!rc)
		rc = pit_loader_open(source, &d->want, &d->l, err);
	pit_source_close(source);
	return rc;
}

static void expect_all_once(struct load *d)
{
	for (uint64_t i = 0; i < FILES; i++)
		if (d->seen[i] != 1)
			stress_wrong(d->s, "sample %" PRIu64 " came %u times in one epoch", i, d->seen[i]);
}

void stress_load(struct stress *s)
{
	struct load d = {.s = s};
	struct vandal v = {.s = s, .dice = stress_roll(s, UINT64_MAX)};
	struct pit_error err = PIT_ERROR_INIT;
	bool vandals = s->hostile && stress_chance(s, 50), early = stress_chance(s, 25), whole;
	bool closed_first = stress_chance(s, 30);
	pthread_t canceller;
	int rc;

	make_files(s);
	choose(&d);
	d.cancelled = stress_chance(s, 15);
	if ((rc = start(&d, &err))) {
		if (!s->hostile)
			stress_wrong(s, "the loader does not open: %s", err.text);
		return;
	}
	if (vandals && pthread_create(&v.thread, NULL, vandalize, &v))
		abort();
	if (d.cancelled && pthread_create(&canceller, NULL, cancel, d.l))
		abort();
	whole = epoch(&d, early);
	if (d.cancelled)
		pthread_join(canceller, NULL);
	if (whole && !s->hostile)
		expect_all_once(&d);
	if (!closed_first)
		release_some(&d, true);
	pit_loader_close(d.l);
	release_some(&d, true); /* what was handed out stays */
	atomic_store(&v.end, true);
	if (vandals)
		pthread_join(v.thread, NULL);
}
