/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "feed/source_tar.h"
#include "feed/tar.h"

#define WINDOW (16 << 10) /* headers of small members lie near each other */
#define PIECE (1 << 20)

struct reader {
	int fd;
	uint64_t size;      /* of the file */
	uint64_t from, len; /* what `window` holds */
	char *window;
	struct pit_shard_index *index;
	bool sums;
	char *piece;
	struct pit_error *err;
};

static int read_at(struct reader *r, uint64_t offset, void *buf, uint64_t len)
{
	char *p = buf;

	while (len) {
		ssize_t n = pread(r->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pit_fail(r->err, errno, "%s", strerror(errno));
		if (!n)
			return pit_fail(r->err, EIO, "it became shorter while it was read");
		p += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int read_window(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	struct reader *r = arg;
	int rc;

	if (len > WINDOW)
		return read_at(r, offset, buf, len);
	if (offset < r->from || offset + len > r->from + r->len) {
		uint64_t n = r->size - offset < WINDOW ? r->size - offset : WINDOW;

		r->len = 0;
		rc = read_at(r, offset, r->window, n);
		if (rc)
			return rc;
		r->from = offset;
		r->len = n;
	}
	memcpy(buf, r->window + (offset - r->from), len);
	return 0;
}

/* XXH3 of contents. One in 2^64 is 0, which stands for none. */
static int sum_of(struct reader *r, const struct pit_tar_member *m, uint64_t *ret)
{
	XXH3_state_t *h = XXH3_createState();
	int rc = h ? 0 : pit_fail(r->err, ENOMEM, "out of memory");

	if (h)
		XXH3_64bits_reset(h);
	for (uint64_t done = 0; done < m->len && !rc;) {
		uint64_t n = m->len - done < PIECE ? m->len - done : PIECE;

		rc = read_at(r, m->offset + done, r->piece, n);
		if (!rc)
			XXH3_64bits_update(h, r->piece, n);
		done += n;
	}
	if (!rc)
		*ret = XXH3_64bits_digest(h);
	XXH3_freeState(h);
	return rc;
}

static int found(void *arg, const struct pit_tar_member *m)
{
	struct reader *r = arg;

	if (pit_shard_index_add(r->index, m->name, m->offset, m->len))
		return pit_fail(r->err, ENOMEM, "out of memory");
	return r->sums ? sum_of(r, m, &r->index->members[r->index->count - 1].sum) : 0;
}

int pit_shard_scan(int fd, const struct pit_shard_index_stamp *stamp, bool sums, struct pit_shard_index *ret,
		   char *ret_odd, struct pit_error *err)
{
	pit_auto_free char *window = malloc(WINDOW), *piece = sums ? malloc(PIECE) : NULL;
	struct pit_shard_index x = {.names = PIT_BUF_INIT, .sums = sums};
	struct reader r = {
		.fd = fd, .size = stamp->size, .window = window, .index = &x, .sums = sums, .piece = piece, .err = err};
	uint64_t end = 0;
	int rc = window && (piece || !sums) ? 0 : pit_fail(err, ENOMEM, "out of memory");

	if (!rc)
		rc = pit_tar_scan(stamp->size, read_window, &r, found, &r, &end, err);
	if (!rc && ret_odd)
		rc = pit_tar_ending(stamp->size, end, read_window, &r, ret_odd);
	if (rc)
		pit_shard_index_free(&x);
	else
		*ret = x;
	return rc;
}
