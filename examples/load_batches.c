/* SPDX-License-Identifier: MIT */
/* load_batches DIR: reads all files below a directory once, shuffled, in batches of 256. */
#include <stdio.h>

#include <pitcrew/pitcrew.h>

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : ".";
	struct pit_source_want from = {.size = sizeof(from), .kind = PIT_SOURCE_FILES, .paths = &dir, .path_count = 1};
	struct pit_loader_want want = {.size = sizeof(want), .batch = 256, .seed = 1};
	struct pit_source *source = NULL;
	struct pit_loader *loader = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *batch;
	struct pit_part part;
	uint64_t samples = 0, bytes = 0;
	int rc = pit_source_open(&from, &source, &err);

	if (!rc)
		rc = pit_loader_open(source, &want, &loader, &err);
	while (!rc && (rc = pit_loader_next(loader, &batch, &err)) == 1) {
		for (uint32_t i = 0; i < pit_batch_count(batch); i++, samples++)
			if (!pit_batch_part(batch, i, 0, &part))
				bytes += part.len; /* the sample is part.data[0 .. part.len) */
		pit_batch_release(batch);
		rc = 0;
	}
	if (rc)
		fprintf(stderr, "load_batches: %s\n", err.text);
	else
		printf("%llu samples, %llu bytes\n", (unsigned long long)samples, (unsigned long long)bytes);
	pit_loader_close(loader);
	pit_source_close(source);
	return rc != 0;
}
