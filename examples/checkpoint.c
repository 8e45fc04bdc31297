/* SPDX-License-Identifier: MIT */
/* checkpoint DIR: saves a tensor as the checkpoint of step 100, behind the caller's back, and loads the latest one. */
#include <stdio.h>

#include <pitcrew/pitcrew.h>

static int save(const char *dir, const float *values, uint64_t count, struct pit_error *err)
{
	struct pit_checkpoint_want want = {.size = sizeof(want), .keep = 3};
	struct pit_tensor shape = {.name = "weight", .dtype = PIT_F32, .dims = 1, .shape = &count, .bytes = count * 4};
	struct pit_save_tensor tensor = {.tensor = shape, .data = values};
	struct pit_checkpoint *c;
	int rc = pit_checkpoint_open(dir, &want, &c, err), end;

	if (rc)
		return rc;
	rc = pit_checkpoint_put(c, 100, &tensor, 1, PIT_SAVE_COPY, err); /* `values` may change from here on */
	if (!rc)
		rc = pit_checkpoint_commit(c, 100, NULL, "{\"loss\": 0.5}", 0, err);
	end = pit_checkpoint_close(c, rc ? NULL : err); /* waits until all is durable */
	return rc ? rc : end;
}

static int load(const char *dir, float *values, uint64_t count, struct pit_error *err)
{
	struct pit_manifest *m = NULL;
	struct pit_weights *w = NULL;
	int rc = pit_manifest_open(dir, -1, &m, err);

	if (!rc)
		rc = pit_weights_open(pit_manifest_path(m), &w, err);
	if (!rc)
		rc = pit_weights_read(w, (size_t)pit_weights_find(w, "weight"), 0, values, count * 4, err);
	if (!rc)
		printf("step %llu, %s: %g\n", (unsigned long long)pit_manifest_step(m), pit_manifest_extra(m),
		       values[999]);
	pit_weights_close(w);
	pit_manifest_close(m);
	return rc;
}

int main(int argc, char **argv)
{
	static float values[1000] = {[999] = 0.25f};
	const char *dir = argc > 1 ? argv[1] : "checkpoints";
	struct pit_error err = PIT_ERROR_INIT;
	int rc = save(dir, values, 1000, &err);

	if (!rc)
		rc = load(dir, values, 1000, &err);
	if (rc)
		fprintf(stderr, "checkpoint: %s\n", err.text);
	return rc != 0;
}
