/* SPDX-License-Identifier: MIT
 *
 * The machine as files: this one, or a recorded one (a directory or an unpacked tarball). Every read of the machine
 * goes through a root, so live and recorded machines share one code path.
 *
 * - Paths are absolute ("/proc/meminfo") and resolved inside the root: links of a recording cannot leave it.
 * - Each answer is kept: a path is read once, all callers see the same bytes, and what was read can be recorded.
 *   Texts handed out belong to the root and live as long as it does.
 * - A read that may block (a network mount, another process's memory) is made by a helper process under a deadline.
 * - Functions return 0 or -errno; pit_root_state() sorts these into the states that a report keeps apart.
 */
#ifndef PIT_HOST_ROOT_H
#define PIT_HOST_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/idset.h"
#include "base/strv.h"
#include "pitcrew/error.h"

struct pit_root;

/* What became of a read. */
enum pit_state {
	PIT_STATE_OK,
	PIT_STATE_ABSENT,       /* ENOENT, ENOTDIR, ENODEV, ENXIO, ESRCH, ENOLINK: the machine does not have it */
	PIT_STATE_DENIED,       /* EACCES, EPERM: not for this user */
	PIT_STATE_MALFORMED,    /* EBADMSG, EINVAL, ERANGE, EFBIG: it is there and makes no sense */
	PIT_STATE_TIMED_OUT,    /* ETIMEDOUT: the deadline passed */
	PIT_STATE_UNSUPPORTED,  /* EOPNOTSUPP, ENOSYS: this kernel or platform cannot say */
	PIT_STATE_NOT_RECORDED, /* ENODATA: the recording lacks it */
	PIT_STATE_ERROR,        /* any other */
};
enum pit_state pit_root_state(int rc);
const char *pit_state_name(enum pit_state state); /* "absent", "timed out", ... */

/* `path` NULL: the live machine; a directory; else a tar archive (gzip, xz, zstd, bzip2 or plain), which is unpacked
 * into a private temporary directory that pit_root_close() removes. */
int pit_root_open(const char *path, struct pit_root **ret, struct pit_error *err);
void pit_root_close(struct pit_root *root); /* NULL is fine; keeps errno */
#define pit_auto_root PIT_CLEANUP(pit_root_closep)
static inline void pit_root_closep(struct pit_root **root)
{
	pit_root_close(*root);
}

bool pit_root_is_live(const struct pit_root *root);
const char *pit_root_name(const struct pit_root *root); /* "live", or the path given */
const char *pit_root_dir(const struct pit_root *root);  /* directory on this machine: "/" or where the recording lies */

/* A file whole. At most PIT_ROOT_FILE_MAX bytes (else -EFBIG); NUL bytes are kept, and `data` ends with one more. */
#define PIT_ROOT_FILE_MAX (16u << 20)
struct pit_text {
	const char *data;
	size_t len;
};
int pit_root_read(struct pit_root *root, struct pit_text *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One value from a file: first line trimmed; integer; list of ids. -EBADMSG when it is not one. */
int pit_root_str(struct pit_root *root, char *ret, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int pit_root_i64(struct pit_root *root, int64_t *ret, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int pit_root_u64(struct pit_root *root, uint64_t *ret, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int pit_root_hex(struct pit_root *root, uint64_t *ret, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int pit_root_idset(struct pit_root *root, struct pit_idset *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))); /* *ret must be empty; the caller frees it */

/* Names in a directory without "." and "..", sorted with numbers as numbers; at most PIT_ROOT_LIST_MAX (else -EFBIG).
 */
#define PIT_ROOT_LIST_MAX 200000
int pit_root_list(struct pit_root *root, const struct pit_strv **ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Target of a symbolic link, as it stands there. */
int pit_root_link(struct pit_root *root, const char **ret, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* 0 when there is something at the path (links followed), else -errno. */
int pit_root_exists(struct pit_root *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct pit_stat {
	mode_t mode; /* type and permission bits */
	int64_t uid; /* -1: the recording does not say */
	int64_t gid;
	uint64_t size;
	uint64_t nlink;
	uint64_t dev; /* major << 32 | minor of the file system; 0 unknown */
	uint64_t rdev;
	int64_t mtime; /* seconds since 1970 */
};
int pit_root_stat(struct pit_root *root, struct pit_stat *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))); /* links followed */

struct pit_fsinfo {
	uint64_t type;  /* f_type magic */
	uint64_t bsize; /* bytes per block */
	uint64_t blocks, bfree, bavail;
	uint64_t files, ffree; /* inodes; 0 files = the file system has no such limit */
	uint64_t flags;        /* ST_RDONLY, ST_NOEXEC, ... */
};
int pit_root_statfs(struct pit_root *root, struct pit_fsinfo *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A fact that is no file (the answer of a system call or of a library): `make` writes it as text into `out` on a live
 * machine, and a recording returns the text that was kept. `name` is made of letters, digits and "/.:_-".
 * make() returns 0 or -errno. A recording without it: -ENODATA. */
typedef int (*pit_fact_fn)(const char *name, void *arg, struct pit_buf *out);
int pit_root_fact(struct pit_root *root, const char *name, pit_fact_fn make, void *arg, struct pit_text *ret);

/* Reads `path` a second time, for counters whose growth matters; a recording returns the second reading that it holds.
 * Once per path and root: later calls return the same bytes. `ret_ns` (may be NULL): time between the two readings. */
int pit_root_again(struct pit_root *root, const char *path, struct pit_text *ret, int64_t *ret_ns);

/* When the file was read, in pit_now()'s time; 0 it was not. */
int64_t pit_root_when(struct pit_root *root, const char *path);

/* A file of the live machine straight into `out`, under the deadline where that is due, and kept nowhere: for texts of
 * which only a part may be remembered. A recording answers -ENODATA. */
int pit_root_read_secret(struct pit_root *root, const char *path, struct pit_buf *out);

/* Forgets all answers, so that the next reads see the machine anew. Texts handed out before are gone. */
void pit_root_forget(struct pit_root *root);

/* Ends the helper that makes the reads which may block; the next of them starts another. For those who fork: the helper
 * belongs to one process. */
void pit_root_end_helper(struct pit_root *root);

/* Deadline of one read that may block; 300 ms at the start. */
void pit_root_set_deadline(struct pit_root *root, int ms);

/* All answers so far, for the recorder: kind is one of "file", "list", "link", "stat", "statfs", "fact", "again"; `rc`
 * 0 or -errno, `text` the answer. Stops at the first return that is not 0 and returns it. */
typedef int (*pit_root_each_fn)(const char *kind, const char *path, int rc, const struct pit_text *text, void *arg);
int pit_root_each(struct pit_root *root, pit_root_each_fn fn, void *arg);

#endif
