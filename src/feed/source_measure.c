/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "feed/source_walk.h"
#include "feed/utf8.h"

#define DROPPED UINT64_MAX
#define FIRST_LOOK 256  /* files after which the speed of the file system is known */
#define SLOW_NS 20000   /* a file: more than what a cached answer takes, less than one from a disk or network */
#define SLOW_THREADS 16 /* requests at once against latency */
#define PIECE 1024      /* files that a thread takes at once */

struct measure {
	struct pit_file_list *list;
	bool all;           /* none may be missing */
	atomic_size_t next; /* file that nobody has taken yet */
	atomic_int rc;
	pthread_mutex_t lock;
	struct pit_error err; /* of the first failure */
};

static int fail_file(const struct pit_file_list *l, size_t i, bool all, int code, struct pit_error *err)
{
	const char *name = pit_names_get(&l->names, i), *why = strerror(code);
	char shown[200];
	struct stat st;

	if (code == ENOENT && !fstatat(l->dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode))
		why = "a symbolic link that leads nowhere";
	else if (code == ENOENT && !all)
		return 0; /* removed meanwhile */
	return pit_fail(err, code, "%s: %s", pit_utf8_show(name, shown, sizeof(shown)), why);
}

static int measure_range(struct pit_file_list *l, size_t from, size_t to, bool all, struct pit_error *err)
{
	int rc = 0;

	for (size_t i = from; i < to && !rc; i++) {
		struct stat st;

		l->size[i] = DROPPED;
		if (fstatat(l->dir, pit_names_get(&l->names, i), &st, 0))
			rc = fail_file(l, i, all, errno, err);
		else if (S_ISREG(st.st_mode))
			l->size[i] = (uint64_t)st.st_size;
		else if (all)
			rc = fail_file(l, i, all, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, err);
	}
	return rc;
}

static void *measure_thread(void *arg)
{
	struct measure *m = arg;
	size_t count = m->list->names.count;

	while (!atomic_load(&m->rc)) {
		size_t from = atomic_fetch_add(&m->next, PIECE);
		struct pit_error err = PIT_ERROR_INIT;
		int rc;

		if (from >= count)
			break;
		rc = measure_range(m->list, from, count - from < PIECE ? count : from + PIECE, m->all, &err);
		if (!rc)
			continue;
		pthread_mutex_lock(&m->lock);
		if (!atomic_exchange(&m->rc, rc))
			m->err = err;
		pthread_mutex_unlock(&m->lock);
	}
	return NULL;
}

/* The calling thread is one of them, so that none at all can be had is no error. */
static int measure_rest(struct pit_file_list *l, size_t from, bool all, unsigned threads, struct pit_error *err)
{
	struct measure m = {.list = l, .all = all, .next = from, .lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t thread[SLOW_THREADS];
	unsigned started = 0;

	while (started + 1 < threads && !pthread_create(&thread[started], NULL, measure_thread, &m))
		started++;
	measure_thread(&m);
	while (started)
		pthread_join(thread[--started], NULL);
	if (m.rc && err)
		*err = m.err;
	return m.rc;
}

static void drop(struct pit_file_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->names.count; i++) {
		if (l->size[i] == DROPPED)
			continue;
		l->size[kept] = l->size[i];
		l->names.at[kept++] = l->names.at[i];
	}
	l->names.count = kept;
}

int pit_file_list_measure(struct pit_file_list *l, bool all, struct pit_error *err)
{
	size_t count = l->names.count, look = count < FIRST_LOOK ? count : FIRST_LOOK;
	int64_t begin = pit_now();
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned threads;
	int rc;

	l->size = calloc(count ? count : 1, sizeof(*l->size));
	if (!l->size)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = measure_range(l, 0, look, all, err);
	threads = (pit_now() - begin) / (int64_t)(look ? look : 1) > SLOW_NS ? SLOW_THREADS : 4;
	if (threads < SLOW_THREADS && cpus > 0 && cpus < threads)
		threads = (unsigned)cpus;
	if (!rc && look < count)
		rc = measure_rest(l, look, all, count - look > PIECE ? threads : 1, err);
	if (!rc)
		drop(l);
	return rc;
}
