/* SPDX-License-Identifier: MIT
 *
 * How a root gets an answer: from the live machine, from a recording, or from the live machine through a helper process
 * under a deadline. Private to host/root. Every answer is a text:
 *
 *	file, again	the bytes of the file (again: behind a first line "interval_ns N")
 *	list		names, one a line, sorted
 *	link		the target
 *	stat, statfs	numbers, see root.c
 *	exists		nothing
 *	fact		what the maker wrote
 */
#ifndef PIT_HOST_ANSWER_H
#define PIT_HOST_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strmap.h"
#include "host/child.h"
#include "pitcrew/error.h"

enum pit_kind {
	PIT_KIND_FILE,
	PIT_KIND_LIST,
	PIT_KIND_LINK,
	PIT_KIND_STAT,
	PIT_KIND_STATFS,
	PIT_KIND_EXISTS,
	PIT_KIND_FACT,
	PIT_KIND_AGAIN,
	PIT_KINDS,
};
extern const char *const pit_kind_names[PIT_KINDS];

/* Each appends the answer to `out` and returns 0 or -errno. */
int pit_answer_live(enum pit_kind kind, const char *path, struct pit_buf *out);

struct pit_recording {
	int fd;                    /* directory; -1 none */
	bool ours;                 /* has .pitcrew/format, as snapshots have: what it lacks was not recorded */
	struct pit_strmap missing; /* "kind path" -> -errno as a pointer */
};
int pit_recording_open(struct pit_recording *r, const char *dir, struct pit_error *err);
void pit_recording_close(struct pit_recording *r);
int pit_answer_recorded(const struct pit_recording *r, enum pit_kind kind, const char *path, struct pit_buf *out);

/* Where a recording keeps an answer that is no file of the machine: ".pitcrew/KIND/ESCAPED-PATH" in `out`. */
void pit_recording_name(enum pit_kind kind, const char *path, struct pit_buf *out);

/* Reads an open regular file, at most PIT_ROOT_FILE_MAX bytes. */
int pit_read_fd(int fd, struct pit_buf *out);
int pit_list_fd(int fd, struct pit_buf *out); /* directory; takes the fd */

struct pit_root;
/* Sets the answer for `path` before anybody asks, for tests. 0 or -ENOMEM. */
int pit_root_put(struct pit_root *root, enum pit_kind kind, const char *path, const void *bytes, size_t len);

/* The helper process that makes reads which may block. */
struct pit_deadline {
	struct pit_child helper;
	int ms;           /* for one read */
	int64_t spent_ns; /* lost in reads that timed out; over PIT_DEADLINE_TOTAL_MS all further ones are refused */
};
#define PIT_DEADLINE_TOTAL_MS 3000
void pit_deadline_close(struct pit_deadline *d);
bool pit_may_block(enum pit_kind kind, const char *path);
int pit_answer_deadline(struct pit_deadline *d, enum pit_kind kind, const char *path, struct pit_buf *out);

#endif
