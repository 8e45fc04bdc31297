/* SPDX-License-Identifier: MIT
 *
 * A directory with a file for stdout and one for stderr of each rank, which the ranks write to themselves: nothing is
 * lost, whatever becomes of us.
 */
#ifndef PIT_LAUNCH_OUTPUT_FILE_H
#define PIT_LAUNCH_OUTPUT_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "pitcrew/error.h"

struct pit_output_dir {
	int fd;
	char *path;
	int attempt;
};
#define PIT_OUTPUT_DIR_INIT                                                                                            \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Makes it, with its parents, when it is not there. */
int pit_output_dir_open(const char *path, int attempt, struct pit_output_dir *ret, struct pit_error *err);
void pit_output_dir_close(struct pit_output_dir *d);

/* Removes what an earlier job left: plain files named as ours are ("rank-3.out", "rank-3.2.err", "report.json",
 * "report-rank-3.1.json"), of the rank `own` alone or, below 0, of all. Others, and links, are left alone. 0 also when
 * there is no directory. */
int pit_output_dir_clean(const char *path, int own, struct pit_error *err);
bool pit_output_dir_is_ours(const char *name, int own);

/* Opens the file to append to; *ret_size is what it held before. */
int pit_output_dir_file(const struct pit_output_dir *d, int rank, bool is_stderr, int *ret_fd, off_t *ret_size,
			struct pit_error *err);

/* Appends the last bytes, at most `most`, that the stderr of `rank` got after `start`; true when there are more. */
bool pit_output_dir_last(const struct pit_output_dir *d, int rank, off_t start, size_t most, struct pit_buf *out);

#endif
