/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/cleanup.h"
#include "feed/cache_file.h"
#include "feed/folder.h"

#define BLOCK 4096

struct name {
	char text[32];
};

static struct name name_of(uint64_t key)
{
	struct name n;

	snprintf(n.text, sizeof(n.text), "%02x/%016" PRIx64, (unsigned)(key & 0xff), key);
	return n;
}

static void trailer_of(uint64_t key, const void *data, uint64_t len, uint64_t ret[2])
{
	ret[0] = htole64(len);
	ret[1] = htole64(XXH3_64bits_withSeed(len ? data : "", len, key));
}

uint64_t pit_cache_file_cost(uint64_t file_size)
{
	return file_size > UINT64_MAX - BLOCK ? UINT64_MAX : (file_size + BLOCK - 1) / BLOCK * BLOCK;
}

bool pit_cache_file_there(int dir, uint64_t key)
{
	return !faccessat(dir, name_of(key).text, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* -EBADMSG when the file ends before. */
static int read_all(int fd, void *data, uint64_t len, uint64_t offset)
{
	for (uint64_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EBADMSG;
		done += (uint64_t)n;
	}
	return 0;
}

static int check_size(int fd, uint64_t len)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < PIT_CACHE_TRAILER ||
	    (uint64_t)st.st_size - PIT_CACHE_TRAILER != len)
		return -EBADMSG;
	return 0;
}

static int open_sample(int dir, uint64_t key)
{
	return TEMP_FAILURE_RETRY(openat(dir, name_of(key).text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

void pit_cache_file_expect(int dir, uint64_t key, uint64_t len)
{
	pit_auto_close int fd = open_sample(dir, key);

	if (fd >= 0)
		posix_fadvise(fd, 0, (off_t)(len + PIT_CACHE_TRAILER), POSIX_FADV_WILLNEED);
}

int pit_cache_file_read(int dir, uint64_t key, void *data, uint64_t len)
{
	pit_auto_close int fd = open_sample(dir, key);
	uint64_t there[2], wanted[2];
	int rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : errno == ELOOP ? -EBADMSG : -errno;
	rc = check_size(fd, len);
	if (!rc)
		rc = read_all(fd, data, len, 0);
	if (!rc)
		rc = read_all(fd, there, sizeof(there), len);
	if (rc)
		return rc == -EIO ? -EBADMSG : rc;
	trailer_of(key, data, len, wanted);
	return memcmp(there, wanted, sizeof(there)) ? -EBADMSG : 1;
}

static int write_all(int fd, const void *data, uint64_t len)
{
	for (uint64_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (uint64_t)n;
	}
	return 0;
}

static int fill(int dir, const char *temporary, uint64_t key, const void *data, uint64_t len)
{
	int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666), rc;
	uint64_t trailer[2];

	if (fd < 0)
		return -errno;
	trailer_of(key, data, len, trailer);
	rc = write_all(fd, data, len);
	if (!rc)
		rc = write_all(fd, trailer, sizeof(trailer));
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

/* Without replacing one that another process was faster with, where the file system knows how. */
static int rename_to(int dir, const char *temporary, const char *name)
{
	if (!renameat2(dir, temporary, dir, name, RENAME_NOREPLACE))
		return 0;
	if (errno == EINVAL || errno == ENOSYS)
		return renameat(dir, temporary, dir, name) ? -errno : 0;
	return -errno;
}

static int move(int dir, const char *temporary, uint64_t key)
{
	struct name name = name_of(key), folder = name;
	int rc = rename_to(dir, temporary, name.text);

	if (rc != -ENOENT)
		return rc;
	*strchr(folder.text, '/') = '\0';
	if (mkdirat(dir, folder.text, 0777) && errno != EEXIST)
		return -errno;
	return rename_to(dir, temporary, name.text);
}

int pit_cache_file_write(int dir, uint64_t key, const void *data, uint64_t len)
{
	char temporary[64];
	uint64_t random = 0;
	int rc;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint64_t)(uintptr_t)temporary ^ key;
	snprintf(temporary, sizeof(temporary), PIT_CACHE_TEMPORARY "%d-%016" PRIx64, (int)getpid(), random);
	rc = fill(dir, temporary, key, data, len);
	if (!rc)
		rc = move(dir, temporary, key);
	if (rc)
		unlinkat(dir, temporary, 0);
	return rc;
}

int pit_cache_file_remove(int dir, uint64_t key, uint64_t *ret_cost)
{
	struct name name = name_of(key);
	struct stat st;

	if (fstatat(dir, name.text, &st, AT_SYMLINK_NOFOLLOW) || unlinkat(dir, name.text, 0))
		return -errno;
	*ret_cost = pit_cache_file_cost((uint64_t)st.st_size);
	return 0;
}

static int list_folder(int dir, unsigned folder, pit_cache_file_fn found, void *arg)
{
	char text[4];
	pit_auto_closedir DIR *d = NULL;
	const struct dirent *e;
	int rc = 0;

	snprintf(text, sizeof(text), "%02x", folder);
	d = pit_folder_open(dir, text);
	while (d && !rc && (e = readdir(d))) {
		struct stat st;
		char *end;
		uint64_t key = strtoull(e->d_name, &end, 16);

		if (*end || strlen(e->d_name) != 16 || (key & 0xff) != folder)
			continue;
		if (!fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			rc = found(arg, key, pit_cache_file_cost((uint64_t)st.st_size));
	}
	return rc;
}

int pit_cache_file_list(int dir, pit_cache_file_fn found, void *arg)
{
	int rc = 0;

	for (unsigned folder = 0; folder < 256 && !rc; folder++)
		rc = list_folder(dir, folder, found, arg);
	return rc;
}

int pit_cache_file_clean(int dir)
{
	pit_auto_closedir DIR *d = pit_folder_open(dir, ".");
	const struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (!strncmp(e->d_name, PIT_CACHE_TEMPORARY, strlen(PIT_CACHE_TEMPORARY)))
			unlinkat(dir, e->d_name, 0);
	return 0;
}
