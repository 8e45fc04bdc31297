/* SPDX-License-Identifier: MIT */
#include "feed/checkpoint_commit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "feed/checkpoint_dir.h"
#include "feed/folder.h"
#include "feed/save_target.h"

int pit_commit_check(const char *state, const char *extra, struct pit_error *err)
{
	json_t *text = state ? json_string(state) : NULL, *object;
	json_error_t why;
	int rc = 0;

	if (state && !text)
		return pit_fail(err, EINVAL, "the state is not UTF-8");
	json_decref(text);
	if (!extra)
		return 0;
	object = json_loads(extra, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &why); /* no limit for whole numbers */
	if (!json_is_object(object))
		rc = pit_fail(err, EINVAL, "extra is no JSON object: %s", object ? "it is something else" : why.text);
	json_decref(object);
	return rc;
}

static bool is_listed(const struct pit_manifest *m, const char *name)
{
	if (!strcmp(name, PIT_MANIFEST_NAME) || !strcmp(name, PIT_STEP_LOCK) || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return true;
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->files[i].name, name))
			return true;
	return false;
}

/* What ranks told, what an earlier attempt left. The lock stays until nobody takes the directory for a left one. */
static void remove_others(int tmpfd, const struct pit_manifest *m)
{
	pit_auto_closedir DIR *dir = pit_folder_open(tmpfd, ".");

	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
		if (!is_listed(m, e->d_name))
			unlinkat(tmpfd, e->d_name, 0);
}

static int make_manifest(const struct pit_commit *c, const struct pit_shard *s, const struct pit_saved *own,
			 struct pit_manifest **ret, struct pit_error *err)
{
	pit_auto_manifest struct pit_manifest *m = calloc(1, sizeof(*m));
	char name[64];
	int rc;

	if (m)
		m->files = calloc(s->world, sizeof(*m->files));
	if (!m || !m->files)
		return pit_fail(err, ENOMEM, "out of memory");
	m->step = s->step;
	m->world = s->world;
	m->state = c->state ? strdup(c->state) : NULL;
	m->extra = c->extra ? strdup(c->extra) : NULL;
	if ((c->state && !m->state) || (c->extra && !m->extra) ||
	    pit_manifest_add(m, pit_shard_name(s->rank, s->world, name), own))
		return pit_fail(err, ENOMEM, "out of memory");
	rc = pit_shard_gather(s, c->timeout_s, m, err);
	if (!rc)
		*ret = pit_take(m);
	return rc;
}

static int seal(const struct pit_shard *s, const struct pit_manifest *m, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	int rc = pit_manifest_format(m, &text, err);

	if (rc)
		return pit_wrap(err, rc, "%s", s->shown);
	rc = pit_target_text(s->tmpfd, PIT_MANIFEST_NAME, s->shown, text.data, text.len, true, err);
	if (rc)
		return pit_wrap(err, rc, "the manifest");
	remove_others(s->tmpfd, m);
	rc = pit_sync_dir(s->tmpfd);
	if (!rc)
		return 0;
	unlinkat(s->tmpfd, PIT_STEP_LOCK, 0); /* not held any more: a second fsync would hide what this one lost */
	return pit_fail(err, -rc, "%s: fsync: %s", s->shown, strerror(-rc));
}

int pit_commit(const struct pit_commit *c, const struct pit_shard *s, const struct pit_saved *own,
	       struct pit_error *err)
{
	pit_auto_manifest struct pit_manifest *m = NULL;
	const char *what = "";
	int rc = make_manifest(c, s, own, &m, err);

	if (!rc)
		rc = seal(s, m, err);
	if (rc)
		return rc;
	rc = pit_step_publish(c->dirfd, s->step, &what);
	if (rc)
		return pit_fail(err, -rc, "%s: step %" PRIu64 ": %s: %s", c->dir, s->step, what, strerror(-rc));
	unlinkat(s->tmpfd, PIT_STEP_LOCK, 0);
	pit_steps_retain(c->dirfd, c->keep);
	pit_steps_clean(c->dirfd, s->step);
	return 0;
}
