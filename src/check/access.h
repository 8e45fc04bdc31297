/* SPDX-License-Identifier: MIT
 *
 * Why a user can or cannot reach a path. Collecting (reads of the machine) and deciding (pure) are apart: what decides
 * is mode bits, POSIX ACLs, mount flags and attributes of each directory on the way and of what the path names.
 */
#ifndef PIT_CHECK_ACCESS_H
#define PIT_CHECK_ACCESS_H

#include <sys/types.h>

#include "host/mounts.h"

enum { PIT_ACCESS_EXEC = 1, PIT_ACCESS_WRITE = 2, PIT_ACCESS_READ = 4 }; /* as in mode bits */

/* Who asks. */
#define PIT_USER_GROUPS_MAX 1024
struct pit_user {
	char name[64]; /* the number when it has no name */
	int64_t uid, gid;
	int64_t group[PIT_USER_GROUPS_MAX]; /* supplementary */
	size_t groups;
	bool override; /* may pass mode bits: uid 0, or CAP_DAC_OVERRIDE */
};

/* `name`: of a user or its number. From /etc/passwd and /etc/group; users of other sources only on the live machine.
 * -ENOENT no such user. */
int pit_user_find(struct pit_root *root, const char *name, struct pit_user *ret, struct pit_error *err);
int pit_user_self(struct pit_root *root, struct pit_user *ret, struct pit_error *err); /* this process */
bool pit_user_is_in(const struct pit_user *u, int64_t gid);

/* The name of a user or group by /etc/passwd or /etc/group ("passwd", "group"), else the number; returns `ret`. */
char *pit_name_of(struct pit_root *root, const char *table, int64_t id, char *ret, size_t size);

/* The attribute system.posix_acl_access: version 2, little endian. -EBADMSG. */
enum {
	PIT_ACL_USER_OBJ = 0x01,
	PIT_ACL_USER = 0x02,
	PIT_ACL_GROUP_OBJ = 0x04,
	PIT_ACL_GROUP = 0x08,
	PIT_ACL_MASK = 0x10,
	PIT_ACL_OTHER = 0x20,
};
#define PIT_ACL_MAX 256
struct pit_acl {
	struct pit_acl_entry {
		unsigned tag, perm;
		int64_t id; /* USER and GROUP only */
	} item[PIT_ACL_MAX];
	size_t count;
};
int pit_acl_parse(const void *bytes, size_t len, struct pit_acl *ret);

/* One step of the way: a directory, a link, or the end. */
struct pit_access_step {
	const char *path;   /* owned, as target */
	const char *target; /* of a link; NULL: no link, and the following members count */
	int rc;             /* of looking at it: 0 or -errno */
	mode_t mode;
	int64_t uid, gid;
	char owner[64], group[64];
	struct pit_acl *acl; /* NULL none */
	bool acl_known;
	bool immutable, append_only;
	const struct pit_mount *mount; /* NULL unknown */
};

struct pit_access_path {
	struct pit_access_step *step;
	size_t count;
	int rc;           /* of the walk: -ELOOP ... */
	bool partial_map; /* a user namespace that does not map all ids: 65534 may be anybody */
};

/* Looks at every step. What cannot be seen is kept in the steps; fails for lack of memory only. */
int pit_access_collect(struct pit_root *root, const struct pit_mounts *mounts, const char *path,
		       struct pit_access_path *ret, struct pit_error *err);
void pit_access_free(struct pit_access_path *p);

enum pit_access_verdict { PIT_ACCESS_ALLOWED, PIT_ACCESS_DENIED, PIT_ACCESS_UNKNOWN };

struct pit_access_answer {
	enum pit_access_verdict verdict;
	const struct pit_access_step *step; /* the first that blocks or that is unknown; NULL: none */
	char reason[512];                   /* "" when allowed without reserve */
	char fix[512];                      /* a command; "" none known */
};

/* May `u` do `want` (one of PIT_ACCESS_...) with the end of the path? Creating files in a directory is WRITE. */
void pit_access_decide(const struct pit_access_path *p, const struct pit_user *u, unsigned want,
		       struct pit_access_answer *ret);

/* "drwxr-x---" in `ret` (11 bytes); returns it. */
char *pit_mode_text(mode_t mode, char *ret);

#endif
