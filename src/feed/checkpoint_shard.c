/* SPDX-License-Identifier: MIT */
#include "feed/checkpoint_shard.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "feed/checkpoint_dir.h"
#include "feed/folder.h"
#include "feed/save_target.h"

#define RECORD_MAX 64
#define RECORD_BEFORE ".rank-"
#define LONGEST_NAP (50 * PIT_MS)

char *pit_shard_name(uint32_t rank, uint32_t world, char *out)
{
	if (world == 1)
		snprintf(out, 64, "model.safetensors");
	else
		snprintf(out, 64, "rank-%05" PRIu32 "-of-%05" PRIu32 ".safetensors", rank, world);
	return out;
}

static char *record_name(uint32_t rank, char *out)
{
	snprintf(out, RECORD_MAX, RECORD_BEFORE "%05" PRIu32 ".json", rank);
	return out;
}

int pit_manifest_add(struct pit_manifest *m, const char *name, const struct pit_saved *saved)
{
	struct pit_manifest_file *f = &m->files[m->count];

	f->name = strdup(name);
	if (!f->name)
		return -ENOMEM;
	f->bytes = saved->bytes;
	f->tensors = saved->tensors;
	f->header_sum = saved->header_sum;
	m->count++;
	return 0;
}

void pit_shard_forget(const struct pit_shard *s)
{
	char name[RECORD_MAX];

	unlinkat(s->tmpfd, record_name(s->rank, name), 0);
}

static void forget_step(int parent, uint64_t step)
{
	char name[PIT_STEP_NAME_MAX];
	pit_auto_closedir DIR *dir = pit_folder_open(parent, pit_step_name(step, PIT_STEP_TMP, name));

	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
		if (!strncmp(e->d_name, RECORD_BEFORE, strlen(RECORD_BEFORE)) && pit_ends_with(e->d_name, ".json"))
			unlinkat(dirfd(dir), e->d_name, 0);
}

void pit_shards_forget_all(int dirfd)
{
	pit_auto_free uint64_t *steps = NULL;
	size_t count = 0;

	if (pit_steps_list(dirfd, PIT_STEP_TMP, &steps, &count))
		return;
	for (size_t i = 0; i < count; i++)
		forget_step(dirfd, steps[i]);
}

int pit_shard_tell(const struct pit_shard *s, const struct pit_saved *saved, struct pit_error *err)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	char name[RECORD_MAX], shard[64];
	struct pit_manifest_file file = {
		.name = pit_shard_name(s->rank, s->world, shard),
		.bytes = saved->bytes,
		.tensors = saved->tensors,
		.header_sum = saved->header_sum,
	};
	struct pit_manifest m = {.step = s->step, .world = s->world, .files = &file, .count = 1};
	int rc = pit_manifest_format(&m, &text, err);

	if (!rc)
		rc = pit_target_text(s->tmpfd, record_name(s->rank, name), s->shown, text.data, text.len, false, err);
	if (rc)
		pit_shard_forget(s);
	return rc;
}

/* -ENOENT: not there, or of another attempt. The directory is opened anew, which makes NFS look at the server. */
static int read_record(const struct pit_shard *s, uint32_t rank, struct pit_manifest *to, struct pit_error *err)
{
	pit_auto_close int fd = TEMP_FAILURE_RETRY(openat(s->tmpfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	pit_auto_manifest struct pit_manifest *m = NULL;
	char name[RECORD_MAX], shard[64];
	struct pit_saved saved;
	int rc;

	if (fd < 0)
		return pit_fail(err, errno, "%s", strerror(errno));
	rc = pit_manifest_read(fd, record_name(rank, name), &m, err);
	if (rc)
		return rc;
	if (m->step != s->step || m->world != s->world || m->count != 1 ||
	    strcmp(m->files[0].name, pit_shard_name(rank, s->world, shard)) != 0)
		return -ENOENT;
	rc = pit_manifest_check_files(fd, m, err);
	if (rc)
		return rc;
	saved = (struct pit_saved){
		.bytes = m->files[0].bytes, .tensors = m->files[0].tensors, .header_sum = m->files[0].header_sum};
	return pit_manifest_add(to, shard, &saved) ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

static void nap(int64_t *length)
{
	struct timespec t = {.tv_nsec = (long)*length};

	nanosleep(&t, NULL);
	if (*length < LONGEST_NAP)
		*length *= 2;
}

int pit_shard_gather(const struct pit_shard *s, unsigned timeout_s, struct pit_manifest *m, struct pit_error *err)
{
	int64_t end = pit_now() + (int64_t)timeout_s * 1000 * PIT_MS, length = PIT_MS / 2;

	for (uint32_t rank = 1; rank < s->world;) {
		struct pit_error why = PIT_ERROR_INIT;
		int rc = read_record(s, rank, m, &why);

		if (!rc) {
			rank++;
			continue;
		}
		if (rc != -ENOENT)
			return pit_fail(err, -rc, "%s: the shard of rank %" PRIu32 ": %s", s->shown, rank, why.text);
		if (pit_now() >= end)
			return pit_fail(err, ETIMEDOUT,
					"%s: rank %" PRIu32 " of %" PRIu32 " has not put its shard of step %" PRIu64
					" (waited %u s)",
					s->shown, rank, s->world, s->step, timeout_s);
		nap(&length);
	}
	return 0;
}
