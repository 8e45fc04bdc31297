/* SPDX-License-Identifier: MIT
 *
 * What the verbs of `pitcrew feed` share.
 */
#ifndef PIT_CLI_FEED_H
#define PIT_CLI_FEED_H

#include "base/strv.h"
#include "cli/cmd.h"
#include "pitcrew/feed.h"

/* argv[0] is "pitcrew feed VERB"; give the exit code. */
int pit_cli_feed_index(int argc, char **argv);
int pit_cli_feed_verify(int argc, char **argv);
int pit_cli_feed_bench(int argc, char **argv);

/* Samples as the command line names them. All-zero before it is parsed. */
struct pit_cli_source {
	struct pit_source_want want; /* complete after parsing; points into the vectors */
	struct pit_strv paths, suffixes, tensors;
};
void pit_cli_source_free(struct pit_cli_source *s);
#define pit_auto_cli_source PIT_CLEANUP(pit_cli_source_free)

/* PATH... and the options of a source: a child parser whose input is a struct pit_cli_source. A usage error without any
 * PATH. */
extern const struct argp pit_cli_source_argp;

extern const char *const pit_cli_kinds[]; /* by enum pit_source_kind; ends with NULL */

/* A line on stderr that is written over and over, when that is a terminal: "VERB: 1.2 GiB of 3.4 GiB". */
struct pit_cli_progress {
	const char *verb;
	int64_t last; /* when it was shown */
	bool shown;
};
void pit_cli_progress(void *progress, uint64_t done, uint64_t all);
void pit_cli_progress_end(struct pit_cli_progress *p); /* wipes the line */

struct pit_source;

/* Writes a list of all files of a source (PIT_SOURCE_FILES, one directory) to want->index, with checksums of what they
 * hold. */
int pit_cli_write_manifest(struct pit_source *s, const struct pit_source_want *want, bool checksums,
			   struct pit_cli_progress *p, struct pit_error *err);

#endif
