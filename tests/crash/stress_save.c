/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/crash/state.h"
#include "tests/crash/stress.h"
#include "tests/tempdir.h"

enum {
	BYTES = 300000, /* of a state, about */
};

static int save_file(struct stress *s, const char *path, uint64_t g, struct pit_error *err)
{
	struct pit_save_want want = {.size = sizeof(want), .no_checksums = stress_chance(s, 20)};
	struct pit_save_text text = {.key = "generation", .value = g % 2 ? "odd" : "even"};
	struct state state;
	int rc;

	want.texts = &text;
	want.text_count = 1;
	stress_io(s, &want.io);
	state_make(&state, g, BYTES);
	rc = pit_save_file(path, state.tensors, STATE_TENSORS, &want, err);
	state_free(&state);
	return rc;
}

static bool holds(const char *path, uint64_t g)
{
	struct pit_weights *w = NULL;
	int rc = pit_weights_open(path, &w, NULL);

	if (!rc)
		rc = state_compare(w, g, NULL);
	pit_weights_close(w);
	return !rc;
}

static void expect_only(struct stress *s, const char *dir, const char *name)
{
	pit_auto_closedir DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' ? strcmp(e->d_name, name) != 0 : strlen(e->d_name) > 2)
			stress_wrong(s, "%s was left behind in %s", e->d_name, dir);
}

/* Failed is failed and changes nothing; done is done. */
void stress_save(struct stress *s)
{
	char dir[600], path[640];
	struct pit_error err = PIT_ERROR_INIT;
	int rc;

	snprintf(dir, sizeof(dir), "%s/save", s->dir);
	snprintf(path, sizeof(path), "%s/state", dir);
	tempdir_remove(dir);
	mkdir(dir, 0755);
	if ((rc = save_file(s, path, 1, &err)) || !holds(path, 1)) {
		stress_wrong(s, "the first save: %s", err.text);
		return;
	}
	for (uint64_t g = 2, there = 1; g < 6; g++) {
		stress_faults(s, true);
		rc = save_file(s, path, g, &err);
		stress_faults(s, false);
		s->saves++;
		s->failed_saves += rc != 0;
		if (rc && !s->hostile)
			stress_wrong(s, "a save failed where nothing was wrong: %s", err.text);
		/* only the directory's fsync can fail when the new file is in place already, and says so */
		if (!rc || (strstr(err.text, "directory") && holds(path, g)))
			there = g;
		if (!holds(path, there))
			stress_wrong(s, "save %" PRIu64 " gave %d (%s), and state %" PRIu64 " is not there", g, rc,
				     rc ? err.text : "", there);
		expect_only(s, dir, "state");
	}
}

/* ---- checkpoints ---- */

static void *look_whether_busy(void *c)
{
	for (int i = 0; i < 200; i++)
		pit_checkpoint_busy(c);
	return NULL;
}

static int put(struct stress *s, struct pit_checkpoint *c, uint64_t step, struct pit_error *err)
{
	enum pit_save_mode mode = stress_roll(s, 3);
	struct state state;
	pthread_t looker;
	bool looks = stress_chance(s, 30);
	int rc;

	state_make(&state, step, BYTES);
	if (looks && pthread_create(&looker, NULL, look_whether_busy, c))
		abort();
	rc = pit_checkpoint_put(c, step, state.tensors, STATE_TENSORS, mode, err);
	if (!rc)
		rc = pit_checkpoint_commit(c, step, NULL, NULL, 0, err);
	if (!rc)
		rc = pit_checkpoint_wait(c, err);
	else
		pit_checkpoint_wait(c, NULL); /* the tensors go */
	if (looks)
		pthread_join(looker, NULL);
	state_free(&state);
	return rc;
}

static bool checkpoint_holds(struct stress *s, const char *dir, uint64_t least)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_manifest *m = NULL;
	int rc = pit_manifest_open(dir, -1, &m, &err);
	uint64_t step;
	bool good;

	if (rc) {
		if (least)
			stress_wrong(s, "step %" PRIu64 " was committed, and: %s", least, err.text);
		return !least;
	}
	step = pit_manifest_step(m);
	good = step >= least && holds(pit_manifest_path(m), step);
	if (!good)
		stress_wrong(s, "step %" PRIu64 " was committed; the latest is %" PRIu64 " and %s", least, step,
			     holds(pit_manifest_path(m), step) ? "whole" : "not whole");
	pit_manifest_close(m);
	return good;
}

void stress_checkpoint(struct stress *s)
{
	struct pit_checkpoint_want want = {.size = sizeof(want), .keep = (unsigned)stress_roll(s, 3) + 1};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_checkpoint *c = NULL;
	uint64_t committed = 0;
	char dir[600];

	snprintf(dir, sizeof(dir), "%s/run", s->dir);
	tempdir_remove(dir);
	want.memory = stress_chance(s, 30) ? BYTES / 2 : 0;
	stress_io(s, &want.io);
	if (pit_checkpoint_open(dir, &want, &c, &err)) {
		stress_wrong(s, "checkpoints do not open: %s", err.text);
		return;
	}
	for (uint64_t step = 1; step < 6; step++) {
		int rc;

		stress_faults(s, true);
		rc = put(s, c, step, &err);
		stress_faults(s, false);
		s->saves++;
		s->failed_saves += rc != 0;
		if (rc && !s->hostile)
			stress_wrong(s, "a checkpoint failed where nothing was wrong: %s", err.text);
		if (!rc)
			committed = step;
		if (!checkpoint_holds(s, dir, committed))
			break;
	}
	stress_faults(s, stress_chance(s, 50));
	pit_checkpoint_close(c, NULL);
	stress_faults(s, false);
	checkpoint_holds(s, dir, committed);
}

/* ---- weights ---- */

struct watch {
	struct stress *s;
	const char *path;
	bool cuts, stops, did;
};

static int at_progress(void *arg, uint64_t done, uint64_t all)
{
	struct watch *w = arg;

	if (w->cuts && !w->did && stress_chance(w->s, 50)) {
		w->did = true;
		if (truncate(w->path, (off_t)stress_roll(w->s, BYTES)))
			stress_wrong(w->s, "truncate: %s", strerror(errno));
	}
	return w->stops && stress_chance(w->s, 50);
}

static void load(struct stress *s, const char *path, uint64_t g)
{
	struct watch watch = {
		.s = s, .path = path, .cuts = s->hostile && stress_chance(s, 40), .stops = stress_chance(s, 20)};
	struct pit_weights_want want = {
		.size = sizeof(want), .verify = stress_chance(s, 50), .progress = at_progress, .arg = &watch};
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_weights *w = NULL;
	struct pit_arena *a = NULL;
	int rc = pit_weights_open(path, &w, &err);

	stress_io(s, &want.io);
	if (!rc)
		rc = pit_weights_load(w, &want, &a, &err);
	s->loads++;
	s->failed_loads += rc != 0;
	if (rc && !s->hostile && rc != -ECANCELED)
		stress_wrong(s, "weights failed where nothing was wrong: %s", err.text);
	for (size_t i = 0; !rc && i < pit_weights_count(w); i++) {
		const struct pit_tensor *t = pit_weights_tensor(w, i);

		if (state_compare_data(t->name, pit_arena_data(a, i), t->bytes, g, &err))
			stress_wrong(s, "loaded: %s", err.text);
	}
	pit_weights_close(w); /* before the arena, which stays */
	pit_arena_free(a);
}

void stress_weights(struct stress *s)
{
	char path[600];
	struct pit_error err = PIT_ERROR_INIT;

	snprintf(path, sizeof(path), "%s/model.safetensors", s->dir);
	for (uint64_t g = 1; g < 4; g++) {
		stress_faults(s, false);
		if (save_file(s, path, g, &err)) {
			stress_wrong(s, "model: %s", err.text);
			return;
		}
		stress_faults(s, true);
		load(s, path, g);
	}
}
