/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/clock.h"
#include "feed/each.h"
#include "feed/source_walk.h"
#include "feed/utf8.h"

#define FIRST_LOOK 256  /* files after which the speed of the file system is known */
#define SLOW_NS 20000   /* a file: more than what a cached answer takes, less than one from a disk or network */
#define SLOW_THREADS 16 /* requests at once against latency */
#define PIECE 1024      /* files that a thread takes at once */

struct measure {
	struct pit_file_list *list;
	bool all; /* none may be missing */
	const struct pit_source_extra *extra;
	atomic_uint_least64_t times;
	pthread_mutex_t lock; /* of calls of `extra` */
};

/* File i cannot be looked at: 0 when that may be. */
static int fail_file(struct measure *m, size_t i, int code, struct pit_error *err)
{
	const char *name = pit_names_get(&m->list->names, i), *why = strerror(code);
	char shown[300];
	struct stat st;
	bool told;

	if (code == ENOENT && !fstatat(m->list->dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode))
		why = "a symbolic link that leads nowhere";
	else if (code == ENOENT && !m->all)
		return 0; /* removed meanwhile */
	pit_fail(err, code, "%s", why);
	pthread_mutex_lock(&m->lock);
	told = pit_source_tell(m->extra, -code, m->list, i, err);
	pthread_mutex_unlock(&m->lock);
	return told ? 0 : pit_fail(err, code, "%s: %s", pit_file_list_show(m->list, i, shown, sizeof(shown)), why);
}

/* A sum of hashes, so that files may come in any order. */
static void note_time(struct measure *m, size_t i, const struct stat *st)
{
	const char *name = pit_names_get(&m->list->names, i);
	uint64_t ns = (uint64_t)st->st_mtim.tv_sec * 1000000000 + (uint64_t)st->st_mtim.tv_nsec;

	atomic_fetch_add(&m->times, XXH3_64bits_withSeed(name, strlen(name), ns));
}

static int measure_range(void *arg, size_t from, size_t to, struct pit_error *err)
{
	struct measure *m = arg;
	struct pit_file_list *l = m->list;
	int rc = 0;

	for (size_t i = from; i < to && !rc; i++) {
		struct stat st;

		l->size[i] = PIT_FILE_MISSING;
		if (fstatat(l->dir, pit_names_get(&l->names, i), &st, 0)) {
			rc = fail_file(m, i, errno, err);
		} else if (S_ISREG(st.st_mode)) {
			l->size[i] = (uint64_t)st.st_size;
			note_time(m, i, &st);
		} else if (m->all) {
			rc = fail_file(m, i, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, err);
		}
	}
	return rc;
}

static void drop_missing(struct pit_file_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->names.count; i++) {
		if (l->size[i] == PIT_FILE_MISSING)
			continue;
		l->size[kept] = l->size[i];
		l->names.at[kept++] = l->names.at[i];
	}
	l->names.count = kept;
}

static unsigned threads_for(int64_t ns_per_file)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (ns_per_file > SLOW_NS)
		return SLOW_THREADS;
	return cpus > 0 && cpus < 4 ? (unsigned)cpus : 4;
}

int pit_file_list_measure(struct pit_file_list *l, bool all, const struct pit_source_extra *extra,
			  struct pit_error *err)
{
	size_t count = l->names.count, look = count < FIRST_LOOK ? count : FIRST_LOOK;
	struct measure m = {.list = l, .all = all, .extra = extra, .lock = PTHREAD_MUTEX_INITIALIZER};
	int64_t begin = pit_now();
	unsigned threads;
	int rc;

	l->size = calloc(count ? count : 1, sizeof(*l->size));
	if (!l->size)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = measure_range(&m, 0, look, err);
	threads = threads_for((pit_now() - begin) / (int64_t)(look ? look : 1));
	if (!rc)
		rc = pit_each(look, count, PIECE, threads, measure_range, &m, err);
	if (!rc && !all)
		drop_missing(l);
	l->times = m.times;
	return rc;
}
