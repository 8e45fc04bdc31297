/* SPDX-License-Identifier: MIT
 *
 * Users, groups, and what lies on the way of a path.
 */
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/parse.h"
#include "base/strv.h"
#include "check/access.h"
#include "check/walk.h"
#include "host/procfs.h"
#include "host/try.h"

#define CAP_DAC_OVERRIDE_BIT 1
#define ACL_BYTES_MAX (4 + 8 * PIT_ACL_MAX)

/* Field `n` of the line at `line`, separated by ':', in `ret`; false when there is none or it is too long. */
static bool colon_field(const char *line, int n, char *ret, size_t size)
{
	size_t len;

	for (; n; n--) {
		line += strcspn(line, ":\n");
		if (*line != ':')
			return false;
		line++;
	}
	len = strcspn(line, ":\n");
	if (len >= size)
		return false;
	memcpy(ret, line, len);
	ret[len] = '\0';
	return true;
}

static bool colon_number(const char *line, int n, int64_t *ret)
{
	char text[24];

	return colon_field(line, n, text, sizeof(text)) && *text && !pit_parse_i64(text, ret);
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : NULL;
}

/* The line of a passwd or group text whose name (or id, when `id` is 0 or more) is that; NULL none. */
static const char *find_line(const char *text, const char *name, int64_t id)
{
	char field[64];
	int64_t number;

	for (const char *line = text; line; line = next_line(line)) {
		if (id >= 0 ? colon_number(line, 2, &number) && number == id
			    : colon_field(line, 0, field, sizeof(field)) && !strcmp(field, name))
			return line;
	}
	return NULL;
}

char *pit_name_of(struct pit_root *root, const char *table, int64_t id, char *ret, size_t size)
{
	struct pit_text text;
	const char *line = NULL;

	if (id >= 0 && !pit_root_read(root, &text, "/etc/%s", table))
		line = find_line(text.data, NULL, id);
	if (!line || !colon_field(line, 0, ret, size))
		snprintf(ret, size, "%" PRId64, id);
	return ret;
}

/* True when `name` is among the members (fourth field) of a line of /etc/group. */
static bool is_member(const char *line, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < 3; i++) {
		line += strcspn(line, ":\n");
		line += *line == ':';
	}
	while (*line && *line != '\n') {
		size_t word = strcspn(line, ",\n");

		if (word == len && !memcmp(line, name, len))
			return true;
		line += word + (line[word] == ',');
	}
	return false;
}

static void add_groups(struct pit_root *root, struct pit_user *u)
{
	struct pit_text text;
	int64_t gid;

	if (pit_root_read(root, &text, "/etc/group"))
		return;
	for (const char *line = text.data; line; line = next_line(line))
		if (is_member(line, u->name) && colon_number(line, 2, &gid) && u->groups < PIT_USER_GROUPS_MAX)
			u->group[u->groups++] = gid;
}

static int find_in_passwd(struct pit_root *root, const char *name, struct pit_user *ret)
{
	struct pit_text text;
	int64_t id = -1;
	const char *line;
	int rc = pit_root_read(root, &text, "/etc/passwd");

	if (rc)
		return rc;
	if (pit_parse_i64(name, &id))
		id = -1;
	line = find_line(text.data, name, id);
	if (!line || !colon_field(line, 0, ret->name, sizeof(ret->name)) || !colon_number(line, 2, &ret->uid) ||
	    !colon_number(line, 3, &ret->gid))
		return -ENOENT;
	add_groups(root, ret);
	return 0;
}

/* "uid gid NAME" and the groups, from whatever source the machine has (LDAP, SSSD ...). */
static int make_user(const char *name, void *arg, struct pit_buf *out)
{
	int64_t id = -1;
	struct passwd *pw = pit_parse_i64(arg, &id) || id < 0 ? getpwnam(arg) : getpwuid((uid_t)id);
	gid_t groups[PIT_USER_GROUPS_MAX];
	int n = PIT_USER_GROUPS_MAX;

	if (!pw)
		return -ENOENT;
	pit_buf_printf(out, "%u %u %s\n", pw->pw_uid, pw->pw_gid, pw->pw_name);
	if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
		return 0;
	for (int i = 0; i < n; i++)
		pit_buf_printf(out, "%u\n", groups[i]);
	return 0;
}

static int try_user(const char *name, void *arg, struct pit_buf *out)
{
	return pit_try(3000, make_user, name, arg, out);
}

static int find_elsewhere(struct pit_root *root, const char *name, struct pit_user *ret)
{
	struct pit_text text;
	char fact[128], copy[64];
	unsigned uid, gid;
	int used = 0, rc;

	snprintf(copy, sizeof(copy), "%s", name);
	pit_fact_name(fact, sizeof(fact), "user", name);
	rc = pit_root_fact(root, fact, try_user, copy, &text);
	if (rc)
		return rc;
	if (sscanf(text.data, "%u %u %63s%n", &uid, &gid, ret->name, &used) != 3)
		return -EBADMSG;
	ret->uid = uid;
	ret->gid = gid;
	for (const char *line = next_line(text.data); line; line = next_line(line)) {
		unsigned g;

		if (sscanf(line, "%u", &g) == 1 && ret->groups < PIT_USER_GROUPS_MAX)
			ret->group[ret->groups++] = g;
	}
	return 0;
}

int pit_user_find(struct pit_root *root, const char *name, struct pit_user *ret, struct pit_error *err)
{
	struct pit_user u = {0};
	int64_t id;
	int rc = find_in_passwd(root, name, &u);

	if (rc)
		rc = find_elsewhere(root, name, &u);
	if (rc && !pit_parse_i64(name, &id) && id >= 0) { /* containers run as numbers without a name */
		u = (struct pit_user){.uid = id, .gid = id};
		snprintf(u.name, sizeof(u.name), "%s", name);
		rc = 0;
	}
	if (rc)
		return pit_fail(err, rc == -ENODATA ? ENOENT : -rc, "no user %s here", name);
	u.override = u.uid == 0;
	*ret = u;
	return 0;
}

int pit_user_self(struct pit_root *root, struct pit_user *ret, struct pit_error *err)
{
	struct pit_user u = {0};
	struct pit_text text;
	char line[4096], caps[32];
	pit_auto_strv struct pit_strv words = {0};
	uint64_t bits = 0;
	int rc = pit_root_read(root, &text, "/proc/self/status");

	if (rc)
		return pit_fail(err, -rc, "/proc/self/status");
	if (pit_kv_str(text.data, "Uid", line, sizeof(line)) || sscanf(line, "%*u %" SCNd64, &u.uid) != 1 ||
	    pit_kv_str(text.data, "Gid", line, sizeof(line)) || sscanf(line, "%*u %" SCNd64, &u.gid) != 1)
		return pit_fail(err, EBADMSG, "Uid and Gid in /proc/self/status");
	if (!pit_kv_str(text.data, "Groups", line, sizeof(line)) && pit_strv_split(&words, line, " \t"))
		return pit_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < words.count && u.groups < PIT_USER_GROUPS_MAX; i++)
		u.groups += !pit_parse_i64(words.item[i], &u.group[u.groups]);
	if (!pit_kv_str(text.data, "CapEff", caps, sizeof(caps)) && !pit_parse_hex(caps, &bits))
		u.override = bits >> CAP_DAC_OVERRIDE_BIT & 1;
	else
		u.override = u.uid == 0;
	pit_name_of(root, "passwd", u.uid, u.name, sizeof(u.name));
	*ret = u;
	return 0;
}

static void print_acl(const unsigned char *bytes, size_t len, struct pit_buf *out)
{
	pit_buf_puts(out, "acl ");
	for (size_t i = 0; i < len; i++)
		pit_buf_printf(out, "%02x", bytes[i]);
	pit_buf_putc(out, '\n');
}

/* What a stat does not tell: the ACL, and the attributes of chattr(1). */
static int make_extra(const char *name, void *arg, struct pit_buf *out)
{
	unsigned char bytes[ACL_BYTES_MAX];
	ssize_t n = getxattr(arg, "system.posix_acl_access", bytes, sizeof(bytes));
	struct statx st;

	if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		return -errno;
	if (n > 0)
		print_acl(bytes, (size_t)n, out);
	if (!statx(AT_FDCWD, arg, AT_STATX_DONT_SYNC, STATX_MODE, &st))
		pit_buf_printf(out, "flags%s%s\n", st.stx_attributes & STATX_ATTR_IMMUTABLE ? " immutable" : "",
			       st.stx_attributes & STATX_ATTR_APPEND ? " append" : "");
	return 0;
}

static int try_extra(const char *name, void *arg, struct pit_buf *out)
{
	return pit_try(300, make_extra, name, arg, out);
}

static int take_acl(const char *hex, struct pit_access_step *s)
{
	unsigned char bytes[ACL_BYTES_MAX];
	size_t n = 0;

	for (unsigned byte; n < sizeof(bytes) && sscanf(hex, "%2x", &byte) == 1 && hex[1]; hex += 2)
		bytes[n++] = (unsigned char)byte;
	s->acl = calloc(1, sizeof(*s->acl));
	if (!s->acl)
		return -ENOMEM;
	if (pit_acl_parse(bytes, n, s->acl)) {
		free(pit_take(s->acl));
		s->acl_known = false;
	}
	return 0;
}

static int look_deeper(struct pit_root *root, struct pit_access_step *s)
{
	struct pit_text text;
	char name[512], word[ACL_BYTES_MAX * 2 + 8];

	pit_fact_name(name, sizeof(name), "access", s->path);
	if (pit_root_fact(root, name, try_extra, (void *)s->path, &text))
		return 0;
	s->acl_known = true;
	if (!pit_kv_str(text.data, "flags", word, sizeof(word))) {
		s->immutable = strstr(word, "immutable") != NULL;
		s->append_only = strstr(word, "append") != NULL;
	}
	return pit_kv_str(text.data, "acl", word, sizeof(word)) ? 0 : take_acl(word, s);
}

struct collector {
	struct pit_root *root;
	const struct pit_mounts *mounts;
	struct pit_access_path *path;
};

static int add_step(const char *path, const char *target, void *arg)
{
	struct collector *c = arg;
	struct pit_access_step *grown = reallocarray(c->path->step, c->path->count + 1, sizeof(*grown)), *s;
	struct pit_stat st;

	if (!grown)
		return -ENOMEM;
	c->path->step = grown;
	s = &grown[c->path->count++];
	*s = (struct pit_access_step){.path = strdup(path), .target = target ? strdup(target) : NULL};
	if (!s->path || (target && !s->target))
		return -ENOMEM;
	s->mount = pit_mounts_find(c->mounts, path);
	if (s != grown && s[-1].rc == -ETIMEDOUT)
		s->rc = -ETIMEDOUT; /* each further look would cost its deadline too */
	else
		s->rc = target ? 0 : pit_root_stat(c->root, &st, "%s", path);
	if (target || s->rc)
		return 0;
	s->mode = st.mode;
	s->uid = st.uid;
	s->gid = st.gid;
	pit_name_of(c->root, "passwd", s->uid, s->owner, sizeof(s->owner));
	pit_name_of(c->root, "group", s->gid, s->group, sizeof(s->group));
	if (s->uid < 0)
		s->rc = -ENODATA; /* a recording of files only */
	return look_deeper(c->root, s);
}

/* A user namespace other than the machine's own maps fewer ids. */
static bool has_partial_map(struct pit_root *root)
{
	unsigned long inside, outside, count;
	char line[128];

	return !pit_root_str(root, line, sizeof(line), "/proc/self/uid_map") &&
	       sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 && count < 4294967295ul;
}

int pit_access_collect(struct pit_root *root, const struct pit_mounts *mounts, const char *path,
		       struct pit_access_path *ret, struct pit_error *err)
{
	struct pit_access_path p = {.partial_map = has_partial_map(root)};
	struct collector c = {.root = root, .mounts = mounts, .path = &p};
	char end[4096];
	int rc = pit_walk(root, path, add_step, &c, end, sizeof(end));

	if (!rc && (!p.count || p.step[p.count - 1].target || strcmp(p.step[p.count - 1].path, end) != 0))
		rc = add_step(end, NULL, &c); /* the path ends with ".." or is a link to "/" */
	if (rc == -ENOMEM) {
		pit_access_free(&p);
		return pit_fail(err, ENOMEM, "out of memory");
	}
	p.rc = rc;
	*ret = p;
	return 0;
}

void pit_access_free(struct pit_access_path *p)
{
	int saved = errno;

	for (size_t i = 0; i < p->count; i++) {
		free((char *)p->step[i].path);
		free((char *)p->step[i].target);
		free(p->step[i].acl);
	}
	free(p->step);
	*p = (struct pit_access_path){0};
	errno = saved;
}
