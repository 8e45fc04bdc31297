/* SPDX-License-Identifier: MIT */
#include "tune/profile_trust.h"

#include <string.h>

#include "base/parse.h"
#include "tune/profile.h"

#define OWN_DIR "/etc/pitcrew"

static bool is_sudo_user(uid_t uid)
{
	const char *text = getenv("SUDO_UID");
	uint64_t value;

	return text && !pit_parse_u64(text, &value) && value == uid;
}

/* Of whoever could change this program, nothing is gained by doubting the profiles: `self` is its status. */
static bool is_trusted_owner(const struct stat *st, const struct stat *self)
{
	return !st->st_uid || st->st_uid == getuid() || st->st_uid == geteuid() || is_sudo_user(st->st_uid) ||
	       st->st_uid == self->st_uid;
}

/* What is wrong with it; NULL nothing. In a sticky directory nobody replaces what is another's. */
static const char *judge(const struct stat *st, const struct stat *self, char *out, size_t size)
{
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

	if (!is_trusted_owner(st, self)) {
		snprintf(out, size, "belongs to user %u, who is neither root nor you", st->st_uid);
		return out;
	}
	if ((st->st_mode & S_IWOTH) && !sticky)
		return "can be written by everybody";
	if ((st->st_mode & S_IWGRP) && !sticky && st->st_gid &&
	    !((self->st_mode & S_IWGRP) && self->st_gid == st->st_gid))
		return "can be written by its group";
	return NULL;
}

static int say(const char *path, const char *what, char **ret)
{
	return asprintf(ret, "%s %s", path, what) < 0 ? -ENOMEM : 0;
}

int pit_profile_doubt(const char *path, const struct stat *st, char **ret)
{
	const char *slash = strrchr(path, '/');
	char dir[4096], out[80];
	const char *const dirs[] = {dir, strncmp(path, OWN_DIR "/", strlen(OWN_DIR "/")) ? NULL : OWN_DIR};
	struct stat self = {.st_uid = 0}, above;
	const char *what;

	(void)stat("/proc/self/exe", &self);
	*ret = NULL;
	what = judge(st, &self, out, sizeof(out));
	if (what)
		return say(path, what, ret);
	snprintf(dir, sizeof(dir), "%.*s", slash > path ? (int)(slash - path) : 1, path);
	for (size_t i = 0; i < PIT_COUNT(dirs); i++) {
		what = dirs[i] && !stat(dirs[i], &above) ? judge(&above, &self, out, sizeof(out)) : NULL;
		if (what)
			return say(dirs[i], what, ret);
	}
	return 0;
}

int pit_profile_trust(const struct pit_profile *p, struct pit_error *err)
{
	return p->doubt ? pit_fail(err, EPERM, "profile %s is not to be trusted: %s", p->name ? p->name : "", p->doubt)
			: 0;
}
