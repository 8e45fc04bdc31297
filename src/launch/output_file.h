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

/* Opens the file to append to; *ret_size is what it held before. */
int pit_output_dir_file(const struct pit_output_dir *d, int rank, bool is_stderr, int *ret_fd, off_t *ret_size,
			struct pit_error *err);

/* Appends the last bytes, at most `most`, that the stderr of `rank` got after `start`; true when there are more. */
bool pit_output_dir_last(const struct pit_output_dir *d, int rank, off_t start, size_t most, struct pit_buf *out);

#endif
