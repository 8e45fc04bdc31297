/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>

#include "base/cleanup.h"
#include "feed/loader_files.h"

#define FILES_MOST 1024
#define FILES_LEAST 4

struct pit_files {
	const struct pit_source *source;
	uint32_t *slot_of; /* by file: its slot and 1, or 0 */
	struct pit_file *slots;
	unsigned count, most, busy;
	uint64_t clock;
};

static unsigned allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur / 4 > FILES_MOST)
		return FILES_MOST;
	return limit.rlim_cur / 4 < FILES_LEAST ? FILES_LEAST : limit.rlim_cur / 4;
}

int pit_files_open(const struct pit_source *s, unsigned most, struct pit_files **ret)
{
	struct pit_files *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->source = s;
	f->most = most ? most : allowed();
	f->slot_of = calloc(pit_source_files(s) + 1, sizeof(*f->slot_of));
	f->slots = calloc(f->most, sizeof(*f->slots));
	if (!f->slot_of || !f->slots) {
		pit_files_close(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

void pit_files_close(struct pit_files *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < f->count; i++)
		pit_cleanup_close(&f->slots[i].fd);
	free(f->slots);
	free(f->slot_of);
	free(f);
}

/* A slot for a file: a new one, or that of the file which was not used for longest. NULL: all are in use. */
static struct pit_file *find_slot(struct pit_files *f)
{
	struct pit_file *oldest = NULL;

	if (f->count < f->most) {
		f->slots[f->count].fd = -1;
		return f->slots + f->count++;
	}
	for (unsigned i = 0; i < f->count; i++)
		if (!f->slots[i].users && (!oldest || f->slots[i].used < oldest->used))
			oldest = f->slots + i;
	return oldest;
}

static void empty(struct pit_files *f, struct pit_file *slot)
{
	if (slot->fd >= 0) {
		f->slot_of[slot->file] = 0;
		close(slot->fd);
		slot->fd = -1;
	}
	slot->used = 0;
}

/* Others of this process may have taken the descriptors: then ours have to do. */
static int open_into(struct pit_files *f, const struct pit_disk *d, uint32_t file, struct pit_file *slot)
{
	const char *path = pit_source_file(f->source, file);
	int fd = pit_disk_open(d, pit_source_dir(f->source), path, &slot->direct);

	for (unsigned i = 0; (fd == -EMFILE || fd == -ENFILE) && i < f->count; i++) {
		if (f->slots[i].users || f->slots[i].fd < 0)
			continue;
		empty(f, f->slots + i);
		fd = pit_disk_open(d, pit_source_dir(f->source), path, &slot->direct);
	}
	if ((fd == -EMFILE || fd == -ENFILE) && f->busy)
		return -EBUSY;
	if (fd < 0)
		return fd;
	slot->fd = fd;
	slot->file = file;
	f->slot_of[file] = slot - f->slots + 1;
	return 0;
}

int pit_files_get(struct pit_files *f, const struct pit_disk *d, uint32_t file, struct pit_file **ret)
{
	struct pit_file *slot = f->slot_of[file] ? f->slots + f->slot_of[file] - 1 : NULL;
	int rc;

	if (!slot) {
		slot = find_slot(f);
		if (!slot)
			return -EBUSY;
		empty(f, slot);
		rc = open_into(f, d, file, slot);
		if (rc)
			return rc;
	}
	slot->used = ++f->clock;
	f->busy += !slot->users++;
	*ret = slot;
	return 0;
}

void pit_files_put(struct pit_files *f, struct pit_file *file)
{
	f->busy -= !--file->users;
}
