/* SPDX-License-Identifier: MIT */
#include "host/mounts.h"

#include <ctype.h>
#include <string.h>

#include "base/words.h"
#include "base/strmap.h"

static const char mountinfo[] = "/proc/self/mountinfo", mounts[] = "/proc/mounts";

/* Decodes \ooo in place. */
static char *decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && isdigit((unsigned char)from[2]) &&
		    isdigit((unsigned char)from[3])) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return text;
}

/* The field up to the next blank at *text, which moves behind the blank; NULL at the end of the line. Two blanks in a
 * row hold an empty field (the source of a mount before Linux 5.1). */
static char *field(char **text)
{
	char *start = *text, *blank;

	if (!start)
		return NULL;
	blank = strchr(start, ' ');
	if (blank)
		*blank = '\0';
	*text = blank ? blank + 1 : NULL;
	return start;
}

/* Skips the optional fields up to " - ". */
static bool skip_optional(char **text)
{
	for (char *f = field(text); f; f = field(text))
		if (!strcmp(f, "-"))
			return true;
	return false;
}

static int parse_line(char *line, struct pit_mount *ret)
{
	char *numbers[3], *root, *target, *options, *type, *source, *super;
	struct pit_mount m = {0};

	for (int i = 0; i < 3; i++)
		numbers[i] = field(&line);
	root = field(&line);
	target = field(&line);
	options = field(&line);
	if (!options || !skip_optional(&line))
		return -EBADMSG;
	type = field(&line);
	source = field(&line);
	super = field(&line);
	if (!super || !*type || sscanf(numbers[0], "%d", &m.id) != 1 || sscanf(numbers[1], "%d", &m.parent) != 1 ||
	    sscanf(numbers[2], "%u:%u", &m.major, &m.minor) != 2 || *target != '/')
		return -EBADMSG;
	m.root = strdup(decode(root));
	m.target = strdup(decode(target));
	m.options = strdup(options);
	m.type = strdup(type);
	m.source = strdup(decode(source));
	m.super_options = strdup(super);
	m.file = mountinfo;
	*ret = m;
	return m.root && m.target && m.options && m.type && m.source && m.super_options ? 0 : -ENOMEM;
}

static int add_line(struct pit_mounts *m, size_t *size, char *line)
{
	int rc;

	if (m->count == *size) {
		size_t more = *size ? *size * 2 : 32;
		struct pit_mount *grown = reallocarray(m->item, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		m->item = grown;
		*size = more;
	}
	m->item[m->count] = (struct pit_mount){0};
	rc = parse_line(line, &m->item[m->count]);
	if (rc == -EBADMSG) {
		m->malformed++;
		return 0;
	}
	m->count++;
	return rc;
}

static int mark_covered(struct pit_mounts *m)
{
	struct pit_strmap seen = {0};
	int rc = 0;

	for (size_t i = m->count; i-- > 0 && !rc;) {
		m->item[i].covered = pit_strmap_get(&seen, m->item[i].target);
		if (!m->item[i].covered)
			rc = pit_strmap_put(&seen, m->item[i].target, m);
	}
	pit_strmap_free(&seen, NULL);
	return rc;
}

int pit_mounts_parse(const char *text, struct pit_mounts *ret, struct pit_error *err)
{
	struct pit_mounts m = {0};
	pit_auto_free char *copy = strdup(text);
	size_t size = 0;
	char *save = NULL;
	int rc = copy ? 0 : -ENOMEM;

	for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line && !rc; line = strtok_r(NULL, "\n", &save))
		rc = add_line(&m, &size, line);
	if (!rc && !m.count && m.malformed)
		rc = -EBADMSG;
	rc = rc ? rc : mark_covered(&m);
	if (rc) {
		pit_mounts_free(&m);
		return pit_fail(err, -rc, "no line of mountinfo can be read");
	}
	*ret = m;
	return 0;
}

/* Old recordings hold only /proc/mounts: rewrites its lines "source target type options 0 0" as mountinfo lines. */
static int read_mounts(struct pit_root *root, struct pit_buf *out)
{
	pit_auto_strv struct pit_strv lines = {0};
	char source[1024], target[4096], type[64], options[4096];
	struct pit_text text;
	int rc = pit_root_read(root, &text, "%s", mounts);

	if (!rc)
		rc = pit_strv_split(&lines, text.data, "\n");
	for (size_t i = 0; i < lines.count; i++)
		if (sscanf(lines.item[i], "%1023s %4095s %63s %4095s", source, target, type, options) == 4)
			pit_buf_printf(out, "0 0 0:0 / %s %s - %s %s %s\n", target, options, type, source, options);
	return rc;
}

int pit_mounts_load(struct pit_root *root, struct pit_mounts *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf old = PIT_BUF_INIT;
	struct pit_text text;
	const char *path = mountinfo;
	int rc = pit_root_read(root, &text, "%s", path);

	if (rc == -ENOENT && !read_mounts(root, &old))
		path = mounts;
	else if (rc)
		return pit_fail(err, -rc, "%s", path);
	rc = pit_mounts_parse(path == mounts ? old.data : text.data, ret, err);
	for (size_t i = 0; !rc && i < ret->count; i++)
		ret->item[i].file = path;
	return rc;
}

void pit_mounts_free(struct pit_mounts *m)
{
	int saved = errno;

	for (size_t i = 0; i < m->count; i++) {
		free(m->item[i].root);
		free(m->item[i].target);
		free(m->item[i].options);
		free(m->item[i].type);
		free(m->item[i].source);
		free(m->item[i].super_options);
	}
	free(m->item);
	*m = (struct pit_mounts){0};
	errno = saved;
}

static bool is_below(const char *path, const char *target)
{
	size_t len = strlen(target);

	if (!strcmp(target, "/"))
		return *path == '/';
	return !strncmp(path, target, len) && (!path[len] || path[len] == '/');
}

const struct pit_mount *pit_mounts_find(const struct pit_mounts *m, const char *path)
{
	const struct pit_mount *best = NULL;

	for (size_t i = 0; i < m->count; i++)
		if (is_below(path, m->item[i].target) && (!best || strlen(m->item[i].target) >= strlen(best->target)))
			best = &m->item[i];
	return best;
}

static bool find_option(const char *options, const char *name, const char **ret_value)
{
	size_t len = strlen(name);

	for (const char *o = options; o; o = strchr(o, ',')) {
		o += *o == ',';
		if (strncmp(o, name, len) || (o[len] && o[len] != ',' && o[len] != '='))
			continue;
		if (ret_value)
			*ret_value = o[len] == '=' ? o + len + 1 : "";
		return true;
	}
	return false;
}

bool pit_mount_option(const struct pit_mount *m, const char *name, const char **ret_value)
{
	return find_option(m->options, name, ret_value) || find_option(m->super_options, name, ret_value);
}

bool pit_mount_is_network(const struct pit_mount *m)
{
	static const char *const types[] = {"nfs",       "nfs4", "cifs",   "smb3",      "smbfs",          "ceph",
					    "lustre",    "gpfs", "beegfs", "glusterfs", "fuse.glusterfs", "fuse.sshfs",
					    "9p",        "afs",  "ocfs2",  "gfs2",      "wekafs",         "pvfs2",
					    "fuse.ceph", NULL};

	return pit_is_among(m->type, types);
}

bool pit_mount_is_pseudo(const struct pit_mount *m)
{
	static const char *const types[] = {
		"proc",      "sysfs",      "cgroup",    "cgroup2",  "devpts",  "mqueue", "debugfs",  "tracefs",
		"bpf",       "securityfs", "pstore",    "configfs", "fusectl", "autofs", "efivarfs", "binfmt_misc",
		"hugetlbfs", "rpc_pipefs", "selinuxfs", "nsfs",     "resctrl", NULL};

	return pit_is_among(m->type, types);
}
