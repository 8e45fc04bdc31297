/* SPDX-License-Identifier: MIT */
#include "pitcrew/checkpoint.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "feed/checkpoint_behind.h"
#include "feed/checkpoint_commit.h"
#include "feed/checkpoint_dir.h"
#include "feed/save_target.h"
#include "feed/staging.h"

struct pit_checkpoint {
	char *dir;
	int dirfd;
	pid_t pid; /* its threads and locks are not a child's */
	struct pit_checkpoint_want want;
	struct pit_staging staging;
	struct pit_behind *behind;

	/* What was put last; of the thread behind while that is busy. */
	bool is_put, is_behind;
	uint64_t step;
	int tmpfd, lock; /* of .step-N.tmp; -1: none */
	char *shown;     /* its path */
	struct pit_saved saved;

	pthread_mutex_t mutex; /* for what follows */
	pthread_cond_t changed;
	bool released; /* the caller may change its tensors */
	struct pit_ladder ladder, shown_ladder;
	struct pit_checkpoint_stats stats;
};

/* A shard on its way to disk. */
struct put {
	struct pit_checkpoint *c;
	struct pit_image image;
	struct pit_ladder ladder;
};

struct late_commit {
	struct pit_checkpoint *c;
	char *state, *extra;
	unsigned timeout_s;
};

static int guard(const struct pit_checkpoint *c, struct pit_error *err)
{
	if (getpid() == c->pid)
		return 0;
	return pit_fail(err, ECHILD, "%s: opened by process %d, from which this one was forked; open it here", c->dir,
			(int)c->pid);
}

static int stalled(struct pit_checkpoint *c, int64_t start, int rc)
{
	pthread_mutex_lock(&c->mutex);
	c->stats.stall_ns += (uint64_t)(pit_now() - start);
	pthread_mutex_unlock(&c->mutex);
	return rc;
}

static void let_go(struct pit_checkpoint *c)
{
	if (c->tmpfd >= 0)
		close(pit_take_fd(&c->tmpfd));
	if (c->lock >= 0)
		close(pit_take_fd(&c->lock));
	free(pit_take(c->shown));
	c->is_put = false;
}

static void free_checkpoint(struct pit_checkpoint *c)
{
	let_go(c);
	pit_behind_close(c->behind);
	pit_staging_free(&c->staging);
	if (c->dirfd >= 0)
		close(c->dirfd);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->mutex);
	free(c->dir);
	free(c);
}

static int check_want(const char *dir, const struct pit_checkpoint_want *want, struct pit_error *err)
{
	if (want->size != sizeof(*want))
		return pit_fail(err, EINVAL, "struct pit_checkpoint_want: size is %zu, not %zu", want->size,
				sizeof(*want));
	if (want->rank >= (want->world ? want->world : 1))
		return pit_fail(err, EINVAL, "%s: there is no rank %" PRIu32 " of %" PRIu32, dir, want->rank,
				want->world ? want->world : 1);
	return 0;
}

/* A power cut must not take away the new directory with all that comes into it. Who may not look into the one above
 * cannot have it synced. */
static int keep_name(const struct pit_checkpoint *c, const char *dir, struct pit_error *err)
{
	pit_auto_close int above = TEMP_FAILURE_RETRY(openat(c->dirfd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int rc = above < 0 ? 0 : pit_sync_dir(above);

	if (!rc)
		return 0;
	rmdir(dir);
	return pit_fail(err, -rc, "%s: fsync of the directory above: %s", dir, strerror(-rc));
}

static int open_dir(struct pit_checkpoint *c, const char *dir, struct pit_error *err)
{
	bool made = !mkdir(dir, 0777);

	if (!made && errno != EEXIST)
		return pit_fail(err, errno, "%s: making the directory: %s", dir, strerror(errno));
	c->dirfd = TEMP_FAILURE_RETRY(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (c->dirfd < 0)
		return pit_fail(err, errno, "%s: %s", dir, strerror(errno));
	return made ? keep_name(c, dir, err) : 0;
}

static struct pit_checkpoint *new_checkpoint(const char *dir, const struct pit_checkpoint_want *want)
{
	struct pit_checkpoint *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct pit_checkpoint){
		.dir = strdup(dir),
		.dirfd = -1,
		.pid = getpid(),
		.want = *want,
		.staging = PIT_STAGING_INIT,
		.behind = pit_behind_open(),
		.tmpfd = -1,
		.lock = -1,
	};
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->staging.most = want->memory;
	if (!c->want.world)
		c->want.world = 1;
	if (c->dir && c->behind)
		return c;
	free_checkpoint(c);
	return NULL;
}

int pit_checkpoint_open(const char *dir, const struct pit_checkpoint_want *want, struct pit_checkpoint **ret,
			struct pit_error *err)
{
	static const struct pit_checkpoint_want all_default = {.size = sizeof(all_default)};
	const struct pit_checkpoint_want *w = want ? want : &all_default;
	struct pit_checkpoint *c;
	int rc = check_want(dir, w, err);

	if (rc)
		return rc;
	c = new_checkpoint(dir, w);
	if (!c)
		return pit_fail(err, ENOMEM, "out of memory");
	rc = open_dir(c, dir, err);
	if (!rc)
		rc = pit_staging_reserve(&c->staging, w->memory, &w->io, NULL, err);
	if (rc) {
		free_checkpoint(c);
		return rc;
	}
	if (!w->rank)
		pit_steps_clean(c->dirfd, UINT64_MAX);
	if (!w->rank && c->want.world > 1)
		pit_shards_forget_all(c->dirfd);
	*ret = c;
	return 0;
}

int pit_checkpoint_close(struct pit_checkpoint *c, struct pit_error *err)
{
	int rc;

	if (!c || getpid() != c->pid)
		return 0;
	rc = pit_behind_wait(c->behind, err);
	free_checkpoint(c);
	return rc;
}

/* ---- put ---- */

static struct pit_shard shard_of(const struct pit_checkpoint *c)
{
	return (struct pit_shard){
		.tmpfd = c->tmpfd, .shown = c->shown, .step = c->step, .rank = c->want.rank, .world = c->want.world};
}

static void release(void *arg)
{
	struct pit_checkpoint *c = arg;

	pthread_mutex_lock(&c->mutex);
	c->released = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

static int write_shard(struct put *p, struct pit_error *err)
{
	struct pit_checkpoint *c = p->c;
	struct pit_shard s = shard_of(c);
	struct pit_save_how how = {.io = c->want.io, .name_later = true, .released = release, .arg = c};
	pit_auto_free char *shown = NULL;
	char name[64];
	int rc;

	pit_shard_name(s.rank, s.world, name);
	if (asprintf(&shown, "%s/%s", s.shown, name) < 0) {
		shown = NULL;
		return pit_fail(err, ENOMEM, "out of memory");
	}
	if (s.world > 1)
		pit_shard_forget(&s);
	rc = pit_save_image(&(struct pit_save_place){.dirfd = s.tmpfd, .name = name, .shown = shown}, &p->image, &how,
			    &p->ladder, &c->saved, err);
	if (!rc && s.world > 1)
		rc = pit_shard_tell(&s, &c->saved, err);
	return rc;
}

/* Ends a put, whatever came of it. */
static int run_put(void *arg, bool failed, struct pit_error *err)
{
	struct put *p = arg;
	struct pit_checkpoint *c = p->c;
	int rc = failed ? -ECANCELED : write_shard(p, err);

	pthread_mutex_lock(&c->mutex);
	c->ladder = p->ladder;
	if (!rc) {
		c->stats.saves++;
		c->stats.bytes += c->saved.bytes;
	}
	c->released = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
	c->is_put = !rc;
	pit_image_free(&p->image);
	free(p);
	return rc;
}

static int copy(struct put *p, struct pit_error *err)
{
	struct pit_checkpoint *c = p->c;
	int64_t start = pit_now();
	int rc = pit_staging_copy(&c->staging, &p->image, &c->want.io, &p->ladder, err);

	pthread_mutex_lock(&c->mutex);
	c->stats.copy_ns += (uint64_t)(pit_now() - start);
	c->stats.staging = c->staging.map.size;
	pthread_mutex_unlock(&c->mutex);
	return pit_wrap(err, rc, "%s", c->dir);
}

static void wait_released(struct pit_checkpoint *c)
{
	pthread_mutex_lock(&c->mutex);
	while (!c->released)
		pthread_cond_wait(&c->changed, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
}

static int put_behind(struct put *p, enum pit_save_mode mode, struct pit_error *err)
{
	struct pit_checkpoint *c = p->c;
	int rc = mode == PIT_SAVE_COPY ? copy(p, err) : 0;

	if (rc) {
		pit_image_free(&p->image);
		free(p);
		return rc;
	}
	c->released = mode == PIT_SAVE_PROMISE || p->image.staged_from == 0;
	c->is_behind = true;
	if (pit_behind_do(c->behind, run_put, p)) { /* no thread: then at once */
		c->is_behind = false;
		return run_put(p, false, err);
	}
	wait_released(c);
	return 0;
}

/* The directory of this step, held. */
static int hold(struct pit_checkpoint *c, uint64_t step, struct pit_error *err)
{
	char name[PIT_STEP_NAME_MAX];
	int rc;

	if (c->tmpfd >= 0 && c->step == step && pit_step_is_held(c->dirfd, step, c->lock))
		return 0;
	let_go(c);
	if (asprintf(&c->shown, "%s/%s", c->dir, pit_step_name(step, PIT_STEP_TMP, name)) < 0) {
		c->shown = NULL;
		return pit_fail(err, ENOMEM, "out of memory");
	}
	c->step = step;
	rc = pit_step_hold(c->dirfd, step, &c->tmpfd, &c->lock, err);
	return pit_wrap(err, rc, "%s", c->dir);
}

static int put(struct pit_checkpoint *c, uint64_t step, const struct pit_save_tensor *tensors, size_t count,
	       enum pit_save_mode mode, struct pit_error *err)
{
	struct put *p;
	int rc = pit_behind_wait(c->behind, err);

	if (rc)
		return rc;
	c->is_put = false;
	p = calloc(1, sizeof(*p));
	if (!p)
		return pit_fail(err, ENOMEM, "out of memory");
	p->c = c;
	rc = pit_image_make(tensors, count, NULL, 0, !c->want.no_checksums, &p->image, err);
	if (!rc)
		rc = hold(c, step, err);
	if (rc) {
		if (p->image.data)
			pit_image_free(&p->image);
		free(p);
		return rc;
	}
	if (mode != PIT_SAVE_DURABLE)
		return put_behind(p, mode, err);
	c->is_behind = false;
	return run_put(p, false, err);
}

int pit_checkpoint_put(struct pit_checkpoint *c, uint64_t step, const struct pit_save_tensor *tensors, size_t count,
		       enum pit_save_mode mode, struct pit_error *err)
{
	int64_t start = pit_now();
	int rc = guard(c, err);

	if (rc)
		return rc;
	if (step > INT64_MAX)
		return pit_fail(err, EINVAL, "step %" PRIu64 " is beyond 2^63", step);
	if ((unsigned)mode > PIT_SAVE_PROMISE)
		return pit_fail(err, EINVAL, "there is no mode %d", (int)mode);
	return stalled(c, start, put(c, step, tensors, count, mode, err));
}

/* ---- commit ---- */

static int commit(struct pit_checkpoint *c, const char *state, const char *extra, unsigned timeout_s,
		  struct pit_error *err)
{
	struct pit_shard s = shard_of(c);
	struct pit_commit how = {.dirfd = c->dirfd,
				 .dir = c->dir,
				 .keep = c->want.keep,
				 .timeout_s = timeout_s,
				 .state = state,
				 .extra = extra};
	int rc = pit_commit(&how, &s, &c->saved, err);

	if (!rc || !pit_step_is_held(c->dirfd, c->step, c->lock)) /* what was put has become something else */
		let_go(c);
	return rc;
}

static int run_commit(void *arg, bool failed, struct pit_error *err)
{
	struct late_commit *l = arg;
	int rc = -ECANCELED;

	if (!failed && !l->c->is_put)
		rc = pit_fail(err, EINVAL, "%s: step %" PRIu64 " was committed before", l->c->dir, l->c->step);
	else if (!failed)
		rc = commit(l->c, l->state, l->extra, l->timeout_s, err);
	free(l->state);
	free(l->extra);
	free(l);
	return rc;
}

static int commit_behind(struct pit_checkpoint *c, const char *state, const char *extra, unsigned timeout_s,
			 struct pit_error *err)
{
	struct late_commit *l = calloc(1, sizeof(*l));
	int rc = -ENOMEM;

	if (l) {
		*l = (struct late_commit){.c = c, .timeout_s = timeout_s};
		l->state = state ? strdup(state) : NULL;
		l->extra = extra ? strdup(extra) : NULL;
		if ((!state || l->state) && (!extra || l->extra))
			rc = pit_behind_do(c->behind, run_commit, l);
	}
	if (!rc)
		return 0;
	if (l) {
		free(l->state);
		free(l->extra);
	}
	free(l);
	return pit_fail(err, -rc, "%s: %s", c->dir, strerror(-rc));
}

static int commit_step(struct pit_checkpoint *c, uint64_t step, const char *state, const char *extra,
		       unsigned timeout_s, struct pit_error *err)
{
	bool busy = pit_behind_busy(c->behind);
	int rc = pit_behind_failed(c->behind, err);

	if (rc)
		return rc;
	rc = pit_commit_check(state, extra, err);
	if (rc)
		return pit_wrap(err, rc, "%s: step %" PRIu64, c->dir, step);
	if (c->step != step || (!busy && !c->is_put))
		return pit_fail(err, EINVAL, "%s: step %" PRIu64 " was not put", c->dir, step);
	if (c->is_behind)
		return commit_behind(c, state, extra, timeout_s, err);
	return commit(c, state, extra, timeout_s, err);
}

int pit_checkpoint_commit(struct pit_checkpoint *c, uint64_t step, const char *state, const char *extra,
			  unsigned timeout_s, struct pit_error *err)
{
	int64_t start = pit_now();
	int rc = guard(c, err);

	if (rc)
		return rc;
	if (c->want.rank)
		return pit_fail(err, EPERM, "%s: rank %" PRIu32 " cannot commit: rank 0 does", c->dir, c->want.rank);
	return stalled(c, start, commit_step(c, step, state, extra, timeout_s, err));
}

/* ---- the rest ---- */

int pit_checkpoint_wait(struct pit_checkpoint *c, struct pit_error *err)
{
	int64_t start = pit_now();
	int rc = guard(c, err);

	return rc ? rc : stalled(c, start, pit_behind_wait(c->behind, err));
}

bool pit_checkpoint_busy(const struct pit_checkpoint *c)
{
	return getpid() == c->pid && pit_behind_busy(c->behind);
}

void pit_checkpoint_stats(const struct pit_checkpoint *c, struct pit_checkpoint_stats *ret)
{
	struct pit_checkpoint *own = (struct pit_checkpoint *)c;
	struct pit_checkpoint_stats now = {0};
	size_t size = ret->size < sizeof(now) ? ret->size : sizeof(now);

	if (getpid() == c->pid) {
		pthread_mutex_lock(&own->mutex);
		now = own->stats;
		pthread_mutex_unlock(&own->mutex);
		now.behind_ns = pit_behind_time(own->behind);
	}
	now.size = size;
	memcpy(ret, &now, size);
}

const struct pit_ladder *pit_checkpoint_ladder(const struct pit_checkpoint *c)
{
	struct pit_checkpoint *own = (struct pit_checkpoint *)c;

	if (getpid() == c->pid) {
		pthread_mutex_lock(&own->mutex);
		own->shown_ladder = own->ladder;
		pthread_mutex_unlock(&own->mutex);
	}
	return &own->shown_ladder;
}
