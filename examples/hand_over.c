/* SPDX-License-Identifier: MIT */
/* hand_over DIR: loads batches and hands each to another process, which sees the same memory: a line of text goes
 * through a pipe, not a byte of the samples. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pitcrew/pitcrew.h>

static int receive(FILE *lines)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_batch *batch;
	unsigned batches = 0, samples = 0;
	char line[4096];

	for (; fgets(line, sizeof(line), lines); batches++) {
		if (pit_batch_import(line, &batch, &err))
			return fprintf(stderr, "hand_over: %s\n", err.text), 1;
		samples += pit_batch_count(batch);
		pit_batch_release(batch); /* the sender's memory is free again */
	}
	printf("received %u samples in %u batches\n", samples, batches);
	return 0;
}

static int send_all(const char *dir, FILE *lines, struct pit_error *err)
{
	struct pit_source_want from = {.size = sizeof(from), .kind = PIT_SOURCE_FILES, .paths = &dir, .path_count = 1};
	struct pit_loader_want want = {.size = sizeof(want), .batch = 64};
	struct pit_source *source = NULL;
	struct pit_loader *loader = NULL;
	struct pit_batch *batch;
	char line[4096];
	int rc = pit_source_open(&from, &source, err);

	if (!rc)
		rc = pit_loader_open(source, &want, &loader, err);
	pit_source_close(source);
	while (!rc && (rc = pit_loader_next(loader, &batch, err)) == 1) {
		rc = pit_batch_export(batch, line, sizeof(line), err);
		if (rc > 0)
			rc = fprintf(lines, "%s\n", line) < 0 || fflush(lines) ? -1 : 0;
	}
	fclose(lines);
	wait(NULL); /* the memory lives as long as the loader */
	pit_loader_close(loader);
	return rc;
}

int main(int argc, char **argv)
{
	struct pit_error err = PIT_ERROR_INIT;
	int ends[2];

	if (pipe(ends))
		return 1;
	if (!fork()) { /* before the loader starts its threads */
		close(ends[1]);
		return receive(fdopen(ends[0], "r"));
	}
	close(ends[0]);
	if (!send_all(argc > 1 ? argv[1] : ".", fdopen(ends[1], "w"), &err))
		return 0;
	fprintf(stderr, "hand_over: %s\n", err.text);
	return 1;
}
