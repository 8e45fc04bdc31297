/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "feed/disk.h"
#include "feed/io.h"
#include "feed/source_body.h"
#include "feed/source_read.h"
#include "feed/utf8.h"

#define SLOTS 32
#define PIECE (256 << 10)

struct file { /* open, while slots read from it */
	uint32_t number;
	int fd;
	unsigned users;
};

struct slot { /* reads one part, piece by piece */
	struct reading *reading;
	struct file *file;
	struct pit_extent x;
	uint64_t sample, done;
	unsigned part;
	struct pit_io_op op;
	XXH3_state_t *hash;
	void *buf;
};

struct reading {
	struct pit_source *s;
	struct pit_source_read *r;
	struct pit_io *io;
	struct slot slots[SLOTS];
	struct file *file; /* the last one that was opened */
	uint64_t sample;   /* what comes next; of rows, the file */
	unsigned part;
	int rc;
};

static void file_drop(struct file *f)
{
	if (!f || --f->users)
		return;
	close(f->fd);
	free(f);
}

/* What is in the page cache says nothing of the disk, so it goes. NULL with errno. */
static struct file *file_open(struct reading *g, uint32_t number)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->number = number;
	f->users = 1;
	f->fd = pit_disk_open_file(pit_source_dir(g->s), pit_source_file(g->s, number), 0);
	if (f->fd < 0) {
		errno = -f->fd;
		free(f);
		return NULL;
	}
	posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	return f;
}

static void tell(struct slot *w, const char *why)
{
	struct pit_source *s = w->reading->s;
	const char *file = pit_source_file(s, w->x.file), *sample = pit_source_name(s, w->sample);
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT;
	char shown[300], path[300];
	size_t n = strlen(file);

	w->reading->r->damaged++;
	pit_buf_puts(&name, pit_source_show(s, w->x.file, path, sizeof(path)));
	if (s->form == PIT_FORM_PARTS && !strncmp(sample, file, n))
		pit_buf_puts(&name, sample + n); /* of a manifest: "@OFFSET" */
	else if (s->form == PIT_FORM_PARTS)
		pit_buf_printf(&name, ": %s%s%s", sample, w->x.key ? "." : "", pit_source_key(s, w->x.key));
	if (w->reading->r->bad)
		w->reading->r->bad(w->reading->r->arg, pit_utf8_show(name.data, shown, sizeof(shown)), why);
}

/* The next part into `w`; false when there is none. */
static bool next_part(struct reading *g, struct slot *w)
{
	struct pit_source *s = g->s;

	if (s->form == PIT_FORM_ROWS) {
		if (g->sample >= pit_source_files(s))
			return false;
		w->x = (struct pit_extent){.file = (uint32_t)g->sample, .len = s->files.size[g->sample]};
		w->sample = g->sample++;
		return true;
	}
	if (g->sample >= s->count)
		return false;
	w->sample = g->sample;
	w->part = g->part;
	pit_source_extent(s, g->sample, g->part, &w->x);
	if (++g->part == pit_source_parts(s, g->sample)) {
		g->sample++;
		g->part = 0;
	}
	return true;
}

static void finish(struct slot *w)
{
	uint64_t sum = XXH3_64bits_digest(w->hash);
	struct pit_source_read *r = w->reading->r;

	r->checked += w->x.has_sum;
	if (w->x.has_sum && w->x.sum != sum)
		tell(w, "its bytes differ from its checksum");
	else if (r->sum && w->reading->s->form != PIT_FORM_ROWS)
		r->sum(r->arg, w->sample, w->part, sum);
}

/* Submits the next piece of the slot's part; false when there is none. */
static bool read_piece(struct slot *w)
{
	uint64_t left = w->x.len - w->done;

	if (!left)
		return false;
	w->op.fd = w->file->fd;
	w->op.offset = w->x.offset + w->done;
	w->op.len = left < PIECE ? left : PIECE;
	pit_io_submit(w->reading->io, &w->op);
	return true;
}

/* Takes parts until one of them needs to be read. */
static void start(struct slot *w)
{
	struct reading *g = w->reading;

	while (!g->rc && next_part(g, w)) {
		if (!g->file || g->file->number != w->x.file) {
			file_drop(g->file);
			g->file = file_open(g, w->x.file);
		}
		if (!g->file) {
			if (errno == ENOMEM || errno == EMFILE || errno == ENFILE)
				g->rc = -errno;
			else
				tell(w,
				     errno == ESPIPE || errno == ENXIO ? "no longer a regular file" : strerror(errno));
			continue;
		}
		w->file = g->file;
		w->done = 0;
		XXH3_64bits_reset(w->hash);
		if (read_piece(w)) {
			w->file->users++;
			return;
		}
		finish(w);
	}
}

static void piece_done(struct pit_io_op *op)
{
	struct slot *w = op->arg;
	struct pit_source_read *r = w->reading->r;
	char why[100];

	if (op->res > 0) {
		XXH3_64bits_update(w->hash, w->buf, (size_t)op->res);
		w->done += (uint64_t)op->res;
		r->bytes += (uint64_t)op->res;
		if (r->progress)
			r->progress(r->arg, r->bytes, w->reading->s->bytes);
	}
	if (op->res == (int64_t)op->len && !w->reading->rc && read_piece(w))
		return;
	if (op->res < 0) {
		tell(w, strerror((int)-op->res));
	} else if (op->res < (int64_t)op->len) {
		snprintf(why, sizeof(why), "ends after %" PRIu64 " of %" PRIu64 " bytes", w->done, w->x.len);
		tell(w, why);
	} else if (w->done == w->x.len) {
		finish(w);
	}
	file_drop(w->file);
	start(w);
}

static int set_up(struct reading *g, struct pit_error *err)
{
	int rc = pit_io_open(&g->r->io, NULL, &g->io, err);

	for (size_t i = 0; i < SLOTS && !rc; i++) {
		struct slot *w = &g->slots[i];

		w->reading = g;
		w->hash = XXH3_createState();
		if (!w->hash || posix_memalign(&w->buf, 4096, PIECE))
			rc = pit_fail(err, ENOMEM, "out of memory");
		w->op = (struct pit_io_op){.kind = PIT_IO_READ, .buf = w->buf, .done = piece_done, .arg = w};
	}
	return rc;
}

static void tear_down(struct reading *g)
{
	pit_io_close(g->io);
	file_drop(g->file);
	for (size_t i = 0; i < SLOTS; i++) {
		XXH3_freeState(g->slots[i].hash);
		free(g->slots[i].buf);
	}
	free(g);
}

int pit_source_read_all(struct pit_source *s, struct pit_source_read *r, struct pit_error *err)
{
	struct reading *g = calloc(1, sizeof(*g));
	int rc;

	if (!g)
		return pit_fail(err, ENOMEM, "out of memory");
	g->s = s;
	g->r = r;
	r->bytes = r->checked = r->damaged = 0;
	rc = set_up(g, err);
	for (size_t i = 0; i < SLOTS && !rc; i++)
		start(&g->slots[i]);
	while (!rc && pit_io_pending(g->io)) {
		rc = pit_io_wait(g->io, -1);
		rc = rc < 0 ? pit_fail(err, -rc, "reading: %s", strerror(-rc)) : 0;
	}
	if (rc)
		g->rc = rc; /* what is under way ends without a successor */
	else if (g->rc)
		rc = pit_fail(err, -g->rc, "files cannot be opened: %s", strerror(-g->rc));
	tear_down(g);
	return rc;
}
