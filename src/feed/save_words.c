/* SPDX-License-Identifier: MIT */
#include "feed/save_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/parse.h"

static const struct {
	int code;
	const char *advice;
} advices[] = {
	{.code = EDQUOT, .advice = "remove something of this user's or project's, or ask for more quota"},
	{.code = EROFS, .advice = "save elsewhere; when it became read-only by itself, the kernel log says why"},
	{.code = EIO, .advice = "the disk or the way to it failed: see the kernel log, and save elsewhere"},
	{.code = EACCES, .advice = "the directory must be writable and searchable for this user"},
	{.code = EPERM, .advice = "the directory may be immutable (lsattr), or a sandbox refuses"},
	{.code = ENOENT, .advice = "the directory must be there; or somebody removed the file meanwhile"},
	{.code = ESTALE, .advice = "the server has lost the directory: mount it again"},
	{.code = ENOMEM, .advice = "there is not enough memory for the write"},
	{.code = EMFILE, .advice = "raise the limit of open files (ulimit -n)"},
};

static void no_space(int dirfd, uint64_t need, char *out, size_t size)
{
	char wanted[32], left[32];
	struct statvfs fs;
	uint64_t room;

	pit_format_size(need, wanted, sizeof(wanted));
	if (fstatvfs(dirfd, &fs)) {
		snprintf(out, size, "No space left on device: %s are needed", wanted);
		return;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	pit_format_size(room, left, sizeof(left));
	if (!fs.f_favail && fs.f_files)
		snprintf(out, size, "No space left on device: no inode is free; remove files, or save elsewhere");
	else
		snprintf(out, size,
			 "No space left on device: %s are needed, %s are free%s; remove something, or save elsewhere",
			 wanted, left, room > need ? ", so a quota of the project is used up, or others write" : "");
}

static void too_big(uint64_t need, char *out, size_t size)
{
	char wanted[32], limit[32];
	struct rlimit l;

	pit_format_size(need, wanted, sizeof(wanted));
	if (!getrlimit(RLIMIT_FSIZE, &l) && l.rlim_cur < need)
		snprintf(out, size, "File too large: %s are needed, the limit of this process is %s (ulimit -f)",
			 wanted, pit_format_size(l.rlim_cur, limit, sizeof(limit)));
	else
		snprintf(out, size, "File too large: %s are more than a file may have on this file system", wanted);
}

void pit_save_words(int code, int dirfd, uint64_t need, bool lies, char *out, size_t size)
{
	const char *advice = NULL;

	if (code == ENOSPC) {
		no_space(dirfd, need, out, size);
		return;
	}
	if (code == EFBIG) {
		too_big(need, out, size);
		return;
	}
	for (size_t i = 0; i < PIT_COUNT(advices); i++)
		if (advices[i].code == code)
			advice = advices[i].advice;
	if (lies && code == EIO)
		advice =
			"this overlay is mounted \"volatile\": after one failed write each fsync fails until it is mounted "
			"anew";
	snprintf(out, size, "%s%s%s", strerror(code), advice ? "; " : "", advice ? advice : "");
}
