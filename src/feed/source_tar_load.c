/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "feed/each.h"
#include "feed/source_tar.h"
#include "feed/utf8.h"

#define THREADS 8 /* against the latency of a network file system; a local disk is busy with fewer */

struct load {
	const struct pit_file_list *list;
	const struct pit_source_extra *extra;
	struct pit_shard_index *shards; /* as many as there are files */
	struct pit_shard_index_stamp *stamps;
	bool beside;          /* each shard has its index beside it */
	struct pit_buf kept;  /* or all have theirs in one file, which is this */
	const char **section; /* of each shard in there; NULL: none */
	bool *made;           /* by a scan, now */

	pthread_mutex_t lock; /* of what follows */
	struct pit_shard_index_report *report;
	uint64_t done, all; /* bytes */
};

/* Says of a file of this name that it is not kept, once. */
static void note_unkept(struct load *l, const struct pit_error *why)
{
	pthread_mutex_lock(&l->lock);
	if (!l->report->unkept++)
		snprintf(l->report->why, sizeof(l->report->why), "%s", why->text);
	pthread_mutex_unlock(&l->lock);
}

static int open_shard(struct load *l, size_t i, struct pit_error *err)
{
	const char *name = pit_names_get(&l->list->names, i);
	int fd = TEMP_FAILURE_RETRY(openat(l->list->dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
	struct stat st;
	int rc = 0;

	if (fd < 0 || fstat(fd, &st))
		rc = pit_fail(err, errno, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rc = pit_fail(err, EINVAL, "no longer a regular file");
	if (rc) {
		pit_cleanup_close(&fd);
		return rc;
	}
	l->stamps[i] = (struct pit_shard_index_stamp){.name = pit_base_name(name),
						      .size = (uint64_t)st.st_size,
						      .mtime_ns = st.st_mtim.tv_sec * INT64_C(1000000000) +
								  st.st_mtim.tv_nsec};
	return fd;
}

/* True when there is an index of shard i that holds, and has checksums when they are wanted. */
static bool take(struct load *l, size_t i, const char *bytes, size_t len)
{
	if (pit_shard_index_parse(bytes, len, &l->stamps[i], &l->shards[i]))
		return false;
	if (l->shards[i].sums || !l->extra->checksums)
		return true;
	pit_shard_index_free(&l->shards[i]);
	return false;
}

static bool read_beside(struct load *l, size_t i)
{
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT, bytes = PIT_BUF_INIT;

	pit_buf_printf(&name, "%s" PIT_INDEX_SUFFIX, pit_names_get(&l->list->names, i));
	return !name.failed &&
	       !pit_shard_index_read(l->list->dir, name.data, l->stamps[i].size + PIT_INDEX_SLACK, &bytes) &&
	       take(l, i, bytes.data, bytes.len);
}

static bool take_any(struct load *l, size_t i)
{
	const char *section = l->section[i];

	return (section && take(l, i, section, (size_t)(l->kept.data + l->kept.len - section))) ||
	       (l->beside && read_beside(l, i));
}

static void write_beside(struct load *l, size_t i)
{
	pit_auto_buf struct pit_buf name = PIT_BUF_INIT, bytes = PIT_BUF_INIT;
	struct pit_error err = PIT_ERROR_INIT;

	pit_buf_printf(&name, "%s" PIT_INDEX_SUFFIX, pit_names_get(&l->list->names, i));
	pit_shard_index_format(&l->shards[i], &l->stamps[i], &bytes);
	if (pit_shard_index_write(l->list->dir, name.data, &bytes, &err))
		note_unkept(l, &err);
}

static int changed(int fd, const struct pit_shard_index_stamp *stamp, struct pit_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return pit_fail(err, errno, "%s", strerror(errno));
	if ((uint64_t)st.st_size != stamp->size ||
	    st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec != stamp->mtime_ns)
		return pit_fail(err, ESTALE, "changed while it was read");
	return 0;
}

/* The shard as it is, against what its index says of it; the index' checksums are taken over. */
static int compare(const struct pit_shard_index *kept, struct pit_shard_index *now, struct pit_error *err)
{
	size_t n = kept->count < now->count ? kept->count : now->count;
	char name[200];

	for (size_t i = 0; i < n; i++) {
		const struct pit_member *a = &kept->members[i], *b = &now->members[i];
		const char *was = pit_shard_index_name(kept, i);

		if (a->offset != b->offset || a->len != b->len || strcmp(was, pit_shard_index_name(now, i)) != 0)
			return pit_fail(err, EBADMSG, "not as it was indexed: member %s is not where it was",
					pit_utf8_show(was, name, sizeof(name)));
		now->members[i].sum = a->sum;
	}
	if (kept->count != now->count)
		return pit_fail(err, EBADMSG, "not as it was indexed: %zu members, were %zu", now->count, kept->count);
	return 0;
}

static void note_odd(struct load *l, size_t i, const char *what)
{
	char name[300];

	pthread_mutex_lock(&l->lock);
	if (l->extra->odd)
		l->extra->odd(l->extra->arg, false, pit_file_list_show(l->list, i, name, sizeof(name)), what);
	pthread_mutex_unlock(&l->lock);
}

static int load_again(struct load *l, size_t i, int fd, struct pit_error *err)
{
	struct pit_shard_index now = {.names = PIT_BUF_INIT};
	bool known = take_any(l, i);
	char odd[120] = "";
	int rc = pit_shard_scan(fd, &l->stamps[i], false, &now, odd, err);

	if (!rc && known)
		rc = compare(&l->shards[i], &now, err);
	pit_shard_index_free(&l->shards[i]);
	l->made[i] = !known;
	if (rc)
		pit_shard_index_free(&now);
	else
		l->shards[i] = now;
	if (!rc && *odd)
		note_odd(l, i, odd);
	return rc;
}

static int load_open(struct load *l, size_t i, int fd, struct pit_error *err)
{
	int rc;

	if (l->extra->rescan)
		return load_again(l, i, fd, err);
	if (take_any(l, i))
		return 0;
	rc = pit_shard_scan(fd, &l->stamps[i], l->extra->checksums, &l->shards[i], NULL, err);
	if (!rc)
		rc = changed(fd, &l->stamps[i], err);
	if (rc)
		return rc;
	l->made[i] = true;
	if (l->beside)
		write_beside(l, i);
	return 0;
}

static int load_shard(struct load *l, size_t i, struct pit_error *err)
{
	pit_auto_close int fd = open_shard(l, i, err);
	char name[300];
	int rc = fd < 0 ? fd : load_open(l, i, fd, err);

	pthread_mutex_lock(&l->lock);
	if (pit_source_tell(l->extra, rc, l->list, i, err)) {
		pit_shard_index_free(&l->shards[i]);
		rc = 0;
	} else if (!rc) {
		l->report->used += !l->made[i];
		l->report->made += l->made[i];
	}
	l->done += l->list->size[i];
	if (l->extra->progress)
		l->extra->progress(l->extra->arg, l->done, l->all);
	pthread_mutex_unlock(&l->lock);
	return pit_wrap(err, rc, "%s", pit_file_list_show(l->list, i, name, sizeof(name)));
}

static int load_shards(void *arg, size_t from, size_t to, struct pit_error *err)
{
	int rc = 0;

	for (size_t i = from; i < to && !rc; i++)
		rc = load_shard(arg, i, err);
	return rc;
}

/* Reads the one file of all indexes, where there is one; sections follow the order of shards. */
static void read_kept(struct load *l, const char *path)
{
	size_t at = 0, len;

	if (pit_shard_index_read(AT_FDCWD, path, l->all + PIT_INDEX_SLACK * l->list->names.count, &l->kept))
		pit_buf_clear(&l->kept);
	for (size_t i = 0; i < l->list->names.count; i++) {
		len = pit_shard_index_section(l->kept.data + at, l->kept.len - at);
		if (!len)
			break;
		l->section[i] = l->kept.data + at;
		at += len;
	}
}

static int write_kept(struct load *l, const char *path, struct pit_error *err)
{
	pit_auto_buf struct pit_buf bytes = PIT_BUF_INIT;

	if (!l->report->made || l->extra->rescan)
		return 0;
	for (size_t i = 0; i < l->list->names.count; i++)
		pit_shard_index_format(&l->shards[i], &l->stamps[i], &bytes);
	return pit_shard_index_write(AT_FDCWD, path, &bytes, err);
}

static int load(struct load *l, const char *index, struct pit_error *err)
{
	bool one = index && *index;
	int rc;

	l->beside = !index;
	for (size_t i = 0; i < l->list->names.count; i++)
		l->all += l->list->size[i];
	if (one)
		read_kept(l, index);
	rc = pit_each(0, l->list->names.count, 1, THREADS, load_shards, l, err);
	if (!rc && one)
		rc = write_kept(l, index, err);
	return rc;
}

int pit_shards_load(const struct pit_file_list *list, const struct pit_source_want *want,
		    const struct pit_source_extra *extra, struct pit_shard_index **ret,
		    struct pit_shard_index_report *report, struct pit_error *err)
{
	size_t n = list->names.count ? list->names.count : 1;
	struct load l = {.list = list,
			 .extra = extra,
			 .report = report,
			 .kept = PIT_BUF_INIT,
			 .lock = PTHREAD_MUTEX_INITIALIZER,
			 .shards = calloc(n, sizeof(*l.shards)),
			 .stamps = calloc(n, sizeof(*l.stamps)),
			 .section = calloc(n, sizeof(*l.section)),
			 .made = calloc(n, sizeof(*l.made))};
	int rc = l.shards && l.stamps && l.section && l.made ? 0 : pit_fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; i < n && l.shards; i++)
		l.shards[i].names = (struct pit_buf)PIT_BUF_INIT;
	if (!rc)
		rc = load(&l, want->index, err);
	for (size_t i = 0; i < n && l.shards && rc; i++)
		pit_shard_index_free(&l.shards[i]);
	if (!rc)
		*ret = pit_take(l.shards);
	free(l.shards);
	free(l.stamps);
	free(l.section);
	free(l.made);
	pit_buf_free(&l.kept);
	return rc;
}
