/* SPDX-License-Identifier: MIT
 *
 * The journals that lie in the state directory.
 */
#include "tune/state_private.h"

#include <fcntl.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"

char *pit_journal_name(int txn, const char *suffix, char *out)
{
	snprintf(out, PIT_JOURNAL_NAME, "%04d.%s", txn, suffix);
	return out;
}

/* The number in "0007.journal"; 0: it is no such name. */
static int number_of(const char *name)
{
	char again[PIT_JOURNAL_NAME], digits[PIT_JOURNAL_NAME];
	uint64_t n;

	if (!pit_ends_with(name, ".journal") || strlen(name) >= sizeof(digits))
		return 0;
	snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(name, "."), name);
	if (pit_parse_u64(digits, &n) || n < 1 || n > 999999999)
		return 0;
	return strcmp(pit_journal_name((int)n, "journal", again), name) ? 0 : (int)n;
}

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Numbers of all journals, sorted; their count or -errno. */
static int numbers(const struct pit_tune_state *s, int **ret)
{
	pit_auto_closedir DIR *dir = NULL;
	pit_auto_free int *number = NULL;
	pit_auto_close int fd = openat(s->tune, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int count = 0, room = 0;

	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return -errno;
	pit_take_fd(&fd);
	errno = 0;
	for (const struct dirent *d; (d = readdir(dir)); errno = 0) {
		int n = number_of(d->d_name);

		if (!n)
			continue;
		if (count == room) {
			int *grown = reallocarray(number, (size_t)(room = room * 2 + 16), sizeof(*number));

			if (!grown)
				return -ENOMEM;
			number = grown;
		}
		number[count++] = n;
	}
	if (errno)
		return -errno;
	if (count)
		qsort(number, (size_t)count, sizeof(*number), compare);
	*ret = pit_take(number);
	return count;
}

int pit_tune_state_next(struct pit_tune_state *s)
{
	pit_auto_free int *number = NULL;
	int count = numbers(s, &number);

	return count > 0 ? number[count - 1] + 1 : count < 0 ? count : 1;
}

int pit_journal_slurp(int fd, struct pit_buf *out)
{
	for (;;) {
		ssize_t n;

		if (pit_buf_reserve(out, 65536))
			return -ENOMEM;
		n = read(fd, out->data + out->len, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (out->len > PIT_JOURNAL_MAX)
			return -EFBIG;
	}
}

int pit_tune_state_load(struct pit_tune_state *s, int txn, struct pit_record *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf bytes = PIT_BUF_INIT;
	char name[PIT_JOURNAL_NAME];
	struct pit_record r = {0};
	pit_auto_close int fd = pit_state_openat(s, pit_journal_name(txn, "journal", name), O_RDONLY, err);
	int rc;

	if (fd == -ENOENT)
		return pit_fail(err, ENOENT, "there is no transaction %d in %s", txn, s->dir);
	if (fd < 0)
		return fd;
	rc = pit_journal_slurp(fd, &bytes);
	if (rc)
		return pit_fail(err, -rc, "cannot read %s/%s: %s", s->journals, name, strerror(-rc));
	rc = pit_journal_parse(bytes.data, bytes.len, &r, err);
	if (!rc && r.txn && r.txn != txn) {
		rc = pit_fail(err, EBADMSG, "the journal is of transaction %d", r.txn);
		pit_record_free(&r);
	}
	if (rc)
		return pit_wrap(err, rc, "%s/%s", s->journals, name);
	r.txn = txn;
	*ret = r;
	return 0;
}

static void note_unreadable(int txn, const struct pit_error *why, struct pit_record *ret)
{
	*ret = (struct pit_record){.txn = txn, .state = PIT_TXN_UNREADABLE, .damaged = true};
	snprintf(ret->damage, sizeof(ret->damage), "%s", why->text);
}

int pit_tune_state_list(struct pit_tune_state *s, struct pit_record **ret, size_t *ret_count, struct pit_error *err)
{
	pit_auto_free int *number = NULL;
	int count = numbers(s, &number);
	struct pit_record *r;

	if (count < 0)
		return pit_fail(err, -count, "cannot list %s: %s", s->journals, strerror(-count));
	r = calloc((size_t)count + 1, sizeof(*r));
	if (!r)
		return pit_fail(err, ENOMEM, "out of memory");
	for (int i = 0; i < count; i++) {
		struct pit_error why = PIT_ERROR_INIT;

		if (pit_tune_state_load(s, number[i], &r[i], &why))
			note_unreadable(number[i], &why, &r[i]);
	}
	*ret = r;
	*ret_count = (size_t)count;
	return 0;
}

void pit_records_free(struct pit_record *r, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pit_record_free(&r[i]);
	free(r);
}

int pit_tune_state_create(struct pit_tune_state *s, int txn, struct pit_error *err)
{
	char name[PIT_JOURNAL_NAME];
	pit_auto_close int fd =
		pit_state_openat(s, pit_journal_name(txn, "journal", name), O_RDWR | O_APPEND | O_CREAT | O_EXCL, err);

	if (fd == -EEXIST)
		return pit_fail(err, EEXIST, "transaction %d was begun by somebody else meanwhile; try again", txn);
	if (fd < 0)
		return fd;
	if (fsync(s->tune)) {
		int code = errno;

		unlinkat(s->tune, name, 0);
		return pit_fail(err, code, "cannot sync %s: %s", s->journals, strerror(code));
	}
	return pit_take_fd(&fd);
}

void pit_tune_state_discard(struct pit_tune_state *s, int txn)
{
	char name[PIT_JOURNAL_NAME];

	if (!unlinkat(s->tune, pit_journal_name(txn, "journal", name), 0))
		(void)!fsync(s->tune);
}

static bool is_same_file(const struct pit_tune_state *s, const char *a, const char *b)
{
	struct stat x, y;

	return !fstatat(s->tune, a, &x, AT_SYMLINK_NOFOLLOW) && !fstatat(s->tune, b, &y, AT_SYMLINK_NOFOLLOW) &&
	       x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A second name for the journal: NNNN.damaged, NNNN.damaged.2 ... An earlier try may have made it. */
static int link_aside(const struct pit_tune_state *s, int txn, const char *name)
{
	for (int n = 1; n <= 99; n++) {
		char aside[PIT_JOURNAL_NAME], suffix[16] = "damaged";

		if (n > 1)
			snprintf(suffix, sizeof(suffix), "damaged.%d", n);
		if (!linkat(s->tune, name, s->tune, pit_journal_name(txn, suffix, aside), 0) ||
		    (errno == EEXIST && is_same_file(s, name, aside)))
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* The good part of a damaged journal under its name, the whole of it aside: by a link and a rename, so that at any
 * moment one of the two is there. */
static int put_aside(struct pit_tune_state *s, int txn, const char *bytes, const struct pit_record *r,
		     struct pit_error *err)
{
	char name[PIT_JOURNAL_NAME], fresh[PIT_JOURNAL_NAME];
	pit_auto_close int fd = -1;
	int rc;

	pit_journal_name(txn, "journal", name);
	pit_journal_name(txn, "fresh", fresh);
	rc = link_aside(s, txn, name);
	if (rc)
		return pit_fail(err, -rc, "cannot put %s/%s aside: %s", s->journals, name, strerror(-rc));
	unlinkat(s->tune, fresh, 0);
	fd = pit_state_openat(s, fresh, O_RDWR | O_APPEND | O_CREAT | O_EXCL, err);
	if (fd < 0)
		return fd;
	if (write(fd, bytes, r->used) != (ssize_t)r->used)
		return pit_fail(err, EIO, "cannot write %s/%s", s->journals, fresh);
	rc = pit_journal_append(fd, json_pack("{s:s, s:s}", "is", "damage", "text", r->damage), true, err);
	if (!rc && (renameat(s->tune, fresh, s->tune, name) || fsync(s->tune)))
		rc = pit_fail(err, errno, "cannot replace %s/%s: %s", s->journals, name, strerror(errno));
	return rc ? rc : pit_take_fd(&fd);
}

int pit_tune_state_append(struct pit_tune_state *s, int txn, struct pit_error *err)
{
	pit_auto_buf struct pit_buf bytes = PIT_BUF_INIT;
	char name[PIT_JOURNAL_NAME];
	struct pit_record r = {0};
	pit_auto_close int fd = pit_state_openat(s, pit_journal_name(txn, "journal", name), O_RDWR | O_APPEND, err);
	size_t used;
	bool damaged;
	int rc;

	if (fd < 0)
		return fd;
	rc = pit_journal_slurp(fd, &bytes);
	if (!rc)
		rc = pit_journal_parse(bytes.data, bytes.len, &r, err);
	if (rc)
		return pit_wrap(err, rc, "%s/%s", s->journals, name);
	used = r.used;
	damaged = r.damaged && used < bytes.len;
	rc = damaged ? put_aside(s, txn, bytes.data, &r, err) : 0;
	pit_record_free(&r);
	if (damaged)
		return rc;
	if (used < bytes.len && (ftruncate(fd, (off_t)used) || fsync(fd)))
		return pit_fail(err, errno, "cannot cut %s/%s: %s", s->journals, name, strerror(errno));
	return pit_take_fd(&fd);
}
