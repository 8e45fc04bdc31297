/* SPDX-License-Identifier: MIT
 *
 * The pure part: who may do what, why not, and what would change it.
 */
#include "check/access.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define UNMAPPED 65534 /* what ids look like that a user namespace does not map */

int pit_acl_parse(const void *bytes, size_t len, struct pit_acl *ret)
{
	const unsigned char *at = bytes;
	struct pit_acl acl = {0};
	uint32_t word;

	if (len < 4 || (len - 4) % 8 || (len - 4) / 8 > PIT_ACL_MAX)
		return -EBADMSG;
	memcpy(&word, at, 4);
	if (le32toh(word) != 2)
		return -EBADMSG;
	for (at += 4; at < (const unsigned char *)bytes + len; at += 8) {
		struct pit_acl_entry e = {.tag = at[0] | (unsigned)at[1] << 8, .perm = at[2] | (unsigned)at[3] << 8};

		if (!e.tag || e.tag & (e.tag - 1) || e.tag > PIT_ACL_OTHER || e.perm > 7)
			return -EBADMSG;
		memcpy(&word, at + 4, 4);
		e.id = e.tag == PIT_ACL_USER || e.tag == PIT_ACL_GROUP ? (int64_t)le32toh(word) : -1;
		acl.item[acl.count++] = e;
	}
	*ret = acl;
	return 0;
}

bool pit_user_is_in(const struct pit_user *u, int64_t gid)
{
	if (u->gid == gid)
		return true;
	for (size_t i = 0; i < u->groups; i++)
		if (u->group[i] == gid)
			return true;
	return false;
}

char *pit_mode_text(mode_t mode, char *ret)
{
	static const char bits[] = "rwxrwxrwx";

	ret[0] = S_ISDIR(mode) ? 'd' : S_ISCHR(mode) ? 'c' : S_ISBLK(mode) ? 'b' : S_ISREG(mode) ? '-' : '?';
	for (int i = 0; i < 9; i++)
		ret[i + 1] = mode & (0400u >> i) ? bits[i] : '-';
	if (mode & S_ISUID)
		ret[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		ret[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		ret[9] = mode & S_IXOTH ? 't' : 'T';
	ret[10] = '\0';
	return ret;
}

/* Which entry decided, and what it grants. */
enum by { BY_OWNER, BY_NAMED_USER, BY_GROUP, BY_MASK, BY_OTHER, BY_OVERRIDE };
struct grant {
	enum by by;
	unsigned perm;
};

static const struct pit_acl_entry *find_entry(const struct pit_acl *acl, unsigned tag, int64_t id)
{
	for (size_t i = 0; i < acl->count; i++)
		if (acl->item[i].tag == tag && acl->item[i].id == id)
			return &acl->item[i];
	return NULL;
}

/* Group entries: one that grants all of `want` suffices; that one matched at all keeps "other" out. */
static bool by_groups(const struct pit_access_step *s, const struct pit_user *u, unsigned mask, unsigned want,
		      struct grant *ret)
{
	bool matched = false;

	for (size_t i = 0; i < s->acl->count; i++) {
		const struct pit_acl_entry *e = &s->acl->item[i];
		int64_t gid = e->tag == PIT_ACL_GROUP_OBJ ? s->gid : e->id;

		if ((e->tag != PIT_ACL_GROUP_OBJ && e->tag != PIT_ACL_GROUP) || !pit_user_is_in(u, gid))
			continue;
		if (!matched || (e->perm & mask & want) == want || (ret->by == BY_GROUP && (e->perm & want) == want))
			*ret = (struct grant){(e->perm & want) == want && (e->perm & mask & want) != want ? BY_MASK
													  : BY_GROUP,
					      e->perm & mask};
		matched = true;
		if ((ret->perm & want) == want)
			break;
	}
	return matched;
}

/* The algorithm of acl(5), "access check algorithm". */
static struct grant by_acl(const struct pit_access_step *s, const struct pit_user *u, unsigned want)
{
	const struct pit_acl_entry *named = find_entry(s->acl, PIT_ACL_USER, u->uid);
	const struct pit_acl_entry *mask_entry = find_entry(s->acl, PIT_ACL_MASK, -1);
	unsigned mask = mask_entry ? mask_entry->perm : 7;
	struct grant g = {.by = BY_OTHER};

	if (u->uid == s->uid)
		return (struct grant){BY_OWNER, s->mode >> 6 & 7};
	if (named)
		return (struct grant){
			(named->perm & want) == want && (named->perm & mask & want) != want ? BY_MASK : BY_NAMED_USER,
			named->perm & mask};
	if (by_groups(s, u, mask, want, &g))
		return g;
	return (struct grant){BY_OTHER, s->mode & 7};
}

static struct grant by_mode(const struct pit_access_step *s, const struct pit_user *u)
{
	if (u->uid == s->uid)
		return (struct grant){BY_OWNER, s->mode >> 6 & 7};
	if (pit_user_is_in(u, s->gid))
		return (struct grant){BY_GROUP, s->mode >> 3 & 7};
	return (struct grant){BY_OTHER, s->mode & 7};
}

/* Root passes everything (but see is_no_program()). */
static struct grant decide_step(const struct pit_access_path *p, const struct pit_access_step *s,
				const struct pit_user *u, unsigned want)
{
	struct grant g = s->acl ? by_acl(s, u, want) : by_mode(s, u);
	bool unmapped = p->partial_map && (s->uid == UNMAPPED || s->gid == UNMAPPED);

	if ((g.perm & want) == want || !u->override || unmapped)
		return g;
	return (struct grant){BY_OVERRIDE, 7};
}

static bool on_type(const struct pit_access_step *s, const char *head)
{
	return s->mount && !strncmp(s->mount->type, head, strlen(head));
}

static const char *letters(unsigned perm)
{
	static const char *const text[] = {"", "x", "w", "wx", "r", "rx", "rw", "rwx"};

	return text[perm & 7];
}

static const char *verb(const struct pit_access_step *s, unsigned need, bool end)
{
	if (S_ISDIR(s->mode) && need & PIT_ACCESS_WRITE)
		return "create files in it";
	if (need & PIT_ACCESS_WRITE)
		return "write it";
	if (S_ISDIR(s->mode))
		return need & PIT_ACCESS_READ ? "list it" : end ? "enter it" : "pass through it";
	return need & PIT_ACCESS_READ ? "read it" : "execute it";
}

static bool takes_acls(const struct pit_access_step *s)
{
	static const char *const types[] = {"ext", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "f2fs", "lustre", "ceph"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (on_type(s, types[i]))
			return true;
	return false;
}

/* A group whose members get power over the machine: no advice to join it. */
static bool is_powerful(const struct pit_access_step *s)
{
	static const char *const names[] = {"root", "disk", "shadow", "sudo", "wheel", "adm", "docker", "kmem", "lxd"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(s->group, names[i]))
			return true;
	return s->gid == 0;
}

/* Places that belong to the system: no advice to open them. */
static bool is_system(const char *path)
{
	static const char *const dirs[] = {"/bin",  "/boot", "/dev",  "/etc", "/lib", "/lib64",  "/proc",
					   "/root", "/run",  "/sbin", "/sys", "/usr", "/var/lib"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		size_t len = strlen(dirs[i]);

		if (!strncmp(path, dirs[i], len) && (!path[len] || path[len] == '/'))
			return true;
	}
	return !strcmp(path, "/");
}

/* The least that would let `u` in at this step; `have` is what the entry that decided grants already. */
static void suggest(const struct pit_access_step *s, const struct pit_user *u, enum by by, unsigned need, unsigned have,
		    struct pit_access_answer *ret)
{
	bool others_group = !is_powerful(s) && (s->mode >> 3 & need) == need && !s->acl;

	if (by == BY_OTHER && others_group)
		snprintf(ret->fix, sizeof(ret->fix), "usermod -aG %s %s # then log in again", s->group, u->name);
	else if (is_system(s->path))
		ret->fix[0] = '\0';
	else if (by == BY_OWNER)
		snprintf(ret->fix, sizeof(ret->fix), "chmod u+%s '%s'", letters(need), s->path);
	else if (by == BY_MASK)
		snprintf(ret->fix, sizeof(ret->fix), "setfacl -m m::%s '%s'", letters(need | (s->mode >> 3 & 7)),
			 s->path);
	else if (by == BY_GROUP && !s->acl)
		snprintf(ret->fix, sizeof(ret->fix), "chmod g+%s '%s'", letters(need), s->path);
	else if (takes_acls(s))
		snprintf(ret->fix, sizeof(ret->fix), "setfacl -m u:%s:%s '%s'", u->name, letters(need | have), s->path);
	else
		snprintf(ret->fix, sizeof(ret->fix), "chmod o+%s '%s'", letters(need), s->path);
}

static void describe_class(const struct pit_access_step *s, const struct pit_user *u, enum by by, char *ret,
			   size_t size)
{
	switch (by) {
	case BY_OWNER:
		snprintf(ret, size, "the owner's bits count for %s", u->name);
		break;
	case BY_NAMED_USER:
		snprintf(ret, size, "its ACL names %s", u->name);
		break;
	case BY_MASK:
		snprintf(ret, size, "its ACL grants that, but the ACL's mask takes it away");
		break;
	case BY_GROUP:
		snprintf(ret, size, "the bits of a group of %s count", u->name);
		break;
	default:
		snprintf(ret, size, "%s is neither the owner nor in group %s", u->name, s->group);
	}
}

static void block(struct pit_access_answer *ret, const struct pit_access_step *s, enum pit_access_verdict verdict)
{
	ret->verdict = verdict;
	ret->step = s;
}

/* Refused by mode bits or ACL; unknown where somebody else has the last word. */
static void refuse(const struct pit_access_path *p, const struct pit_access_step *s, const struct pit_user *u,
		   const struct grant *g, unsigned need, struct pit_access_answer *ret)
{
	bool end = s == &p->step[p->count - 1];
	char mode[12], why[200], more[200] = "";

	block(ret, s, PIT_ACCESS_DENIED);
	describe_class(s, u, g->by, why, sizeof(why));
	if (u->override && p->partial_map)
		snprintf(more, sizeof(more),
			 "; its owner is not mapped into this container, so root has no power there");
	else if (on_type(s, "fuse") && !strstr(s->mount->super_options, "default_permissions")) {
		ret->verdict = PIT_ACCESS_UNKNOWN;
		snprintf(more, sizeof(more), "; the FUSE daemon decides, and may see it otherwise");
	} else if (on_type(s, "nfs")) {
		snprintf(more, sizeof(more), "; the NFS server decides by numeric ids (and ACLs of its own)");
	} else if (!s->acl_known && !s->acl) {
		snprintf(more, sizeof(more), "; its ACL could not be read");
	}
	snprintf(ret->reason, sizeof(ret->reason), "%s may not %s: %s%s %s:%s, and %s%s", u->name, verb(s, need, end),
		 pit_mode_text(s->mode, mode), s->acl ? "+" : "", s->owner, s->group, why, more);
	suggest(s, u, g->by, need, g->perm, ret);
}

/* A FUSE mount is closed to all but the user who mounted it, root included, unless allow_other is set. */
static bool is_closed_fuse(const struct pit_access_step *s, const struct pit_user *u)
{
	const char *id;
	long long owner;

	if (!on_type(s, "fuse") || pit_mount_option(s->mount, "allow_other", NULL) ||
	    !pit_mount_option(s->mount, "user_id", &id))
		return false;
	return sscanf(id, "%lld", &owner) == 1 && owner != u->uid;
}

/* What forbids the act itself, whoever asks. */
static bool forbidden(const struct pit_access_step *s, unsigned want, struct pit_access_answer *ret)
{
	const char *target = s->mount ? s->mount->target : "";
	bool device = S_ISCHR(s->mode) || S_ISBLK(s->mode);

	if (device && s->mount && pit_mount_option(s->mount, "nodev", NULL)) {
		snprintf(ret->reason, sizeof(ret->reason), "%s is mounted with nodev: its devices cannot be opened",
			 target);
	} else if (want & PIT_ACCESS_WRITE && !device && s->mount && pit_mount_option(s->mount, "ro", NULL)) {
		snprintf(ret->reason, sizeof(ret->reason), "%s is mounted read-only", target);
		snprintf(ret->fix, sizeof(ret->fix), "mount -o remount,rw '%s'", target);
	} else if (want & PIT_ACCESS_WRITE && s->immutable) {
		snprintf(ret->reason, sizeof(ret->reason), "it is immutable (chattr +i)");
		snprintf(ret->fix, sizeof(ret->fix), "chattr -i '%s'", s->path);
	} else if (want & PIT_ACCESS_EXEC && S_ISREG(s->mode) && s->mount &&
		   pit_mount_option(s->mount, "noexec", NULL)) {
		snprintf(ret->reason, sizeof(ret->reason), "%s is mounted with noexec", target);
		snprintf(ret->fix, sizeof(ret->fix), "mount -o remount,exec '%s'", target);
	} else {
		return false;
	}
	block(ret, s, PIT_ACCESS_DENIED);
	return true;
}

/* True when the step could not be looked at. */
static bool unseen(const struct pit_access_step *s, struct pit_access_answer *ret)
{
	if (!s->rc)
		return false;
	block(ret, s, s->rc == -ENOENT || s->rc == -ENOTDIR ? PIT_ACCESS_DENIED : PIT_ACCESS_UNKNOWN);
	if (s->rc == -ENOENT)
		snprintf(ret->reason, sizeof(ret->reason), "it does not exist");
	else if (s->rc == -EACCES || s->rc == -EPERM)
		snprintf(ret->reason, sizeof(ret->reason), "pitcrew may not look at it; run it as root");
	else if (s->rc == -ETIMEDOUT)
		snprintf(ret->reason, sizeof(ret->reason), "its file system does not answer");
	else
		snprintf(ret->reason, sizeof(ret->reason), "it cannot be looked at: %s", strerror(-s->rc));
	return true;
}

/* What is allowed here but may still fail on the way to the server. */
static void reserve(const struct pit_access_step *s, const struct pit_user *u, enum by by, unsigned want,
		    struct pit_access_answer *ret)
{
	if (by == BY_OVERRIDE && on_type(s, "nfs")) {
		block(ret, s, PIT_ACCESS_UNKNOWN);
		snprintf(ret->reason, sizeof(ret->reason),
			 "root of this machine is nobody on an NFS server that squashes root, which is the default");
	} else if (by == BY_GROUP && on_type(s, "nfs") && u->groups > 16 && s->gid != u->gid) {
		snprintf(ret->reason, sizeof(ret->reason),
			 "%s is in %zu groups, and NFS with sec=sys sends 16: the server may not see group %s", u->name,
			 u->groups, s->group);
	} else if (want & PIT_ACCESS_WRITE && s->append_only) {
		snprintf(ret->reason, sizeof(ret->reason), "it may only be appended to (chattr +a)");
	} else if (want & PIT_ACCESS_WRITE && S_ISDIR(s->mode) && s->mode & S_ISVTX && s->uid != u->uid && u->uid) {
		snprintf(ret->reason, sizeof(ret->reason),
			 "the sticky bit: files of others cannot be deleted or renamed there");
	}
}

static bool is_no_program(const struct pit_access_step *s, unsigned want, struct pit_access_answer *ret)
{
	if (!(want & PIT_ACCESS_EXEC) || S_ISDIR(s->mode) || (s->mode & 0111 && S_ISREG(s->mode)))
		return false;
	block(ret, s, PIT_ACCESS_DENIED);
	snprintf(ret->reason, sizeof(ret->reason), "it is no program: nobody may execute it");
	return true;
}

/* One step: true when it settles the answer. */
static bool settle(const struct pit_access_path *p, const struct pit_access_step *s, const struct pit_user *u,
		   unsigned want, bool end, struct pit_access_answer *ret)
{
	unsigned need = end ? want : PIT_ACCESS_EXEC;
	struct grant g;

	if (unseen(s, ret))
		return true;
	if (!end && !S_ISDIR(s->mode)) {
		block(ret, s, PIT_ACCESS_DENIED);
		snprintf(ret->reason, sizeof(ret->reason), "it is no directory");
		return true;
	}
	if (is_closed_fuse(s, u)) {
		block(ret, s, PIT_ACCESS_DENIED);
		snprintf(ret->reason, sizeof(ret->reason),
			 "%s is a FUSE mount of another user without allow_other, which closes it to all others and to "
			 "root",
			 s->mount->target);
		snprintf(ret->fix, sizeof(ret->fix), "# mount it again with -o allow_other");
		return true;
	}
	if (end && is_no_program(s, want, ret))
		return true;
	if (end && S_ISDIR(s->mode) && want & PIT_ACCESS_WRITE)
		need |= PIT_ACCESS_EXEC;
	g = decide_step(p, s, u, need);
	if ((g.perm & need) != need)
		refuse(p, s, u, &g, need & ~g.perm, ret);
	else if (end && !forbidden(s, want, ret))
		reserve(s, u, g.by, want, ret);
	else if (!end && g.by == BY_OVERRIDE)
		reserve(s, u, g.by, 0, ret);
	return ret->verdict != PIT_ACCESS_ALLOWED;
}

void pit_access_decide(const struct pit_access_path *p, const struct pit_user *u, unsigned want,
		       struct pit_access_answer *ret)
{
	*ret = (struct pit_access_answer){.verdict = PIT_ACCESS_ALLOWED};
	for (size_t i = 0; i < p->count; i++) {
		bool end = i + 1 == p->count && !p->rc;

		if (p->step[i].target || !settle(p, &p->step[i], u, want, end, ret))
			continue;
		if (strchr(p->step[i].path, '\'') || strchr(p->step[i].path, '\n'))
			ret->fix[0] = '\0'; /* would leave the quotes around it */
		return;
	}
	if (!p->rc)
		return;
	ret->verdict = PIT_ACCESS_DENIED;
	ret->step = p->count ? &p->step[p->count - 1] : NULL;
	snprintf(ret->reason, sizeof(ret->reason), "the path cannot be followed: %s", strerror(-p->rc));
}
